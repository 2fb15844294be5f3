"""The demonstration: every instrument once, and one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import ExistingFileError
from cleo_like.core.files import check_output

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run_demo"]


def run_demo(
    out: str | Path,
    *,
    picture: str | Path | None = None,
    seed: int = 1,
    overwrite: bool = False,
    say: Callable[[str], Any] = print,
) -> Path:
    """Run the whole flow: patch clamp on single cells, then imaging of a population.

    A photograph becomes a stimulus file; a regular-spiking, a fast-spiking and a passive cell
    draw it; six library cells are recorded with long squares; both are written as ABF and NWB.
    Then a population is imaged, and its fluorescence held at a set point in closed loop, and
    two minutes of an image-change session are simulated. All is summed up on one page, with the
    headline of the ground-truth study and what it takes to make the page again.

    Parameters
    ----------
    out : path
        Folder for the files (made when missing).
    picture : path, optional
        Your own picture; None is a photograph that matplotlib ships.
    seed : int
        Seed of all noise.
    overwrite : bool
        Whether what an earlier run left in the folder may be replaced.
    say : callable
        Told, line by line, what is being done.

    Returns
    -------
    Path
        The page, ``index.html`` in `out`.
    """
    from cleo_like.report.demo.closing import groundtruth_part, provenance_part
    from cleo_like.report.demo.imaging import imaging_part
    from cleo_like.report.demo.patch import patch_part
    from cleo_like.report.demo.session import session_part
    from cleo_like.report.page import Page

    folder = _free_folder(Path(out), overwrite=overwrite)
    title = "A picture drawn by neurons, and a population held in closed loop"
    page = Page(title, contents=True)
    patch_part(page, folder, picture, seed, say, overwrite=overwrite)
    imaging_part(page, seed, say)
    session_part(page, seed, say)
    groundtruth_part(page, folder, say, overwrite=overwrite)
    provenance_part(page, seed, picture)
    page.save(folder / "index.html", overwrite=overwrite)
    return folder / "index.html"


def _free_folder(folder: Path, *, overwrite: bool) -> Path:
    check_output(folder / "index.html", overwrite=True)
    if not overwrite and folder.is_dir() and any(folder.iterdir()):
        msg = (
            f"{folder} is not empty; give another folder, or --overwrite (overwrite=True) to "
            "replace what an earlier run left there"
        )
        raise ExistingFileError(msg)
    return folder
