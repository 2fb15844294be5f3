"""From spikes to what a microscope records of them: indicator, cells, noise, artefacts."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.provenance import hash_of, to_json
from cleo_like.groundtruth.calcium.known import Known
from cleo_like.groundtruth.calcium.trains import rates_of, trains
from cleo_like.groundtruth.cases.calcium_factors import NONE, STRONG
from cleo_like.imaging.calibrated.indicator import ExtrapolationWarning
from cleo_like.imaging.calibrated.population.noise import STATED_RATE, stationary
from cleo_like.imaging.calibrated.table import calibrated_indicator

if TYPE_CHECKING:
    from cleo_like.groundtruth.cases.plan import Case
    from cleo_like.imaging.calibrated.indicator import CalibratedIndicator
    from cleo_like.imaging.calibrated.population import CellFactors, RecordingNoise

RUN_IN = 10.0
"""Seconds of spikes before the first frame."""
LARGEST_BURSTS = 0.5
"""SD of the log gain of bursts, strong: about the largest of the table (Cal-520, .52)."""
_FIELD = 32  # further cells whose mean is the neuropil
_MOVING = 0.8416  # SD above which a fifth of a normal process lies
_BOUTS, _JITTER = 3.0, 0.3  # s: how long the brain moves, how fast it shakes then


@attrs.frozen(kw_only=True, eq=False)
class Imaged:
    """A recording of cells with its truth.

    Parameters
    ----------
    dff : array, shape (n_cells, n_frames)
        As recorded; NaN is no frame.
    frame_rate : float
        Hz. Frame k lasts from k / rate to (k + 1) / rate.
    indicator : str
        Name.
    counts : array, shape (n_cells, n_frames)
        Spikes in each frame.
    noise_sd : array, shape (n_cells,)
        SD of the white noise of a frame at rest; NaN where it is not known.
    extrapolated : bool
        Whether dF/F went beyond what the indicator was fitted to.
    """

    dff: np.ndarray
    frame_rate: float
    indicator: str
    counts: np.ndarray
    noise_sd: np.ndarray
    extrapolated: bool = False


def image(case: Case) -> Imaged:
    """Make the recording of a case.

    Parameters
    ----------
    case : Case
        Its factors are those of `cases.calcium_factors`; cells are the same for all seeds,
        spikes and noise are not.
    """
    model = _model(case)
    n, rate = int(case.number("cells")), case.number("frame_rate")
    length = case.number("duration")
    frames = np.arange(1, int(length * rate) + 1) / rate
    drawing = np.random.default_rng(_seed(case, "cells", case.factors["indicator"]))
    cells = model.draw_cells(n, drawing)
    regime = str(case.factors["regime"])
    own = np.random.default_rng(_seed(case, "rates", regime))
    firing = np.random.default_rng(_seed(case, case.seed, case.cell_key))
    spikes = trains(regime, rates_of(regime, n, own), -RUN_IN, length, firing)
    chance = np.random.default_rng(_seed(case, case.seed, case.key))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ExtrapolationWarning)
        clean = model.dff(*spikes, frames, cells=cells)
        clean = clean + _neuropil(case, model, clean, frames, chance)
    dff = clean if not case.number("motion") else _moved(case, clean, rate, chance)
    noise = _noise(case, model.noise, rate)
    dff = dff + noise.draw(frames, cells.noise, chance)
    photons = case.number("photons") * STATED_RATE / rate
    sd = noise.of_frame(rate) * cells.noise
    if photons:
        each = photons / cells.noise[:, None] ** 2  # gain, F0 and noise of a cell are one thing
        shot = np.sqrt(np.maximum(1 + clean, 0.0) / each)
        dff = dff + shot * chance.standard_normal(dff.shape)
        sd = np.sqrt(1 / each[:, 0])
    return Imaged(
        dff=dff, frame_rate=rate, indicator=model.name,
        counts=counts_of(*spikes, n, frames), noise_sd=sd,
        extrapolated=any(issubclass(w.category, ExtrapolationWarning) for w in said),
    )  # fmt: skip


def counts_of(times: np.ndarray, cells: np.ndarray, n: int, frames: np.ndarray) -> np.ndarray:
    """Count spikes in frames, each from the end of the one before to its own end.

    Parameters
    ----------
    times, cells : array, shape (n_spikes,)
        Spikes (s) and whose they are.
    n : int
        Number of cells.
    frames : array, shape (n_frames,)
        When each frame ends (s); the first is as long as the second.

    Examples
    --------
    >>> counts_of(np.array([-0.5, 0.5, 1.0, 1.1]), np.zeros(4, int), 1, np.array([1.0, 2.0]))
    array([[2, 1]])
    """
    first = frames[0] - (frames[1] - frames[0] if frames.size > 1 else np.inf)
    inside = (times > first) & (times <= frames[-1])
    place = np.searchsorted(frames, times[inside], side="left")
    flat = np.bincount(cells[inside] * frames.size + place, minlength=n * frames.size)
    return flat.reshape(n, frames.size)


def _model(case: Case) -> CalibratedIndicator:
    """Give the indicator with the population that the case asks for."""
    model = calibrated_indicator(str(case.factors["indicator"]))
    changed: dict[str, Any] = {}
    if case.factors["bursts"] == NONE:
        changed["burst"] = 0.0
    elif case.factors["bursts"] == STRONG:
        changed["burst"] = LARGEST_BURSTS
    if case.factors["gain_and_noise"] == "independent":
        changed["shared"] = 0.0
    return attrs.evolve(model, variability=attrs.evolve(model.variability, **changed))


def _noise(case: Case, noise: RecordingNoise, rate: float) -> RecordingNoise:
    scale = case.number("noise")
    white, slow, drift = scale * noise.white, scale * noise.slow, scale * noise.drift
    if case.factors["noise_colour"] == "white":
        white, slow = float(np.hypot(white, slow / np.sqrt(rate))), 0.0
    if case.number("photons"):
        white = 0.0
    if case.factors["drift"] == NONE:
        drift = 0.0
    elif case.factors["drift"] == STRONG:
        drift = Known.of(str(case.factors["indicator"])).peak
    return with_sizes(noise, white=white, slow=slow, drift=drift)


def with_sizes(noise: RecordingNoise, **sizes: float) -> RecordingNoise:
    """Give the same noise with other sizes (its times must be said again, with units)."""
    times: Any = {n: f"{getattr(noise, n)!r} s" for n in ("slow_time", "drift_time")}
    return attrs.evolve(noise, **sizes, **times)


def _neuropil(
    case: Case, model: CalibratedIndicator, clean: np.ndarray, frames: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray | float:  # fmt: skip
    """Give what is left of the mean of the field, own cells and others."""
    left = case.number("neuropil")
    if not left:
        return 0.0
    regime = str(case.factors["regime"])
    others = trains(regime, rates_of(regime, _FIELD, rng), -RUN_IN, float(frames[-1]), rng)
    around = model.dff(*others, frames, cells=_field(model, rng))
    mean = np.concatenate([clean, around]).mean(axis=0)
    size = mean.std()
    shape = (mean - mean.mean()) / size if size > 0 else np.zeros_like(mean)
    return left * clean.std(axis=1, keepdims=True) * shape


def _field(model: CalibratedIndicator, rng: np.random.Generator) -> CellFactors:
    return model.draw_cells(_FIELD, rng)


def _moved(case: Case, dff: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Change brightness while the brain moves: one shake, up in some cells, down in others."""
    n, frames = dff.shape
    normal = rng.standard_normal((2, frames))
    keep = np.exp(-1 / (rate * np.array([[_BOUTS], [_JITTER]])))
    bouts = stationary(normal[:1], np.full(frames, keep[0, 0]))[0] > _MOVING
    shake = stationary(normal[1:], np.full(frames, keep[1, 0]))[0] * bouts
    sign = np.where(rng.random(n) < 0.5, -1.0, 1.0)[:, None]
    factor = np.maximum(1 + case.number("motion") * sign * shake, 0.0)
    return np.asarray((1 + dff) * factor - 1)


def _seed(case: Case, *what: Any) -> np.random.SeedSequence:
    digest = hash_of(to_json([case.root, *what]).encode()).split(":")[-1]
    return np.random.SeedSequence(int(digest[:16], 16))
