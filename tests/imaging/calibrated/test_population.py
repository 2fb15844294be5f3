"""Cells as recorded ones differ: factors, sizes of bursts, noise, and dF/F as recorded."""

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.core.errors import InputError, UnitError, UnknownNameError
from cleo_like.imaging.calibrated import (
    CellFactors,
    OnlineCells,
    RecordingNoise,
    Variability,
    calibrated_indicator,
    calibrated_names,
)
from cleo_like.imaging.calibrated.population.bursts import burst_numbers
from cleo_like.imaging.calibrated.population.noise import FrameNoise

NOISE = RecordingNoise(white=0.02, slow=0.1, slow_time="0.5 s")


# -- factors -----------------------------------------------------------------------------------
def test_gain_and_noise_are_one_factor_where_they_are_said_to_be(rng):
    spread = Variability(gain=0.5, noise=0.4, shared=0.8, duration=0.1, correlation=-0.5)
    cells = spread.draw(40_000, rng)
    gain, noise, duration = np.log([cells.gain, cells.noise, cells.duration])
    assert np.corrcoef(gain, noise)[0, 1] == pytest.approx(0.8, abs=0.01)
    assert np.corrcoef(gain, duration)[0, 1] == pytest.approx(-0.5, abs=0.02)
    assert noise.std() == pytest.approx(0.4, rel=0.02)
    # spread of SNR by the law of variances
    expected = np.sqrt(0.5**2 + 0.4**2 - 2 * 0.8 * 0.5 * 0.4)
    assert (gain - noise).std() == pytest.approx(expected, rel=0.02)


def test_bursts_have_the_spread_that_is_stated(rng):
    bursts = np.log(Variability(burst=0.3).draw(300, rng).bursts)
    assert bursts.shape[0] == 300
    assert bursts.std() == pytest.approx(0.3, rel=0.02)
    # a gain is that of the mean burst: large ones do not make it larger
    assert np.exp(bursts).mean() == pytest.approx(1, abs=0.005)
    assert Variability().draw(3, rng).bursts_are_alike


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"noise": [1.0, 0.0]}, "noise must be a vector of positive"),
        ({"noise": [1.0]}, "one length, got gain 2, duration 2, noise 1"),
        ({"bursts": [1.0, 1.0]}, "bursts must be a table"),
        ({"bursts": np.ones((2, 0))}, "one length"),
    ],
)
def test_wrong_factors(wrong, message):
    with pytest.raises(InputError, match=message):
        CellFactors(gain=[1.0, 1.0], duration=[1.0, 1.0], **wrong)


# -- bursts ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("gap", "second"), [(1.0, 2.0), (0.999, 1.0)])
def test_a_burst_begins_after_a_second_of_silence(gap, second):
    """Half a second after its only spike, dF/F has the factor of the burst the spike is of."""
    indicator = attrs.evolve(calibrated_indicator("jgcamp8f"), variability=Variability())
    cells = CellFactors(gain=[1.0], duration=[1.0], bursts=[[1.0, 2.0]])
    short = attrs.evolve(
        indicator, kernel=attrs.evolve(indicator.kernel, decays=["20 ms"], weights=[1.0])
    )
    frames = [gap + 0.01]  # nothing is left of the first spike
    plain = short.dff([0.0, gap], [0, 0], frames, n=1)
    sized = short.dff([0.0, gap], [0, 0], frames, cells=cells)
    np.testing.assert_allclose(sized, second * plain, rtol=1e-6)


def test_sizes_mix_by_what_is_left_of_each_burst():
    """The factor is the mean of the bursts', weighted by the calcium of each: the definition."""
    indicator = calibrated_indicator("gcamp6s")
    cells = CellFactors(gain=[1.0], duration=[1.0], bursts=[[0.5, 1.5, 3.0]])
    spikes, number = np.array([0.1, 0.2, 1.3, 1.35, 2.6]), [0, 0, 1, 1, 2]
    frames = np.arange(0, 5, 0.1)
    parts = np.array([indicator.kernel(frames - s) for s in spikes])
    total = parts.sum(axis=0)
    factor = np.array([0.5, 1.5, 3.0])[number] @ parts / np.where(total > 0, total, 1)
    found = indicator.dff(spikes, np.zeros(5, int), frames, cells=cells)[0]
    np.testing.assert_allclose(found, factor * indicator.response(total), rtol=1e-9, atol=1e-12)


def test_bursts_are_taken_round_and_round():
    indicator = calibrated_indicator("jgcamp8f")
    cells = CellFactors(gain=[1.0], duration=[1.0], bursts=[[1.0, 4.0]])
    spikes = np.arange(4) * 60.0
    found = indicator.dff(spikes, np.zeros(4, int), spikes + 0.05, cells=cells)[0]
    np.testing.assert_allclose(found / found[0], [1, 4, 1, 4], rtol=1e-3)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), parts=st.integers(1, 6))
def test_bursts_numbered_in_parts_are_those_numbered_at_once(seed, parts):
    rng = np.random.default_rng(seed)
    times, cells = np.sort(rng.uniform(0, 20, 50)), rng.integers(0, 4, 50)

    def numbered(which, last, count):
        order = which[np.lexsort((times[which], cells[which]))]
        out[order] = burst_numbers(times[order], cells[order], last, count)

    out, found = np.zeros(50, int), []
    for pieces in (1, parts):
        last, count = np.full(4, -np.inf), np.zeros(4, int)
        for which in np.array_split(np.arange(50), pieces):
            numbered(which, last, count)
        found.append(out.copy())
    np.testing.assert_array_equal(*found)
    for cell in range(4):  # the definition
        mine = times[cells == cell]
        expected = np.cumsum(np.diff(mine, prepend=-np.inf) >= 1.0) - 1
        np.testing.assert_array_equal(found[0][cells == cell], expected)


def test_online_equals_all_at_once_with_bursts(rng):
    indicator = calibrated_indicator("gcamp6f")
    cells = attrs.evolve(indicator.variability, burst=0.4).draw(4, rng)
    times, who = np.sort(rng.uniform(0, 30, 80)), rng.integers(0, 4, 80)
    frames = np.cumsum(rng.uniform(0.01, 0.6, 90))
    together = indicator.dff(times, who, frames, cells=cells)
    online, seen, before = OnlineCells(indicator, cells), [], -1.0
    for k, frame in enumerate(frames):
        new = (times > before) & (times <= frame)
        if k == 40:  # going back changes nothing
            kept = online.state()
            online.advance(frame, who[new], times[new])
            online.set_state(kept)
        online.advance(frame, who[new], times[new])
        seen.append(online.dff())
        before = frame
    np.testing.assert_allclose(np.transpose(seen), together, rtol=1e-9, atol=1e-12)


# -- noise -------------------------------------------------------------------------------------
@pytest.mark.parametrize("rate", [7.5, 30.0, 120.0])
def test_noise_is_right_at_any_frame_rate(rate, rng):
    """White variance grows with the rate; the slow part is the mean over each frame."""
    frames = np.arange(1, int(300 * rate) + 1) / rate
    found = NOISE.draw(frames, np.ones(60), rng)
    x = 1 / (rate * 0.5)
    mean = 2 * (x - 1 + np.exp(-x)) / x**2
    assert found.var() == pytest.approx(0.02**2 * rate + 0.1**2 * mean, rel=0.04)
    lag = np.mean(found[:, 2:] * found[:, :-2])
    expected = 0.1**2 * np.exp(-x) * ((1 - np.exp(-x)) / x) ** 2  # ends are independent of it
    assert lag == pytest.approx(expected, rel=0.06)


def test_fast_frames_averaged_are_slow_frames(rng):
    """Noise drawn at 60 Hz and averaged to 15 Hz has the moments of noise drawn at 15 Hz."""
    fast = NOISE.draw(np.arange(1, 24_001) / 60, np.ones(60), rng)
    averaged = fast.reshape(60, -1, 4).mean(axis=2)
    slow = NOISE.draw(np.arange(1, 6_001) / 15, np.ones(60), rng)
    for lag in (0, 1, 5):
        one, other = (np.mean(a[:, lag:] * a[:, : 6000 - lag]) for a in (averaged, slow))
        assert one == pytest.approx(other, rel=0.05)


def test_irregular_frames_have_the_same_process(rng):
    frames = np.cumsum(rng.choice([0.02, 0.3], 4000))
    noise = RecordingNoise(slow=1.0, slow_time="0.5 s")
    found = noise.draw(frames, np.ones(200), rng)
    lengths = np.diff(frames, prepend=frames[0] - (frames[1] - frames[0]))
    for length in (0.02, 0.3):
        x = length / 0.5
        expected = 2 * (x - 1 + np.exp(-x)) / x**2
        which = np.isclose(lengths, length)
        assert found[:, which].var() == pytest.approx(expected, rel=0.04)


def test_noise_is_deterministic_whatever_the_memory(monkeypatch):
    def draw():
        return NOISE.draw(np.arange(90) / 30, np.ones(7), np.random.default_rng(4))

    whole = draw()
    monkeypatch.setattr("cleo_like.imaging.calibrated.population.noise._VALUES_AT_ONCE", 100)
    np.testing.assert_array_equal(draw(), whole)


def test_drift_and_offsets_are_added_on_request(rng):
    noise = RecordingNoise(drift=0.3, offset=0.2)
    frames = np.arange(1, 6001) / 10
    assert noise.draw(frames, np.ones(3), rng, drift=False).max() == 0
    drift = noise.draw(np.arange(1, 20_001) / 2, np.ones(60), rng)
    assert drift.std() == pytest.approx(0.3, rel=0.05)
    assert np.mean(drift[:, 120:] * drift[:, :-120]) == pytest.approx(
        0.09 * np.exp(-1), rel=0.1
    )  # a minute apart
    offset = noise.draw(
        frames, np.ones(4000), rng, drift=False, recording_starts=[0.0, 200.0, 400.0]
    )
    steps = np.flatnonzero(np.diff(offset[0])) + 1
    np.testing.assert_allclose(frames[steps], [200.0, 400.0])
    assert offset.std() == pytest.approx(0.2, rel=0.05)


def test_noise_scales_with_the_cell(rng):
    seeds = [np.random.default_rng(2) for _ in range(2)]
    one, other = (
        NOISE.draw(np.arange(30) / 30, factors, seed)
        for factors, seed in zip(([1.0, 1.0], [1.0, 3.0]), seeds, strict=True)
    )
    np.testing.assert_allclose(other, one * [[1.0], [3.0]])


def test_frame_by_frame_noise_is_that_of_all_frames(rng):
    """At 100 Hz, frames are short for the slow part: instants are as means."""
    noise = FrameNoise(np.full(500, 2.0), slow=1.5, slow_time=0.5)
    sigma = np.full(500, 0.1)
    found = np.array([noise.next(k / 100, sigma, rng) for k in range(400)])
    assert found.std() == pytest.approx(0.2 * np.sqrt(1 + 1.5**2), rel=0.03)
    assert np.mean(found[50:] * found[:-50]) == pytest.approx(
        (0.2 * 1.5) ** 2 * np.exp(-1), rel=0.1
    )
    kept = noise.state()
    ahead = noise.next(4.0, sigma, np.random.default_rng(1))
    noise.set_state(kept)
    np.testing.assert_array_equal(noise.next(4.0, sigma, np.random.default_rng(1)), ahead)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"white": -1}, InputError, "0 or more"),
        ({"slow": np.nan}, InputError, "0 or more"),
        ({"slow_time": "0 s"}, InputError, "above 0 s"),
        ({"slow_time": "1 mV"}, UnitError, "slow_time"),
    ],
)
def test_wrong_noise(wrong, error, message):
    with pytest.raises(error, match=message):
        RecordingNoise(**wrong)


def test_frames_must_increase(rng):
    with pytest.raises(InputError, match="increasing"):
        NOISE.draw([0.0, 0.0], [1.0], rng)


# -- traces as recorded --------------------------------------------------------------------------
@pytest.mark.parametrize("name", calibrated_names())
def test_traces_are_truth_and_noise(name):
    indicator = calibrated_indicator(name)
    frames = np.arange(1, 301) / 30
    spikes, who = np.array([1.0, 1.02, 5.0]), np.array([1, 1, 0])
    traces, again = (
        indicator.traces(spikes, who, frames, np.random.default_rng(3), n=2) for _ in range(2)
    )
    np.testing.assert_array_equal(traces.fluorescence, again.fluorescence)
    truth = traces.truth
    assert [t.tolist() for t in truth.spike_times] == [[5.0], [1.0, 1.02]]
    noise = traces.fluorescence - truth.fluorescence
    white = indicator.noise.of_frame(30.0) * traces.rois["noise"]
    seen = np.diff(noise).std(axis=1) / np.sqrt(2)
    np.testing.assert_allclose(seen, white, rtol=0.25)  # 300 frames
    assert truth.fluorescence[0, frames < 5].max() == 0
    with pytest.raises(InputError, match="one of them"):
        indicator.traces(spikes, who, frames, np.random.default_rng(3))


def test_no_cells_and_no_frames():
    indicator = calibrated_indicator("gcamp6f")
    rng = np.random.default_rng(1)
    nobody = np.zeros(0, int)
    assert indicator.traces([], nobody, [0.1, 0.2], rng, n=0).fluorescence.shape == (0, 2)
    assert indicator.traces([], nobody, [], rng, n=2).fluorescence.shape == (2, 0)


def test_every_indicator_says_how_its_cells_differ():
    for name in calibrated_names():
        evidence = calibrated_indicator(name).evidence
        for part in ("variability", "noise"):
            for key, one in evidence[part].items():
                assert np.isfinite(one["value"]), (name, key)
                assert one["n"] <= sum(s["cells"] for s in evidence["sets"].values()), name
                if one["n"] >= 2:
                    low, high = one["interval"]
                    assert low <= high, (name, key)


def test_sets_of_one_indicator_have_gains_of_their_own():
    pooled = calibrated_indicator("gcamp6s")
    sets = pooled.evidence["sets"]
    assert set(sets) == {"DS14", "DS15"}
    for name, one in sets.items():
        mine = calibrated_indicator("gcamp6s", recordings=name)
        ratio = mine.response.single_spike / pooled.response.single_spike
        assert ratio == pytest.approx(one["gain"])
    with pytest.raises(UnknownNameError, match="DS14"):
        calibrated_indicator("gcamp6s", recordings="DS99")
