"""What is rendered, against what must come out of it."""

import numpy as np
import pytest
from brian2 import um

from cleo_like.imaging import Optics
from cleo_like.imaging.movie import (
    Bleaching,
    Illumination,
    Neuropil,
    Photomultiplier,
    Scan,
    Scene,
    TissueMotion,
    extract_fluorescence,
    simulate_movie,
    spike_trains,
)
from cleo_like.imaging.movie.field import footprints
from cleo_like.imaging.plane import focus_weight

BRIGHT = Optics(brightness="60 MHz", dwell_time="100 ns")
"""6 photons per pixel of a resting cell in focus."""
LENS = {"pixel_size": 1e-6, "axial_sigma": 2.5e-6}


def still(activity, **given):
    """A movie of expected photons without motion, neuropil or vignetting."""
    settings = {
        "scan": Scan(rows=64, columns=64), "optics": BRIGHT, "motion": None, "neuropil": None,
        "illumination": None, "detector": None,
    }  # fmt: skip
    return simulate_movie(activity, **settings | given)


def test_a_soma_is_a_sphere_less_its_nucleus_seen_through_the_focus():
    shell = footprints.soma(
        (20.3, 30.6, 0.0), 6.5e-6, nucleus=0.72, nuclear_level=0.1, shape=(1, 0), **LENS
    )
    y, x = np.indices(shell.light.shape)
    y, x = y + shell.row - 20.3, x + shell.column - 30.6
    assert np.average(y, weights=shell.light) == pytest.approx(0, abs=0.03)
    assert np.average(x, weights=shell.light) == pytest.approx(0, abs=0.03)
    ring = shell.light[(np.hypot(y, x) > 5) & (np.hypot(y, x) < 5.8)].mean()
    middle = shell.light[np.hypot(y, x) < 1.2].mean()
    # of the middle: the depth of the focus less that of the nucleus, which is 0.1
    inside, all_ = (2 * _phi(r / 2.5) - 1 for r in (0.72 * 6.5, 6.5))
    assert middle == pytest.approx(all_ - 0.9 * inside, abs=0.01)
    assert 4 < ring / middle < 7


def _phi(z):
    from scipy.special import ndtr

    return ndtr(z)


@pytest.mark.parametrize("z", [0.0, 4e-6, -9e-6])
def test_light_out_of_focus_is_that_of_the_scope(z):
    def light(height):
        whole = footprints.soma(
            (0, 0, height), 6.5e-6, nucleus=0.5, nuclear_level=1.0, shape=(1.3, 0.4), **LENS
        )
        return whole.light.sum()

    wanted = focus_weight(np.array([z]), 6.5e-6, 2.5e-6, "cytoplasm")[0]
    assert light(z) / light(0.0) == pytest.approx(wanted, rel=0.02)


def test_a_thin_line_keeps_its_light_when_it_blurs():
    points = np.column_stack([np.zeros(81), np.arange(-20, 20.5, 0.5)])
    sharp, blurred = (
        footprints.line(points, z, 1.5e-6, **LENS).light.sum() for z in (0.0, 3e-6)
    )
    fill = footprints.thin(3e-6, 1.5e-6, 2.5e-6) / footprints.thin(0.0, 1.5e-6, 2.5e-6)
    assert blurred / sharp == pytest.approx(fill, rel=0.1)  # its ends grow


def test_photons_are_those_of_the_truth(quiet):
    rise = np.zeros((2, 40))
    rise[0, 20:] = 1.5
    movie = still(
        quiet(2, dff=rise), scene=Scene(depth="2 um", dendrites=2, blobs=2, expression=0.3)
    )
    truth = movie.truth
    for i in np.flatnonzero(truth.kind == "soma"):
        y, x, weight = truth.masks[i]
        crowd = np.isin(truth.masks.y * 64 + truth.masks.x, y * 64 + x).sum()
        if crowd > len(y):
            continue  # shares pixels with a process
        seen = np.average(movie.photons[:][:, y, x], weights=weight, axis=1)
        np.testing.assert_allclose(seen, truth.fluorescence[i], rtol=1e-5)
    assert truth.fluorescence[0, 30] == pytest.approx(2.5 * truth.fluorescence[0, 5])
    shared = truth.dff[truth.parent == 0]
    assert len(shared) >= 1
    assert (shared[:, 5] == 0).all()
    assert (shared[:, 30] > 0.7).all()


@pytest.mark.parametrize(
    "detector",
    [
        Photomultiplier(gain=40, height_cv=0),
        Photomultiplier(offset=300),
        Photomultiplier(offset=20, row_correlation=0.2),
        Photomultiplier(offset=300, resampling=(0.1, -0.02), dtype="uint16"),
    ],
    ids=["unit pulses", "int16", "bandwidth", "resampled"],
)
def test_photon_transfer_has_the_slope_of_the_gain(detector, quiet):
    movie = still(
        quiet(30, frames=400), scan=Scan(rows=80, columns=80), neuropil=Neuropil(activity=0, unseen=0, shared=0, patches=0.8, texture=0),
        illumination=Illumination(vignetting=0.6), detector=detector, seed=2,
    )  # fmt: skip
    values = movie[:][:, 3:-3, 3:-3].astype(float)  # neighbours are mixed otherwise at the edge
    mean, variance = values.mean(axis=0).ravel(), values.var(axis=0, ddof=1).ravel()
    slope, at_zero = np.polyfit(mean, variance, 1, w=1 / (mean - detector.offset))
    assert slope == pytest.approx(detector.transfer_slope, rel=0.02)
    assert -at_zero / slope == pytest.approx(detector.offset, abs=0.02 * mean.mean())
    change = np.diff(values, axis=0)
    lag = [(change[:, :, :-k] * change[:, :, k:]).mean() / (change**2).mean() for k in (1, 2)]
    down = (change[:, :-1] * change[:, 1:]).mean() / (change**2).mean()
    wanted = {(): [0, 0], (0.1, -0.02): [0.193, -0.029]}[detector.resampling]
    if detector.row_correlation:
        wanted = [0.2, 0.04]
    np.testing.assert_allclose(lag, wanted, atol=0.005)
    assert down == pytest.approx(wanted[0] * bool(detector.resampling), abs=0.005)


def test_the_neuropil_coefficient_is_recovered():
    spikes = spike_trains(25, "60 s", seed=3)
    movie = still(
        spikes, indicator="jgcamp8s", duration="60 s", scan=Scan(rows=128, columns=128), detector=Photomultiplier(),
        scene=Scene(depth="4 um", dendrites=0, blobs=0, nuclear=0), neuropil=Neuropil(activity=0.5, unseen=0.1), seed=3,
    )  # fmt: skip
    truth = movie.truth
    seen, around = extract_fluorescence(movie, truth.masks)
    errors = []
    for i in np.flatnonzero(truth.visible):
        known = np.column_stack([truth.fluorescence[i], around[i] / 100])
        gain, coefficient = np.linalg.lstsq(known, seen[i] / 100)[0]
        errors.append((gain - 1, coefficient - truth.coefficient[i]))
    assert len(errors) >= 20
    gains, coefficients = np.transpose(errors)
    assert np.abs(coefficients).max() < 0.05
    assert abs(np.median(gains)) < 0.01
    assert abs(np.median(coefficients)) < 0.01
    somata = truth.coefficient[truth.kind == "soma"]
    assert somata.min() > 0.35
    assert somata.max() < 1.05
    assert np.median(somata) < 0.85
    assert np.median(around / 100 / truth.neuropil[:, :]) == pytest.approx(1, abs=0.01)


def test_gain_and_noise_of_dff_are_one_factor_where_f0_is_drawn():
    spikes = [np.array([4.0])] * 60
    movie = still(
        spikes, indicator="jgcamp8s", duration="8 s", scan=Scan(rows=200, columns=200), detector=Photomultiplier(),
        scene=Scene(depth="1 um", dendrites=0, blobs=0, nuclear=0, dark=0, expression=0.1, resting=0.5), seed=4,
    )  # fmt: skip
    truth = movie.truth
    seen, _ = extract_fluorescence(movie, truth.masks)
    rest = seen[:, :110].mean(axis=1)
    gain = np.log(seen[:, 120:126].mean(axis=1) / rest - 1)
    noise = np.log(seen[:, :110].std(axis=1) / rest)
    assert gain.std() == pytest.approx(0.5, abs=0.15)
    assert np.corrcoef(gain, noise)[0, 1] > 0.8
    np.testing.assert_allclose(np.exp(gain), truth.dff[:, 120:126].mean(axis=1), rtol=0.25)


def test_light_bleaches_cells_and_neuropil_apart(quiet):
    lost = Bleaching(
        soma_shares=0.4,
        soma_times="2 s",
        neuropil_shares=(0.1, 0.1),
        neuropil_times=("1 s", "9 s"),
    )
    movie = still(
        quiet(1, frames=241), places=[[0, 0, 0]] * um, bleaching=lost,
        neuropil=Neuropil(activity=0, unseen=0, shared=0), scene=Scene(dendrites=0, blobs=0, nuclear=0, dark=0),
    )  # fmt: skip
    light = movie.photons[::240]
    corner = light[1, :10, :10] / light[0, :10, :10]
    np.testing.assert_allclose(
        corner, 1 + 0.1 * np.expm1(-8) + 0.1 * np.expm1(-8 / 9), rtol=1e-5
    )
    i, truth = 0, movie.truth
    y, x, weight = truth.masks[i]
    whole = np.average(light[:, y, x], weights=weight, axis=1)
    inside = truth.contamination[i, ::240]
    own = (whole - inside) / truth.F0[i]
    np.testing.assert_allclose(own, [1, 1 + 0.4 * np.expm1(-4)], rtol=0.02)


def test_cells_fade_when_the_tissue_moves_in_depth(quiet):
    movie = still(
        quiet(2, frames=200), motion=TissueMotion(slow_axis="0 um", fast_axis="0 um", axial="4 um"),
        scene=Scene(dendrites=0, blobs=0, nuclear=0, dark=0), places=np.array([[-15, 0, 0], [15, 0, 5]]) * um,
    )  # fmt: skip
    truth = movie.truth
    for i in (0, 1):
        y, x, weight = truth.masks[i]
        seen = np.average(movie.photons[:][:, y, x], weights=weight, axis=1)
        np.testing.assert_allclose(seen, truth.fluorescence[i], rtol=1e-4)
        height = truth.motion.z + truth.places[i, 2]
        wanted = focus_weight(height, truth.radius[i], 6e-6 / 2.3548, "cytoplasm")
        wanted /= focus_weight(truth.places[i, 2:], truth.radius[i], 6e-6 / 2.3548, "cytoplasm")
        np.testing.assert_allclose(truth.in_focus[i], np.minimum(wanted, 20), rtol=0.01)
    assert truth.in_focus[0].max() <= 1.001 < truth.in_focus[1].max()
