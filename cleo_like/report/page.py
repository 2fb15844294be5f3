"""A report as one HTML file that needs nothing else: figures inside, no network, no script."""

from __future__ import annotations

import base64
import functools
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import InputError
from cleo_like.core.files import atomic_path, check_output

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure


_LONG = 30
"""Characters from which a text in a table is a sentence."""


@attrs.frozen(kw_only=True)
class Link:
    """A cell of a table, or an item of a line, that leads somewhere.

    Parameters
    ----------
    text : str
        What is read.
    href : str
        Where it leads, relative to the page.
    """

    text: str
    href: str


@attrs.frozen(kw_only=True)
class Picture:
    """A cell of a table that is a small picture in a file beside the page.

    Parameters
    ----------
    src : str
        The file, relative to the page.
    alt : str
        What it shows, in words.
    href : str
        Where it leads.
    """

    src: str
    alt: str
    href: str


class Page:
    """A page that grows from top to bottom and is saved as one file.

    All text is escaped: nothing that is added can become markup.

    Parameters
    ----------
    title : str
        Title of the page and of the browser window.
    contents : bool
        Whether a list of the sections, with links, stands at the top.

    Examples
    --------
    >>> page = Page("A cell")
    >>> page.add_heading("Passive").add_table([{"R (MOhm)": 201.5, "tau (ms)": None}])
    Page 'A cell' of 2 parts
    """

    def __init__(self, title: str, *, contents: bool = False) -> None:
        self.title = title
        self._sections: list[Link] | None = [] if contents else None
        self._parts: list[str] = []
        self._figures = 0

    def add_heading(self, text: str, *, level: int = 2) -> Page:
        """Add a heading.

        Parameters
        ----------
        text : str
            The heading.
        level : int
            2 (section) or 3 (below a section); the title of the page is 1.
        """
        if level not in (2, 3):
            msg = f"level of a heading must be 2 or 3, got {level}"
            raise InputError(msg)
        anchor = self._anchor(text)
        if level == 2 and self._sections is not None:
            self._sections.append(Link(text=text, href=f"#{anchor}"))
        return self._add("heading", text=text, level=level, anchor=anchor)

    def add_text(self, text: str) -> Page:
        """Add text; empty lines separate paragraphs."""
        paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
        return self._add("paragraphs", parts=paragraphs)

    def add_code(self, text: str) -> Page:
        """Add lines of code as they are."""
        return self._add("code", text=text.strip("\n"))

    def add_list(self, items: Iterable[str]) -> Page:
        """Add a bulleted list."""
        lines = list(items)
        return self._add("bullets", items=lines) if lines else self

    def add_links(self, links: Iterable[Link]) -> Page:
        """Add a line of links."""
        return self._add("links", items=[attrs.asdict(link) for link in links])

    def add_table(
        self,
        table: pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
        *,
        columns: Sequence[str] | None = None,
        caption: str = "",
        digits: int | None = None,
    ) -> Page:
        """Add a table; None and NaN are shown as "unknown", `Link` and `Picture` as such.

        Parameters
        ----------
        table : DataFrame, sequence of mappings, or mapping
            A mapping becomes rows of name and value.
        columns : sequence of str, optional
            Columns to show, in order; None shows all.
        caption : str
            Line above the table.
        digits : int, optional
            Decimals of all numbers that are not whole; None gives four significant digits.

        Raises
        ------
        InputError
            A column that is not there.
        """
        rows, found = _rows_of(table)
        names = list(columns) if columns is not None else found
        missing = [name for name in names if name not in found]
        if missing:
            msg = (
                f"the table has no column {missing[0]!r}; it has: {', '.join(map(str, found))}"
            )
            raise InputError(msg)
        return self._add(
            "table",
            columns=[_column(n, [row.get(n) for row in rows]) for n in names],
            rows=[[_shown(row.get(n), digits) for n in names] for row in rows],
            caption=caption,
        )

    def add_figure(
        self, figure: Figure, *, caption: str = "", alt: str = "", dpi: int = 150
    ) -> Page:
        """Add a figure as a picture inside the page.

        Parameters
        ----------
        figure : Figure
            Any figure of matplotlib.
        caption : str
            Line below the figure.
        alt : str
            What the figure shows, for those who cannot see it; the caption where empty.
        dpi : int
            Resolution.

        Raises
        ------
        InputError
            Neither caption nor alternative text.
        """
        spoken = alt if alt else caption
        if not spoken:
            msg = "a figure needs alt= (what it shows, in words) or a caption"
            raise InputError(msg)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        data = base64.b64encode(buffer.getvalue()).decode("ascii")
        width = round(figure.get_figwidth() * dpi)
        height = round(figure.get_figheight() * dpi)
        self._figures += 1
        return self._add(
            "figure", data=data, alt=spoken, caption=caption, width=width, height=height
        )

    def html(self) -> str:
        """Give the whole page as text."""
        sections = [attrs.asdict(link) for link in self._sections or ()]
        return str(_macros().page(title=self.title, parts=self._parts, sections=sections))

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the page; the file appears whole or not at all.

        Parameters
        ----------
        path : str or Path
            The file.
        overwrite : bool
            Whether an existing file may be replaced.
        """
        check_output(path, overwrite=overwrite)
        with atomic_path(path, overwrite=overwrite) as temporary:
            temporary.write_text(self.html(), encoding="utf-8")

    def __repr__(self) -> str:
        """One line: title and size."""
        return f"Page {self.title!r} of {len(self._parts)} parts"

    def _add(self, kind: str, **what: Any) -> Page:
        self._parts.append(getattr(_macros(), kind)(**what))
        return self

    def _anchor(self, text: str) -> str:
        word = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        return f"{word if word else 'part'}-{len(self._parts) + 1}"


@functools.cache
def _macros() -> Any:
    """Templates of the parts; they escape whatever they are given."""
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("cleo_like.report", "")
    return Environment(loader=loader, autoescape=True).get_template("page.html.jinja").module


def _rows_of(
    table: pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Give rows and column names of whatever kind of table."""
    if hasattr(table, "to_dict") and hasattr(table, "columns"):  # a DataFrame
        frame: Any = table
        return frame.to_dict("records"), list(frame.columns)
    if isinstance(table, Mapping):
        return [{"name": k, "value": v} for k, v in table.items()], ["name", "value"]
    rows = list(table)
    if not all(isinstance(row, Mapping) for row in rows):
        msg = "a table must be a DataFrame, a mapping, or a sequence of mappings"
        raise InputError(msg)
    return rows, list(dict.fromkeys(name for row in rows for name in row))


def _column(name: str, values: Sequence[object]) -> dict[str, Any]:
    """Say how a column is set: numbers to the right, sentences not narrower than a phone."""
    longest = max((len(value) for value in values if isinstance(value, str)), default=0)
    return {"name": name, "numeric": _is_numeric(values), "long": longest > _LONG}


def _is_unknown(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and (
        isinstance(value, (int, float)) or (hasattr(value, "dtype") and hasattr(value, "item"))
    )


def _is_numeric(values: Sequence[object]) -> bool:
    known = [value for value in values if not _is_unknown(value)]
    return bool(known) and all(map(_is_number, known))


def _shown(value: object, digits: int | None = None) -> str | dict[str, str] | None:
    """Give a value as text, a link or picture as its parts; None where it is unknown."""
    if isinstance(value, (Link, Picture)):
        return attrs.asdict(value)
    plain = value.item() if hasattr(value, "item") else value
    if _is_unknown(plain):
        return None
    if not isinstance(plain, float):
        return str(plain)
    text = f"{plain:.4g}" if digits is None else f"{plain:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text
