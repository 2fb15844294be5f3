"""The session part: two minutes of flashed pictures, seen by one imaging plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.report.page import Page


def session_part(page: Page, seed: int, say: Callable[[str], Any]) -> None:
    """Simulate a short imaging session, and put its plane on a page.

    Parameters
    ----------
    page : Page
        Grows by the section of this part.
    seed : int
        Seed of everything that is drawn.
    say : callable
        Told, line by line, what is being done.
    """
    from cleo_like.report.plots.session import session_figure
    from cleo_like.sessions import simulate_session

    say("session    two minutes of flashed pictures ...")
    session = simulate_session("short", seed=seed)
    (experiment,) = session.experiments.values()
    say(f"session    {session!r}")
    page.add_heading("A session of flashed pictures")
    page.add_text(
        "Eight pictures made with the statistics of natural ones are flashed, one at a time, "
        "until they change; 5 % of the flashes are left out. Cells answer through Gabor energy "
        "fields, their spikes are simulated in Brian2, and jGCaMP8m makes fluorescence of "
        "them. Tables and files are those that users of the AllenSDK know "
        "(cleo-like session --config short -o session)."
    )
    page.add_figure(
        session_figure(experiment),
        caption="The plane, single cells with their true spikes (ticks), the mean response to "
        "changes, repeats and omissions, and tuning, measured and true.",
        dpi=110,
    )
