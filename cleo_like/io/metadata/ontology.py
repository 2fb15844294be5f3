"""The structures of the Allen CCF, how they contain each other, and the tables of words."""

from __future__ import annotations

import functools
import re
import tomllib
from importlib import resources
from typing import Any

_DIVISIONS = (
    "Isocortex",
    "OLF",
    "HPF",
    "CTXsp",
    "STR",
    "PAL",
    "TH",
    "HY",
    "MB",
    "P",
    "MY",
    "CB",
)
_WITHIN = {
    "HIP": ("CA", "CA1", "CA2", "CA3", "DG", "FC", "IG"),
    "STRv": ("ACB", "FS", "OT"),
    "STRd": ("CP",),
    "VP": ("VPM", "VPL", "VPMpc", "VPLpc"),
}
_LAYERED = ("ENT", "ENTl", "ENTm", "ENTmv", "PIR", "PAR", "POST", "PRE", "COA", "RHP", "TT")
"""Outside the isocortex: structures whose layers people name."""


@functools.cache
def ccf() -> dict[str, str]:
    """Acronym to name, in the order of the ontology."""
    text = (resources.files("cleo_like.io.metadata") / "ccf.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {row[0]: row[1] for row in rows}


@functools.cache
def groups() -> dict[str, str | None]:
    """Large division of each structure: the ontology lists them one after another."""
    out: dict[str, str | None] = {}
    now: str | None = None
    for acronym in ccf():
        now = acronym if acronym in _DIVISIONS else now
        out[acronym] = now
    return out | {"CNU": None, "BS": None, "IB": None, "HB": None}


@functools.cache
def cortical() -> frozenset[str]:
    """Areas of the isocortex."""
    return frozenset(a for a, g in groups().items() if g == "Isocortex")


def layered(acronym: str) -> bool:
    """Whether a structure has layers that people name."""
    return acronym in cortical() or acronym in _LAYERED


@functools.cache
def names() -> dict[str, str]:
    """Names of the CCF in plain form to acronyms; an "area" of the cortex is a "cortex" too."""
    out = {plain(name): acronym for acronym, name in ccf().items()}
    for acronym in cortical():
        name = plain(ccf()[acronym])
        if name.endswith(" area"):
            out.setdefault(f"{name.removesuffix(' area')} cortex", acronym)
    return out


@functools.cache
def any_case() -> dict[str, str]:
    """Acronyms in lower case, where only one is spelt so."""
    seen: dict[str, list[str]] = {}
    for acronym in ccf():
        seen.setdefault(acronym.lower(), []).append(acronym)
    return {low: found[0] for low, found in seen.items() if len(found) == 1}


@functools.cache
def table() -> dict[str, Any]:
    """Words of ``regions.toml``, in plain form."""
    text = (resources.files("cleo_like.io.metadata") / "regions.toml").read_text("utf-8")
    raw = tomllib.loads(text)
    words = {
        k: {plain(t): v for t, v in raw[k].items()}
        for k in ("ambiguous", "synonyms", "primate", "broad")
    }
    sets = {
        k: frozenset(plain(t) for t in raw[k])
        for k in (
            "missing", "not_anatomy", "not_anatomy_words", "harmless", "of_cells", "directions",
        )
    }  # fmt: skip
    return {**words, **sets, "identifiers": raw["identifiers"]}


def plain(text: str) -> str:
    """Lower case, one blank between words, no punctuation but that within words."""
    lower = re.sub(r"[()\[\],;:.\"'>|\\]+|[_/]|(?<!\w)-|-(?!\w)", " ", text.lower())
    out = re.sub(r"\s+", " ", lower).strip()
    return out if out or not text else text.lower().strip()


def is_above(upper: str, lower: str) -> bool:
    """Whether one structure contains another, as far as acronyms and divisions tell."""
    return (
        upper == lower
        or groups().get(lower) == upper
        or (lower.startswith(upper) and groups().get(upper) == "Isocortex")
        or lower in _WITHIN.get(upper, ())
        or (upper == "CTX" and groups().get(lower) == "Isocortex")
    )


def deepest(acronyms: tuple[str, ...]) -> str | None:
    """Give the structure that lies within all others; None where there is none."""
    for lower in acronyms:
        if all(is_above(upper, lower) for upper in acronyms):
            return lower
    return None


def within_broad(word: str, acronym: str) -> bool:
    """Whether a structure belongs to what a broad word ("amygdala", "brainstem") may mean."""
    return any(
        acronym == part or acronym.startswith(part) or groups().get(acronym) == part
        for part in table()["broad"].get(word, ())
    )
