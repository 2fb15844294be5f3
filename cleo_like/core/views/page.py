"""What a notebook shows of a noun: its line, a small picture, a table of facts."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

from cleo_like.core.errors import MissingPackageError
from cleo_like.core.views.style import need_matplotlib

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure

_WIDTH = 420  # pixels of the thumbnail on the page


def picture(figure: Figure) -> str:
    """Give a figure as an ``img`` element that needs no file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    source = f"data:image/png;base64,{data}"
    return f'<img alt="" style="width:{_WIDTH}px;max-width:100%" src="{source}">'


def drawn_or_none(draw: Callable[[], Figure | None]) -> Figure | None:
    """Draw, or give None where matplotlib is not installed: a page does without a picture."""
    try:
        need_matplotlib()
    except MissingPackageError:
        return None
    return draw()


def card(line: str, facts: Mapping[str, object], figure: Figure | None = None) -> str:
    """Make the page of one object: a heading, its picture, its facts.

    Parameters
    ----------
    line : str
        The object in one line (its repr); text, not HTML.
    facts : mapping
        Names and values; those that are None are left out.
    figure : Figure, optional
        Drawn beside them.

    Examples
    --------
    >>> card("Sweep 3", {"notes": "a < b", "unknown": None})[:33]
    '<div><b>Sweep 3</b><div style="di'
    """
    rows = "".join(
        f'<tr><th style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(str(value))}</td></tr>'
        for name, value in facts.items()
        if value is not None and value != ""
    )
    drawn = picture(figure) if figure is not None else ""
    table = f"<table>{rows}</table>" if rows else ""
    return (
        f'<div><b>{html.escape(line)}</b><div style="display:flex;flex-wrap:wrap;'
        f'align-items:flex-start;gap:12px">{drawn}{table}</div></div>'
    )
