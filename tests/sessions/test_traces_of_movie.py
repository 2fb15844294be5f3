"""Traces that are extracted from a plane's own movie, against what the movie was made of."""

import attrs
import numpy as np
import pytest
from click.testing import CliRunner

from cleo_like.cli import main
from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.imaging.movie import (
    Bleaching,
    Illumination,
    Photomultiplier,
    TissueMotion,
    movie_preset,
)
from cleo_like.sessions import (
    ImageChangeTask,
    OpticalPlane,
    session_movie,
    simulate_session,
    with_movie,
    with_movies,
)
from cleo_like.sessions.plane.extraction import NOTE, Registered
from cleo_like.sessions.plane.fluorescence import dff_of

QUIET = {
    "illumination": Illumination(vignetting=0.0),
    "bleaching": Bleaching(),
    "motion": None,
    "detector": None,
}


def alone(**changes):
    """Somata and neuropil only: what overlaps a mask is nobody's fault."""
    given = {"dendrites": 0.0, "blobs": 0.0, "dark": 0.0, "nuclear": 0.0}
    return attrs.evolve(movie_preset("resonant_512").scene, **given | changes)


def of_its_movie(experiment, plane=None, **parts):
    movie = session_movie(experiment, scene=alone(), **QUIET | parts)
    return with_movie(experiment, movie, traces_from="movie", plane=plane).data, movie


def test_without_noise_the_counts_are_light_at_rest_dff_and_neuropil(experiment):
    """F = own light + coefficient x neuropil: to the last digit where nothing else is there."""
    data, movie = of_its_movie(experiment)
    n, truth = data.n_rois, movie.truth
    own = data.traces["corrected"].fluorescence
    np.testing.assert_allclose(own, truth.fluorescence[:n], rtol=0.02)
    np.testing.assert_allclose(
        data.traces["fluorescence"].fluorescence - own,
        truth.coefficient[:n, None] * data.traces["neuropil"].fluorescence,
        rtol=1e-3,
    )
    np.testing.assert_allclose(data.truth_arrays["f0"], truth.F0[:n], rtol=1e-6)
    assert data.masks == truth.masks.select(np.arange(n))
    assert NOTE in data.notes


def test_dff_and_events_are_those_of_the_movie_not_of_the_simulation(experiment):
    data, movie = of_its_movie(experiment, plane=OpticalPlane(indicator="jgcamp8m"))
    true = dff_of(movie.truth.fluorescence[: data.n_rois], 15.0, 180.0)
    np.testing.assert_allclose(data.traces["dff"].fluorescence, true, atol=0.03)
    before = experiment.data
    for name in ("dff", "events"):
        assert not np.array_equal(
            data.traces[name].fluorescence, before.traces[name].fluorescence
        )
    assert (data.rois["noise_std"] < 0.2 * before.rois["noise_std"]).all()
    np.testing.assert_array_equal(
        data.rois["cell_specimen_id"], before.rois["cell_specimen_id"]
    )


def test_the_level_of_the_detector_is_taken_off_and_its_gain_is_known(experiment):
    detector = Photomultiplier(gain=20, offset=500, dtype="uint16", height_cv=0.0)
    data, movie = of_its_movie(experiment, detector=detector)
    level = np.median(data.traces["corrected"].fluorescence, axis=1)
    own = 20 * np.median(movie.truth.fluorescence[: data.n_rois], axis=1)
    np.testing.assert_allclose(level, own, rtol=0.02)
    np.testing.assert_allclose(
        data.truth_arrays["f0"], 20 * movie.truth.F0[: data.n_rois], rtol=1e-6
    )
    # noise of photons: dF/F of a cell of many photons has less of it
    photons = movie.truth.F0[: data.n_rois] * np.array(data.masks.area)
    assert np.corrcoef(np.log(photons), np.log(data.rois["noise_std"]))[0, 1] < -0.5


def test_saturated_pixels_are_told(experiment):
    for gain, told in ((300, 1), (5, 0)):
        data, movie = of_its_movie(experiment, detector=Photomultiplier(gain=gain))
        notes = [note for note in data.notes if "largest stored value" in note]
        assert len(notes) == told
        assert (np.nansum(movie.clipped) > 0) == told


def test_whole_pixels_of_motion_are_undone(experiment):
    moving = TissueMotion(slow_axis="5 um", fast_axis="5 um", jitter=0.0, tremor=0.0)
    parts = QUIET | {"neuropil": None}  # its picture is another on a wider canvas
    movie = session_movie(experiment, scene=alone(), **parts | {"motion": moving})
    still = session_movie(experiment, scene=alone(), **parts)
    whole = np.rint(movie.truth.motion.rigid)
    assert np.abs(whole).max() >= 2
    inner = (slice(12, -12), slice(12, -12))
    steady = Registered(movie)[0:200]
    for frame, raw, back in zip(steady, movie[0:200], -whole.astype(int), strict=False):
        np.testing.assert_array_equal(frame[inner], np.roll(raw, back, axis=(0, 1))[inner])
    errors = [
        np.square(x[:, *inner] - still[0:200][:, *inner]).mean() for x in (steady, movie[0:200])
    ]
    assert errors[0] < errors[1] / 2  # what is left is less than a pixel
    assert Registered(movie).shape == movie.shape


def test_motion_correction_is_in_whole_pixels_rounded(experiment):
    made = with_movie(experiment, session_movie(experiment, detector=None))
    shifts = made.data.motion.shifts
    table = made.motion_correction
    np.testing.assert_array_equal(table[["x", "y"]].to_numpy(), np.rint(shifts))
    assert (made.cell_specimen_table["max_correction_up"] % 1 == 0).all()


def test_correction_and_window_of_the_plan_count(session, experiment):
    plane = attrs.evolve(session.plan.planes[0], correction=0.7)
    data, _ = of_its_movie(experiment, plane=plane)
    taken = data.traces["fluorescence"].fluorescence - data.traces["corrected"].fluorescence
    np.testing.assert_allclose(taken, 0.7 * data.traces["neuropil"].fluorescence, rtol=1e-3)


def test_a_movie_without_neuropil_has_none_to_take_off(experiment):
    data, _ = of_its_movie(experiment, neuropil=None)
    np.testing.assert_array_equal(
        data.traces["corrected"].fluorescence, data.traces["fluorescence"].fluorescence
    )
    assert np.isfinite(data.traces["dff"].fluorescence).all()


def test_all_planes_of_a_session(session):
    made = with_movies(session, "resonant_512", traces_from="movie")
    for key, one in made.experiments.items():
        assert NOTE in one.data.notes
        assert one.dff_traces.shape == session.experiments[key].dff_traces.shape
        assert np.isfinite(one.events["noise_stds"].to_numpy(float)).all()


def test_a_plane_without_cells_has_a_movie_of_neuropil_and_empty_tables(small_plan):
    task = ImageChangeTask(duration="6 s", grey_before="2 s", grey_after="1 s")
    bare = OpticalPlane(n_cells=0, shape=(40, 56), rate="20 Hz")
    session = simulate_session(small_plan(task=task, planes=[bare]))
    (one,) = with_movies(session, "resonant_512", traces_from="movie").experiments.values()
    assert one.data.movie[0].std() > 0
    assert one.dff_traces.shape == (0, 2)
    assert one.events.shape == (0, 5)


def test_a_plane_that_is_none(experiment):
    movie = session_movie(experiment)
    with pytest.raises(InputError, match=r"plane must be OpticalPlane\(...\), got 'VISp'"):
        with_movie(experiment, movie, traces_from="movie", plane="VISp")


def test_wrong_source(experiment):
    with pytest.raises(UnknownNameError, match="unknown source of traces 'film'"):
        with_movie(experiment, session_movie(experiment), traces_from="film")


def test_the_command_needs_a_movie_to_take_traces_from(tmp_path):
    asked = ["session", "--traces-from", "movie", "-o", str(tmp_path / "s")]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 2
    assert "--movie resonant_512" in result.output
    assert not (tmp_path / "s").exists()
