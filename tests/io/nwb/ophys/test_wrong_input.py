"""What cannot be written is refused before any work, and nothing is left half-written."""

import errno

import attrs
import numpy as np
import pandas as pd
import pytest

import cleo_like as cl
from cleo_like.core import (
    ArrayFrames,
    ExistingFileError,
    FileFormatError,
    ImagingExperiment,
    ImagingPlane,
    InputError,
    OutputError,
    RoiMasks,
    Traces,
)
from tests.io.nwb.ophys.conftest import TIMES, make_experiment, make_masks, make_traces
from tests.io.test_whole_or_not_at_all import file_size_limit


def simple(**given):
    traces = Traces(fluorescence=np.zeros((4, 90)), times=TIMES, masks=make_masks())
    return ImagingExperiment(**{"id": "e", "traces": {"dff": traces}} | given)


def test_an_existing_file_is_refused(tmp_path):
    path = cl.write(simple(), tmp_path / "e.nwb")
    before = path.read_bytes()
    with pytest.raises(ExistingFileError, match="exists already"):
        cl.write(simple(), path)
    assert path.read_bytes() == before
    cl.write(simple(id="other"), path, overwrite=True)
    assert cl.read_experiments(path)[0].id == "other"


def test_a_file_of_others_is_never_replaced(tmp_path):
    import h5py

    with h5py.File(tmp_path / "rig.nwb", "w") as file:
        file["acquisition"] = 1
    with pytest.raises(OutputError, match="did not write"):
        cl.write(simple(), tmp_path / "rig.nwb", overwrite=True)


def noisy_movie():
    frames = np.random.default_rng(0).integers(0, 60000, (90, 24, 32)).astype(np.uint16)
    return ArrayFrames(frames=frames, times=TIMES)


def test_a_full_disk_leaves_nothing(tmp_path):
    with file_size_limit(), pytest.raises(OSError, match="File too large"):
        cl.write(simple(movie=noisy_movie()), tmp_path / "e.nwb")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [OSError(errno.EIO, "lost"), KeyboardInterrupt()])
def test_an_interrupted_movie_leaves_nothing(tmp_path, failure):
    class Breaking:
        shape, dtype, times = (330, 24, 320), np.dtype("uint16"), np.arange(330) / 30
        pixel_size = None

        def __getitem__(self, frames):
            raise failure

    with pytest.raises(type(failure)):
        cl.write(ImagingExperiment(id="e", movie=Breaking()), tmp_path / "e.nwb")
    assert list(tmp_path.iterdir()) == []


def test_no_rois_are_legal(tmp_path):
    none = Traces(
        fluorescence=np.zeros((0, 90)),
        times=TIMES,
        rois={"id": np.zeros(0, int), "kind": np.zeros(0, "U3")},
        masks=RoiMasks.from_pixels((24, 32), []),
    )
    back = cl.read(cl.write(none, tmp_path / "none.nwb"))
    assert (back.n_rois, back.n_frames, len(back.masks)) == (0, 90, 0)
    assert list(back.rois) == ["id", "kind"]


def test_a_mask_outside_the_frame_is_refused():
    with pytest.raises(InputError, match=r"ROI 0 .*\(y=24, x=0\) outside the frame of 24 x 32"):
        RoiMasks.from_pixels((24, 32), [([24], [0])])
    with pytest.raises(InputError, match="masks 24 x 32"):
        simple(movie=ArrayFrames(frames=np.zeros((90, 32, 24)), times=TIMES))


@pytest.mark.parametrize(("frames", "warns"), [(31, True), (32, False)])
def test_a_movie_shorter_than_its_longest_side_is_said(tmp_path, frames, warns):
    """The inspector takes it for transposed; one frame more, and it does not."""
    import warnings

    from tests.io.nwb.test_write import problems

    movie = ArrayFrames(frames=np.ones((frames, 24, 32)), times=TIMES[:frames])
    made = ImagingExperiment(id="e", movie=movie)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        path = cl.write(made, tmp_path / "e.nwb")
    assert any("longest axis for time" in str(w.message) for w in said) is warns
    assert ("check_data_orientation" in [name for _, name in problems(path)]) is warns


@pytest.mark.parametrize(
    ("made", "options", "message"),
    [
        ({}, {"masks": "pixels"}, "masks must be among 'image', 'pixel', 'voxel'"),
        ({}, {"masks": ()}, "name each way once"),
        ({}, {"movie_files": ["nowhere.tif"]}, "nowhere.tif, which is no file"),
        ({}, {"movie_files": {"other": []}}, "names the plane 'other'"),
        ({"session_start": "2025-01-01T10:00:00"}, {}, "no time zone"),
        ({"presentations": pd.DataFrame({"image": [1]})}, {}, "need a column 'start_time'"),
        (
            {"presentations": pd.DataFrame({"start_time": [0.0]}, index=["a"])},
            {},
            "index of presentations must be whole numbers",
        ),
        (
            {"presentations": pd.DataFrame({"start_time": [0.0], "roi": [[1, 2]]})},
            {},
            "column 'roi' of presentations holds list",
        ),
        ({"templates": {"im": np.zeros(3)}}, {}, "template 'im' must be"),
        ({"images": {"a/b": np.zeros((24, 32)), "a_b": np.zeros((24, 32))}}, {}, "two images"),
        ({"images": {"mean": np.zeros((24, 32, 7))}}, {}, r"expected \(height, width\)"),
        ({"truth_arrays": {"z": np.array([1j] * 20)}}, {}, "numbers or texts, got complex"),
        ({"plane": ImagingPlane(name="..")}, {}, "need a letter"),
    ],
)
def test_what_nwb_cannot_hold_is_refused(tmp_path, made, options, message):
    with pytest.raises(InputError, match=message):
        cl.write(simple(**made), tmp_path / "e.nwb", **options)
    assert list(tmp_path.iterdir()) == []


def test_columns_of_objects_are_refused(tmp_path, rng):
    traces = make_traces(rng, "dF/F", rois=2)
    odd = attrs.evolve(traces, rois={"who": np.array([object(), object()])})
    with pytest.raises(InputError, match="column 'who' holds values of type object"):
        cl.write(odd, tmp_path / "t.nwb")


def test_imaging_is_nwb_only(tmp_path):
    with pytest.raises(FileFormatError, match=r"NWB only; name the file e\.nwb"):
        cl.write(simple(), tmp_path / "e.abf")
    with pytest.raises(InputError, match="got list"):
        cl.write([simple(), 1], tmp_path / "e.nwb")


def test_files_without_imaging_say_so(tmp_path, recording):
    path = cl.write(recording, tmp_path / "r.abf")
    with pytest.raises(FileFormatError, match="ABF, which holds no imaging"):
        cl.read_experiments(path)
    path = cl.write(recording, tmp_path / "r.nwb")
    with pytest.raises(FileFormatError, match="no imaging plane, ROIs or traces"):
        cl.read_masks(path)
    assert cl.read(path).n_sweeps == recording.n_sweeps


def test_verbs_do_not_crash_on_imaging(tmp_path):
    from click.testing import CliRunner

    from cleo_like.cli import main

    path = str(cl.write(make_experiment(), tmp_path / "e.nwb"))
    told = CliRunner().invoke(main, ["info", path])
    assert told.exit_code == 0
    for text in ("4 ROIs", "traces 'dff'", "movie: NwbFrames: 90 frames", "truth"):
        assert text in told.output
    for verb in (
        ["match", path],
        ["features", path, "-o", str(tmp_path / "t.csv")],
        ["qc", path],
        ["convert", path, str(tmp_path / "c.abf")],
    ):
        done = CliRunner().invoke(main, verb)
        assert done.exit_code == 1
        assert "two-photon imaging" in done.output
