"""Frames in memory, motion, and one plane of everything."""

import numpy as np
import pytest
import quantities as pq

from cleo_like.core import (
    ArrayFrames,
    FrameSource,
    ImagingExperiment,
    ImagingPlane,
    InputError,
    Motion,
    RoiMasks,
    Subject,
    Traces,
)

MASKS = RoiMasks.from_pixels((4, 5), [([1], [1]), ([2, 3], [4, 4])])
TIMES = np.arange(6) / 30


def traces(**given):
    return Traces(**{"fluorescence": np.zeros((2, 6)), "times": TIMES, "masks": MASKS} | given)


def test_frames_in_memory_are_a_source():
    array = np.arange(120, dtype=np.uint16).reshape(6, 4, 5)
    movie = ArrayFrames(frames=array, times=TIMES, pixel_size=[1, 2] * pq.um)
    assert isinstance(movie, FrameSource)
    assert np.array_equal(movie[2:4], array[2:4])
    assert movie.shape == (6, 4, 5)
    assert movie.pixel_size == pytest.approx((1e-6, 2e-6))
    assert (
        repr(movie)
        == "ArrayFrames: 6 frames of 4 x 5 pixels (height x width), uint16, at 30 Hz"
    )
    with pytest.raises(ValueError, match="read-only"):
        movie.frames[0, 0, 0] = 1


def test_frames_on_disk_are_not_read(tmp_path):
    on_disk = np.memmap(tmp_path / "movie.raw", np.int16, "w+", shape=(6, 4, 5))
    assert np.shares_memory(ArrayFrames(frames=on_disk, times=TIMES).frames, on_disk)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"frames": np.zeros((4, 5))}, r"got \(4, 5\) and 6 times"),
        ({"frames": np.zeros((5, 4, 5))}, r"got \(5, 4, 5\) and 6 times"),
        ({"times": TIMES[::-1]}, "must rise"),
        ({"pixel_size": (1e-6, 0)}, "two lengths above zero"),
        ({"pixel_size": 1e-6}, "two lengths above zero"),
    ],
)
def test_wrong_frames_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        ArrayFrames(**{"frames": np.zeros((6, 4, 5)), "times": TIMES} | given)


def test_planes_take_quantities():
    plane = ImagingPlane(depth=175 * pq.um, excitation=920 * pq.nm, pixel_size=[1, 1] * pq.um)
    assert plane.depth == pytest.approx(175e-6)
    assert plane.excitation == pytest.approx(920e-9)
    assert repr(plane) == "ImagingPlane: indicator unknown in unknown, 175 um deep"
    with pytest.raises(InputError, match="rate must be above 0, got 0"):
        ImagingPlane(rate=0)
    with pytest.raises(InputError, match=r"origin must be a place"):
        ImagingPlane(origin=[1, 2])
    with pytest.raises(InputError, match="sex must be one of"):
        Subject(id="m1", sex="male")


def test_motion_has_x_and_y_of_each_frame():
    assert Motion(times=TIMES, shifts=np.zeros((6, 2))) == Motion(
        times=TIMES, shifts=np.zeros((6, 2))
    )
    with pytest.raises(InputError, match=r"x and y of 6 frames, got \(2, 6\)"):
        Motion(times=TIMES, shifts=np.zeros((2, 6)))


def test_an_experiment_tells_its_rois_and_size():
    made = ImagingExperiment(
        id="e1",
        traces={"dff": traces(rois={"id": [4, 9]}), "events": traces(rois={"id": [4, 9]})},
        images={"mean": np.zeros((4, 5))},
    )
    assert (made.n_rois, made.frame_shape, made.masks) == (2, (4, 5), MASKS)
    assert made.rois["id"].tolist() == [4, 9]
    assert repr(made) == "ImagingExperiment e1: 2 ROIs; traces dff, events; 6 frames at 30 Hz"
    empty = ImagingExperiment(id="e0")
    assert (empty.n_rois, empty.frame_shape, empty.masks) == (0, None, None)
    assert dict(empty.rois) == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"masks": None}, "'events' and 'dff' differ in masks"),
        ({"rois": {"id": [1, 2]}}, "differ in columns"),
        (
            {"fluorescence": np.zeros((1, 6)), "masks": MASKS.select([0])},
            "differ in number of ROIs",
        ),
    ],
)
def test_traces_share_one_roi_table(given, message):
    with pytest.raises(InputError, match=message):
        ImagingExperiment(id="e1", traces={"dff": traces(), "events": traces(**given)})


def test_sizes_must_agree():
    with pytest.raises(InputError, match=r"masks 4 x 5, image 'mean' 5 x 4"):
        ImagingExperiment(id="e1", traces={"dff": traces()}, images={"mean": np.zeros((5, 4))})
    with pytest.raises(InputError, match="got list for 'dff'"):
        ImagingExperiment(id="e1", traces={"dff": [1]})
