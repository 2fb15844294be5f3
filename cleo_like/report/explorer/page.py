"""`explore`: write the page."""

from __future__ import annotations

import html
import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from cleo_like.core.errors import InputError
from cleo_like.core.files import atomic_path, check_output
from cleo_like.report.explorer.data import packed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from cleo_like.atlas import Atlas


def explore(
    atlas: Atlas,
    path: str | Path,
    *,
    traces: Mapping[str, Sequence[np.ndarray | None]] | None = None,
    trace_names: Sequence[str] = ("negative step", "rheobase", "first spike"),
    title: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a map as one HTML file to explore in a browser, from the disk, without a network.

    Colour by any feature or label, filters, lasso, parallel coordinates, neighbours, landmarks,
    a searchable table, links to DANDI, a CSV of the shown cells with what to cite.

    Parameters
    ----------
    atlas : Atlas
        The map.
    path : str or Path
        The file.
    traces : mapping of str to sequence of array, optional
        Id of a cell to traces that are shown when it is pointed at, in the order of
        `trace_names`; None for a missing one.
    trace_names : sequence of str
        What the traces are.
    title : str, optional
        The name of the map when not given.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        Another suffix than .html.
    ExistingFileError
        The file exists.
    """
    if Path(path).suffix.lower() not in (".html", ".htm"):
        msg = f"the page is written as .html, got {Path(path).name!r} (a picture: atlas_figure)"
        raise InputError(msg)
    check_output(path, overwrite=overwrite)
    assets = resources.files("cleo_like.report.explorer") / "assets"
    made = packed(atlas, traces, trace_names)
    named = html.escape(title if title is not None else f"Atlas: {atlas.name}")
    page = (assets / "page.html").read_text("utf-8")
    pieces = {
        "@TITLE@": named,
        "@CSS@": (assets / "explorer.css").read_text("utf-8"),
        "@TOLD@": _inside_script(json.dumps(made.told, ensure_ascii=False)),
        "@PACKED@": made.packed,
        "@SCATTER@": (assets / "regl-scatterplot.js").read_text("utf-8"),
        "@SCRIPT@": (assets / "explorer.js").read_text("utf-8"),
    }
    out = []
    for line in page.splitlines(keepends=True):
        key = next((k for k in pieces if k in line), None)
        out.append(line if key is None else line.replace(key, pieces[key]))
    with atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_text("".join(out), "utf-8")
    return Path(path)


def _inside_script(text: str) -> str:
    """Keep JSON from ending its script element, whatever names the cells have."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
