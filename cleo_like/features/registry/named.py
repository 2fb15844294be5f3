"""Extractors by name: this package's own, ipfx, eFEL, and those that others install."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np

from cleo_like.core.errors import UnsupportedError, unknown_name
from cleo_like.core.plugins import BROKEN, offered
from cleo_like.core.window import Window
from cleo_like.features.long_square.atlas_row import atlas_row
from cleo_like.features.long_square.cell import CellFeatures, analyse
from cleo_like.features.parameters import ExtractionParameters
from cleo_like.features.registry.extracted import Extracted
from cleo_like.features.stack import SweepStack

GROUP = "cleo_like.extractors"
"""Entry point group under which other packages offer an extractor."""

Extractor = Callable[
    [SweepStack, Window, ExtractionParameters], "Extracted | Mapping[str, float]"
]
Own: TypeAlias = Literal["native", "ipfx", "efel"]
ExtractorLike: TypeAlias = Own | str | Extractor


def native(stack: SweepStack, step: Window, parameters: ExtractionParameters) -> Extracted:
    """Measure with this package."""
    return of_cell(analyse(stack, step, parameters), stack)


def efel(stack: SweepStack, step: Window, parameters: ExtractionParameters) -> Extracted:
    """Measure with eFEL, its units and names mapped."""
    from cleo_like.features.adapters.efel import efel_cell

    return of_cell(efel_cell(stack, step, parameters), stack)


def ipfx(stack: SweepStack, step: Window, parameters: ExtractionParameters) -> Extracted:
    """Measure with ipfx in the peers' environment."""
    from cleo_like.features.adapters.ipfx import ipfx_cell

    return of_cell(ipfx_cell(stack, step, parameters), stack)


_OWN: dict[str, Extractor] = {"native": native, "efel": efel, "ipfx": ipfx}


def _need_efel() -> None:
    from cleo_like.features.adapters.efel import need_efel

    need_efel()


def _need_ipfx() -> None:
    from cleo_like.features.adapters.ipfx import peers_python

    peers_python()


_NEEDS = {"efel": _need_efel, "ipfx": _need_ipfx}
"""What an extractor needs beside this package, asked before any work."""


def of_cell(cell: CellFeatures, given: SweepStack | None = None) -> Extracted:
    """Cell values, atlas row, spikes and sweeps of a `CellFeatures`.

    Parameters
    ----------
    cell : CellFeatures
        What was measured.
    given : SweepStack, optional
        The sweeps that were given; spikes and sweeps count in its rows (default: the rows of
        `cell.stack`, from which unusable sweeps are gone).
    """
    row = atlas_row(cell)
    numbers = cell.stack.numbers if given is None else given.numbers
    place = {number: k for k, number in enumerate(numbers)}
    rows = np.array([place[number] for number in cell.stack.numbers], dtype=int)
    spikes = dict(cell.spikes.columns)
    spikes["sweep"] = rows[spikes["sweep"].astype(int)]
    return Extracted(
        values={**cell.values, **row.values},
        uncertainty={**cell.uncertainty, **row.errors},
        reasons={**row.reasons, **cell.reasons},
        notes=cell.notes,
        excluded=cell.excluded,
        cutoff=cell.spikes.cutoff,
        cell=cell,
        spikes=spikes,
        sweeps={name: _in_rows(v, rows, len(numbers)) for name, v in cell.sweeps.items()},
    )


def _in_rows(values: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """Put values of the usable sweeps where they belong among all; NaN elsewhere."""
    out = np.full(n, np.nan)
    out[rows] = values
    return out


def is_own(extractor: Extractor) -> bool:
    """Whether an extractor is one of this package."""
    return extractor in _OWN.values()


def installed() -> dict[str, Any]:
    """Entry points of other packages, by name (not loaded yet)."""
    return {point.name: point for point in offered(GROUP)}


def extractor_named(name: str) -> Extractor:
    """Look an extractor up.

    Raises
    ------
    UnknownNameError
        Neither this package nor an installed one has it.
    UnsupportedError
        It is known, and what it needs is not installed, or does not work.
    """
    if name in _OWN:
        if name in _NEEDS:
            _NEEDS[name]()
        return _OWN[name]
    if name in installed():
        try:
            return installed()[name].load()
        except BROKEN as error:
            msg = (
                f"the extractor {name!r}, of another package, does not work "
                f"({type(error).__name__}: {error}); use one of {', '.join(map(repr, _OWN))}"
            )
            raise UnsupportedError(msg) from error
    raise unknown_name("extractor", name, {*_OWN, *installed()})


def extractor_name(extractor: ExtractorLike) -> str:
    """Name for the table."""
    if isinstance(extractor, str):
        return extractor
    return str(getattr(extractor, "__name__", type(extractor).__name__))
