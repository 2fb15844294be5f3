"""Edges that went through a filter: late, round, overshooting, ringing till they settle."""

from __future__ import annotations

import attrs
import numpy as np

from cleo_like.matching.command.changes import SLEW
from cleo_like.matching.command.levels import plateau_levels
from cleo_like.matching.command.noise import white_sd

_RINGING, _RINGING_CLEAN = 2e-3, 0.5e-3
"""Changes closer together (s) belong to one edge, if the command then has a new level: the
lobes of a ringing filter of 500 Hz, the slowest that amplifiers have, last 1 ms. An exact
command has no filter; there only an edge of a few samples is one."""
_SETTLED = 10e-3
"""Longest time (s) until a filtered edge has settled."""
_OVERSHOOT = 3.0
"""Largest overshoot of an edge, on both sides together, as a fraction of its height (a
Butterworth filter of 8 poles: 0.16; the rest is for the charge of a stray capacitance)."""
_OWN = 0.8e-3
"""A flat top of this length (s) on an edge is a pulse of its own, no overshoot."""
_CREEP, _CREEP_SHORT = 0.3, 30e-3
"""A level that creeps to the next, by no more than this fraction of the edge before it, is
still settling: for 30 ms, or a quarter of what follows."""
_UNDERSHOOT = 0.3
"""Largest departure of a pulse to the other side, as a fraction of its height."""
_FLAT = 0.75
"""A pulse is above 3/4 of its height for this fraction of its width at half height, or
longer (a half sine 0.69, a Gaussian 0.64, an exponential 0.42; 3 ms through 500 Hz 0.88)."""
SHORTEST = 0.4e-3
"""Shortest pulse (s) of a protocol in a recorded command."""
_SIGMAS = 6.0
"""Lower ones (times the noise) are no edges."""

Spans = tuple[tuple[int, int], ...]


@attrs.frozen(eq=False)
class Marks:
    """Edges, how far (samples) each may have to be moved, and stretches that vary."""

    edges: np.ndarray
    radius: np.ndarray
    varying: Spans


def settle(samples: np.ndarray, marks: Marks, rate: float, *, clean: bool) -> Marks:
    """Take the changes of one filtered edge as one edge, those of a short pulse as two.

    Changes that follow each other within 2 ms, and settle within 10 ms at a new level that
    they hardly overshoot, are an edge; the command must go from a quarter to three quarters
    of its height within 1 ms.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Command.
    marks : Marks
        What was found in it.
    rate : float
        Samples per second (Hz).
    clean : bool
        Whether the command is exact.
    """
    ringing = round((_RINGING_CLEAN if clean else _RINGING) * rate)
    groups = _groups(marks, ringing)
    spans = [(g[0][0], max(p[1] for p in g)) for g in groups]
    before = [0, *[s[1] for s in spans]]
    after = [*[s[0] for s in spans[1:]], samples.size]
    edges: list[tuple[int, int]] = []
    varying: list[tuple[int, int]] = []
    for k, (group, (first, last)) in enumerate(zip(groups, spans, strict=True)):
        low, high = max(before[k], first - ringing - 4), min(after[k], last + ringing + 4)
        found = None
        if len(group) > 1 or group[0][2] < 0:
            found = _edges_of(samples[low:high], (first - low, last - low), rate)
        if found is not None:
            edges += [(low + at, max(last - first, 1)) for at in found]
            continue
        edges += [(p[0], int(marks.radius[p[2]])) for p in group if p[2] >= 0]
        varying += [(p[0], p[1]) for p in group if p[2] < 0]
    table = np.array(sorted(edges), dtype=int).reshape(-1, 2)
    return Marks(table[:, 0], table[:, 1], tuple(varying))


def without_creep(
    samples: np.ndarray, edges: np.ndarray, rate: float, noise: float
) -> np.ndarray:
    """Leave out the edges at which a recorded command ends its way to a new level.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Command.
    edges : array, shape (n_edges,)
        Its edges.
    rate : float
        Samples per second (Hz).
    noise : float
        Standard deviation of the white noise that disturbs long means as much.
    """
    levels = plateau_levels(samples, edges, rate)
    jump = np.diff(levels)
    cuts = [0, *edges.tolist(), samples.size]
    kept, k = [], 0
    while k < edges.size:
        kept.append(k)
        last = _end_of_creep(jump, cuts, k, rate)
        part = samples[edges[k] + round(SLEW * rate) : edges[last]]
        if last > k and (last > k + 1 or _creeps(part, levels[last + 1], noise)):
            k = last
        k += 1
    return edges[kept]


def _end_of_creep(jump: np.ndarray, cuts: list[int], k: int, rate: float) -> int:
    """Last of the edges, small and all in one direction, that soon follow edge k."""
    last, before = k, k
    for m in range(k + 1, jump.size):
        one_way = before == k or jump[m] * jump[before] > 0
        if not one_way or abs(float(jump[k + 1 : m + 1].sum())) > _CREEP * abs(jump[k]):
            break
        taken, following = cuts[m + 1] - cuts[k + 1], cuts[m + 2] - cuts[m + 1]
        if taken <= max(_CREEP_SHORT * rate, following / 4) and taken < following:
            last = m
        before = m
    return last


def _creeps(part: np.ndarray, target: float, noise: float) -> bool:
    """Whether the samples come closer and closer to a level."""
    third = part.size // 3
    if third < 2:
        return True
    off = np.abs([part[:third].mean() - target, part[-third:].mean() - target])
    return bool(off[0] - off[1] > max(2.5 * noise * (2 / third) ** 0.5, 0.2 * off[0]))


def _groups(marks: Marks, ringing: int) -> list[list[tuple[int, int, int]]]:
    """Put changes (first, last, index of the edge or -1) that follow closely together."""
    edges = [(e, e, k) for k, e in enumerate(marks.edges.tolist())]
    groups: list[list[tuple[int, int, int]]] = []
    end = -ringing - 1
    for part in sorted(edges + [(a, b, -1) for a, b in marks.varying]):
        if groups and part[0] - end <= ringing:
            groups[-1].append(part)
        else:
            groups.append([part])
        end = max(end, part[1])
    return groups


def _edges_of(window: np.ndarray, span: tuple[int, int], rate: float) -> list[int] | None:
    """Find the one edge, or the two of a short pulse, that the changes of `span` are."""
    first, last = span
    if last - first > _SETTLED * rate or first < 3 or window.size - last < 3:
        return None
    level = float(np.median(window[:first]))
    height = float(np.median(window[last:])) - level
    noise = white_sd(window)
    edge = _half_height(window[: last + 1] - level, height, noise, rate)
    if edge is not None:
        return [edge]
    pulse = pulse_edges(window - level, noise, rate)
    return None if pulse is None else list(pulse)


def _half_height(inside: np.ndarray, height: float, noise: float, rate: float) -> int | None:
    """Where an edge from 0 passes half of its height; None where it is none."""
    if abs(height) <= _SIGMAS * noise or height == 0:
        return None
    y = inside / height
    beyond = max(float(y.max()) - 1, 0.0) + max(-float(y.min()), 0.0)
    edge = _crossing(y, rate)
    if edge is None or beyond > _OVERSHOOT + 8 * noise / abs(height):
        return None
    top = pulse_edges(inside - height * (np.arange(y.size) >= edge), noise, rate)
    own = top is not None and top[1] - top[0] >= max(_OWN * rate, 5)
    return None if own else edge


def _crossing(y: np.ndarray, rate: float) -> int | None:
    """First sample above one half of a rise from 0 to 1 that takes no more than 1 ms."""
    risen = np.flatnonzero(y > 0.75)
    if risen.size == 0:
        return None
    waiting = np.flatnonzero(y[: risen[0]] < 0.25)
    begin = int(waiting[-1]) if waiting.size else 0
    if risen[0] - begin > max(SLEW * rate, 5):
        return None
    return begin + int(np.argmax(y[begin:] >= 0.5))


def pulse_edges(inside: np.ndarray, noise: float, rate: float) -> tuple[int, int] | None:
    """Edges at half height of one short pulse from 0, None where it is none.

    Parameters
    ----------
    inside : array, shape (n_samples,)
        The pulse and a little of the rest around it, its level taken off.
    noise : float
        Standard deviation of the rest.
    rate : float
        Samples per second (Hz).

    Examples
    --------
    >>> y = np.repeat([0.0, 5.0, 0.0], [20, 60, 20])
    >>> pulse_edges(y, 0.0, 2e4), pulse_edges(np.sin(np.arange(0, 3.14, 0.03)), 0.0, 2e4)
    ((20, 80), None)
    """
    if inside.size == 0:
        return None
    sign = 1.0 if inside.max() >= -inside.min() else -1.0
    height = float(np.sort(sign * inside)[-max(1, inside.size // 20)])  # not one spike of noise
    if height <= _SIGMAS * noise or height <= 0:
        return None
    y = sign * inside / height
    high = np.flatnonzero(y > 0.5)
    start, stop = int(high[0]), int(high[-1]) + 1
    if stop - start < max(SHORTEST * rate, 2) or y.min() < -_UNDERSHOOT - 4 * noise / height:
        return None
    if np.count_nonzero(y > 0.75) < _FLAT * (stop - start):
        return None
    rise, fall = _crossing(y, rate), _crossing(y[::-1], rate)
    return None if rise is None or fall is None else (rise, y.size - fall)
