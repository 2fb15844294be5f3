"""One sweep on its own: plateaus, or a varying stretch with a shape, or nothing."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np

from cleo_like.matching.command.changes import SLEW
from cleo_like.matching.command.extent import Rest, Span, is_flat, parts_away, rest_of
from cleo_like.matching.command.filtered import SHORTEST
from cleo_like.matching.command.noise import median_of, quantile_of, quantum, sd_of, white_sd
from cleo_like.matching.command.plateaus import Plateaus, find_plateaus
from cleo_like.matching.command.shapes import Shape, loud_stretch, shape_of
from cleo_like.matching.command.waves import ends_of, is_wave

_REST = 20e-3
"""Shorter plateaus (s) tell nothing of a drift."""
_MEAN = 5e-3
"""Length (s) of the means that show whether a command stays at its level."""
_TILT = 0.25
"""A plateau may drift by this fraction of the step beside it."""
_MANY_LEVELS = 4
_DISTURBED = 0.1
"""Noise in a step beyond this fraction of its height is a noise stimulus."""
_UNEVEN = 3.0
"""So many times the noise of the rest is no disturbance of a step."""
_UNRESTED = 0.05
"""A rest that moves by this fraction of the whole may be the start of a slow wave."""
_THROUGHOUT = 0.9
"""A command that varies for so much of its sweep has no rest."""
_DOMED = 0.15
"""Levels that bulge by this fraction of the jumps beside them are half waves (a sine: 0.34)."""
_PIECES = 8
"""A wave has so many edges, or more; fewer are told otherwise."""


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
    def is_throughout(self) -> bool:
        """Whether the command varies from its first sample to its last, or nearly so."""
        if self.stretch is None:
            return False
        return self.stretch[1] - self.stretch[0] >= _THROUGHOUT * self.plateaus.n

    @property
    def as_still(self) -> Plateaus:
        """The same command as one plateau that is disturbed."""
        x = self.plateaus.samples
        return attrs.evolve(
            self.plateaus, edges=np.zeros(0, dtype=int), varying=(),
            levels=np.array([np.median(x)]), noise=float(np.std(x)), flat=False,
        )  # fmt: skip

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
    if cut.trouble is not None or (cut.flat and cut.edges.size > 1):
        return Sketch(plateaus=cut)
    if float(np.ptp(cut.samples)) <= resolution:
        return Sketch(plateaus=cut)
    found = _stretch(cut)
    if found is None:
        return Sketch(plateaus=cut)
    (a, b), rest, others = found
    strict = not cut.varying and loud_stretch(cut.samples, rate) is None
    strict = strict and cut.edges.size < _MANY_LEVELS
    strict = strict and not _stands_out(cut.samples, (a, b), rest)
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
        return _whole(cut) if drawn else None
    if _is_uneven(cut):
        return _event(cut, None)
    if any(_is_tilted(cut, k) for k in range(1, cut.edges.size)):
        return _event(cut, None)
    many = cut.edges.size >= _MANY_LEVELS and not _is_stairs(cut)
    return _event(cut, None) if many else None


def _stands_out(samples: np.ndarray, stretch: Span, rest: Rest) -> bool:
    """Whether a stretch is so much noisier than the rest that it is a stimulus itself."""
    a, b = stretch
    noise = sd_of(samples[a:b])
    beside = samples.size - (b - a) > 0
    return beside and noise > max(
        _UNEVEN * rest.noise, _DISTURBED * abs(float(np.median(samples[a:b])) - rest.level)
    )


def _whole(cut: Plateaus) -> tuple[Span, Rest, list[Span]]:
    """Take all of a command without edges, but for a rest at its start and end."""
    begin = round(_MEAN * cut.rate)
    found = _event(cut, (2 * begin, cut.n))
    (a, b), rest, _ = found
    whole = b - a >= 0.9 * cut.n and cut.n - b <= 4 * begin
    return ((0, cut.n), rest, []) if a <= 4 * begin and whole else found


def _event(cut: Plateaus, part: Span | None) -> tuple[Span, Rest, list[Span]]:
    """Stretch away from holding that `part` belongs to, the longest where None is given."""
    changes = [(int(e), int(e)) for e in cut.edges] + list(cut.varying)
    changes += [part] if part is not None else []
    rest = rest_of(cut.samples, changes, cut.rate, cut.slow)
    white = white_sd(cut.samples)
    if rest.noise > max(_UNRESTED * np.std(cut.samples), _UNEVEN * white):
        middle = (float(cut.samples.max()) + float(cut.samples.min())) / 2
        if is_wave(cut.samples - middle):  # from the first sample to the last
            return (0, cut.n), attrs.evolve(rest, level=middle, noise=white), []
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
    outside = np.concatenate([cut.samples[:a], cut.samples[b:]])
    jump = abs(median_of(inside) - median_of(outside)) if outside.size else 0.0
    return excess > max(_DISTURBED * jump, 2.5 * quantum(cut.samples))


def _is_uneven(cut: Plateaus) -> bool:
    """Whether slow noise between the outer edges is more than the rest and the step explain."""
    a, b = int(cut.edges[0]), int(cut.edges[-1])
    off = cut.samples - np.repeat(cut.levels, np.diff(np.r_[0, cut.edges, cut.n]))
    around, inside = np.concatenate([cut.samples[:a], cut.samples[b:]]), cut.samples[a:b]
    if around.size < _MEAN * cut.rate or inside.size < _MEAN * cut.rate:
        return False
    jump = abs(median_of(inside) - median_of(around))
    noise = sd_of(np.concatenate([off[:a], off[b:]]))
    return sd_of(off[a:b]) > max(_UNEVEN * noise, _DISTURBED * jump)


def _wanders(cut: Plateaus) -> bool:
    """Whether a command without an edge spans far more than its noise."""
    span = quantile_of(cut.samples, 0.99) - quantile_of(cut.samples, 0.01)
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
    if chunks < 4 or b - a < _REST * cut.rate or inside.min() == inside.max():
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
    lengths = np.diff(np.r_[0, cut.edges, cut.n])
    if cut.varying or _is_domed(cut):
        return False
    return bool(np.all(lengths[1:-1] >= SHORTEST * cut.rate)) or cut.clean


def _is_domed(cut: Plateaus) -> bool:
    """Whether the levels are pieces of a smooth wave, not flat."""
    if cut.edges.size < _PIECES:
        return False
    bulges = []
    for k, (a, b) in enumerate(cut.bounds()[1:-1]):
        third = (b - a) // 3
        if third:
            jump = cut.levels[k + 1] - (cut.levels[k] + cut.levels[k + 2]) / 2
            inner = cut.samples[a + third : b - third].mean()
            outer = (cut.samples[a : a + third].mean() + cut.samples[b - third : b].mean()) / 2
            bulges.append(float(inner - outer) / float(jump) if jump else 0.0)
    return bool(bulges) and float(np.median(bulges)) > _DOMED
