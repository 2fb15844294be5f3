"""Tidy tables and the times of presentations."""

import numpy as np
import pandas as pd
import pytest

from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.responses import build_tidy_cell_df, get_event_timestamps, tidy_frame


def test_one_row_for_each_cell_and_frame(experiment):
    table = build_tidy_cell_df(experiment)
    n = experiment.ophys_timestamps.size
    assert list(table) == [
        "timestamps", "dff", "events", "filtered_events", "cell_roi_id", "cell_specimen_id",
    ]  # fmt: skip
    assert len(table) == 3 * n
    assert (table.dtypes[["cell_roi_id", "cell_specimen_id"]] == "category").all()
    one = table[table["cell_specimen_id"] == 1004]
    np.testing.assert_array_equal(one["dff"], experiment.dff_traces.loc[1004, "dff"])
    np.testing.assert_array_equal(one["timestamps"], experiment.ophys_timestamps)
    assert 1003 not in table["cell_specimen_id"].cat.categories


def test_invalid_cells_on_request_and_events_in_another_order(experiment):
    experiment.events = experiment.events.iloc[::-1]
    table = build_tidy_cell_df(experiment, exclude_invalid_rois=False)
    one = table.query("cell_specimen_id == 1003")
    np.testing.assert_array_equal(one["events"], experiment.events.loc[1003, "events"])
    assert (one["cell_roi_id"] == 13).all()


def test_without_cells_the_table_is_empty(experiment):
    experiment.cell_specimen_table["valid_roi"] = False
    table = build_tidy_cell_df(experiment)
    assert len(table) == 0
    assert list(table)[:2] == ["timestamps", "dff"]


def test_a_column_of_another_shape_is_named():
    with pytest.raises(InputError, match=r"dff must be .* = \(1, 2\), got \(1, 3\)"):
        tidy_frame([0.0, 1.0], cell_roi_id=[1], dff=np.zeros((1, 3)))
    with pytest.raises(InputError, match="for each of 1 ROIs"):
        tidy_frame([0.0, 1.0], cell_roi_id=[1], cell_specimen_id=[1, 2])


def test_a_cell_with_too_few_samples_is_named(experiment):
    experiment.dff_traces.at[1002, "dff"] = np.zeros(5)
    with pytest.raises(InputError, match="dff of cell 1002 has 5 samples"):
        build_tidy_cell_df(experiment)


def test_kinds_of_events(experiment):
    table = experiment.stimulus_presentations
    for kind, chosen in {
        "all": np.ones(len(table), dtype=bool),
        "images": ~table["omitted"],
        "omissions": table["omitted"],
        "omitted": table["omitted"],
        "changes": table["is_change"],
    }.items():
        times, ids = get_event_timestamps(table, kind)
        pd.testing.assert_series_equal(times, table.loc[chosen, "start_time"])
        np.testing.assert_array_equal(ids, table.index[chosen])
    times, _ = get_event_timestamps(table, "changes", onset="stop_time")
    assert times.iloc[0] == table.loc[table["is_change"], "stop_time"].iloc[0]


def test_nullable_truth_is_chosen_where_it_is_known(experiment):
    table = experiment.stimulus_presentations
    table["is_change"] = pd.array([pd.NA, True, False] + [pd.NA] * (len(table) - 3), "boolean")
    assert get_event_timestamps(table, "changes")[1].tolist() == [1]
    table["omitted"] = pd.array([pd.NA, True, False] + [pd.NA] * (len(table) - 3), "boolean")
    assert 0 not in get_event_timestamps(table, "omissions")[1]
    assert get_event_timestamps(table, "images")[1].tolist()[:2] == [0, 2]


def test_kinds_that_are_not_there(experiment):
    table = experiment.stimulus_presentations
    with pytest.raises(UnknownNameError, match="did you mean 'changes'"):
        get_event_timestamps(table, "change")
    with pytest.raises(InputError, match="must hold True and False, got 'im000'"):
        get_event_timestamps(table, "image_name")
    with pytest.raises(UnknownNameError, match="unknown column 'start'"):
        get_event_timestamps(table, onset="start")


def test_an_object_that_is_no_experiment():
    with pytest.raises(InputError, match="object lacks ophys_timestamps, dff_traces"):
        build_tidy_cell_df(object())
