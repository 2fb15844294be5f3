"""The same set again, from population parameters: what of the recording is used is a stage."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.provenance import hash_of
from cleo_like.groundtruth.calcium.chain import with_sizes
from cleo_like.groundtruth.calcium.known import Known
from cleo_like.imaging.calibrated.indicator import ExtrapolationWarning
from cleo_like.imaging.calibrated.population import CellFactors
from cleo_like.imaging.calibrated.table import calibrated_indicator
from cleo_like.responses.calcium import noise_std

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.groundtruth.calcium.ranking.recordings import PairedSet
    from cleo_like.imaging.calibrated.indicator import CalibratedIndicator

_FINEST = 60.0  # Hz
_LEAST_GAIN = 0.05


@attrs.frozen(kw_only=True)
class Stage:
    """What of a simulation comes from the recording, and what is left out of it.

    Parameters
    ----------
    meaning : str
        One line.
    trains : str
        "own": those of the recording; "others": of another cell of the set.
    kinetics : str
        "calibrated", or "cleo": Cleo's, scaled to the calibrated size of one spike.
    gain : str
        "drawn" from the population; "own": fitted to the recording.
    noise : str
        "drawn"; "size": the white noise of each recording; "spectrum": what the model leaves
        of the recording, its phases drawn anew.
    white, steady, even, apart, equal : bool
        Noise white; no drift; no gain of bursts; gain and noise independent; cells alike.
    """

    meaning: str
    trains: str = "own"
    kinetics: str = "calibrated"
    gain: str = "drawn"
    noise: str = "drawn"
    white: bool = False
    steady: bool = False
    even: bool = False
    apart: bool = False
    equal: bool = False


POPULATION, TRAINS, CLEO = "population", "same trains", "Cleo's kinetics"
MATCHED: Mapping[str, Stage] = {
    POPULATION: Stage(meaning="nothing of the recording: spikes of other cells of the set",
                      trains="others"),
    TRAINS: Stage(meaning="the spikes of the recording"),
    "gain": Stage(meaning="and its gain", gain="own"),
    "noise": Stage(meaning="spikes, and the size of its noise", noise="size"),
    "gain and noise": Stage(meaning="spikes, gain and size of noise", gain="own", noise="size"),
    "spectrum": Stage(meaning="spikes, gain, and the spectrum of what the model leaves over",
                      gain="own", noise="spectrum"),
}  # fmt: skip
"""From nothing to everything but the form of the model."""
WITHOUT: Mapping[str, Stage] = {
    CLEO: Stage(meaning="spikes of the recording, kinetics of Cleo", kinetics="cleo"),
    "white noise": Stage(meaning="noise without its slow part", white=True),
    "no drift": Stage(meaning="nothing slower than a minute", steady=True),
    "even bursts": Stage(meaning="every burst as large as its spikes say", even=True),
    "independent": Stage(meaning="gain and noise of a cell independent", apart=True),
    "equal cells": Stage(meaning="all cells the median cell", equal=True),
}
"""The same spikes, with something left out of the simulation."""
STAGES = {**MATCHED, **WITHOUT}
MAIN = (POPULATION, TRAINS, CLEO)
_CLEO_NAMES = {"gcamp6s": "gcamp6s", "gcamp6s_teto": "gcamp6s", "jgcamp7f": "jgcamp7f"}
"""Indicators whose kinetics Cleo has; the others get its GCaMP6f, as its users would."""


def simulate(
    paired: PairedSet, stage: Stage, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate every recording of a set.

    Parameters
    ----------
    paired : PairedSet
        Spikes and frames are taken from it, and what the stage says.
    stage : Stage
        What is simulated how.
    seed : int
        Number of the repeat. All stages of a repeat have the same cells, where they can.

    Returns
    -------
    tuple of array
        dF/F (n_rows, n_frames), times of the spikes (s) and their rows.
    """
    model = _model(paired.indicator, stage)
    label = int(hash_of(repr((paired.name, paired.cells)).encode()).split(":")[-1][:8], 16)
    drawing, sharing, shaking = (
        np.random.default_rng(s) for s in np.random.SeedSequence((label, seed)).spawn(3)
    )
    rows = _cells_of_rows(paired, model, drawing)
    times, who = paired.times, paired.rows
    if stage.trains == "others":
        times, who = _others(paired, sharing)
    clean = _clean(paired, model, (times, who), rows, kinetics=stage.kinetics)
    if stage.gain == "own":
        own = _clean(paired, model, (paired.times, paired.rows), CellFactors.equal(len(rows)))
        gain, offset = _fitted(paired, own)
        clean = gain[:, None] * own
        if stage.noise == "spectrum":
            left = paired.dff - clean - offset[:, None]
            return clean + _surrogate(left, shaking), times, who
    factors = rows.noise
    if stage.noise == "size":
        factors = _noise_sizes(paired, model, shaking)
    noise = model.noise.draw(paired.frames, factors, shaking, drift=not stage.steady)
    noise += model.noise.offset * (factors * shaking.standard_normal(len(factors)))[:, None]
    return np.where(np.isfinite(paired.dff), clean + noise, np.nan), times, who


def _model(indicator: str, stage: Stage) -> CalibratedIndicator:
    model = calibrated_indicator(indicator)
    changed: dict[str, Any] = {}
    if stage.even:
        changed["burst"] = 0.0
    if stage.apart:
        changed["shared"] = 0.0
    if stage.equal:
        changed = dict.fromkeys(("gain", "duration", "noise", "burst"), 0.0)
    noise = with_sizes(model.noise, slow=0.0) if stage.white else model.noise
    variability = attrs.evolve(model.variability, **changed)
    return attrs.evolve(model, variability=variability, noise=noise)


def _cells_of_rows(
    paired: PairedSet, model: CalibratedIndicator, rng: np.random.Generator
) -> CellFactors:
    """Draw the cells, one row each recording; bursts of each recording are its own."""
    cells = model.draw_cells(len(paired.cells), rng).take(paired.cell)
    return attrs.evolve(cells, bursts=model.draw_cells(len(paired.cell), rng).bursts)


def _others(paired: PairedSet, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Give every row the spikes of a recording of another cell of the set, round and round."""
    lengths = paired.lengths
    times, rows = [], []
    for row, cell in enumerate(paired.cell):
        others = [t for t in paired.trains if t.cell != paired.cells[cell]]
        donor = others[rng.integers(len(others))] if others else paired.trains[0]
        own = donor.times[donor.times > 0]
        rounds = int(np.ceil(lengths[row] / donor.length))
        every = (own[None] + donor.length * np.arange(rounds)[:, None]).ravel()
        every = every[every <= lengths[row]]
        times.append(every)
        rows.append(np.full(every.size, row))
    return np.concatenate(times), np.concatenate(rows)


def _clean(
    paired: PairedSet, model: CalibratedIndicator, spikes: tuple[np.ndarray, np.ndarray],
    cells: CellFactors, *, kinetics: str = "calibrated",
) -> np.ndarray:  # fmt: skip
    """Compute dF/F without noise, the mean over each sample."""
    n, frames = paired.dff.shape
    sub = max(1, round(min(paired.native_rate, _FINEST) / paired.rate))
    fine = np.arange(1, frames * sub + 1) / (paired.rate * sub)
    if kinetics == "cleo":
        dff = cells.gain[:, None] * _of_cleo(paired.indicator, *spikes, fine, n)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExtrapolationWarning)
            dff = model.dff(*spikes, fine, cells=cells)
    return dff.reshape(n, frames, sub).mean(axis=2)


def _of_cleo(
    indicator: str, times: np.ndarray, who: np.ndarray, fine: np.ndarray, n: int
) -> np.ndarray:
    from cleo_like import imaging
    from cleo_like.imaging.events import dff_of_spikes, response_to_one_spike

    name = _CLEO_NAMES.get(indicator, "gcamp6f")
    kinetics = getattr(imaging, name)().kinetics()
    start = min(float(times.min(initial=0.0)), 0.0)  # it begins at rest at 0
    dff, _ = dff_of_spikes(kinetics, who, times - start, fine - start, n)
    return np.asarray(dff * Known.of(indicator).peak / response_to_one_spike(kinetics).peak)


def _fitted(paired: PairedSet, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit the gain of each cell (all its rows) and the offset of each row."""
    seen = np.isfinite(paired.dff)
    total = seen.sum(axis=1)
    x_mean = np.where(seen, own, 0).sum(axis=1) / total
    y_mean = np.where(seen, paired.dff, 0).sum(axis=1) / total
    x = np.where(seen, own - x_mean[:, None], 0.0)
    y = np.where(seen, paired.dff - y_mean[:, None], 0.0)
    n = len(paired.cells)
    across = np.bincount(paired.cell, (x * y).sum(axis=1), n)
    power = np.bincount(paired.cell, (x * x).sum(axis=1), n)
    gain = np.maximum(across / np.maximum(power, 1e-12), _LEAST_GAIN)[paired.cell]
    return gain, y_mean - gain * x_mean


def _noise_sizes(
    paired: PairedSet, model: CalibratedIndicator, rng: np.random.Generator
) -> np.ndarray:
    """Give the factor by which the white noise of each row is that of the median cell."""
    drawn = model.noise.draw(paired.frames, np.ones(8), rng, drift=False)
    return np.asarray(noise_std(paired.dff) / np.median(noise_std(drawn)))


def _surrogate(left: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give noise of the same spectrum, row by row, with random phases."""
    out = np.full(left.shape, np.nan)
    for row, values in enumerate(left):
        seen = np.isfinite(values)
        spectrum = np.fft.rfft(values[seen])
        turned = spectrum * np.exp(2j * np.pi * rng.random(spectrum.size))
        turned[0] = spectrum[0]
        out[row, seen] = np.fft.irfft(turned, int(seen.sum()))
    return out
