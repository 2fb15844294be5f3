"""Known answers against the analytic ones and against simulations."""

import numpy as np
import pytest
from brian2 import Mohm, mV, nS, pF

from cleo_like.cells import (
    CellModel,
    Dynamics,
    cell_names,
    get_cell,
    known_answers,
    landmark_step,
    rheobase,
)
from cleo_like.core import Protocol
from cleo_like.patch import record

RESTING = [n for n in cell_names() if n != "adex_delayed_regular_bursting"]


def test_passive_cell_is_exact():
    answers = known_answers(get_cell("passive"))
    assert answers.resting_potential == pytest.approx(-0.070, abs=1e-12)
    for value in (answers.input_resistance, answers.membrane_resistance):
        assert value == pytest.approx(200e6, rel=1e-9)
    assert answers.capacitance == pytest.approx(100e-12, rel=1e-9)
    assert answers.time_constant == pytest.approx(20e-3, rel=1e-9)


def test_subthreshold_adaptation_lowers_the_input_resistance():
    cell = get_cell("adex_tonic")  # gL 10 nS, a 2 nS: the exponential is negligible at rest
    answers = known_answers(cell)
    assert answers.membrane_resistance == pytest.approx(1 / 10e-9, rel=1e-3)
    assert answers.input_resistance == pytest.approx(1 / 12e-9, rel=1e-3)


def test_answers_follow_the_parameters():
    cell = get_cell("passive").with_parameters(gL=1 / (50 * Mohm), C=30 * pF)
    answers = known_answers(cell)
    assert answers.input_resistance == pytest.approx(50e6, rel=1e-9)
    assert answers.time_constant == pytest.approx(1.5e-3, rel=1e-9)


@pytest.mark.parametrize("name", RESTING)
def test_rest_is_where_the_equations_stand_still(name):
    dynamics = Dynamics(get_cell(name))
    x = dynamics.rest()
    rates = dynamics.rates(x, 0.0, dynamics.model.parameters)
    assert abs(rates[dynamics.v, 0]) < 1e-6


def test_a_cell_without_rest_says_so():
    answers = known_answers(get_cell("adex_delayed_regular_bursting"))
    assert np.isnan(answers.resting_potential)
    assert np.isnan(answers.input_resistance)


@pytest.mark.parametrize("name", ["rs", "sag", "narrow_fs"])
def test_input_resistance_and_capacitance_are_those_of_a_simulated_step(name):
    """-1 pA for 6 s: the last sample gives the resistance, the first slope the capacitance."""
    current, rate = -1e-12, 10_000.0
    protocol = Protocol(
        waveforms=np.full((1, 60_000), current), rate=rate, family="arbitrary", holding=0.0
    )
    (recording,) = record(name, protocol, keep_voltage=True, dt="0.1 ms")
    v = recording.truth.voltage[0].astype(float)
    answers = known_answers(get_cell(name))
    assert (v[-1] - v[0]) / current == pytest.approx(answers.input_resistance, rel=0.01)
    early = answers.membrane_resistance * (1 - np.exp(-1e-3 / answers.time_constant))
    assert (v[10] - v[0]) / current == pytest.approx(early, rel=0.02)


@pytest.mark.parametrize("name", ["rs", "narrow_fs", "wang_buzsaki", "adex_transient"])
def test_rheobase_separates_silence_from_a_spike_in_brian2(name):
    found = rheobase(get_cell(name), "300 ms")
    steps = np.array([found - 0.5e-12, found + 0.5e-12])
    protocol = Protocol(
        waveforms=np.broadcast_to(steps[:, None], (2, 6000)), rate=2e4, family="arbitrary"
    )
    (recording,) = record(name, protocol)
    assert recording.truth.spike_counts[0] == 0
    assert recording.truth.spike_counts[1] >= 1


def test_rheobase_of_a_leaky_integrator_is_analytic():
    """A leaky integrator reaches V after T at I = g (V - E) / (1 - exp(-T/tau))."""
    cell = CellModel(
        name="lif",
        equations="dv/dt = (gL*(EL - v) + I)/C : volt\ngL : siemens (constant)",
        parameters={"gL": 10 * nS, "EL": -70 * mV, "C": 100 * pF},
        threshold="v > -50*mV",
        reset="v = -70*mV",
        spike_level=-50 * mV,
    )
    expected = 10e-9 * 0.020 / (1 - np.exp(-0.030 / 0.010))
    assert rheobase(cell, "30 ms", resolution="0.01 pA") == pytest.approx(expected, abs=2e-14)


def test_impedance_of_the_passive_cell_is_analytic():
    f = np.array([0.0, 1.0, 8.0, 50.0, 400.0])
    expected = 200e6 / (1 + 2j * np.pi * f * 0.020)
    np.testing.assert_allclose(Dynamics(get_cell("passive")).impedance(f), expected, rtol=1e-7)


def test_sag_cell_resonates():
    f = np.linspace(0.1, 30, 300)
    z = np.abs(Dynamics(get_cell("sag")).impedance(f))
    assert z.max() > 1.05 * z[0]
    assert 1 < f[z.argmax()] < 12


def test_landmark_step_is_only_for_adex():
    assert landmark_step("adex_irregular") == pytest.approx(160e-12)
    with pytest.raises(KeyError, match="unknown AdEx cell"):
        landmark_step("rs")
