"""p-values are uniform where nothing happens, white noise or not, and small where it does."""

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from scipy.stats import kstest

from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.responses import (
    get_spontaneous_frames,
    get_stimulus_response_df,
    get_stimulus_response_xr,
    null_responses,
    p_values,
    spontaneous_intervals,
)
from tests.responses.conftest import RATE, experiment_of, presentations


def noise_experiment(rng, tau, n_cells=300):
    t = np.arange(round(1200 * RATE)) / RATE + 10
    y = rng.normal(size=(n_cells, t.size + 500))
    if tau:
        y = lfilter([1.0], [1, -np.exp(-1 / (tau * RATE))], y, axis=1)
    y = y[:, 500:]
    return experiment_of(y, np.maximum(y, 0), t, presentations(310.0, 900))


@pytest.mark.parametrize("tau", [0, 0.5, 2.0])
@pytest.mark.parametrize("interpolate", [True, False])
def test_p_is_uniform_without_a_response(rng, tau, interpolate):
    experiment = noise_experiment(rng, tau)
    data = get_stimulus_response_xr(
        experiment, event_type="changes", time_window=(-1, 1), interpolate=interpolate,
        number_of_shuffles=2000,
    )  # fmt: skip
    p = data["p_value_gray_screen"].to_numpy()
    # cells are independent, presentations of one cell share its null
    for column in (0, 20, 70):
        assert kstest(p[:, column], "uniform").pvalue > 0.001
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.006)
    assert (p < 0.01).mean() == pytest.approx(0.01, abs=0.003)
    assert p.min() > 0


def test_a_response_is_seen_and_shares_nothing_with_the_null(rng):
    experiment = noise_experiment(rng, 0.5, n_cells=2)
    t = experiment.ophys_timestamps
    table = experiment.stimulus_presentations
    on = np.zeros(t.size)
    for start in table.loc[table["is_change"], "start_time"]:
        on[(t >= start) & (t < start + 0.5)] = 20
    experiment.dff_traces.at[1001, "dff"] = experiment.dff_traces.loc[1001, "dff"] + on
    data = get_stimulus_response_xr(experiment, event_type="changes", time_window=(-1, 1))
    p = data["p_value_gray_screen"]
    assert (p.sel(cell_specimen_id=1001) < 0.001).all()
    assert float((p.sel(cell_specimen_id=1002) < 0.05).mean()) < 0.2


def test_p_counts_itself():
    null = np.arange(1.0, 100)[None]
    found = p_values(np.array([[0.0, 50.0, 99.0, 99.1, np.nan]]), null)
    np.testing.assert_allclose(found, [[1.0, 0.51, 0.02, 0.01, np.nan]])
    assert np.isnan(p_values(np.zeros((1, 2)), np.full((1, 5), np.nan))).all()
    with pytest.raises(InputError, match="one row for each cell"):
        p_values(np.zeros((2, 3)), null)


def test_too_little_gray_gives_no_p_but_a_reason(rng):
    experiment = noise_experiment(rng, 0, n_cells=2)
    experiment.stimulus_presentations = presentations(15.0, 1205)
    data = get_stimulus_response_xr(experiment, time_window=(-1, 1))
    assert np.isnan(data["p_value_gray_screen"]).all()
    assert data.attrs["p_value_reason"].startswith("10 windows of 0.4")
    assert np.isfinite(data["mean_response"]).any()


@pytest.mark.parametrize(("seconds", "enough"), [(10.0, True), (9.4, False)])
def test_twenty_windows_are_enough(seconds, enough):
    t = np.arange(1000) / 10
    null, reason = null_responses(
        np.sin(t)[None], t, [[5.0, 5.0 + seconds]], window=(0, 0.5), number_of_shuffles=50
    )
    assert np.isfinite(null).all() == enough
    assert (reason == "") == enough


def test_null_windows_stay_inside_their_intervals():
    t = np.arange(2000) / 10
    inside = ((t >= 20) & (t <= 60)) | ((t >= 100) & (t <= 110))
    null, _ = null_responses(
        np.where(inside, 1.0, 1e9)[None], t, [[20.0, 60.0], [100.0, 110.0]], window=(-0.3, 0.5),
        number_of_shuffles=5000,
    )  # fmt: skip
    np.testing.assert_allclose(null, 1.0)


def test_gray_before_and_after(experiment):
    table, t = experiment.stimulus_presentations, experiment.ophys_timestamps
    first, last = table["start_time"].min(), table["end_time"].max()
    both = spontaneous_intervals(table, t)
    np.testing.assert_allclose(both, [[t[0], first], [last + 5, t[-1]]])
    np.testing.assert_array_equal(spontaneous_intervals(table, t, "before"), both[:1])
    frames = get_spontaneous_frames(table, t, "after")
    assert (t[frames] >= last + 5).all()
    table["end_time"] = table["end_time"].mask(table["omitted"])
    np.testing.assert_allclose(spontaneous_intervals(table, t), both)
    with pytest.raises(UnknownNameError, match="unknown period"):
        spontaneous_intervals(table, t, "never")
    with pytest.raises(InputError, match="end_time, stop_time or duration"):
        spontaneous_intervals(table[["start_time"]], t)
    with pytest.raises(InputError, match="no presentation has a start_time"):
        spontaneous_intervals(table.iloc[:0], t)


@pytest.mark.parametrize("data_type", ["dff", "events", "filtered_events"])
def test_the_table_holds_what_the_arrays_hold(experiment, data_type):
    options = {"event_type": "changes", "time_window": (-1, 2), "number_of_shuffles": 100}
    data = get_stimulus_response_xr(experiment, data_type, **options)
    table = get_stimulus_response_df(experiment, data_type, **options)
    assert data["eventlocked_traces"].dims == (
        "cell_specimen_id", "stimulus_presentations_id", "eventlocked_timestamps",
    )  # fmt: skip
    assert list(data["cell_specimen_id"]) == [1001, 1002, 1004]
    assert list(table)[:7] == [
        "stimulus_presentations_id", "cell_specimen_id", "trace", "trace_timestamps",
        "mean_response", "baseline_response", "p_value_gray_screen",
    ]  # fmt: skip
    row = table.iloc[4]
    here = {k: row[k] for k in ("cell_specimen_id", "stimulus_presentations_id")}
    one = data.sel(here)
    np.testing.assert_array_equal(row["trace"], one["eventlocked_traces"])
    assert row["mean_response"] == float(one["mean_response"])
    assert row["baseline_response"] == float(one["mean_baseline"])
    assert row["data_type"] == data_type


def test_a_ramp_has_the_mean_of_its_window(experiment):
    t = experiment.ophys_timestamps
    experiment.dff_traces.at[1001, "dff"] = 2.0 * t
    data = get_stimulus_response_xr(
        experiment, event_type="changes", time_window=(-1, 1), output_sampling_rate=100,
        number_of_shuffles=100,
    ).sel(cell_specimen_id=1001)  # fmt: skip
    start = experiment.stimulus_presentations.loc[
        data["stimulus_presentations_id"], "start_time"
    ]
    np.testing.assert_allclose(data["mean_response"], 2 * (start + 0.25), rtol=1e-9)
    np.testing.assert_allclose(data["mean_baseline"], 2 * (start - 0.25), rtol=1e-9)


def test_presentations_after_the_recording_are_nan_and_counted(experiment):
    extra = presentations(1000.0, 1010.0)
    extra.index = extra.index + 10_000
    table = pd.concat([experiment.stimulus_presentations, extra])
    experiment.stimulus_presentations = table
    with pytest.warns(UserWarning, match="14 of .* events lie outside"):
        data = get_stimulus_response_xr(experiment, time_window=(-1, 1), number_of_shuffles=50)
    assert data.attrs["n_outside"] == 14
    late = data.sel(stimulus_presentations_id=extra.index.to_numpy())
    for name in ("eventlocked_traces", "mean_response", "p_value_gray_screen"):
        assert np.isnan(late[name]).all()


def test_wrong_windows_and_data(experiment):
    with pytest.raises(InputError, match="must hold response_window_duration"):
        get_stimulus_response_xr(experiment, time_window=(-0.4, 1))
    with pytest.raises(UnknownNameError, match="unknown data type 'df'"):
        get_stimulus_response_xr(experiment, "df")


def test_an_empty_table_of_cells(experiment):
    experiment.cell_specimen_table["valid_roi"] = False
    data = get_stimulus_response_xr(experiment, time_window=(-1, 1), number_of_shuffles=50)
    assert data["eventlocked_traces"].shape[0] == data["p_value_gray_screen"].shape[0] == 0
    table = get_stimulus_response_df(experiment, time_window=(-1, 1), number_of_shuffles=50)
    assert len(table) == 0
