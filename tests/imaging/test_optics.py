"""Photons, point spread and exposure against what they must be."""

import numpy as np
import pytest
from brian2 import Hz, MHz, ms, second, um
from scipy.integrate import quad

from cleo_like.core import InputError, UnitError
from cleo_like.imaging import Optics, gcamp6f
from cleo_like.imaging.optics import Detector
from cleo_like.imaging.plane import focus_weight


def test_noise_of_a_resting_cell_is_that_of_its_photons(rng):
    optics = Optics(read_noise=0.3, neuropil=0.02)
    photons, pixels = np.full(200_000, 150.0), np.full(200_000, 314.0)
    detector = Detector(optics, photons, pixels)
    seen = detector.observe(np.zeros(200_000), 0.0, rng)
    expected = np.sqrt(1 / 150 + 314 * 0.09 / 150**2 + 0.02**2)
    assert seen.std() == pytest.approx(expected, rel=0.01)
    assert seen.mean() == pytest.approx(0, abs=3 * expected / np.sqrt(200_000))
    assert optics.noise(150.0, 314.0) == pytest.approx(expected)


def test_shot_noise_grows_with_the_signal_and_falls_with_light(rng):
    def spread(photons, level):
        detector = Detector(Optics(), np.full(100_000, photons), np.ones(100_000))
        return detector.observe(np.full(100_000, level), 0.0, rng).std()

    assert spread(100.0, 3.0) / spread(100.0, 0.0) == pytest.approx(2, rel=0.02)
    assert spread(100.0, 0.0) / spread(400.0, 0.0) == pytest.approx(2, rel=0.02)


def test_photons_follow_dwell_time_pixels_and_frame_rate():
    base = Optics(brightness=10 * MHz, frame_rate=30 * Hz, pixel_size=1 * um)
    dwell = 1 / (30 * 500**2)
    assert base.photons(10e-6, 500e-6) == pytest.approx(1e7 * dwell * np.pi * 100)
    faster = Optics(brightness=10 * MHz, frame_rate=60 * Hz, pixel_size=1 * um)
    assert base.photons(10e-6, 500e-6) == pytest.approx(2 * faster.photons(10e-6, 500e-6))
    longer = Optics(brightness=10 * MHz, dwell_time="1 us")
    assert longer.photons(10e-6, 500e-6) == pytest.approx(1e7 * 1e-6 * np.pi * 100)


def test_left_over_neuropil_is_correlated_in_time(rng):
    optics = Optics(neuropil=0.5, neuropil_time=0.5 * second)
    detector = Detector(optics, np.full(50_000, 1e12), np.ones(50_000))
    first = detector.observe(np.zeros(50_000), 0.0, rng)
    later = detector.observe(np.zeros(50_000), 0.25, rng)
    assert np.corrcoef(first, later)[0, 1] == pytest.approx(np.exp(-0.5), abs=0.02)
    assert later.std() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("location", ["cytoplasm", "membrane"])
def test_light_fades_with_depth_as_the_integral_over_the_sphere_says(location):
    radius, sigma = 10e-6, 4e-6
    heights = np.array([-15e-6, -6e-6, 0, 6e-6, 15e-6, 40e-6])
    found = focus_weight(heights, radius, sigma, location)

    def light(height):
        def slice_of(z):
            area = radius**2 - z**2 if location == "cytoplasm" else radius**2
            return area * np.exp(-0.5 * ((z + height) / sigma) ** 2)

        return quad(slice_of, -radius, radius, epsabs=1e-25)[0]

    assert found == pytest.approx([light(h) / light(0) for h in heights], abs=1e-9)
    assert found[0] == pytest.approx(found[4])
    assert found[2] == pytest.approx(1)


def test_cells_beyond_their_edge_are_seen_dimly_above_and_below_alike(bench):
    setup = bench([[]] * 4).place(0, 0, [100, 111, 89, 150])
    optics = Optics(brightness=1000 * MHz)
    scope = setup.image(
        gcamp6f(), scope={"focus_depth": 100 * um, "optics": optics}, duration=50 * ms
    )
    assert scope.i_targets_per_injct[0].tolist() == [0, 1, 2]
    sigma = scope.sigma_noise
    assert sigma[1] == pytest.approx(sigma[2])
    assert sigma[1] > 2 * sigma[0]


def test_sharp_photon_noise_is_unbiased_in_cleos_units(bench):
    optics = Optics(brightness=1e6 * MHz, exposure=0 * ms)
    shot = bench([[10]]).image(gcamp6f(), scope={"optics": optics, "rand_seed": 3})
    clean = shot.traces().truth.fluorescence[0]
    assert np.abs(shot.dFF[:, 0] - clean).max() < 6 * shot.sigma_noise[0] * 1.1
    assert clean.max() > 0.1
    assert shot.sigma_noise[0] < 1e-3


def test_an_exposure_is_the_mean_over_its_time(bench):
    """Frames of 40 ms are the mean of many instants within them."""
    still = bench([[100, 400]]).image(gcamp6f(sigma_noise=0), period=1 * ms)
    fine = still.dFF[:, 0]
    optics = Optics(frame_rate=25 * Hz, brightness=1e9 * MHz)
    scope = bench([[100, 400]]).image(
        gcamp6f(), period=40 * ms, scope={"optics": optics, "rand_seed": 1}
    )
    clean = scope.traces().truth.fluorescence[0]
    for k in range(1, 25):
        window = fine[40 * (k - 1) : 40 * k + 1]
        mean = np.mean((window[1:] + window[:-1]) / 2)
        assert clean[k] == pytest.approx(mean, abs=1e-3 * fine.max())
    assert scope.exposure == pytest.approx(0.04)
    later = scope.traces(rate=25 * Hz).truth.fluorescence[0]
    assert np.allclose(later[1:25], clean[1:], atol=1e-6)
    with pytest.raises(InputError, match="longer than the time between frames"):
        scope.traces(rate=100 * Hz)


def test_wrong_optics_are_refused():
    with pytest.raises(UnitError, match="frame_rate=30 has no unit"):
        Optics(frame_rate=30)
    with pytest.raises(InputError, match="pixel_size must be positive"):
        Optics(pixel_size=0 * um)
    with pytest.raises(InputError, match="neuropil must be 0 or more"):
        Optics(neuropil=-1)
