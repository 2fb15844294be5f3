"""Quality control: each criterion with a sweep that meets it and one that does not."""

from __future__ import annotations

import attrs
import numpy as np
import pandas as pd
import pytest

from cleo_like import Cell, GroundTruth, Provenance, Recording, Sweep
from cleo_like.core import InputError, UnitError, UnknownNameError
from cleo_like.features.catalogue import CATALOGUE
from cleo_like.features.registry import cell_features
from cleo_like.features.saturation import longest_flat
from cleo_like.io import read
from cleo_like.qc import ALLEN, PRESETS, Criteria, quality, quick_qc, range_checks, range_table
from cleo_like.qc.signal import window_noise

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
    assert found.word == (
        f"noise {check(found, 'safe_spikes').value:.2g} mV: spikes safe, thresholds safe, "
        "resistance safe, tau safe"
    )
    assert repr(found) == f"CellQC rc: 8 of 8 long squares pass; {found.word}"


def test_a_dead_channel(rng):
    found = quality(cell(rng, change=lambda v: np.copyto(v, -70.0)))
    assert not found.passed
    assert check(found, "saturation", 0).reason == "the response is constant at -0.07 (SI)"


def test_other_protocols_are_not_counted_as_passing(rng):
    ramps = [attrs.evolve(s, command=np.linspace(0, 1e-10, N)) for s in cell(rng).sweeps]
    found = quality(attrs.evolve(cell(rng), sweeps=ramps))
    assert repr(found) == "CellQC rc: no long square, 8 other sweep(s)"


@pytest.mark.parametrize(("noise", "verdict"), [(0.066, "pass"), (0.075, "fail")])
def test_the_noise_that_allen_allows(rng, noise, verdict):
    found = quality(cell(rng, noise=noise), criteria="allen")
    for name in ("pre_noise", "post_noise"):
        one = check(found, name, 3)
        assert one.verdict == verdict
        assert one.value == pytest.approx(noise, rel=0.05)
        assert one.high == pytest.approx(0.07)
    assert quality(cell(rng, noise=noise)).passed
    assert quality(cell(rng, noise=noise), criteria=Criteria(noise="0.2 mV")).passed


class TestAgainstTheOwnRecording:
    """A rig is judged by its own noise; a sweep by the other sweeps."""

    @pytest.mark.parametrize(("times", "verdict"), [(1.9, "pass"), (2.1, "fail")])
    def test_a_sweep_twice_as_noisy_as_its_recording(self, rng, times, verdict):
        def disturb(v):
            v[5] = rc_response(30.0) + times * 0.3 * rng.standard_normal(N)

        found = quality(cell(rng, noise=0.3, change=disturb))
        assert check(found, "pre_noise", 5).verdict == verdict
        assert [s.passed for k, s in enumerate(found.sweeps) if k != 5] == [True] * 7
        assert (
            "2 times the noise of this recording, 0.29 mV"
            in check(found, "pre_noise", 4).reason
        )

    @pytest.mark.parametrize(("noise", "verdict"), [(1.95, "pass"), (2.1, "fail")])
    def test_no_recording_may_have_more_than_2_mv(self, rng, noise, verdict):
        found = quality(cell(rng, noise=noise))
        assert check(found, "pre_noise", 3).verdict == verdict
        assert check(found, "safe_spikes").verdict in ("pass", "unknown")

    @pytest.mark.parametrize(("times", "verdict"), [(2.7, "pass"), (3.4, "fail")])
    def test_slow_noise_three_times_that_of_the_recording(self, rng, times, verdict):
        wave = 0.5 * np.sin(2 * np.pi * 4 * np.arange(N) / RATE)  # SD 0.35 mV

        def swing(v):
            v += wave
            v[2] += (times - 1) * wave

        found = quality(cell(rng, change=swing))
        assert check(found, "slow_noise", 2).verdict == verdict
        assert check(found, "slow_noise", 1).verdict == "pass"

    @pytest.mark.parametrize(("amplitude", "verdict"), [(4.1, "pass"), (4.4, "fail")])
    def test_no_recording_may_have_more_slow_noise_than_3_mv(self, rng, amplitude, verdict):
        def swing(v):  # SD amplitude / sqrt(2), whole periods in the 0.5 s before the step
            v += amplitude * np.sin(2 * np.pi * 4 * np.arange(N) / RATE)

        found = quality(cell(rng, change=swing))
        assert check(found, "slow_noise", 1).verdict == verdict

    @pytest.mark.parametrize(("drift", "verdict"), [(1.9, "pass"), (2.1, "fail")])
    def test_drift_that_stays(self, rng, drift, verdict):
        def move(v):
            v[4, 20_000:] += drift
            v[5:] += drift

        one = check(quality(cell(rng, change=move)), "drift", 4)
        assert one.verdict == verdict
        assert one.value == pytest.approx(drift, abs=0.05)

    def test_an_afterpotential_is_no_drift(self, rng):
        def hyperpolarise(v):
            v[4, 28_000:] -= 4.0

        found = quality(cell(rng, change=hyperpolarise))
        assert check(found, "drift", 4).verdict == "pass"
        assert "back at -70" in check(found, "drift", 4).reason
        strict = quality(cell(rng, change=hyperpolarise), criteria="allen")
        assert check(strict, "drift", 4).verdict == "fail"

    def test_what_is_still_on_its_way_back_is_unknown(self, rng):
        def recover(v):
            v[7, 28_000:] -= 8.0 * np.exp(-np.arange(12_000) / RATE / 0.5)

        found = quality(cell(rng, change=recover))
        assert check(found, "drift", 7).verdict == "unknown"
        assert "still on its way back" in check(found, "drift", 7).reason
        assert found.sweeps[7].passed

    def test_the_last_sweep_has_no_later_one(self, rng):
        def stay(v):
            v[7, 28_000:] -= 4.0

        one = check(quality(cell(rng, change=stay)), "drift", 7)
        assert one.verdict == "unknown"
        assert "no later sweep" in one.reason

    @pytest.mark.parametrize("where", ["baseline", "tail"])
    @pytest.mark.parametrize(("trend", "verdict"), [(1.8, "pass"), (2.2, "fail")])
    def test_a_trend_within_a_rest(self, rng, where, trend, verdict):
        ends = {"baseline": slice(2000, 12_000), "tail": slice(30_000, N)}[where]

        def lean(v):  # the halves of a line differ by half of its rise
            n = ends.stop - ends.start
            v[3, ends] += np.linspace(0, 2 * trend, n)

        one = check(quality(cell(rng, change=lean)), f"{where}_trend", 3)
        assert one.value == pytest.approx(trend, abs=0.05)
        assert one.verdict == verdict

    @pytest.mark.parametrize(("off", "verdict"), [(9.5, "pass"), (-9.5, "pass"),
                                                  (10.5, "fail"), (-10.5, "fail")])  # fmt: skip
    def test_a_sweep_at_another_baseline(self, rng, off, verdict):
        def move(v):
            v[6] += off

        one = check(quality(cell(rng, change=move)), "baseline", 6)
        assert one.verdict == verdict
        assert one.value == pytest.approx(off, abs=0.05)

    def test_another_holding_has_another_baseline(self, rng):
        def move(v):
            v[6:] += 15.0

        held = cell(rng, change=move)
        sweeps = [
            attrs.evolve(s, command=s.command + 75e-12) if s.number >= 6 else s
            for s in held.sweeps
        ]
        found = quality(attrs.evolve(held, sweeps=sweeps))
        assert check(found, "baseline", 6).verdict == "unknown"
        assert "with this holding" in check(found, "baseline", 6).reason
        assert check(found, "baseline", 5).verdict == "pass"

    def test_two_sweeps_are_no_recording_to_compare_with(self, rng):
        some = cell(rng, noise=0.3)
        found = quality(attrs.evolve(some, sweeps=some.sweeps[:2]))
        assert check(found, "pre_noise", 0).verdict == "pass"
        assert "fewer than 3 sweeps" in check(found, "pre_noise", 0).reason
        assert check(found, "baseline", 0).verdict == "unknown"
        three = quality(attrs.evolve(some, sweeps=some.sweeps[:3]))
        assert check(three, "baseline", 0).verdict == "pass"

    @pytest.mark.parametrize(("holding", "verdict"), [(95.0, "pass"), (105.0, "fail"),
                                                      (-105.0, "fail")])  # fmt: skip
    def test_leak_of_100_pa_or_the_largest_step(self, rng, holding, verdict):
        held = cell(rng, holding=holding)
        assert check(quality(held), "leak", 0).verdict == verdict
        sweeps = []
        for sweep in held.sweeps:
            command = sweep.command.copy()
            command[ON] += 5 * (command[ON] - holding * 1e-12)
            sweeps.append(attrs.evolve(sweep, command=command))
        large = quality(attrs.evolve(held, sweeps=sweeps))
        assert check(large, "leak", 0).high == pytest.approx(480)

    def test_presets_by_name(self, rng):
        assert PRESETS["allen"] is ALLEN
        one = cell(rng)
        assert quality(one, criteria="own").table().equals(quality(one).table())
        with pytest.raises(UnknownNameError, match="did you mean 'allen'"):
            quality(cell(rng), criteria="alen")
        with pytest.raises(InputError, match="criteria must be Criteria"):
            quality(cell(rng), criteria=3)


class TestScale:
    """Deflection over step must be a resistance that a cell can have: 1 MOhm to 20 GOhm."""

    @pytest.mark.parametrize(
        ("times", "verdict"), [(1, "pass"), (95, "pass"), (105, "fail"), (1e-3, "fail"),
                               (1 / 190, "pass"), (1 / 210, "fail"), (-1, "fail")],
    )  # fmt: skip
    def test_a_command_in_another_unit(self, rng, times, verdict):
        # the cell has 200 MOhm
        some = cell(rng)
        sweeps = [attrs.evolve(s, command=s.command / times) for s in some.sweeps]
        found = quality(attrs.evolve(some, sweeps=sweeps))
        assert check(found, "scale").verdict == verdict
        assert found.passed == (verdict == "pass")
        if verdict == "fail":
            assert "unit of the command" in check(found, "scale").reason

    def test_no_deflection_tells_nothing(self, rng):
        some = cell(
            rng, change=lambda v: np.copyto(v, -70 + 0.03 * rng.standard_normal(v.shape))
        )
        assert check(quality(some), "scale").verdict == "unknown"

    def test_slow_sweeps_raise_nothing(self, rng):
        slow = [attrs.evolve(s, rate=100.0) for s in cell(rng).sweeps]
        found = quality(attrs.evolve(cell(rng), sweeps=slow))
        assert check(found, "plausible", 0).verdict == "fail"


class TestWhatIsSafe:
    """Spikes of 20 mV, dV/dt of 5 V/s, resistance to 5 %, a tau of 20 times the noise."""

    def safe(self, name, found):
        return check(found, f"safe_{name}")

    def test_the_word_for_a_noisy_rig(self, rng):
        found = quality(cell(rng, noise=1.0))
        assert found.passed
        assert (
            found.word == "noise 0.97 mV: spikes safe, thresholds not, resistance safe, tau not"
        )
        assert found.word in repr(found)

    @pytest.mark.parametrize(("noise", "verdict"), [(0.75, "pass"), (0.85, "unknown")])
    def test_tau_needs_20_times_the_noise(self, rng, noise, verdict):
        # the largest deflection is 16 mV
        assert self.safe("tau", quality(cell(rng, noise=noise))).verdict == verdict

    @pytest.mark.parametrize(("noise", "verdict"), [(1.5, "pass"), (1.7, "unknown")])
    def test_resistance_to_a_twentieth(self, rng, noise, verdict):
        # four steps down: noise / 16 mV / sqrt(4)
        assert self.safe("resistance", quality(cell(rng, noise=noise))).verdict == verdict

    @pytest.mark.parametrize(("noise", "verdict"), [(0.34, "pass"), (0.37, "unknown")])
    def test_the_noise_of_dv_dt(self, rng, noise, verdict):
        # white noise: SD sqrt(2) noise / 0.1 ms, so 5 V/s are 0.354 mV
        assert self.safe("thresholds", quality(cell(rng, noise=noise))).verdict == verdict

    def test_spontaneous_spikes_are_no_noise_of_dv_dt(self, rng):
        def fire(v):
            for at in range(3000, 12_000, 2000):
                v[:, at : at + 40] += 80 * np.exp(-np.arange(40) / 8)

        found = quality(cell(rng, change=fire), criteria=Criteria(slow_noise="99 mV"))
        assert self.safe("thresholds", found).verdict == "pass"

    def test_without_steps_down_resistance_is_unknown(self, rng):
        some = cell(rng)
        found = quality(attrs.evolve(some, sweeps=some.sweeps[4:]))
        assert self.safe("tau", found).verdict == "unknown"
        assert "no hyperpolarising step" in self.safe("tau", found).reason
        assert "tau unknown" in found.word


class TestPlausible:
    """What the numbers cannot be fails; nobody is told that it passes."""

    def test_a_lost_gain(self, rng):
        small = [attrs.evolve(s, response=s.response / 60) for s in cell(rng).sweeps]
        found = quality(attrs.evolve(cell(rng), sweeps=small))
        assert not found.passed
        one = check(found, "plausible", 0)
        assert one.verdict == "fail"
        assert "where no membrane rests" in one.reason

    @pytest.mark.parametrize(("factor", "command"), [(1e3, 1.0), (1.0, 1e6)])
    def test_values_in_the_wrong_unit(self, rng, factor, command):
        wrong = [
            attrs.evolve(s, response=s.response * factor, command=s.command * command)
            for s in cell(rng).sweeps
        ]
        found = quality(attrs.evolve(cell(rng), sweeps=wrong))
        assert not found.passed
        assert check(found, "plausible", 0).verdict == "fail"

    def test_an_unknown_mode_is_unknown(self, rng):
        odd = [attrs.evolve(s, mode="unknown") for s in cell(rng).sweeps]
        found = quality(attrs.evolve(cell(rng), sweeps=odd))
        assert check(found, "plausible", 0).verdict == "unknown"
        assert not found.passed

    def test_a_model_may_rest_anywhere(self, rng):
        truth = GroundTruth(spike_times=[np.array([])] * 8)
        raised = [attrs.evolve(s, response=s.response + 0.07) for s in cell(rng).sweeps]
        found = quality(attrs.evolve(cell(rng), sweeps=raised, truth=truth))
        assert check(found, "plausible", 0).verdict == "pass"


def test_one_synaptic_event_is_no_noise(rng):
    def event(v):
        v[2, 6000:6200] += 5 * np.exp(-np.arange(200) / 60)

    assert check(quality(cell(rng, change=event)), "pre_noise", 2).verdict == "pass"


@pytest.mark.parametrize(("sd", "verdict"), [(0.47, "pass"), (0.53, "fail")])
def test_the_slow_noise_that_allen_allows(rng, sd, verdict):
    def wave(v):  # whole periods in the 0.5 s before the step
        v[1] += sd * np.sqrt(2) * np.sin(2 * np.pi * 4 * np.arange(N) / RATE)

    found = quality(cell(rng, change=wave), criteria="allen")
    assert check(found, "slow_noise", 1).verdict == verdict
    assert check(found, "slow_noise", 1).value == pytest.approx(sd, rel=0.05)
    assert check(found, "slow_noise", 0).verdict == "pass"
    assert check(found, "pre_noise", 1).verdict == "pass"


@pytest.mark.parametrize(
    ("drift", "verdict"), [(0.95, "pass"), (1.05, "fail"), (-1.05, "fail")]
)
def test_the_drift_that_allen_allows(rng, drift, verdict):
    def move(v):
        v[4, 20_000:] += drift

    one = check(quality(cell(rng, change=move), criteria="allen"), "drift", 4)
    assert one.verdict == verdict
    assert one.value == pytest.approx(drift, abs=0.03)


@pytest.mark.parametrize(("holding", "verdict"), [(0.0, "pass"), (-90.0, "pass"), (-110.0, "fail"),
                                                  (110.0, "fail")])  # fmt: skip
def test_leak_is_the_holding_current(rng, holding, verdict):
    one = check(quality(cell(rng, holding=holding), criteria="allen"), "leak", 0)
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


@pytest.mark.parametrize(("others", "verdict"), [(3, "pass"), (2, "unknown")])
def test_three_other_steps_to_compare_with(rng, others, verdict):
    some = cell(rng)
    few = attrs.evolve(some, sweeps=some.sweeps[: others + 1])
    one = check(quality(few), "response", 0)
    assert one.verdict == verdict
    if verdict == "unknown":
        assert "fewer than three" in one.reason


@pytest.mark.parametrize(("part", "verdict"), [(0.25, "pass"), (0.15, "fail")])
def test_a_fifth_of_the_expected_response(rng, part, verdict):
    def weaken(v):
        v[0] = rc_response(-80.0 * part) + 0.03 * rng.standard_normal(N)

    assert check(quality(cell(rng, change=weaken)), "response", 0).verdict == verdict


class TestStepsOfZero:
    """A step of 0 pA recorded as -0.03 pA is one of 0 pA; it tells no resistance."""

    def recorded(self, rng, amplitudes, noise=1.5):
        sweeps = []
        for k, a in enumerate(amplitudes):
            command = noise * rng.standard_normal(N)
            command[ON] += a
            response = rc_response(0.0 if abs(a) < 0.5 else a) + 0.05 * rng.standard_normal(N)
            sweeps.append(Sweep(response=response * 1e-3, command=command * 1e-12,
                                rate=RATE, number=k))  # fmt: skip
        return Recording(
            sweeps=sweeps, cell=Cell(id="rc"), provenance=Provenance(source="test")
        )

    def test_it_is_left_out_of_what_the_others_let_expect(self, rng):
        found = quality(self.recorded(rng, [-200, -150, -100, -50, -0.035, 50, 100]))
        for k, amplitude in enumerate((-200, -150, -100, -50)):
            reason = check(found, "response", k).reason
            expected = float(reason.split("let expect ")[1].split(" mV")[0])
            assert expected == pytest.approx(0.2 * amplitude, rel=0.01)
        zero = check(found, "response", 4)
        assert zero.verdict == "pass"
        assert "a step of 0 pA" in zero.reason

    @pytest.mark.parametrize(("amplitude", "is_zero"), [(-0.9, True), (-1.1, False)])
    def test_a_hundredth_of_the_largest_step_is_zero(self, rng, amplitude, is_zero):
        exact = self.recorded(rng, [-100, -80, -60, -40, amplitude], noise=0.0)
        reason = check(quality(exact), "response", 4).reason
        assert ("a step of 0 pA" in reason) == is_zero

    def test_an_active_cell_is_unknown(self, rng):
        made = self.recorded(rng, [-60, -40, -20, 0, 20, 40])
        busy = attrs.evolve(made.sweeps[3], response=made.sweeps[3].response
                            + 0.01 * (np.arange(N) > 14_000))  # fmt: skip
        found = quality(attrs.evolve(made, sweeps=[*made.sweeps[:3], busy, *made.sweeps[4:]]))
        assert check(found, "response", 3).verdict == "unknown"
        assert "the cell is active" in check(found, "response", 3).reason


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
        ({"bridge_balance": "10 MOhm"}, "pass", "pass"),
        ({"bridge_balance": "25 MOhm"}, "fail", "pass"),
        ({"bridge_balance": "on"}, "unknown", "unknown"),
    ],
)
def test_series_resistance(rng, settings, series, ratio):
    recording = cell(rng, settings=settings)
    found = quality(recording, features=cell_features(recording))
    assert check(found, "series_resistance").verdict == series
    assert check(found, "series_ratio").verdict == ratio


def test_settings_that_are_no_numbers_are_said(rng):
    found = quality(cell(rng, settings={"bridge_balance": "on", "bias_current": "off"}))
    reason = check(found, "series_resistance").reason
    assert reason.startswith("bridge balance is said to be 'on', no number of ohm; ")
    assert check(found, "leak", 0).verdict == "unknown"
    assert check(found, "leak", 0).reason == "bias current is said to be 'off', no number of A"
    told = quality(cell(rng, settings={"bias_current": "-30 pA"}))
    assert check(told, "leak", 0).value == pytest.approx(-30)


def test_what_the_reader_noticed_is_in_the_report_and_fails_nothing(rng):
    plain = quality(cell(rng))
    assert "file" not in {c.name for c in plain.checks}
    found = quality(attrs.evolve(cell(rng), findings=("a gap of 3 s", "no stimulus")))
    assert check(found, "file").verdict == "unknown"
    assert check(found, "file").reason == "a gap of 3 s; no stimulus"
    assert found.passed == plain.passed


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
    c = ALLEN
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
