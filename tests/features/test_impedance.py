"""Impedance against circuits whose impedance is a formula."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from scipy.signal import lfilter

from cleo_like.core.errors import InputError
from cleo_like.features.impedance import _resonance, impedance
from cleo_like.features.stack import SweepStack

RATE = 5e3
R, TAU = 100.0, 0.01  # MOhm, s


def chirp(low=0.5, high=25.0, *, start=0.5, length=20.0, after=1.5, amplitude=20.0):
    t = np.arange(round((start + length + after) * RATE)) / RATE - start
    phase = 2 * np.pi * (low * t + (high - low) * t**2 / (2 * length))
    return amplitude * np.sin(phase) * ((t >= 0) & (t < length))


def rc(current, *, tau=TAU, rest=-70.0) -> SweepStack:
    current = np.atleast_2d(current)
    keep = np.exp(-1 / RATE / tau)
    v = rest + 1e-3 * R * lfilter([1 - keep], [1, -keep], current, axis=1)
    return SweepStack(voltage_mv=v, current_pa=current, rate=RATE)


def exact(frequency, tau=TAU):
    """Of the sampled circuit: the filter above is the exact one of a current held in between."""
    keep = np.exp(-1 / RATE / tau)
    return R * (1 - keep) / (1 - keep * np.exp(-2j * np.pi * frequency / RATE))


@pytest.mark.parametrize("sweep", [(0.5, 25.0), (25.0, 0.5)])
@pytest.mark.parametrize("tau", [0.01, 0.1])
def test_magnitude_and_phase_of_a_passive_cell(sweep, tau):
    """Falling chirps end at low frequencies: there the answer outlasts the stimulus."""
    found = impedance(rc(chirp(*sweep), tau=tau), "0.5 s", "20.5 s", low="1 Hz")
    z = exact(found.frequency, tau)
    np.testing.assert_allclose(found.magnitude, np.abs(z), rtol=0.015)  # means over 0.5 Hz
    np.testing.assert_allclose(found.phase, np.angle(z), atol=0.015)
    assert found.phase.max() < 0  # the potential lags
    assert not found.notes
    assert found.error.max() < 0.02 * R


def test_a_passive_cell_does_not_resonate(rng):
    stack = rc(chirp())
    v = stack.voltage_mv + 0.5 * rng.standard_normal(stack.voltage_mv.shape)
    for one in (stack, attrs.evolve(stack, voltage_mv=v)):
        found = impedance(one, "0.5 s", "20.5 s", high="24 Hz")
        assert np.isnan(found.values["resonance_frequency"])
        assert "lowest frequency" in found.reasons["resonance_frequency"]
        assert found.values["impedance_low"] == pytest.approx(R, rel=0.02)
        cutoff = 1 / (2 * np.pi * TAU)
        assert found.values["impedance_cutoff"] == pytest.approx(cutoff, rel=0.06)


def resonator(current) -> tuple[SweepStack, float, float]:
    """Two poles and a zero; frequency and height of the peak from the formula."""
    b, a = [0.0, 2e-3, -1.99e-3], [1.0, -1.993975, 0.994009]
    f = np.linspace(0.5, 25, 20001)
    q = np.exp(-2j * np.pi * f / RATE)
    z = np.abs(np.polyval(b[::-1], q) / np.polyval(a[::-1], q)) * 1e3
    stack = rc(current)
    v = -70 + lfilter(b, a, stack.current_pa, axis=1)
    return attrs.evolve(stack, voltage_mv=v), float(f[z.argmax()]), float(z.max())


def test_a_resonance_is_where_the_formula_has_it(rng):
    stack, frequency, height = resonator(chirp(amplitude=2.0))
    assert 2 < frequency < 6
    v = stack.voltage_mv + 0.2 * rng.standard_normal(stack.voltage_mv.shape)
    found = impedance(attrs.evolve(stack, voltage_mv=v), "0.5 s", "20.5 s", high="24 Hz")
    assert found.values["resonance_frequency"] == pytest.approx(frequency, abs=0.5)
    assert found.values["impedance_max"] == pytest.approx(height, rel=0.03)
    assert found.values["resonance_q"] > 1.1


def test_half_of_a_chirp_is_said():
    """A window that leaves the low half out: no resonance at its lower end."""
    stack, frequency, _ = resonator(chirp(amplitude=2.0))
    found = impedance(stack, "15 s", "20.5 s", high="24 Hz")
    assert any("not at rest before" in note for note in found.notes)
    assert frequency < found.frequency[0]
    assert np.isnan(found.values["resonance_frequency"])
    whole = impedance(stack, "0.5 s", "20.5 s", high="24 Hz")
    inner = (found.frequency > 20) & (found.frequency < 23)
    other = np.interp(found.frequency[inner], whole.frequency, whole.magnitude)
    np.testing.assert_allclose(found.magnitude[inner], other, rtol=0.02)
    early = impedance(stack, "0.5 s", "12 s", high="10 Hz")
    assert any("not at rest after" in note for note in early.notes)


def test_a_sweep_that_ends_with_its_stimulus_is_said():
    found = impedance(rc(chirp(after=0.3)), "0.5 s", "20.5 s")
    assert any("ends within 1 s" in note for note in found.notes)


def test_sweeps_that_fire_are_left_out():
    stack = rc(np.array([chirp(), chirp()]))
    v = stack.voltage_mv.copy()
    t = np.arange(v.shape[1]) / RATE
    v[1] += 90 * np.exp(-0.5 * ((t - 3.0) / 6e-4) ** 2)
    found = impedance(attrs.evolve(stack, voltage_mv=v), "0.5 s", "20.5 s")
    assert found.notes == ("sweep 1 left out: it fires",)
    np.testing.assert_allclose(found.magnitude, np.abs(exact(found.frequency)), rtol=0.02)
    fires = attrs.evolve(stack, voltage_mv=v[[1, 1]])
    with pytest.raises(InputError, match="fires in every sweep"):
        impedance(fires, "0.5 s", "20.5 s")


def test_what_cannot_be_measured_is_refused():
    stack = rc(chirp())
    v = stack.voltage_mv.copy()
    v[0, 30000] = np.nan
    with pytest.raises(InputError, match="is no number"):
        impedance(attrs.evolve(stack, voltage_mv=v), "0.5 s", "20.5 s")
    with pytest.raises(InputError, match="no power between"):
        impedance(rc(np.zeros(50000)), "0.5 s", "5 s")
    with pytest.raises(InputError, match="no power between"):
        impedance(stack, "0.5 s", "20.5 s", low="300 Hz", high="400 Hz")


@pytest.mark.parametrize("drift", [0.05, 0.1, 0.3])
def test_a_drift_of_the_potential_is_no_resonance(drift):
    """A passive cell, 0.05 mV/s: 1.7 Hz and a Q of 1.1 before, and 1,196 MOhm at 1 mV/s."""
    stack = rc(chirp())
    seconds = np.arange(stack.n_samples) / stack.rate
    moved = attrs.evolve(stack, voltage_mv=stack.voltage_mv + drift * seconds)
    calm, found = (impedance(x, "0.5 s", "20.5 s") for x in (stack, moved))
    assert np.isnan(found.values["resonance_frequency"])
    for name in ("impedance_low", "impedance_max"):
        assert found.values[name] == pytest.approx(calm.values[name], rel=0.03), name
    np.testing.assert_allclose(
        found.magnitude[found.frequency > 1], calm.magnitude[calm.frequency > 1], rtol=0.01
    )


@pytest.mark.parametrize(("away", "known"), [(2.9, False), (3.1, True)])
def test_a_resonance_is_three_errors_above_the_lowest_frequency(away, known):
    f, error = np.array([1.0, 2, 4, 8]), np.full(4, 2.0)
    z = np.array([100.0, 100 + away * np.hypot(2, 2), 90, 20])
    values, reasons = _resonance(f, z, error)
    assert (values["resonance_frequency"] == 2.0) is known
    assert ("resonance_frequency" in reasons) is not known
    assert values["resonance_q"] == pytest.approx(z[1] / 100)
    assert values["impedance_cutoff"] == 8.0  # the first below 0.71 of the largest
    assert values["impedance_low"], values["impedance_max"] == (100, z[1])


@pytest.mark.parametrize(("top", "known"), [(100.09, False), (100.11, True)])
def test_less_than_a_thousandth_is_rounding(top, known):
    values, _ = _resonance(np.array([1.0, 2, 4]), np.array([100.0, top, 90]), np.zeros(3))
    assert np.isfinite(values["resonance_frequency"]) == known


def test_the_largest_at_the_last_frequency_is_no_peak():
    values, reasons = _resonance(np.arange(1.0, 4), np.array([100.0, 110, 130]), np.ones(3))
    assert np.isnan(values["resonance_frequency"])
    assert reasons["resonance_frequency"] == "still rising at 3 Hz"
    assert reasons["impedance_cutoff"] == "still above 0.71 of the largest at 3 Hz"
