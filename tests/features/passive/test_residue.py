"""Rest is where the cell was before a pulse, not what the pulse leaves of the baseline."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

import cleo_like as cl

RATE, REST, OHM = 20e3, -68.0, 200e6
STEPS = np.arange(-100, 21, 20) * 1e-12


def extracted(gap, tau=0.02, noise=0.1e-3, steps=STEPS, amplitude=-50e-12):
    """An RC cell with a pulse that ends `gap` s before its step; the exact solution."""
    t = np.arange(int(1.9 * RATE)) / RATE
    rng = np.random.default_rng(3)
    kept = np.exp(-1 / (RATE * tau))
    sweeps = []
    for k, step in enumerate(steps):
        command = np.where((t >= 0.8) & (t < 1.6), step, 0.0)
        command += np.where((t >= 0.7 - gap) & (t < 0.8 - gap), amplitude, 0.0)
        away = lfilter([0, 1 - kept], [1, -kept], OHM * command)
        response = REST / 1e3 + away + noise * rng.standard_normal(t.size)
        sweeps.append(cl.Sweep(response=response, command=command, rate=RATE, number=k))
    made = cl.Recording(
        sweeps=sweeps, cell=cl.Cell(id="rc"), provenance=cl.Provenance(source="test")
    )
    return cl.extract(made, progress=False)


@pytest.mark.parametrize("gap", [0.02, 0.05, 0.1, 0.3])
def test_rest_before_a_pulse(gap):
    table = extracted(gap)
    for name in ("resting_potential", "v_baseline"):
        assert table[name][0] == pytest.approx(REST, abs=0.02)
        assert abs(table[name][0] - REST) < 3 * table[f"{name}_error"][0]
    # nothing rebounds: what is left is the largest of 3,000 samples of the noise
    assert table["rebound_depolarization"][0] < 0.6
    said = "an earlier pulse leaves are taken off" in table["notes"][0]
    assert said == (gap < 0.2)  # exp(-10) of 10 mV is nothing


def test_unknown_recovery_is_no_rest():
    """One small step in much noise tells no time constant: near a pulse there is no rest."""
    near, far = (
        extracted(gap, noise=3e-3, steps=[2e-12], amplitude=-2e-12) for gap in (0.05, 0.45)
    )
    assert np.isnan(near["tau"][0])
    assert np.isnan(far["tau"][0])
    assert np.isnan(near["resting_potential"][0])
    assert "a pulse precedes" in near.why(0, "resting_potential")
    assert far["resting_potential"][0] == pytest.approx(REST, abs=0.2)
