"""A command that went through a filter is still the pulse, at half its height."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import bessel, butter, sosfilt

from cleo_like.matching import match_arrays
from cleo_like.matching.command.filtered import Marks, pulse_edges, settle, without_creep

FILTERS = {
    "RC": lambda w: butter(1, w, output="sos"),
    "Bessel 2": lambda w: bessel(2, w, norm="mag", output="sos"),
    "Bessel 4": lambda w: bessel(4, w, norm="mag", output="sos"),
    "Bessel 8": lambda w: bessel(8, w, norm="mag", output="sos"),
    "Butterworth 2": lambda w: butter(2, w, output="sos"),
    "Butterworth 4": lambda w: butter(4, w, output="sos"),
}
RATES = {"slow": (5e3, 500.0), "usual": (2e4, 3e3), "fast": (5e4, 1e4)}


def filtered(name, rate, corner, length, height):
    """A filtered pulse at 0.1 s, and where it passes half its height (the oracle)."""
    command = np.zeros(round((length + 0.3) * rate))
    command[round(0.1 * rate) : round((0.1 + length) * rate)] = height
    recorded = sosfilt(FILTERS[name](corner / (rate / 2)), command)
    high = np.flatnonzero(recorded / height >= 0.5)
    return recorded, (int(high[0]), int(high[-1]) + 1)


@pytest.mark.parametrize("noise", [0.0, 0.3, 3.0])
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("speed", RATES)
@pytest.mark.parametrize(("length", "height"), [(0.5, -50.0), (0.003, 500.0)])
def test_a_filtered_pulse_is_the_pulse(  # noqa: PLR0917
    name, speed, length, height, noise, rng
):
    rate, corner = RATES[speed]
    recorded, edges = filtered(name, rate, corner, length, height)
    found = match_arrays(
        recorded + 50 + noise * rng.standard_normal(recorded.size), f"{rate} Hz"
    )
    assert found.family == ("long_square" if length > 0.1 else "short_square"), found
    apart = np.abs(np.array([found.step.start, found.step.stop]) - edges)
    assert apart.max() <= max(0.2e-3 * rate, 1)
    # a pulse of 3 ms has not settled behind a slow filter that rings
    part = 0.005 if length > 0.1 else 0.05
    assert found.amplitudes[0] == pytest.approx(height, abs=part * abs(height) + noise / 10)


def test_a_ladder_on_a_converter_of_1_pa(rng):
    """Overshoot of a Bessel filter, codes of 1 pA: the case that was called noise."""
    amplitudes = np.array([-40.0, -20.0, 0.0, 20.0, 300.0])
    one, edges = filtered("Bessel 4", 2e4, 5e3, 0.5, 1.0)
    for noise in (0.0, 0.3):
        rows = np.round(np.outer(amplitudes, one) + noise * rng.standard_normal((5, one.size)))
        found = match_arrays(rows, "20 kHz")
        assert found.long_square_sweeps == (0, 1, 2, 3, 4)
        assert (found.step.start, found.step.stop) == pytest.approx(edges, abs=2)
        assert np.allclose(found.amplitudes, amplitudes, rtol=0, atol=0.6)


@pytest.mark.parametrize("part", [0.05, 0.2])
@pytest.mark.parametrize("tau", [5e-3, 20e-3])
@pytest.mark.parametrize("noise", [0.3, 3.0])
def test_a_step_that_settles_slowly(part, tau, noise, rng):
    t = np.arange(30_000) / 2e4 - 0.2
    on = (t >= 0) & (t < 1)
    step = 200 * on * (1 - part * np.exp(-t.clip(0) / tau))
    found = match_arrays(step + noise * rng.standard_normal(t.size), "20 kHz")
    assert found.window == pytest.approx((0.2, 1.2), abs=0.1e-3)


def test_a_capacitive_transient_at_both_edges(rng):
    t = np.arange(30_000) / 2e4
    on = (t >= 0.2) & (t < 1.2)
    charge = np.exp(-(t - 0.2).clip(0) / 3e-4) * (t >= 0.2)
    charge -= np.exp(-(t - 1.2).clip(0) / 3e-4) * (t >= 1.2)
    found = match_arrays(200 * on + 300 * charge + rng.normal(0, 0.3, t.size), "20 kHz")
    assert found.window == pytest.approx((0.2, 1.2), abs=0.1e-3)
    assert found.amplitudes[0] == pytest.approx(200, abs=1)


class TestWhatIsNoPulse:
    t = np.arange(40_000) / 2e4

    def family(self, command, noise, rng):
        rows = command + noise * rng.standard_normal(command.size)
        return match_arrays(rows, "20 kHz").family

    @pytest.mark.parametrize("rise", [0.2e-3, 1e-3, 5e-3])
    @pytest.mark.parametrize("decay", [20e-3, 0.1, 0.5])
    @pytest.mark.parametrize("noise", [0.0, 0.3, 3.0])
    def test_a_synaptic_current(self, rise, decay, noise, rng):
        s = (self.t - 0.5).clip(0)
        current = np.exp(-s / decay) - np.exp(-s / rise)
        current *= 200 / current.max()
        assert self.family(current, noise, rng) == "arbitrary"

    @pytest.mark.parametrize("noise", [0.0, 0.3, 3.0])
    def test_slow_edges_make_no_square_and_no_noise(self, noise, rng):
        trapezoid = 200 * np.clip(np.minimum(self.t - 0.5, 1.5 - self.t) / 5e-3, 0, 1)
        assert self.family(trapezoid, noise, rng) == "arbitrary"

    def test_a_flat_top_of_2_ms_on_a_step_is_a_pulse_of_its_own(self, rng):
        step = 200.0 * ((self.t >= 0.5) & (self.t < 1.5))
        step[10_000:10_040] = 300
        found = match_arrays(step + 0.3 * rng.standard_normal(step.size), "20 kHz")
        assert found.step.start == pytest.approx(10_040, abs=1)
        assert [e.name for e in found.constant] == ["pre_pulse"]

    def test_a_brief_disturbance_is_said(self, rng):
        blip = 200.0 * ((self.t >= 0.5) & (self.t < 0.5002))
        found = match_arrays(blip + 0.3 * rng.standard_normal(blip.size), "20 kHz")
        assert found.family == "none"
        assert "but for 1 disturbance" in found.reason


@pytest.mark.parametrize(("flank", "is_pulse"), [(0.48, True), (0.52, False)])
def test_a_pulse_is_flat_for_three_quarters_of_its_width(flank, is_pulse):
    """A trapezoid of width 1 at half height is above 3/4 of it for 1 - flank / 2."""
    x = np.linspace(-2, 2, 801)
    top = np.clip((0.5 - np.abs(x)) / flank + 0.5, 0, 1)
    assert (pulse_edges(top, 0.0, 2e5) is not None) == is_pulse
    assert pulse_edges(np.exp(-(x**2) / 0.3), 0.0, 2e5) is None


@pytest.mark.parametrize(("length", "is_pulse"), [(9, True), (7, False)])
def test_the_shortest_pulse_lasts_0_4_ms(length, is_pulse):
    pulse = np.repeat([0.0, 1.0, 0.0], [40, length, 40])
    assert (pulse_edges(pulse, 0.0, 2e4) is not None) == is_pulse


@pytest.mark.parametrize(("height", "is_pulse"), [(6.5, True), (5.5, False)])
def test_a_pulse_stands_above_six_times_the_noise(height, is_pulse):
    pulse = np.repeat([0.0, height, 0.0], [40, 80, 40])
    assert (pulse_edges(pulse, 1.0, 2e4) is not None) == is_pulse


@pytest.mark.parametrize(("rise", "edges"), [(1.6e-3, 1), (2.4e-3, 0)])
def test_an_edge_takes_1_ms_from_a_quarter_to_three_quarters(rise, edges):
    """A slope of 1.6 ms does so in 0.8 ms, one of 2.4 ms in 1.2 ms."""
    x = np.clip(np.arange(8000) / 4e4 - 0.1, 0, rise) / rise
    marks = Marks(np.array([4000]), np.array([1]), ((4000, 4000 + round(rise * 4e4)),))
    settled = settle(x, marks, 4e4, clean=False)
    assert len(settled.varying) == 1 - edges
    if edges:
        assert settled.edges[0] == pytest.approx(4000 + rise * 2e4, abs=1)


@pytest.mark.parametrize(("overshoot", "edges"), [(2.8, 1), (3.2, 2)])
def test_an_edge_may_overshoot_by_three_times_its_height(overshoot, edges):
    t = np.arange(8000) / 2e4
    x = (t >= 0.1) * (1 + overshoot * np.exp(-(t - 0.1).clip(0) / 4e-4))
    marks = Marks(np.array([2000, 2036]), np.array([1, 1]), ())
    assert settle(x, marks, 2e4, clean=False).edges.size == edges


@pytest.mark.parametrize(("part", "edges"), [(0.225, 1), (0.235, 2)])
def test_what_creeps_by_more_than_0_3_of_the_edge_is_no_settling(part, edges):
    x = np.repeat([0.0, 1.0 - part, 1.0], [4000, 400, 8000])
    x[4000:4400] += np.linspace(-0.1, 0.1, 400)
    left = without_creep(x, np.array([4000, 4400]), 2e4, 0.0)
    assert left.size == edges
