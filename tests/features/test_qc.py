"""Quality control: each criterion with a sweep that meets it and one that does not."""

from __future__ import annotations

import attrs
import numpy as np
import pandas as pd
import pytest

from cleo_like import Cell, GroundTruth, Provenance, Recording, Sweep
from cleo_like.core import InputError, UnitError
from cleo_like.features.catalogue import CATALOGUE
from cleo_like.features.qc import Criteria, quality, quick_qc, range_checks, range_table
from cleo_like.features.qc.signal import longest_flat, window_noise
from cleo_like.features.registry import cell_features
from cleo_like.io import read

RATE = 20_000.0
N = 40_000
ON = slice(12_000, 28_000)
AMPLITUDES = (-80.0, -60.0, -40.0, -20.0, 20.0, 30.0, 40.0, 50.0)


def rc_response(amplitude, resistance=0.2, tau=0.02):
    """Potential (mV) of a 200 MOhm, 20 ms cell at -70 mV, step from 0.6 to 1.4 s."""
    t = np.arange(N) / RATE
    rise = np.where(t >= 0.6, 1 - np.exp(-(t - 0.6).clip(0) / tau), 0)
    fall = np.where(t >= 1.4, 1 - np.exp(-(t - 1.4).clip(0) / tau), 0)
    return -70 + resistance * amplitude * (rise - fall)


def cell(rng, *, noise=0.03, holding=0.0, change=None, **fields):
    """Eight steps on that cell with white noise (mV); `change` edits the responses."""
    responses = np.stack([rc_response(a) for a in AMPLITUDES])
    responses += noise * rng.standard_normal(responses.shape)
    if change is not None:
        change(responses)
    sweeps = []
    for k, a in enumerate(AMPLITUDES):
        command = np.full(N, holding)
        command[ON] += a
        sweep = Sweep(response=responses[k] * 1e-3, command=command * 1e-12, rate=RATE,
                      number=k, settings=fields.get("settings", {}))  # fmt: skip
        sweeps.append(sweep)
    return Recording(sweeps=sweeps, cell=Cell(id="rc"), provenance=Provenance(source="test"),
                     device=fields.get("device", {}))  # fmt: skip


def check(found, name, sweep=None):
    checks = found.checks if sweep is None else found.sweeps[sweep].checks
    (one,) = [c for c in checks if c.name == name]
    return one


def test_a_good_cell_passes_everything_that_can_be_judged(rng):
    found = quality(cell(rng))
    assert found.passed
    assert all(s.passed for s in found.sweeps)
    table = found.table()
    assert set(table["verdict"]) == {"pass", "unknown"}
    assert (table["reason"].str.len() > 0).all()
    assert repr(found) == "CellQC rc: 8 of 8 long squares pass"


def test_a_dead_channel(rng):
    found = quality(cell(rng, change=lambda v: np.copyto(v, -70.0)))
    assert not found.passed
    assert check(found, "saturation", 0).reason == "the response is constant at -0.07 (SI)"


def test_other_protocols_are_not_counted_as_passing(rng):
    ramps = [attrs.evolve(s, command=np.linspace(0, 1e-10, N)) for s in cell(rng).sweeps]
    found = quality(attrs.evolve(cell(rng), sweeps=ramps))
    assert repr(found) == "CellQC rc: no long square, 8 other sweep(s)"


def test_noise_is_the_noise(rng):
    found = quality(cell(rng, noise=0.1))
    for name in ("pre_noise", "post_noise"):
        one = check(found, name, 3)
        assert one.verdict == "fail"
        assert one.value == pytest.approx(0.1, rel=0.05)
        assert one.high == pytest.approx(0.07)
    assert quality(cell(rng, noise=0.1), criteria=Criteria(noise="0.2 mV")).passed


def test_one_synaptic_event_is_no_noise(rng):
    def event(v):
        v[2, 6000:6200] += 5 * np.exp(-np.arange(200) / 60)

    assert check(quality(cell(rng, change=event)), "pre_noise", 2).verdict == "pass"


def test_slow_noise(rng):
    def wave(v):
        v[1] += np.sin(2 * np.pi * 3 * np.arange(N) / RATE)

    found = quality(cell(rng, change=wave))
    assert check(found, "slow_noise", 1).verdict == "fail"
    assert check(found, "slow_noise", 1).value == pytest.approx(np.sqrt(0.5), rel=0.2)
    assert check(found, "slow_noise", 0).verdict == "pass"
    assert check(found, "pre_noise", 1).verdict == "pass"


@pytest.mark.parametrize(("drift", "verdict"), [(0.8, "pass"), (1.3, "fail"), (-1.3, "fail")])
def test_drift(rng, drift, verdict):
    def move(v):
        v[4, 20_000:] += drift

    one = check(quality(cell(rng, change=move)), "drift", 4)
    assert one.verdict == verdict
    assert one.value == pytest.approx(drift, abs=0.05)


@pytest.mark.parametrize(("holding", "verdict"), [(0.0, "pass"), (-90.0, "pass"), (-110.0, "fail"),
                                                  (110.0, "fail")])  # fmt: skip
def test_leak_is_the_holding_current(rng, holding, verdict):
    one = check(quality(cell(rng, holding=holding)), "leak", 0)
    assert one.verdict == verdict
    assert one.value == pytest.approx(holding)


def test_saturated_spikes(rng):
    def clip(v):
        peak = 60 * np.exp(-(((np.arange(N) - 14_000) / 10.0) ** 2))
        v[6] = np.minimum(v[6] + 2 * peak, 20.0)

    found = quality(cell(rng, change=clip))
    one = check(found, "saturation", 6)
    assert one.verdict == "fail"
    assert "0.02" in one.reason
    assert check(found, "saturation", 5).verdict == "pass"


def test_a_missing_response_is_saturation_too(rng):
    def gap(v):
        v[0, 100:110] = np.nan

    one = check(quality(cell(rng, change=gap)), "saturation", 0)
    assert one.verdict == "fail"
    assert "10 samples" in one.reason


def test_a_quiet_quantised_or_noise_free_cell_is_not_saturated(rng):
    quiet = rc_response(-80.0)
    for samples in (quiet, quiet.astype(np.float32), np.round(quiet / 0.5) * 0.5,
                    np.round((quiet + 0.1 * rng.standard_normal(N)) / 0.03) * 0.03,
                    np.full(N, -70.0)):  # fmt: skip
        assert longest_flat(samples * 1e-3, RATE)[0] == 0


def test_a_noisy_trace_held_at_a_limit_is_saturated(rng):
    trace = np.maximum(rc_response(-80.0) + rng.standard_normal(N), -82.0)
    length, level = longest_flat(trace * 1e-3, RATE)
    assert length >= 10
    assert level == pytest.approx(-0.082)


def test_window_noise_of_nothing_is_unknown():
    assert np.isnan(window_noise(np.zeros(100), [(0, 10)], 30))


def test_no_response_to_the_strongest_steps(rng):
    def lose(v):
        v[:2, ON] = -70 + 0.03 * rng.standard_normal(v[:2, ON].shape)

    found = quality(cell(rng, change=lose))
    verdicts = [check(found, "response", k).verdict for k in range(8)]
    # two of the three others of the -20 pA step are lost: too little is expected of it
    assert verdicts == ["fail", "fail", "pass", "unknown"] + ["pass"] * 4
    assert "let expect -16" in check(found, "response", 0).reason


def test_a_response_of_the_wrong_sign(rng):
    def turn(v):
        v[0] = -140 - v[0]

    found = quality(cell(rng, change=turn))
    assert check(found, "response", 0).verdict == "fail"
    assert check(found, "response", 0).value == pytest.approx(-1, abs=0.05)


def test_too_few_steps_to_compare_with(rng):
    some = cell(rng)
    few = attrs.evolve(some, sweeps=some.sweeps[:2])
    one = check(quality(few), "response", 0)
    assert one.verdict == "unknown"
    assert "fewer than three" in one.reason


def test_short_rests_leave_drift_unknown(rng):
    sweeps = [
        attrs.evolve(s, response=s.response[11_000:29_000], command=s.command[11_000:29_000])
        for s in cell(rng).sweeps
    ]
    found = quality(attrs.evolve(cell(rng), sweeps=sweeps))
    for name in ("slow_noise", "drift"):
        assert check(found, name, 0).verdict == "unknown"
        assert "before the step lasts 50 ms" in check(found, name, 0).reason
    assert check(found, "pre_noise", 0).verdict == "pass"


@pytest.mark.parametrize(
    ("settings", "series", "ratio"),
    [
        ({}, "unknown", "unknown"),
        ({"bridge_balance": 10e6}, "pass", "pass"),
        ({"bridge_balance": 25e6}, "fail", "pass"),
        ({"series_resistance": 40e6, "bridge_balance": 1e6}, "fail", "fail"),
        ({"bridge_balance": 0.0}, "unknown", "unknown"),
    ],
)
def test_series_resistance(rng, settings, series, ratio):
    recording = cell(rng, settings=settings)
    found = quality(recording, features=cell_features(recording))
    assert check(found, "series_resistance").verdict == series
    assert check(found, "series_ratio").verdict == ratio


def test_access_resistance_of_the_electrode(rng):
    """Where no sweep says it, what was measured at the start is taken."""
    found = quality(cell(rng, device={"initial_access_resistance": "12 MOhm"}))
    series = check(found, "series_resistance")
    assert (series.verdict, series.value) == ("pass", pytest.approx(12.0))
    assert series.reason.endswith("(initial_access_resistance)")
    assert check(found, "series_ratio").reason == "the input resistance is not known"


def test_a_simulated_cell_knows_its_resistance(rng):
    """30 MOhm in series with a cell of 100 MOhm: more than 15 %, without any feature."""
    truth = GroundTruth(spike_times=[np.array([])] * 8, answers={"input_resistance": 100e6})
    recording = attrs.evolve(cell(rng, settings={"series_resistance": 30e6}), truth=truth)
    ratio = check(quality(recording), "series_ratio")
    assert (ratio.verdict, ratio.value) == ("fail", pytest.approx(0.3))
    assert ratio.reason.endswith("input resistance of the simulated cell")


def test_an_ideal_electrode(rng):
    """No series resistance: that passes; no seal: there is nothing to judge."""
    truth = GroundTruth(spike_times=[np.array([])] * 8)
    recording = attrs.evolve(cell(rng, device={"electrode": "ideal"}), truth=truth)
    found = quality(recording)
    assert check(found, "series_resistance").passed
    assert check(found, "seal").verdict == "unknown"
    assert "ideal" in check(found, "seal").reason


def test_what_the_rig_tells(rng):
    device = {"seal": "0.8 GOhm", "electrode_current": 150e-12, "blowout": "-12 mV"}
    found = quality(cell(rng, device=device))
    verdicts = {n: check(found, n).verdict for n in ("seal", "electrode", "blowout")}
    assert verdicts == {"seal": "fail", "electrode": "pass", "blowout": "fail"}
    assert not found.passed
    unread = quality(cell(rng, device={"seal": "good"}))
    assert check(unread, "seal").verdict == "unknown"
    assert check(unread, "seal").reason == "seal is said to be 'good', no number of ohm"
    assert check(unread, "blowout").reason == "the recording does not say its blowout"


def test_features_and_clipped_spikes(rng):
    def spikes(v):
        for at in (15_000, 20_000, 27_990):  # the last one is cut off by the end of the step
            v[7, at - 10 : at + 30] += 90 * np.exp(-np.abs(np.arange(-10, 30)) / 6.0)

    recording = cell(rng, change=spikes)
    features = cell_features(recording)
    found = quality(recording, features=features)
    assert check(found, "input_resistance").verdict == "pass"
    assert check(found, "clipped_spikes", 0).value == 0
    cut = features.spikes["clipped"][features.spikes["sweep"] == 7]
    assert check(found, "clipped_spikes", 7).value == pytest.approx(np.mean(cut))
    strict = quality(recording, features=features, criteria=Criteria(clipped=-1.0))
    assert check(strict, "clipped_spikes", 0).verdict == "fail"
    assert check(quality(recording), "clipped_spikes", 7).verdict == "unknown"


def test_other_protocols_are_said_and_not_failed(rng):
    good = cell(rng)
    odd = Sweep(response=np.full(N, -0.07), command=np.linspace(0, 5e-11, N), rate=RATE)
    found = quality(attrs.evolve(good, sweeps=[*good.sweeps, odd]))
    assert found.sweeps[-1].family == "ramp"
    assert check(found, "long_square", 8).verdict == "unknown"
    assert check(found, "long_square", 8).reason.startswith("ramp")
    assert found.passed


def test_criteria_are_those_of_ipfx():
    c = Criteria()
    assert (c.noise, c.noise_window, c.slow_noise, c.slow_window) == (
        0.07e-3,
        1.5e-3,
        5e-4,
        0.5,
    )
    assert (c.drift, c.leak, c.series_resistance) == (1e-3, 100e-12, (1e6, 20e6))
    assert (c.series_ratio, c.seal, c.electrode, c.blowout) == (0.15, 1e9, 200e-12, 10e-3)
    with pytest.raises(UnitError):
        Criteria(noise="0.1 pA")


class TestRanges:
    frame = pd.DataFrame(
        {
            "cell_id": ["a", "b", "c", "d"],
            "input_resistance": [150.0, 4828.0, np.nan, 91_000.0],
            "tau": [0.02, 0.02, 0.02, 5.0],
            "ap_1_width_0_long_square": [5e-4, 5e-4, 5e-4, np.nan],
        },
        index=[10, 11, 12, 13],
    )

    def test_every_value_has_a_verdict(self):
        table = range_table(self.frame)
        assert len(table) == 12
        assert table["verdict"].value_counts().to_dict() == {"pass": 7, "fail": 3, "unknown": 2}
        assert (table["reason"].str.len() > 0).all()
        limits = table[table["feature"] == "input_resistance"].iloc[0]
        assert (limits["low"], limits["high"]) == (
            CATALOGUE["input_resistance"].low,
            CATALOGUE["input_resistance"].high,
        )

    def test_quick_qc_keeps_missing_values_and_says_what_left(self):
        kept = quick_qc(self.frame)
        assert kept.index.tolist() == [10, 12]
        assert [t.split(":")[0] for t in kept.attrs["qc_dropped"]] == ["11", "13", "13"]
        assert kept.attrs["qc_missing"] == 2
        assert len(self.frame) == 4

    def test_quick_qc_with_the_ranges_of_the_notebook(self):
        given = {"input_resistance": [0, 1e9], "tau": [0.01 / 1000, 0.6], "unheard_of": [0, 1]}
        assert quick_qc(self.frame, given).index.tolist() == [10, 11, 12]
        assert quick_qc(self.frame, qc_features={}).equals(self.frame)

    def test_limits_belong_to_the_range(self):
        frame = pd.DataFrame({"tau": [0.6, 0.6000001]})
        assert quick_qc(frame, {"tau": [1e-5, 0.6]}).index.tolist() == [0]

    def test_a_view_of_the_table(self):
        failed = range_table(self.frame).query("verdict == 'fail'")["row"].unique()
        kept = quick_qc(self.frame)
        assert set(kept.index) | set(failed) == set(self.frame.index)

    def test_a_range_upside_down(self):
        with pytest.raises(InputError, match="range of tau"):
            quick_qc(self.frame, {"tau": [1, 0]})

    def test_infinite_and_missing_values_are_unknown(self):
        checks = range_checks({"tau": np.inf, "sag": np.nan, "nothing_known": 1.0})
        assert [c.verdict for c in checks] == ["unknown", "unknown"]


@pytest.mark.data
class TestRealFiles:
    def test_no_response_though_minus_2_na_is_commanded(self, data_dir):
        recording = read(data_dir / "nwb_icephys" / "99111002.nwb")
        found = quality(recording)
        bad = [s.number for s in found.sweeps if "response" in [c.name for c in s.failures]]
        amplitudes = [s.command[1000] * 1e9 for s in recording.sweeps if s.number in bad]
        assert sorted(np.round(amplitudes, 3)) == [-2.0, -1.8, -1.6, -1.4, -1.2]

    def test_every_file_gives_a_verdict_for_every_sweep(self, data_dir):
        paths = [
            *data_dir.glob("icephys/recordings/*.abf"),
            *data_dir.glob("nwb_icephys/*.nwb"),
        ]
        assert paths
        for path in paths:
            recording = read(path)
            found = quality(recording)
            assert len(found.sweeps) == recording.n_sweeps
            table = found.table()
            assert set(table["verdict"]) <= {"pass", "fail", "unknown"}
            assert (table["reason"].str.len() > 0).all()
            assert not (table[table["check"] == "saturation"]["verdict"] == "fail").any(), path
