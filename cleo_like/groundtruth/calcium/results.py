"""The results of a study of spike inference: what a folder holds, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.groundtruth.calcium.run import recording
from cleo_like.groundtruth.calcium.scores import cell_scores
from cleo_like.groundtruth.calcium.tables import (
    effect_rows,
    findings,
    recommendations,
    score_table,
)
from cleo_like.groundtruth.scores import tables
from cleo_like.groundtruth.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cleo_like.groundtruth.cases.plan import Plan
    from cleo_like.groundtruth.extractors.method import Method

TABLES = ("cells", "scores", "outcomes", "effects", "findings", "recommendations")


@attrs.frozen(kw_only=True, eq=False)
class CalciumStudy:
    """The results of a study of spike inference as tables.

    Parameters
    ----------
    plan : Plan
        Its cases.
    cells : DataFrame
        One row a recording, cell and method: all scores.
    scores : DataFrame
        Scores by condition and method, with intervals (`calcium.tables.score_table`).
    outcomes : DataFrame
        Failures, hangs, crashes; CPU seconds.
    effects : DataFrame
        Main effects of screening blocks on each score.
    findings, recommendations : DataFrame
        What is wrong with whom; whom to take where.
    extrapolated : tuple of str
        Conditions in which dF/F went beyond what the indicator was fitted to.
    """

    plan: Plan
    cells: pd.DataFrame
    scores: pd.DataFrame
    outcomes: pd.DataFrame
    effects: pd.DataFrame
    findings: pd.DataFrame
    recommendations: pd.DataFrame
    extrapolated: tuple[str, ...] = ()

    def write(self, folder: str | Path) -> None:
        """Write every table as CSV."""
        Store(Path(folder)).write_tables({n: getattr(self, n) for n in TABLES})

    def __repr__(self) -> str:
        """One line."""
        names = sorted(set(self.outcomes["extractor"])) if len(self.outcomes) else []
        said = ", ".join(names) or "nobody"
        return f"CalciumStudy of {len(self.plan.cases)} recordings and {said}"


def score_calcium(plan: Plan, methods: Sequence[Method], folder: str | Path) -> CalciumStudy:
    """Score what a folder holds; what is missing is left out.

    Parameters
    ----------
    plan : Plan
        Cases.
    methods : sequence of Method
        Methods.
    folder : str or Path
        Of `run_study`.

    Returns
    -------
    CalciumStudy
        All tables.
    """
    import pandas as pd

    store = Store(Path(folder))
    cells: list[pd.DataFrame] = []
    outcomes: list[dict[str, Any]] = []
    beyond = []
    for case in {c.key: c for c in plan.cases}.values():
        if not store.recording_file(case).is_file():
            continue
        truth = recording(store, case)
        if truth.extrapolated:
            beyond.append(f"{truth.indicator}, {case.factors['regime']}")
        for method in methods:
            outcome = store.outcome(method.key, case.key)
            if outcome is None:
                continue
            n = len(truth.dff)
            named: dict[str, Any] = {
                "key": case.key,
                "seed": case.seed,
                "extractor": method.name,
            }
            outcomes.append(named | {"cell": truth.indicator} | outcome.facts)
            # a failure answers nothing: its cells are missing, which counts as 0
            arrays = outcome.arrays or {"trace": np.full(truth.dff.shape, np.nan)}
            labels = [f"{truth.indicator}-{k}" for k in range(n)]
            row = pd.DataFrame(cell_scores(arrays, truth))
            cells.append(row.assign(**named, cell=labels, indicator=truth.indicator))
    found = pd.concat(cells, ignore_index=True) if cells else pd.DataFrame()
    scores = score_table(plan, found)
    counted = tables.outcome_table(plan, pd.DataFrame(outcomes))
    return CalciumStudy(
        plan=plan, cells=found, scores=scores, outcomes=counted,
        effects=tables.effect_table(plan, effect_rows(found)),
        findings=findings(plan, found, counted), recommendations=recommendations(scores),
        extrapolated=tuple(dict.fromkeys(beyond)),
    )  # fmt: skip
