"""Noise against its statistics, with bounds from the sampling theory of the estimates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from cleo_like.core.errors import InputError
from cleo_like.stimuli.waveforms import shapes


def test_ou_noise_has_the_stated_moments_and_correlation_time():
    rate, tau, seconds = 10_000, 5e-3, 200
    x = shapes.ou_noise("20 pA", "5 ms", f"{seconds} s", seed=3, mean="7 pA").samples("10 kHz")
    z = (x - 7e-12) / 20e-12
    # the mean of an OU process over T has the variance 2 tau / T, its variance 2 tau / T * 2
    assert abs(z.mean()) < 4 * np.sqrt(2 * tau / seconds)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 * tau / seconds)
    lags = (np.array([1, 2, 5, 10]) * 1e-3 * rate).astype(int)
    measured = [np.mean(z[:-k] * z[k:]) for k in lags]
    assert measured == pytest.approx(np.exp(-lags / rate / tau), abs=0.03)


@pytest.mark.parametrize("rate", ["1 kHz", "50 kHz"])
def test_the_update_is_exact_at_any_step(rate):
    # at 1 kHz a step is half a time constant: an Euler step would give a variance of 4/3
    x = shapes.ou_noise("1 pA", "2 ms", "100 s", seed=1).samples(rate) * 1e12
    assert x.var() == pytest.approx(1.0, abs=4 * np.sqrt(2 * 2e-3 / 100))


def test_ou_noise_is_stationary_from_its_first_sample():
    first = [
        shapes.ou_noise("1 A", "1 s", "1 ms", seed=s).samples("1 kHz")[0] for s in range(500)
    ]
    assert kstest(first, "norm").pvalue > 1e-3


def test_white_noise_without_a_bandwidth_is_independent():
    x = shapes.white_noise("3 pA", "10 s", seed=5).samples("10 kHz") / 3e-12
    assert kstest(x, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 4 / np.sqrt(x.size)


@pytest.mark.parametrize("samples", [20_000, 20_001])
def test_band_limited_noise_has_its_power_in_the_band_alone(samples):
    x = (
        shapes.white_noise("2 pA", f"{samples} ms", seed=2, bandwidth="100 Hz").samples("1 kHz")
        * 1e12
    )
    power = np.abs(np.fft.rfft(x)) ** 2
    frequency = np.fft.rfftfreq(samples, 1e-3)
    assert power[frequency > 100].max() < 1e-20 * power.max()
    # 2 * 100 Hz * 20 s = 4000 degrees of freedom
    assert x.std() == pytest.approx(2.0, rel=4 / np.sqrt(2 * 4000))


def test_a_seed_gives_the_same_noise_and_another_seed_another():
    def noise(seed):
        return shapes.ou_noise("1 pA", "1 ms", "1 s", seed=seed).samples("1 kHz")

    assert np.array_equal(noise(1), noise(1))
    assert abs(np.corrcoef(noise(1), noise(2))[0, 1]) < 0.2


def test_a_generator_is_asked_once_for_a_seed(rng):
    shape = shapes.white_noise("1 pA", "1 s", seed=rng)
    again = shapes.white_noise("1 pA", "1 s", seed=shape.parameters["seed"])
    assert np.array_equal(shape.samples("1 kHz"), shape.samples("1 kHz"))
    assert np.array_equal(shape.samples("1 kHz"), again.samples("1 kHz"))


def test_a_band_up_to_the_nyquist_frequency_is_the_whole_band():
    """Ten samples at 1 kHz: the bin at 500 Hz counts once, so nothing is changed."""
    whole = shapes.white_noise("1 pA", "10 ms", seed=4).samples("1 kHz")
    band = shapes.white_noise("1 pA", "10 ms", seed=4, bandwidth="500 Hz").samples("1 kHz")
    assert np.allclose(band, whole, rtol=1e-12, atol=0)


def test_zero_sd_is_the_mean():
    assert shapes.ou_noise("0 pA", "1 ms", "5 ms", seed=0, mean="2 pA").samples(
        "1 kHz"
    ) * 1e12 == (pytest.approx([2] * 5))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: shapes.ou_noise("1 pA", "0 ms", "1 s", seed=0), "use white_noise"),
        (lambda: shapes.ou_noise("-1 pA", "1 ms", "1 s", seed=0), "sd must be 0 A or more"),
        (
            lambda: shapes.white_noise("1 pA", "1 s", seed=0, bandwidth="1 kHz").samples(
                "1 kHz"
            ),
            "at most 500 Hz",
        ),
    ],
)
def test_impossible_noise_is_refused(make, match):
    with pytest.raises(InputError, match=match):
        make()
