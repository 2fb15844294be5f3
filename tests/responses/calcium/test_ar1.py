"""Non-negative deconvolution against non-negative least squares, and its noise constraint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls
from scipy.signal import lfilter

from cleo_like.responses import ar1_events
from cleo_like.responses.calcium.pools import nonnegative_calcium


@settings(max_examples=60)
@given(
    st.integers(2, 60), st.sampled_from([0.2, 0.7, 0.95, 0.999]), st.integers(0, 2**31),
    st.booleans(),
)  # fmt: skip
def test_calcium_is_that_of_least_squares(n, g, seed, gaps):
    rng = np.random.default_rng(seed)
    y = 2 * np.convolve(rng.random(n) < 0.1, g ** np.arange(n))[:n] + rng.normal(size=n)
    if gaps:
        y[rng.random(n) < 0.2] = np.nan
    seen = np.isfinite(y)
    lag = np.subtract.outer(np.arange(n), np.arange(n))
    decay = np.where(lag >= 0, g ** np.maximum(lag, 0), 0.0)
    events, rss = nnls(decay[seen], y[seen]) if seen.any() else (np.zeros(n), 0.0)
    calcium = nonnegative_calcium(y[None], np.array([g]))[0]
    jumps = np.r_[calcium[0], calcium[1:] - g * calcium[:-1]]
    assert (jumps >= -1e-12).all()
    assert np.nansum((y - calcium) ** 2) == pytest.approx(rss**2, rel=1e-9, abs=1e-12)
    if not gaps:  # without gaps the solution is unique
        np.testing.assert_allclose(calcium, decay @ events, atol=1e-9)


def test_long_traces_join_one_by_one_what_is_left(rng):
    y = np.cumsum(rng.normal(size=3000)) * 0.1
    y -= y.min()
    g = 0.99
    calcium = nonnegative_calcium(y[None], np.array([g]))[0]
    jumps = np.r_[calcium[0], calcium[1:] - g * calcium[:-1]]
    assert (jumps >= -1e-12).all()
    # optimal: no event can grow or shrink and lower the error
    gradient = lfilter([1.0], [1, -g], (y - calcium)[::-1])[::-1]
    assert gradient.max() < 1e-8
    assert np.abs(gradient[jumps > 1e-9]).max() < 1e-8


def test_what_is_left_over_is_the_noise(rng):
    g = np.exp(-1 / (0.5 * 30))
    spikes = (rng.random((3, 3000)) < 0.01).astype(float)
    truth = lfilter([1.0], [1, -g], spikes, axis=1)
    found = ar1_events(truth + 0.7 + 0.1 * rng.normal(size=truth.shape), 30.0, tau=0.5)
    left = truth + 0.7 - found.calcium - found.baseline[:, None]
    assert np.abs(found.baseline - 0.7).max() < 0.05
    assert left.std() < 0.06
    assert (found.lambdas > 0).all()
    assert (np.corrcoef(found.events[0], spikes[0])[0, 1]) > 0.85


def test_a_cell_without_events_or_noise_says_why(rng):
    found = ar1_events(np.stack([np.ones(200), rng.normal(size=200)]), 10.0, tau=1.0)
    assert found.notes == ("cell 0 never changes: its noise is 0",)
    assert np.isnan(found.events[0]).all()
    assert np.isnan(found.lambdas[0])
    assert (found.events[1] > 0).sum() < 20
