"""Files as others make them: names, axes, clocks and masks of their own."""

from datetime import UTC, datetime

import h5py
import numpy as np
import pynwb
import pytest
from pynwb.ophys import (
    DfOverF,
    Fluorescence,
    ImageSegmentation,
    OpticalChannel,
    RoiResponseSeries,
    TwoPhotonSeries,
)

import cleo_like as cl
from cleo_like.core import FileFormatError, InputError

H, W, N = 12, 20, 60
MASKS = np.zeros((3, H, W), np.float32)
MASKS[0, 2:5, 3:7], MASKS[1, 8:11, 14:20], MASKS[2, 0, 19] = 1, 0.5, 1


class Maker:
    """A file by pynwb alone, as tutorials and converters make it."""

    def __init__(self, **given):
        self.file = pynwb.NWBFile(
            **{
                "session_description": "somebody's",
                "identifier": "x",
                "session_start_time": datetime(2020, 1, 2, tzinfo=UTC),
            }
            | given
        )
        self.device = self.file.create_device(name="Scope", description="a scope")
        self.module = self.file.create_processing_module("ophys", "processed")
        self.segmentation = ImageSegmentation(name="image_segmentation")
        self.module.add(self.segmentation)

    def plane(self, name="imaging_plane_1", **given):
        channel = OpticalChannel(name="c1", description="x", emission_lambda=520.0)
        return self.file.create_imaging_plane(
            **{
                "name": name,
                "optical_channel": channel,
                "device": self.device,
                "description": "a plane",
                "excitation_lambda": 910.0,
                "indicator": "GCaMP6f",
                "location": "VISp",
                "imaging_rate": 11.0,
                "grid_spacing": [2.0, 3.0],
                "grid_spacing_unit": "microns",
            }
            | given
        )

    def table(self, plane, name="rois", description="segmented", **masks):
        table = self.segmentation.create_plane_segmentation(
            name=name, description=description, imaging_plane=plane
        )
        ((kind, each),) = masks.items()
        for mask in each:
            table.add_roi(**{kind: mask})
        return table

    def add(self, container, name, data, table, region=None, **clock):
        region = list(range(len(table.id))) if region is None else region
        rois = table.create_roi_table_region(region=region, description="some")
        container.add_roi_response_series(
            RoiResponseSeries(
                name=name, data=data, rois=rois, unit="au", **(clock or {"rate": 11.0})
            )
        )

    def write(self, path):
        with pynwb.NWBHDF5IO(str(path), "w") as io:
            io.write(self.file)
        return path


def pixels(order="xy"):
    lists = [np.argwhere(mask) for mask in MASKS]
    return [
        [(*(yx[::-1] if order == "xy" else yx), MASKS[k][tuple(yx)]) for yx in each]
        for k, each in enumerate(lists)
    ]


def test_other_names_stamps_and_units(tmp_path):
    made = Maker()
    plane = made.plane()
    table = made.table(plane, image_mask=[m.T for m in MASKS])
    table.add_column("valid_roi", "valid", data=[True, False, True])
    table.add_column("cell_type", "type", data=["a", "b", "c"])
    values = np.arange(N * 3.0).reshape(N, 3)
    stamps = 5 + np.arange(N) * 0.09 + np.arange(N) ** 2 * 1e-5
    dff, raw = DfOverF(name="dff"), Fluorescence(name="corrected_fluorescence")
    made.module.add([dff, raw])
    made.add(dff, "traces", values, table, timestamps=stamps)
    made.add(raw, "traces", values * 7, table, timestamps=stamps)
    path = made.write(tmp_path / "allen-like.nwb")
    traces = cl.read(path)
    assert np.array_equal(traces.fluorescence, values.T)
    assert np.array_equal(traces.times, stamps)
    assert traces.quantity.startswith("dff (au)")
    assert np.array_equal(traces.masks.to_images(), MASKS)
    assert traces.rois["cell_type"].tolist() == ["a", "b", "c"]
    assert traces.rois["valid_roi"].tolist() == [True, False, True]
    (experiment,) = cl.read_experiments(path)
    assert list(experiment.traces) == ["corrected", "dff"]
    assert experiment.plane.excitation == pytest.approx(910e-9)
    assert experiment.plane.pixel_size == pytest.approx((3e-6, 2e-6))
    assert (experiment.plane.rate, experiment.plane.location) == (11, "VISp")
    assert experiment.session_start.startswith("2020-01-02")


def test_suite2p_keeps_row_and_column(tmp_path):
    made = Maker(session_description="suite2p_proc")
    plane = made.plane("ImagingPlane")
    table = made.table(plane, "PlaneSegmentation", "suite2p output", pixel_mask=pixels("yx"))
    table.add_column("iscell", "iscell and probability", data=np.ones((3, 2)))
    for name in ("Fluorescence", "Neuropil", "Deconvolved"):
        container = Fluorescence(name=name)
        made.module.add(container)
        made.add(container, "plane0", np.full((N, 3), float(len(name))), table)
    images = pynwb.base.Images(name="Backgrounds_0", description="x")
    images.add_image(pynwb.image.GrayscaleImage(name="meanImg", data=np.ones((H, W))))
    made.module.add(images)
    path = made.write(tmp_path / "ophys.nwb")
    (experiment,) = cl.read_experiments(path)
    assert sorted(experiment.traces) == ["events", "fluorescence", "neuropil"]
    assert experiment.masks.shape == (H, W)
    assert np.array_equal(experiment.masks.to_images(), MASKS)
    assert experiment.images["mean"].shape == (H, W)
    assert experiment.rois["iscell"].shape == (3, 2)
    assert cl.read(path).quantity.startswith("fluorescence")
    turned = cl.read_masks(path, order="xy")  # the user knows better
    assert turned.to_images().shape == (3, W, H)


def test_several_planes_in_one_table(tmp_path):
    """suite2p puts the ROIs of all planes into one table, with a series for each."""
    made = Maker(session_description="suite2p_proc")
    voxels = [[(y, x, k, w) for y, x, w in each] for k, each in enumerate(pixels("yx"))]
    table = made.table(made.plane(), "PlaneSegmentation", "suite2p output", voxel_mask=voxels)
    raw = Fluorescence(name="Fluorescence")
    made.module.add(raw)
    made.add(raw, "plane0", np.ones((N, 2)), table, region=[0, 1])
    made.add(raw, "plane1", np.full(N, 2.0)[:, None], table, region=[2])
    path = made.write(tmp_path / "planes.nwb")
    with pytest.raises(InputError, match="2 planes; say which: plane='plane0'"):
        cl.read(path)
    assert cl.read(path, plane="plane1").fluorescence.tolist() == [[2.0] * N]
    assert [e.n_rois for e in cl.read_experiments(path)] == [2, 1]


def test_pixel_masks_without_a_frame(tmp_path):
    made = Maker()
    table = made.table(made.plane(), pixel_mask=pixels())
    raw = Fluorescence()
    made.module.add(raw)
    made.add(raw, "RoiResponseSeries", np.ones((N, 3)), table)
    traces = cl.read(made.write(tmp_path / "p.nwb"))
    assert traces.masks.shape == (11, 20)  # as far as they reach
    assert np.array_equal(traces.masks.to_images(), MASKS[:, :11])
    assert any("size of a frame is not known" in note for note in traces.notes)


def test_a_movie_gives_pixel_masks_their_frame(tmp_path):
    made = Maker()
    plane = made.plane()
    frames = np.random.default_rng(0).integers(0, 99, (N, H, W)).astype(np.int16)
    made.file.add_acquisition(
        TwoPhotonSeries(
            name="MicroscopySeries", data=frames.transpose(0, 2, 1), imaging_plane=plane,
            rate=11.0, unit="n.a.",
        )
    )  # fmt: skip
    table = made.table(plane, pixel_mask=pixels())
    raw = Fluorescence()
    made.module.add(raw)
    made.add(raw, "RoiResponseSeries", np.ones((N, 3)), table)
    (experiment,) = cl.read_experiments(made.write(tmp_path / "p.nwb"))
    assert np.array_equal(experiment.movie[10:20], frames[10:20])
    assert np.array_equal(experiment.movie[-1], frames[-1])
    with pytest.raises(IndexError, match="none has the number 60"):
        experiment.movie[N]
    assert np.array_equal(experiment.masks.to_images(), MASKS)


@pytest.mark.filterwarnings("ignore:.*second dimension of data:UserWarning")
def test_transposed_and_partial_traces(tmp_path):
    made = Maker()
    table = made.table(made.plane(), image_mask=[m.T for m in MASKS])
    raw, dff = Fluorescence(), DfOverF()
    made.module.add([raw, dff])
    values = np.arange(3.0 * N).reshape(3, N)
    made.add(raw, "RoiResponseSeries", values, table)  # (ROIs, frames)
    made.add(dff, "RoiResponseSeries", values[[2, 0]].T, table, region=[2, 0])
    path = made.write(tmp_path / "t.nwb")
    (experiment,) = cl.read_experiments(path)
    assert np.array_equal(experiment.traces["fluorescence"].fluorescence, values)
    found = experiment.traces["dff"]
    assert np.array_equal(found.fluorescence[[0, 2]], values[[0, 2]])
    assert np.isnan(found.fluorescence[1]).all()
    assert any("1 of 3 ROIs are not in" in note for note in found.notes)
    part = cl.read(path, trace="fluorescence", rois=[2, 0], frames=slice(5, 9))
    assert np.array_equal(part.fluorescence, values[[2, 0], 5:9])
    assert any("turned round" in note for note in part.notes)


def test_the_tutorial_of_nwb(tmp_path):
    """Three tables on one plane; traces of two of thirty ROIs; a placeholder for a pixel."""
    made = Maker()
    plane = made.plane("ImagingPlane", grid_spacing=[0.01, 0.01], grid_spacing_unit="meters")
    table = made.table(
        plane, "PlaneSegmentation", image_mask=[MASKS[k % 3].T for k in range(30)]
    )
    made.table(plane, "PlaneSegmentation2", pixel_mask=pixels())
    made.table(plane, "PlaneSegmentation3", voxel_mask=[[(1, 2, 3, 0.5), (1, 2, 4, 0.5)]] * 2)
    raw = Fluorescence()
    made.module.add(raw)
    made.add(raw, "RoiResponseSeries", np.ones((50, 2)), table, region=[0, 1])
    path = made.write(tmp_path / "tutorial.nwb")
    traces = cl.read(path)
    assert (traces.n_rois, traces.n_frames) == (2, 50)
    assert np.array_equal(traces.masks.to_images(), MASKS[:2])
    (experiment,) = cl.read_experiments(path)
    assert experiment.plane.pixel_size is None
    assert any("placeholder" in note for note in experiment.notes)
    assert len(cl.read_masks(path, plane="PlaneSegmentation2")) == 3
    assert cl.read_masks(path, plane="PlaneSegmentation3").z.tolist() == [3, 4, 3, 4]


def test_traces_in_other_modules_are_found(tmp_path):
    made = Maker()
    table = made.table(made.plane(), image_mask=[m.T for m in MASKS])
    other = made.file.create_processing_module("brain_observatory_pipeline", "x")
    dff = DfOverF(name="whatever")
    other.add(dff)
    made.add(dff, "imaging_plane_1", np.ones((N, 3)), table)
    path = made.write(tmp_path / "o.nwb")
    assert cl.read(path).quantity.startswith("dff")
    assert cl.read(path, trace="dff").n_rois == 3


def test_times_that_fall_are_refused_and_lost_ones_left_out(tmp_path):
    for number, (stamps, message) in enumerate(
        [
            (np.r_[np.arange(N - 1.0), 3.0], "do not rise: 58 s at frame 58"),
            (np.r_[np.arange(5.0), np.nan, np.arange(6.0, N)], "gaps .NaN at frame 5"),
        ]
    ):
        made = Maker()
        table = made.table(made.plane(), image_mask=[m.T for m in MASKS])
        raw = Fluorescence()
        made.module.add(raw)
        made.add(raw, "RoiResponseSeries", np.ones((N, 3)), table, timestamps=stamps)
        with pytest.raises(FileFormatError, match=message):
            cl.read(made.write(tmp_path / f"{number}.nwb"))


def test_masks_outside_their_frame_are_left_out_with_a_reason(tmp_path):
    made = Maker()
    plane = made.plane()
    made.file.add_acquisition(
        TwoPhotonSeries(
            name="TwoPhotonSeries",
            data=np.zeros((N, 5, 6)),
            imaging_plane=plane,
            rate=1.0,
            unit="x",
        )
    )
    table = made.table(plane, pixel_mask=pixels())
    raw = Fluorescence()
    made.module.add(raw)
    made.add(raw, "RoiResponseSeries", np.ones((N, 3)), table)
    traces = cl.read(made.write(tmp_path / "p.nwb"))
    assert traces.masks is None
    assert any("outside the frame of 6 x 5" in note for note in traces.notes)


def test_a_damaged_file_is_said(tmp_path, written):
    raw = written.read_bytes()
    for number, cut in enumerate((100, len(raw) // 2, len(raw) - 10)):
        path = tmp_path / f"{number}.nwb"
        path.write_bytes(raw[:cut])
        with pytest.raises(FileFormatError, match=path.name):
            cl.read(path)


def test_the_allen_sdk_keeps_rows_and_columns(tmp_path):
    """Its extension is in the file: pictures (row, column), motion by axis, depth in um."""
    import h5py

    made = Maker()
    table = made.table(made.plane(), "cell_specimen_table", image_mask=list(MASKS))
    dff, events = DfOverF(name="dff"), Fluorescence(name="event_detection_")
    made.module.add([dff, events])
    made.add(dff, "traces", np.ones((N, 3)), table)
    made.add(events, "event_detection", np.zeros((N, 3)), table)
    for axis in "xy":
        made.module.add(
            pynwb.TimeSeries(
                name=f"ophys_motion_correction_{axis}",
                data=np.full(N, 1.0 if axis == "x" else 2.0),
                unit="pixels",
                rate=11.0,
            )
        )
    images = pynwb.base.Images(name="images", description="x")
    images.add_image(pynwb.image.GrayscaleImage(name="max_projection", data=np.ones((H, W))))
    made.module.add(images)
    path = made.write(tmp_path / "allen.nwb")
    with h5py.File(path, "a") as file:
        file.create_group("specifications/ndx-aibs-behavior-ophys")
        file.create_group("general/metadata").attrs["imaging_depth"] = 175
        file["processing/ophys/event_detection_/event_detection"].attrs["neurodata_type"] = (
            "OphysEventDetection"
        )
    (experiment,) = cl.read_experiments(path)
    assert sorted(experiment.traces) == ["dff", "events"]
    assert np.array_equal(experiment.masks.to_images(), MASKS)
    assert experiment.images["max"].shape == (H, W)
    assert experiment.motion.shifts[0].tolist() == [1, 2]
    assert experiment.plane.depth == pytest.approx(175e-6)
    assert cl.read(path, order="xy").masks.shape == (W, H)


@pytest.mark.parametrize(
    ("stored", "factor", "offset"),
    [
        ({}, 1, 0),
        ({"conversion": 0.5, "offset": -3.0}, 0.5, -3),
        ({"conversion": np.nan, "offset": np.inf}, 1, 0),
        ({"conversion": 0.0, "offset": 2.0}, 1, 2),
        ({"conversion": "one"}, 1, 0),
    ],
)
def test_what_a_value_means(tmp_path, stored, factor, offset):
    made = Maker()
    plane = made.plane()
    movie = TwoPhotonSeries(
        name="movie", data=np.arange(N * H * W, dtype="i2").reshape(N, W, H), unit="n.a.",
        rate=10.0, imaging_plane=plane,
    )  # fmt: skip
    made.file.add_acquisition(movie)
    made.table(plane, image_mask=MASKS)
    path = made.write(tmp_path / "x.nwb")
    with h5py.File(path, "r+") as file:
        data = file["acquisition/movie/data"]
        for name in ("conversion", "offset"):
            data.attrs.pop(name, None)
        data.attrs.update(stored)
    (experiment,) = cl.read_experiments(path)
    first = np.asarray(experiment.movie[0], float).ravel(order="F")[:2]
    np.testing.assert_allclose(first, [offset, factor + offset])


@pytest.mark.parametrize(("step", "said"), [(19.0, False), (21.0, True), (100.0, True)])
def test_time_stamps_in_milliseconds_are_said(tmp_path, step, said):
    made = Maker()
    table = made.table(made.plane(), image_mask=MASKS)
    dff = DfOverF(name="dff")
    made.module.add(dff)
    made.add(dff, "traces", np.ones((N, 3)), table, timestamps=step * np.arange(N))
    notes = cl.read(made.write(tmp_path / "x.nwb")).notes
    assert any("milliseconds?" in note for note in notes) == said
