"""The page of a ground-truth study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.groundtruth.extractors.definitions import NATIVE
from cleo_like.groundtruth.scores.paired import summary
from cleo_like.groundtruth.scores.tables import strong_effects
from cleo_like.groundtruth.truth.exact import FINEST, RATE
from cleo_like.report.page import Page
from cleo_like.report.plots.groundtruth import heat_map, noise_figure

if TYPE_CHECKING:
    import pandas as pd

    from cleo_like.groundtruth.results import Study

_ROWS = 60
HEAT_REFERENCES = {
    FINEST: "against the noise-free, unfiltered potential at 400 kHz: recording chain and "
    "extractor together",
    RATE: "against the noise-free, unfiltered potential at the recording's rate: what filter, "
    "noise and extractor did",
}


def groundtruth_page(study: Study) -> Page:
    """Put a study on one page that needs nothing else.

    Parameters
    ----------
    study : Study
        Of `groundtruth.run_study`.

    Returns
    -------
    Page
        Exceptions of the default first, then heat maps, spikes, failures, recommendations.
    """
    page = Page(study.plan.title)
    names = ", ".join(dict.fromkeys(study.outcomes["extractor"]))
    page.add_text(
        f"{_scored(study)} simulated recordings whose answers are known, measured by {names}. "
        "Every number is against the truth of the extractor's "
        f"own definition; intervals are 95 %, by drawing cells and seeds again."
    )
    page.add_list([block.stated() for block in study.plan.blocks])
    _default(page, study)
    if len(study.scores) and study.scores["condition"].str.contains("rate .*noise ").any():
        page.add_heading("Bias and noise")
        page.add_figure(
            noise_figure(study.scores), alt="Bias of six features against noise",
            caption="Median error against noise at the fast rate, in the unit of the "
            "catalogue, with 95 % intervals.",
        )  # fmt: skip
    _heat_maps(page, study)
    _thresholds(page, study)
    page.add_heading("Spikes")
    page.add_table(
        study.spikes.drop(
            columns=[c for c in study.spikes if str(c).endswith(("_low", "_high"))]
        ),
        caption="False spikes are counted; time errors in s, positive is late.",
    )
    _where_it_breaks(page, study)
    page.add_heading("Recommended settings by recording condition")
    page.add_text(
        "The extractor with the least error (bias and spread together, recording chain "
        "included); share: of the between-cell spread."
    )
    page.add_table(_named(study.recommendations))
    page.add_heading("Protocol matcher")
    page.add_table(study.matcher)
    if len(study.ranks):
        page.add_heading("Order of cells")
        page.add_table(study.ranks, caption="Spearman correlation with the true order.")
    _effects(page, study.effects)
    page.add_heading("Definitions")
    page.add_table([{"feature": k, "native": v} | _others(study, k) for k, v in NATIVE.items()])
    return page


def _scored(study: Study) -> str:
    """Say how many recordings there are results of, and of how many."""
    planned = len({c.key for c in study.plan.cases})
    done = study.errors["key"].nunique() if len(study.errors) else 0
    return str(planned) if done == planned else f"{done} (of {planned}: not all have run)"


def _named(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["block"] != "one step"] if len(table) else table


def _default(page: Page, study: Study) -> None:
    """Say where the default is best, equal or beaten, the exceptions first."""
    page.add_heading("The native default against the others")
    counted = summary(study.comparison)
    if not counted["cells"]:
        page.add_text("There is nothing to compare it with.")
        return
    page.add_text(
        f"Of {counted['cells']} comparisons (F1 of spikes, and features with the same "
        "definition) it is best or equal in "
        f"{100 * counted['best_or_equal']:.1f} % ({100 * counted['overlapping']:.1f} % where "
        "overlapping intervals of the two biases count as equal); worse by more than a tenth "
        f"of the between-cell spread in {counted['much_worse']}. Both are compared on the "
        "recordings that both answered; apart from that, the other alone gives a value in "
        f"{counted['missing']} conditions, and in some recordings of "
        f"{counted['partly_missing']} more."
    )
    beaten = study.comparison[study.comparison["verdict"].isin(["worse", "missing"])]
    beaten = beaten.sort_values("worse_by", ascending=False)
    page.add_table(
        beaten.head(_ROWS),
        caption=f"Where it is beaten ({len(beaten)}; the {min(_ROWS, len(beaten))} largest).",
    )


def _heat_maps(page: Page, study: Study) -> None:
    for reference, words in HEAT_REFERENCES.items():
        page.add_heading(f"Bias {words}")
        for block in study.plan.blocks:
            part = (
                study.scores[
                    (study.scores["block"] == block.name)
                    & (study.scores["reference"] == reference)
                ]
                if len(study.scores)
                else study.scores
            )
            if part.empty:
                continue
            page.add_figure(
                heat_map(study.scores, block.name, reference),
                alt=f"Bias by extractor, feature and condition of {block.name}",
                caption=f"{block.name}. –: never a value; d: another definition without a "
                "truth; o: against the truth of its own definition.",
            )  # fmt: skip


def _thresholds(page: Page, study: Study) -> None:
    """Put the thresholds beside those of the threshold equation."""
    if not len(study.thresholds):
        return
    page.add_heading("Thresholds beside the threshold equation")
    page.add_text(
        "Where the slope of the membrane current turns positive, with sodium activation at "
        "its steady value and slower gates held (Platkiewicz & Brette 2010): where the cell "
        "fires by itself. No extractor claims to measure it, so none is wrong by it; the "
        "difference says how late its threshold is. Cells of conductances only."
    )
    page.add_table(study.thresholds, caption="Medians, mV and s, with 95 % intervals.")


def _where_it_breaks(page: Page, study: Study) -> None:
    page.add_heading("Where each breaks")
    bad = study.outcomes[study.outcomes["ok"] < study.outcomes["recordings"]]
    page.add_table(bad, caption="Failures, hangs and crashes.") if len(bad) else page.add_text(
        "No extractor failed."
    )
    found = study.findings[study.findings["column"].isin(["wrong", "missing", "unit"])]
    counted = found.groupby(["extractor", "column", "feature"], sort=False)["where"]
    rows = counted.agg(conditions="count", first="first").reset_index()
    page.add_table(
        rows.sort_values("conditions", ascending=False).head(_ROWS),
        caption="Wrong without a flag, missing, and wrong units: in how many conditions.",
    )


def _effects(page: Page, effects: pd.DataFrame) -> None:
    if not len(effects):
        return
    page.add_heading("What moves each error")
    page.add_table(
        strong_effects(effects).head(_ROWS),
        caption="Main effects of the screening block beyond three standard errors, in "
        "between-cell spreads.",
    )


def _others(study: Study, feature: str) -> dict[str, str]:
    rows = study.scores[
        (study.scores["feature"] == feature) & (study.scores["definition"] != "")
    ]
    return dict(zip(rows["extractor"], rows["definition"], strict=True))
