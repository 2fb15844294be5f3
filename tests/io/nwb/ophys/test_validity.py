"""Other programs read what is written: pynwb, the archive's inspector, roiextractors."""

import attrs
import numpy as np
import pynwb
import pytest

import cleo_like as cl
from cleo_like.core import ImagingExperiment, ImagingPlane, Provenance, Subject, Traces
from tests.io.nwb.ophys.conftest import HEIGHT, TIMES, WIDTH, N, make_experiment, make_masks
from tests.io.nwb.test_write import findings, problems


@pytest.mark.parametrize("masks", [("image", "pixel", "voxel"), "pixel"])
def test_pynwb_and_the_inspector_are_content(experiment, tmp_path, masks):
    path = cl.write(experiment, tmp_path / "e.nwb", masks=masks)
    assert pynwb.validate(path=str(path)) == []
    assert problems(path) == []
    # the modules for facts and truth have names of their own, on purpose
    assert {name for _, name in findings(path)} <= {
        "check_processing_module_name", "check_experimenter_exists",
        "check_experimenter_form", "check_institution", "check_experimenter",
    }  # fmt: skip


def test_bare_traces_pass_too(tmp_path):
    traces = Traces(
        fluorescence=np.ones((3, N)),
        times=TIMES,
        provenance=Provenance(source="simulation", parameters={"scope": "Scope(a={'b': 1})"}),
    )
    path = cl.write(traces, tmp_path / "t.nwb")
    assert cl.read(path) == traces
    assert pynwb.validate(path=str(path)) == []
    assert problems(path) == []
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        nwbfile = io.read()
        assert nwbfile.subject.species.endswith("NCBITaxon_32630")  # synthetic construct
        assert np.isnan(nwbfile.imaging_planes["ImagingPlane"].excitation_lambda)


def test_a_mouse_without_a_region_passes(tmp_path):
    """The inspector wants a region of the Allen atlas; the whole brain is true of every one."""
    mouse = Subject(id="m", species="Mus musculus", sex="M", age="P60D")
    traces = Traces(fluorescence=np.ones((3, N)), times=TIMES, masks=make_masks(3))
    made = ImagingExperiment(id="e", subject=mouse, traces={"dff": traces})
    path = cl.write(made, tmp_path / "m.nwb")
    assert problems(path) == []
    (back,) = cl.read_experiments(path)
    assert back.plane.location is None


def test_several_planes_pass(tmp_path):
    first = make_experiment(1)
    second = make_experiment(
        2,
        plane=ImagingPlane(name="deep", location="VISl"),
        presentations=first.presentations,
        templates=first.templates,
    )
    path = cl.write([first, second], tmp_path / "two.nwb")
    assert pynwb.validate(path=str(path)) == []
    assert problems(path) == []


def test_what_the_tutorial_asks_is_in_the_file(written, experiment):
    with pynwb.NWBHDF5IO(str(written), "r") as io:
        nwbfile = io.read()
        movie = nwbfile.acquisition["TwoPhotonSeries"]
        assert movie.data.shape == (N, WIDTH, HEIGHT)
        assert np.array_equal(movie.data[:].transpose(0, 2, 1), experiment.movie[:])
        assert (movie.data.compression, movie.data.compression_opts) == ("gzip", 1)
        assert movie.data.shuffle
        assert movie.rate == 30
        plane = movie.imaging_plane
        assert (plane.excitation_lambda, plane.indicator) == (920, "jGCaMP8s")
        assert plane.optical_channel[0].emission_lambda == 510
        assert plane.device.model.manufacturer == "Thorlabs"
        assert plane.grid_spacing[:].tolist() == [2e-6, 1e-6]  # x, y
        ophys = nwbfile.processing["ophys"]
        stack = ophys["MotionCorrection"]["CorrectedImageStack"]
        assert stack.original is movie
        assert np.array_equal(stack.xy_translation.data[:], experiment.motion.shifts)
        assert stack.corrected.data.shape == (N, WIDTH, HEIGHT)
        dff = ophys["DfOverF"]["RoiResponseSeries"]
        assert np.array_equal(dff.data[:].T, experiment.traces["dff"].fluorescence)
        assert dff.rois.table.name == "PlaneSegmentation"
        mask = ophys["ImageSegmentation"]["PlaneSegmentation"]["image_mask"][1]
        assert np.array_equal(mask.T, experiment.masks.to_images()[1])
        shown = nwbfile.intervals["stimulus_presentations"].to_dataframe()
        assert shown["image_name"].tolist() == ["im0", "omitted", "im1"]
        picture = nwbfile.stimulus_template["stimulus_templates"]["im0"]
        assert np.array_equal(picture.data[:].T, experiment.templates["im0"])
        assert "SIMULATION TRUTH" in nwbfile.processing["ground_truth"].description


def test_masks_are_a_small_part_of_a_movie(written):
    import h5py

    with h5py.File(written) as file:
        table = file["processing/ophys/ImageSegmentation/PlaneSegmentation"]
        masks = table["image_mask"].id.get_storage_size()
        movie = file["acquisition/TwoPhotonSeries/data"].id.get_storage_size()
    # 4 masks for 90 frames; a real movie has 100 times the frames for 100 times the ROIs
    assert masks < 0.01 * movie


def test_chunks_are_read_fast_both_ways():
    from cleo_like.io.nwb.ophys.writer.chunks import CHUNK, movie_chunks

    class Frames:
        shape = (300, 512, 640)
        dtype = np.dtype("uint16")

        def __getitem__(self, frames):
            return np.zeros((len(range(*frames.indices(300))), 512, 640), "uint16")

    chunks = movie_chunks(Frames()).data
    assert chunks.chunk_shape == CHUNK
    assert chunks.buffer_shape[1:] == (640, 512)  # whole frames: none is rendered twice
    assert np.prod(chunks.buffer_shape) * 2 <= 2**25 + 2 * np.prod((30, 512, 640))


def test_roiextractors_reads_the_movie(written, experiment):
    pytest.importorskip("roiextractors")
    from roiextractors import NwbImagingExtractor

    movie = NwbImagingExtractor(str(written))
    assert movie.get_image_shape() == (HEIGHT, WIDTH)
    assert movie.get_num_samples() == N
    assert movie.get_sampling_frequency() == 30
    assert np.array_equal(movie.get_series(3, 9), experiment.movie[3:9])
    assert np.allclose(movie.get_native_timestamps(), TIMES, atol=1e-9)


def test_roiextractors_reads_the_segmentation(written, experiment):
    pytest.importorskip("roiextractors")
    from roiextractors import NwbSegmentationExtractor

    found = NwbSegmentationExtractor(str(written))
    traces = found.get_traces_dict()
    for theirs, ours in (
        ("raw", "fluorescence"),
        ("dff", "dff"),
        ("neuropil", "neuropil"),
        ("deconvolved", "events"),
    ):
        assert np.array_equal(
            np.asarray(traces[theirs]).T, experiment.traces[ours].fluorescence
        )
    assert found.get_frame_shape() == (HEIGHT, WIDTH)
    assert found.get_roi_ids() == [7, 17, 27, 37]
    masks = np.asarray(found.get_roi_image_masks())
    assert np.array_equal(masks.transpose(2, 0, 1), experiment.masks.to_images())
    images = found.get_images_dict()
    assert np.array_equal(images["mean"], experiment.images["mean"])
    assert np.allclose(
        found.get_property("roi_centroids", found.get_roi_ids()), experiment.masks.centroids
    )


def test_dff_alone_is_found_by_roiextractors(tmp_path, experiment):
    pytest.importorskip("roiextractors")
    from roiextractors import NwbSegmentationExtractor

    path = cl.write(experiment.traces["dff"], tmp_path / "t.nwb")
    found = NwbSegmentationExtractor(str(path))
    traces = found.get_traces_dict()
    assert traces["raw"] is None
    assert np.array_equal(np.asarray(traces["dff"]).T, experiment.traces["dff"].fluorescence)


def test_the_first_of_several_planes_is_the_one_that_roiextractors_finds(tmp_path):
    pytest.importorskip("roiextractors")
    from roiextractors import NwbImagingExtractor, NwbSegmentationExtractor

    first = make_experiment(1)
    second = make_experiment(
        2,
        plane=ImagingPlane(name="deep"),
        presentations=first.presentations,
        templates=first.templates,
    )
    path = cl.write([first, second], tmp_path / "two.nwb")
    found = NwbSegmentationExtractor(str(path))
    dff = found.get_traces_dict()["dff"]
    assert np.array_equal(np.asarray(dff).T, first.traces["dff"].fluorescence)
    movie = NwbImagingExtractor(str(path), optical_series_name="TwoPhotonSeries2")
    assert np.array_equal(movie.get_series(0, 2), second.movie[:2])


def test_a_movie_may_stay_in_tiff_files(tmp_path, experiment):
    tifffile = pytest.importorskip("tifffile")
    frames = experiment.movie[:]
    for name, part in (("a.tif", frames[:50]), ("b.tif", frames[50:])):
        tifffile.imwrite(tmp_path / name, part, photometric="minisblack")
    files = [tmp_path / "a.tif", tmp_path / "b.tif"]
    bare = attrs.evolve(experiment, movie=None, motion=None)
    for number, made in enumerate((attrs.evolve(experiment, motion=None), bare)):
        path = cl.write(made, tmp_path / f"{number}.nwb", movie_files=files)
        assert path.stat().st_size < 1e6
        assert pynwb.validate(path=str(path)) == []
        assert problems(path) == []
        with pynwb.NWBHDF5IO(str(path), "r") as io:
            series = io.read().acquisition["TwoPhotonSeries"]
            assert series.external_file[:].tolist() == ["a.tif", "b.tif"]
            assert series.starting_frame[:].tolist() == [0, 50]
            assert series.num_samples == N
        (back,) = cl.read_experiments(path)
        assert np.array_equal(back.movie[45:55], frames[45:55])
        assert np.array_equal(back.movie[60:40:-3], frames[60:40:-3])
    files[1].unlink()
    (back,) = cl.read_experiments(path)
    assert back.movie is None
    assert any("'b.tif', which is missing" in note for note in back.notes)
