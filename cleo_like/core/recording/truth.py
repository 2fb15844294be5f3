"""What a simulator knows of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only, si_mapping, si_samples
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def _tuple_of(unit: str, name: str) -> Callable[[Any], tuple[np.ndarray, ...] | None]:
    convert = si_samples(unit, name=name)

    def convert_all(values: Any) -> tuple[np.ndarray, ...] | None:
        if values is None:
            return None
        found = tuple(convert(v) for v in values)
        if any(array.ndim != 1 for array in found):
            msg = f"{name} must be a list of one array for each sweep, got {values!r}"
            raise InputError(msg)
        return found

    return convert_all


@attrs.frozen(kw_only=True)
class GroundTruth:
    """The answer that belongs to a simulated recording.

    Parameters
    ----------
    spike_times : sequence of arrays
        One array per sweep, s from the first sample of that sweep, refined between
        integration steps.
    voltage : sequence of arrays, optional
        Noise-free membrane potential per sweep (V), at the recording rate; None when it
        was not asked for.
    model : str, optional
        Name of the cell model.
    parameters : mapping
        Parameters of this very cell (SI).
    answers : mapping
        Known answers by name (SI): input resistance, time constant, rheobase ...

    Examples
    --------
    >>> GroundTruth(spike_times=[np.array([0.1, 0.2]), np.array([])], model="rs")
    GroundTruth of rs: 2 sweeps, 2 spikes
    """

    spike_times: tuple[np.ndarray, ...] = attrs.field(
        converter=_tuple_of("s", "spike_times"), eq=array_eq
    )
    voltage: tuple[np.ndarray, ...] | None = attrs.field(
        default=None, converter=_tuple_of("V", "voltage"), eq=array_eq
    )
    model: str | None = None
    parameters: Mapping[str, Any] = attrs.field(factory=dict, converter=si_mapping)
    answers: Mapping[str, Any] = attrs.field(factory=dict, converter=si_mapping)

    def __attrs_post_init__(self) -> None:
        """Check that both lists speak of the same sweeps."""
        if self.voltage is not None and len(self.voltage) != len(self.spike_times):
            msg = (
                f"voltage has {len(self.voltage)} sweeps but spike_times has "
                f"{len(self.spike_times)}; both need one array per sweep"
            )
            raise InputError(msg)

    def take(self, rows: Sequence[int] | np.ndarray) -> GroundTruth:
        """Give the truth of some of the sweeps (places)."""
        voltage = self.voltage
        return attrs.evolve(
            self, spike_times=[self.spike_times[k] for k in rows],
            voltage=None if voltage is None else [voltage[k] for k in rows],
        )  # fmt: skip

    @property
    def spike_counts(self) -> np.ndarray:
        """Number of spikes in each sweep, shape (n_sweeps,)."""
        return read_only(np.array([len(t) for t in self.spike_times], dtype=int))

    def __repr__(self) -> str:
        """One line: model, sweeps, spikes."""
        model = self.model if self.model is not None else "an unnamed model"
        return (
            f"GroundTruth of {model}: {len(self.spike_times)} sweeps, "
            f"{int(self.spike_counts.sum())} spikes"
        )
