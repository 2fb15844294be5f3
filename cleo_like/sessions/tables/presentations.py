"""The table of stimuli: one row per flash, and per stretch of grey screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from cleo_like.sessions.visual.images import ImageSet
    from cleo_like.sessions.visual.task import Columns, Schedule

STOP_TIME = (
    "start_time", "stop_time", "duration", "image_name", "image_index", "is_change", "omitted",
    "start_frame", "end_frame", "image_set",
)  # fmt: skip
"""Columns of the AllenSDK before 2.16."""
END_TIME = (
    "stimulus_block", "stimulus_block_name", "image_index", "image_name", "movie_frame_index",
    "duration", "start_time", "end_time", "start_frame", "end_frame", "is_change",
    "is_image_novel", "omitted", "movie_repeat", "flashes_since_change", "trials_id",
    "is_sham_change", "active", "stimulus_name",
)  # fmt: skip
"""Columns of the AllenSDK since 2.16."""
NONE = -99
"""Number where a row has none, as in the AllenSDK."""
_INDEX = "stimulus_presentations_id"
_OF_FLASHES = ("is_change", "omitted", "is_sham_change")


def presentations_of(schedule: Schedule, images: ImageSet) -> pd.DataFrame:
    """Give every stretch of a session as a row, in plain types that a file can hold.

    Parameters
    ----------
    schedule : Schedule
        What was flashed when.
    images : ImageSet
        The pictures.

    Returns
    -------
    pandas.DataFrame
        `in_columns` makes the table of either generation of it.
    """
    import pandas as pd

    task = schedule.task
    lead, flash = task.frames(task.grey_before), task.frames(task.flash)
    names = np.array([*images.names, "omitted"], dtype=object)
    index = np.where(schedule.omitted, len(images), schedule.image)
    end_frame = np.where(schedule.omitted, np.nan, schedule.start_frame + flash)
    block = f"change_detection_{'passive' if task.passive else 'behavior'}"
    flashes = pd.DataFrame(
        {
            "stimulus_block_name": block,
            "stimulus_name": f"{images.name}_images",
            "image_index": index,
            "image_name": names[index],
            "image_set": images.name,
            "start_frame": schedule.start_frame,
            "end_frame": end_frame,
            "is_change": schedule.is_change,
            "omitted": schedule.omitted,
            "is_sham_change": schedule.is_sham_change,
            "flashes_since_change": _since_change(schedule),
            "trials_id": schedule.trial,
        }
    )
    last = int(schedule.start_frame[-1]) + task.frames(task.cadence)
    grey = [
        _grey(f"initial_gray_screen_{_length(task.grey_before)}", 0, lead),
        _grey(f"post_behavior_gray_screen_{_length(task.grey_after)}", last, schedule.n_frames),
    ]
    parts = [pd.DataFrame([row]) for row in grey if row["end_frame"] > row["start_frame"]]
    before = [p for p in parts if p.start_frame[0] < schedule.start_frame[0]]
    after = [p for p in parts if p.start_frame[0] > schedule.start_frame[0]]
    table = pd.concat([*before, flashes, *after], ignore_index=True)
    table.insert(0, "stimulus_block", _numbered(table["stimulus_block_name"]))
    table["start_time"] = table["start_frame"] / task.refresh
    ends = table["end_frame"].fillna(table["start_frame"] + flash)
    table["end_time"] = ends / task.refresh
    table["duration"] = table["end_time"] - table["start_time"]
    table["active"] = False if task.passive else table["image_name"] != ""
    table.index.name = _INDEX
    return table


def _length(seconds: float) -> str:
    """Write a length as the names of blocks have it: "5min", or "90s"."""
    return f"{seconds / 60:g}min" if seconds % 60 == 0 else f"{seconds:g}s"


def _grey(name: str, start: int, end: int) -> dict[str, Any]:
    return {
        "stimulus_block_name": name, "stimulus_name": "spontaneous", "image_index": NONE,
        "image_name": "", "image_set": "", "start_frame": start, "end_frame": float(end),
        "is_change": False, "omitted": False, "is_sham_change": False,
        "flashes_since_change": NONE, "trials_id": NONE,
    }  # fmt: skip


def _numbered(names: Any) -> np.ndarray:
    return np.asarray((names != names.shift()).cumsum() - 1)


def _since_change(schedule: Schedule) -> np.ndarray:
    """Count the flashes since the last change; an omitted one does not count."""
    counted = np.cumsum(~schedule.omitted)
    at = np.where(schedule.is_change, np.arange(len(schedule)), 0)
    return np.asarray(counted - counted[np.maximum.accumulate(at)])


def in_columns(table: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Give a table of stimuli in the columns of one generation of the AllenSDK.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `presentations_of`.
    columns : "stop_time" or "end_time"
        The older generation has flashes only, and image_set; the newer one has rows for grey
        screen too, whose is_change, omitted and is_sham_change are missing.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    InputError
        Another word for the columns.
    """
    import pandas as pd

    if columns not in {"stop_time", "end_time"}:
        msg = f"columns must be 'stop_time' or 'end_time', got {columns!r}"
        raise InputError(msg)
    flashed = table["image_name"].astype(str) != ""
    if columns == "stop_time":
        old = table[flashed].rename(columns={"end_time": "stop_time"})
        old = old.reset_index(drop=True)
        old.index.name = _INDEX
        return old[[*STOP_TIME]].copy()
    new = table.copy()
    for name in _OF_FLASHES:
        new[name] = new[name].astype("boolean").where(flashed)
    new["image_name"] = new["image_name"].astype(object).where(flashed, np.nan)
    new["movie_frame_index"], new["movie_repeat"] = NONE, NONE
    new["is_image_novel"] = pd.array([pd.NA] * len(new), dtype="boolean")  # nobody saw any
    return new[[*END_TIME]]
