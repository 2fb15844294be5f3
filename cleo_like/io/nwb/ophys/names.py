"""Where each kind of trace lies in a file, so that other programs find it there.

roiextractors looks for these very names (0.10: `NwbSegmentationExtractor`); a series with
another name is not found, without a word.
"""

from __future__ import annotations

import re

import attrs

from cleo_like.core.errors import InputError


@attrs.frozen
class Kind:
    """A kind of trace: its container, its series there, its unit, and what it is."""

    container: str
    series: str
    unit: str
    about: str


KINDS = {
    "fluorescence": Kind("Fluorescence", "RoiResponseSeries", "a.u.", "Raw fluorescence"),
    "dff": Kind("DfOverF", "RoiResponseSeries", "dF/F", "Relative change of fluorescence"),
    "neuropil": Kind("Fluorescence", "Neuropil", "a.u.", "Fluorescence around each ROI"),
    "events": Kind("Fluorescence", "Deconvolved", "a.u.", "Events: deconvolved activity"),
    "denoised": Kind("Fluorescence", "Denoised", "a.u.", "Fluorescence without its noise"),
    "baseline": Kind("Fluorescence", "Baseline", "a.u.", "Slow baseline of fluorescence"),
    "background": Kind("Fluorescence", "Background", "a.u.", "Background fluorescence"),
}
"""What is known by name; others go beside the fluorescence, under a name of their own."""

SUMMARY = "SegmentationImages"
"""Container in which roiextractors looks for summary images."""
CENTROIDS = "ROICentroids"
"""Column in which roiextractors and neuroconv keep the centres (x, y) of ROIs, in pixels."""
POSITIONS = "position"
TEMPLATES = "stimulus_templates"
PRESENTATIONS = "stimulus_presentations"

_TAKEN = {kind.series for kind in KINDS.values()}


def kind_of(name: str, quantity: str) -> Kind:
    """Give the place for traces of a name.

    Raises
    ------
    InputError
        No name for NWB can be made of it.
    """
    if name in KINDS:
        return KINDS[name]
    series = camel(name)
    if series in _TAKEN:
        series += "Traces"
    return Kind("Fluorescence", series, "a.u.", f"{name} ({quantity})")


def name_of_quantity(quantity: str) -> str:
    """Name traces that come alone by what they are.

    Examples
    --------
    >>> name_of_quantity("dF/F of jGCaMP8s"), name_of_quantity("raw fluorescence")
    ('dff', 'fluorescence')
    """
    text = quantity.lower()
    if text.startswith(("df/f", "dff", "delta f", "Δf")):
        return "dff"
    return "events" if text.startswith(("event", "spike", "deconvolved")) else "fluorescence"


def camel(name: str) -> str:
    """Make a name that NWB takes for an object.

    Raises
    ------
    InputError
        There is nothing in it that could be a name.

    Examples
    --------
    >>> camel("filtered_events"), camel("F/F0 (raw)")
    ('FilteredEvents', 'FF0Raw')
    """
    words = re.findall(r"[^\W_]+", name)
    if not words:
        msg = f"names of traces, images and arrays need a letter or a digit, got {name!r}"
        raise InputError(msg)
    return "".join(word[0].upper() + word[1:] for word in words)


def plain(name: str) -> str:
    """Make a name that HDF5 and NWB's inspector take: without slashes and colons.

    Raises
    ------
    InputError
        It is empty, or "." or "..".
    """
    made = re.sub(r"[/\\:]", "_", name).strip()
    if made in {"", ".", ".."}:
        msg = f"names of things in an NWB file need a letter or a digit, got {name!r}"
        raise InputError(msg)
    return made


def numbered(name: str, index: int) -> str:
    """Name the thing of plane `index` (from 0); the first has the name that is looked for."""
    return name if index == 0 else f"{name}{index + 1}"
