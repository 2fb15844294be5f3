"""Limits, checks, and what they make of a sweep and of a cell."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import numpy as np

from cleo_like.core.arrays import si_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

_COLUMNS = ["cell_id", "sweep", "check", "verdict", "value", "low", "high", "unit", "reason"]


def _limit(unit: str, name: str) -> Callable[[Any], float | None]:
    return attrs.converters.optional(si_number(unit, name))


@attrs.frozen(kw_only=True)
class Criteria:
    """Limits of quality.

    A limit that is None is found in the recording itself: a sweep is compared with the
    others of its recording, within bounds that none may leave (`own`). `ALLEN` has the
    limits of the Allen Institute (those of ipfx) instead. Numbers are SI; Brian2 and
    ``quantities`` values and texts are converted.

    Parameters
    ----------
    noise : float or None
        Largest noise (V) in windows of `noise_window` (s), before and after the step; None:
        twice that of the recording, 0.07 to 2 mV.
    noise_window : float
        Length of a window for `noise` (s).
    slow_noise : float or None
        Largest standard deviation (V) over the `slow_window` (s) before the step; None:
        three times that of the recording, 0.5 to 3 mV.
    slow_window : float
        Length of the rest before the step for `slow_noise` (s).
    drift : float or None
        Largest difference (V) of the potential at rest before and after the step, and
        within each of the two rests; None: three times the slow noise of the recording,
        2 to 5 mV, and what has come back by the next sweep is no drift.
    baseline : float or None
        Largest difference (V) from the usual baseline of the recording; None: 10 mV.
    leak : float or None
        Largest holding current (A), either sign; None: the largest step, or 100 pA.
    series_resistance : tuple of float
        Lowest and highest series resistance (ohm).
    series_ratio : float
        Largest series resistance as a fraction of the input resistance.
    seal : float
        Lowest seal resistance (ohm).
    electrode : float
        Largest electrode current before sealing (A), either sign.
    blowout : float
        Largest potential after the recording, outside the cell (V), either sign.
    response : float
        Smallest deflection as a fraction of that expected from the other sweeps.
    clipped : float
        Largest fraction of spikes in a sweep that the end of the step cuts off.

    Examples
    --------
    >>> Criteria(noise="0.1 mV").noise, Criteria().drift, ALLEN.drift
    (0.0001, None, 0.001)
    """

    noise: float | None = attrs.field(default=None, converter=_limit("V", "noise"))
    noise_window: float = attrs.field(default=1.5e-3, converter=si_number("s", "noise_window"))
    slow_noise: float | None = attrs.field(default=None, converter=_limit("V", "slow_noise"))
    slow_window: float = attrs.field(default=0.5, converter=si_number("s", "slow_window"))
    drift: float | None = attrs.field(default=None, converter=_limit("V", "drift"))
    baseline: float | None = attrs.field(default=None, converter=_limit("V", "baseline"))
    leak: float | None = attrs.field(default=None, converter=_limit("A", "leak"))
    series_resistance: tuple[float, float] = (1e6, 20e6)
    series_ratio: float = 0.15
    seal: float = attrs.field(default=1e9, converter=si_number("ohm", "seal"))
    electrode: float = attrs.field(default=200e-12, converter=si_number("A", "electrode"))
    blowout: float = attrs.field(default=10e-3, converter=si_number("V", "blowout"))
    response: float = 0.2
    clipped: float = 0.5


ALLEN = Criteria(noise=0.07e-3, slow_noise=0.5e-3, drift=1e-3, leak=100e-12)
"""Limits of the Allen Institute, as ipfx has them (defaults/qc_criteria.json)."""
Preset: TypeAlias = Literal["own", "allen"]
PRESETS: Mapping[str, Criteria] = MappingProxyType({"own": Criteria(), "allen": ALLEN})
"""Name -> limits: "own" judges a recording by itself, "allen" by the Allen Institute's."""


@attrs.frozen(kw_only=True)
class Check:
    """One criterion applied to one sweep or cell.

    Parameters
    ----------
    name : str
        Name of the criterion or feature.
    passed : bool or None
        None where it could not be judged.
    reason : str
        Why, in words; never empty.
    value, low, high : float
        In `unit`; NaN where unknown, infinite where there is no limit.
    unit : str
        Unit people read (mV, pA, MOhm ...).
    """

    name: str
    passed: bool | None
    reason: str
    value: float = np.nan
    low: float = -np.inf
    high: float = np.inf
    unit: str = "1"

    @property
    def verdict(self) -> str:
        """Say "pass", "fail" or "unknown"."""
        return {True: "pass", False: "fail", None: "unknown"}[self.passed]


@attrs.frozen(kw_only=True)
class SweepQC:
    """All checks of one sweep.

    Parameters
    ----------
    number : int
        Number of the sweep.
    family : str
        What the sweep was matched as ("long_square", ...).
    checks : tuple of Check
        One per criterion.
    """

    number: int
    family: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed (unknown ones do not fail)."""
        return all(c.passed is not False for c in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(c for c in self.checks if c.passed is False)


@attrs.frozen(kw_only=True)
class CellQC:
    """All checks of one cell and its sweeps.

    Parameters
    ----------
    cell_id : str
        The cell.
    checks : tuple of Check
        Those of the cell as a whole.
    sweeps : tuple of SweepQC
        One per sweep of the recording, in order.
    """

    cell_id: str
    checks: tuple[Check, ...]
    sweeps: tuple[SweepQC, ...]

    @property
    def passed(self) -> bool:
        """Whether the cell's own checks pass and at least one long square does."""
        squares = [s.passed for s in self.sweeps if s.family == "long_square"]
        return all(c.passed is not False for c in self.checks) and any(squares)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks of the cell that failed."""
        return tuple(c for c in self.checks if c.passed is False)

    @property
    def word(self) -> str:
        """The noise, and what it leaves safe to measure; empty where that is unknown."""
        return in_words(self.checks)

    def table(self) -> pd.DataFrame:
        """One row per check: cell_id, sweep (-1: the cell), check, verdict, value, limits."""
        import pandas as pd

        rows = [(-1, c) for c in self.checks]
        rows += [(s.number, c) for s in self.sweeps for c in s.checks]
        return pd.DataFrame(
            [
                (self.cell_id, n, c.name, c.verdict, c.value, c.low, c.high, c.unit, c.reason)
                for n, c in rows
            ],
            columns=_COLUMNS,
        )

    def __repr__(self) -> str:
        """One line: how many long squares pass, and what fails most."""
        squares = [s for s in self.sweeps if s.family == "long_square"]
        good, others = sum(s.passed for s in squares), len(self.sweeps) - len(squares)
        count = f"{good} of {len(squares)} long squares pass" if squares else "no long square"
        bad = sorted({c.name for s in self.sweeps for c in s.failures})
        own = ", ".join(c.name for c in self.failures)
        return (
            f"CellQC {self.cell_id}: {count}"
            + (f", {others} other sweep(s)" if others else "")
            + (f"; sweeps fail: {', '.join(bad)}" if bad else "")
            + (f"; cell fails: {own}" if own else "")
            + (f"; {self.word}" if self.word else "")
        )


def limited(
    name: str, value: float, limits: tuple[float, float], unit: str, scale: float = 1.0
) -> Check:
    """Check that a value lies between two limits, all in SI; shown times `scale`."""
    low, high = limits
    passed = bool(low <= value <= high) if np.isfinite(value) else None
    if np.isinf(low):
        limit = f"at most {high * scale:.4g}"
    elif np.isinf(high):
        limit = f"at least {low * scale:.4g}"
    else:
        limit = f"{low * scale:.4g} to {high * scale:.4g}"
    text = f"{value * scale:.4g} {unit}, {'within' if passed else 'not'} {limit}"
    return Check(
        name=name, passed=passed, value=value * scale, low=low * scale, high=high * scale,
        unit=unit, reason=text if passed is not None else f"{name} is not known",
    )  # fmt: skip


def unknown(name: str, why: str) -> Check:
    """Make a check that could not be judged."""
    return Check(name=name, passed=None, reason=why)


def in_words(checks: Sequence[Check]) -> str:
    """Put the noise and what it leaves safe into one sentence.

    Examples
    --------
    >>> spikes = Check(name="safe_spikes", passed=True, value=0.3, reason="...")
    >>> tau = Check(name="safe_tau", passed=None, value=0.1, reason="...")
    >>> in_words([spikes, tau])
    'noise 0.3 mV: spikes safe, tau not'
    """
    own = {c.name[5:]: c for c in checks if c.name.startswith("safe_")}
    if "spikes" not in own or not np.isfinite(own["spikes"].value):
        return ""
    words = {True: "safe", False: "not"}
    told = [
        f"{n} {words[c.passed is True] if np.isfinite(c.value) else 'unknown'}"
        for n, c in own.items()
    ]
    return f"noise {own['spikes'].value:.2g} mV: {', '.join(told)}"
