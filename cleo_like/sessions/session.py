"""A simulated session: its experiments, what they share, and the tables of a data set."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cleo_like.sessions.experiment import InSilicoExperiment
    from cleo_like.sessions.plan import SessionPlan
    from cleo_like.sessions.visual.task import Schedule


def _by_number(values: Mapping[int, Any]) -> Mapping[int, Any]:
    return MappingProxyType(dict(values))


@attrs.frozen(kw_only=True, eq=False)
class InSilicoSession:
    """A session: planes that were imaged together while an animal saw pictures.

    Parameters
    ----------
    plan : SessionPlan
        What it follows from.
    schedule : Schedule
        What was flashed when.
    experiments : mapping of int to InSilicoExperiment
        The planes, by ophys_experiment_id.

    Examples
    --------
    >>> from cleo_like.sessions import simulate_session
    >>> session = simulate_session("short")
    >>> session
    InSilicoSession: 1 experiment, 30 cells, 160 flashes, 140 s
    >>> experiment, = session.experiments.values()
    >>> experiment.dff_traces.shape
    (30, 2)
    """

    plan: SessionPlan
    schedule: Schedule
    experiments: Mapping[int, InSilicoExperiment] = attrs.field(converter=_by_number)

    def __repr__(self) -> str:
        """One line."""
        n = len(self.experiments)
        return (
            f"InSilicoSession: {n} experiment{'s' if n != 1 else ''}, {self.plan.n_cells} "
            f"cells, {len(self.schedule)} flashes, {self.schedule.duration:g} s"
        )

    @property
    def ophys_session_id(self) -> int:
        """Identifier of the session."""
        return self.plan.ophys_session_id

    @property
    def stimulus_presentations(self) -> pd.DataFrame:
        """The flashes, which all experiments share."""
        return next(iter(self.experiments.values())).stimulus_presentations

    @property
    def stimulus_templates(self) -> pd.DataFrame:
        """The pictures, which all experiments share."""
        return next(iter(self.experiments.values())).stimulus_templates
