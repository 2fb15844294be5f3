"""Agreement of rankings on made-up scores, simulations of a made-up set, and real recordings."""

import attrs
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from cleo_like.core.errors import (
    FileFormatError,
    InputError,
    UnknownNameError,
    UnsupportedError,
)
from cleo_like.groundtruth.calcium.methods import calcium_function, calcium_method
from cleo_like.groundtruth.calcium.ranking import (
    MAIN,
    POOLED,
    POPULATION,
    REAL,
    STAGES,
    TRAINS,
    calcium_ranking,
    read_ranking,
    verdict,
)
from cleo_like.groundtruth.calcium.ranking.agreement import (
    Values,
    agreement,
    compare,
    halves,
    ranks_agree,
    reliability,
    signs,
    summary,
)
from cleo_like.groundtruth.calcium.ranking.blame import REST, blame
from cleo_like.groundtruth.calcium.ranking.recordings import (
    FEWEST_SPIKES,
    SHORTEST,
    indicator_of,
    read_sets,
)
from cleo_like.groundtruth.calcium.ranking.simulate import _fitted, _surrogate, simulate
from cleo_like.imaging.calibrated import calibrated_indicator
from cleo_like.imaging.calibrated.population import CellFactors
from cleo_like.report.calcium_page import ranking_page, verdicts

METHODS = ("a", "b", "c", "d", "e")
QUICK = ("suite2p", "wiener", "difference", "dff", "threshold")


def scores(rng, level, noise, sets=("DS1",) * 6 + ("DS2",) * 4):
    values = np.asarray(level) + noise * rng.standard_normal((len(sets), len(level)))
    return Values(values=values, sets=np.array(sets), methods=METHODS)


LEVEL = np.array([0.9, 0.8, 0.5, 0.3, 0.31])


def test_the_same_scores_agree_and_reversed_ones_do_not(rng):
    one = scores(rng, LEVEL, 0.01)
    same = compare(one, one)
    assert (same["rho"], same["signs"], same["error"], same["bias"]) == (1, 1, 0, 0)
    assert same["pairs"] == 9  # of ten, two methods are .01 apart
    other = attrs.evolve(one, values=1 - one.values)
    turned = compare(one, other)
    assert turned["rho"] == pytest.approx(-1)
    assert turned["signs"] == 0
    shifted = compare(one, attrs.evolve(one, values=one.values + 0.04))
    assert (shifted["rho"], shifted["signs"]) == (1, 1)
    assert shifted["error"] == pytest.approx(0.04)
    assert shifted["largest"] == pytest.approx(0.04)


def test_every_set_counts_alike():
    sets = np.array(["DS1"] * 9 + ["DS2"])
    values = np.repeat([[1.0, 0.0, 0, 0, 0]], 10, axis=0)
    values[9] = 0
    assert Values(values=values, sets=sets, methods=METHODS).means()[0] == 0.5


def test_reliability_is_high_for_clear_scores_and_none_for_noise(rng):
    assert reliability(scores(rng, LEVEL * 3, 0.01))[0] > 0.95
    rho, possible = np.mean(
        [reliability(scores(rng, np.zeros(5), 1.0, ("DS1",) * 40)) for _ in range(30)], axis=0
    )
    assert abs(rho) < 0.25
    assert possible == pytest.approx(0.5, abs=0.12)


def test_halves_are_halves_within_each_set(rng):
    sets = np.array(["DS1"] * 6 + ["DS2"] * 3)
    drawn = halves(sets, rng, 400)
    assert (drawn[:, :6].sum(axis=1) == 3).all()
    assert set(drawn[:, 6:].sum(axis=1)) == {1, 2}
    np.testing.assert_allclose(drawn.mean(axis=0), 0.5, atol=0.1)


def test_rank_correlation_is_that_of_scipy(rng):
    a, b = rng.random((2, 20, 7)).round(1)
    expected = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(ranks_agree(a, b), expected)


@pytest.mark.parametrize(("difference", "pairs"), [(0.0199, 0), (0.0201, 1)])
def test_only_clear_differences_count(difference, pairs):
    real, found = np.array([0.5, 0.5 + difference]), np.array([0.1, 0.2])
    assert signs(real, found) == (pairs, pairs)
    assert signs(real, -found) == (0, pairs)


def table(rng, errors):
    """Cells of two sets: real scores, and stages that are off by a known amount."""
    real = scores(rng, LEVEL, 0.02)
    rows = []
    for stage, error in {REAL: 0.0, **errors}.items():
        for k, (name, row) in enumerate(zip(real.sets, real.values, strict=True)):
            rows += [
                {"set": name, "cell": f"c{k}", "stage": stage, "extractor": m, "corr_100": v}
                for m, v in zip(METHODS, row + error, strict=True)
            ]
    return pd.DataFrame(rows)


def test_agreement_and_blame(rng):
    """Spike trains cost .05, the gain .1: the gain is to blame."""
    errors = {
        "population": 0.2, "same trains": 0.15, "gain": 0.05, "noise": 0.14,
        "gain and noise": 0.04, "spectrum": 0.03, "white noise": 0.21,
    }  # fmt: skip
    found = agreement(table(rng, errors), ("corr_100",))
    pooled = found[found["scope"] == POOLED].set_index("stage")
    assert pooled["error"].to_dict() == pytest.approx(errors)
    assert set(found["scope"]) == {POOLED, "DS1", "DS2"}
    blamed = blame(found)
    own = blamed[blamed["scope"] == POOLED].set_index("stage")["explains"]
    assert own["spike trains"] == pytest.approx(0.05)
    assert own["gain of the cell"] == pytest.approx(0.1)
    assert own["white noise"] == pytest.approx(0.06)
    assert own[REST] == pytest.approx(0.03)
    assert verdict(blamed, "corr_100").startswith("gain of the cell: 0.1")
    worse = blame(agreement(table(rng, errors | {"spectrum": 0.3}), ("corr_100",)))
    said = verdict(worse, "corr_100")
    assert said == f"{REST}: with all else matched 0.300, with nothing 0.200"
    some = agreement(table(rng, {"population": 0.2, "same trains": 0.1}), ("corr_100",))
    assert "--stages all" in verdict(blame(some), "corr_100")
    assert summary(found).set_index("stage").loc["population", "set_error"] == pytest.approx(
        0.2
    )


def test_a_method_that_is_not_scored_on_a_set_narrows_the_pool(rng):
    made = table(rng, {"population": 0.1})
    made = made[~((made["set"] == "DS1") & (made["extractor"] == "a"))]
    found = agreement(made, ("corr_100",))
    assert found[found["scope"] == POOLED]["cells"].iloc[0] == 4  # DS2 only


def paired_file(folder, rng, *, name="cell", seconds=60.0, rate=30.0, spikes=30, gain=2.0,
                noise=0.05):  # fmt: skip
    """A recording of jGCaMP8m whose gain is known."""
    t = np.arange(1, int(seconds * rate) + 1) / rate + 3.0
    times = np.sort(rng.uniform(3.0, 3.0 + seconds, spikes))
    model = calibrated_indicator("jgcamp8m")
    cells = CellFactors(gain=[gain], duration=[1.0])
    y = model.dff(times, np.zeros(spikes, int), t, cells=cells)[0]
    y = y + noise * rng.standard_normal(y.size)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"{name}.npz", n_recs=1, t_0=t, dff_0=y, spikes_0=times)
    return times, y


@pytest.fixture
def made_up(tmp_path, rng):
    folder = tmp_path / "data" / "DS31-GCaMP8m-m-V1"
    for k in range(3):
        paired_file(folder, rng, name=f"cell{k}", gain=2.0, seconds=40.0)
    return folder.parent


def test_recordings_are_sampled_with_their_spikes(made_up):
    (one,) = read_sets(made_up)
    assert (one.name, one.indicator, one.rate) == ("DS31", "jgcamp8m", 15.0)
    assert one.dff.shape == (3, 600)
    truth = one.imaged(one.dff, one.times, one.rows)
    assert truth.counts.sum(axis=1).tolist() == [30] * 3
    model = calibrated_indicator("jgcamp8m")
    own = (
        model.dff(one.times, one.rows, np.arange(1, 1201) / 30, n=3).reshape(3, 600, 2).mean(2)
    )
    gain, offset = _fitted(one, own)
    np.testing.assert_allclose(gain, 2.0, rtol=0.05)
    np.testing.assert_allclose(offset, 0.0, atol=0.03)


@pytest.mark.parametrize(
    ("given", "cells"),
    [
        ({"spikes": FEWEST_SPIKES}, 1), ({"spikes": FEWEST_SPIKES - 1}, 0),
        ({"seconds": SHORTEST + 0.1}, 1), ({"seconds": SHORTEST - 0.1}, 0),
        ({"gain": 400.0}, 0),
    ],
)  # fmt: skip
def test_cells_that_are_used(tmp_path, rng, given, cells):
    paired_file(tmp_path / "DS31-x", rng, **given)
    found = list(read_sets(tmp_path))
    assert sum(len(s.cells) for s in found) == cells


def test_recordings_of_other_rates_keep_their_spikes_in_their_frames(tmp_path, rng):
    """10.0 and 11.6 Hz, and 30.0 beside 30.3 Hz: each spike is in the frame that shows it."""
    folder = tmp_path / "DS31-x"
    for name, rate in (("a", 10.0), ("b", 11.6), ("c", 30.0), ("d", 30.3), ("e", 31.5)):
        paired_file(folder, rng, name=name, rate=rate, spikes=20, seconds=100.0,
                    noise=0.01)  # fmt: skip
    found = list(read_sets(tmp_path))
    assert [s.cells for s in found] == [("a",), ("b",), ("c", "d"), ("e",)]
    assert [round(s.rate, 2) for s in found] == [10.0, 11.6, 15.07, 15.75]
    assert all(len(s.trains) == 5 for s in found)
    for one in found:
        model = calibrated_indicator("jgcamp8m")
        sub = round(one.native_rate / one.rate)
        fine = np.arange(1, one.dff.shape[1] * sub + 1) / (one.rate * sub)
        own = model.dff(one.times, one.rows, fine, n=len(one.dff))
        own = own.reshape(len(one.dff), -1, sub).mean(axis=2)
        for mine, y in zip(own, one.dff, strict=True):
            seen = np.isfinite(y)
            assert np.corrcoef(mine[seen], y[seen])[0, 1] > 0.97


def test_sets_and_indicators():
    assert indicator_of("DS09") == "gcamp6f"
    assert indicator_of("DS99") is None


def test_stages_take_what_they_say_from_the_recording(made_up):
    (one,) = read_sets(made_up)
    for name, stage in STAGES.items():
        dff, times, rows = simulate(one, stage, 0)
        if name in {POPULATION, "spectrum"}:
            assert np.array_equal(dff, simulate(one, stage, 0)[0], equal_nan=True)
            assert not np.array_equal(dff, simulate(one, stage, 1)[0], equal_nan=True)
        assert dff.shape == one.dff.shape
        same = times.size == one.times.size and np.array_equal(times, one.times)
        assert same == (name != POPULATION)
        if name == POPULATION:  # spikes of the other cells, as many
            for row in range(3):
                mine = times[rows == row]
                donors = [k for k in range(3) if k != row]
                kept = [set(one.times[one.rows == k]) >= set(mine) for k in donors]
                assert any(kept)
    own, drawn = (np.corrcoef(simulate(one, STAGES[s], 0)[0][0], one.dff[0])[0, 1]
                  for s in ("spectrum", TRAINS))  # fmt: skip
    assert own > drawn > 0.5


def test_surrogate_noise_has_the_same_spectrum(rng):
    left = np.cumsum(rng.standard_normal((2, 400)), axis=1)
    left[1, 300:] = np.nan
    found = _surrogate(left, rng)
    for row, n in ((0, 400), (1, 300)):
        a, b = (np.abs(np.fft.rfft(x[row, :n]))[1:-1] for x in (left, found))
        np.testing.assert_allclose(a, b, rtol=1e-6)
    assert np.isnan(found[1, 300:]).all()


def test_a_ranking_is_kept_and_a_new_method_runs_alone(made_up, tmp_path):
    methods = [calcium_method(n) for n in QUICK]
    folder = tmp_path / "study"
    found = calcium_ranking(methods, data=made_up, folder=folder, stages=(POPULATION, TRAINS),
                            repeats=1, progress=False)  # fmt: skip
    assert len(found.cells) == 3 * 3 * len(QUICK)
    before = {p: p.stat().st_mtime_ns for p in (folder / "ranking").rglob("*.csv")}

    def mine(dff, rate):
        return np.maximum(dff, 0)

    def trained(dff, rate):
        return dff

    trained.trained_on = ("DS31",)
    more = [*methods, calcium_function(mine), calcium_function(trained)]
    again = calcium_ranking(more, data=made_up, folder=folder, stages=(POPULATION, TRAINS),
                            repeats=1, progress=False)  # fmt: skip
    after = {p: p.stat().st_mtime_ns for p in (folder / "ranking").rglob("*.csv")}
    assert all(after[p] == t for p, t in before.items())
    assert len(after) == len(before) + 3
    assert "DS31: trained was trained on it" in again.notes
    assert set(again.cells["extractor"]) == {*QUICK, "mine"}
    back = read_ranking(folder)
    assert back.notes == again.notes
    pd.testing.assert_frame_equal(back.summary, again.summary, check_dtype=False)
    assert "Indicator by indicator" in ranking_page(back).html()
    assert len(verdicts(back)) == 6 * 2
    assert read_ranking(tmp_path) is None


def test_wrong_input(tmp_path, monkeypatch, made_up):
    methods = [calcium_method(n) for n in QUICK]
    monkeypatch.delenv("CLEO_LIKE_DATA", raising=False)
    with pytest.raises(UnsupportedError, match="CLEO_LIKE_DATA"):
        calcium_ranking(methods, folder=tmp_path)
    with pytest.raises(UnsupportedError, match="not found in"):
        calcium_ranking(methods, data=tmp_path / "none", folder=tmp_path)
    with pytest.raises(UnknownNameError, match="populations"):
        calcium_ranking(methods, data=made_up, folder=tmp_path, stages=["populations"])
    with pytest.raises(InputError, match="three methods"):
        calcium_ranking(methods[:2], data=made_up, folder=tmp_path)
    np.savez(made_up / "DS31-GCaMP8m-m-V1" / "bad.npz", t=1)
    with pytest.raises(FileFormatError, match="n_recs"):
        calcium_ranking(methods, data=made_up, folder=tmp_path, progress=False)


@pytest.mark.data
@pytest.mark.slow
def test_the_ranking_of_quick_methods_on_real_recordings_is_predicted(data_dir, tmp_path):
    """Three cells of a set, six methods: better predicted than by half of the cells."""
    methods = [calcium_method(n) for n in (*QUICK, "richardson_lucy", "wiener_wrong")]
    found = calcium_ranking(
        methods, data=data_dir / "ophys_gt" / "dev", folder=tmp_path, stages=MAIN, repeats=1,
        cells=3, longest=60.0, progress=False,
    )  # fmt: skip
    assert found.cells["indicator"].nunique() >= 6
    pooled = found.summary.set_index(["score", "stage"])
    for score in ("corr_100", "corr_200", "f1"):
        one = pooled.loc[(score, POPULATION)]
        assert one["rho"] >= one["reliability"] - 0.05
        assert one["signs"] >= 0.78
        assert one["rho"] > pooled.loc[(score, "Cleo's kinetics"), "rho"] - 0.2
