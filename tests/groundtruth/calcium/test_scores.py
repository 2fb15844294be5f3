"""Scores of single cells, counted by hand."""

import numpy as np
import pytest

from cleo_like.groundtruth.calcium.chain import Imaged
from cleo_like.groundtruth.calcium.scores import (
    BANDWIDTHS,
    CORRELATIONS,
    cell_scores,
    silent,
    smoothed,
)

RATE, N = 100.0, 2000


def truth(*cells, noise=0.1, indicator="jgcamp8m"):
    counts = np.zeros((len(cells), N), dtype=int)
    for row, frames in enumerate(cells):
        np.add.at(counts[row], list(frames), 1)
    return Imaged(
        dff=np.zeros(counts.shape), frame_rate=RATE, indicator=indicator, counts=counts,
        noise_sd=np.full(len(cells), noise),
    )  # fmt: skip


def answer(*cells, **more):
    counts = truth(*cells).counts.astype(float)
    return {"rate": counts * RATE, "events": counts} | more


FRAMES = (100, 400, 410, 900, 1500)


def test_the_truth_scores_one():
    one = truth(FRAMES, ())
    found = cell_scores(answer(FRAMES, (), noise=one.noise_sd), one)
    for name in (*CORRELATIONS, "f1", "noise_ratio", "events_per_event"):
        assert found[name][0] == pytest.approx(1.0)
    for name in ("rate_bias", "lag", "false_per_minute", "missing", "constant"):
        assert found[name][0] == 0
    assert all(np.isnan(found[name][1]) for name in (*CORRELATIONS, "f1", "rate_bias", "lag"))


def test_correlation_is_that_of_the_smoothed_rates(rng):
    from scipy.ndimage import gaussian_filter1d

    one = truth(FRAMES)
    trace = rng.random((1, N))
    found = cell_scores({"trace": trace}, one)
    for ms, name in zip(BANDWIDTHS, CORRELATIONS, strict=True):
        sd = ms * 1e-3 * RATE
        norm = gaussian_filter1d(np.ones(N), sd, mode="constant")
        a, b = (
            gaussian_filter1d(x.astype(float), sd, mode="constant") / norm
            for x in (one.counts[0], trace[0])
        )
        assert found[name][0] == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-9)
    assert np.isnan(found["rate_bias"]).all()  # a trace says nothing of spikes/s
    assert np.isnan(found["f1"]).all()


@pytest.mark.parametrize(
    ("found", "hits", "false", "missed"),
    [
        ((110,), 1, 0, 0),  # 0.1 s late: just inside
        ((111,), 0, 1, 1),  # just outside
        ((90,), 1, 0, 0),
        ((100, 110), 1, 0, 0),  # within 0.1 s of each other: one event
        ((100, 111), 1, 1, 0),
        ((), 0, 0, 1),
    ],
)
def test_events_within_a_tenth_of_a_second(found, hits, false, missed):
    scores = cell_scores(answer(found), truth((100,)))
    assert (scores["hits"][0], scores["false"][0], scores["missed"][0]) == (hits, false, missed)
    assert scores["f1"][0] == pytest.approx(2 * hits / (2 * hits + false + missed))


def test_spikes_nearer_than_a_tenth_of_a_second_are_one_event():
    assert cell_scores(answer((100,)), truth((100, 110, 120)))["missed"][0] == 0
    assert cell_scores(answer((100,)), truth((100, 111)))["missed"][0] == 1


@pytest.mark.parametrize("late", [-3, -1, 0, 2])
def test_lag_counts_frames(late):
    moved = tuple(f + late for f in FRAMES)
    found = cell_scores(answer(moved), truth(FRAMES))
    assert found["lag"][0] == late


def test_rate_and_noise():
    found = answer(FRAMES, noise=np.array([0.2]))
    found["rate"] = found["rate"] * 1.5
    scores = cell_scores(found, truth(FRAMES))
    assert scores["rate_bias"][0] == pytest.approx(0.5)
    assert scores["noise_ratio"][0] == pytest.approx(2.0)
    assert np.isnan(cell_scores(found, truth(FRAMES, noise=0.0))["noise_ratio"][0])


def test_nan_and_constants_are_never_right():
    given = answer(FRAMES, FRAMES, FRAMES)
    given["rate"][0, 5] = np.nan
    given["events"][0, 5] = np.nan
    given["rate"][1] = 3.0
    scores = cell_scores(given, truth(FRAMES, FRAMES, FRAMES))
    assert scores["missing"].tolist() == [1, 0, 0]
    assert scores["constant"].tolist() == [0, 1, 0]
    for name in CORRELATIONS:
        assert scores[name][:2].tolist() == [0, 0]
        assert scores[name][2] == pytest.approx(1)
    assert scores["f1"][0] == 0
    assert scores["missed"][0] == 4


def test_frames_that_are_not_there_do_not_count():
    one = truth(FRAMES)
    one.dff[0, 1000:] = np.nan
    given = answer(FRAMES)
    given["rate"][0, 1000:] = np.nan  # no fault: there was no frame
    scores = cell_scores(given, one)
    assert scores["missing"][0] == 0
    assert scores["corr_100"][0] == pytest.approx(1)
    assert scores["spikes"][0] == 4


def test_events_in_silence():
    one = truth((100,))
    assert silent(one)[0].sum() == N - 401  # 3 s after the spike
    slow = truth((100,), indicator="gcamp6s")
    assert silent(slow)[0].sum() == N - 701
    found = cell_scores(answer((100, 300, 400, 401, 900)), one)
    assert found["false_per_minute"][0] == pytest.approx(2 / ((N - 401) / RATE / 60), rel=0.6)


def test_smoothing_keeps_a_constant():
    seen = np.ones((1, 50), dtype=bool)
    seen[0, 40:] = False
    found = smoothed(np.where(seen, 2.0, 0.0), seen, 3.0)
    np.testing.assert_allclose(found[0, :40], 2.0)
