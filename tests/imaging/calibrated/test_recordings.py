"""Calibrated indicators against recordings: the table's claims, and cells never fitted."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cleo_like.imaging.calibrated import calibrated_indicator, calibrated_names

TOOLS = Path(__file__).resolve().parents[3] / "tools"
ASKED = (
    "gcamp6f", "gcamp6s", "jgcamp7f", "jgcamp8m", "jgcamp8s", "xcamp_gf", "jrgeco1a",
)  # fmt: skip
SINGLE = ("gcamp6f", "gcamp6s", "jgcamp7f", "jgcamp8m", "jgcamp8s", "xcamp_gf")
"""Those whose response to one spike was measured in four cells or more, and is met."""
WANTED = 0.90
"""Correlation on whole recordings that is asked of these."""


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    names = ("paired_recordings", "indicator_model", "fit_indicators", "sets")
    return SimpleNamespace(**{name: importlib.import_module(name) for name in names})


def cells_of(data_dir, tools, name):
    """The recorded cells of an indicator, screened as in the fit."""
    (one,) = [s for s in tools.sets.SETS if s.name == name]
    folders = [data_dir / "ophys_gt" / "dev" / folder for folder in one.folders]
    return tools.paired_recordings.read_cells(*folders, ceiling=one.ceiling[0])


def held_out(name):
    return calibrated_indicator(name).evidence["held_out"]


@pytest.mark.parametrize("name", ASKED)
def test_held_out_correlation_is_as_asked_or_near_the_limit_of_the_cells(name):
    """0.90, or at most 0.045 less than kinetics fitted to the very cells that are predicted.

    (0.04 before the size of the largest events had a part in the fit: GCaMP6f lost 0.002.)
    """
    limit = calibrated_indicator(name).evidence["limits"]["own_kinetics"]["median"]
    assert held_out(name)["correlation"]["median"] >= min(WANTED, limit - 0.045)


@pytest.mark.parametrize("name", ASKED)
def test_prediction_is_better_than_that_of_published_kinetics(name):
    found = held_out(name)
    for other in {"cleo", "s2f"} & set(found):
        assert found["correlation"]["median"] > found[other]["correlation"]["median"], other


def test_shares_of_the_unexplained_are_shares():
    """Only the SST set, fitted to the beginnings of its recordings, has no limits."""
    for name in set(calibrated_names()) - {"gcamp6f_sst"}:
        limits = calibrated_indicator(name).evidence["limits"]
        assert 0 < limits["own_kinetics"]["median"] < 1, name
        assert all(
            limits[part]["low"] > -0.02 for part in ("between", "drift", "white", "rest")
        )


@pytest.mark.parametrize("name", calibrated_names())
def test_largest_events_of_held_out_cells_are_within_a_factor_of_two(name):
    """A correlation cannot see it: the 99.9th percentile of dF/F, model over data, by set."""
    for ratio in calibrated_indicator(name).evidence["largest_ratio"].values():
        assert 0.5 <= ratio["median"] <= 2.0


@pytest.mark.data
@pytest.mark.parametrize(("name", "recordings"), [("gcamp6s", "DS14"), ("gcamp6s", "DS15")])
def test_sets_of_two_laboratories_have_one_kinetics(data_dir, tools, name, recordings):
    """GCaMP6s of two laboratories: the gain of each set, and the same shape, predict both."""
    cells = cells_of(data_dir, tools, name)
    mine = [c for c in cells if c.folder.startswith(recordings)]
    indicator = calibrated_indicator(name, recordings=recordings)
    samples = [tools.fit_indicators.samples_of(c, indicator) for c in mine]
    found = [
        tools.paired_recordings.correlations(c, m)["whole"]
        for c, m in zip(mine, samples, strict=True)
    ]
    sizes = [
        tools.paired_recordings.largest(m) / c.largest
        for c, m in zip(mine, samples, strict=True)
    ]
    assert len(mine) >= 4
    assert np.median(found) > 0.91
    assert 0.5 < np.median(sizes) < 2


@pytest.mark.data
@pytest.mark.parametrize("name", ["gcamp6f", "gcamp6s", "xcamp_gf", "jrgeco1a"])
def test_numbers_of_the_table_are_those_of_the_recordings(data_dir, tools, name):
    """With all cells in the fit it does at least as well as the table says for held-out."""
    cells = cells_of(data_dir, tools, name)
    samples = [tools.fit_indicators.samples_of(c, calibrated_indicator(name)) for c in cells]
    pairs = zip(cells, samples, strict=True)
    found = [tools.paired_recordings.correlations(c, s)["whole"] for c, s in pairs]
    table = held_out(name)
    assert len(found) == len(table["correlations"])
    assert np.mean(np.array(found) - table["correlations"]) > -0.003
    np.testing.assert_allclose(found, table["correlations"], atol=0.06)
    evidence = calibrated_indicator(name).evidence
    assert sum(c.spikes for c in cells) == evidence["spikes"]


@pytest.mark.slow
@pytest.mark.data
def test_held_out_correlations_can_be_repeated(data_dir, tools):
    """The first fold of XCaMP-Gf once more, from the recordings."""
    (one,) = [s for s in tools.sets.SETS if s.name == "xcamp_gf"]
    cells = cells_of(data_dir, tools, one.name)
    theta = tools.indicator_model.fit(cells[1:], one.decays, one.ceiling[0], evaluations=12)
    samples = tools.indicator_model.samples(cells[0], theta)
    found = tools.paired_recordings.correlations(cells[0], samples)["whole"]
    assert found == pytest.approx(held_out("xcamp_gf")["correlations"][0], abs=0.002)


@pytest.mark.parametrize("name", SINGLE)
def test_one_spike_is_inside_the_quartiles_of_the_recordings(name):
    """Peak and half-decay of held-out cells, measured as the recordings were."""
    single = held_out(name)["events"]["1"]
    step = 8.0  # the averages' own, in ms
    for landmark, slack in (("peak", 0.0), ("half_decay_ms", step)):
        recorded = single[landmark]
        predicted = single[f"predicted_{landmark}_in_noise"]["median"]
        assert recorded["low"] - slack <= predicted <= recorded["high"] + slack, landmark
