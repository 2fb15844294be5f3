"""What an extractor finds, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from cleo_like.features.long_square.cell import CellFeatures


def _columns(given: Mapping[str, Any]) -> Mapping[str, np.ndarray]:
    """Give arrays; what is no table of columns is said."""
    if not isinstance(given, Mapping):
        msg = f"spikes and sweeps are mappings of name to array, got {type(given).__name__}"
        raise InputError(msg)
    out = {str(name): np.asarray(column) for name, column in given.items()}
    for name, column in out.items():
        if column.ndim != 1:
            msg = f"column {name!r} needs one value per row, got the shape {column.shape}"
            raise InputError(msg)
    return out


def _same_length(what: str, columns: Mapping[str, np.ndarray], n: int) -> None:
    for name, column in columns.items():
        if column.size != n:
            msg = f"column {name!r} of {what} has {column.size} values, expected {n}"
            raise InputError(msg)


@attrs.frozen(kw_only=True, eq=False)
class Extracted:
    """What an extractor found: values by column name, and what is to be said of them.

    An extractor of another package may leave out all but `values`.

    Parameters
    ----------
    values : mapping of str to float
        By column name, in the unit of the catalogue where it has the column.
    uncertainty : mapping of str to float
        Standard error of a value, in the same unit, where it is defined.
    reasons : mapping of str to str
        Why a value is missing.
    notes : tuple of str
        What was moved or chosen on the way.
    excluded : mapping of int to str
        Sweeps (numbers) that were left out, and why.
    cutoff : float, optional
        Cutoff (kHz) of the filter that was used.
    cell : CellFeatures, optional
        All that was measured, with the arrays that figures need.
    spikes : mapping of str to array, shape (n_spikes,), optional
        Columns of a `SpikeTable`: ``sweep`` (row of the stack that the extractor was given)
        and whatever was measured of each spike (``peak_t``, ``threshold_v`` ...), in the
        units of the catalogue.
    sweeps : mapping of str to array, shape (n_sweeps,), optional
        Values of each sweep of the stack that the extractor was given; NaN where it was left
        out.

    Raises
    ------
    InputError
        Columns of `spikes` without ``sweep``, or of different lengths.

    Examples
    --------
    >>> found = Extracted(values={"tau": 0.02}, spikes={"sweep": [0, 0], "peak_t": [0.3, 0.4]})
    >>> found.spikes["peak_t"]
    array([0.3, 0.4])
    """

    values: Mapping[str, float]
    uncertainty: Mapping[str, float] = attrs.field(factory=dict)
    reasons: Mapping[str, str] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()
    excluded: Mapping[int, str] = attrs.field(factory=dict)
    cutoff: float | None = None
    cell: CellFeatures | None = None
    spikes: Mapping[str, np.ndarray] | None = attrs.field(
        default=None, converter=attrs.converters.optional(_columns)
    )
    sweeps: Mapping[str, np.ndarray] | None = attrs.field(
        default=None, converter=attrs.converters.optional(_columns)
    )

    def __attrs_post_init__(self) -> None:
        """Check that the columns of the spikes belong together."""
        if self.spikes is None:
            return
        if "sweep" not in self.spikes:
            msg = f"spikes need a column 'sweep', got {', '.join(self.spikes) or 'nothing'}"
            raise InputError(msg)
        _same_length("spikes", self.spikes, self.spikes["sweep"].size)


def check_rows(answer: Extracted, n: int) -> None:
    """Refuse sweeps that the extractor was not given.

    Parameters
    ----------
    answer : Extracted
        Of an extractor.
    n : int
        Sweeps of the stack that it was given.

    Raises
    ------
    InputError
        Spikes or values of other sweeps.
    """
    if answer.sweeps is not None:
        _same_length("sweeps", answer.sweeps, n)
    if answer.spikes is not None:
        rows = answer.spikes["sweep"]
        if rows.size and not (rows.min() >= 0 and rows.max() < n):
            msg = (
                f"spikes are in sweep {rows.min()} to {rows.max()}, the stack has 0 to {n - 1}"
            )
            raise InputError(msg)
