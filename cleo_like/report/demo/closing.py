"""The end of the demonstration: what the ground-truth study found, and how to repeat it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleo_like.report.page import Link, Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PAGE = "groundtruth.html"
_STUDY = "cleo-like groundtruth run --quick"
CODE = """
import cleo_like as cl
from cleo_like.report import relief_figure

stimulus = cl.from_image({picture}, "1 s", "10 kHz", amplitude=("-60 pA", "60 pA"), rows=64)
electrode = cl.IdealElectrode(noise="0.2 mV", lowpass="2 kHz")
(recording,) = cl.record("rs", stimulus, electrode=electrode, seed={seed})
relief_figure(cl.relief(recording), recording).savefig("relief.png")
cl.write(recording, "rs.abf")
"""
"""Repeats the first drawing of the page."""


def groundtruth_part(
    page: Page, folder: Path, say: Callable[[str], Any], *, overwrite: bool
) -> None:
    """Show the headline of the quick study that comes with the package, and link its page.

    Parameters
    ----------
    page : Page
        Grows by the section of this part.
    folder : Path
        For the page of the study.
    say : callable
        Told, line by line, what is being done.
    overwrite : bool
        Whether an earlier page may be replaced.
    """
    from cleo_like.groundtruth.advise import reference_scores
    from cleo_like.report.plots.groundtruth import packaged_figure

    scores = reference_scores(None)
    words = (
        "Cells whose answers are known, recorded at several noises, rates and filters, and "
        "measured by several extractors: the scores of the quick study that come with this "
        f"version. {_STUDY} runs it again (minutes), and gives intervals."
    )
    study = Page("Ground truth: the quick study")
    study.add_text(words)
    study.add_figure(
        packaged_figure(),
        caption="Median error against noise at 50 kHz behind a filter of 10 kHz.",
        alt="Median error of six features against noise, for each extractor.",
    )
    for condition, rows in scores.groupby("condition", sort=False):
        study.add_heading(str(condition), level=2)
        study.add_table(
            rows.pivot(index="feature", columns="extractor", values="bias").reset_index(),
            caption="Bias in the unit of the catalogue; unknown: never a value.",
        )
    study.save(folder / _PAGE, overwrite=overwrite)
    say(f"study      {folder / _PAGE}")
    page.add_heading("Which extractor is right")
    page.add_text(words)
    page.add_figure(
        packaged_figure(),
        caption="Median error against noise at 50 kHz behind a filter of 10 kHz.",
        alt="Median error of six features against noise, for each extractor.",
        dpi=110,
    )
    page.add_links([Link(text="All conditions and features", href=_PAGE)])


def provenance_part(page: Page, seed: int, picture: str | Path | None) -> None:
    """Say with which versions and seed the page was made, and how to make it again.

    Parameters
    ----------
    page : Page
        Grows by the section of this part.
    seed : int
        Seed of all noise.
    picture : path, optional
        The picture that was drawn; None is the photograph of matplotlib.
    """
    from cleo_like import __version__
    from cleo_like.report.versions import version_table

    versions = version_table()
    page.add_heading("How this page was made")
    page.add_table(
        {"cleo_like": __version__, "seed": seed}
        | {name: versions[name] for name in ("python", "C++ compiler", "brian2", "numpy")},
        caption="Versions and seed; with the same the numbers are the same.",
    )
    given = "" if picture is None else f' --picture "{picture}"'
    page.add_code(f"pip install cleo_like=={__version__}\ncleo-like demo --seed {seed}{given}")
    page.add_text("The first drawing alone, in Python:")
    photograph = (
        'get_sample_data("grace_hopper.jpg", asfileobj=False)'
        if picture is None
        else repr(str(picture))
    )
    code = CODE.format(picture=photograph, seed=seed)
    if picture is None:
        code = "from matplotlib.cbook import get_sample_data\n" + code
    page.add_code(code)
