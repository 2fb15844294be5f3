"""Chirps and sines that begin with the sweep: all of them, not the part that moves most."""

import numpy as np
import pytest
from scipy.signal import lfilter

import cleo_like as cl
from cleo_like.features.impedance import impedance

RATE, LENGTH = 10_000.0, 20.0
T = np.arange(round(LENGTH * RATE)) / RATE


def wave(kind):
    if kind == "sine":
        return np.sin(2 * np.pi * 3 * T)
    phase = 0.5 * T + 29.5 * T**2 / 2 / LENGTH
    return np.sin(2 * np.pi * (phase if kind == "chirp" else phase[::-1]))


def recording(command, noise=0.0):
    """R = 300 MOhm, tau = 30 ms."""
    keep, rng = np.exp(-1 / RATE / 0.03), np.random.default_rng(1)
    v = -0.07 + 300e6 * lfilter([1 - keep], [1, -keep], command)
    v += rng.normal(0, 1e-4, v.size)
    sweep = cl.Sweep(response=v, command=command + rng.normal(0, noise, v.size), rate=RATE)
    return cl.Recording(
        sweeps=[sweep], cell=cl.Cell(id="rc"), provenance=cl.Provenance(source="oracle")
    )


@pytest.mark.parametrize("noise", [0.0, 3e-13])
@pytest.mark.parametrize("rest", [0.0, 1.0])
@pytest.mark.parametrize("kind", ["chirp", "down", "sine"])
def test_the_whole_wave_is_found(kind, rest, noise):
    """The chirp of a sweep without rest was found from 5 to 15 of its 20 s."""
    command = 20e-12 * np.concatenate((wave(kind), np.zeros(round(rest * RATE))))
    found = cl.match(recording(command, noise))
    assert found.family == ("sine" if kind == "sine" else "chirp")
    assert found.window.start == pytest.approx(0, abs=0.02)
    assert found.window.end == pytest.approx(LENGTH, abs=0.02)


@pytest.mark.parametrize("rest", [0.0, 1.0])
def test_its_impedance_is_that_of_the_circuit(rest):
    """A false resonance at 9.7 Hz, Q 6.7, before."""
    command = 20e-12 * np.concatenate((wave("chirp"), np.zeros(round(rest * RATE))))
    z = impedance(recording(command))
    truth = 300 / np.sqrt(1 + (2 * np.pi * z.frequency * 0.03) ** 2)
    assert np.isnan(z.values["resonance_frequency"])
    np.testing.assert_allclose(z.magnitude, truth, rtol=0.04)
