"""Pulses that are no answer of a pipette and a cell; oracle: access 15, cell 200 MOhm, 100 pF."""

import numpy as np
import pytest

from cleo_like.core import Cell, Provenance, Recording, Sweep
from cleo_like.features.clamp import membrane_test

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
