"""The raw movie of a plane: the same cells at the same places, doing the same."""

import attrs
import numpy as np
import pytest
from click.testing import CliRunner

from cleo_like.cli import main
from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.core.files import together
from cleo_like.imaging.movie import TissueMotion, movie_preset
from cleo_like.imaging.movie.extract import extract_fluorescence
from cleo_like.io import read_experiments, read_tiff
from cleo_like.sessions import session_movie, with_movie, with_movies, write_session

STILL = {"motion": None, "neuropil": None, "detector": None, "illumination": None}


def test_the_cells_are_those_of_the_experiment(experiment):
    round_ones = attrs.evolve(
        movie_preset("resonant_512").scene, radius_spread=0.0, elongation=0.0
    )
    movie = session_movie(experiment, scene=round_ones, illumination=None)
    n, truth = experiment.data.n_rois, movie.truth
    assert movie.shape == (len(experiment.ophys_timestamps), 64, 96)
    np.testing.assert_allclose(movie.times, experiment.ophys_timestamps, atol=1e-9)
    placed = truth.masks.centroids[:n]
    np.testing.assert_allclose(placed, experiment.data.masks.centroids, atol=0.5)
    f0 = experiment.data.truth_arrays["f0"]
    assert np.corrcoef(np.log(truth.F0[:n]), np.log(f0))[0, 1] > 0.995


def test_without_noise_the_masks_see_the_dff_of_the_truth(experiment):
    alone = attrs.evolve(
        movie_preset("resonant_512").scene, dendrites=0.0, blobs=0.0, dark=0.0, nuclear=0.0
    )
    movie = session_movie(experiment, scene=alone, **STILL)
    seen, _ = extract_fluorescence(movie, experiment.data.masks)
    true = experiment.data.truth.fluorescence
    # the laser meets a cell up to one frame after the time of its frame
    late = np.stack([
        np.interp(movie.times + delay, movie.times, row)
        for row, delay in zip(true, movie.truth.delays, strict=False)
    ])  # fmt: skip
    for one, dff in zip(seen, late, strict=True):
        assert np.corrcoef(one, dff)[0, 1] > 0.999


def test_pictures_and_motion_are_those_of_the_movie(experiment):
    moving = TissueMotion(slow_axis="4 um", fast_axis="4 um")
    movie = session_movie(experiment, motion=moving, detector=None)
    made = with_movie(experiment, movie)
    np.testing.assert_allclose(
        made.data.motion.shifts, movie.truth.motion.rigid[:, ::-1], atol=1e-12
    )
    # as sharp as a tissue that stands still, not as one that moves
    sharp, blurred = (
        np.square(np.diff(x, axis=1)).mean()
        for x in (made.data.images["mean"], movie[:].mean(0))
    )
    assert sharp > 1.1 * blurred
    assert (made.data.images["max"] >= made.data.images["mean"]).all()
    assert made.average_projection.data.shape == (64, 96)


def test_seeds(experiment):
    first, again, other = (
        session_movie(experiment, seed=seed)[3]
        for seed in (None, experiment.ophys_experiment_id, 7)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_what_cannot_be_a_movie(session, experiment):
    without = attrs.evolve(experiment, data=attrs.evolve(experiment.data, truth=None))
    with pytest.raises(InputError, match="true dF/F and F0, masks and pixel size"):
        session_movie(without)
    other = list(session.experiments.values())[1]
    with pytest.raises(InputError, match=r"the movie shows 7 cells .* the experiment 9"):
        with_movie(experiment, session_movie(other))
    with pytest.raises(UnknownNameError, match="unknown movie 'resonant'"):
        session_movie(experiment, model="resonant")


def test_a_session_with_movies_on_disk(session, tmp_path):
    files = write_session(with_movies(session, "resonant_512"), tmp_path / "s", tables=False)
    for key, one in session.experiments.items():
        path = tmp_path / "s" / "movies" / f"{key}.tif"
        assert path in files
        frames = read_tiff(path)
        expected = session_movie(one)
        np.testing.assert_array_equal(frames[5:8], expected[5:8])
        (back,) = read_experiments(
            tmp_path
            / "s"
            / "behavior_ophys_experiments"
            / f"behavior_ophys_experiment_{key}.nwb"
        )
        np.testing.assert_array_equal(back.movie[5:8], expected[5:8])


def test_the_command_refuses_a_movie_that_is_none_before_it_starts(tmp_path):
    asked = [
        "session",
        "--config",
        "short",
        "--movie",
        "resonnant_512",
        "-o",
        str(tmp_path / "s"),
    ]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code != 0
    assert "did you mean 'resonant_512'" in result.output
    assert not (tmp_path / "s").exists()


def test_the_files_that_are_told_are_those_that_will_be(session, tmp_path):
    """Also inside `together`, where nothing is in its place yet; one plane has a movie."""
    key, one = next(iter(session.experiments.items()))
    both = {**session.experiments, key: with_movie(one, session_movie(one))}
    with together():
        files = write_session(attrs.evolve(session, experiments=both), tmp_path, tables=False)
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == sorted(found)
    assert [path.name for path in files if path.suffix == ".tif"] == [f"{key}.tif"]
