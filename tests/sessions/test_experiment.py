"""An experiment has the AllenSDK's attributes, and the truth beside them."""

import attrs
import numpy as np
import pytest

from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.sessions import InSilicoCache, OpticalPlane, simulate_session
from cleo_like.sessions.plane.fluorescence import dff_of

CELLS = ["cell_roi_id", "height", "mask_image_plane", "max_correction_down", "max_correction_left",
         "max_correction_right", "max_correction_up", "valid_roi", "width", "x", "y", "roi_mask"]  # fmt: skip
SESSION = ["equipment_name", "full_genotype", "mouse_id", "reporter_line", "driver_line", "sex",
           "age_in_days", "cre_line", "indicator", "session_number", "prior_exposures_to_session_type",
           "prior_exposures_to_image_set", "prior_exposures_to_omissions"]  # fmt: skip


def test_columns_are_those_of_the_notebook(experiment):
    assert list(experiment.cell_specimen_table.columns) == CELLS
    assert list(experiment.dff_traces.columns) == ["cell_roi_id", "dff"]
    assert list(experiment.events.columns) == [
        "cell_roi_id", "events", "filtered_events", "lambdas", "noise_stds"]  # fmt: skip
    for table in (experiment.dff_traces, experiment.events, experiment.roi_masks,
                  experiment.demixed_traces, experiment.neuropil_traces,
                  experiment.corrected_fluorescence_traces, experiment.cell_specimen_table):  # fmt: skip
        assert table.index.name == "cell_specimen_id"
        assert table.index.equals(experiment.dff_traces.index)
    n = len(experiment.ophys_timestamps)
    assert all(len(row) == n for row in experiment.dff_traces["dff"])
    assert list(experiment.motion_correction.columns) == ["x", "y"]
    assert len(experiment.motion_correction) == n
    assert len(experiment.stimulus_timestamps) == 69 * 60


def test_session_tables(session, cache):
    table = cache.get_ophys_session_table()
    assert table.index.name == "ophys_session_id"
    assert list(table.columns[:13]) == SESSION
    row = table.loc[session.ophys_session_id]
    assert row["ophys_experiment_id"] == list(session.experiments)
    planes = cache.get_ophys_experiment_table()
    assert planes.index.name == "ophys_experiment_id"
    assert planes["targeted_structure"].tolist() == ["VISp", "VISl"]
    assert planes["imaging_depth"].tolist() == [175, 275]
    cells = cache.get_ophys_cells_table()
    assert len(cells) == 16
    assert cells.index.is_unique
    assert cells["cell_specimen_id"].is_unique
    assert cells.index.max() < 2**31
    assert cache.get_behavior_session_table().index.name == "behavior_session_id"


def test_masks_are_whole_and_apart(session):
    for experiment in session.experiments.values():
        cells = experiment.cell_specimen_table
        masks = np.stack(list(cells["roi_mask"]))
        assert masks.shape[1:] == experiment.average_projection.shape
        assert masks.sum(axis=0).max() == 1
        assert np.array_equal(masks.any(axis=0), experiment.segmentation_mask_image)
        for row in cells.itertuples():
            y, x = np.nonzero(row.roi_mask)
            assert (x.min(), y.min()) == (row.x, row.y)
            assert (np.ptp(x) + 1, np.ptp(y) + 1) == (row.width, row.height)
        assert (experiment.max_projection >= experiment.average_projection).all()


def test_traces_follow_the_truth(experiment):
    data = experiment.data
    demixed, neuropil, corrected = (
        data.traces[k].fluorescence.astype(float)
        for k in ("fluorescence", "neuropil", "corrected")
    )
    share = data.truth_arrays["contamination"][:, None]
    assert np.allclose(demixed - share * neuropil, corrected, rtol=1e-4)
    dff = data.traces["dff"].fluorescence
    clean = experiment.truth.fluorescence
    noise = data.truth_arrays["noise"]
    quiet = np.abs(clean) < 0.01
    # the slow part of the noise, with a time constant of half a second and more, is in the
    # spread but hardly in what changes from frame to frame
    pairs = quiet[:, 1:] & quiet[:, :-1]
    assert (pairs.sum(axis=1) > 100).any()
    for k in np.flatnonzero(pairs.sum(axis=1) > 100):
        quick = np.std(np.diff(dff[k])[pairs[k]]) / np.sqrt(2)
        assert quick == pytest.approx(noise[k], rel=0.25)
        assert np.std(dff[k][quiet[k]]) > quick
    spikes = experiment.truth.spike_times
    assert len(spikes) == 9
    assert all((np.diff(t) >= 0).all() for t in spikes)
    assert experiment.tuning.shape == (9, 4)


def test_what_nobody_did_is_empty_and_says_why(experiment):
    for name in ("licks", "rewards", "trials", "running_speed", "eye_tracking"):
        table = getattr(experiment, name)
        assert len(table) == 0
        assert len(table.columns) >= 2
        assert "no behavior was simulated" in table.attrs["reason"]


def test_tables_are_copies(experiment):
    table, events = experiment.dff_traces, experiment.events
    table["dff"] = 0
    del events["events"]
    assert len(experiment.dff_traces["dff"].iloc[0]) == len(experiment.ophys_timestamps)
    assert "events" in experiment.events


def test_one_seed_one_session(session, small_plan):
    again = simulate_session(small_plan())
    for key, experiment in session.experiments.items():
        other = again.experiments[key]
        for name, traces in experiment.data.traces.items():
            assert np.array_equal(
                traces.fluorescence, other.data.traces[name].fluorescence, equal_nan=True
            )
        assert np.array_equal(experiment.max_projection, other.max_projection)
    assert small_plan(seed=6).ophys_session_id != session.ophys_session_id


def test_functions_of_the_user_take_the_place_of_fields_and_cells(small_plan):
    def fields(images, n_cells, rng):
        return np.eye(n_cells, len(images))

    def cells(drive, seed, report):
        on = np.flatnonzero(drive.shown == 1) * drive.step
        return [on if k == 1 else np.zeros(0) for k in range(drive.n_cells)]

    plane = OpticalPlane(
        n_cells=3,
        receptive_fields=fields,
        cells=cells,
        rate="10 Hz",
        shape=(64, 64),
        field="120 um",
    )
    made = simulate_session(small_plan(planes=[plane]))
    (one,) = made.experiments.values()
    flashes = one.stimulus_presentations
    starts = flashes.loc[flashes["image_name"] == "im001", "start_time"]
    assert np.allclose(one.truth.spike_times[1], starts)
    assert one.tuning.to_numpy().argmax(axis=1).tolist() == [0, 1, 2]
    for wrong, text in (
        (lambda *_: [np.zeros(0)] * 2, "each of 3 cells"),
        (lambda *_: [np.array([1.0, 0.5])] * 3, "sorted"),
        (lambda *_: [np.array([70.0])] * 3, "outside the session"),
    ):
        with pytest.raises(InputError, match=text):
            simulate_session(small_plan(planes=[attrs.evolve(plane, cells=wrong)]))
    with pytest.raises(InputError, match="drive"):
        flat = attrs.evolve(plane, receptive_fields=lambda *_: np.ones(3))
        simulate_session(small_plan(planes=[flat]))


def test_a_plane_without_cells_has_empty_tables(small_plan):
    plane = OpticalPlane(n_cells=0, rate="10 Hz", shape=(64, 64))
    (one,) = simulate_session(small_plan(planes=[plane])).experiments.values()
    assert len(one.dff_traces) == 0
    assert list(one.cell_specimen_table.columns) == CELLS
    assert one.segmentation_mask_image.sum() == 0


def test_wrong_planes_are_refused(small_plan):
    for wrong in ({"indicator": "gcamp9"}, {"shape": (8, 8)}, {"rate": "0 Hz"}, {"noise": -1.0},
                  {"contamination": (0.9, 0.1)}, {"n_cells": 2.5}, {"cells": "rates"}):  # fmt: skip
        with pytest.raises((InputError, UnknownNameError)):
            OpticalPlane(**wrong)
    with pytest.raises(InputError, match="do not fit"):
        simulate_session(
            small_plan(planes=[OpticalPlane(n_cells=500, shape=(64, 64), field="80 um")])
        )
    with pytest.raises(InputError, match="5000"):
        small_plan(planes=[OpticalPlane(n_cells=2501)] * 2)
    with pytest.raises(InputError, match="planes"):
        small_plan(planes=[])


def test_an_experiment_is_asked_for_by_its_number(cache):
    with pytest.raises(UnknownNameError, match="ophys_experiment_id"):
        cache.get_behavior_ophys_experiment(1)
    with pytest.raises(InputError, match="at least one"):
        InSilicoCache.of_sessions([])


def test_f0_is_a_running_median():
    f = np.full((2, 3000), 50.0)
    f[1] = np.linspace(100, 50, 3000)  # bleaching
    f[:, 1500:1550] += 25
    dff = dff_of(f, 10.0, 30.0)
    assert dff[0, 1520] == pytest.approx(0.5)
    assert abs(dff[1, 2500]) < 0.02
    assert np.isnan(dff_of(-f, 10.0, 30.0)).all()
