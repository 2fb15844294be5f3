"""Similarity against scikit-image, numpy and the theory of repeats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data
from skimage.metrics import structural_similarity

from cleo_like.core.errors import InputError
from cleo_like.stimuli.images.similarity import correlation, linear_fit, reliability, ssim


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("name", ["camera", "coins"])
def test_ssim_is_the_mean_of_the_map_of_scikit_image(name, noise, rng):
    picture = getattr(data, name)()[:120, :150] / 255
    other = 0.8 * picture + 0.1 + noise * rng.standard_normal(picture.shape)
    _, full = structural_similarity(
        picture, other, data_range=1.0, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True,
    )  # fmt: skip
    assert ssim(picture, other) == pytest.approx(full.mean(), abs=1e-12)


@given(scale=st.floats(0.01, 1e4))
def test_ssim_does_not_depend_on_the_scale_that_data_range_states(scale):
    rng = np.random.default_rng(3)
    a, b = rng.random((20, 30)), rng.random((20, 30))
    assert ssim(scale * a, scale * b, data_range=scale) == pytest.approx(ssim(a, b), abs=1e-9)


def test_ssim_wants_one_shape():
    with pytest.raises(InputError, match="one shape"):
        ssim(np.zeros((3, 4)), np.zeros((4, 3)))


def test_correlation_and_fit_are_those_of_numpy(rng):
    a = rng.random((10, 20))
    b = 3 * a + rng.random((10, 20))
    assert correlation(a, b) == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1])
    fitted = np.polyval(np.polyfit(a.ravel(), b.ravel(), 1), a)
    assert linear_fit(a, b) == pytest.approx(fitted)


def test_a_constant_has_no_correlation_and_fits_as_the_mean():
    assert np.isnan(correlation(np.ones((2, 3)), np.eye(2, 3)))
    assert linear_fit(np.ones((2, 2)), np.eye(2)) == pytest.approx(np.full((2, 2), 0.5))


def test_reliability_follows_from_signal_and_noise(rng):
    # signal variance 1, noise variance 4: single repeats correlate by 1/5, and the mean of
    # eight has the reliability 1 / (1 + 4/8) = 2/3
    signal = rng.standard_normal((200, 300))
    repeats = signal + 2 * rng.standard_normal((8, 200, 300))
    single, mean = reliability(repeats)
    assert single == pytest.approx(0.2, abs=0.01)
    assert mean == pytest.approx(2 / 3, abs=0.01)
    assert correlation(signal, repeats.mean(axis=0)) == pytest.approx(np.sqrt(mean), abs=0.01)


def test_reliability_of_opposite_repeats_is_unknown(rng):
    one = rng.standard_normal((1, 5, 6))
    single, mean = reliability(np.concatenate([one, -one]))
    assert single == pytest.approx(-1.0)
    assert np.isnan(mean)
    with pytest.raises(InputError, match="at least two repeats, got 1"):
        reliability(one)
