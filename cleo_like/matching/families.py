"""Which pulse of a ladder is the stimulus, and what family that makes.

The rules, in order:

1. Holding is the level at the start of the sweeps; it is the level at their end when that
   varies less from sweep to sweep, or when the sweeps come back to it more often; of equal
   ones the longer is measured.
2. The family is the epoch whose level varies across sweeps; pulses alike in all sweeps are
   test pulses, or pre- and post-pulses where they touch the family's epoch.
3. Where several epochs vary: neighbours make a staircase (refused); pulses of equal length
   and level make a train; of unlike ones the first that starts from holding is taken and
   the others are listed.
4. Where none varies (one sweep, or repeats) the longest pulse is taken; others of its
   length (and, of short ones, of its level) make a train; more levels than two without a
   return to holding, or two of which neither is twice as long as the other, make a
   staircase.
5. A step smaller than half the noise is none (a third of it where noise has a memory and
   is counted as white noise that disturbs means as much).
6. A square of 0.2 s or more is long: ten membrane time constants of 20 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core import Epoch
from cleo_like.matching.epochs import HOLDING, baseline_before
from cleo_like.matching.verdict import ARBITRARY, LONG_SQUARE, NONE, PULSE_TRAIN, SHORT_SQUARE

if TYPE_CHECKING:
    from cleo_like.matching.ladder import Ladder

LONG = 0.2
"""Shortest long square (s)."""
_TEST_ENDS = 0.1
"""A first short pulse that is over by then (s) is a test pulse, beside another one of half of
its height or more."""
_DOUBT = 5.0
"""Levels of recorded plateaus differ when they do by this many standard errors."""
_ALIKE = 0.1
"""Pulses whose lengths differ by less than this fraction are of equal length."""


Choice = tuple[str, str, int | tuple[int, ...] | None]
"""Family, reason, and the step or the pulses of a train."""


@attrs.frozen(kw_only=True, eq=False)
class Decision:
    """Family of a ladder; plateaus are counted from 0 at the start of the sweep."""

    family: str
    reason: str
    step: int | None
    holding: np.ndarray
    rests: tuple[int, ...]
    varying: tuple[int, ...] = ()
    train: tuple[int, ...] = ()
    """The pulses of a train."""
    baseline: tuple[int, int] | None = None


def decide(ladder: Ladder) -> Decision:
    """Find the family of sweeps that share their edges."""
    home = _home(ladder)
    holding = ladder.levels[:, home]
    off = ladder.levels - holding[:, np.newaxis]
    tolerance = _tolerances(ladder, home)
    moved = np.nanmax(np.abs(off), axis=0) > tolerance
    rests = tuple(np.flatnonzero(~moved).tolist())
    holding = _rest_level(ladder, rests) if rests else holding
    off = ladder.levels - holding[:, np.newaxis]
    pulses = _pulses(moved)
    varying = tuple(
        k for k in np.flatnonzero(moved).tolist() if _varies(off[:, k], tolerance[k])
    )
    base = Decision(
        family=NONE, reason="no step above the noise", step=None, holding=holding,
        rests=rests, varying=varying,
    )  # fmt: skip
    if not pulses:
        return base
    if varying:
        choice = _choose_varying(ladder, off, pulses, varying, tolerance)
    else:
        choice = _choose_constant(ladder, pulses, off)
    family, reason, step = choice
    if isinstance(step, tuple):
        return attrs.evolve(base, family=family, reason=reason, train=step)
    if step is None:
        return attrs.evolve(base, family=family, reason=reason)
    least = max(float(np.min(ladder.noise)) / 2, float(np.min(ladder.slow)) / 3)
    if float(np.nanmax(np.abs(off[:, step]))) < least:
        return base
    pulse = next(p for p in pulses if step in p)
    baseline = _baseline(ladder, rests, pulse)
    return attrs.evolve(base, family=family, reason=reason, step=step, baseline=baseline)


def _home(ladder: Ladder) -> int:
    """Plateau that shows holding: the first; the last where more speaks for that."""
    levels, tolerance = ladder.levels, _tolerance(ladder)
    if np.isnan(levels).any():
        return 0
    lengths = [b - a for a, b in ladder.bounds()]
    apart = np.abs(levels[:, 0] - levels[:, -1])
    if np.all(apart <= _tolerances(ladder, 0)[-1]):  # the same level: the longer is surer
        return 0 if lengths[0] >= lengths[-1] else -1
    spread = np.ptp(levels, axis=0)
    if abs(float(spread[0] - spread[-1])) > tolerance:
        return -1 if spread[0] > spread[-1] else 0
    near = [np.abs(levels - levels[:, [k]]).max(axis=0) <= tolerance for k in (0, -1)]
    return -1 if near[1].sum() > near[0].sum() else 0


def _rest_level(ladder: Ladder, rests: tuple[int, ...]) -> np.ndarray:
    """Mean level of each sweep's holding plateaus, longer ones counting more."""
    lengths = np.array([b - a for a, b in ladder.bounds()], dtype=float)[list(rests)]
    levels = ladder.levels[:, list(rests)]
    weights = np.where(np.isnan(levels), 0.0, lengths)
    return np.nansum(levels * weights, axis=1) / np.maximum(weights.sum(axis=1), 1.0)


def _tolerance(ladder: Ladder) -> float:
    """Level differences that count as none."""
    span = float(np.nanmax(np.nanmax(ladder.levels, 1) - np.nanmin(ladder.levels, 1)))
    return max(span * (1e-3 if ladder.clean else 5e-3), ladder.quantum)


def _tolerances(ladder: Ladder, home: int) -> np.ndarray:
    """Level differences that count as none, for each plateau: short ones are less sure."""
    lengths = np.array([b - a for a, b in ladder.bounds()])
    doubt = _DOUBT * float(np.max(ladder.slow)) * np.sqrt(1 / lengths + 1 / lengths[home])
    return _tolerance(ladder) + doubt


def _varies(off: np.ndarray, tolerance: float) -> bool:
    known = off[~np.isnan(off)]
    # the range of many equal levels is wider than the error of one
    return known.size > 1 and float(np.ptp(known)) > 1.5 * tolerance


def _pulses(moved: np.ndarray) -> list[tuple[int, ...]]:
    """Put neighbouring plateaus away from holding together."""
    found: list[list[int]] = []
    for k in np.flatnonzero(moved).tolist():
        if found and found[-1][-1] == k - 1:
            found[-1].append(k)
        else:
            found.append([k])
    return [tuple(p) for p in found]


def _length(ladder: Ladder, plateaus: tuple[int, ...]) -> int:
    bounds = ladder.bounds()
    return bounds[plateaus[-1]][1] - bounds[plateaus[0]][0]


def _square(ladder: Ladder, step: int, reason: str) -> tuple[str, str, int]:
    seconds = _length(ladder, (step,)) / ladder.rate
    is_long = seconds >= LONG - 0.5e-3
    family = LONG_SQUARE if is_long else SHORT_SQUARE
    return family, f"{reason}, {seconds:.4g} s long", step


def _choose_varying(
    ladder: Ladder, off: np.ndarray, pulses: list[tuple[int, ...]],
    varying: tuple[int, ...], tolerance: np.ndarray,
) -> Choice:  # fmt: skip
    steps = [[k for k in p if k in varying] for p in pulses]
    if any(len(s) > 1 for s in steps):
        most = max(len(s) for s in steps)
        return ARBITRARY, f"a staircase: {most} epochs of one pulse vary across sweeps", None
    pairs = [(s[0], p) for s, p in zip(steps, pulses, strict=True) if s]
    if len(pairs) == 1:
        alike = _like_it(ladder, off, pulses, pairs[0][0], tolerance)
        if len(alike) > 1:
            return PULSE_TRAIN, f"{len(alike)} pulses of equal length vary together", alike
        return _square(ladder, pairs[0][0], "the one epoch that varies across sweeps")
    lengths = np.array([_length(ladder, p) for _, p in pairs])
    levels = off[:, [k for k, _ in pairs]]
    equal = bool(np.nanmax(np.abs(levels - levels[:, :1])) <= tolerance.max())
    if equal and np.ptp(lengths) <= _ALIKE * lengths.max():
        members = tuple(k for k, _ in pairs)
        return PULSE_TRAIN, f"{len(pairs)} pulses of equal length vary together", members
    from_holding = [k for k, p in pairs if p[0] == k]
    step = from_holding[0] if from_holding else pairs[0][0]
    text = f"the first of {len(pairs)} epochs that vary across sweeps"
    return _square(ladder, step, text)


def _like_it(
    ladder: Ladder, off: np.ndarray, pulses: list[tuple[int, ...]], step: int,
    tolerance: np.ndarray,
) -> tuple[int, ...]:  # fmt: skip
    """Find pulses of the length and level of a step: all vary, or a little less than shows."""
    length = _length(ladder, (step,))
    return tuple(
        p[0]
        for p in pulses
        if len(p) == 1
        and abs(_length(ladder, p) - length) <= _ALIKE * length
        and np.nanmax(np.abs(off[:, p[0]] - off[:, step])) <= 1.5 * tolerance[step]
    )


def _choose_constant(ladder: Ladder, pulses: list[tuple[int, ...]], off: np.ndarray) -> Choice:
    many = [p for p in pulses if len(p) > 2]
    if many:
        return ARBITRARY, f"a staircase of {max(map(len, many))} levels", None
    steps = [max(p, key=lambda k: _length(ladder, (k,))) for p in pulses]
    lengths = np.array([_length(ladder, (k,)) for k in steps])
    main = int(np.argmax(lengths))
    is_short = bool(lengths[main] < LONG * ladder.rate)
    sizes = np.nanmax(np.abs(off[:, steps]), axis=0)
    if is_short:  # among short pulses the tallest; a test pulse comes first
        main = int(np.argmax(sizes))
        ends = ladder.bounds()[pulses[0][-1]][1] / ladder.rate
        if len(pulses) == 2 and ends <= _TEST_ENDS and sizes[1] >= sizes[0] / 2:
            main = 1
    if len(pulses[main]) == 2:
        other = next(k for k in pulses[main] if k != steps[main])
        if _length(ladder, (other,)) > lengths[main] / 2:
            return ARBITRARY, "a staircase of 2 levels", None
    alike = np.abs(lengths - lengths[main]) <= _ALIKE * lengths[main]
    if is_short:  # a test pulse may have the length of a pulse of another height
        same = np.abs(off[:, steps] - off[:, [steps[main]]]).max(axis=0)
        alike &= same <= _ALIKE * sizes[main]
    if alike.sum() > 1:
        members = tuple(steps[k] for k in np.flatnonzero(alike))
        return PULSE_TRAIN, f"{alike.sum()} pulses of equal length in a sweep", members
    if is_short and len(pulses) > 2:
        return PULSE_TRAIN, f"{len(pulses)} short pulses in a sweep", tuple(steps)
    kind = "longest" if lengths[main] >= LONG * ladder.rate else "tallest"
    text = "the only pulse" if len(pulses) == 1 else f"the {kind} of {len(pulses)} pulses"
    if off.shape[0] > 1:
        text += ", alike in all sweeps"
    return _square(ladder, steps[main], text)


def _baseline(
    ladder: Ladder, rests: tuple[int, ...], pulse: tuple[int, ...]
) -> tuple[int, int] | None:
    """Last interval at holding before the pulse; longer than 20 ms if there is such."""
    bounds = ladder.bounds()
    found = [Epoch(name=HOLDING, start=a, stop=b) for a, b in (bounds[k] for k in rests)]
    return baseline_before(found, bounds[pulse[0]][0], ladder.rate)
