"""Membrane test, I-V curves and leak subtraction against cells whose answers are known."""

import attrs
import numpy as np
import pytest
from brian2 import Mohm, nS, pF

import cleo_like as cl
from cleo_like.cells import Dynamics, Population, get_cell
from cleo_like.core import InputError, UnknownNameError
from cleo_like.features.clamp import (
    CurrentVoltage,
    MembraneTest,
    boltzmann_fit,
    current_voltage,
    membrane_test,
    subtract_leak,
    with_membrane_test,
)
from cleo_like.features.clamp.chain import chain_of, filter_delay
from cleo_like.features.clamp.circuit_fit import potential_response, step_response
from cleo_like.features.clamp.exponential import fit_exponential
from cleo_like.stimuli import p_over_n, voltage_steps, with_test_pulse
from tests.selection import some_slow

CURRENT = cl.long_square(
    ["-50 pA"], duration="120 ms", before="40 ms", after="20 ms", rate="50 kHz"
)
VOLTAGE = voltage_steps(["-75 mV"], duration="30 ms", before="20 ms", after="10 ms")


def recorded(cells, played, **changes):
    rig = cl.rig_preset("multiclamp_700b", played.mode, **{"seal": None} | changes)
    return cl.record(cells, played, electrode=rig, seed=3, progress=False)


def errors(recordings, access):
    found = [(membrane_test(r), r.truth.parameters) for r in recordings]
    return np.abs([
        [f.access_resistance[0] / access - 1, f.input_resistance[0] * p["gL"] - 1,
         f.capacitance[0] / p["C"] - 1]
        for f, p in found
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("played", "changes"),
    [
        (CURRENT, {}),
        (CURRENT, {"bridge": 0}),
        (CURRENT, {"neutralisation": 0}),
        (VOLTAGE, {"correction": 0}),
        (VOLTAGE, {}),
    ],
)
@pytest.mark.parametrize("access", some_slow([30, 5], 2))
def test_membrane_test_of_random_passive_cells(played, changes, access):
    cells = Population.draw(get_cell("passive"), 12, seed=access, spread={"gL": 0.5, "C": 0.35})
    off = errors(
        recorded(cells, played, access_resistance=access * Mohm, **changes), access * 1e6
    )
    assert np.median(off, axis=0).max() < 0.03
    assert np.quantile(off, 0.95, axis=0).max() < 0.10


@pytest.mark.slow
def test_membrane_test_of_two_hundred_cells():
    for played, changes in (
        (CURRENT, {}), (CURRENT, {"neutralisation": 0, "bridge": 0}),
        (VOLTAGE, {"correction": 0}), (VOLTAGE, {}),
    ):  # fmt: skip
        rows = []
        for k, access in enumerate(np.linspace(5, 30, 8)):
            cells = Population.draw(
                get_cell("passive"), 25, seed=k, spread={"gL": 0.5, "C": 0.35}
            )
            made = recorded(cells, played, access_resistance=access * Mohm, **changes)
            rows.append(errors(made, access * 1e6))
        off = np.concatenate(rows)
        assert np.median(off, axis=0).max() < 0.03
        assert np.quantile(off, 0.95, axis=0).max() < 0.10


def test_estimates_follow_a_drift():
    played = with_test_pulse(
        cl.long_square(["0 pA"] * 5, duration="20 ms", before="10 ms", after="10 ms"), "-50 pA",
        duration="100 ms", after="100 ms",
    )  # fmt: skip
    (made,) = recorded(
        "passive", played, access_resistance=10 * Mohm, access_resistance_end=30 * Mohm
    )
    found = membrane_test(made)
    truth = made.truth.answers["access_resistance_by_sweep"]
    np.testing.assert_allclose(found.access_resistance, truth, rtol=0.06)
    settings = with_membrane_test(made).sweeps[4].settings
    assert settings["series_resistance"] == found.access_resistance[4]
    assert settings["bridge_balance"] == 10e6


def test_what_biases_the_test_is_said():
    (whole,) = recorded("passive", VOLTAGE, whole_cell_capacitance="100 pF", correction=0)
    found = membrane_test(whole)
    assert "whole-cell compensation" in found.notes[0][0]
    assert np.isnan(found.capacitance[0])
    assert found.input_resistance[0] == pytest.approx(200e6, rel=0.1)
    deep = cl.long_square(["-100 pA"], duration="500 ms", before="50 ms", after="20 ms")
    (sag,), (plain,) = recorded("sag", deep), recorded("passive", deep)
    assert "not one exponential" in membrane_test(sag).notes[0][-1]
    assert membrane_test(plain).notes == ((),)
    slow = voltage_steps(["-75 mV"], duration="150 ms", before="20 ms", after="10 ms")
    (sag,), (plain,) = (
        recorded("sag", slow, correction=0),
        recorded("passive", slow, correction=0),
    )
    assert "I_h or another slow conductance" in membrane_test(sag).notes[0][-1]
    assert membrane_test(plain).notes == ((),)
    (small,) = recorded(
        "passive", cl.long_square(["-0.005 pA"], duration="50 ms", before="50 ms"), command=None
    )
    assert membrane_test(small).notes == (("the response to the pulse is within the noise",),)


def test_a_pulse_that_is_not_there():
    (made,) = recorded("passive", CURRENT)
    still = attrs.evolve(made.sweeps[0], command=np.zeros(made.sweeps[0].n_samples))
    made = attrs.evolve(made, sweeps=(still,))
    with pytest.raises(InputError, match="no pulse that returns"):
        membrane_test(made)
    with pytest.raises(InputError, match="has no command"):
        membrane_test(attrs.evolve(made, sweeps=(attrs.evolve(still, command=None),)))
    with pytest.raises(InputError, match="must lie inside the sweep"):
        membrane_test(made, start="100 ms", end="900 ms")
    with pytest.raises(InputError, match="has no sweep"):
        membrane_test(attrs.evolve(made, sweeps=(), truth=None))


def test_the_exponential_fit_finds_what_is_there():
    t = np.arange(2000) * 2e-5
    taus = np.array([2e-4, 1e-3, 9e-3])
    y = 3.0 - 2.0 * np.exp(-t / taus[:, np.newaxis])
    fit = fit_exponential(y, 2e-5)
    np.testing.assert_allclose(fit.tau, taus, rtol=1e-3)
    np.testing.assert_allclose(fit.offset, 3.0, rtol=1e-3)
    np.testing.assert_allclose(fit.amplitude, -2.0, rtol=2e-3)


def test_delay_and_step_response_are_those_of_the_circuit():
    assert filter_delay("4-pole Bessel, 10 kHz") == filter_delay("4-pole Bessel, 10000 Hz") > 0
    assert filter_delay("something") == filter_delay(None) == 0
    (made,) = recorded(
        "passive", VOLTAGE, johnson_noise=False, bits=32, fast_capacitance="4.5 pF"
    )
    sweep = made.sweeps[0]
    t = np.arange(1000) / sweep.rate
    wanted = -5e-3 * step_response(t, (10e6, 100e-12, 200e6, 0.5e-12), chain_of(made, sweep))
    found = sweep.response[1000:2000] - sweep.response[999]
    assert np.abs(found - wanted).max() < 0.015 * np.abs(wanted).max()


@pytest.mark.parametrize("lowpass", ["10 kHz", "2 kHz", None])
def test_the_potential_of_a_step_is_that_of_the_circuit(lowpass):
    """5 pF behind 20 MOhm are 100 us; the exponential alone gave 16 MOhm for 20."""
    (made,) = recorded(
        "passive", CURRENT, johnson_noise=False, bits=32, access_resistance="20 MOhm",
        neutralisation=0, bridge="3 MOhm", lowpass=lowpass, command=None,
    )  # fmt: skip
    sweep, pulse = made.sweeps[0], CURRENT.epochs[0]
    t = np.arange(500) / sweep.rate
    chain = chain_of(made, sweep)
    wanted = -50e-12 * potential_response(t, (20e6, 100e-12, 200e6, 5e-12), chain)
    response = sweep.response.astype(float)
    found = response[pulse.start : pulse.start + 500] - response[pulse.start - 1]
    first = (
        1 if lowpass is None else 0
    )  # the bridge has no delay: on the edge either side is right
    assert np.abs(found - wanted)[first:].max() < 2e-8
    tested = membrane_test(made)
    assert tested.access_resistance[0] == pytest.approx(20e6, rel=2e-3)
    assert tested.input_resistance[0] == pytest.approx(200e6, rel=1e-3)
    assert tested.capacitance[0] == pytest.approx(100e-12, rel=2e-3)


@pytest.mark.parametrize("cell", ["passive", "lts", "rs", "stuttering"])
def test_a_pulse_that_opens_channels_is_said(cell):
    """One exponential fits them within 2 %, and the access resistance is off by a third."""
    played = cl.long_square(
        ["-50 pA"], duration="300 ms", before="50 ms", after="100 ms", rate="20 kHz"
    )
    (made,) = recorded(cell, played, access_resistance="15 MOhm")
    said = " ".join(membrane_test(made).notes[0])
    assert ("not that of a passive membrane" in said) == (cell != "passive")


def test_what_comes_after_the_pulse_is_used_up_to_the_next_step():
    """A step 3 ms after the pulse must not be taken for its end."""
    pulse, n = 2000, 8000
    command = np.zeros(n)
    command[pulse : pulse + 3000] = -50e-12
    soon = command.copy()
    soon[pulse + 3150 :] = 300e-12
    for waveform in (command, soon):
        played = cl.Protocol(waveforms=waveform[np.newaxis], rate=50e3, family="arbitrary")
        (made,) = recorded("passive", played, johnson_noise=False, bits=32, command=None)
        found = membrane_test(made, start="40 ms", end="100 ms")
        assert found.access_resistance[0] == pytest.approx(10e6, rel=5e-3)
        assert found.input_resistance[0] == pytest.approx(200e6, rel=2e-3)


# --- families ---


def test_current_voltage_of_a_passive_cell_is_its_resistance():
    levels = np.arange(-100, -30, 10)
    steps = voltage_steps([f"{v} mV" for v in levels], duration="60 ms", rate="20 kHz")
    (made,) = recorded("passive", steps)
    curve = current_voltage(made)
    np.testing.assert_allclose(curve.voltage * 1e3, levels)
    slope = np.polyfit(curve.voltage, curve.steady, 1)[0]
    assert 1 / slope == pytest.approx(200e6 + 3e6, rel=0.01)  # 70 % corrected
    np.testing.assert_allclose(curve.error, 3e6 * curve.peak)
    assert next(iter(curve.table().columns)) == "voltage"
    with pytest.raises(InputError, match="no epoch 'pulse'"):
        current_voltage(made, epoch="pulse")
    with pytest.raises(InputError, match="voltage clamp"):
        current_voltage(recorded("passive", CURRENT)[0])


def test_activation_of_a_known_conductance():
    """Sweeps drawn from a Boltzmann curve that rises and inactivates, and a leak."""
    levels = np.arange(-80, 41, 10) * 1e-3
    steps = voltage_steps([f"{v * 1e3} mV" for v in levels], holding="-90 mV",
                          duration="20 ms", before="10 ms", after="10 ms")  # fmt: skip
    (made,) = recorded("passive", steps)
    open_ = 30e-9 / (1 + np.exp((-0.035 - levels) / 0.006))
    t = (np.arange(steps.n_samples) - steps.epoch("step").start) / steps.rate
    shape = np.where((t >= 0) & (t < 0.02), np.exp(-np.maximum(t, 0) / 5e-3), 0)
    shape /= np.exp(-0.3e-3 / 5e-3)  # the peak is where the skip ends
    sweeps = [
        attrs.evolve(s, response=g * (v - 0.05) * shape, settings={}, command=s.command)
        for s, g, v in zip(made.sweeps, open_, levels, strict=True)
    ]
    curve = current_voltage(attrs.evolve(made, sweeps=sweeps, device={}))
    assert np.isnan(curve.error).all()  # nothing is said of the series resistance
    np.testing.assert_allclose(curve.conductance("50 mV"), open_, rtol=1e-6)
    half, slope, most = curve.activation("50 mV", "inward")
    assert (half, slope, most) == pytest.approx((-0.035, 0.006, 30e-9), rel=1e-3)
    assert curve.time_to_peak == pytest.approx(0.3e-3)
    with pytest.raises(InputError, match="give reversal="):
        curve.conductance()
    with pytest.raises(UnknownNameError, match="did you mean 'inward'"):
        curve.conductance("50 mV", "inwards")


def test_activation_of_the_sodium_channels_of_a_cell():
    """The library's sodium channels in a clamp that holds them: small, fast, little current.

    The oracle are the gates at the commanded potential. In the whole cell (7500 nS) no clamp
    holds: 20 nA of headstage are not enough, and the drop is tens of mV, which the notes say.
    """
    levels = np.arange(-60, 31, 10) * 1e-3
    steps = voltage_steps([f"{v * 1e3:g} mV" for v in levels], holding="-80 mV",
                          duration="6 ms", before="20 ms", after="5 ms", rate="50 kHz")  # fmt: skip
    patch = get_cell("rs").with_parameters(
        gNa=2.5 * nS, gK=0 * nS, gM=0 * nS, gL=0.5 * nS, C=5 * pF
    )
    (made,) = recorded(
        patch, p_over_n(steps), access_resistance=8 * Mohm, correction=0, lowpass="20 kHz",
        capacitance=2 * pF, fast_capacitance=2 * pF, johnson_noise=False, bits=32, command=None,
    )  # fmt: skip
    curve = current_voltage(subtract_leak(made))
    open_ = peak_of_gates(get_cell("rs"), -0.08, levels)
    known = (levels < 0.04) & (open_ > 1e-5)
    found = curve.conductance("50 mV", "inward")
    # the drop (.4 mV), the sub-sweeps' own channels and 40 us of charging leave this
    np.testing.assert_allclose(found[known], 2.5e-9 * open_[known], rtol=0.1)
    half, _, most = curve.activation("50 mV", "inward")
    wanted = boltzmann_fit(levels[known], 2.5e-9 * open_[known])
    assert half == pytest.approx(wanted[0], abs=4e-3)
    assert most == pytest.approx(wanted[2], rel=0.15)
    # from 20 mV on the peak is over before `skip` is, and the curve says so
    told = {round(v * 1e3): notes for v, notes in zip(curve.voltage, curve.notes, strict=True)}
    assert not any(told[v] for v in range(-40, 11, 10))
    assert "larger before" in told[30][0]
    (whole,) = recorded("rs", steps, access_resistance=5 * Mohm)
    assert "not at the commanded potential" in current_voltage(whole).notes[-1][-1]


def peak_of_gates(cell, holding, levels):
    """The largest m^3 h after a step from holding, of the cell's own equations."""
    dynamics, parameters = Dynamics(cell), {k: float(v) for k, v in cell.parameters.items()}
    x = np.zeros((len(dynamics.states), len(levels)))
    m, h = (dynamics.states.index(name) for name in "mh")

    def run(dt, count):
        nonlocal x
        largest = np.zeros(len(levels))
        for _ in range(count):
            half = x + dt / 2 * dynamics.rates(x, 0.0, parameters) * gates
            x = x + dt * dynamics.rates(half, 0.0, parameters) * gates
            largest = np.maximum(largest, x[m] ** 3 * x[h])
        return largest

    gates = (np.arange(len(x)) != dynamics.v)[:, np.newaxis]
    x[dynamics.v] = holding
    run(20e-6, 2000)
    x[dynamics.v] = levels
    return run(2e-6, 1500)


def test_a_current_that_is_largest_at_the_edge_is_doubtful():
    levels = [f"{v} mV" for v in (-90, -60)]
    steps = voltage_steps(levels, holding="-80 mV", duration="10 ms", rate="50 kHz")
    (made,) = recorded("passive", steps, correction=0)
    assert "largest where `skip` ends" in current_voltage(made).notes[0][0]  # its capacity
    later = current_voltage(made, skip="9 ms")
    assert sum("skip" in " ".join(n) for n in later.notes) < 2  # noise has its peak anywhere


@pytest.mark.parametrize("wrong", ["much", float("inf"), -5.0])
def test_a_setting_that_is_no_number_is_told(wrong):
    (made,) = recorded("passive", VOLTAGE)

    def with_setting(value):
        settings = made.sweeps[0].settings | {"resistance_comp_correction": value}
        return attrs.evolve(made, sweeps=(attrs.evolve(made.sweeps[0], settings=settings),))

    with pytest.raises(InputError, match=r"'resistance_comp_correction' is .*no finite number"):
        membrane_test(with_setting(wrong))
    membrane_test(with_setting(float("nan")))  # as files write what nobody knows


def test_a_clamp_that_loses_the_cell_says_by_how_much():
    levels = [f"{v} mV" for v in range(-80, 1, 20)]
    steps = voltage_steps(levels, holding="-90 mV", duration="10 ms", rate="20 kHz")
    (made,) = recorded("rs", steps, access_resistance=5 * Mohm, correction=0.7)
    error = current_voltage(made).error
    assert error.min() < -0.010
    with pytest.raises(InputError, match="no sub-sweeps"):
        subtract_leak(made)


@pytest.mark.parametrize("same", [True, False])
def test_leak_subtraction_leaves_nothing_of_a_passive_cell(same):
    steps = voltage_steps(["-60 mV", "-40 mV"], duration="20 ms", rate="20 kHz")
    played = p_over_n(steps, 4, same_polarity=same)
    assert played.n_sweeps == 10
    (made,) = recorded("passive", played, johnson_noise=False, bits=32, command=None)
    for sweep in subtract_leak(made).sweeps:
        assert np.abs(sweep.response).max() < 1e-15
    with pytest.raises(InputError, match="already"):
        p_over_n(played)
    with pytest.raises(InputError, match="voltage clamp"):
        p_over_n(CURRENT)


def test_boltzmann_fit_refuses_what_has_no_curve():
    v = np.linspace(-0.08, 0.02, 11)
    with pytest.raises(InputError, match="4 potentials or more, got 3"):
        boltzmann_fit(v[:3], v[:3])
    boltzmann_fit(v[:4], 1 / (1 + np.exp((-0.065 - v[:4]) / 0.006)))
    with pytest.raises(InputError, match="0 everywhere"):
        boltzmann_fit(v, 0 * v)
    with pytest.raises(InputError, match="outside the -80 to 20 mV measured"):
        boltzmann_fit(v, 1 / (1 + np.exp((0.03 - v) / 0.006)))
    boltzmann_fit(v, 1 / (1 + np.exp((0.019 - v) / 0.006)))


def curve_of(membrane, current, *, resistance, times_peak=1.0):
    """Give the I-V curve of a current (A) at membrane potentials (V) behind a resistance."""
    peak = times_peak * current
    left = np.zeros_like(current)
    return CurrentVoltage(
        voltage=membrane + resistance * current, peak=peak, inward=current, steady=current,
        baseline=left, time_to_peak=left, error=resistance * peak,
    )  # fmt: skip


def test_a_steady_current_has_the_potential_that_its_own_drop_leaves():
    """Not that of the peak, which is twice as large here and of the other sign."""
    v = np.arange(-70, 31, 10) * 1e-3
    g = 80e-9 / (1 + np.exp((-0.02 - v) / 0.008))
    curve = curve_of(v, g * (v + 0.09), resistance=3e6, times_peak=-2)
    np.testing.assert_allclose(curve.conductance("-90 mV", "steady"), g, rtol=1e-9)
    assert repr(curve).startswith("CurrentVoltage of 11 steps, -69.9")
    noted = attrs.evolve(curve, notes=((),) * 10 + (("lost",),))
    assert repr(noted).endswith(" pA; 1 doubtful (see notes)")
    found = curve.activation("-90 mV", "steady")
    assert found == pytest.approx((-0.02, 0.008, 80e-9), rel=1e-4)


def test_activation_leaves_out_what_the_clamp_loses():
    v = np.arange(-80, 21, 10) * 1e-3
    g = 50e-9 / (1 + np.exp((-0.035 - v) / 0.007))
    current = g * (v - 0.05)
    most = np.abs(current).max()
    held = curve_of(v, current, resistance=4.9e-3 / most)
    assert held.activation("50 mV") == pytest.approx((-0.035, 0.007, 50e-9), rel=1e-4)
    # the largest drop is at -20 mV: without it the others are still on the curve
    edge = curve_of(v, current, resistance=5.1e-3 / most)
    assert edge.activation("50 mV") == pytest.approx((-0.035, 0.007, 50e-9), rel=1e-4)
    bent = attrs.evolve(edge, peak=np.where(np.abs(current) == most, 0.9, 1) * current)
    bent = attrs.evolve(bent, error=edge.error)
    assert bent.activation("50 mV") == pytest.approx((-0.035, 0.007, 50e-9), rel=1e-4)
    lost = curve_of(v, current, resistance=60e-3 / most)
    with pytest.raises(InputError, match=r"8 of 11 potentials are left out, where the series"):
        lost.activation("50 mV")


def test_a_jump_between_two_potentials_is_no_curve():
    v = np.arange(-80, 21, 10) * 1e-3
    jump = 1 / (1 + np.exp((-0.035 - v) / 0.2e-3))
    with pytest.raises(InputError, match=r"jumps between two potentials 10 mV apart"):
        boltzmann_fit(v, jump)
    half, slope, _ = boltzmann_fit(v, 1 / (1 + np.exp((-0.033 - v) / 1.2e-3)))
    assert (half, slope) == pytest.approx((-0.033, 1.2e-3), rel=1e-3)


def test_record_measures_the_test_pulses_on_request():
    """The same answers as `with_membrane_test` gives, beside the truth; else nothing is added."""
    pulsed = cl.long_square(
        ["-30 pA", "20 pA"], duration="60 ms", before="20 ms", after="20 ms", rate="20 kHz",
        test_pulse="-40 pA",
    )  # fmt: skip
    plain = cl.ramp(duration="50 ms", before="10 ms", after="10 ms", rate="20 kHz")
    given = {"seed": 4, "progress": False}
    rig = "multiclamp_700b"
    (bare,) = cl.record("passive", pulsed, electrode=rig, **given)
    (made,) = cl.record("passive", pulsed, electrode=rig, membrane_test=True, **given)
    wanted = [dict(s.settings) for s in with_membrane_test(bare).sweeps]
    assert [dict(s.settings) for s in made.sweeps] == wanted
    assert "series_resistance" not in bare.sweeps[0].settings
    for sweep in made.sweeps:
        truth = made.truth.answers["access_resistance"]
        assert sweep.settings["series_resistance"] == pytest.approx(truth, rel=0.1)
    (both,) = cl.experiment("passive", [pulsed, plain], rig, membrane_test=True, **given)
    have = ["series_resistance" in sweep.settings for sweep in both.sweeps]
    assert have == [True, True, False]
    for call in (cl.record, lambda c, p, **k: cl.experiment(c, [p], **k)):
        with pytest.raises(InputError, match="needs a test pulse in 'ramp'"):
            call("passive", plain, membrane_test=True, **given)


def test_wrong_arguments_are_told():
    made = recorded("passive", VOLTAGE)
    for measure in (membrane_test, with_membrane_test, current_voltage, subtract_leak):
        with pytest.raises(InputError, match=r"got list; record gives a list: take \[0\]"):
            measure(made)
        with pytest.raises(InputError, match=r"expected a Recording, got Sweep$"):
            measure(made[0].sweeps[0])
    with pytest.raises(InputError, match="give both start= and end="):
        membrane_test(made[0], start="20 ms")
    with pytest.raises(InputError, match="skip must be 0 ms or more, got -1 ms"):
        current_voltage(made[0], skip="-1 ms")
    current_voltage(made[0], skip="0 ms")


def test_the_table_of_a_membrane_test_is_in_units_of_the_bench():
    found = MembraneTest(
        number=np.array([3, 4]), access_resistance=np.array([1e7, np.nan]),
        input_resistance=np.array([2e8, 3e8]), capacitance=np.array([1e-10, 2e-10]),
        time_constant=np.array([2e-3, 5e-3]), holding=np.array([-2e-11, 0.0]),
        notes=((), ("a", "b")),
    )  # fmt: skip
    table = found.table()
    assert table["sweep"].tolist() == [3, 4]
    assert table["access_resistance"][0] == 10
    assert table["input_resistance"].tolist() == [200, 300]
    assert table["capacitance"].tolist() == pytest.approx([100, 200])
    assert table["time_constant"].tolist() == [2, 5]
    assert table["holding"].tolist() == [-2e-11, 0]
    assert table["notes"].tolist() == ["", "a; b"]
    assert "10" in repr(found)
    assert "250" in repr(found)
    assert "150" in repr(found)
