"""Kernel, propagator and response against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.core.errors import InputError, UnitError
from cleo_like.imaging.calibrated import HillResponse, Kernel, SigmoidResponse
from cleo_like.imaging.calibrated.propagate import exponential_sum


def direct(times, cells, frames, rates, weights):
    """The definition: every spike in every frame."""
    out = np.zeros((len(rates), len(frames)))
    for t, c in zip(times, cells, strict=True):
        age = frames - t
        seen = age >= 0
        out[c, seen] += np.exp(-np.outer(age[seen], rates[c])) @ weights[c]
    return out


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_cells=st.integers(1, 5),
    n_spikes=st.integers(0, 60),
    fastest=st.floats(0.5, 5000.0),
)
def test_sum_equals_definition(seed, n_cells, n_spikes, fastest):
    rng = np.random.default_rng(seed)
    frames = np.cumsum(rng.uniform(1e-3, 0.2, 40)) - 1.0
    times = rng.uniform(-2, frames[-1] + 1, n_spikes)
    times[: n_spikes // 4] = rng.choice(frames, n_spikes // 4)  # spikes on frames
    times[n_spikes // 4 : n_spikes // 2] = times[: n_spikes // 2 - n_spikes // 4]  # twins
    cells = rng.integers(0, n_cells, n_spikes)
    rates = rng.uniform(0.2, fastest, (n_cells, 3))
    weights = rng.normal(size=(n_cells, 3))
    expected = direct(times, cells, frames, rates, weights)
    found = exponential_sum(times, cells, frames, rates, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-11 * (1 + n_spikes))


def test_long_trains_keep_their_precision():
    """An hour at 50 Hz: geometric series, known in closed form."""
    step, k = 0.02, 3.0
    times = step * np.arange(180_000)
    found = exponential_sum(
        times, np.zeros(times.size, int), times[-1:], np.array([[k]]), np.ones((1, 1))
    )
    assert found[0, 0] == pytest.approx(1 / (1 - np.exp(-k * step)), rel=1e-12)


@pytest.mark.parametrize(
    ("times", "cells", "frames", "message"),
    [
        ([0.0, 1.0], [0], [0.0], "two vectors of one length"),
        ([np.nan], [0], [0.0], "finite"),
        ([0.0], [3], [0.0], "0 to 1, got 3 to 3"),
        ([0.0], [-1], [0.0], "0 to 1, got -1"),
        ([0.0], [0], [1.0, 1.0], "increasing"),
        ([0.0], [0], [0.0, np.inf], "finite, increasing"),
    ],
)
def test_bad_spikes_and_frames(times, cells, frames, message):
    with pytest.raises(InputError, match=message):
        exponential_sum(
            np.array(times), np.array(cells), np.array(frames), np.ones((2, 1)), np.ones((2, 1))
        )


@pytest.mark.parametrize("decays", [["200 ms"], ["40 ms", "200 ms", "2 s"]])
def test_kernel_is_its_formula_scaled_to_one(decays):
    weights = [0.6, 0.3, 0.1][: len(decays)]
    kernel = Kernel(rise="5 ms", decays=decays, weights=weights)
    t = np.linspace(0, 3, 300_001)
    shape = (1 - np.exp(-t / 5e-3)) * sum(
        w * np.exp(-t / d) for w, d in zip(weights, kernel.decays, strict=True)
    )
    np.testing.assert_allclose(kernel(t), shape / shape.max(), atol=1e-8)
    assert kernel.peak_time == pytest.approx(t[shape.argmax()], abs=1.1e-5)
    assert kernel(-1e-9) == 0
    assert float(kernel(kernel.peak_time)) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rise": 0.005}, UnitError, "has no unit"),
        ({"decays": []}, InputError, "one weight for each decay"),
        ({"weights": [1, 2]}, InputError, "1 decays and 2 weights"),
        ({"rise": "-1 ms"}, InputError, "must be positive"),
        ({"weights": [0]}, InputError, "positive sum"),
    ],
)
def test_bad_kernels(change, error, message):
    good = {"rise": "5 ms", "decays": ["100 ms"], "weights": [1.0]}
    with pytest.raises(error, match=message):
        Kernel(**(good | change))


def test_responses_against_their_formulas():
    c = np.linspace(0, 50, 101)
    a, n, k = 0.3, 1.7, 12.0
    hill = HillResponse(single_spike=a, exponent=n, half_saturation=k)
    expected = a * (c**n / (c**n + k**n)) / (1 / (1 + k**n))
    np.testing.assert_allclose(hill(c), expected, rtol=1e-12)
    assert hill(-1e-18) == 0
    above = HillResponse(single_spike=a, exponent=n, half_saturation=k, rest=2.0)
    h = (c + 2) ** n / ((c + 2) ** n + k**n)
    np.testing.assert_allclose(above(c), a * (h - h[0]) / (h[2] - h[0]), rtol=1e-10, atol=1e-14)
    sigmoid = SigmoidResponse(maximum=6.0, midpoint=4.0, slope=0.4)
    logistic = 6 / (1 + np.exp(-0.4 * (c - 4.0)))
    np.testing.assert_allclose(sigmoid(c), logistic - logistic[0], rtol=1e-9, atol=1e-12)
    with pytest.raises(InputError, match="exponent must be above 0"):
        HillResponse(single_spike=1, exponent=0, half_saturation=1)
