"""Linear responses against algebra, and as measured through the rig."""

from __future__ import annotations

import numpy as np
import pytest

from cleo_like import Dynamics, IdealElectrode, get_cell
from cleo_like.core.errors import InputError
from cleo_like.planning.probe import probe, rheobase_through
from cleo_like.planning.response import LinearResponse


def test_a_passive_membrane_answers_exponentially():
    response = LinearResponse.rc(200e6, 20e-3)
    current = np.zeros((1, 20000))
    current[0, 2000:] = 10e-12
    v = response.predict(current, 1e4)[0]
    t = (np.arange(20000) - 2000 + 0.5) / 1e4
    expected = np.where(t > 0, 2e-3 * (1 - np.exp(-np.maximum(t, 0) / 20e-3)), 0)
    assert v[:12000] == pytest.approx(expected[:12000], abs=2e-5)


@pytest.mark.parametrize("delay", [0.0, 3e-4])
def test_the_fit_finds_resistance_and_time_constant_behind_a_delay(delay):
    f = np.r_[0, np.geomspace(0.5, 150, 60)]
    z = 120e6 / (1 + 2j * np.pi * f * 9e-3) * np.exp(-2j * np.pi * f * delay)
    ohm, tau, error = LinearResponse.given(f, z).fit_rc()
    assert (ohm, tau) == pytest.approx((120e6, 9e-3), rel=1e-6)
    assert error < 1e-6


def test_beyond_the_last_frequency_it_falls_as_one_over_f():
    response = LinearResponse.given([1.0, 2, 5, 10], np.array([4, 3, 2, 1 - 1j]) * 1e6)
    assert complex(response.at(np.array([20.0]))[0]) == pytest.approx((0.5 - 0.5j) * 1e6)
    assert response.resistance == 4e6


@pytest.mark.parametrize("name", ["passive", "sag"])
def test_a_noisy_chirp_measures_what_the_equations_say(name):
    electrode = IdealElectrode(noise="0.1 mV")
    (found,) = probe(name, amplitude=10e-12, electrode=electrode, seed=2)
    keep = found.frequency <= 50
    f = found.frequency[keep]
    known = Dynamics(get_cell(name)).impedance(f)
    # half a sample of 0.1 ms: the command is held from sample to sample
    known = known * np.exp(-1j * np.pi * f / 1e4)
    assert np.abs(found.impedance[keep] / known - 1).max() < 0.06
    assert np.median(np.abs(found.impedance[keep] / known - 1)) < 0.01
    assert found.noise == pytest.approx(1e-4, rel=0.05)


def test_rheobase_through_the_rig_is_that_of_the_equations():
    from cleo_like import rheobase

    measured = rheobase_through("rs", electrode=IdealElectrode(noise="0.05 mV"))
    assert measured == pytest.approx(rheobase(get_cell("rs")), rel=0.02)
    assert np.isnan(rheobase_through("passive", maximum=1e-10))


@pytest.mark.parametrize(
    ("f", "z", "words"),
    [
        ([1.0, 2, 3], np.ones(3) * 1j, "at least 4"),
        ([1.0, 2, 3, 4], np.ones(3) * 1j, "equal length"),
        ([1.0, 2, 3, 4], np.ones(4), "complex"),
        ([1.0, 2, 2, 4], np.ones(4) + 1j, "different"),
        ([-1.0, 2, 3, 4], np.ones(4) + 1j, "0 Hz or more"),
        ([1.0, 2, 3, np.nan], np.ones(4) + 1j, "finite"),
        ([0.0, 1, 2, 3], -np.ones(4) + 0j, "above 0 ohm"),
    ],
)
def test_what_is_no_impedance_is_told(f, z, words):
    with pytest.raises(InputError, match=words):
        LinearResponse.given(np.array(f), z)
