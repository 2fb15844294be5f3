"""The atlas part: the recorded cells are measured and placed on a map, and the map explored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cleo_like.core import Recording
    from cleo_like.report.page import Page

_PAGE = "atlas.html"


def atlas_part(
    page: Page,
    folder: Path,
    steps: list[Recording],
    say: Callable[[str], Any],
    *,
    overwrite: bool,
) -> None:
    """Place recorded cells on the map of simulated populations.

    Parameters
    ----------
    page : Page
        Grows by the section of this part.
    folder : Path
        For the page of the map.
    steps : list of Recording
        Cells recorded with current steps.
    say : callable
        Told what is being done.
    overwrite : bool
        Whether an earlier page may be replaced.
    """
    from cleo_like.atlas import place, simulated_atlas
    from cleo_like.features import extract
    from cleo_like.report.explorer import explore
    from cleo_like.report.page import Link

    say("placing    the recorded cells on a map of simulated populations ...")
    atlas = simulated_atlas()
    placed = place(atlas, extract(steps, progress=False).frame.assign(lab="simulated"))
    explore(atlas, folder / _PAGE, title="Simulated populations", overwrite=overwrite)
    page.add_heading("Where they lie on a map")
    page.add_table(
        [
            {
                "cell": str(row["cell_id"]).removesuffix("-steps"),
                "nearest kind": row["label"],
                "share of the vote": row["share"],
                "outside the map": "yes" if row["outside"] else "no",
                "nearest cells": ", ".join(placed.neighbours(k)["cell_id"].head(3)),
            }
            for k, row in enumerate(placed.table.to_dict("records"))
        ],
        caption=f"Among {len(atlas)} simulated cells of six kinds.",
        digits=2,
    )
    page.add_links([Link(text="The map, to be explored", href=_PAGE)])
