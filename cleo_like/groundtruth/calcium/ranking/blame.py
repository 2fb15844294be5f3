"""Which stage of a simulation is to blame where its ranking differs from the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.groundtruth.calcium.ranking.agreement import POOLED
from cleo_like.groundtruth.calcium.ranking.simulate import (
    CLEO,
    MATCHED,
    POPULATION,
    TRAINS,
    WITHOUT,
)

if TYPE_CHECKING:
    import pandas as pd

_BOTH = "gain and noise"
_STEPS = {
    "spike trains": (POPULATION, TRAINS),
    "gain of the cell": (TRAINS, "gain"),
    "size of the noise": (TRAINS, "noise"),
    _BOTH: (TRAINS, "gain and noise"),
    "spectrum of the noise": ("gain and noise", "spectrum"),
}
"""What is matched from one stage to the next."""
REST = "kinetics, bursts and what changes in time"
"""What differs still when spikes, gain and noise are those of the recording."""


def blame(found: pd.DataFrame) -> pd.DataFrame:
    """Say by how much the disagreement falls when a stage is matched, set by set.

    Parameters
    ----------
    found : DataFrame
        Of `agreement.agreement`.

    Returns
    -------
    DataFrame
        One row a score, scope and stage: ``error`` before, ``explains`` (by how much it falls
        when the stage comes from the recording; negative: it rises), ``kind`` ("matched",
        "both" for two at once, "left out" or "rest").
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    if found.empty:
        return pd.DataFrame(rows)
    errors = found.set_index(["score", "scope", "stage"])["error"].to_dict()
    for score, scope in dict.fromkeys(zip(found["score"], found["scope"], strict=True)):

        def error(stage: str, score: str = score, scope: str = scope) -> float:
            return float(errors.get((score, scope, stage), np.nan))

        for what, (before, after) in _STEPS.items():
            rows.append({
                "score": score, "scope": scope, "stage": what,
                "kind": "both" if what == _BOTH else "matched",
                "error": error(before), "explains": error(before) - error(after),
            })  # fmt: skip
        for what in WITHOUT:
            if what != CLEO:
                rows.append({
                    "score": score, "scope": scope, "stage": what, "kind": "left out",
                    "error": error(TRAINS), "explains": error(what) - error(TRAINS),
                })  # fmt: skip
        last = list(MATCHED)[-1]
        rows.append({
            "score": score, "scope": scope, "stage": REST, "kind": "rest",
            "error": error(POPULATION), "explains": error(last),
        })  # fmt: skip
    table = pd.DataFrame(rows)
    return table[np.isfinite(table["explains"])].reset_index(drop=True)


def verdict(table: pd.DataFrame, score: str, scope: str = POOLED) -> str:
    """Say in a sentence which stage is to blame for one score.

    Parameters
    ----------
    table : DataFrame
        Of `blame`.
    score : str
        Which.
    scope : str
        A set, or all.
    """
    if table.empty:
        return "the stages were not run"
    part = table[(table["score"] == score) & (table["scope"] == scope)]
    part = part[part["kind"].isin(["matched", "rest"])]
    if part.empty or not (part["kind"] == "rest").any():
        return "which stage is to blame needs --stages all"
    worst = part.iloc[int(part["explains"].to_numpy().argmax())]
    most, whole = float(worst["explains"]), float(part["error"].max())
    if most >= whole:
        return f"{worst['stage']}: with all else matched {most:.3f}, with nothing {whole:.3f}"
    return f"{worst['stage']}: {most:.3f} of the mean difference of {whole:.3f}"
