"""The results of a study: what a folder holds, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core import Cell, Provenance, Recording, Sweep
from cleo_like.groundtruth.extractors.method import method_named
from cleo_like.groundtruth.scores import compare, paired, tables
from cleo_like.groundtruth.scores.features import feature_errors, threshold_differences
from cleo_like.groundtruth.scores.spikes import matcher_scores, spike_scores
from cleo_like.groundtruth.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cleo_like.features.stack import SweepStack
    from cleo_like.groundtruth.cases.plan import Plan
    from cleo_like.groundtruth.extractors.method import Method
    from cleo_like.groundtruth.extractors.outcome import Outcome
    from cleo_like.groundtruth.truth.exact import Truth

TABLES = (
    "scores", "spikes", "thresholds", "outcomes", "matcher", "ranks", "effects", "comparison",
    "findings", "recommendations",
)  # fmt: skip


@attrs.frozen(kw_only=True, eq=False)
class Study:
    """The results of a study as tables.

    Parameters
    ----------
    plan : Plan
        Its cases.
    errors : DataFrame
        One row a recording, extractor, feature and reference.
    scores : DataFrame
        Features by condition and extractor (`tables.feature_scores`).
    spikes : DataFrame
        Detection by condition and extractor.
    thresholds : DataFrame
        How far thresholds lie beyond those of the threshold equation.
    outcomes : DataFrame
        Failures, hangs, crashes; CPU seconds.
    matcher : DataFrame
        Precision, recall and edges of the protocol matcher.
    ranks, effects : DataFrame
        Order of cells; main effects of screening blocks.
    comparison : DataFrame
        The native default against each other extractor.
    findings, recommendations : DataFrame
        What is wrong with whom; whom to take where.
    """

    plan: Plan
    errors: pd.DataFrame
    scores: pd.DataFrame
    spikes: pd.DataFrame
    thresholds: pd.DataFrame
    outcomes: pd.DataFrame
    matcher: pd.DataFrame
    ranks: pd.DataFrame
    effects: pd.DataFrame
    comparison: pd.DataFrame
    findings: pd.DataFrame
    recommendations: pd.DataFrame

    def write(self, folder: str | Path) -> None:
        """Write every table as CSV."""
        Store(Path(folder)).write_tables({n: getattr(self, n) for n in ("errors", *TABLES)})

    def __repr__(self) -> str:
        """One line."""
        names = sorted(set(self.outcomes["extractor"])) if len(self.outcomes) else []
        return f"Study of {len(self.plan.cases)} recordings and {', '.join(names) or 'nobody'}"


def score_study(plan: Plan, methods: Sequence[Method], folder: str | Path) -> Study:
    """Score what a folder holds; what is missing is left out.

    Parameters
    ----------
    plan : Plan
        Cases.
    methods : sequence of Method
        Extractors.
    folder : str or Path
        Of `run_study`.

    Returns
    -------
    Study
        All tables.
    """
    import pandas as pd

    store = Store(Path(folder))
    rows: dict[str, list[dict[str, Any]]] = {k: [] for k in ("e", "s", "t", "o", "m")}
    unique = {c.key: c for c in plan.cases}
    own = {m.name: m for m in methods}
    for case in unique.values():
        if not store.has(case):
            continue
        truth = store.truth(case)
        who = {"key": case.key, "cell": case.cell, "seed": case.seed}
        stack = store.recording(case)
        matched = matcher_scores(
            bare_recording(stack), truth.window, is_long_square=truth.is_long_square
        )
        rows["m"].append(who | {"sweeps": stack.n_sweeps} | matched)
        for method in methods:
            outcome = store.outcome(method.key, case.key)
            if outcome is None:
                continue
            named = who | {"extractor": method.name}
            reference = _reference(method, own)
            clean = None
            if reference is not None:
                clean = store.outcome(reference.key, store.clean_file(case).stem)
            rows["o"].append(named | outcome.facts)
            rows["e"] += _answers(named, truth, outcome, method, clean)
            if outcome.status == "ok" and not method.knows_truth:
                rows["t"] += [named | row for row in threshold_differences(truth, outcome)]
            rows["s"] += _detected(named, truth, outcome, stack.n_sweeps)
    errors, spikes = pd.DataFrame(rows["e"]), pd.DataFrame(rows["s"])
    scores = tables.feature_scores(plan, errors)
    found = tables.spike_table(plan, spikes)
    outcomes = tables.outcome_table(plan, pd.DataFrame(rows["o"]))
    return Study(
        plan=plan, errors=errors, scores=scores, spikes=found, outcomes=outcomes,
        thresholds=tables.threshold_table(plan, pd.DataFrame(rows["t"])),
        matcher=tables.matcher_table(plan, pd.DataFrame(rows["m"])),
        ranks=tables.rank_table(plan, errors), effects=tables.effect_table(plan, errors),
        comparison=paired.comparison(plan, errors, spikes),
        findings=compare.findings(scores, found, outcomes),
        recommendations=compare.recommendations(scores),
    )  # fmt: skip


def _reference(method: Method, own: dict[str, Method]) -> Method | None:
    if not method.definitions:
        return None
    name = method.reference or method.name
    return own.get(name) or method_named(name)


def _answers(
    named: dict[str, Any], truth: Truth, outcome: Outcome, method: Method, clean: Outcome | None
) -> list[dict[str, Any]]:
    """Give the errors of all features; none where the extractor failed."""
    if outcome.status != "ok":
        return []
    return [named | row for row in feature_errors(truth, outcome, method, clean)]


def _detected(
    named: dict[str, Any], truth: Truth, outcome: Outcome, n_sweeps: int
) -> list[dict[str, Any]]:
    """Give the scores of the spikes; none where it failed or gives cell values only."""
    if outcome.status != "ok" or not (outcome.spikes or not truth.times["t"].size):
        return []
    return [named | spike_scores(truth, outcome.spikes, n_sweeps)]


def bare_recording(stack: SweepStack) -> Recording:
    """Give a stack as a recording that says nothing of its protocol."""
    sweeps = [
        Sweep(response=v * 1e-3, command=i * 1e-12, rate=stack.rate, number=k)
        for k, (v, i) in enumerate(zip(stack.voltage_mv, stack.current_pa, strict=True))
    ]
    return Recording(
        sweeps=sweeps, cell=Cell(id="cell"), provenance=Provenance(source="groundtruth")
    )
