"""The fit itself: it finds the indicator that made the recordings, and measures as it says."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import attrs
import numpy as np
import pytest

from cleo_like.imaging import dff_of_spikes, gcamp6f
from cleo_like.imaging.calibrated import (
    HillResponse,
    Kernel,
    RecordingNoise,
    Variability,
    calibrated_indicator,
)
from cleo_like.imaging.calibrated.indicator import CalibratedIndicator

TOOLS = Path(__file__).resolve().parents[3] / "tools"
TRUTH = CalibratedIndicator(
    name="truth",
    kernel=Kernel(rise="20 ms", decays=["150 ms", "1.5 s"], weights=[0.8, 0.2]),
    response=HillResponse(single_spike=0.3, exponent=1.6, half_saturation=15, rest=0.3),
    source="this test",
)


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    names = (
        "paired_recordings",
        "isolated_events",
        "indicator_model",
        "fit_indicators",
        "ceiling",
        "cell_statistics",
        "pooling",
    )
    return SimpleNamespace(**{name: importlib.import_module(name) for name in names})


def write_cells(folder, rng, n=3, noise=0.1):
    """Recordings of the known indicator with noise, drift, and gains that differ."""
    frames = np.arange(0, 200, 1 / 30)
    drift = 0.2 * np.cos(2 * np.pi * frames / 150)
    for i in range(n):
        bursts = rng.uniform(1, 195, 60)
        spikes = np.concatenate([b + 0.02 * np.arange(rng.integers(1, 6)) for b in bursts])
        alone = np.arange(3, 195, 8.0)
        away = np.abs(spikes[:, None] - alone).min(axis=1) > 2.6
        spikes = np.sort(np.append(spikes[away], alone))
        clean = TRUTH.dff(spikes, np.zeros(spikes.size, int), frames, n=1)[0]
        trace = (1 + i) * clean + drift + rng.normal(0, noise, frames.size)
        np.savez(folder / f"{i}.npz", n_recs=1, t_0=frames, dff_0=trace, spikes_0=spikes)


def truth_samples(tools, cell):
    return tools.fit_indicators.samples_of(cell, TRUTH)


def test_fit_finds_what_made_the_recordings(tools, tmp_path, rng):
    write_cells(tmp_path, rng)
    cells = tools.paired_recordings.read_cells(tmp_path)
    theta = tools.indicator_model.fit(cells, 2, 50.0)
    own = tools.indicator_model.fit_own(cells, theta)
    found = CalibratedIndicator(
        name="found", kernel=theta.kernel, response=theta.response, source="fit"
    ).single_spike()
    gains = tools.fit_indicators.gains_of(cells, theta, own)
    np.testing.assert_allclose(gains, 0.3 * np.arange(1, 4), rtol=0.15)
    gain, of_sets = tools.fit_indicators.indicator_gains(cells, theta)
    assert gain == pytest.approx(0.6, rel=0.15)
    assert of_sets == {tmp_path.name: pytest.approx(gain)}
    assert theta.response.maximum * np.exp(np.log(gains).mean()) <= 50.0 * 1.01
    assert found.half_decay == pytest.approx(TRUTH.single_spike().half_decay, rel=0.15)
    np.testing.assert_allclose(np.exp(own), 1, atol=0.1)  # the cells have one speed
    for cell in cells:
        (clean,), (prediction,) = (
            truth_samples(tools, cell), tools.indicator_model.samples(cell, theta),
        )  # fmt: skip
        assert np.corrcoef(clean, prediction)[0, 1] > 0.995


def test_prediction_of_the_fit_is_that_of_the_package(tools, tmp_path, rng):
    """The fit's recursive filter equals the exact model of the package, frame by frame."""
    write_cells(tmp_path, rng, n=1)
    (cell,) = tools.paired_recordings.read_cells(tmp_path)
    (one,) = cell.recordings
    exact = TRUTH.dff(one.spikes, np.zeros(one.spikes.size, int), one.t, n=1)[0]
    averaged = exact.reshape(-1, 2).mean(axis=1)
    np.testing.assert_allclose(truth_samples(tools, cell)[0], averaged, atol=1e-9)


def test_drift_is_not_signal(tools, tmp_path, rng):
    write_cells(tmp_path, rng, n=1)
    (cell,) = tools.paired_recordings.read_cells(tmp_path)
    (trace,) = cell.traces
    drifting = trace.y + 3 + np.cos(np.pi * (np.arange(trace.y.size) + 0.5) / trace.y.size)
    np.testing.assert_allclose(trace.without_drift(drifting), trace.target, atol=1e-9)
    samples = truth_samples(tools, cell)
    found = tools.paired_recordings.correlations(cell, samples)
    assert found["whole"] < found["steady"] - 0.01
    assert found["whole"] == pytest.approx(np.corrcoef(trace.y, samples[0])[0, 1])


def test_limits_say_what_was_put_in(tools, tmp_path, rng):
    """Shares of variance of drift and of white noise are those that made the recording."""
    write_cells(tmp_path, rng, n=1)
    (cell,) = tools.paired_recordings.read_cells(tmp_path)
    shares = tools.ceiling.unexplained(cell, truth_samples(tools, cell))
    variance = cell.traces[0].y.var()
    assert shares["white"] == pytest.approx(0.1**2 / 2 / variance, rel=0.1)  # two frames
    assert shares["drift"] == pytest.approx(0.2**2 / 2 / variance, rel=0.15)
    assert abs(shares["between"]) < 1e-9
    assert abs(shares["rest"]) < 0.1 * shares["white"]


def test_isolated_events_are_isolated(tools, rng):
    frames = np.arange(0, 30, 1 / 30)
    spikes = np.array([3.0, 8.0, 8.05, 12.0, 12.5, 20.0, 20.01, 20.02, 29.5])
    one = tools.isolated_events.Recording(t=frames, y=rng.normal(size=900), spikes=spikes)
    isolated = tools.isolated_events.isolated
    np.testing.assert_allclose(isolated(one, 1), [[3.0]])
    np.testing.assert_allclose(isolated(one, 2), [[8.0, 8.05]])
    np.testing.assert_allclose(isolated(one, 3), [[20.0, 20.01, 20.02]])


def test_average_and_its_landmarks_are_those_of_the_response(tools, tmp_path, rng):
    write_cells(tmp_path, rng, n=1, noise=1e-9)
    (cell,) = tools.paired_recordings.read_cells(tmp_path)
    peak, half = tools.isolated_events.peak_and_half_decay(cell.single.average)
    spike = TRUTH.single_spike()
    assert cell.single.n >= 20
    assert peak == pytest.approx(spike.peak, rel=0.08)  # other events and drift are not gone
    assert half == pytest.approx(spike.half_decay, abs=0.05)


def test_noise_makes_peaks_larger_and_decays_shorter(tools):
    events = tools.isolated_events
    clean = TRUTH.response(TRUTH.kernel(events.GRID))
    still = tools.fit_indicators.as_noisy(clean, 1e-9, 1 / 120)
    noisy = tools.fit_indicators.as_noisy(clean, 0.15, 1 / 120)
    assert still == pytest.approx(events.peak_and_half_decay(events.smoothed(clean)))
    assert noisy[0] > 1.1 * still[0]
    assert noisy[1] < 0.8 * still[1]


def test_cleo_defaults_are_several_times_slower():
    """The statement of the guide, in numbers: 1.3 s against 0.2 s for GCaMP6f."""
    frames = np.arange(0, 5, 0.005)
    dff, _ = dff_of_spikes(gcamp6f().kinetics(), np.zeros(1, int), np.zeros(1), frames, 1)
    top = dff[0].argmax()
    slow = frames[top + np.flatnonzero(dff[0, top:] < dff[0, top] / 2)[0]] - frames[top]
    assert slow > 4 * calibrated_indicator("gcamp6f").single_spike().half_decay


# -- how cells differ ----------------------------------------------------------------------------
def test_cells_with_no_baseline_or_few_spikes_are_left_out(tools, tmp_path, rng):
    write_cells(tmp_path, rng, n=1)
    with np.load(tmp_path / "0.npz") as kept:
        stored = dict(kept)
    largest = tools.paired_recordings.read_cells(tmp_path)[0].largest
    np.savez(tmp_path / "1.npz", **(stored | {"spikes_0": stored["spikes_0"][:9]}))
    np.savez(tmp_path / "2.npz", **(stored | {"spikes_0": stored["spikes_0"][:10]}))
    for ceiling, names in ((1.001 * largest, ["0", "2"]), (0.999 * largest, [])):
        cells = tools.paired_recordings.read_cells(tmp_path, ceiling=ceiling)
        assert [cell.name for cell in cells] == names


def test_shrinkage_is_that_of_the_variances(tools):
    """Equal sets: the common mean. Far apart: their own. Known errors: the textbook's weight."""
    shrunk = tools.pooling.shrunk
    alike, common = shrunk([np.array([-1.0, 1.0]), np.array([-1.0, 1.0, 0.0])])
    np.testing.assert_allclose(alike, common)
    far, _ = shrunk([np.array([-0.01, 0.01]), np.array([9.99, 10.01])])
    np.testing.assert_allclose(far, [0, 10], atol=1e-3)
    groups = [np.array([0.0, 2.0]), np.array([3.0, 5.0])]  # within 2, error 1, Q = 4.5
    means, common = shrunk(groups)
    between = (4.5 - 1) / 1.0
    np.testing.assert_allclose(means, 2.5 + np.array([-1.5, 1.5]) * between / (between + 1))
    assert common == pytest.approx(2.5)


def test_slow_noise_is_found(tools, rng):
    noise = RecordingNoise(white=0.02, slow=0.1, slow_time="0.5 s")
    trace = noise.draw(np.arange(1, 30_001) / 15, np.ones(1), rng)[0]
    variance, time = tools.cell_statistics.slow_noise(
        [trace], [np.ones(trace.size, bool)], 0.02 * np.sqrt(15)
    )
    assert np.sqrt(variance - 0.02**2 * 15) == pytest.approx(0.1, rel=0.06)
    assert time == pytest.approx(0.5, rel=0.15)


def of_cells(tools, logs, events=50):
    """Statistics of cells with sizes and noise given as logarithms, and no errors of either."""
    given = dict.fromkeys(
        (f.name for f in attrs.fields(tools.cell_statistics.CellStatistics)), 0.0
    )
    return [
        tools.cell_statistics.CellStatistics(
            **given
            | {
                "folder": "one",
                "gain": 9.0,
                "peak": np.exp(size),
                "noise": 1e-3 * np.exp(noise),
            }
            | {"events": events, "single_gain": 1.0}
        )
        for size, noise in logs
    ]


def test_spreads_of_many_cells_are_those_they_were_drawn_with(tools, rng):
    """Size, noise, what they share, and so the spread of their ratio."""
    stats, r = tools.cell_statistics, 0.7
    logs = rng.multivariate_normal([0, 0], [[0.25, 0.5 * 0.4 * r], [0.5 * 0.4 * r, 0.16]], 4000)
    rows = stats.size_and_noise(of_cells(tools, logs))
    assert stats.size_spread(rows) == pytest.approx(0.5, rel=0.05)
    assert stats.spread(rows[:, 1]) == pytest.approx(0.4, rel=0.05)
    assert stats.shared_factor(rows) == pytest.approx(r, abs=0.05)


@pytest.mark.parametrize("n", [6, 9, 20])
def test_few_cells_show_the_spread_of_many_on_average(tools, rng, n):
    """Quartiles of six cells alone would have it a fifth too small."""
    found = [tools.cell_statistics.spread(x) for x in rng.normal(0, 0.4, (4000, n))]
    assert np.mean(found) == pytest.approx(0.4, rel=0.02)


def test_noise_of_the_averages_is_no_spread_of_sizes(tools, rng):
    """Cells of one size, whose averages err: what they differ by is taken off."""
    stats = tools.cell_statistics
    step = 0.032  # s, over which averages are smoothed
    size, noise, events = 0.1, 3e-3, 4
    errs = noise / np.sqrt(step * events) / size
    logs = np.column_stack([
        np.log(size) + rng.normal(0, errs, 2000), np.full(2000, np.log(noise / 1e-3))
    ])  # fmt: skip
    rows = stats.size_and_noise(of_cells(tools, logs, events))
    assert stats.spread(rows[:, 0]) == pytest.approx(errs, rel=0.1)
    assert stats.size_spread(rows) < 0.4 * errs


def test_gains_stand_in_where_single_spikes_are_in_noise(tools):
    stats = tools.cell_statistics
    cells = [
        attrs.evolve(c, gain=float(k + 1)) for k, c in enumerate(of_cells(tools, [(-9, 0)] * 5))
    ]
    rows = stats.size_and_noise(cells)
    np.testing.assert_allclose(rows[:, 0], np.log(np.arange(1, 6)) - np.log(3))
    assert not rows[:, 2].any()


def test_parameters_of_the_table_are_those_of_a_fit(tools):
    """Through the vector of logarithms and back: kernel and response stay."""
    entry = tools.fit_indicators.known_entries()["jgcamp8s"]
    theta, unit = tools.cell_statistics.theta_of(entry), calibrated_indicator("jgcamp8s")
    np.testing.assert_allclose(theta.kernel.decays, unit.kernel.decays)
    np.testing.assert_allclose(theta.kernel.mode_weights, unit.kernel.mode_weights, rtol=1e-6)
    found, known = theta.response([0.5, 3, 9]), unit.response([0.5, 3, 9])
    np.testing.assert_allclose(found * unit.response.single_spike, known, rtol=1e-6)


def test_sizes_of_bursts_are_found(tools, tmp_path, rng):
    frames, spikes = np.arange(0, 1000, 1 / 30), np.arange(3, 995, 6.0)
    spikes = np.sort(np.concatenate([spikes, spikes + 0.02, spikes + 0.04]))
    cells = Variability(burst=0.3).draw(1, rng)
    clean = TRUTH.dff(spikes, np.zeros(spikes.size, int), frames, cells=cells)[0]
    trace = clean + rng.normal(0, 0.05, frames.size)
    np.savez(tmp_path / "0.npz", n_recs=1, t_0=frames, dff_0=trace, spikes_0=spikes)
    (cell,) = tools.paired_recordings.read_cells(tmp_path)
    found = tools.cell_statistics.burst_spread(
        cell, tools.fit_indicators.samples_of(cell, TRUTH), 1.0, 0.05
    )
    assert found == pytest.approx(0.3, rel=0.2)
