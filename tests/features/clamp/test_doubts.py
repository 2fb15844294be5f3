"""Pulses that are no answer of a pipette and a cell; oracle: access 15, cell 200 MOhm, 100 pF."""

import numpy as np
import pytest

from cleo_like.core import Cell, Provenance, Recording, Sweep
from cleo_like.features.clamp import current_voltage, membrane_test
from cleo_like.stimuli import voltage_steps

RATE, RS, RM, C = 50e3, 15e6, 200e6, 100e-12


def pulse(*, lag=0, scale=1.0, command=1.0, clip=np.inf, rate=RATE):
    """Voltage clamp, -5 mV for 50 ms; the current `lag` samples late."""
    t = np.arange(round(0.15 * rate)) / rate
    on = (t >= 0.05) & (t < 0.1)
    tau, size = C * RS * RM / (RS + RM), -5e-3
    after = np.maximum(t - 0.05, 0)
    current = size / (RS + RM) + size * (1 / RS - 1 / (RS + RM)) * np.exp(-after / tau)
    back = -size * (1 / RS - 1 / (RS + RM)) * np.exp(-np.maximum(t - 0.1, 0) / tau)
    current = np.where(on, current, np.where(t >= 0.1, back, 0))
    current = np.roll(current, lag) + np.random.default_rng(1).normal(0, 2e-12, t.size)
    current = np.clip(current, -clip, clip) * scale
    sweep = Sweep(
        response=current, command=(-0.07 + size * on) * command, rate=rate, mode="voltage_clamp"
    )
    return membrane_test(
        Recording(sweeps=[sweep], cell=Cell(id="c"), provenance=Provenance(source="oracle"))
    )


@pytest.mark.parametrize("lag", [10, 50, 250])
def test_a_late_current_is_measured_from_where_it_answers(lag):
    """1 ms late gave an access of 37 MOhm and 145 pF."""
    found = pulse(lag=lag)
    assert found.access_resistance[0] / 1e6 == pytest.approx(15, rel=0.02)
    assert found.capacitance[0] * 1e12 == pytest.approx(100, rel=0.02)
    assert f"{lag / 50:.3g} ms after the command" in found.notes[0][0]


@pytest.mark.parametrize("lag", [0, 1, 4])
def test_what_a_filter_does_is_no_lag(lag):
    assert not [n for n in pulse(lag=lag).notes[0] if "after the command" in n]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"scale": -1}, "against the potential"),
        ({"scale": 1e12}, "units"), ({"scale": 1e3}, "units"),
        ({"command": 1e3}, "units"), ({"scale": 1e-3}, "units"),
    ],
)  # fmt: skip
def test_wrong_signs_and_units_have_no_values(options, why):
    """The sign gave 1,000 MOhm of access and 1e6 of the cell; units a raw ValueError."""
    found = pulse(**options)
    assert why in " ".join(found.notes[0])
    for values in (found.access_resistance, found.input_resistance, found.capacitance):
        assert np.isnan(values[0])


@pytest.mark.parametrize(("clip", "known"), [(150e-12, False), (400e-12, True)])
def test_a_clipped_transient_tells_no_access(clip, known):
    found = pulse(clip=clip)
    assert np.isfinite(found.access_resistance[0]) is np.bool_(known)
    assert found.input_resistance[0] / 1e6 == pytest.approx(200, rel=0.05)
    assert any("clipped" in note for note in found.notes[0]) is not known


def in_current_clamp(*, lag=0, post=None, size=-50e-12, bridge=None, rate=RATE):
    """A pulse of 150 ms; 200 MOhm, 20 ms, 15 MOhm of access that the bridge does not take."""
    t = np.arange(round(0.4 * rate)) / rate
    on = (t >= 0.05) & (t < 0.2)
    rise = np.where(t >= 0.05, 1 - np.exp(-(t - 0.05) / 0.02), 0)
    fall = np.where(t >= 0.2, 1 - np.exp(-(t - 0.2) / 0.02), 0)
    v = -0.07 + size * (200e6 * (rise - fall) + 15e6 * on)
    v = np.roll(v, lag) + np.random.default_rng(1).normal(0, 5e-5, t.size)
    settings = {} if bridge is None else {"bridge_balance": bridge}
    sweep = Sweep(
        response=v if post is None else post(v, t),
        command=size * on,
        rate=rate,
        settings=settings,
    )
    return membrane_test(
        Recording(sweeps=[sweep], cell=Cell(id="c"), provenance=Provenance(source="oracle"))
    )


@pytest.mark.parametrize("lag", [50, 250])
@pytest.mark.parametrize("bridge", [None, 0.0])
def test_a_late_potential_tells_no_access(lag, bridge):
    """1 ms late gave an access of 3 MOhm, 5 ms a cell of 246 MOhm and 85 pF."""
    found = in_current_clamp(lag=lag, bridge=bridge)
    assert "after the command" in found.notes[0][0]
    assert np.isnan(found.access_resistance[0])
    assert found.input_resistance[0] / 1e6 == pytest.approx(200, rel=0.02)
    assert found.capacitance[0] * 1e12 == pytest.approx(100, rel=0.05)  # a lag to 0.25 ms


@pytest.mark.parametrize("bridge", [None, 0.0])
def test_a_potential_in_time_tells_it(bridge):
    found = in_current_clamp(bridge=bridge)
    assert not [n for n in found.notes[0] if "after the command" in n]
    assert found.access_resistance[0] / 1e6 == pytest.approx(15, rel=0.05)


def test_a_potential_before_its_current_and_a_clipped_one_tell_nothing():
    """Clipping gave 99 MOhm for 200."""
    early = in_current_clamp(lag=-250)
    clipped = in_current_clamp(post=lambda v, t: np.maximum(v, -0.075))
    for found, why in ((early, "before the current"), (clipped, "clipped")):
        assert why in found.notes[0][-1]
        assert np.isnan(found.input_resistance[0])


@pytest.mark.parametrize(("hum", "said"), [(0.0, False), (2e-5, False), (1e-3, True)])
def test_a_rest_that_moves_is_said(hum, said):
    found = in_current_clamp(post=lambda v, t: v + hum * np.sin(2 * np.pi * 50 * t))
    assert any("the rest before the pulse moves" in n for n in found.notes[0]) is said


def test_volts_that_are_millivolts_are_no_cell():
    found = in_current_clamp(post=lambda v, t: v * 1e3)
    assert "units" in " ".join(found.notes[0])
    assert np.isnan(found.input_resistance[0])


@pytest.mark.parametrize(("scale", "said"), [(1.0, False), (1e12, True)])
def test_currents_in_another_unit_are_doubtful(scale, said):
    """pA as A gave a conductance of 2e13 S without a word."""
    played = voltage_steps(["-60 mV", "-50 mV"], rate="10 kHz", duration="20 ms")
    sweeps = [
        Sweep(response=5e-9 * (w + 0.07) * scale, command=w, rate=1e4, mode="voltage_clamp")
        for w in played.waveforms
    ]
    found = current_voltage(
        Recording(
            sweeps=sweeps, cell=Cell(id="c"), provenance=Provenance(source="o"), protocol=played
        )
    )
    assert any("unit" in note for notes in found.notes for note in notes) is said
