"""The fit itself: it finds the indicator that made the recordings; recordings as smoke test."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from cleo_like.imaging import dff_of_spikes, gcamp6f
from cleo_like.imaging.calibrated import HillResponse, Kernel, calibrated_indicator
from cleo_like.imaging.calibrated.indicator import CalibratedIndicator

TOOLS = Path(__file__).resolve().parents[2] / "tools"
TRUTH = CalibratedIndicator(
    name="truth",
    kernel=Kernel(rise="20 ms", decays=["150 ms", "1.5 s"], weights=[0.8, 0.2]),
    response=HillResponse(single_spike=0.3, exponent=1.6, half_saturation=15, rest=0.3),
    source="this test",
)


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    names = ("paired_recordings", "indicator_model")
    return tuple(importlib.import_module(name) for name in names)


def write_cells(folder, rng, n=3):
    """Recordings of the known indicator with noise, drift, and gains that differ."""
    frames = np.arange(0, 200, 1 / 30)
    drift = 0.2 * np.cos(2 * np.pi * frames / 150)
    for i in range(n):
        bursts = rng.uniform(1, 195, 60)
        spikes = np.concatenate([b + 0.02 * np.arange(rng.integers(1, 6)) for b in bursts])
        spikes = np.sort(np.append(spikes, np.arange(3, 195, 8.0)))
        clean = TRUTH.dff(spikes, np.zeros(spikes.size, int), frames, n=1)[0]
        trace = (1 + i) * clean + drift + rng.normal(0, 0.1, frames.size)
        np.savez(folder / f"{i}.npz", n_recs=1, t_0=frames, dff_0=trace, spikes_0=spikes)


def test_fit_finds_what_made_the_recordings(tools, tmp_path, rng):
    paired, model = tools
    write_cells(tmp_path, rng)
    cells = paired.read_cells(tmp_path, rate=30, seconds=150)
    theta, own = model.fit(cells, 2)
    gains = [c.residual(model.trace(c, theta, o))[1] for c, o in zip(cells, own, strict=True)]
    found = CalibratedIndicator(
        name="found", kernel=theta.kernel, response=theta.response, source="fit"
    ).single_spike()
    true = TRUTH.single_spike()
    np.testing.assert_allclose(gains, 0.3 * np.arange(1, 4), rtol=0.15)
    assert found.half_decay == pytest.approx(true.half_decay, rel=0.15)
    np.testing.assert_allclose(np.exp(own), 1, atol=0.1)  # the cells have one speed
    for cell in cells:
        clean = TRUTH.dff(cell.spikes, np.zeros(cell.spikes.size, int), cell.t, n=1)[0]
        prediction = model.trace(cell, theta)
        assert np.corrcoef(clean, prediction)[0, 1] > 0.995


def test_drift_is_not_signal(tools, tmp_path, rng):
    paired, _ = tools
    write_cells(tmp_path, rng, n=1)
    (cell,) = paired.read_cells(tmp_path, rate=30, seconds=150)
    drifting = cell.y + 3 + np.cos(np.pi * (np.arange(cell.t.size) + 0.5) / cell.t.size)
    views = cell.views(drifting), cell.views(cell.y)
    np.testing.assert_allclose(views[0][: cell.t.size], views[1][: cell.t.size], atol=1e-9)


def test_isolated_events_are_isolated(tools, tmp_path, rng):
    paired, _ = tools
    frames = np.arange(0, 30, 1 / 30)
    spikes = np.array([3.0, 8.0, 8.05, 12.0, 12.5, 20.0, 20.01, 20.02, 29.5])
    trace = rng.normal(size=frames.size)
    np.savez(tmp_path / "a.npz", n_recs=1, t_0=frames, dff_0=trace, spikes_0=spikes)
    (cell,) = paired.read_cells(tmp_path, rate=30, seconds=100)
    np.testing.assert_allclose(paired.isolated_events(cell, 1), [3.0])
    np.testing.assert_allclose(paired.isolated_events(cell, 2), [8.0])
    np.testing.assert_allclose(paired.isolated_events(cell, 3), [20.0])


def test_cleo_defaults_are_several_times_slower():
    """The statement of the guide, in numbers: 1.3 s against 0.2 s for GCaMP6f."""
    frames = np.arange(0, 5, 0.005)
    dff, _ = dff_of_spikes(gcamp6f().kinetics(), np.zeros(1, int), np.zeros(1), frames, 1)
    top = dff[0].argmax()
    slow = frames[top + np.flatnonzero(dff[0, top:] < dff[0, top] / 2)[0]] - frames[top]
    assert slow > 4 * calibrated_indicator("gcamp6f").single_spike().half_decay


@pytest.mark.data
@pytest.mark.parametrize(
    ("excerpt", "name"),
    [
        ("GCaMP6f", "gcamp6f"), ("GCaMP6s", "gcamp6s"), ("jGCaMP7f", "jgcamp7f"),
        ("jGCaMP8m", "jgcamp8m"), ("jGCaMP8s", "jgcamp8s"), ("XCaMP-Gf", "xcamp_gf"),
    ],
)  # fmt: skip
def test_excerpts_of_recordings(data_dir, excerpt, name):
    """A smoke test only: the excerpts are of cells that the fit has seen."""
    found = []
    for path in sorted((data_dir / "ophys_gt" / "small").glob(f"{excerpt}_[01].npz")):
        with np.load(path) as cell:
            spikes, frames, recorded = cell["spikes"], cell["t"], cell["dff"]
        model = calibrated_indicator(name).dff(spikes, np.zeros(spikes.size, int), frames, n=1)[
            0
        ]
        found.append(np.corrcoef(model, recorded)[0, 1])
    assert len(found) == 2
    assert max(found) > 0.7, found
