"""Cleo's `ephys`, which this package does not have yet: every name of it says so."""

from __future__ import annotations

from typing import Never

from cleo_like.core.errors import not_here_yet

_NAMES = [
    "LFPSignalBase",
    "MultiUnitActivity",
    "MultiUnitSpiking",
    "Probe",
    "RWSLFPSignalBase",
    "RWSLFPSignalFromPSCs",
    "RWSLFPSignalFromSpikes",
    "Signal",
    "SortedSpiking",
    "Spiking",
    "TKLFPSignal",
    "linear_shank_coords",
    "poly2_shank_coords",
    "poly3_shank_coords",
    "tetrode_shank_coords",
    "tile_coords",
]


def __getattr__(name: str) -> Never:
    error = not_here_yet("ephys", name)
    if name in _NAMES:
        raise error  # an AttributeError would lose its message in `from ... import ...`
    raise AttributeError(str(error))
