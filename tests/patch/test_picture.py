"""A picture through the whole flow: stimulus, Brian2 cell, electrode, relief."""

import numpy as np
import pytest
from scipy.signal import lfilter

from cleo_like.patch import IdealElectrode, record
from cleo_like.stimuli import from_image, relief

# r and SSIM of skimage's pictures, 48 x 64, 1 s rows, on a cell of 200 MOhm and 20 ms,
# +-10 pA, 0.2 mV noise in 2 kHz, measured once with another simulation
EXPECTED = {"coins": (0.877, 0.790), "camera": (0.960, 0.757)}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_passive_cell_draws_as_the_analytic_membrane_does(name):
    from skimage import data

    picture = getattr(data, name)()
    protocol = from_image(
        picture, "1 s", "10 kHz", amplitude=("-10 pA", "10 pA"), rows=48, columns=64,
        percentiles=(0, 100),
    )  # fmt: skip
    electrode = IdealElectrode(noise="0.2 mV", lowpass="2 kHz")
    (recording,) = record("passive", protocol, electrode=electrode, seed=1, keep_voltage=True)
    a = np.exp(-1e-4 / 20e-3)
    exact = -0.070 + lfilter([0, 200e6 * (1 - a)], [1, -a], protocol.waveforms, axis=1)
    voltage = np.stack(recording.truth.voltage)
    assert np.abs(voltage - exact).max() < 1e-3 * np.ptp(exact)
    found = relief(recording)
    correlation, ssim = EXPECTED[name]
    assert found.correlation == pytest.approx(correlation, abs=0.02)
    assert found.ssim == pytest.approx(ssim, abs=0.02)
