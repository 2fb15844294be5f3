"""Are these numbers what their unit says? Reported as findings, never repaired in silence.

Files exist that declare volts and hold millivolts, that swapped response and command, or of
which a gain was lost (-70 mV reads -1.2 mV). The bounds are those of any cell: a membrane
never reaches a volt, a patch electrode never carries a microampere, and no membrane rests
near 0 mV. Voltage clamp, electrodes outside of cells and models have baselines of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.sweep import SLOWEST_RATE, ClampMode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cleo_like.core.sweep import Sweep

LARGEST_POTENTIAL = 1.0  # V; beyond it the unit is wrong, not the cell
LARGEST_CURRENT = 1e-6  # A
REST = (-0.120, -0.010)
"""V: where a baseline can be. Immature and dying cells rest at -20 mV, of which a liquid
junction potential that was not corrected leaves -10 (Neher 1992, Methods Enzymol. 207)."""
NULLED = 1e-3
"""V: an electrode outside of a cell is nulled to within about this."""
SMALLEST_POTENTIAL = 1e-6  # V; a potential that never reaches it is rather a current
UNCHANGED = "; nothing was changed"
"""How each of these findings ends."""

_SHORTEST = 1e-3  # s of rest before the command that make a baseline
_MOVED = 0.1  # of the largest move: more than the noise of a recorded command
_OUTSIDE = re.compile(
    r"juxta|extra-?cellular|cell[ -]?attached|on[ -]cell|loose[ -]?(patch|seal)|field potential"
    r"|\blfp\b",
    re.IGNORECASE,
)


def unit_findings(sweeps: Iterable[Sweep], *, about: str = "") -> tuple[str, ...]:
    """Say which values cannot be in the unit that the file declares.

    Parameters
    ----------
    sweeps : iterable of Sweep
        Sweeps of one recording (SI).
    about : str
        What the file says of the recording: electrodes that it calls juxtacellular,
        cell-attached or extracellular are asked for no resting potential.

    Returns
    -------
    tuple of str
        One sentence for each doubt, with the sweeps it concerns; empty when all is well.

    Examples
    --------
    >>> from cleo_like.core import Sweep
    >>> for text in unit_findings([Sweep(response=np.full(50, -70.0), rate=2e4)]):
    ...     print(text)
    potentials reach 70 V: they look like mV stored as V (sweep 0); nothing was changed
    """
    sweeps = tuple(sweeps)
    doubts: dict[str, list[int]] = {}
    baselines: dict[int, float] = {}
    for sweep in sweeps:
        found = _doubts(sweep)
        for doubt in found:
            doubts.setdefault(doubt, []).append(sweep.number)
        if not found and sweep.mode is ClampMode.CURRENT:
            baselines[sweep.number] = _baseline(sweep)
    names = " ".join(sorted({s.stimulus for s in sweeps if s.stimulus is not None}))
    odd = {n: b for n, b in baselines.items() if b < REST[0] or b > REST[1]}
    if odd and not _OUTSIDE.search(f"{about} {names}"):
        typical = float(np.median(list(odd.values()))) * 1e3
        doubt = (
            f"the baseline is {typical:.2g} mV, where no membrane rests ({REST[0] * 1e3:g}.."
            f"{REST[1] * 1e3:g} mV): unit, gain, offset or seal may be wrong"
        )
        doubts[doubt] = list(odd)
    return tuple(
        f"{doubt} ({_numbers(numbers)}){UNCHANGED}" for doubt, numbers in doubts.items()
    )


def _doubts(sweep: Sweep) -> list[str]:
    slow = [f"a rate of {sweep.rate:g} Hz looks like kHz"] if sweep.rate < SLOWEST_RATE else []
    return slow + _values(sweep)


def _values(sweep: Sweep) -> list[str]:
    if sweep.mode is ClampMode.UNKNOWN or sweep.n_samples == 0:
        return []
    if sweep.mode is ClampMode.CURRENT:
        return _potential(sweep.response, "potentials") + _current(sweep.command, "commands")
    return _potential(sweep.command, "commands") + _current(sweep.response, "currents")


def _potential(samples: np.ndarray | None, what: str) -> list[str]:
    top = _largest(samples)
    if top is None or samples is None:
        return []
    if top > LARGEST_POTENTIAL:
        return [f"{what} reach {_rounded(top)} V: they look like mV stored as V"]
    if what == "commands":
        return []
    if 0 < top < SMALLEST_POTENTIAL:
        return [
            f"{what} stay below 1 µV: they look like currents; "
            "response and command may be swapped"
        ]
    return []


def _baseline(sweep: Sweep) -> float:
    """Potential (V) at rest; NaN where none is known.

    Before the command moves or after it has moved for the last time, whichever has less
    current; of the whole sweep where it does not move. Where it is unknown, the tenth of the
    samples that lies lowest counts, and a nulled electrode may be outside of any cell.
    """
    command, rest, share = sweep.command, sweep.response, 0.1
    still = True
    if command is not None and np.isfinite(command).any():
        share = 0.5
        at_rest = _at_rest(command, max(1, round(_SHORTEST * sweep.rate)))
        still = at_rest == slice(None) and _is_about_zero(command)
        rest = rest[at_rest]
    good = np.isfinite(rest)
    known = rest if good.all() else rest[good]
    if known.size == 0:
        return np.nan
    middle, low = (float(q) for q in np.quantile(known, [0.5, share]))
    if still and abs(middle) <= NULLED:
        return np.nan
    return low if middle > REST[1] else middle


def _median(samples: np.ndarray) -> Any:
    """Median of what is known; of all samples in a third of the time."""
    good = np.isfinite(samples)
    if good.all():
        return np.median(samples)
    return np.nanmedian(samples) if good.any() else np.nan


def _is_about_zero(command: np.ndarray) -> bool:
    """Whether the level of a command is no more than its noise."""
    return abs(float(np.nanmedian(command))) <= float(np.nanstd(command))


def _at_rest(command: np.ndarray, least: int) -> slice:
    """Find the samples, at least so many, before or after all moves of a command."""
    ends = []
    for end, samples in (("first", command), ("last", command[::-1])):
        level = _median(samples[:least])
        away = np.abs(samples - level)
        farthest = away.max()
        if not np.isfinite(farthest):
            if not np.isfinite(away).any():
                continue
            farthest = np.nanmax(away)
        moved = away > _MOVED * farthest
        n = int(moved.argmax())
        if not moved[n]:
            return slice(None)
        if n >= least:
            ends.append((abs(float(level)), slice(n) if end == "first" else slice(-n, None)))
    return min(ends, key=lambda e: e[0])[1] if ends else slice(None)


def _current(samples: np.ndarray | None, what: str) -> list[str]:
    top = _largest(samples)
    if top is None or top <= LARGEST_CURRENT:
        return []
    return [f"{what} reach {_rounded(top)} A: they look like pA or nA stored as A"]


def _largest(samples: np.ndarray | None) -> float | None:
    if samples is None or samples.size == 0:
        return None
    top = max(float(samples.max()), -float(samples.min()))
    if not np.isnan(top):
        return top
    return None if np.all(np.isnan(samples)) else float(np.nanmax(np.abs(samples)))


def _rounded(value: float) -> str:
    """One significant digit, so that sweeps with the same doubt are counted together."""
    return f"{value:.1g}" if value < 1 else f"{float(f'{value:.1g}'):g}"


def _numbers(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"sweep {numbers[0]}"
    shown = ", ".join(map(str, numbers[:5]))
    more = f" ... {numbers[-1]}" if len(numbers) > 5 else ""
    return f"{len(numbers)} sweeps: {shown}{more}"
