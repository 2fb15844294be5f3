"""Cutting traces about events: analytic answers inside, at and beyond the ends."""

import numpy as np
import pandas as pd
import pytest

from cleo_like.core import Traces
from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.responses import (
    OutsideRecordingWarning,
    event_triggered,
    event_triggered_response,
    eventlocked_traces,
)

T = np.arange(1000) / 10.73  # s


@pytest.mark.parametrize("at", [0.4, 3.21, 49.03, 92.0])
def test_a_straight_line_stays_one_to_the_edges_of_the_window(at):
    # a slice of frames inside the window only would be clamped at its edges
    found = event_triggered(3 * T - 1, [at], T, window=(-0.3, 0.6), sampling_rate=30)
    np.testing.assert_allclose(found.values[0, 0], 3 * (at + found.time) - 1, atol=1e-10)


def test_every_cell_and_event_is_numpys_interpolation(rng):
    traces, events = rng.normal(size=(5, T.size)), rng.uniform(1, 90, 40)
    found = event_triggered(traces, events, T, window=(-0.7, 0.9), sampling_rate=31)
    for cell, values in zip(traces, found.values, strict=True):
        wanted = np.interp(events[:, None] + found.time, T, cell)
        np.testing.assert_allclose(values, wanted, rtol=1e-9, atol=1e-12)


def test_beyond_the_ends_is_nan_and_counted():
    last = T[-1]
    with pytest.warns(OutsideRecordingWarning, match="3 of 6 events lie outside"):
        found = event_triggered(
            T, [-5.0, 0.2, 50.0, last, last + 0.01, np.nan], T, window=(-0.5, 0.5)
        )
    assert found.outside.tolist() == [True, False, False, False, True, True]
    assert found.incomplete.tolist() == [False, True, False, True, False, False]
    assert (found.n_outside, found.n_incomplete) == (3, 2)
    assert np.isnan(found.values[0, [0, 4, 5]]).all()
    assert np.isfinite(found.values[0, 2]).all()
    inside = (0.2 + found.time >= 0) & (0.2 + found.time <= last)
    assert (np.isfinite(found.values[0, 1]) == inside).all()
    assert "3 outside the recording" in repr(found)


def test_nearest_frames_at_the_ends():
    t = np.arange(20.0)
    found = event_triggered(t, [0.3, 10.4, 19.0], t, window=(-2, 2), interpolate=False)
    assert found.time.tolist() == [-2, -1, 0, 1, 2]
    np.testing.assert_array_equal(
        found.values[0],
        [[np.nan, np.nan, 0, 1, 2], [8, 9, 10, 11, 12], [17, 18, 19, np.nan, np.nan]],
    )


def test_a_sample_on_a_frame_does_not_see_a_missing_neighbour():
    t = np.arange(10.0)
    y = np.where(t == 4, np.nan, t)
    found = event_triggered(y, [5.0], t, window=(-1, 1), sampling_rate=2)
    np.testing.assert_array_equal(found.values[0, 0], [np.nan, np.nan, 5, 5.5, 6])


def test_frames_without_even_spacing_are_interpolated_where_they_are(rng):
    t = np.cumsum(rng.uniform(0.05, 0.2, 500))
    found = event_triggered(7 * t, [t[250]], t, window=(-1, 1))
    np.testing.assert_allclose(found.values[0, 0], 7 * (t[250] + found.time), rtol=1e-12)


def test_traces_bring_their_times_and_float32_stays():
    traces = Traces(fluorescence=np.tile(T.astype(np.float32), (2, 1)), times=T)
    found = event_triggered(traces, [20.0])
    assert found.values.dtype == np.float32
    np.testing.assert_allclose(found.values[1, 0], 20 + found.time, rtol=1e-5)


def test_mean_over_part_of_the_window():
    found = event_triggered(T, [20.0], T, window=(0, 1), sampling_rate=10)
    assert found.mean(0, 0.5)[0, 0] == pytest.approx(20.25)
    with pytest.raises(InputError, match="no sample from 2 to 3 s"):
        found.mean(2, 3)


def test_eventlocked_traces_have_no_wrapped_ends():
    y = np.arange(40.0).reshape(2, 20)
    found = eventlocked_traces(y, np.array([0, 5, 19]), -1, 3)
    assert found.shape == (4, 3, 2)
    np.testing.assert_array_equal(found[:, 1, 1], [24, 25, 26, 27])
    np.testing.assert_array_equal(found[:, 0, 0], [np.nan, 0, 1, 2])
    np.testing.assert_array_equal(found[:, 2, 0], [18, 19, np.nan, np.nan])
    with pytest.raises(InputError, match="whole frames"):
        eventlocked_traces(y, np.array([1.5]), -1, 3)


@pytest.fixture
def data():
    return pd.DataFrame({"timestamps": T, "dff": np.sin(T)})


WINDOW = {"t_start": -0.2, "t_end": 0.3}


def test_tidy_wide_and_xarray_hold_the_same(data):
    events = pd.Series([5.03, 7.5, 9.0], index=[4, 8, 15])
    tidy = event_triggered_response(data, "timestamps", "dff", events, **WINDOW)
    wide = event_triggered_response(
        data, "timestamps", "dff", events, t_before=0.2, t_after=0.3, output_format="wide"
    )
    array = event_triggered_response(
        data, "timestamps", "dff", events, **WINDOW, output_format="xarray"
    )
    assert list(tidy) == ["time", "dff", "event_number", "original_index", "event_time"]
    assert list(wide) == ["event_0_t=5.03", "event_1_t=7.5", "event_2_t=9.0"]
    assert wide.index.name == "time"
    assert array.dims == ("event_number", "time")
    np.testing.assert_array_equal(tidy["dff"].to_numpy().reshape(3, -1), wide.to_numpy().T)
    np.testing.assert_array_equal(array.to_numpy(), wide.to_numpy().T)
    assert tidy["original_index"].unique().tolist() == [4, 8, 15]
    assert array["event_time"].to_numpy().tolist() == [5.03, 7.5, 9.0]


@pytest.mark.parametrize("interpolate", [True, False])
def test_all_cells_at_once_are_each_cell_alone(data, interpolate):
    many = pd.concat(
        [data.assign(cell_specimen_id=k, dff=np.sin(T * (k - 100))) for k in (103, 101, 102)]
    )
    mixed = many.sample(frac=1, random_state=1).sort_values("timestamps", kind="stable")
    options = {**WINDOW, "interpolate": interpolate}
    for table in (many, mixed):
        found = event_triggered_response(
            table, "timestamps", "dff", [5.03, 7.5], **options,
            output_format="xarray", by="cell_specimen_id",
        )  # fmt: skip
        assert found.dims == ("cell_specimen_id", "event_number", "time")
        for k, one in many.groupby("cell_specimen_id"):
            alone = event_triggered_response(
                one, "timestamps", "dff", [5.03, 7.5], **options, output_format="wide"
            )
            np.testing.assert_array_equal(found.sel(cell_specimen_id=k), alone.to_numpy().T)
    tidy = event_triggered_response(
        many, "timestamps", "dff", [5.03], **options, by="cell_specimen_id"
    )
    assert tidy["cell_specimen_id"].dtype == "category"
    wide = event_triggered_response(
        many,
        "timestamps",
        "dff",
        [5.03],
        **options,
        by="cell_specimen_id",
        output_format="wide",
    )
    assert wide[101].columns.tolist() == ["event_0_t=5.03"]


def test_the_tables_count_events_outside(data):
    with pytest.warns(OutsideRecordingWarning):
        wide = event_triggered_response(
            data, "timestamps", "dff", [5.0, 0.0, 1e4], **WINDOW, output_format="wide"
        )
    assert wide["event_2_t=10000.0"].isna().all()
    assert wide.attrs == {"n_outside": 1, "n_incomplete": 1}


def test_no_event_gives_an_empty_table(data):
    tidy = event_triggered_response(data, "timestamps", "dff", [], **WINDOW)
    assert len(tidy) == 0
    assert "event_time" in tidy


def test_wrong_input(data):
    with pytest.raises(InputError, match="either t_start or t_before"):
        event_triggered_response(data, "timestamps", "dff", [5.0])
    with pytest.raises(InputError, match="either t_end or t_after"):
        event_triggered_response(
            data, "timestamps", "dff", [5.0], t_start=-1, t_end=1, t_after=1
        )
    with pytest.raises(UnknownNameError, match="did you mean 'timestamps'"):
        event_triggered_response(data, "timestamp", "dff", [5.0], **WINDOW)
    with pytest.raises(UnknownNameError, match="unknown output format 'long'"):
        event_triggered_response(
            data, "timestamps", "dff", [5.0], **WINDOW, output_format="long"
        )
    with pytest.raises(InputError, match="must rise"):
        event_triggered_response(pd.concat([data, data]), "timestamps", "dff", [5.0], **WINDOW)
    uneven = pd.concat([data.assign(cell=1), data.iloc[:-1].assign(cell=2)])
    with pytest.raises(InputError, match="the same frames at the same times"):
        event_triggered_response(uneven, "timestamps", "dff", [5.0], **WINDOW, by="cell")
    nameless = data.assign(cell=np.where(T > 50, np.nan, 1.0))
    with pytest.raises(InputError, match="rows without a value"):
        event_triggered_response(nameless, "timestamps", "dff", [5.0], **WINDOW, by="cell")
    with pytest.raises(InputError, match="one time per frame"):
        event_triggered(np.zeros((2, 5)), [1.0], np.arange(6.0))


def test_one_frame_is_one_value():
    found = event_triggered([[7.0]], [0.5], [0.5], window=(-0.1, 0.1), sampling_rate=10)
    np.testing.assert_array_equal(found.values, [[[np.nan, 7.0, np.nan]]])


@pytest.mark.parametrize(("lost", "known"), [(2, True), (3, False)])
@pytest.mark.parametrize("interpolate", [True, False])
def test_nothing_is_made_up_in_a_gap(lost, known, interpolate):
    """Two lost frames are bridged; over more, values are unknown, before and after they are not."""
    t = np.delete(np.arange(200) / 10, np.arange(100, 100 + lost))
    given = {"window": (-1.0, 1.0), "interpolate": interpolate}
    cut = event_triggered(2 * t, np.array([5.0, 10.05, 15.0]), t, **given)
    assert np.isfinite(cut.values[:, [0, 2]]).all()
    assert cut.incomplete.tolist() == [False, not known and interpolate, False]
    if interpolate:
        inside = (cut.time + 10.05 > 9.9) & (cut.time + 10.05 < 10.0 + lost / 10)
        assert np.isfinite(cut.values[0, 1, inside]).all() == known
        assert np.isfinite(cut.values[0, 1, ~inside]).all()


def test_frames_beyond_a_long_gap_are_at_other_times():
    t = np.concatenate([np.arange(100) / 10, 30 + np.arange(100) / 10])
    cut = event_triggered(
        2 * t, np.array([9.8, 20.0]), t, window=(-0.5, 0.5), interpolate=False
    )
    found = cut.values[0, 0]
    assert np.isfinite(found).tolist() == (cut.time + 9.8 < 9.95).tolist()
    assert np.isnan(cut.values[0, 1]).all()
    assert cut.incomplete.all()
