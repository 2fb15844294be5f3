"""Motion, scan and timing: the movie against its truth, the truth against its description."""

import numpy as np
import pytest
from brian2 import Hz, um

from cleo_like.imaging import Optics
from cleo_like.imaging.movie import (
    Neuropil,
    Scan,
    Scene,
    TissueMotion,
    simulate_movie,
    spike_trains,
)
from cleo_like.imaging.movie.motion import move

OPTICS = Optics(pixel_size="1 um", brightness="60 MHz", dwell_time="100 ns")
NOTHING = Scene(dendrites=0, blobs=0, nuclear=0, dark=0)


def field(activity, **given):
    """A movie of expected photons: cells alone."""
    settings = {
        "scan": Scan(rows=64, columns=64), "optics": OPTICS, "motion": None, "neuropil": None,
        "illumination": None, "detector": None, "scene": NOTHING,
    }  # fmt: skip
    return simulate_movie(activity, **settings | given)


def centroids(frames):
    """Row and column of the light of each frame."""
    y, x = np.indices(frames.shape[1:])
    total = frames.sum(axis=(1, 2))
    return np.stack(
        [(frames * y).sum(axis=(1, 2)) / total, (frames * x).sum(axis=(1, 2)) / total], axis=1
    )


def test_a_cell_moves_as_the_truth_says(quiet):
    motion = TissueMotion(
        slow_axis="2 um", fast_axis="0.7 um", correlation_time="10 s", tremor=0
    )
    movie = field(quiet(1, frames=60), motion=motion, places=[[0, 0, 0]] * um)
    moved = centroids(movie.photons[:].astype(float)) - movie.truth.places[0, :2]
    now = np.stack(
        [
            movie.truth.motion.of_rows(k, np.linspace(0.41, 0.59, 13)).mean(axis=0)
            for k in range(60)
        ]
    )
    np.testing.assert_allclose(moved, now, atol=0.12)
    assert np.abs(moved).max() > 2
    np.testing.assert_allclose(movie.truth.motion.rigid, now, atol=0.4)


def test_blocks_move_each_by_its_own(quiet):
    motion = TissueMotion(slow_axis="0 um", fast_axis="0 um", nonrigid="1.5 um", blocks=2)
    movie = field(
        quiet(2, frames=40), motion=motion, places=[[-32, -32, 0], [32, 32, 0]] * um,
        scan=Scan(rows=128, columns=128),
    )  # fmt: skip
    frames, blocks = movie.photons[:].astype(float), movie.truth.motion.blocks
    assert np.abs(movie.truth.motion.rigid).max() == 0
    for place, block in ((0, (0, 0)), (1, (1, 1))):
        half = slice(0, 64) if place == 0 else slice(64, 128)
        moved = centroids(frames[:, half, half])
        moved += half.start - movie.truth.places[place, :2]
        # blocks are interpolated over the cell, so that it is moved a little less
        np.testing.assert_allclose(moved, blocks[:, *block], atol=0.35)
        for axis in (0, 1):
            assert np.corrcoef(moved[:, axis], blocks[:, *block, axis])[0, 1] > 0.98


def test_every_second_row_is_displaced_by_the_line_phase(quiet):
    movie = field(
        quiet(1, frames=2),
        scan=Scan(rows=64, columns=64, line_phase=2.5),
        places=[[0, 0, 0]] * um,
    )
    x = np.arange(64)
    frame = movie.photons[0].astype(float)
    rows = frame[26:38]
    middles = (rows * x).sum(axis=1) / rows.sum(axis=1)
    assert middles[1::2].mean() - middles[::2].mean() == pytest.approx(2.5, abs=0.1)
    assert movie.truth.line_phase == 2.5


@pytest.fixture(scope="module")
def long_path():
    """A trajectory of 20,000 frames with the default motion, in its standard deviations."""
    return move(TissueMotion(), Scan(rows=64, columns=64), Optics(), 20_000, seed=3, plane=0)


def test_motion_has_its_size_its_ratio_and_its_correlations(long_path):
    middle = long_path.knots[:, 4].astype(float)
    np.testing.assert_allclose(middle.std(axis=0), [1.0, 0.35], rtol=0.06)
    assert np.corrcoef(middle.T)[0, 1] == pytest.approx(-0.3, abs=0.05)
    z = (middle - middle.mean(axis=0)) / middle.std(axis=0)
    lag = [(z[:-k] * z[k:]).mean() for k in (1, 10)]
    # slow part .55 with 0.4 s, tremor .1 with 20 ms
    wanted = [0.55 * np.exp(-k / 12) + 0.1 * np.exp(-k / 0.6) for k in (1, 10)]
    np.testing.assert_allclose(lag, wanted, atol=0.04)
    halves = long_path.knots[:, :5].mean(axis=1) - long_path.knots[:, 4:].mean(axis=1)
    assert 0.2 < halves[:, 0].std() < 0.5  # motion within a frame


def test_a_longer_movie_begins_with_the_shorter(long_path):
    short = move(TissueMotion(), Scan(rows=64, columns=64), Optics(), 500, seed=3, plane=0)
    assert short.knots.shape == (500, 9, 2)
    assert np.isfinite(short.knots).all()
    assert short.largest < long_path.largest + 1


def test_cells_are_seen_when_the_laser_meets_them():
    optics = Optics(
        frame_rate=10 * Hz, pixel_size="1 um", brightness="60 MHz", dwell_time="100 ns"
    )
    spikes = [np.array([0.55])] * 2
    movie = field(
        spikes, indicator="jgcamp8f", duration="2 s", optics=optics, places=[[0, -25, 0], [0, 25, 0]] * um,
    )  # fmt: skip
    truth = movie.truth
    np.testing.assert_allclose(truth.delays, [0.1 * 7 / 64, 0.1 * 57 / 64], atol=0.1 / 64)
    # the spike falls between the two rows of frame 5
    assert truth.dff[0, 5] == 0
    assert truth.dff[1, 5] > 0.1
    np.testing.assert_allclose(truth.timestamps[:, 5], 0.5 + truth.delays)
    light = movie.photons[4:7]
    assert light[1, :20].sum() == pytest.approx(light[0, :20].sum())
    assert light[1, 44:].sum() > 1.05 * light[0, 44:].sum()


def test_traces_are_taken_in_the_middle_of_their_exposure(quiet):
    rise = np.linspace(0, 3, 301)[None]
    given = quiet(1, dff=rise)
    movie = field(given, places=[[0, 0, 0]] * um)
    delay = movie.truth.delays[0]
    np.testing.assert_allclose(
        movie.truth.dff[0, :-1], rise[0, :-1] + 0.01 * 30 * delay, atol=1e-5
    )
    import attrs

    late = field(attrs.evolve(given, exposure=1 / 30), places=[[0, 0, 0]] * um)
    np.testing.assert_allclose(
        late.truth.dff[0, 5:-1] - movie.truth.dff[0, 5:-1], 0.005, atol=1e-5
    )


def test_planes_of_a_volume_see_one_tissue_at_their_own_times():
    scan = Scan(rows=64, columns=64, planes=3, flyback_planes=1, plane_spacing="20 um")
    motion = TissueMotion(slow_axis="2 um", correlation_time="30 s", jitter=0, tremor=0)
    planes = [
        field(
            spike_trains(30, "20 s", seed=2), indicator="jgcamp8s", duration="20 s", scan=scan,
            motion=motion, plane=p, scene=Scene(dendrites=0.5, blobs=0.5),
        )
        for p in range(3)
    ]  # fmt: skip
    for p, plane in enumerate(planes):
        assert plane.shape[0] == 150
        np.testing.assert_allclose(plane.times, (np.arange(150) * 4 + p) / 30)
    first, last = planes[0].truth, planes[2].truth
    np.testing.assert_allclose(last.places[:, 2] - first.places[:, 2], 40e-6)
    np.testing.assert_allclose(first.places[:30, :2], last.places[:30, :2])
    np.testing.assert_allclose(first.motion.rigid, last.motion.rigid, atol=0.5)
    assert not (first.visible & last.visible).any()
    assert sum(p.truth.visible.sum() for p in planes) >= 8
    in_focus = [
        (np.abs(p.truth.places[p.truth.kind == "blob", 2]) < 6e-6).sum() for p in planes
    ]
    assert sum(in_focus) == 15


@pytest.mark.filterwarnings("ignore::cleo_like.imaging.calibrated.ExtrapolationWarning")
def test_neuropil_is_correlated_with_the_cells_nearby():
    spikes = spike_trains(40, "60 s", seed=1, rate="1 Hz")
    movie = field(
        spikes, indicator="jgcamp8s", duration="60 s", scan=Scan(rows=256, columns=256),
        neuropil=Neuropil(activity=0.5, unseen=0, shared=0),
    )  # fmt: skip
    truth = movie.truth
    active = np.flatnonzero(truth.cell_dff.std(axis=0) > 0)
    near = [np.corrcoef(truth.neuropil[i], truth.dff[i])[0, 1] for i in active]
    far = [
        np.corrcoef(truth.neuropil[i], truth.dff[j])[0, 1]
        for i, j in zip(active, active[::-1], strict=True)
    ]
    assert np.nanmedian(near) > 0.2
    assert np.nanmedian(near) > np.nanmedian(far)
