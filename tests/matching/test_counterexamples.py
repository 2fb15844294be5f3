"""What simpler matchers wrongly refuse or accept, one test each. 20 kHz, in pA."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cleo_like import Cell, Provenance, Recording, Sweep
from cleo_like.matching import match, match_arrays

RATE = 20_000
N = 40_000
T = np.arange(N) / RATE


def pulse(start, stop, level):
    """`level` from `start` to `stop` (s), 0 elsewhere."""
    samples = np.zeros(N)
    samples[round(start * RATE) : round(stop * RATE)] = level
    return samples


def ladder(levels, start=0.5, stop=1.5):
    return np.stack([pulse(start, stop, a) for a in levels])


def assert_step(found, start, stop, amplitudes, within=1.0):
    assert found.family == "long_square", found
    assert np.allclose(found.window, (start, stop), rtol=0, atol=0.5e-3)
    assert np.allclose(found.amplitudes, amplitudes, rtol=0, atol=within)


class TestWronglyRefused:
    def test_recorded_noise_of_1_pa(self, rng):
        command = ladder([-50, 0, 50]) + rng.normal(0, 1, (3, N))
        assert_step(match_arrays(command, "20 kHz"), 0.5, 1.5, [-50, 0, 50])

    def test_noise_only_inside_the_step(self, rng):
        step = pulse(0.5, 1.5, 50)
        step[step > 0] += rng.normal(0, 1, np.count_nonzero(step))
        assert_step(match_arrays(step, "20 kHz"), 0.5, 1.5, [50])

    def test_filtered_noise_only_inside_the_step(self, rng):
        step = pulse(0.5, 1.5, 50)
        noise = np.convolve(rng.normal(0, 1, N), np.ones(20) / np.sqrt(20), mode="same")
        assert_step(match_arrays(step + noise * (step > 0), "20 kHz"), 0.5, 1.5, [50])

    def test_holding_of_minus_20_pa(self):
        found = match_arrays(ladder([-50, 0, 50]) - 20, "20 kHz")
        assert_step(found, 0.5, 1.5, [-50, 0, 50], within=1e-9)
        assert [v.holding for v in found.sweeps] == pytest.approx([-20] * 3)

    def test_residue_at_the_end(self):
        command = pulse(0.5, 1.5, 100)
        command[-200:] = 1e-3
        assert_step(match_arrays(command, "20 kHz"), 0.5, 1.5, [100])

    def test_residue_in_a_sweep_of_zero(self, record):
        commands = ladder([-50, 0, 50])
        commands[1, -200:] = 1e-3
        assert_step(match(record(commands)), 0.5, 1.5, np.array([-50, 0, 50]) * 1e-12, 1e-15)

    def test_constant_offset(self):
        assert_step(match_arrays(pulse(0.5, 1.5, 50) + 0.3, "20 kHz"), 0.5, 1.5, [50])

    def test_edges_of_three_samples(self):
        command = np.convolve(pulse(0.5, 1.5, 90), np.ones(3) / 3, mode="same")
        found = match_arrays(command, "20 kHz")
        assert_step(found, 0.5, 1.5, [90], within=1e-9)
        assert abs(found.step.start - 10_000) <= 1
        assert abs(found.step.stop - 30_000) <= 1

    def test_a_step_of_220_ms_is_long(self):
        # the rule: 0.2 s or more, ten membrane time constants of 20 ms
        assert_step(match_arrays(pulse(0.5, 0.72, 50), "20 kHz"), 0.5, 0.72, [50])
        assert match_arrays(pulse(0.5, 0.7, 50), "20 kHz").family == "long_square"
        assert match_arrays(pulse(0.5, 0.69, 50), "20 kHz").family == "short_square"

    def test_step_still_on_at_the_end_of_the_sweep(self):
        found = match_arrays(ladder([-50, 50, 100], 0.5, 9.0), "20 kHz")
        assert_step(found, 0.5, 2.0, [-50, 50, 100])
        assert_step(match_arrays(pulse(0.5, 9.0, 100), "20 kHz"), 0.5, 2.0, [100])

    def test_zero_amplitude_sweeps_belong_to_their_ladder(self):
        found = match_arrays(ladder([-50, 0, 0, 50]), "20 kHz")
        assert found.long_square_sweeps == (0, 1, 2, 3)
        assert "0 pA" in found.sweeps[1].reason


class TestWronglyAccepted:
    def test_two_pulses_of_200_ms(self):
        one = pulse(0.3, 0.5, 50) + pulse(1.0, 1.2, 50)
        assert match_arrays(one, "20 kHz").family == "pulse_train"
        assert match_arrays(np.outer([1, 2, 3], one), "20 kHz").family == "pulse_train"

    def test_three_pulses_of_50_ms(self):
        train = sum(pulse(s, s + 0.05, 50) for s in (0.3, 0.6, 0.9))
        assert match_arrays(train, "20 kHz").family == "pulse_train"

    def test_two_pulses_of_2_ms_a_second_apart(self):
        train = pulse(0.3, 0.302, 50) + pulse(1.3, 1.302, 50)
        assert match_arrays(train, "20 kHz").family == "pulse_train"

    @pytest.mark.parametrize("noise", [0.0, 1.0])
    def test_staircase_of_three_levels(self, noise, rng):
        stairs = pulse(0.3, 0.7, 50) + pulse(0.7, 1.1, 100) + pulse(1.1, 1.5, 150)
        one = match_arrays(stairs + noise * rng.standard_normal(N), "20 kHz")
        many = match_arrays(
            np.outer([1, 2, 3], stairs) + noise * rng.standard_normal((3, N)), "20 kHz"
        )
        assert (one.family, many.family) == ("arbitrary", "arbitrary")
        assert "staircase" in one.reason
        assert "staircase" in many.reason

    def test_white_noise(self, rng):
        window = (T >= 0.3) & (T < 1.7)
        for _ in range(60):
            noise = rng.normal(0, 30, N)[::4]
            assert match_arrays(noise * window[::4], "5 kHz").family == "noise"
            assert match_arrays(noise, "5 kHz").family == "none"

    @pytest.mark.parametrize("unit", [1.0, 1e-3, 1e-12, 1e3])
    @pytest.mark.parametrize("slope", [0.05, 100.0])
    def test_ramps_in_any_unit(self, slope, unit):
        window = (T >= 0.3) & (T < 1.7)
        ramp = slope * (T - 0.3) * window * unit
        assert match_arrays(ramp, "20 kHz").family == "ramp"
        assert match_arrays(slope * T * unit, "20 kHz").family == "ramp"

    def test_a_ramp_below_the_resolution_of_any_converter(self, record):
        assert match(record([0.001 * T])).family == "none"

    def test_ramps_on_pedestals(self):
        steps = np.stack([10 * k + 10 * np.clip(T - 0.1, 0, 1) for k in range(5)])
        assert match_arrays(steps, "20 kHz").family == "ramp"


class TestPulsesBesideTheStep:
    amplitudes = (-40, -20, 0, 20, 40, 60)

    @pytest.mark.parametrize("at", [(0.05, 0.15), (0.2, 0.3), (0.0, 0.1), (1.6, 1.85)])
    def test_test_pulse_before_or_after(self, at):
        found = match_arrays(ladder(self.amplitudes) + pulse(*at, -30), "20 kHz")
        assert_step(found, 0.5, 1.5, self.amplitudes)
        assert [(e.start / RATE, e.stop / RATE) for e in found.constant] == [at]

    def test_test_pulse_of_one_sweep(self):
        found = match_arrays(pulse(0.05, 0.15, -30) + pulse(0.5, 1.5, 50), "20 kHz")
        assert_step(found, 0.5, 1.5, [50])

    def test_the_baseline_is_the_last_rest_before_the_step(self):
        found = match_arrays(ladder(self.amplitudes) + pulse(0.1, 0.3, -30), "20 kHz")
        assert found.baseline_window == (0.3, 0.5)

    def test_a_rest_of_5_ms_is_no_baseline(self):
        found = match_arrays(ladder(self.amplitudes) + pulse(0.1, 0.495, -30), "20 kHz")
        assert found.baseline_window == (0.0, 0.1)

    def test_pre_pulse_directly_followed_by_the_step(self):
        # one sweep of the ladder has the level of the pre-pulse, another that of holding
        found = match_arrays(ladder((-20, *self.amplitudes)) + pulse(0.2, 0.5, -20), "20 kHz")
        assert_step(found, 0.5, 1.5, (-20, *self.amplitudes))
        assert [e.name for e in found.constant] == ["pre_pulse"]
        assert found.baseline_window == (0.0, 0.2)

    def test_post_pulse(self):
        found = match_arrays(ladder(self.amplitudes) + pulse(1.5, 1.6, -20), "20 kHz")
        assert_step(found, 0.5, 1.5, self.amplitudes)
        assert [e.name for e in found.constant] == ["post_pulse"]

    def test_two_steps_in_a_sweep_the_first_is_the_family(self):
        # the second one follows a pre-pulse; both are shown
        second = ladder(self.amplitudes, 1.4, 1.9) + pulse(1.0, 1.4, -100)
        found = match_arrays(ladder(self.amplitudes, 0.2, 0.7) + second, "20 kHz")
        assert_step(found, 0.2, 0.7, self.amplitudes)
        assert [(e.start / RATE, e.stop / RATE) for e in found.varying] == [
            (0.2, 0.7),
            (1.4, 1.9),
        ]

    def test_repeated_amplitudes_and_a_constant_long_test_pulse(self):
        found = match_arrays(ladder([10, 10, 20, 20, 30], 1.0, 1.5) + pulse(0.1, 0.4, -100),
                             "20 kHz")  # fmt: skip
        assert_step(found, 1.0, 1.5, [10, 10, 20, 20, 30])
        assert found.constant[0].levels.tolist() == [-100] * 5

    def test_one_amplitude_throughout(self):
        found = match_arrays(ladder([50] * 4) + pulse(0.1, 0.15, -10), "20 kHz")
        assert_step(found, 0.5, 1.5, [50] * 4)


class TestDisturbances:
    amplitudes = (-50, 0, 50, 100)

    def test_mains_pickup(self, rng):
        """3 pA at 60 Hz: the sweep of 0 pA is one of the ladder, and no sine."""
        phase = np.arange(4)[:, None]
        pickup = 3 * np.sin(2 * np.pi * 60 * T + phase) + rng.normal(0, 0.3, (4, N))
        found = match_arrays(ladder(self.amplitudes) + pickup, "20 kHz")
        assert_step(found, 0.5, 1.5, self.amplitudes)

    def test_a_drift_in_every_sweep(self, rng):
        drift = 2.5 * T + rng.normal(0, 0.3, (4, N))
        found = match_arrays(ladder(self.amplitudes) + drift, "20 kHz")
        assert_step(found, 0.5, 1.5, self.amplitudes, within=2.5)

    def test_another_offset_in_every_sweep(self, rng):
        offset = 7.3 * np.arange(4)[:, None] + rng.normal(0, 0.3, (4, N))
        found = match_arrays(ladder(self.amplitudes) + offset, "20 kHz")
        assert_step(found, 0.5, 1.5, self.amplitudes)
        assert [v.holding for v in found.sweeps] == pytest.approx([0, 7.3, 14.6, 21.9], abs=0.1)

    def test_a_sine_without_a_ladder_is_a_sine(self, rng):
        sine = 10 * np.sin(2 * np.pi * 60 * T) + rng.normal(0, 0.3, (2, N))
        assert match_arrays(sine, "20 kHz").family == "sine"

    def test_a_seal_test_in_front(self):
        seal = sum(pulse(0.02 + 0.02 * k, 0.03 + 0.02 * k, -100) for k in range(5))
        found = match_arrays(ladder(self.amplitudes) + seal, "20 kHz")
        assert_step(found, 0.5, 1.5, self.amplitudes)
        assert len(found.constant) == 5


class TestSmallAndSlow:
    @pytest.mark.parametrize(
        ("end", "height", "start"), [(0.09, 14, 0.5), (0.09, 11, 0.05), (0.11, 14, 0.05)]
    )
    def test_a_test_pulse_before_one_short_step(self, end, height, start):
        """It is over within 0.1 s, and the step has half of its height or more."""
        one = pulse(0.05, end, -25) + pulse(0.5, 0.503, height)
        assert match_arrays(one, "20 kHz").window[0] == pytest.approx(start)

    def test_a_pulse_at_1_khz(self):
        found = match_arrays(np.repeat([0.0, 50.0, 0.0], [50, 100, 50]), "1 kHz")
        assert found.family == "short_square"
        assert (found.step.start, found.step.stop) == (50, 150)

    def test_a_command_in_another_unit_is_said(self, record):
        found = match(record(ladder([-50, 50]), scale=1e-24))
        assert found.family == "none"
        assert "is its unit right?" in found.reason
        small = match(record(ladder([-0.02, 0.02])))  # pA: just above what can be resolved
        assert small.family == "long_square"

    def test_pulses_of_1_ms_in_noise(self, rng):
        steps = ladder([200, 300, 400], 0.5, 0.501) + rng.normal(0, 0.5, (3, N))
        found = match_arrays(steps, "20 kHz")
        assert found.family == "short_square"
        assert np.allclose(found.window, (0.5, 0.501), rtol=0, atol=0.1e-3)

    def test_a_train_of_synaptic_currents_is_no_noise(self):
        starts = np.arange(0.2, 1.8, 0.1)
        train = sum(100 * np.exp(-(T - s).clip(0) / 5e-3) * (s <= T) for s in starts)
        assert match_arrays(train, "20 kHz").family == "arbitrary"

    def test_a_triangle_ends_where_it_comes_back(self):
        found = match_arrays(50 * (1 - np.abs(T - 1) * 2).clip(0), "20 kHz")
        assert (found.family, found.window) == ("ramp", (0.5, 1.5))

    def test_a_ramp_that_stays_at_its_top(self):
        top = 50 * np.clip((T - 0.5) / 0.8, 0, 1)
        found = match_arrays(top, "20 kHz")
        assert found.window == pytest.approx((0.5, 1.3), abs=0.1e-3)
        assert found.sweeps[0].epochs[-1].name == "post_pulse"


class TestBrokenCommands:
    def test_missing_tail(self):
        commands = ladder(range(-40, 60, 20))
        commands[3, 25_000:] = np.nan
        commands[4, 35_000:] = np.nan
        found = match_arrays(commands, "20 kHz")
        assert found.long_square_sweeps == (0, 1, 2, 4)
        assert found.sweeps[3].family == "long_square"
        assert not found.sweeps[3].complete
        assert "ends at sample 25000" in found.sweeps[3].reason
        assert "5000 samples of the command are missing" in found.sweeps[4].reason

    def test_a_gap_of_a_few_samples_is_bridged(self):
        command = pulse(0.5, 1.5, 50)
        command[12_000:12_010] = np.nan
        found = match_arrays(command, "20 kHz")
        assert_step(found, 0.5, 1.5, [50])
        assert "10 missing samples" in found.reason + found.sweeps[0].reason

    def test_a_long_gap_is_refused(self):
        command = pulse(0.5, 1.5, 50)
        command[12_000:13_000] = np.nan
        found = match_arrays(command, "20 kHz")
        assert found.family == "none"
        assert "1000 samples of the command in a row" in found.sweeps[0].reason

    def test_only_nan(self):
        found = match_arrays(np.full((2, 1000), np.nan), "20 kHz")
        assert [v.reason for v in found.sweeps] == ["the command has no finite sample"] * 2

    def test_no_command(self, record):
        found = match(record([None, pulse(0.5, 1.5, 50)]))
        assert found.sweeps[0].family == "none"
        assert "no command" in found.sweeps[0].reason
        assert found.long_square_sweeps == (1,)

    def test_voltage_clamp_is_set_aside(self, record):
        found = match(record(ladder([10, 20, 30]) - 70, mode="voltage_clamp", scale=1e-3))
        assert found.family == "none"
        assert all("voltage clamp" in v.reason for v in found.sweeps)

    def test_a_potential_labelled_as_current(self, record):
        found = match(record(ladder([10, 20, 30]) - 70, scale=1e-3))
        assert found.family == "none"
        assert "unit" in found.reason

    def test_nothing_at_all(self, record):
        assert match(record([])).family == "none"
        assert match(record([[], [0.0], np.zeros(N)])).family == "none"


class TestMixedRecordings:
    def test_sweeps_of_several_protocols(self, record, rng):
        test = pulse(0.02, 0.03, -30)
        commands = [*ladder([-50, 0, 50, 100]) + test, pulse(0.5, 0.503, 300) + test,
                    pulse(0.5, 1.5, 1) * (T - 0.5) * 80 + test, np.zeros(5000)]  # fmt: skip
        found = match(record(commands))
        families = [v.family for v in found.sweeps]
        assert families == ["long_square"] * 4 + ["short_square", "ramp", "none"]
        assert found.long_square_sweeps == (0, 1, 2, 3)

    def test_sweeps_of_two_rates(self, record):
        slow, fast = ladder([-50, 50])[:, ::2], ladder([20, 40, 60])
        both = record(slow, rate=1e4).sweeps + record(fast).sweeps
        found = match(record([]).__class__(sweeps=both, cell=record([]).cell,
                                           provenance=record([]).provenance))  # fmt: skip
        assert [v.family for v in found.sweeps] == ["long_square"] * 5
        assert found.long_square_sweeps == (2, 3, 4)
        assert "another window" in found.sweeps[0].reason

    def test_every_verdict_has_reason_and_epochs_that_tile_the_sweep(self):
        found = match_arrays(ladder([-50, 50]) + pulse(0.1, 0.2, -10), "20 kHz")
        for verdict in found.sweeps:
            assert verdict.reason
            edges = [(e.start, e.stop) for e in verdict.epochs]
            assert edges[0][0] == 0
            assert edges[-1][1] == N
            assert all(a[1] == b[0] for a, b in pairwise(edges))


@pytest.mark.parametrize(("rate", "told"), [(200.0, False), (199.9, True)])
def test_a_rate_that_is_rather_one_of_kilohertz(rate, told):
    """200 Hz is the slowest that is taken for what it says: a step of a cell needs 5 ms."""
    step = np.zeros(400)
    step[100:300] = 1e-10
    sweep = Sweep(response=np.full(400, -0.07), command=step, rate=rate)
    made = Recording(sweeps=[sweep], cell=Cell(id="c"), provenance=Provenance(source="t"))
    assert ("kHz" in match(made).sweeps[0].reason) is told
