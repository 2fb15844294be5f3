"""An experiment with the attributes of the Allen Institute's, from plain arrays."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cleo_like.responses import filtered_events

RATE = 10.73


def presentations(start, stop, *, change_every=10, omit_every=23, cadence=0.75):
    """Flashes of eight images with changes and omissions."""
    times = np.arange(start, stop, cadence)
    k = np.arange(times.size)
    image = (k // change_every) % 8
    return pd.DataFrame(
        {
            "start_time": times,
            "stop_time": times + 0.25,
            "end_time": times + 0.25,
            "duration": 0.25,
            "image_name": [f"im{i:03d}" for i in image],
            "image_index": image,
            "is_change": (k % change_every == 0) & (k > 0),
            "omitted": k % omit_every == omit_every - 1,
            "stimulus_block_name": "change_detection_behavior",
            "active": True,
        },
        index=pd.Index(k, name="stimulus_presentations_id"),
    )


def experiment_of(dff, events, timestamps, table, *, valid=None):
    """Put arrays into the tables of an experiment."""
    n = len(dff)
    ids = pd.Index(np.arange(1001, 1001 + n), name="cell_specimen_id")
    rois = np.arange(11, 11 + n)
    smooth = filtered_events(events, 1 / np.median(np.diff(timestamps)))
    valid = np.ones(n, dtype=bool) if valid is None else valid
    return SimpleNamespace(
        ophys_timestamps=timestamps,
        dff_traces=pd.DataFrame({"cell_roi_id": rois, "dff": list(dff)}, index=ids),
        events=pd.DataFrame(
            {
                "cell_roi_id": rois,
                "events": list(events),
                "filtered_events": list(smooth),
                "lambdas": 1.0,
                "noise_stds": 0.1,
            },
            index=ids,
        ),
        cell_specimen_table=pd.DataFrame({"cell_roi_id": rois, "valid_roi": valid}, index=ids),
        stimulus_presentations=table,
        metadata={"ophys_frame_rate": RATE},
    )


@pytest.fixture
def experiment(rng):
    """Four cells of noise, one of them invalid, over 15 minutes with gray at both ends."""
    t = np.arange(round(900 * RATE)) / RATE + 10.5
    return experiment_of(
        rng.normal(size=(4, t.size)),
        np.maximum(rng.normal(size=(4, t.size)), 0),
        t,
        presentations(310.5, 600),
        valid=np.array([True, True, False, True]),
    )
