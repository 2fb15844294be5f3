"""Calibrated indicators: the table, the model, cells that differ, and the published sets."""

import json
import time
import warnings
from importlib import resources

import attrs
import numpy as np
import pytest

from cleo_like.core.errors import InputError, UnitError, UnknownNameError
from cleo_like.imaging import calibrated
from cleo_like.imaging.calibrated import (
    CellFactors,
    ExtrapolationWarning,
    OnlineCells,
    Variability,
    calibrated_indicator,
    calibrated_names,
    s2f,
)

WANTED = {
    "gcamp6f", "gcamp6s", "jgcamp7f", "jgcamp8f", "jgcamp8m", "jgcamp8s", "xcamp_gf",
    "jrgeco1a", "jrcamp1a", "ogb1", "cal520", "gcamp5k", "gcamp6f_pv", "gcamp6f_sst",
}  # fmt: skip
TRAIN = np.array([0.5, 0.52, 0.6, 2.0, 2.001])


def test_every_wanted_indicator_is_there_and_has_a_factory():
    assert set(calibrated_names()) >= WANTED
    for name in calibrated_names():
        sensor = getattr(calibrated, name)()
        assert sensor.indicator == calibrated_indicator(name)
        assert getattr(calibrated, name).__doc__


def test_every_number_has_a_source_and_a_range():
    text = (resources.files(calibrated) / "indicators.json").read_text()
    for name, entry in json.loads(text)["indicators"].items():
        assert entry["source"].startswith("fitted to"), name
        for value in entry["parameters"].values():
            for one in value if isinstance(value, list) else [value]:
                assert -np.inf < one["low"] <= one["high"] < np.inf, name
                assert abs(one["value"]) < np.inf, name
        evidence = entry["evidence"]
        assert evidence["cells"] >= 3, name
        assert len(evidence["held_out"]["correlations"]) == evidence["cells"]


@pytest.mark.parametrize("name", sorted(WANTED))
def test_prediction_equals_the_formula(name):
    """dF/F of a train is the response to the sum of kernels, evaluated directly."""
    indicator = calibrated_indicator(name)
    frames = np.arange(0, 4, 1 / 15)
    found = indicator.dff(TRAIN, np.zeros(5, int), frames, n=1)[0]
    summed = indicator.kernel(frames[:, None] - TRAIN).sum(axis=1)
    np.testing.assert_allclose(found, indicator.response(summed), rtol=1e-9, atol=1e-12)
    assert found[frames < 0.5].max() == 0


def test_landmarks_of_one_spike_are_those_of_its_trace():
    indicator = calibrated_indicator("jgcamp8m")
    frames = np.arange(0, 3, 1e-4)
    trace = indicator.dff([0.0], [0], frames, n=1)[0]
    spike = indicator.single_spike()
    top = trace.argmax()
    after = frames[top + np.flatnonzero(trace[top:] < trace[top] / 2)[0]] - frames[top]
    assert spike.peak == pytest.approx(trace.max(), rel=1e-5)
    assert spike.time_to_peak == pytest.approx(frames[top], abs=2e-4)
    assert spike.half_decay == pytest.approx(after, abs=3e-4)
    assert trace[round(spike.half_rise * 1e4)] == pytest.approx(spike.peak / 2, rel=0.05)


def test_cells_scale_gain_and_time():
    indicator = calibrated_indicator("gcamp6s")
    frames = np.arange(0, 6, 0.05)
    cells = CellFactors(gain=[1, 3, 1], duration=[1, 1, 2])
    spikes = [1.0, 1.0, 2.0]  # the third cell: everything twice as late and as slow
    one, triple, slow = indicator.dff(spikes, [0, 1, 2], frames, cells=cells)
    np.testing.assert_allclose(triple, 3 * one, rtol=1e-12)
    np.testing.assert_allclose(slow[::2], one[: len(frames[::2])], rtol=1e-9, atol=1e-12)


def test_population_has_the_spread_it_states(rng):
    spread = Variability(gain=0.5, duration=0.2, correlation=-0.6)
    cells = spread.draw(40_000, rng)
    logs = np.log([cells.gain, cells.duration])
    np.testing.assert_allclose(logs.std(axis=1), [0.5, 0.2], rtol=0.02)
    assert np.corrcoef(logs)[0, 1] == pytest.approx(-0.6, abs=0.02)
    np.testing.assert_allclose(np.median(logs, axis=1), 0, atol=0.01)
    again = [spread.draw(5, np.random.default_rng(3)).gain for _ in range(2)]
    np.testing.assert_array_equal(*again)


def test_online_equals_all_at_once(rng):
    indicator = calibrated_indicator("jgcamp7f")
    cells = indicator.draw_cells(4, rng)
    times = np.sort(rng.uniform(0, 5, 80))
    who = rng.integers(0, 4, 80)
    frames = np.cumsum(rng.uniform(0.001, 0.1, 90))
    together = indicator.dff(times, who, frames, cells=cells)
    online = OnlineCells(indicator, cells)
    for repeat in range(2):
        seen, before = [], -1.0
        for frame in frames:
            new = (times > before) & (times <= frame)
            online.advance(frame, who[new], times[new])
            seen.append(online.dff())
            before = frame
        np.testing.assert_allclose(np.transpose(seen), together, rtol=1e-9, atol=1e-12)
        online.reset()
        assert online.dff().max() == 0, repeat
    online.advance(1.0)
    with pytest.raises(InputError, match="cannot go back"):
        online.advance(0.5)
    with pytest.raises(InputError, match="after the new time"):
        online.advance(1.1, np.array([0]), np.array([1.2]))


def test_memory_blocks_change_nothing(monkeypatch, rng):
    indicator = calibrated_indicator("gcamp6f")
    cells = indicator.draw_cells(7, rng)
    times, who = rng.uniform(0, 3, 50), rng.integers(0, 7, 50)
    whole = indicator.dff(times, who, np.arange(0, 3, 0.1), cells=cells)
    monkeypatch.setattr("cleo_like.imaging.calibrated.indicator._VALUES_AT_ONCE", 60)
    np.testing.assert_array_equal(
        indicator.dff(times, who, np.arange(0, 3, 0.1), cells=cells), whole
    )


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        (([0.0], [0], [0.0]), {}, "number of cells"),
        (([0.0], [0], [0.0]), {"n": 1, "cells": CellFactors.equal(1)}, "one of them"),
        (([0.0], [1], [0.0]), {"n": 1}, "0 to 0, got 1"),
        (([0.0], [0.5], [0.0]), {"n": 1}, "whole numbers"),
    ],
)
def test_wrong_input(arguments, keywords, message):
    with pytest.raises(InputError, match=message):
        calibrated_indicator("gcamp6f").dff(*arguments, **keywords)


def test_a_word_among_spike_times_is_named():
    with pytest.raises(UnitError, match=r"times\[0\]='a' is not a number"):
        calibrated_indicator("gcamp6f").dff(["a"], [0], [0.0], n=1)


def test_wrong_cells_and_names():
    with pytest.raises(InputError, match="positive, finite"):
        CellFactors(gain=[0.0], duration=[1.0])
    with pytest.raises(InputError, match="one length, got gain 2, duration 1"):
        CellFactors(gain=[1, 1], duration=[1])
    with pytest.raises(InputError, match="correlations must be in"):
        Variability(correlation=1.5)
    with pytest.raises(UnknownNameError, match="did you mean 'jgcamp8f'"):
        calibrated_indicator("jgcamp8ff")


@pytest.mark.parametrize(
    ("name", "peak", "half_decay_ms"),
    [
        ("jgcamp8f", 0.48, 39), ("jgcamp8m", 0.61, 41), ("jgcamp8s", 0.60, 80),
        ("jgcamp7f", 0.21, 96), ("xcamp_gf", 0.12, 90), ("gcamp6f", 0.054, 308),
        ("gcamp6s", 0.105, 835),
    ],
)  # fmt: skip
def test_published_sets_give_their_known_response(name, peak, half_decay_ms):
    spike = getattr(s2f, name)().single_spike()
    assert spike.peak == pytest.approx(peak, abs=0.005)
    assert spike.half_decay * 1e3 == pytest.approx(half_decay_ms, abs=1.0)


def test_the_cost_grows_with_the_cells_and_no_faster(rng):
    """Ten times the load costs 10 times as much (measured 6 to 9), not 100 times."""
    indicator = calibrated_indicator("gcamp6f")

    def seconds(n):
        times, who = rng.uniform(0, 60, 60 * n), rng.integers(0, n, 60 * n)
        cells, frames = indicator.draw_cells(n, rng), np.arange(0, 60, 1 / 30)
        start = time.process_time()
        indicator.dff(times, who, frames, cells=cells)
        return time.process_time() - start

    seconds(100)
    assert min(seconds(1000) for _ in range(2)) < 25 * max(seconds(100) for _ in range(3))


# -- beyond the recordings -------------------------------------------------------------------
RANGES = {"gcamp6f": 50.8, "gcamp6s": 62.2, "jgcamp7f": 30.2, "jgcamp8f": 78.8,
          "jgcamp8m": 45.7, "jgcamp8s": 49.5, "ogb1": 13.0}  # fmt: skip
"""dF/F from no calcium to saturation: Chen 2013 (51.8- and 63.2-fold), Dana 2019, Zhang 2023;
OGB-1: 14-fold."""


@pytest.mark.parametrize("name", sorted(calibrated_names()))
def test_no_indicator_outshines_its_protein(name):
    indicator = calibrated_indicator(name)
    stated = indicator.evidence["ceiling"]
    assert stated["value"] == RANGES.get(name, stated["value"]) < 100
    assert stated["source"]
    most = float(indicator.response(np.array([1e12]))[0])
    assert most <= stated["value"]
    assert most == pytest.approx(indicator.response.maximum, rel=1e-6)
    assert 0 < indicator.response.reach < np.inf


def test_a_response_beyond_its_ceiling_is_refused():
    fitted = calibrated_indicator("jgcamp8m").response
    attrs.evolve(fitted, ceiling=1.0001 * fitted.maximum)
    with pytest.raises(InputError, match="above the ceiling"):
        attrs.evolve(fitted, ceiling=0.9999 * fitted.maximum)
    with pytest.raises(InputError, match="reach and ceiling must be above 0"):
        attrs.evolve(fitted, reach=0)


@pytest.mark.parametrize(("times", "warns"), [(0.999, False), (1.001, True)])
def test_more_spikes_than_any_recording_had_are_told(times, warns):
    indicator = calibrated_indicator("jgcamp8m")
    c = np.array([[0.0, times * indicator.response.reach]])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert np.array_equal(indicator.fluorescence(c), indicator.response(c))
    told = [str(w.message) for w in said if w.category is ExtrapolationWarning]
    assert len(told) == warns
    assert all(t.startswith("jgcamp8m: spikes add up to more than") for t in told)


def test_sustained_rates_are_told_everywhere():
    indicator = calibrated_indicator("gcamp6f")
    spikes, nobody = np.arange(0, 2, 0.01), np.zeros(200, dtype=int)
    with pytest.warns(ExtrapolationWarning, match="any recording it was fitted to"):
        (dff,) = indicator.dff(spikes, nobody, [2.0], n=1)[0]
    at_reach = float(indicator.response(np.array(indicator.response.reach)))
    assert at_reach < dff < RANGES["gcamp6f"]
    online = OnlineCells(indicator, CellFactors.equal(1))
    online.advance(2.0, nobody, spikes)
    with pytest.warns(ExtrapolationWarning):
        assert online.dff()[0] == pytest.approx(dff)
    slow = indicator.dff(np.arange(0, 2, 0.2), np.zeros(10, dtype=int), [2.0], n=1)
    assert slow[0, 0] < at_reach
