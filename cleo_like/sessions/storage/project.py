"""Tables of a data set: its sessions, experiments and cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from cleo_like.sessions.session import InSilicoSession

_ANIMAL = (
    "equipment_name", "full_genotype", "mouse_id", "reporter_line", "driver_line", "sex",
    "age_in_days", "cre_line", "indicator", "session_number",
    "prior_exposures_to_session_type", "prior_exposures_to_image_set",
    "prior_exposures_to_omissions",
)  # fmt: skip
SESSIONS = (
    *_ANIMAL, "behavior_session_id", "ophys_experiment_id", "ophys_container_id",
    "project_code", "date_of_acquisition", "session_type",
)  # fmt: skip
BEHAVIOR = (
    *_ANIMAL, "ophys_session_id", "ophys_experiment_id", "ophys_container_id",
    "project_code", "date_of_acquisition", "session_type",
)  # fmt: skip
EXPERIMENTS = (
    *_ANIMAL, "ophys_session_id", "behavior_session_id", "ophys_container_id",
    "project_code", "imaging_depth", "targeted_structure", "date_of_acquisition",
    "session_type", "experience_level", "passive", "image_set", "file_id",
)  # fmt: skip
CELLS = ("cell_specimen_id", "ophys_experiment_id")
KEYS = {
    "ophys_session_table": ("ophys_session_id", SESSIONS),
    "behavior_session_table": ("behavior_session_id", BEHAVIOR),
    "ophys_experiment_table": ("ophys_experiment_id", EXPERIMENTS),
    "ophys_cells_table": ("cell_roi_id", CELLS),
}
"""Name of each table: its index, and its columns."""
LISTS = ("ophys_experiment_id", "ophys_container_id")
"""Columns of a session's row that hold one value per experiment."""


def project_tables(session: InSilicoSession) -> dict[str, pd.DataFrame]:
    """Give the four tables of a data set with one session.

    What an animal would have (earlier sessions, experience) is missing, as there is none.

    Parameters
    ----------
    session : InSilicoSession
        The session.

    Returns
    -------
    dict of str to pandas.DataFrame
        ophys_session_table, behavior_session_table, ophys_experiment_table and
        ophys_cells_table.
    """
    import pandas as pd

    experiments = [dict(e.metadata) | _nobody() for e in session.experiments.values()]
    for row in experiments:
        row["file_id"] = row["ophys_experiment_id"]
    whole = dict(experiments[0])
    for name in LISTS:
        whole[name] = [row[name] for row in experiments]
    for name in ("indicator", "cre_line"):
        found = dict.fromkeys(row[name] for row in experiments if row[name] is not None)
        whole[name] = ", ".join(found) or None
    cells = pd.concat(
        [
            e.cell_specimen_table.reset_index()[["cell_roi_id", "cell_specimen_id"]].assign(
                ophys_experiment_id=key
            )
            for key, e in session.experiments.items()
        ]
    )
    rows: dict[str, Any] = {
        "ophys_session_table": [whole],
        "behavior_session_table": [whole],
        "ophys_experiment_table": experiments,
        "ophys_cells_table": cells,
    }
    return {
        name: pd.DataFrame(rows[name]).set_index(index)[list(columns)]
        for name, (index, columns) in KEYS.items()
    }


def _nobody() -> dict[str, Any]:
    exposures = [name for name in _ANIMAL if name.startswith("prior_exposures")]
    return {
        "session_number": np.nan,
        "experience_level": None,
        **dict.fromkeys(exposures, np.nan),
    }
