"""Layers of a cortex as people write them: "L2/3", "layer II", "supragranular"."""

from __future__ import annotations

import re

_LAYER = (
    r"(?:1|2\s*/\s*3|2-3|23|2|3|4|5a|5b|5\s*/\s*6|5-6|56|5|6a|6b|6"
    r"|iii?\s*/\s*iii|ii-iii|iii|ii|iv|i|va|vb|via|vib|vi|v)"
)
_SPOKEN = re.compile(
    rf"(?<![a-z0-9])(?:layers?\s*|lamina\s*|l\.?\s?)(?P<low>{_LAYER})"
    rf"(?:\s*(?:-|to|and|/|&)\s*l?(?P<high>{_LAYER}))?(?![a-z0-9])",
    re.IGNORECASE,
)
_SUPRAGRANULAR = re.compile(
    r"\b(supragranular|infragranular|granular)( layers?)?\b", re.IGNORECASE
)
_ROMAN = {
    "i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "va": "5a", "vb": "5b",
    "via": "6a", "vib": "6b",
}  # fmt: skip
_JOINED = {"2-3": "2/3", "23": "2/3", "5-6": "5/6", "56": "5/6"}


def without_layer(text: str) -> tuple[str | None, str]:
    """Take "layer 2/3", "L5" or "supragranular" out of a text.

    Returns
    -------
    layer, rest : str or None, str
        The layer in arabic numbers ("2/3", "5a"; "2/3-5" of a range), and the other words.

    Examples
    --------
    >>> without_layer("layer II/III of V1"), without_layer("V1 L5A"), without_layer("CA1")
    (('2/3', '  of V1'), ('5a', 'V1  '), (None, 'CA1'))
    """
    found = _SPOKEN.search(text)
    if found is None:
        return None, _SUPRAGRANULAR.sub(" ", text)
    low, high = _arabic(found["low"]), found["high"]
    layer = low if high is None else _range(low, _arabic(high))
    rest = f"{text[: found.start()]} {text[found.end() :]}"
    return layer, _SUPRAGRANULAR.sub(" ", rest)


def _range(low: str, high: str) -> str:
    near = (low, high) in (("2", "3"), ("5", "6"), ("5a", "5b"), ("6a", "6b"))
    return f"{low}/{high}" if near else f"{low}-{high}"


def _arabic(layer: str) -> str:
    text = re.sub(r"\s+", "", layer.lower())
    text = _JOINED.get(text, text)
    return "/".join(_ROMAN.get(part, part) for part in re.split(r"[/-]", text))
