"""What traces are, by the names that their makers gave them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cleo_like.io.nwb.ophys.reader.contents import RoiSeries

_WORDS = (
    ("dff", r"df_?(over)?_?f\b|df_?over_?f|dfof|dff|df/f|delta_?f"),
    ("neuropil", r"neuropil|fneu"),
    ("filtered_events", r"filtered_?event"),
    ("events", r"deconv|event|spike|spks|infer"),
    ("denoised", r"denois"),
    ("baseline", r"baseline"),
    ("background", r"background"),
    ("corrected", r"corrected"),
    ("demixed", r"demix"),
)
"""Kind, and what its names have in common; the first that fits counts."""
PREFERRED = ("dff", "fluorescence", "corrected", "demixed")
"""What is read where no kind of trace is asked for: the first that there is."""


def kind_of_series(series: RoiSeries) -> str:
    """Tell what traces are: by their own name, their container's, or its type."""
    thing = series.thing
    own = thing.name.lower()
    if thing.container_kind == "DfOverF" and not re.search(r"neuropil|fneu", own):
        return "dff"
    for text in (own, thing.container.lower()):
        for kind, pattern in _WORDS:
            if re.search(pattern, text):
                return kind
    return "fluorescence"


def named_series(many: Iterable[RoiSeries]) -> dict[str, RoiSeries]:
    """Give each series a name: its kind, or its place where two are of one kind."""
    found: dict[str, RoiSeries] = {}
    for series in many:
        kind = kind_of_series(series)
        place = series.thing.path.removeprefix("processing/")
        found[kind if kind not in found else place] = series
    return found
