"""The page of a study of spike inference, with the ranking on real recordings where it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleo_like.groundtruth.calcium.methods import MEANING
from cleo_like.groundtruth.calcium.ranking import (
    CLEO,
    POOLED,
    POPULATION,
    RANKED,
    REAL,
    STAGES,
    TRAINS,
    verdict,
)
from cleo_like.groundtruth.scores.tables import each, strong_effects
from cleo_like.report.page import Page
from cleo_like.report.plots.groundtruth import ranking_figure, score_map

if TYPE_CHECKING:
    from cleo_like.groundtruth.calcium.ranking import Ranking
    from cleo_like.groundtruth.calcium.results import CalciumStudy

_ROWS = 60
_MAPS = {
    "corr_100": "Correlation with the true rate (SD of the Gaussian 0.1 s)",
    "f1": "F1 of events (within 0.1 s)",
    "rate_bias": "Inferred over true mean rate, minus 1",
}
_SHOWN = ("rho", "reliability", "reliability_full", "signs", "signs_possible", "set_signs",
          "error", "largest", "set_error")  # fmt: skip
RHO_WITHIN, SIGNS_WANTED, ERROR_WANTED = 0.05, 0.78, 0.03
"""What is asked of a simulation: rank correlation within so much of the split-half reliability,
share of signs, mean difference of scores."""


def calcium_page(study: CalciumStudy, ranking: Ranking | None = None) -> Page:
    """Put a study of spike inference on one page that needs nothing else.

    Parameters
    ----------
    study : CalciumStudy
        Of `groundtruth.run_study`.
    ranking : Ranking, optional
        Of `groundtruth.calcium_ranking`.

    Returns
    -------
    Page
        Recommendations, heat maps, effects, failures; the ranking last.
    """
    page = Page(study.plan.title)
    names = ", ".join(dict.fromkeys(study.outcomes["extractor"])) if len(study.outcomes) else ""
    done = study.cells["key"].nunique() if len(study.cells) else 0
    planned = len({c.key for c in study.plan.cases})
    some = str(planned) if done == planned else f"{done} (of {planned}: not all have run)"
    page.add_text(
        f"{some} simulated recordings whose spikes are known, inferred by {names}. Intervals "
        "are 95 %, by drawing cells and seeds again. An answer that is missing or constant "
        "counts as 0."
    )
    page.add_list([block.stated() for block in study.plan.blocks])
    if study.extrapolated:
        page.add_text(
            "Beyond what the indicator was fitted to (dF/F is extrapolated): "
            f"{'; '.join(study.extrapolated)}."
        )
    page.add_heading("Recommended by condition")
    page.add_table(
        study.recommendations, caption="The best, and those within 0.02 or in its interval."
    )
    for score, title in _MAPS.items():
        page.add_heading(title)
        for block in study.plan.blocks:
            part = study.scores[study.scores["block"] == block.name]
            if not len(part) or part[part["score"] == score]["value"].isna().all():
                continue
            page.add_figure(
                score_map(study.scores, block.name, score),
                alt=f"{title}: methods by conditions of {block.name}",
                caption=f"{block.name}. –: the method gives no such value.",
            )  # fmt: skip
    _faults(page, study)
    strong = strong_effects(study.effects)
    if len(strong):
        page.add_heading("What moves each score")
        page.add_table(
            strong.head(_ROWS),
            caption="Main effects of the screening block beyond three standard errors.",
        )
    if ranking is not None:
        ranking_part(page, ranking)
    page.add_heading("Methods")
    page.add_table([
        {"method": n, "settings": MEANING.get(n, "of its own")}
        for n in dict.fromkeys(study.outcomes["extractor"])
        if n != "truth"
    ])  # fmt: skip
    return page


def ranking_page(ranking: Ranking) -> Page:
    """Put a ranking on a page of its own.

    Parameters
    ----------
    ranking : Ranking
        Of `groundtruth.calcium_ranking`.

    Returns
    -------
    Page
        Verdicts first.
    """
    page = Page("Ranking of spike inference: real and predicted")
    ranking_part(page, ranking)
    return page


def ranking_part(page: Page, ranking: Ranking) -> None:
    """Add the ranking: what was asked and what was found, figure, tables, what is to blame."""
    page.add_heading("Does the simulation rank methods as real recordings do?")
    page.add_text(f"{ranking}.")
    page.add_list(verdicts(ranking))
    page.add_figure(
        ranking_figure(ranking.cells),
        alt="Scores of methods on real recordings against those on simulations",
        caption="Each point is a method: mean over data sets on real recordings and on "
        "simulations of them.",
    )
    shown = ranking.summary[["score", "stage", *_SHOWN, "sets", "cells"]]
    page.add_table(
        shown,
        caption="rho: rank correlation over methods, pooled; reliability: of the real ranking "
        "between halves of the cells, and of all cells (Spearman-Brown); signs: share of pairs "
        "that differ by more than 0.02 in the real scores and are ordered alike, set_signs: "
        "within single sets, signs_possible: between halves; error: mean difference of scores.",
    )
    page.add_table(
        [{"stage": n, "meaning": STAGES[n].meaning} for n in dict.fromkeys(shown["stage"])]
    )
    _by_set(page, ranking)
    page.add_heading("Which stage is to blame", level=3)
    page.add_list(f"{score}: {verdict(ranking.blame, score)}." for score in RANKED)
    if len(ranking.blame):
        own = ranking.blame[ranking.blame["score"] == "corr_100"]
        page.add_table(
            own.pivot_table(
                index="scope", columns="stage", values="explains", sort=False
            ).reset_index(),
            caption="corr_100: by how much the mean difference falls when a stage is taken "
            "from the recording, or rises when it is left out.",
        )
    if ranking.notes:
        page.add_heading("Left out", level=3)
        page.add_list(ranking.notes)


def verdicts(ranking: Ranking) -> list[str]:
    """Say of every score whether the prediction from populations is as good as asked.

    Parameters
    ----------
    ranking : Ranking
        With the stages "population" and "Cleo's kinetics", or what there is of them.
    """
    out = []
    for one in each(ranking.summary):
        if one.stage not in {POPULATION, TRAINS, CLEO}:
            continue
        marks = [
            _mark(f"rho {one.rho:.2f} (reliability {one.reliability:.2f})",
                  one.rho >= one.reliability - RHO_WITHIN),
            _mark(f"signs {100 * one.signs:.0f} %", one.signs >= SIGNS_WANTED),
            _mark(f"within sets {100 * one.set_signs:.0f} %", one.set_signs >= SIGNS_WANTED),
            _mark(f"difference {one.error:.3f}", one.error <= ERROR_WANTED),
        ]  # fmt: skip
        out.append(f"{one.score}, {one.stage}: {', '.join(marks)}")
    return out


def _mark(text: str, good: Any) -> str:
    return text if good else f"{text} (missed)"


def _by_set(page: Page, ranking: Ranking) -> None:
    part = ranking.agreement[
        (ranking.agreement["score"] == "corr_100")
        & (ranking.agreement["stage"] == POPULATION)
        & (ranking.agreement["scope"] != POOLED)
    ]
    if not len(part):
        return
    real = ranking.cells[ranking.cells["stage"] == REAL]
    names = real.drop_duplicates("set").set_index("set")["indicator"]
    columns = ["scope", "cells", "rho", "reliability", "signs", "pairs", "error", "bias"]
    page.add_heading("Indicator by indicator", level=3)
    page.add_table(
        part[columns].assign(indicator=part["scope"].map(names)),
        caption="corr_100, predicted from population parameters alone; bias: simulated minus "
        "real.",
    )


def _faults(page: Page, study: CalciumStudy) -> None:
    page.add_heading("Where each breaks")
    bad = study.outcomes[study.outcomes["ok"] < study.outcomes["recordings"]]
    page.add_table(bad, caption="Failures, hangs and crashes.") if len(bad) else page.add_text(
        "No method failed."
    )
    found = study.findings
    if len(found):
        counted = found.groupby(["extractor", "column"], sort=False)
        rows = counted.agg(conditions=("where", "count"), largest=("size", "max"))
        page.add_table(
            rows.reset_index().head(2 * _ROWS),
            caption="In how many conditions: late by frames (lag), stated noise off by more "
            "than a fifth, false and missed events as a share of the true ones.",
        )
