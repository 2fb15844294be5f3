"""Tables that notebooks on the Allen data know: tidy cells, events, responses to events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

_TIDY = ("dff", "events", "filtered_events")


def tidy_frame(
    timestamps: np.ndarray,
    *,
    cell_roi_id: np.ndarray,
    cell_specimen_id: np.ndarray | None = None,
    **columns: np.ndarray,
) -> pd.DataFrame:
    """Make one row for each cell and frame.

    Parameters
    ----------
    timestamps : array, shape (n_frames,)
        Seconds.
    cell_roi_id : array, shape (n_cells,)
        Number of each ROI.
    cell_specimen_id : array, shape (n_cells,), optional
        Number of the cell, which it keeps over sessions; the ROI's when not given.
    **columns : array, shape (n_cells, n_frames)
        ``dff``, ``events``, ``filtered_events`` or any other.

    Returns
    -------
    DataFrame
        timestamps, the columns, and both numbers as categories; the cells one after another.

    Raises
    ------
    InputError
        A column of another shape.

    Examples
    --------
    >>> tidy_frame([0.0, 0.1], cell_roi_id=[7], dff=[[1.0, 2.0]])
       timestamps  dff cell_roi_id cell_specimen_id
    0         0.0  1.0           7                7
    1         0.1  2.0           7                7
    """
    import pandas as pd

    t = np.asarray(timestamps, dtype=float)
    rois = np.asarray(cell_roi_id)
    cells = rois if cell_specimen_id is None else np.asarray(cell_specimen_id)
    shape = (rois.size, t.size)
    table: dict[str, Any] = {"timestamps": np.tile(t, rois.size)}
    for name, values in columns.items():
        found = np.asarray(values)
        if found.shape != shape:
            msg = f"{name} must be (n_cells, n_frames) = {shape}, got {found.shape}"
            raise InputError(msg)
        table[name] = found.reshape(-1)
    if cells.shape != rois.shape:
        msg = f"cell_specimen_id must have one number for each of {rois.size} ROIs"
        raise InputError(msg)
    for name, ids in (("cell_roi_id", rois), ("cell_specimen_id", cells)):
        kinds, codes = np.unique(ids, return_inverse=True)
        table[name] = pd.Categorical.from_codes(np.repeat(codes, t.size), pd.Index(kinds))
    return pd.DataFrame(table, copy=False)


def build_tidy_cell_df(
    ophys_experiment: Any,
    exclude_invalid_rois: bool = True,  # noqa: FBT001, FBT002 - the field's signature
) -> pd.DataFrame:
    """Make the tidy table of an experiment's cells.

    Parameters
    ----------
    ophys_experiment : object
        With ``ophys_timestamps``, ``dff_traces`` and ``events`` (tables by cell_specimen_id)
        and ``cell_specimen_table``, as the experiments of the Allen Institute have.
    exclude_invalid_rois : bool
        Whether cells whose ``valid_roi`` is False are left out.

    Returns
    -------
    DataFrame
        timestamps, dff, events, filtered_events, cell_roi_id and cell_specimen_id.

    Raises
    ------
    InputError
        A cell has another number of samples than there are frames, or an attribute is missing.
    """
    require(ophys_experiment, "ophys_timestamps", "dff_traces", "events", "cell_specimen_table")
    t = np.asarray(ophys_experiment.ophys_timestamps, dtype=float)
    dff = experiment_table(ophys_experiment, "dff", exclude_invalid_rois=exclude_invalid_rois)
    events = ophys_experiment.events.loc[dff.index]
    sources = {"dff": dff, "events": events, "filtered_events": events}
    columns = {name: stacked(table[name], t.size, name) for name, table in sources.items()}
    return tidy_frame(
        t,
        cell_roi_id=dff["cell_roi_id"].to_numpy(),
        cell_specimen_id=dff.index.to_numpy(),
        **columns,
    )


def require(experiment: Any, *names: str) -> None:
    """Say which attributes an experiment lacks."""
    missing = [name for name in names if not hasattr(experiment, name)]
    if missing:
        kind = type(experiment).__name__
        msg = f"an experiment needs {', '.join(names)}; {kind} lacks {', '.join(missing)}"
        raise InputError(msg)


def experiment_table(
    experiment: Any, data_type: str, *, exclude_invalid_rois: bool = True
) -> pd.DataFrame:
    """Table of an experiment that has the column `data_type`, valid cells only if wanted."""
    if data_type not in _TIDY:
        raise unknown_name("data type", data_type, _TIDY)
    table = experiment.dff_traces if data_type == "dff" else experiment.events
    if exclude_invalid_rois:
        valid = experiment.cell_specimen_table["valid_roi"].astype(bool)
        table = table.loc[valid.reindex(table.index, fill_value=False)]
    return table


def stacked(column: pd.Series, n_frames: int, name: str) -> np.ndarray:
    """Stack a column of arrays to (n_cells, n_frames)."""
    wrong = [(k, len(row)) for k, row in column.items() if len(row) != n_frames]
    if wrong:
        msg = f"{name} of cell {wrong[0][0]} has {wrong[0][1]} samples for {n_frames} frames"
        raise InputError(msg)
    if not len(column):
        return np.empty((0, n_frames))
    return np.stack([np.asarray(row, dtype=float) for row in column])


def get_event_timestamps(
    stimulus_presentations: pd.DataFrame, event_type: str = "all", onset: str = "start_time"
) -> tuple[pd.Series, np.ndarray]:
    """Give the times of one kind of presentation.

    Parameters
    ----------
    stimulus_presentations : DataFrame
        One row for each presentation.
    event_type : str
        "all", "images" (not omitted), "omissions", "changes", or a column of truth values.
    onset : str
        Column with the time (s).

    Returns
    -------
    times : Series
        Seconds, with the index of the table.
    ids : array
        That index.

    Raises
    ------
    UnknownNameError
        No such kind or column.
    InputError
        A column that is not of truth values.
    """
    table = stimulus_presentations
    if onset not in table.columns:
        raise unknown_name("column", onset, map(str, table.columns))
    chosen = table[_which(table, event_type)]
    return chosen[onset], chosen.index.to_numpy()


def _which(table: pd.DataFrame, event_type: str) -> np.ndarray:
    kinds = {"images": "omitted", "omissions": "omitted", "changes": "is_change"}
    if event_type == "all":
        return np.ones(len(table), dtype=bool)
    column = kinds.get(event_type, event_type)
    if column not in table.columns:
        raise unknown_name(
            "kind of event", event_type, ["all", *kinds, *map(str, table.columns)]
        )
    values = table[column]
    # nullable: what is not known to be true is not chosen
    found = values.astype("boolean") if set(values.dropna().unique()) <= {0, 1} else None
    if found is None:
        msg = f"column {column!r} must hold True and False, got {values.dropna().iloc[0]!r}"
        raise InputError(msg)
    truth = found.fillna(value=False).to_numpy(dtype=bool)
    return ~truth if event_type == "images" else truth
