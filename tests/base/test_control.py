"""Rate estimate and PI control against their definitions."""

import numpy as np
import pytest
from brian2 import Hz, ms, second

from cleo_like.core import InputError
from cleo_like.ioproc import exp_firing_rate_estimate, pi_ctrl


def test_a_regular_train_is_estimated_at_its_rate():
    rate = np.zeros(2) * Hz
    for _ in range(4000):
        rate = exp_firing_rate_estimate([1, 0], 2 * ms, rate, 100 * ms)
    assert np.allclose(rate / Hz, [500, 0])


def test_without_spikes_the_estimate_decays_with_tau():
    rate = exp_firing_rate_estimate([0], 30 * ms, [10] * Hz, 60 * ms)
    assert rate / Hz == pytest.approx([10 * np.exp(-0.5)])


def test_wrong_estimates_are_refused():
    with pytest.raises(InputError, match="dt and tau must be positive"):
        exp_firing_rate_estimate([0], 0 * ms, [10] * Hz, 60 * ms)
    with pytest.raises(InputError, match="prev_rate=10 has no unit"):
        exp_firing_rate_estimate([0], 1 * ms, 10, 60 * ms)


def test_control_follows_the_error_and_its_integral():
    signal, integral = 0.0, 0 * second
    measured = [0.0, 1.0, 2.0]
    for value in measured:
        signal, integral = pi_ctrl(value, 2.0, integral, 1 * second, 3, 0.5 / second)
    assert integral == 3 * second
    assert signal == pytest.approx(1.5)
    assert pi_ctrl(1.0, 2.0, 0 * second, 1 * second, 3)[0] == 3


def test_a_proportional_controller_with_integral_reaches_its_set_point():
    value, integral = 0.0, 0 * second
    for _ in range(2000):
        signal, integral = pi_ctrl(value, 5.0, integral, 1 * ms, 2.0, 50 / second)
        value += 1e-3 / 0.02 * (signal - value)
    assert value == pytest.approx(5.0, abs=1e-3)
