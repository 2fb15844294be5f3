"""What is written comes back: everything, parts, any values, by region."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import cleo_like as cl
from cleo_like.core import (
    ArrayFrames,
    ImagingExperiment,
    ImagingPlane,
    InputError,
    Motion,
    RoiMasks,
    Traces,
    UnknownNameError,
)
from cleo_like.io import read_experiments, read_masks
from tests.io.nwb.ophys.conftest import (
    TIMES,
    assert_same,
    make_experiment,
    make_masks,
    make_traces,
)


@pytest.mark.parametrize("masks", [("image", "pixel", "voxel"), "pixel", "voxel"])
def test_everything_comes_back(experiment, tmp_path, masks):
    (back,) = read_experiments(cl.write(experiment, tmp_path / "e.nwb", masks=masks))
    assert_same(experiment, back)


def test_traces_alone_come_back(tmp_path, rng):
    traces = make_traces(rng, "dF/F", positions=rng.normal(size=(4, 3)))
    back = cl.read(cl.write(traces, tmp_path / "t.nwb"))
    assert_same(traces, back, "traces")


def test_traces_without_masks_come_back_without(tmp_path):
    traces = Traces(fluorescence=np.eye(3, 40), times=TIMES[:40], quantity="raw")
    path = cl.write(traces, tmp_path / "t.nwb")
    back = cl.read(path)
    assert_same(traces, back, "traces")
    assert back.masks is None
    with pytest.raises(cl.core.errors.FileFormatError, match="masks are not known"):
        read_masks(path)


def test_only_a_region_is_read(written, experiment):
    whole = experiment.traces["dff"]
    part = cl.read(written, rois=[2, 0], frames=slice(10, 20, 3))
    assert np.array_equal(part.fluorescence, whole.fluorescence[[2, 0], 10:20:3])
    assert np.allclose(part.times, whole.times[10:20:3], rtol=0, atol=1e-9)
    assert part.rois["id"].tolist() == [27, 7]
    assert part.masks == whole.masks.select([2, 0])
    assert np.array_equal(part.truth.fluorescence, whole.truth.fluorescence[[2, 0], 10:20:3])
    assert np.array_equal(part.truth.spike_times[0], whole.truth.spike_times[2])
    one = cl.read(written, rois=slice(1, 2), trace="neuropil")
    assert np.array_equal(one.fluorescence, experiment.traces["neuropil"].fluorescence[1:2])


def test_kinds_of_traces_are_chosen_by_name(written):
    assert cl.read(written, trace="events").notes == ("deconvolved",)
    (back,) = read_experiments(written, traces=["neuropil"])
    assert list(back.traces) == ["neuropil"]
    with pytest.raises(UnknownNameError, match=r"'neuropill'; did you mean 'neuropil'"):
        cl.read(written, trace="neuropill")
    with pytest.raises(UnknownNameError, match="option of read 'channel'"):
        cl.read(written, channel=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rois": [4]}, "0 to 3"),
        ({"frames": 3}, "slice that goes forward"),
        ({"frames": slice(None, None, -1)}, "goes forward"),
        ({"plane": 1}, "1 planes, so none has the number 1"),
        ({"order": "zx"}, "order must be"),
    ],
)
def test_regions_that_are_not_there(written, options, message):
    with pytest.raises(InputError, match=message):
        cl.read(written, **options)


def test_movies_stay_in_the_file(written, experiment):
    (back,) = read_experiments(written)
    assert np.array_equal(back.movie[5:9], experiment.movie[5:9])
    assert np.array_equal(back.movie[80:3:-7], experiment.movie[80:3:-7])
    assert np.array_equal(back.movie[-4:], experiment.movie[-4:])
    assert back.movie[9:3].shape == (0, 24, 32)
    assert repr(back.movie).startswith("NwbFrames: 90 frames of 24 x 32 pixels")


def test_several_planes_are_several_experiments(tmp_path):
    first = make_experiment(1, truth_arrays={"z": np.arange(90.0)})
    second = make_experiment(
        2,
        id="e2",
        plane=ImagingPlane(name="deep", rate=30.0),
        presentations=first.presentations,
        templates=first.templates,
    )
    path = cl.write([first, second], tmp_path / "two.nwb")
    for made, back in zip((first, second), read_experiments(path), strict=True):
        assert_same(made, back)
    with pytest.raises(InputError, match="2 planes; say which: plane='ImagingPlane', of"):
        cl.read(path)
    assert_same(second.traces["dff"], cl.read(path, plane="deep"), "traces")
    assert_same(second.traces["dff"], cl.read(path, plane=1), "traces")
    assert read_masks(path, plane="PlaneSegmentation2") == second.masks
    with pytest.raises(UnknownNameError, match="did you mean 'deep'"):
        cl.read(path, plane="deeper")


def test_planes_of_different_sessions_do_not_share_a_file(tmp_path):
    first, second = make_experiment(1), make_experiment(2, plane=ImagingPlane(name="b"))
    with pytest.raises(InputError, match="share templates"):
        cl.write([first, second], tmp_path / "two.nwb")
    with pytest.raises(InputError, match="different names"):
        cl.write([first, first], tmp_path / "two.nwb")


def test_a_volume_has_voxels(tmp_path, rng):
    masks = RoiMasks.from_pixels(
        (3, 24, 32), [([0, 2], [1, 1], [5, 6], [1, 0.5]), ([1], [23], [31]), ([], [], [])]
    )
    traces = make_traces(rng, "dF/F", rois=3, masks=masks)
    for kind in ("image", "voxel"):
        path = cl.write(traces, tmp_path / f"{kind}.nwb", masks=kind)
        assert cl.read(path).masks == masks
    with pytest.raises(InputError, match="pixels have no plane"):
        cl.write(traces, tmp_path / "p.nwb", masks="pixel")


def test_parts_are_optional(tmp_path):
    movie = ArrayFrames(frames=np.zeros((60, 24, 32), np.int16), times=TIMES[:60])
    shifts = Motion(times=TIMES, shifts=np.ones((90, 2)))
    corrected = Motion(times=TIMES[:60], shifts=np.ones((60, 2)), corrected=movie)
    for number, parts in enumerate(
        (
            {},
            {"movie": movie},
            {"motion": shifts},
            {"motion": corrected},
            {"motion": shifts, "movie": movie},
            {"images": {"mean": np.ones((4, 5))}},
            {"presentations": pd.DataFrame({"start_time": [0.0, 1.0]})},
        )
    ):
        made = ImagingExperiment(id="e", plane=ImagingPlane(name="p"), **parts)
        (back,) = read_experiments(cl.write(made, tmp_path / f"{number}.nwb"))
        assert_same(made, back)


def test_uneven_times_come_back_exactly(tmp_path, rng):
    times = np.cumsum(rng.random(90) + 0.01)
    traces = make_traces(rng, "dF/F", times=times)
    assert np.array_equal(cl.read(cl.write(traces, tmp_path / "t.nwb")).times, times)


FINITE = st.floats(-1e6, 1e6, width=32)
QUIET = {
    "max_examples": 10,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


@settings(**QUIET)
@given(data=st.data(), n=st.integers(0, 4), frames=st.integers(1, 9))
def test_any_traces_come_back(data, n, frames, tmp_path_factory):
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    values = data.draw(npst.arrays(dtype, (n, frames), elements=st.floats(width=32)))
    start, step = data.draw(st.floats(-10, 1e5)), data.draw(st.floats(1e-4, 10))
    pictures = data.draw(
        npst.arrays(np.float32, (n, 5, 7), elements=st.sampled_from([0.0, 0.5, 1.0, 3.0]))
    )
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
    traces = Traces(
        fluorescence=values,
        times=start + step * np.arange(frames),
        rois={
            "name": np.array(data.draw(st.lists(text, min_size=n, max_size=n)), dtype=str),
            "value": data.draw(npst.arrays(np.int64, n)),
        },
        masks=RoiMasks.from_images(pictures),
        quantity=data.draw(st.sampled_from(["dF/F", "raw", "events"])),
    )
    kind = data.draw(st.sampled_from(["image", "pixel", "voxel"]))
    path = tmp_path_factory.mktemp("any") / "t.nwb"
    with pytest.warns() if n > frames else _silent():
        cl.write(traces, path, masks=kind)
    back = cl.read(path)
    assert_same(traces.fluorescence, back.fluorescence, "fluorescence")
    assert_same(traces.times, back.times, "times")
    assert back.masks == traces.masks
    assert {k: v.tolist() for k, v in back.rois.items()} == {
        k: v.tolist() for k, v in traces.rois.items()
    }


def _silent():
    from contextlib import nullcontext

    return nullcontext()


@settings(**QUIET)
@given(
    array=st.one_of(
        npst.arrays(
            st.sampled_from([np.float32, np.int16, np.uint8, np.bool_, np.float64]),
            npst.array_shapes(min_dims=0, max_dims=4, max_side=6),
        ),
        npst.arrays(np.float64, st.sampled_from([(90,), (4, 90), (90, 4), (90, 90)])),
        st.lists(
            st.text(st.characters(codec="ascii", exclude_characters="\0")), min_size=1
        ).map(lambda texts: np.array(texts, dtype=str)),
    )
)
def test_any_truth_array_comes_back(array, tmp_path_factory):
    made = ImagingExperiment(
        id="e",
        traces={"dff": Traces(fluorescence=np.zeros((4, 90)), times=TIMES, masks=make_masks())},
        truth_arrays={"anything": array},
    )
    (back,) = read_experiments(cl.write(made, tmp_path_factory.mktemp("any") / "t.nwb"))
    found = back.truth_arrays["anything"]
    assert (found.shape, found.dtype) == (array.shape, array.dtype)
    assert np.array_equal(found, array, equal_nan=array.dtype.kind == "f")


@pytest.mark.parametrize(
    ("given", "model", "maker"),
    [
        ({"model": "Bergamo"}, "Bergamo", None),
        ({"manufacturer": "Thorlabs"}, None, "Thorlabs"),
        ({"manufacturer": "Thorlabs", "model": "Bergamo"}, "Bergamo", "Thorlabs"),
        ({}, None, None),
    ],
)
def test_half_of_a_microscopes_name(tmp_path, given, model, maker):
    made = make_experiment(plane=ImagingPlane(**given))
    (back,) = read_experiments(cl.write(made, tmp_path / "e.nwb"))
    assert (back.plane.model, back.plane.manufacturer) == (model, maker)
