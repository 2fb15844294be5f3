"""A report as one HTML file that needs nothing else: figures inside, no network, no script."""

from __future__ import annotations

import base64
import html
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import InputError
from cleo_like.core.files import atomic_path, check_output

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

_CSS = """
:root { color-scheme: light; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 68rem; color: var(--ink);
  background: #fff; font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 1.5rem; }
h2 { font-size: 1.35rem; margin: 2.5rem 0 0.75rem; padding-bottom: 0.25rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 1.75rem 0 0.5rem; }
p { max-width: 46rem; margin: 0.75rem 0; }
figure { margin: 1.5rem 0; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption, caption { color: var(--soft); font-size: 0.92rem; text-align: left; }
figcaption { margin-top: 0.5rem; max-width: 46rem; }
caption { padding-bottom: 0.4rem; }
.table { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; font-size: 0.95rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.9rem 0.35rem 0; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; }
th { font-weight: 600; }
td.number, th.number { text-align: right; }
td.unknown { color: var(--soft); font-style: italic; }
@media print { body { padding: 0; max-width: none; } figure, tr { break-inside: avoid; } }
"""


class Page:
    """A page that grows from top to bottom and is saved as one file.

    All text is escaped: nothing that is added can become markup.

    Parameters
    ----------
    title : str
        Title of the page and of the browser window.

    Examples
    --------
    >>> page = Page("A cell")
    >>> page.add_heading("Passive").add_table([{"R (MOhm)": 201.5, "tau (ms)": None}])
    Page 'A cell' of 2 parts
    """

    def __init__(self, title: str) -> None:
        self.title = title
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
        return self._add(f'<h{level} id="{self._anchor(text)}">{_escaped(text)}</h{level}>')

    def add_text(self, text: str) -> Page:
        """Add text; empty lines separate paragraphs."""
        paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
        return self._add("\n".join(f"<p>{_escaped(part)}</p>" for part in paragraphs))

    def add_list(self, items: Iterable[str]) -> Page:
        """Add a bulleted list."""
        lines = "\n".join(f"<li>{_escaped(item)}</li>" for item in items)
        return self._add(f"<ul>\n{lines}\n</ul>") if lines else self

    def add_table(
        self, table: Any, *, columns: Sequence[str] | None = None, caption: str = ""
    ) -> Page:
        """Add a table; None and NaN are shown as "unknown".

        Parameters
        ----------
        table : DataFrame, sequence of mappings, or mapping
            A mapping becomes rows of name and value.
        columns : sequence of str, optional
            Columns to show, in order; None shows all.
        caption : str
            Line above the table.

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
        numeric = {name: _is_numeric([row.get(name) for row in rows]) for name in names}
        head = "".join(
            f'<th scope="col"{_class("number", numeric[n])}>{_escaped(n)}</th>' for n in names
        )
        body = "\n".join(
            "<tr>" + "".join(_cell(row.get(n), numeric[n]) for n in names) + "</tr>"
            for row in rows
        )
        title = f"<caption>{_escaped(caption)}</caption>" if caption else ""
        return self._add(
            f'<div class="table"><table>{title}\n<thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{body}\n</tbody></table></div>"
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
        below = f"<figcaption>{_escaped(caption)}</figcaption>" if caption else ""
        return self._add(
            f'<figure><img src="data:image/png;base64,{data}" alt="{_escaped(spoken)}" '
            f'width="{width}" height="{height}">{below}</figure>'
        )

    def html(self) -> str:
        """Give the whole page as text."""
        body = "\n".join(self._parts)
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{_escaped(self.title)}</title>\n<style>{_CSS}</style>\n</head>\n"
            f"<body>\n<main>\n<h1>{_escaped(self.title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
        )

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

    def _add(self, part: str) -> Page:
        self._parts.append(part)
        return self

    def _anchor(self, text: str) -> str:
        word = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        return f"{word if word else 'part'}-{len(self._parts) + 1}"


def _escaped(text: object) -> str:
    return html.escape(str(text), quote=True)


def _class(name: str, wanted: bool) -> str:  # noqa: FBT001
    return f' class="{name}"' if wanted else ""


def _rows_of(table: Any) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Give rows and column names of whatever kind of table."""
    if hasattr(table, "to_dict") and hasattr(table, "columns"):  # a DataFrame
        return table.to_dict("records"), list(table.columns)
    if isinstance(table, Mapping):
        return [{"name": k, "value": v} for k, v in table.items()], ["name", "value"]
    rows = list(table)
    if not all(isinstance(row, Mapping) for row in rows):
        msg = "a table must be a DataFrame, a mapping, or a sequence of mappings"
        raise InputError(msg)
    return rows, list(dict.fromkeys(name for row in rows for name in row))


def _is_unknown(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and (
        isinstance(value, (int, float)) or (hasattr(value, "dtype") and hasattr(value, "item"))
    )


def _is_numeric(values: Sequence[object]) -> bool:
    known = [value for value in values if not _is_unknown(value)]
    return bool(known) and all(map(_is_number, known))


def _cell(value: Any, numeric: bool) -> str:  # noqa: FBT001
    plain = value.item() if hasattr(value, "item") else value
    if _is_unknown(plain):
        return '<td class="unknown">unknown</td>'
    text = f"{plain:.4g}" if isinstance(plain, float) else str(plain)
    return f"<td{_class('number', numeric)}>{_escaped(text)}</td>"
