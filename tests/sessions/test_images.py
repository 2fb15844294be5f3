"""Pictures have natural statistics, and a field answers to its own grating."""

import itertools

import numpy as np
import pytest
from PIL import Image

from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.sessions import GaborEnergy, ImageSet, Screen
from cleo_like.sessions.visual.receptive_fields import GaborFields


def grating(screen, orientation, frequency, phase=0.0, contrast=1.0):
    altitudes, azimuths = screen.angles()
    angle = np.radians(orientation)
    across = altitudes[:, None] * np.cos(angle) - azimuths * np.sin(angle)
    return 127 + 127 * contrast * np.cos(2 * np.pi * frequency * across + phase)


def shown(pictures):
    return ImageSet(pictures=np.stack(pictures), names=[f"g{k}" for k in range(len(pictures))])


def cell(**changes):
    values = {"azimuth": 0, "altitude": 0, "orientation": 30, "frequency": 0.06, "octaves": 1.5}
    return GaborEnergy(**values | changes)


def test_spectrum_falls_as_that_of_natural_pictures():
    images = ImageSet.natural_like(4, seed=0)
    slopes = []
    for picture in images.pictures:
        part = picture[:200, 60:260] - picture[:200, 60:260].mean()
        window = np.hanning(200)
        power = np.abs(np.fft.fft2(part * np.outer(window, window)))
        f = np.hypot(*np.meshgrid(np.fft.fftfreq(200), np.fft.fftfreq(200)))
        bins = np.geomspace(0.015, 0.3, 12)
        amplitude = [power[(f >= a) & (f < b)].mean() for a, b in itertools.pairwise(bins)]
        slopes.append(
            np.polyfit(np.log(np.sqrt(bins[1:] * bins[:-1])), np.log(amplitude), 1)[0]
        )
    # amplitude falls with exponents of 0.7 to 1.6 over natural pictures (Tolhurst et al. 1992)
    assert min(slopes) > -1.6
    assert max(slopes) < -0.7


def test_pictures_have_one_mean_and_contrast_and_follow_from_the_seed():
    images = ImageSet.natural_like(5, seed=3)
    assert images == ImageSet.natural_like(5, seed=3)
    assert images != ImageSet.natural_like(5, seed=4)
    assert np.allclose(images.pictures.mean((1, 2)), 127, atol=4)
    assert np.ptp(images.pictures.std((1, 2))) < 6
    # a larger set begins with the smaller one
    assert np.array_equal(ImageSet.natural_like(2, seed=3).pictures, images.pictures[:2])


def test_templates_are_nan_where_the_screen_ends():
    images = ImageSet.natural_like(2, seed=0)
    table = images.templates()
    assert list(table.index) == ["im000", "im001"]
    one = table.loc["im000"]
    assert np.isnan(one["unwarped"][0, 0])
    assert not np.isnan(one["unwarped"][100, 160])
    assert one["warped"].dtype == np.uint8
    assert one["warped"].shape == (200, 320)


def test_warp_puts_an_angle_where_the_flat_screen_has_it():
    screen = Screen()
    altitudes, azimuths = screen.angles()
    warped = screen.warp(np.broadcast_to(azimuths, (200, 320)))
    x = (np.arange(320) + 0.5) / 320 * 51 - 25.5
    assert np.allclose(warped[0][5:-5], np.degrees(np.arctan(x / 15))[5:-5], atol=0.3)
    up = screen.warp(np.broadcast_to(altitudes[:, None], (200, 320)))
    y = 16.25 - (np.arange(200) + 0.5) / 200 * 32.5
    side = x[40]
    wanted = np.degrees(np.arctan(y / np.hypot(side, 15)))
    assert np.allclose(up[5:-5, 40], wanted[5:-5], atol=0.3)


def test_a_field_prefers_its_own_grating_whatever_the_phase():
    screen, one = Screen(), cell()
    best = one.energy(shown([grating(screen, 30, 0.06, p) for p in (0, 1, 2, 3)]))[0]
    assert np.allclose(best, 1, atol=0.1)  # 1 is the preferred grating at full contrast
    turned = one.energy(shown([grating(screen, a, 0.06) for a in (30, 60, 90, 120)]))[0]
    assert turned.argmax() == 0
    assert turned[3] < 0.1
    scaled = one.energy(shown([grating(screen, 30, f) for f in (0.02, 0.06, 0.18)]))[0]
    assert scaled.argmax() == 1
    half = one.energy(shown([grating(screen, 30, 0.06, contrast=0.5)]))[0, 0]
    assert half == pytest.approx(best[0] / 2, rel=0.01)


def test_grey_drives_nobody_and_the_nonlinearity_is_half_at_its_contrast():
    screen = Screen()
    one = cell(half_contrast=0.5)
    grey = shown([np.full((200, 320), 127.0)])
    assert one(grey)[0, 0] == pytest.approx(0, abs=1e-12)
    contrast = 0.5 / one.energy(shown([grating(screen, 30, 0.06)]))[0, 0]
    assert one(shown([grating(screen, 30, 0.06, contrast=contrast)]))[0, 0] == pytest.approx(
        0.5, abs=0.01
    )


def test_a_field_sees_its_place_only():
    screen = Screen()
    altitudes, azimuths = screen.angles()
    picture = grating(screen, 30, 0.06)
    away = np.hypot(altitudes[:, None] + 20, azimuths - 30) < 25
    there, here = cell(azimuth=30, altitude=-20), cell(azimuth=-30, altitude=20)
    images = shown([np.where(away, picture, 127.0)])
    assert there.energy(images)[0, 0] > 0.8
    assert here.energy(images)[0, 0] < 0.05


def test_untuned_cells_are_counted():
    for share, wanted in ((0.0, 0), (0.25, 10), (1.0, 40)):
        cells = GaborEnergy.draw(40, np.random.default_rng(0), untuned=share)
        drive = cells(ImageSet.natural_like(3, seed=0))
        assert (drive.max(axis=1) == 0).sum() == wanted
    with pytest.raises(InputError, match="untuned"):
        GaborFields(untuned=1.5)(ImageSet.natural_like(2), 4, np.random.default_rng(0))


def test_pictures_of_the_user(tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)).save(
        tmp_path / "cat.png"
    )
    (tmp_path / "torn.png").write_bytes((tmp_path / "cat.png").read_bytes()[:200])
    images = ImageSet.from_pictures([tmp_path / "cat.png", rng.random((90, 50))])
    assert images.names == ("cat", "im001")
    assert np.allclose(images.pictures.mean((1, 2)), 127, atol=3)
    raw = ImageSet.from_pictures([np.full((20, 20), 0.5)], equal_contrast=False)
    assert np.allclose(raw.pictures, 127.5)
    with pytest.raises(FileFormatError):
        ImageSet.from_pictures([tmp_path / "torn.png"])
    with pytest.raises(InputError, match="at least one"):
        ImageSet.from_pictures([])
    with pytest.raises(InputError, match="differ"):
        ImageSet.from_pictures([tmp_path / "cat.png"] * 2)


@pytest.mark.parametrize("changes", [
    {"frequency": 0.6}, {"frequency": -0.1}, {"octaves": 0}, {"exponent": 0.0},
    {"azimuth": [0, 1]}, {"orientation": np.nan}, {"half_contrast": 0.0},
])  # fmt: skip
def test_impossible_fields_are_refused(changes):
    with pytest.raises(InputError):
        cell(**changes)
