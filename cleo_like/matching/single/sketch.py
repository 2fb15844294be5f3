"""One sweep on its own: plateaus, or a varying stretch with a shape, or nothing."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np

from cleo_like.matching.single.changes import SLEW
from cleo_like.matching.single.extent import Rest, Span, is_flat, parts_away, rest_of
from cleo_like.matching.single.noise import quantum, sd_of, white_sd
from cleo_like.matching.single.plateaus import Plateaus, find_plateaus
from cleo_like.matching.single.shapes import Shape, loud_stretch, shape_of
from cleo_like.matching.single.waves import ends_of

_REST = 20e-3
"""Shorter plateaus (s) tell nothing of a drift."""
_MEAN = 5e-3
"""Length (s) of the means that show whether a command stays at its level."""
_TILT = 0.25
"""A plateau may drift by this fraction of the step beside it."""
_MANY_LEVELS = 4


@attrs.frozen(kw_only=True)
class Sketch:
    """What one command looks like without its neighbours.

    Either `shape` is given, with the half-open range `stretch` in which the command
    varies, its `holding`, and the flat `pulses` beside it; or the command is made of the
    `plateaus`.
    """

    plateaus: Plateaus
    shape: Shape | None = None
    stretch: Span | None = None
    holding: float = np.nan
    pulses: tuple[Span, ...] = ()

    @property
    def trouble(self) -> str | None:
        """Why nothing can be said of the command."""
        return self.plateaus.trouble


def sketch(command: np.ndarray, rate: float, *, resolution: float = 0.0) -> Sketch:
    """Look at one command.

    Parameters
    ----------
    command : array, shape (n_samples,)
        In any unit; NaN is allowed.
    rate : float
        Samples per second (Hz).
    resolution : float
        Differences up to this size are nothing (unit of the command).

    Examples
    --------
    >>> sketch(np.repeat([0.0, 50.0, 0.0], 1000), 1e4).shape is None
    True
    >>> sketch(np.linspace(0.0, 50.0, 10000), 1e4).shape.family
    'ramp'
    """
    cut = find_plateaus(command, rate, resolution=resolution)
    if cut.trouble is not None or float(np.ptp(cut.samples)) <= resolution:
        return Sketch(plateaus=cut)
    found = _stretch(cut)
    if found is None:
        return Sketch(plateaus=cut)
    (a, b), rest, others = found
    strict = not cut.varying and loud_stretch(cut.samples, rate) is None
    strict = strict and cut.edges.size < _MANY_LEVELS
    shape = shape_of(cut.samples[a:b], rate, strict=strict, holding=rest.level)
    if shape is None:
        return Sketch(plateaus=cut)
    if shape.family == "arbitrary" and _is_stairs(cut):
        return Sketch(plateaus=cut)
    end = b
    a, b = ends_of(cut.samples, (a, b), rest, shape.family)
    if shape.family == "ramp" and end - b >= 8:  # a ramp that stays at its top
        others = [*others, (b, end)]
    pulses = tuple(p for p in others if is_flat(cut.samples[slice(*p)], rest))
    return Sketch(plateaus=cut, shape=shape, stretch=(a, b), holding=rest.level, pulses=pulses)


def wanders(cut: Plateaus, edges: np.ndarray, size: float) -> bool:
    """Whether a command leaves the level between two edges for a good part of the time.

    Means over 5 ms or more are looked at, so that fast noise does not count. A quarter
    of them may be off by more than a third of `size` (unit of the command): spikes do so
    in a recorded current.
    """
    block = max(1, round(_MEAN * cut.rate), round((9 * cut.slow / size) ** 2))
    cuts = [0, *[int(e) for e in edges if e < cut.n], cut.n]
    for a, b in pairwise(cuts):
        count = (b - a) // block
        if count < 4:
            continue
        means = cut.samples[a : a + count * block].reshape(count, block).mean(axis=1)
        if np.mean(np.abs(means - np.median(means)) > size / 3) > 0.25:
            return True
    return False


def is_noisier(cut: Plateaus, step: tuple[int, int], size: float) -> bool:
    """Whether a command is noisier within a step than outside, by more than `size`."""
    a, b = step
    inside, outside = cut.samples[a:b], np.concatenate([cut.samples[:a], cut.samples[b:]])
    excess = sd_of(inside) ** 2 - sd_of(outside) ** 2
    return excess > size**2


def _stretch(cut: Plateaus) -> tuple[Span, Rest, list[Span]] | None:
    """Where the shape of a command must be looked at, if anywhere; rest and other parts."""
    loud = loud_stretch(cut.samples, cut.rate)
    if loud is not None and _noise_rules(cut, loud):
        return _event(cut, loud)
    if cut.varying:
        return _event(cut, max(cut.varying, key=lambda v: v[1] - v[0]))
    if cut.edges.size < 2:
        drawn = _wanders(cut) if cut.edges.size == 0 else _line_is_better(cut)
        if not drawn:
            return None
        rest = rest_of(cut.samples, [(1, cut.n)], cut.rate, cut.slow)
        return (0, cut.n), rest, []
    if any(_is_tilted(cut, k) for k in range(1, cut.edges.size)):
        return _event(cut, None)
    many = cut.edges.size >= _MANY_LEVELS and not _is_stairs(cut)
    return _event(cut, None) if many else None


def _event(cut: Plateaus, part: Span | None) -> tuple[Span, Rest, list[Span]]:
    """Stretch away from holding that `part` belongs to, the longest where None is given."""
    changes = [(int(e), int(e)) for e in cut.edges] + list(cut.varying)
    changes += [part] if part is not None else []
    rest = rest_of(cut.samples, changes, cut.rate, cut.slow)
    parts = parts_away(cut.samples, rest, cut.rate)
    if not parts:
        return (0, cut.n), rest, []

    def worth(span: Span) -> tuple[int, int]:
        inside = 0 if part is None else min(span[1], part[1]) - max(span[0], part[0])
        return max(inside, 0), span[1] - span[0]

    main = max(parts, key=worth)
    if main[1] - main[0] < 16:
        return (0, cut.n), rest, []
    return main, rest, [p for p in parts if p != main]


def _noise_rules(cut: Plateaus, loud: tuple[int, int]) -> bool:
    """Whether the noise of a loud stretch is more than a disturbance on a step."""
    a, b = loud
    inside = cut.samples[a:b]
    spread, quiet = (
        white_sd(inside),
        white_sd(np.concatenate([cut.samples[:a], cut.samples[b:]])),
    )
    excess = float(np.sqrt(max(spread**2 - quiet**2, 0.0)))
    jump = float(np.ptp(cut.levels)) if cut.edges.size else 0.0
    return excess > max(jump / 3, 2.5 * quantum(cut.samples))


def _wanders(cut: Plateaus) -> bool:
    """Whether a command without an edge spans far more than its noise."""
    span = float(np.quantile(cut.samples, 0.99) - np.quantile(cut.samples, 0.01))
    return span > 8 * white_sd(cut.samples)


def _line_is_better(cut: Plateaus) -> bool:
    """Whether a straight line explains a command with one edge better than the step."""
    x = np.arange(cut.n) / cut.n - 0.5
    y = cut.samples - cut.samples.mean()
    line = y - x * float(x @ y) / float(x @ x)
    step = cut.samples - np.repeat(cut.levels, np.diff(np.r_[0, cut.edges, cut.n]))
    return float(line @ line) < float(step @ step)


def _is_tilted(cut: Plateaus, k: int) -> bool:
    """Whether plateau k drifts by a good part of the smaller step beside it."""
    a, b = cut.bounds()[k]
    margin = min(2 * round(SLEW * cut.rate), (b - a) // 8)
    inside = cut.samples[a + margin : b - margin]
    chunks = min(20, inside.size // 8)
    if chunks < 4 or b - a < _REST * cut.rate:
        return False
    block = inside.size // chunks
    middles = np.median(inside[: chunks * block].reshape(chunks, block), axis=1)
    x = np.arange(chunks) - (chunks - 1) / 2
    slope = float(x @ middles) / float(x @ x)
    error = middles - middles.mean() - slope * x
    doubt = float(np.sqrt(error @ error / (chunks - 2) / float(x @ x)))
    jump = float(np.min(np.abs(np.diff(cut.levels)[max(k - 1, 0) : k + 1])))
    noise = cut.slow * (12 / inside.size) ** 0.5  # of the drift over the whole plateau
    drift = abs(slope) * chunks
    return drift > max(_TILT * jump, 5 * noise) and abs(slope) > 4 * doubt


def _is_stairs(cut: Plateaus) -> bool:
    """Whether every plateau is long and flat enough to count as a level."""
    slew = round(SLEW * cut.rate)
    lengths = np.diff(np.r_[0, cut.edges, cut.n])
    if cut.varying:
        return False
    return bool(np.all(lengths[1:-1] >= 2 * slew)) or cut.clean
