"""One imaged plane of a session, with the attributes that users of the AllenSDK know."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import frozen_mapping
from cleo_like.core.errors import InputError
from cleo_like.sessions.tables.cells import (
    cell_specimen_table,
    missing_table,
    trace_table,
)
from cleo_like.sessions.tables.presentations import in_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from jaxtyping import Float, Int

    from cleo_like.core.ophys.experiment import ImagingExperiment
    from cleo_like.core.ophys.traces import ImagingTruth
    from cleo_like.sessions.visual.task import Columns

_NOBODY = "no behavior was simulated: the session is passive and nobody licks, runs or looks"


@attrs.define(kw_only=True, eq=False, slots=False, repr=False)
class InSilicoExperiment:
    """One plane of a session in the AllenSDK's attributes, with the truth beside them.

    Code written for a BehaviorOphysExperiment reads it: `brain_observatory_utilities`, the
    visual behavior notebook.

    Parameters
    ----------
    data : ImagingExperiment
        Traces, masks, pictures, stimuli and truth; `cleo_like.write` writes it as NWB.
    metadata : mapping
        What the AllenSDK calls metadata.
    columns : "stop_time" or "end_time"
        Columns of `stimulus_presentations`: as before AllenSDK 2.16, or since.

    Raises
    ------
    InputError
        The data have no dF/F, masks or identifiers of cells.
    """

    data: ImagingExperiment
    metadata: Mapping[str, Any] = attrs.field(converter=frozen_mapping)
    columns: Columns = "stop_time"

    def __attrs_post_init__(self) -> None:
        """Check that the data suffice."""
        missing = [name for name in ("dff", "events") if name not in self.data.traces]
        missing += [n for n in ("cell_specimen_id", "cell_roi_id") if n not in self.data.rois]
        missing += ["masks"] if self.data.masks is None and self.data.n_rois else []
        if missing:
            msg = f"experiment {self.data.id} has no {', '.join(missing)}"
            raise InputError(msg)

    def __repr__(self) -> str:
        """One line."""
        return f"InSilicoExperiment {self.data!r}".replace("ImagingExperiment ", "")

    @property
    def ophys_experiment_id(self) -> int:
        """Identifier of the plane in its session."""
        return int(self.metadata["ophys_experiment_id"])

    @property
    def ophys_session_id(self) -> int:
        """Identifier of the session."""
        return int(self.metadata["ophys_session_id"])

    @property
    def ophys_timestamps(self) -> Float[np.ndarray, " n_frames"]:
        """Time of each frame of this plane (s)."""
        return self.data.traces["dff"].times

    @property
    def stimulus_timestamps(self) -> Float[np.ndarray, " n"]:
        """Time of each frame of the screen (s)."""
        rate = float(self.metadata["stimulus_frame_rate"])
        return np.arange(int(self.metadata["stimulus_frames"])) / rate

    @cached_property
    def _cells(self) -> pd.DataFrame:
        return cell_specimen_table(*self._ids, self.data.masks, self._shifts)  # type: ignore[arg-type]

    @property
    def cell_specimen_table(self) -> pd.DataFrame:
        """One row per cell: identifiers, place, and mask in a frame of full size."""
        return self._cells.copy()

    @property
    def roi_masks(self) -> pd.DataFrame:
        """One row per cell: its mask in a frame of full size."""
        return self._cells[["cell_roi_id", "roi_mask"]].copy()

    @property
    def dff_traces(self) -> pd.DataFrame:
        """One row per cell: dF/F."""
        return self._traces("dff", "dff")

    @property
    def demixed_traces(self) -> pd.DataFrame:
        """One row per cell: counts of the ROI, soma and neuropil."""
        return self._traces("fluorescence", "demixed_trace")

    @property
    def neuropil_traces(self) -> pd.DataFrame:
        """One row per cell: counts of the neuropil around it."""
        return self._traces("neuropil", "neuropil_trace")

    @property
    def corrected_fluorescence_traces(self) -> pd.DataFrame:
        """One row per cell: counts without neuropil."""
        return self._traces("corrected", "corrected_fluorescence")

    @property
    def events(self) -> pd.DataFrame:
        """One row per cell: events, filtered_events, lambdas and noise_stds."""
        return self._events.copy()

    @cached_property
    def _events(self) -> pd.DataFrame:
        from cleo_like.sessions.events import filtered

        traces = self.data.traces["events"]
        return trace_table(
            *self._ids, events=traces.fluorescence,
            filtered_events=filtered(traces.fluorescence, traces.rate),
            lambdas=self.data.rois["event_lambda"], noise_stds=self.data.rois["noise_std"],
        )  # fmt: skip

    @property
    def motion_correction(self) -> pd.DataFrame:
        """Displacement of each frame in whole pixels, x and y, that the pipeline undid."""
        import pandas as pd

        return pd.DataFrame({"x": self._shifts[:, 0], "y": self._shifts[:, 1]}).astype(int)

    @property
    def max_projection(self) -> Float[np.ndarray, "rows columns"]:
        """Brightest picture of the plane."""
        return self._image("max")

    @property
    def average_projection(self) -> Float[np.ndarray, "rows columns"]:
        """Mean picture of the plane."""
        return self._image("mean")

    @property
    def segmentation_mask_image(self) -> np.ndarray:
        """Where any ROI is."""
        masks = self.data.masks
        found = np.zeros(self._image("mean").shape, bool)
        if masks is not None:
            found[masks.y, masks.x] = True
        return found

    @property
    def stimulus_presentations(self) -> pd.DataFrame:
        """One row per flash (and, in columns "end_time", per grey screen)."""
        if self.data.presentations is None:
            raise InputError(f"experiment {self.data.id} has no table of stimuli")
        return in_columns(self.data.presentations, self.columns)

    @property
    def stimulus_templates(self) -> pd.DataFrame:
        """The pictures: index image_name; unwarped (NaN off the screen) and warped."""
        import pandas as pd

        found = self.data.templates
        if not {"unwarped", "warped"} <= set(found):
            raise InputError(f"experiment {self.data.id} has no pictures of its stimuli")
        names = list(self.metadata["image_names"])
        index = pd.Index(names, name="image_name")
        pairs = {
            "unwarped": [np.where(np.isnan(p), np.nan, p) for p in found["unwarped"]],
            "warped": [p.astype(np.uint8) for p in found["warped"]],
        }
        return pd.DataFrame(
            {
                name: pd.Series(pictures, index=index, dtype=object)
                for name, pictures in pairs.items()
            }
        )

    @property
    def licks(self) -> pd.DataFrame:
        """Empty; ``.attrs["reason"]`` says why."""
        return missing_table(_NOBODY, "timestamps", "frame")

    @property
    def rewards(self) -> pd.DataFrame:
        """Empty; ``.attrs["reason"]`` says why."""
        return missing_table(_NOBODY, "volume", "timestamps", "auto_rewarded")

    @property
    def running_speed(self) -> pd.DataFrame:
        """Empty; ``.attrs["reason"]`` says why."""
        return missing_table(_NOBODY, "timestamps", "speed")

    @property
    def eye_tracking(self) -> pd.DataFrame:
        """Empty; ``.attrs["reason"]`` says why."""
        return missing_table(_NOBODY, "timestamps", "pupil_area", "likely_blink", index="frame")

    @property
    def trials(self) -> pd.DataFrame:
        """Empty; ``.attrs["reason"]`` says why."""
        reason = (
            f"{_NOBODY}; stimulus_presentations has the changes, is_sham_change the catches"
        )
        columns = ("start_time", "stop_time", "initial_image_name", "change_image_name", "go",
                   "catch", "hit", "miss", "change_time")  # fmt: skip
        return missing_table(reason, *columns, index="trials_id")

    @property
    def truth(self) -> ImagingTruth:
        """Spikes and dF/F of each cell, without noise and neuropil.

        Raises
        ------
        InputError
            The data come from a file without it.
        """
        if self.data.truth is None:
            raise InputError(f"experiment {self.data.id} comes without the truth")
        return self.data.truth

    @property
    def tuning(self) -> pd.DataFrame:
        """True drive of each cell by each picture, 0 to 1: index cell_specimen_id."""
        import pandas as pd

        if "drive" not in self.data.truth_arrays:
            raise InputError(f"experiment {self.data.id} comes without the truth")
        return pd.DataFrame(
            self.data.truth_arrays["drive"],
            index=pd.Index(self._ids[0], name="cell_specimen_id"),
            columns=list(self.metadata["image_names"]),
        )

    @property
    def _ids(self) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
        rois = self.data.rois
        return (
            np.asarray(rois["cell_specimen_id"]).astype(np.int64),
            np.asarray(rois["cell_roi_id"]).astype(np.int64),
        )

    @property
    def _shifts(self) -> np.ndarray:
        """Motion of each frame in whole pixels; a movie's is known more finely."""
        motion = self.data.motion
        return np.zeros((0, 2)) if motion is None else np.rint(motion.shifts)

    def _traces(self, kept: str, column: str) -> pd.DataFrame:
        if kept not in self.data.traces:
            raise InputError(f"experiment {self.data.id} has no traces {kept!r}")
        return trace_table(*self._ids, **{column: self.data.traces[kept].fluorescence})

    def _image(self, name: str) -> np.ndarray:
        if name not in self.data.images:
            raise InputError(f"experiment {self.data.id} has no picture {name!r}")
        return self.data.images[name]
