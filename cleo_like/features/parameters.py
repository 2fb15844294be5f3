"""How features are measured: every limit has ipfx's name; the noise sets those of spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.units import carries_unit, number, si
from cleo_like.core.units.table import is_number

if TYPE_CHECKING:
    from collections.abc import Callable

_IPFX_LIMITS = {"dv_cutoff": 20.0, "min_height": 2.0, "min_peak": -30.0}
WIENER = "wiener"
"""As `filter`: spikes are resampled through a Wiener filter, from the noise of the cell."""
_FILTER = 10.0  # kHz: that of ipfx
_POSITIVE = ("dv_cutoff", "max_interval", "baseline_interval", "sag_baseline_interval")
# ipfx's unit -> the SI unit of a quantity, and what to multiply SI by
_UNIT = {
    "kHz": ("Hz", 1e-3), "V/s": ("V/s", 1.0), "s": ("s", 1.0), "mV": ("V", 1e3),
    "pA": ("A", 1e12), "1": ("1", 1.0),
}  # fmt: skip


def in_unit(unit: str, name: str) -> Callable[[Any], float]:
    """Make a converter: a quantity is converted, a plain number is already in ipfx's unit."""
    base, scale = _UNIT[unit]

    def convert(value: object) -> float:
        if carries_unit(value) and not (isinstance(value, str) and is_number(value)):
            return si(value, base, name) * scale
        return number(value, name)

    return convert


def _filter(value: object) -> float | str | None:
    """None and 0 both mean "no filter", as in ipfx."""
    if value is None or value == WIENER:
        return value
    number = in_unit("kHz", "filter")(value)
    return number if number > 0 else None


def _or_none(unit: str, name: str) -> Any:
    convert = in_unit(unit, name)
    return lambda value: None if value is None else convert(value)


def _limit(unit: str, name: str) -> Any:
    """Make a limit that ipfx fixes and the noise of the recording sets by default."""
    return attrs.field(default=None, converter=_or_none(unit, name))


def _field(default: float, unit: str, name: str) -> Any:
    return attrs.field(default=default, converter=in_unit(unit, name))


@attrs.frozen(kw_only=True)
class ExtractionParameters:
    """Limits of spike detection and of the cell-level analysis.

    Names and units are ipfx's, so that a parameter set can be carried over as it is; a
    quantity (``10*kHz`` or ``"10 kHz"``) is converted.

    Parameters
    ----------
    filter : "wiener", float or None
        "wiener": potentials, times and slopes of a spike are those of the membrane, as far
        as noise and rate of the recording let them be seen, each with its standard error. A
        number: the samples' own, and dV/dt through a zero-phase 4-pole Bessel filter of this
        cutoff (kHz; where it is not below the Nyquist frequency a lower one is chosen and
        recorded); None or 0 for none. With ``compat="ipfx"`` 10 kHz by default.
    lowpass : float or None
        -3 dB frequency (kHz) of the amplifier's 4-pole Bessel filter, which "wiener" undoes.
        None: as the file states it, and none where it states nothing. 0: there was none.
    dv_cutoff : float or None
        Least upstroke (V/s = mV/ms) of a spike. None: what the noise of the sweep allows,
        at least 5 V/s (2.5 V/s for spikes of 10 mV). With ``compat="ipfx"`` the dV/dt
        whose upward crossing starts a putative spike, 20 V/s by default.
    max_interval : float
        Longest time (s) from threshold to peak.
    min_height : float or None
        Least height (mV) of the peak above the potential on both sides. None: 7 times the
        noise of the sweep, at least 4 mV. With ``compat="ipfx"`` above the putative
        start, 2 mV by default.
    min_peak : float or None
        Least absolute peak potential (mV). None: no limit; with ``compat="ipfx"`` -30 mV.
    thresh_frac : float
        The threshold is where dV/dt falls to this fraction of the mean upstroke.
    reject_at_stim_start_interval : float
        Spikes with a threshold within this time (s) of the start are dropped.
    baseline_interval : float
        Length (s) of the baseline before the step.
    sag_baseline_interval : float
        Length (s) of the baseline and of the steady state for sag.
    subthresh_min_amp : float
        Most negative current (pA) used for input resistance and time constant.
    compat : "ipfx" or None
        "ipfx" keeps every quirk of ipfx 2.1.2; None detects spikes against the noise of
        the sweep and gives the right value where ipfx's is a defect
        (docs/differences_from_ipfx.md lists each one).

    Examples
    --------
    >>> ExtractionParameters(compat="ipfx").dv_cutoff
    20.0
    >>> ExtractionParameters(filter="5 kHz", min_peak="-25 mV").filter
    5.0
    """

    filter: float | str | None = attrs.field(default=WIENER, converter=_filter)
    lowpass: float | None = _limit("kHz", "lowpass")
    dv_cutoff: float | None = _limit("V/s", "dv_cutoff")
    max_interval: float = _field(0.005, "s", "max_interval")
    min_height: float | None = _limit("mV", "min_height")
    min_peak: float | None = _limit("mV", "min_peak")
    thresh_frac: float = _field(0.05, "1", "thresh_frac")
    reject_at_stim_start_interval: float = _field(0.0, "s", "reject_at_stim_start_interval")
    baseline_interval: float = _field(0.1, "s", "baseline_interval")
    sag_baseline_interval: float = _field(0.03, "s", "sag_baseline_interval")
    subthresh_min_amp: float = _field(-100.0, "pA", "subthresh_min_amp")
    compat: str | None = attrs.field(default=None)

    @compat.validator
    def _known(self, _: Any, value: str | None) -> None:
        if value not in (None, "ipfx"):
            msg = f"compat must be None or 'ipfx', got {value!r}"
            raise InputError(msg)

    def __attrs_post_init__(self) -> None:
        """Take ipfx's limits where they are asked for, and check what must be positive."""
        for name, value in _IPFX_LIMITS.items():
            if self.exact and getattr(self, name) is None:
                object.__setattr__(self, name, value)
        if self.exact and self.filter == WIENER:
            object.__setattr__(self, "filter", _FILTER)
        if self.lowpass is not None and not self.lowpass >= 0:
            msg = f"lowpass must be 0 or above, got {self.lowpass}"
            raise InputError(msg)
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and not value > 0:
                msg = f"{name} must be positive, got {value}"
                raise InputError(msg)
        if not 0 < self.thresh_frac < 1:
            msg = f"thresh_frac must be between 0 and 1, got {self.thresh_frac}"
            raise InputError(msg)

    @property
    def exact(self) -> bool:
        """Whether ipfx's quirks are kept."""
        return self.compat == "ipfx"

    @property
    def resamples(self) -> bool:
        """Whether spikes are resampled through a Wiener filter."""
        return self.filter == WIENER

    @property
    def of_ipfx(self) -> ExtractionParameters:
        """The same limits where ipfx has them, and ipfx's own where none was set.

        Examples
        --------
        >>> ExtractionParameters(max_interval="4 ms").of_ipfx.filter
        10.0
        """
        return attrs.evolve(self, compat="ipfx")

    def fixed(self, name: str) -> float:
        """Give a limit of ipfx's detection: ipfx's own where none was set."""
        value = getattr(self, name)
        return _IPFX_LIMITS[name] if value is None else float(value)

    def cutoff(self, rate: float) -> float | None:
        """Give the cutoff (kHz) that is used at a sampling rate (Hz).

        It is `filter` where that is below the Nyquist frequency, else 0.9 times the
        Nyquist frequency (ipfx cannot analyse such files at all). For "wiener" it is that
        of dV/dt in which thresholds are looked for first.

        Examples
        --------
        >>> ExtractionParameters().cutoff(50e3), ExtractionParameters().cutoff(20e3)
        (10.0, 9.0)
        """
        wanted = _FILTER if isinstance(self.filter, str) else self.filter
        if wanted is None or wanted < rate / 2e3:
            return wanted
        return float(np.round(0.9 * rate / 2e3, 9))


DEFINITIONS = 4
"""Number of the default definitions: rows that were measured by others are measured again."""

DEFAULT = ExtractionParameters()
"""Spikes detected against the noise of each sweep, ipfx's defects put right."""

IPFX = ExtractionParameters(compat="ipfx")
"""ipfx 2.1.2 exactly."""

ATLAS = ExtractionParameters(min_peak=-25.0, subthresh_min_amp=-200.0, compat="ipfx")
"""As the published atlas of intracellular recordings was made."""

GIGASEAL = ExtractionParameters(
    filter=0,
    dv_cutoff=7.0,
    min_peak=-10.0,
    thresh_frac=0.2,
    subthresh_min_amp=-200.0,
    compat="ipfx",
)
"""The limits of gigaseal's analysis: keeps more of the small spikes near block."""
