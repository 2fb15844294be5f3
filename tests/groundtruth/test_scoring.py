"""`score_spikes` and `score_features` with functions of users, good and bad."""

from __future__ import annotations

import os

import attrs
import numpy as np
import pytest

import cleo_like as cl
from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.groundtruth.extractors.detector import checked_times, given_by_name
from cleo_like.groundtruth.sample import snr_class
from cleo_like.groundtruth.scores.spikes import ratios


@pytest.fixture(scope="module")
def recordings():
    rest = {"before": "0.15 s", "after": "50 ms", "rate": "20 kHz"}
    steps = cl.long_square(["-40 pA", "-20 pA", "0.35 nA", "0.5 nA"], duration="0.25 s", **rest)
    return [
        cl.record(
            "rs", steps, electrode=cl.IdealElectrode(noise=noise), seed=3, keep_voltage=True
        )[0]
        for noise in ("0.1 mV", "3 mV")
    ]


def crossings(voltage, rate):
    above = voltage > -10
    return np.flatnonzero(above[1:] & ~above[:-1]) / rate


def test_a_perfect_detector_scores_one(recordings):
    """The true times themselves, by sweep."""
    times = [t for r in recordings for t in r.truth.spike_times]
    calls = iter(range(len(times)))

    def oracle(voltage, rate):
        return times[next(calls)]

    found = cl.score_spikes(oracle, recordings)
    first = found.table.iloc[0]
    assert first["block"] == "all"
    assert first["true"] == sum(map(len, times)) > 10
    assert first["f1_1ms"] == 1.0
    assert first["failed"] == 0


def test_half_of_the_spikes_and_as_many_false_ones(recordings):
    true = recordings[0].truth.spike_times
    calls = iter(range(len(true)))

    def worse(voltage, rate):
        t = true[next(calls)]
        return np.concatenate([t[::2], t[::2] + 5e-3])  # 5 ms later is no spike

    row = cl.score_spikes(worse, recordings[0]).table.iloc[0]
    kept = sum(len(t[::2]) for t in true)
    precision, recall, f1 = ratios(kept, kept, sum(map(len, true)) - kept)
    found = (row["precision_1ms"], row["recall_1ms"], row["f1_1ms"])
    assert found == pytest.approx((precision, recall, f1))


def test_snr_is_height_over_noise(recordings):
    rows = cl.score_spikes(crossings, recordings, conditions=["still", "loud"]).recordings
    assert list(rows["condition"]) == ["still", "loud"]
    v = recordings[1].truth.voltage[3]
    height = (v.max() - np.median(v)) * 1e3
    assert rows["snr"][1] == pytest.approx(height / 3, rel=0.15)
    assert rows["snr"][0] == pytest.approx(height / 0.1, rel=0.15)


@pytest.mark.parametrize(
    ("snr", "label"),
    [(2.99, "below 3"), (3.0, "3 to 10"), (9.99, "3 to 10"), (10.0, "10 to 30"),
     (299.0, "100 to 300"), (300.0, "300 or more"), (np.inf, "300 or more"),
     (np.nan, "no spikes")],
)  # fmt: skip
def test_classes_of_snr(snr, label):
    assert snr_class(snr) == label


def test_two_detectors_side_by_side(recordings):
    found = cl.score_spikes({"mine": crossings, "native": "native"}, recordings)
    table = found.table.set_index(["block", "condition", "extractor"])["f1_1ms"]
    assert table["all", "all", "native"] >= 0.98
    assert "SNR" in repr(found)
    assert "<table" in found._repr_html_()
    ax = found.plot()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["mine", "native"]


def late(time, voltage):
    return crossings(voltage, 20e3) - 0.15


def boom(v, fs):
    raise RuntimeError("no spikes today")


BAD = {
    "samples": (lambda v, fs: (crossings(v, fs) * fs).round(), "divide them by the rate"),
    "milliseconds": (lambda v, fs: crossings(v, fs) * 1e3, "divide them by 1000"),
    "nothing": (lambda v, fs: None, "NoneType"),
    "a tuple": (lambda v, fs: (crossings(v, fs), {}), r"tuple of 2 \(ndarray, dict\)"),
    "a mask": (lambda v, fs: v > 0, "mask of 9000"),
    "NaN": (lambda v, fs: [0.1, np.nan], "1 of 2 times are NaN"),
    "texts": (lambda v, fs: ["a"], "give one array"),
    "a matrix": (lambda v, fs: np.zeros((2, 2)), "give one array"),
    "early": (lambda v, fs: [-0.1], "before the sweep"),
    "far": (lambda v, fs: [1e6], "from the start of the sweep"),
    "raises": (boom, "RuntimeError: no spikes today"),
    "arguments": (lambda: [], "TypeError"),
    "ends": (lambda v, fs: os._exit(3), "ended with 3"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_detector_is_a_result_with_its_reason(recordings, name):
    detector, text = BAD[name]
    found = cl.score_spikes({name: detector}, recordings[:1])
    assert found.table["failed"][0] == 1
    assert len(found.notes) == 1
    with pytest.raises(AssertionError, match=text):
        raise AssertionError(found.notes[0])


def test_a_detector_that_hangs(recordings):
    def hang(voltage, rate):
        while True:
            pass

    found = cl.score_spikes(hang, recordings[:1], timeout=0.5)
    assert found.notes[0].endswith("no answer within 0.5 s")


def test_times_from_the_start_of_the_step_are_noticed(recordings):
    found = cl.score_spikes(late, recordings[:1])
    assert found.table["recall_1ms"][0] < 0.2
    assert "start of the step at 0.15 s" in found.notes[0]


def test_quantities_are_taken():
    from brian2 import ms, mV

    np.testing.assert_allclose(checked_times([100, 200] * ms, 9000, 20e3, "s"), [0.1, 0.2])
    with pytest.raises(ValueError, match="must be in ms"):
        checked_times([100] * mV, 9000, 20e3, "s")


@pytest.mark.parametrize(("time", "ok"), [(0.4509, True), (0.4511, False)])
def test_a_time_may_lie_a_millisecond_beyond(time, ok):
    if ok:
        assert checked_times([time], 9000, 20e3, "s").size == 1
    else:
        with pytest.raises(InputError, match=r"in a sweep of 0\.45 s"):
            checked_times([time], 9000, 20e3, "s")


def test_arguments_are_given_by_name():
    assert given_by_name(lambda i, v, fs, level=3: 0) == ("current", "voltage", "rate")
    assert given_by_name(lambda x, y: 0) is None


def test_unequal_sweeps_of_an_experiment(recordings):
    whole = cl.join_recordings(recordings[:1] + recordings[1:], cell="both")
    assert cl.score_spikes(crossings, whole).table["true"][0] > 10


def test_what_cannot_be_scored_is_said(recordings):
    with pytest.raises(InputError, match="function of voltage"):
        cl.score_spikes(3, recordings)
    with pytest.raises(UnknownNameError, match="did you mean 'native'"):
        cl.score_spikes("nativ", recordings)
    with pytest.raises(InputError, match="has no truth"):
        cl.score_spikes(crossings, attrs.evolve(recordings[0], truth=None))
    with pytest.raises(InputError, match="2 labels for 1"):
        cl.score_spikes(crossings, recordings[:1], conditions=["a", "b"])
    with pytest.raises(InputError, match="no recording"):
        cl.score_spikes(crossings, [])
    bare = attrs.evolve(recordings[0], truth=attrs.evolve(recordings[0].truth, voltage=None))
    with pytest.raises(InputError, match="keep_voltage=True"):
        cl.score_features(lambda recording: {}, bare)


def resistance(recording):
    v, i = recording[0].response, recording[0].command
    deflection = np.median(v[6000:8000]) - np.median(v[:3000])
    return {"steady_state_input_resistance": deflection / i.min() * 1e-6}


def test_features_against_the_truth(recordings):
    found = cl.score_features(resistance, recordings)
    (row,) = (r for r in found.table.itertuples() if r.block == "all")
    assert row.feature == "steady_state_input_resistance"
    assert abs(row.bias) < 2
    assert row.missing == row.wrong == 0


def test_a_wrong_unit_of_a_feature_is_told(recordings):
    def in_ohm(recording):
        return {name: 1e6 * value for name, value in resistance(recording).items()}

    row = cl.score_features(in_ohm, recordings).table.iloc[0]
    assert row["unit"] == "1e6 of the unit of the catalogue"
    assert row["wrong"] == 1


def test_an_extractor_and_a_function_of_its_kind(recordings):
    def same(stack, window, parameters):
        from cleo_like.features.registry import native

        return native(stack, window, parameters)

    found = cl.score_features({"native": "native", "same": same}, recordings).table
    pairs = found[found["block"] == "all"].pivot_table(
        index="feature", columns="extractor", values="bias"
    )
    np.testing.assert_allclose(pairs["native"], pairs["same"])
    assert len(pairs) > 15


@pytest.mark.parametrize(
    ("function", "text"),
    [(lambda r: {"r_in": 1.0}, "unknown feature 'r_in'"), (lambda r: 3, "gave a int"),
     (lambda r: {"tau": "20 ms"}, "not numbers: tau"), (lambda r: 1 / 0, "ZeroDivision")],
)  # fmt: skip
def test_a_bad_function_is_a_result_with_its_reason(recordings, function, text):
    found = cl.score_features(function, recordings)
    assert found.table["failed"][0] == 2
    assert text in found.notes[0]


@pytest.mark.slow
def test_the_default_recordings(tmp_path):
    found = cl.score_spikes("native", folder=tmp_path, progress=False)
    rows = found.table.set_index(["block", "condition"])["f1_1ms"]
    assert rows["SNR", "300 or more"] == 1.0
    assert rows["SNR", "10 to 30"] < 1.0
    again = cl.score_features("native", folder=tmp_path)  # nothing is made again
    assert len(again.table) > 100
