"""The half Gaussian of filtered events."""

import numpy as np
import pytest
from scipy.stats import halfnorm

from cleo_like.core.errors import InputError
from cleo_like.responses import filtered_events, half_normal_weights


@pytest.mark.parametrize("rate", [10.73, 31.0, 60.0])
def test_filtered_events_are_a_truncated_convolution_with_a_half_normal(rng, rate):
    events = np.maximum(rng.normal(size=(3, 200)), 0)
    weights = halfnorm(scale=2 / 31 * rate).pdf(np.arange(20))
    weights /= weights.sum()
    wanted = [np.convolve(row, weights)[:200] for row in events]
    np.testing.assert_allclose(filtered_events(events, rate), wanted, atol=1e-12)
    np.testing.assert_allclose(filtered_events(events[0], rate), wanted[0], atol=1e-12)


def test_a_fast_scope_needs_more_weights():
    assert half_normal_weights(31.0).size == 20
    weights = half_normal_weights(500.0)
    assert weights[-1] < 1e-3 * weights[0]
    assert weights.sum() == pytest.approx(1)


def test_nothing_comes_before_its_event_and_nan_ends():
    events = np.zeros(100)
    events[40] = 1
    assert not filtered_events(events, 31.0)[:40].any()
    events[60] = np.nan
    found = filtered_events(events, 31.0)
    assert np.flatnonzero(np.isnan(found)).tolist() == list(range(60, 80))


def test_wrong_rate():
    with pytest.raises(InputError, match="frame_rate must be a positive"):
        filtered_events(np.zeros(5), -1)
