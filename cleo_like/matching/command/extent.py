"""From where to where a command is away from holding, to the sample where that can be told."""

from __future__ import annotations

import attrs
import numpy as np

from cleo_like.matching.command.noise import MAD_TO_SD, runs, sd_of

_APART, _APART_PULSE = 0.1, 20e-3
"""Shorter rests at holding (s) belong to a varying stretch; one pulse in front of it needs a
rest of 20 ms only."""
_BLOCK = 5e-3
"""Length (s) of the means that are compared with holding in a recorded command."""
_SIGMAS = 5.0
"""A mean this many standard errors from holding is away from it."""
_MOVES = 0.02
"""Part of the range over which a rest does not move."""
_SAME = 1e-9
"""Differences below this fraction of the range are rounding."""

Span = tuple[int, int]


@attrs.frozen(kw_only=True)
class Rest:
    """Level of a command at holding, and what departs from it by chance.

    Parameters
    ----------
    level : float
        Holding.
    noise : float
        Standard deviation about it; 0 for an exact command.
    grain : float
        Largest departure of a single sample that means nothing.
    block : float
        The same for a mean of `_BLOCK`.
    """

    level: float
    noise: float
    grain: float
    block: float


def rest_of(samples: np.ndarray, changes: list[Span], rate: float, slow: float) -> Rest:
    """Look at what is before the first change, or after the last where that is too short.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Command.
    changes : list of (start, stop)
        Where it changes.
    rate : float
        Samples per second (Hz).
    slow : float
        Standard deviation of the white noise that disturbs long means as much.
    """
    first, last = min(a for a, _ in changes), max(b for _, b in changes)
    guard = round(1e-3 * rate)
    before, after = samples[: max(first - guard, 0)], samples[last + guard :][::-1]
    quiet = before if before.size >= min(16, after.size) else after
    if after.size > 2 * before.size > 0:  # the longer rest tells more, where it is the same
        apart = abs(float(np.median(after)) - float(np.median(before)))
        quiet = after if apart <= max(sd_of(before), sd_of(after)) / 2 else quiet
    if _is_no_rest(before, after, samples):
        quiet = after
    # a change may have begun before it was seen: the half that is farther away
    quiet = quiet[: (quiet.size + 1) // 2] if quiet.size else samples[:1]
    tiny = _SAME * float(np.ptp(samples))
    if quiet.min() == quiet.max():
        return Rest(level=float(quiet[0]), noise=0.0, grain=tiny, block=tiny)
    level, noise = float(np.median(quiet)), sd_of(quiet)
    off = np.abs(quiet - level)
    if noise == 0.0:
        grain = max(tiny, 1.5 * _flips(off, tiny))
        return Rest(level=level, noise=0.0, grain=grain, block=grain)
    means = _means(quiet, max(8, round(_BLOCK * rate))) - level
    error = max(noise, slow) / max(8, round(_BLOCK * rate)) ** 0.5
    if means.size >= 4:
        error = max(error, MAD_TO_SD * float(np.median(np.abs(means))))
    return Rest(level=level, noise=noise, grain=_SIGMAS * noise, block=_SIGMAS * error)


def _is_no_rest(before: np.ndarray, after: np.ndarray, samples: np.ndarray) -> bool:
    """Whether what is before the first change is the start of a slow wave that rests later."""
    before, after = before[: (before.size + 1) // 2], after[: (after.size + 1) // 2]
    if before.size == 0 or after.size < 16:
        return False
    moves = float(np.ptp(before)) > _MOVES * float(np.ptp(samples))
    return moves and sd_of(before) > _SIGMAS * sd_of(after)


def _flips(off: np.ndarray, tiny: float) -> float:
    """Step of a converter that flips now and then: departures of one sample or two."""
    starts, stops = runs(off > tiny)
    brief = starts[stops - starts <= 2]
    return float(off[brief].min()) if brief.size else 0.0


def parts_away(samples: np.ndarray, rest: Rest, rate: float) -> list[Span]:
    """Stretches away from holding, with a rest of 0.1 s or more between them.

    Examples
    --------
    >>> x = np.zeros(20000)
    >>> x[4000:4100], x[9000:15000] = -5.0, np.sin(np.arange(6000) / 100)
    >>> parts_away(x, rest_of(x, [(4000, 15000)], 2e4, 0.0), 2e4)
    [(4000, 4100), (9001, 15000)]
    """
    if rest.noise == 0.0:
        starts, stops = runs(np.abs(samples - rest.level) > rest.grain)
    else:
        starts, stops = _blocks_away(samples, rest, rate)
    if starts.size == 0:
        return []
    gaps = starts[1:] - stops[:-1]
    split = gaps >= _APART * rate
    keep = np.flatnonzero(split)
    parts = list(
        zip(starts[np.r_[0, keep + 1]].tolist(), stops[np.r_[keep, -1]].tolist(), strict=True)
    )
    parts = _without_crossings(samples, parts, rest.level, rate)
    parts = _pulse_in_front(samples, parts, rest, rate)
    if rest.noise > 0.0:
        parts = [_sharpened(samples, p, rest, rate) for p in parts]
    return parts


def _means(samples: np.ndarray, block: int) -> np.ndarray:
    count = samples.size // block
    return samples[: count * block].reshape(count, block).mean(axis=1)


def _blocks_away(samples: np.ndarray, rest: Rest, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Find runs of blocks whose mean or spread is not that of the rest."""
    block = max(8, round(_BLOCK * rate))
    off = samples - rest.level
    means, power = _means(off, block), _means(off**2, block)
    effective = block * min(1.0, (rest.noise * _SIGMAS / (rest.block * block**0.5)) ** 2)
    loud = power > rest.noise**2 * (1 + 6 * (2 / max(effective, 1.0)) ** 0.5)
    starts, stops = runs((np.abs(means) > rest.block) | loud)
    return starts * block, np.minimum(stops * block, samples.size)


def _without_crossings(
    samples: np.ndarray, parts: list[Span], level: float, rate: float
) -> list[Span]:
    """Join parts between which a slow wave only passes through holding."""
    joined = parts[:1]
    for start, stop in parts[1:]:
        a, b = joined[-1]
        gap = start - b
        brief = gap < min(b - a, stop - start) / 2
        near = max(1, round(1e-3 * rate))
        before = float(np.median(samples[max(b - near, a) : b])) - level
        after = float(np.median(samples[start : start + near])) - level
        if brief and before * after < 0:
            joined[-1] = (a, stop)
        else:
            joined.append((start, stop))
    return joined


def _pulse_in_front(
    samples: np.ndarray, parts: list[Span], rest: Rest, rate: float
) -> list[Span]:
    """Part one flat pulse from what follows it after 20 ms at holding."""
    first, stop = parts[0]
    away = np.abs(samples[first:stop] - rest.level) > max(rest.grain, 3 * rest.noise)
    starts, stops = runs(~away)
    long = np.flatnonzero(stops - starts >= _APART_PULSE * rate)
    if not long.size or starts[long[0]] == 0:
        return parts
    end, again = int(starts[long[0]]), int(stops[long[0]])
    if again >= stop - first or not is_flat(samples[first : first + end], rest):
        return parts
    return [(first, first + end), (first + again, stop), *parts[1:]]


def is_flat(part: np.ndarray, rest: Rest) -> bool:
    """Whether a part is one square pulse: at least 90 % of its samples at one level."""
    middle = float(np.median(part))
    height = abs(middle - rest.level)
    slack = max(rest.grain, 0.02 * height)
    return bool(height > 2 * rest.grain and np.mean(np.abs(part - middle) <= slack) >= 0.9)


def _sharpened(samples: np.ndarray, part: Span, rest: Rest, rate: float) -> Span:
    """Put both ends where the samples most likely cease to be noise about holding."""
    block = max(8, round(_BLOCK * rate))
    a, b = part
    energy = ((samples - rest.level) / rest.noise) ** 2
    low, high = max(a - block, 0), min(a + 2 * block, b)
    start = low + _onset(energy[low:high]) if a else 0
    low, high = max(b - 2 * block, start), min(b + block, samples.size)
    stop = high - _onset(energy[low:high][::-1]) if b < samples.size else b
    return (start, stop) if start < stop else part


def _onset(energy: np.ndarray) -> int:
    """First sample of the larger variance: maximum of the likelihood ratio."""
    inside = max(float(np.mean(energy[-max(1, energy.size // 3) :])), 1.5)
    worth = energy * (1 - 1 / inside) - np.log(inside)
    return int(np.argmax(np.cumsum(worth[::-1])[::-1]))
