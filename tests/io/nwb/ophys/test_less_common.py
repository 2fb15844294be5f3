"""What few files hold: pictures of several kinds, lists of lists, odd clocks, many TIFFs."""

import h5py
import numpy as np
import pynwb
import pytest
import tifffile
from pynwb.epoch import TimeIntervals
from pynwb.ophys import DfOverF, Fluorescence

import cleo_like as cl
from cleo_like.core import FileFormatError, InputError
from cleo_like.io.nwb.ophys.reader.movie import NwbFrames, TiffFrames, frames_in
from tests.io.nwb.ophys.test_foreign import MASKS, H, Maker, N, W

STR = h5py.string_dtype()


@pytest.fixture
def made():
    return Maker()


def traced(made, path, *, data=None, masks=None, region=None, **clock):
    """Write a plane with one kind of traces."""
    table = made.table(
        made.plane(), image_mask=[m.T for m in MASKS] if masks is None else masks
    )
    raw = Fluorescence()
    made.module.add(raw)
    made.add(raw, "RoiResponseSeries", np.ones((N, 3)) if data is None else data, table,
             region, **clock)  # fmt: skip
    return made.write(path)


def series(file):
    return file["processing/ophys/Fluorescence/RoiResponseSeries"]


def rois(file):
    return file["processing/ophys/image_segmentation/rois"]


# --- pictures


def test_summary_images_by_their_usual_names(tmp_path, made):
    images = pynwb.base.Images(name="SegmentationImages", description="x")
    pictures = {
        "average_raw": np.arange(H * W * 1.0).reshape(W, H),
        "mean_again": np.full((W, H), 2.0),  # the usual name is taken: its own stays
        "maximum": np.full((W, H), 3.0),
        "corrImg": np.full((W, H), 4.0),
        "of_another_size": np.ones((5, 6)),
        "mine": np.full((W, H), 5.0),
    }
    for name, data in pictures.items():
        images.add_image(pynwb.image.GrayscaleImage(name=name, data=data))
    images.add_image(pynwb.image.RGBImage(name="colours", data=np.ones((W, H, 3))))
    made.module.add(images)
    (experiment,) = cl.read_experiments(traced(made, tmp_path / "a.nwb"))
    found = experiment.images
    assert sorted(found) == ["colours", "correlation", "max", "mean", "mean_again", "mine"]
    assert np.array_equal(found["mean"], pictures["average_raw"].T)  # (x, y) in the file
    assert found["colours"].shape == (H, W, 3)
    assert any("'of_another_size' left out: (6, 5)" in note for note in experiment.notes)


@pytest.mark.parametrize(
    ("name", "of"),
    [("Backgrounds_0", 0), ("Backgrounds_1", 1), ("SegmentationImages", 0),
     ("SegmentationImages1", 0), ("SegmentationImages2", 1), ("others", None)],
)  # fmt: skip
def test_images_go_to_the_plane_of_their_number(tmp_path, made, name, of):
    for k in range(2):
        table = made.table(made.plane(f"plane{k}"), f"rois{k}", image_mask=[m.T for m in MASKS])
        raw = Fluorescence(name=f"Fluorescence{k}")
        made.module.add(raw)
        made.add(raw, f"plane{k}", np.ones((N, 3)), table)
    images = pynwb.base.Images(name=name, description="x")
    images.add_image(pynwb.image.GrayscaleImage(name="mine", data=np.ones((W, H))))
    made.module.add(images)
    found = cl.read_experiments(made.write(tmp_path / "a.nwb"))
    expected = [True, True] if of is None else [k == of for k in range(2)]
    assert ["mine" in experiment.images for experiment in found] == expected


def test_stimulus_pictures_of_a_series_have_the_names_beside_them(tmp_path, made):
    stack = np.arange(2 * 4 * 6.0).reshape(2, 6, 4)  # (n, x, y)
    path = traced(made, tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        top = file["stimulus/templates"]
        for name, names in (
            ("named", ["im1", "im2"]),
            ("twice", ["im1", "im1"]),
            ("bare", None),
        ):
            group = top.create_group(name)
            group["data"] = stack
            if names is not None:
                group.create_dataset("control_description", data=names, dtype=STR)
        top.create_group("flat")["data"] = stack[0]
        single = top.create_group("pictures")
        single["one"] = stack[0]
        single.create_dataset("order_of_images", data=[0.0])
    (experiment,) = cl.read_experiments(path)
    found = experiment.templates
    assert sorted(found) == ["bare", "im1", "im2", "one", "twice"]
    assert np.array_equal(found["im2"], stack[1].T)
    assert np.array_equal(found["one"], stack[0].T)
    assert np.array_equal(found["bare"], stack.swapaxes(1, 2))
    assert any("'flat' left out: it is no stack" in note for note in experiment.notes)


def test_tables_of_stimuli_are_joined_in_time(tmp_path, made):
    for name, starts in (("stimulus_b", [2.0, 4.0]), ("a_presentation", [1.0, 3.0])):
        table = TimeIntervals(name=name, description="x")
        table.add_column("angle", "deg")
        for start in starts:
            table.add_interval(start_time=start, stop_time=start + 0.5, angle=10 * start)
        made.file.add_time_intervals(table)
    other = TimeIntervals(name="licks", description="x")
    other.add_interval(start_time=0.0, stop_time=0.1)
    made.file.add_time_intervals(other)
    (experiment,) = cl.read_experiments(traced(made, tmp_path / "a.nwb"))
    shown = experiment.presentations
    assert shown["start_time"].tolist() == [1, 2, 3, 4]
    assert shown["angle"].tolist() == [10, 20, 30, 40]
    assert shown["stimulus_table"].tolist() == ["a_presentation", "stimulus_b"] * 2
    assert shown.columns[:2].tolist() == ["start_time", "stop_time"]
    assert shown.index.tolist() == [0, 1, 2, 3]


# --- tables of ROIs


def test_columns_without_one_value_for_each_are_left_out(tmp_path, made):
    path = traced(made, tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        table = rois(file)
        table["lists"], table["lists_index"] = np.arange(5.0), np.array([2, 3, 5])
        table["short"] = np.arange(2.0)
        table["structured"] = np.zeros(3, dtype=[("a", float), ("b", float)])
        table["reference"] = np.array([table.ref] * 3, dtype=h5py.ref_dtype)
        table["pair"] = np.arange(6.0).reshape(3, 2)
        table.create_dataset("kind", data=["a", "b", "ä"], dtype=STR)
    (experiment,) = cl.read_experiments(path)
    assert set(experiment.rois) >= {"pair", "kind"}
    assert not {"lists", "lists_index", "short", "structured", "reference"} & set(
        experiment.rois
    )
    assert experiment.rois["kind"].tolist() == ["a", "b", "ä"]
    assert experiment.rois["pair"].tolist() == [[0, 1], [2, 3], [4, 5]]
    said = " ".join(experiment.notes)
    for text in ("'lists' left out: it has lists", "'short' left out: it has no value",
                 "'structured' left out", "'reference' left out: it holds"):  # fmt: skip
        assert text in said


def test_traces_of_a_single_roi_without_a_second_axis(tmp_path, made):
    path = traced(made, tmp_path / "a.nwb", data=np.arange(N * 1.0)[:, None], region=[1])
    with h5py.File(path, "a") as file:
        group = series(file)
        del group["data"]
        group["data"] = np.arange(N * 1.0)
    (experiment,) = cl.read_experiments(path)
    traces = experiment.traces["fluorescence"]
    known = traces.fluorescence[np.isfinite(traces.fluorescence).all(axis=1)]
    assert known.tolist() == [list(range(N))]


@pytest.mark.parametrize(
    ("data", "message"),
    [(np.ones(N), "has one column for 3 ROIs"),
     (np.ones((N, 4)), r"has the shape \(60, 4\) for 3 ROIs; expected \(frames, ROIs\)"),
     (np.ones((N, 3, 1)), "holds no table of numbers"),
     (np.array([b"a"] * N), "holds no table of numbers")],
)  # fmt: skip
def test_traces_of_another_shape(tmp_path, made, data, message):
    path = traced(made, tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        group = series(file)
        del group["data"]
        group["data"] = data
    with pytest.raises(FileFormatError, match=message):
        cl.read(path)


def test_rows_that_come_twice_or_lie_beyond_the_table(tmp_path, made):
    data = np.arange(N * 3.0).reshape(N, 3)
    path = traced(made, tmp_path / "a.nwb", data=data, region=[0, 1, 2])
    with h5py.File(path, "a") as file:
        series(file)["rois"][:] = [2, 0, 0]
    traces = cl.read(path)
    assert any("ROIs twice; the first counts" in note for note in traces.notes)
    assert np.array_equal(traces.fluorescence[-1], data[:, 0])  # row 2
    assert np.array_equal(traces.fluorescence[0], data[:, 1])  # row 0, its first column
    with h5py.File(path, "a") as file:
        series(file)["rois"][:] = [0, 1, 3]
    with pytest.raises(FileFormatError, match="has 3 rows, and traces name row 3"):
        cl.read(path)


@pytest.mark.parametrize("wanted", [[19, 0], [3, 1, 2], [0, 4, 19], [10]])
def test_any_rows_in_any_order(tmp_path, made, wanted):
    data = np.arange(N * 20.0).reshape(N, 20)
    masks = [np.eye(W, H, k) for k in range(20)]
    path = traced(made, tmp_path / "a.nwb", data=data, masks=masks)
    part = cl.read(path, rois=wanted, frames=slice(7, 50, 3))
    assert np.array_equal(part.fluorescence, data[7:50:3, wanted].T)
    assert np.array_equal(part.masks.to_images(), np.array([masks[k].T for k in wanted]))


def test_pixels_as_plain_columns(tmp_path, made):
    table = made.table(made.plane(), pixel_mask=[[(1, 2, 0.5)], [(3, 4, 1.0), (5, 6, 0.25)]])
    raw = Fluorescence()
    made.module.add(raw)
    made.add(raw, "RoiResponseSeries", np.ones((N, 2)), table)
    path = made.write(tmp_path / "a.nwb")
    for columns in ([[1, 2, 0.5], [3, 4, 1.0], [3, 4, 0.25]], [[1, 2], [3, 4], [5, 6]]):
        with h5py.File(path, "a") as file:
            del rois(file)["pixel_mask"]
            rois(file)["pixel_mask"] = np.array(columns, dtype=float)
        traces = cl.read(path)
        if len(columns[0]) == 3:
            assert traces.masks.x.tolist() == [1, 3]
            assert traces.masks.y.tolist() == [2, 4]
            assert traces.masks.weight.tolist() == [0.5, 1.0]
            assert any("1 pixels of masks came twice" in note for note in traces.notes)
        else:
            assert traces.masks is None
            assert any("3 numbers each, got 2" in note for note in traces.notes)


def test_no_masks_are_said(tmp_path, made):
    path = traced(made, tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        del rois(file)["image_mask"]
    traces = cl.read(path)
    assert traces.masks is None
    assert any("has no masks" in note for note in traces.notes)


# --- clocks


def stamped(made, path, stamps, unit="seconds"):
    traced(made, path, timestamps=np.arange(N * 1.0))
    with h5py.File(path, "a") as file:
        group = series(file)
        del group["timestamps"]
        group["timestamps"] = stamps
        group["timestamps"].attrs["unit"] = unit
    return path


@pytest.mark.parametrize("unit", ["ms", "Milliseconds", "millisecond"])
def test_stamps_in_milliseconds_that_say_so(tmp_path, made, unit):
    traces = cl.read(stamped(made, tmp_path / "a.nwb", np.arange(N) * 90.0, unit))
    assert traces.times == pytest.approx(np.arange(N) * 0.09)
    assert not any("milliseconds?" in note for note in traces.notes)


@pytest.mark.parametrize("extra", [-4, 4])
def test_more_or_fewer_stamps_than_frames(tmp_path, made, extra):
    traces = cl.read(stamped(made, tmp_path / "a.nwb", np.arange(N + extra) * 0.1))
    assert traces.n_frames == min(N, N + extra)
    assert any(f"{N + extra} time stamps for {N} frames" in note for note in traces.notes)


def test_frames_without_a_time_at_the_end(tmp_path, made):
    stamps = np.r_[np.arange(N - 3.0), [np.nan] * 3]
    traces = cl.read(stamped(made, tmp_path / "a.nwb", stamps))
    assert traces.n_frames == N - 3
    assert any("3 frames at the end have no time" in note for note in traces.notes)


def test_two_equal_stamps_are_refused_where_they_are(tmp_path, made):
    stamps = np.r_[np.arange(9.0), 8.0, np.arange(10.0, N)]
    with pytest.raises(FileFormatError, match="8 s at frame 8 is followed by 8 s"):
        cl.read(stamped(made, tmp_path / "a.nwb", stamps))


@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan, np.inf])
def test_a_rate_that_is_none(tmp_path, made, rate):
    path = traced(made, tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        series(file)["starting_time"].attrs["rate"] = rate
    with pytest.raises(FileFormatError, match="neither time stamps nor a start and a rate"):
        cl.read(path)


def test_a_conversion_of_nothing_counts_as_none(tmp_path, made):
    """A factor of 0 would make all values 0: it is what some writers put for none."""
    path = traced(made, tmp_path / "a.nwb", data=np.full((N, 3), 2.0))
    for conversion, offset, value in ((0.0, 1.0, 3.0), (np.nan, 0.0, 2.0), (3.0, np.inf, 6.0)):
        with h5py.File(path, "a") as file:
            series(file)["data"].attrs["conversion"] = conversion
            series(file)["data"].attrs["offset"] = offset
        assert cl.read(path).fluorescence[0, 0] == value


def test_the_kinds_of_traces_keep_their_own_clocks(tmp_path, made):
    table = made.table(made.plane(), image_mask=[m.T for m in MASKS])
    raw, dff = Fluorescence(), DfOverF()
    made.module.add([raw, dff])
    made.add(raw, "RoiResponseSeries", np.ones((N, 3)), table, rate=10.0)
    made.add(dff, "RoiResponseSeries", np.ones((N // 2, 3)), table, rate=5.0, starting_time=1.0)
    path = made.write(tmp_path / "a.nwb")
    assert cl.read(path, trace="fluorescence").times[1] == pytest.approx(0.1)
    assert cl.read(path, trace="dff").times[:2] == pytest.approx([1.0, 1.2])


# --- movies


def grey(path, frames, **metadata):
    tifffile.imwrite(path, frames, photometric="minisblack", metadata=metadata)


@pytest.fixture
def pages(tmp_path):
    """Give 12 frames in three files of 5, 4 and 3."""
    frames = np.random.default_rng(1).integers(0, 999, (12, 4, 6)).astype(np.uint16)
    files, begin = [], 0
    for k, n in enumerate((5, 4, 3)):
        grey(tmp_path / f"{k}.tif", frames[begin : begin + n])
        files.append((str(tmp_path / f"{k}.tif"), n))
        begin += n
    return TiffFrames(files=tuple(files), size=(4, 6), times=np.arange(12.0)), frames


SLICES = [slice(None), slice(3, 7), slice(None, None, -1), slice(8, 2, -3), slice(-2, None),
          slice(4, 5), slice(5, 5), slice(1, 12, 4), slice(20, 30), slice(2, 9, -1), slice(8, 2, -1),
          slice(9, 3, -2)]  # fmt: skip


@pytest.mark.parametrize("some", SLICES)
def test_frames_over_several_files(pages, some):
    movie, frames = pages
    assert movie.shape == (12, 4, 6)
    assert movie.dtype == np.uint16
    assert np.array_equal(movie[some], frames[some])


@pytest.mark.parametrize("some", SLICES)
@pytest.mark.parametrize("stored", [(True, 1.0, 0.0), (False, 2.0, 5.0)])
def test_frames_inside_a_file(tmp_path, pages, some, stored):
    frames, (transposed, scale, offset) = pages[1], stored
    with h5py.File(tmp_path / "m.nwb", "w") as file:
        file["data"] = frames.transpose(0, 2, 1) if transposed else frames
    movie = NwbFrames(
        path=str(tmp_path / "m.nwb"), dataset="data", size=frames.shape, stored=frames.dtype,
        times=np.arange(12.0), transposed=transposed, scale=scale, offset=offset,
    )  # fmt: skip
    found = movie[some]
    assert np.array_equal(found, frames[some] * scale + offset)
    assert found.dtype == movie.dtype == (np.uint16 if transposed else float)


def test_movies_whose_file_is_gone_or_damaged(tmp_path, pages):
    movie, frames = pages
    inside = NwbFrames(
        path=str(tmp_path / "gone.nwb"), dataset="data", size=frames.shape,
        stored=frames.dtype, times=np.arange(12.0),
    )  # fmt: skip
    with pytest.raises(FileFormatError, match=r"frames data of gone\.nwb cannot be read"):
        inside[0:1]
    (tmp_path / "1.tif").unlink()
    assert np.array_equal(movie[0:5], frames[:5])  # the others are still there
    for damaged in (b"II*\x00 no", b"", b"II*\x00\x08\x00\x00\x00\x00\x00"):
        (tmp_path / "1.tif").write_bytes(damaged)
        with pytest.raises(FileFormatError, match=r"1\.tif"):
            movie[5:6]
        with pytest.raises((FileFormatError, InputError), match=r"1\.tif"):
            frames_in(tmp_path / "1.tif")


def test_frames_are_counted_whatever_their_kind(tmp_path):
    grey(tmp_path / "one.tif", np.zeros((4, 6), np.uint8))
    grey(tmp_path / "some.tif", np.zeros((3, 4, 6), np.uint8))
    grey(tmp_path / "channels.tif", np.zeros((3, 2, 4, 6), np.uint8), axes="TCYX")
    assert frames_in(tmp_path / "one.tif") == (1, 4, 6)
    assert frames_in(tmp_path / "some.tif") == (3, 4, 6)
    with pytest.raises(InputError, match=r"one channel in channels\.tif"):
        frames_in(tmp_path / "channels.tif")
