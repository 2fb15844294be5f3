"""The table of indicators whose definitions are Cleo's: every number with its source.

These keep Cleo's definition of dF/F (in units of the calcium-free fluorescence) and its
kinetics, which are several times slower than recordings show; they are here so that a Cleo
script gives the same traces.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from cleo_like.core.arrays import frozen_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

SONG = "Song et al. 2021, J. Neurosci. Methods 358:109173 (NAOMi), parameter file"
DANA = "Dana et al. 2019, Nat. Methods 16:649"
ZHANG = "Zhang et al. 2023, Nature 615:884, table S1"

UNIT_1AP = 0.133
"""dF/F of GCaMP6s for one action potential (Dana et al. 2019), the unit of the column."""
UNIT_SNR = 4.4
"""Its signal-to-noise ratio for one action potential (Dana et al. 2019)."""

NUMBERS = ("K_d", "n_H", "dFF_max", "dFF_1AP", "sigma_noise", "kernel")


@attrs.frozen(kw_only=True)
class Indicator:
    """One row: equilibrium, response to one spike, noise, and the binding kernel if known.

    Parameters
    ----------
    name : str
        Name of the indicator, and of its factory.
    K_d : float
        Dissociation constant (nM).
    n_H : float
        Hill coefficient.
    dFF_max : float
        Fluorescence at saturation over the calcium-free one, less 1.
    relative_1AP : float, optional
        dF/F for one action potential, relative to GCaMP6s.
    relative_noise : float
        Noise, relative to GCaMP6s.
    ca_amp, t_on, t_off : float, optional
        Kernel of calcium binding as NAOMi gives it (amplitude for a step of 10 ms; rates
        in 1/s). None: no kernel was fitted, and binding is taken as instantaneous.
    sources : mapping
        Source of every number in `NUMBERS`.
    """

    name: str
    K_d: float
    n_H: float  # noqa: N815 - the symbol
    dFF_max: float  # noqa: N815
    relative_1AP: float | None  # noqa: N815
    relative_noise: float = 1.0
    ca_amp: float | None = None
    t_on: float | None = None
    t_off: float | None = None
    sources: Mapping[str, str] = attrs.field(converter=frozen_mapping)

    @property
    def sigma_noise(self) -> float:
        """Standard deviation of the noise of dF/F."""
        return self.relative_noise * UNIT_1AP / UNIT_SNR

    @property
    def dFF_1AP(self) -> float | None:  # noqa: N802 - Cleo's name
        """Fluorescence change for one action potential."""
        return None if self.relative_1AP is None else self.relative_1AP * UNIT_1AP

    @property
    def has_kernel(self) -> bool:
        """Whether a kernel of binding is known."""
        return self.ca_amp is not None


def _sources(
    equilibrium: str, response: str, noise: str, kernel: str = "none fitted"
) -> dict[str, str]:
    return {
        "K_d": equilibrium,
        "n_H": equilibrium,
        "dFF_max": equilibrium,
        "dFF_1AP": response,
        "sigma_noise": noise,
        "kernel": kernel,
    }


_RELATIVE = f"{ZHANG}, relative to GCaMP6s"
_NOISE = f"{ZHANG} (relative SNR), in units of GCaMP6s of {DANA}"
_AS_6S = "unknown; the value of GCaMP6s is taken"
_NONE = "unknown"
_JGCAMP = _sources(DANA, _RELATIVE, _NOISE)
_STEADY = _sources(SONG, _NONE, _AS_6S)

_ROWS = (
    Indicator(
        name="gcamp3", K_d=287, n_H=2.52, dFF_max=12,
        relative_1AP=0.039 / UNIT_1AP,
        relative_noise=0.018571428571428572 * UNIT_SNR / UNIT_1AP,
        ca_amp=0.05, t_on=1, t_off=1,
        sources=_sources(
            SONG, DANA, DANA, f"{SONG}: its placeholder (0.05, 1, 1), fitted to nothing"
        ),
    ),
    Indicator(
        name="gcamp6f", K_d=290, n_H=2.7, dFF_max=25.2,
        relative_1AP=0.735, relative_noise=1.24,
        ca_amp=76.1251, t_on=0.8535, t_off=98.6173,
        sources=_sources(SONG, _RELATIVE, _NOISE, f"{SONG}: one cell, its first 60 s"),
    ),
    Indicator(
        name="gcamp6s", K_d=147, n_H=2.45, dFF_max=27.2, relative_1AP=1,
        ca_amp=54.6943, t_on=0.4526, t_off=68.5461,
        sources=_sources(SONG, DANA, DANA, f"{SONG}: one cell, its first 60 s"),
    ),
    Indicator(
        name="gcamp6rs06", K_d=320, n_H=3, dFF_max=15, relative_1AP=None, sources=_STEADY
    ),
    Indicator(
        name="gcamp6rs09", K_d=520, n_H=3.2, dFF_max=25, relative_1AP=None, sources=_STEADY
    ),
    Indicator(
        name="jgcamp7f", K_d=174, n_H=2.3, dFF_max=30.2,
        relative_1AP=1.71, relative_noise=0.72, sources=_JGCAMP,
    ),
    Indicator(
        name="jgcamp7s", K_d=68, n_H=2.49, dFF_max=40.4,
        relative_1AP=4.96, relative_noise=0.33, sources=_JGCAMP,
    ),
    Indicator(
        name="jgcamp7b", K_d=82, n_H=3.06, dFF_max=22.1,
        relative_1AP=4.64, relative_noise=0.25, sources=_JGCAMP,
    ),
    Indicator(
        name="jgcamp7c", K_d=298, n_H=2.44, dFF_max=145.6,
        relative_1AP=1.85, relative_noise=0.39, sources=_JGCAMP,
    ),
    Indicator(name="ogb1", K_d=250, n_H=1, dFF_max=14, relative_1AP=None, sources=_STEADY),
)  # fmt: skip

INDICATORS: Mapping[str, Indicator] = MappingProxyType({row.name: row for row in _ROWS})
"""Indicators by name."""

CALCIUM = MappingProxyType(
    {"Ca_rest": 50.0, "kappa_S": 110.0, "gamma": 292.3, "B_T": 200.0, "dCa_T": 7.6}
)
"""Calcium of the cell: rest (nM), binding ratio, extrusion (1/s), indicator and influx (uM)."""
CALCIUM_SOURCE = (
    "Helmchen & Tank 2015 and Lütcke et al. 2013 (Front. Neural Circuits 7:201); gamma as "
    "fitted for GCaMP6f by Song et al. 2021"
)
