"""Responses and events against brain_observatory_utilities and oasis-deconv."""

import numpy as np
import pandas as pd
import pytest

from cleo_like.responses import (
    build_tidy_cell_df,
    event_triggered_response,
    eventlocked_traces,
    get_event_timestamps,
    get_stimulus_response_xr,
    index_of_nearest_value,
)
from tests.peers.bou import START, arrays_of
from tests.responses.conftest import RATE, experiment_of, presentations

pytestmark = pytest.mark.peer

CUT = (
    START
    + """
one = pd.DataFrame({"timestamps": data["t"], "dff": data["dff"][0]})
times, ids_ = ophys.get_event_timestamps(experiment.stimulus_presentations, "changes")
out = {"times": times.to_numpy(), "event_ids": ids_}
for how in (True, False):
    for rate in (10.0, 31.0):
        wide = general.event_triggered_response(
            one, "timestamps", "dff", times, t_start=-0.5, t_end=0.7,
            output_sampling_rate=rate, output_format="wide", interpolate=how)
        out[f"wide_{how}_{rate}"] = wide.to_numpy()
        out[f"time_{how}_{rate}"] = wide.index.to_numpy()
tidy = ophys.build_tidy_cell_df(experiment)
for column in ("timestamps", "dff", "events", "filtered_events"):
    out["tidy_" + column] = tidy[column].to_numpy(dtype=float)
out["tidy_cell"] = tidy["cell_specimen_id"].astype(int).to_numpy()
out["nearest"] = general.index_of_nearest_value(data["t"], times.to_numpy())
out["locked"] = general.eventlocked_traces(data["dff"], out["nearest"], -5, 8)
for how in (True, False):
    xr = ophys.get_stimulus_response_xr(
        experiment, event_type="changes", time_window=[-1, 2], interpolate=how,
        output_sampling_rate=30.0)
    for name in ("eventlocked_traces", "mean_response", "mean_baseline"):
        out[f"{name}_{how}"] = xr[name].to_numpy()
    out[f"xr_time_{how}"] = xr["eventlocked_timestamps"].to_numpy()
np.savez(sys.argv[2], **out)
print(json.dumps(True))
"""
)


@pytest.fixture
def theirs(experiment, ask_peer, tmp_path):
    """Every answer of brain_observatory_utilities on the same experiment."""
    arrays = tmp_path / "experiment.npz"
    np.savez(arrays, **arrays_of(experiment))
    ask_peer("try:\n import brain_observatory_utilities, tqdm\n"
             "except ImportError as e: print('\"none\"')\nelse: print('\"here\"')") == "here" or (
        pytest.skip("brain_observatory_utilities is not in the peers' environment")
    )  # fmt: skip
    ask_peer(CUT, arrays, tmp_path / "theirs.npz")
    return dict(np.load(tmp_path / "theirs.npz"))


@pytest.fixture
def experiment(rng):
    t = np.arange(round(900 * RATE)) / RATE + 10.5
    smooth = np.cumsum(rng.normal(size=(4, t.size)), axis=1) * 0.1
    shown = presentations(310.51, 600)  # no event lies halfway between two frames
    return experiment_of(
        smooth, np.maximum(rng.normal(size=(4, t.size)), 0), t, shown,
        valid=np.array([True, True, False, True]),
    )  # fmt: skip


def cutting_is_equal(experiment, theirs):
    times, ids = get_event_timestamps(experiment.stimulus_presentations, "changes")
    np.testing.assert_array_equal(times, theirs["times"])
    np.testing.assert_array_equal(ids, theirs["event_ids"])
    t, dff = experiment.ophys_timestamps, np.stack(list(experiment.dff_traces["dff"]))
    near = index_of_nearest_value(t, times)
    np.testing.assert_array_equal(near, theirs["nearest"])
    np.testing.assert_array_equal(eventlocked_traces(dff, near, -5, 8), theirs["locked"])

    one = pd.DataFrame({"timestamps": t, "dff": dff[0]})
    for rate in (10.0, 31.0):
        wide = event_triggered_response(
            one, "timestamps", "dff", times, t_start=-0.5, t_end=0.7, output_sampling_rate=rate,
            output_format="wide",
        )  # fmt: skip
        ours, axis = wide.to_numpy(), wide.index.to_numpy()
        where = [int(np.abs(axis - x).argmin()) for x in theirs[f"time_True_{rate}"]]
        np.testing.assert_allclose(axis[where], theirs[f"time_True_{rate}"], atol=1e-9)
        # not at the edges of the window, where theirs is clamped
        inner = np.abs(axis[where] - 0.1) < 0.6 - 1 / RATE
        np.testing.assert_allclose(
            ours[where][inner], theirs[f"wide_True_{rate}"][inner], rtol=1e-9, atol=1e-12
        )
        near = event_triggered_response(
            one, "timestamps", "dff", times, t_start=-0.5, t_end=0.7, interpolate=False,
            output_format="wide",
        )  # fmt: skip
        where = [int(np.abs(near.index - x).argmin()) for x in theirs[f"time_False_{rate}"]]
        np.testing.assert_array_equal(near.to_numpy()[where], theirs[f"wide_False_{rate}"])


def tidy_tables_are_equal(experiment, theirs):
    ours = build_tidy_cell_df(experiment)
    for column in ("timestamps", "dff", "events", "filtered_events"):
        np.testing.assert_array_equal(ours[column], theirs["tidy_" + column])
    np.testing.assert_array_equal(ours["cell_specimen_id"].astype(int), theirs["tidy_cell"])


def response_arrays_are_equal(experiment, theirs, interpolate):
    ours = get_stimulus_response_xr(
        experiment, event_type="changes", time_window=[-1, 2], interpolate=interpolate,
        output_sampling_rate=30.0,
        number_of_shuffles=100,
    )  # fmt: skip
    axis, theirs_axis = (
        ours["eventlocked_timestamps"].to_numpy(),
        theirs[f"xr_time_{interpolate}"],
    )
    where = [int(np.abs(axis - x).argmin()) for x in theirs_axis]
    np.testing.assert_allclose(axis[where], theirs_axis, atol=1e-9)
    inner = np.abs(theirs_axis - 0.5) < 1.5 - 1 / RATE if interpolate else slice(None)
    np.testing.assert_allclose(
        ours["eventlocked_traces"].to_numpy()[:, :, where][:, :, inner],
        theirs[f"eventlocked_traces_{interpolate}"][:, :, inner], rtol=1e-9, atol=1e-12,
    )  # fmt: skip
    for name in ("mean_response", "mean_baseline"):
        np.testing.assert_allclose(
            ours[name], theirs[f"{name}_{interpolate}"], rtol=1e-9, atol=1e-12
        )


def test_equal_where_it_is_right(experiment, theirs):
    cutting_is_equal(experiment, theirs)
    tidy_tables_are_equal(experiment, theirs)
    for interpolate in (True, False):
        response_arrays_are_equal(experiment, theirs, interpolate)
