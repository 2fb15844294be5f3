"""A brain region as people write it -> a structure of the Allen CCF, or why it stays open."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.io.metadata.layers import without_layer
from cleo_like.io.metadata.ontology import (
    any_case,
    ccf,
    cortical,
    deepest,
    groups,
    layered,
    names,
    plain,
    table,
    within_broad,
)
from cleo_like.io.metadata.subject import genus_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUFFIX = re.compile(r"^(?P<area>[A-Z][A-Za-z-]*?[a-zA-Z])(?P<layer>1|2/3|2|3|4|5|6a|6b|6)$")
_PAIRS = re.compile(
    r"""['"]?\b(area|region|location|structure|brain_?region|brain_?area|name)['"]?\s*[:=]\s*"""
    r"""(?:'([^']*)'|"([^"]*)"|([^,;{}]*))""",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"\bUBERON[:_](\d{7})\b", re.IGNORECASE)
_KINDS = {
    "Mus": "mouse", "Rattus": "rat", "Homo": "primate", "Macaca": "primate",
    "Callithrix": "primate",
}  # fmt: skip
_SEPARATORS = re.compile(r"\s*(?:,|;|\+|&|>|\||\band\b|/(?!\d))\s*")
_SUBFIELD = re.compile(r"\b(CA[123])[abc]\b")  # of Lorente de No; the CCF has the fields only


@attrs.frozen(kw_only=True)
class Region:
    """What a text says about where a cell was.

    Parameters
    ----------
    text : str
        As written.
    status : str
        "resolved"; "no CCF term" (a place in a species, or a part of the nervous system, that
        the mouse atlas does not have); "several", "ambiguous", "not anatomy", "missing",
        "unresolved".
    acronyms : tuple of str
        Allen CCF; one when resolved, those that were named when several.
    name : str, optional
        Name in the CCF, or the plain term.
    group : str, optional
        Large division of the brain ("Isocortex", "TH").
    layer : str, optional
        "2/3".
    reason : str
        Why it stays open, or by which rule it was resolved.
    """

    text: str
    status: str
    acronyms: tuple[str, ...] = ()
    name: str | None = None
    group: str | None = None
    layer: str | None = None
    reason: str = ""

    @property
    def acronym(self) -> str | None:
        """The structure; None unless exactly one is known."""
        return self.acronyms[0] if self.status == "resolved" else None

    @property
    def area(self) -> str | None:
        """The structure without its layer ("VISp" of "VISp2/3"), to group by."""
        if self.acronym is None or self.layer is None or self.acronym in ccf():
            return self.acronym
        return self.acronym.removesuffix(self.layer)


def region_of(text: object, species: str | None = "Mus musculus") -> Region:
    """Resolve a region by rules; what they do not know for certain stays open.

    Parameters
    ----------
    text : str or None
        As in a file: an acronym, a name, a sentence, a dictionary written as text.
    species : str, optional
        As written; the Allen CCF is an atlas of the mouse, and "V1" of a monkey is not in it.

    Returns
    -------
    Region

    Examples
    --------
    >>> region_of("layer 2/3 of V1").acronym, region_of("VISp2/3").area
    ('VISp', 'VISp')
    >>> region_of("V1", species="Macaca mulatta").status
    'no CCF term'
    >>> region_of("substantia nigra").reason
    'SNc and SNr lie in different branches of the CCF'
    """
    written = "" if text is None else str(text).strip()
    inner = _inner(written)
    words = plain(inner)
    told = functools.partial(Region, text=written)
    if words in table()["missing"]:
        return told(status="missing", reason="no region is given")
    if words in table()["not_anatomy"] or set(words.split()) & table()["not_anatomy_words"]:
        return told(status="not anatomy", reason="describes a preparation or a part of a cell")
    kinds = _kinds(species)
    if kinds == {"primate"}:
        return _primate(told, inner)
    if species is None and len(inner) < 3:
        return told(status="unresolved", reason="so short a name needs its species")
    if kinds != {"mouse"}:
        return _not_mouse(told, inner, kinds)
    return _mouse(told, inner)


def _inner(text: str) -> str:
    """Take the region out of a dictionary that was written as text."""
    if re.search(r"[{:=]", text) and not _IDENTIFIER.search(text):
        found = _PAIRS.search(text)
        if found is not None:
            return next(g for g in found.groups()[1:] if g is not None).strip()
    return text.strip().strip("'\"")


def _kinds(species: str | None) -> set[str]:
    """Which of mouse, primate, other the species are; several when a text names several."""
    out = set()
    for part in re.split(r"[/;,]| and ", species or "Mus musculus"):
        out.add(_KINDS.get(str(genus_of(part)), "other"))
    return {"mouse"} if out == {"mouse", "rat"} else out


def _not_mouse(told: Any, text: str, kinds: set[str]) -> Region:
    if len(kinds) > 1:
        return told(
            status="unresolved", reason="several species: the same word means several places"
        )
    found = _mouse(told, text)
    if found.status == "resolved":
        return attrs.evolve(
            found, status="no CCF term", acronyms=(), group=None,
            reason="the CCF is an atlas of the mouse",
        )  # fmt: skip
    return found


def _primate(told: Any, text: str) -> Region:
    terms: Mapping[str, str] = table()["primate"]
    layer, rest = without_layer(text)
    for candidate in (plain(text), plain(rest), *_benign(plain(rest))):
        if candidate in terms:
            return told(
                status="no CCF term", name=terms[candidate], layer=layer,
                reason="the CCF is an atlas of the mouse",
            )  # fmt: skip
    if layer is not None and not _benign(plain(rest))[-1]:
        return told(status="unresolved", layer=layer, reason="a layer, no region")
    return told(status="unresolved", reason="not a term that the rules know for primates")


def _mouse(told: Any, text: str) -> Region:
    identifier = _IDENTIFIER.search(text)
    if identifier is not None:
        known = table()["identifiers"].get(f"UBERON:{identifier[1]}")
        if known is None:
            return told(status="unresolved", reason="an identifier that the rules do not know")
        return _resolved(told, known, None, "identifier")
    one = _one(told, text)
    if one.status != "unresolved":
        return one
    parts = [p for p in _SEPARATORS.split(text) if p]
    found = [_one(told, part) for part in parts]
    named = [r for r in found if r.status == "resolved"]
    if len(parts) < 2 or not named:
        return one
    acronyms = tuple(dict.fromkeys(a for r in named for a in r.acronyms))
    lowest = deepest(acronyms)
    if len(named) == len(parts) and lowest is not None:
        inner = next(r for r in named if r.acronyms == (lowest,))
        return attrs.evolve(inner, text=one.text)
    if len(acronyms) == 1 and all(
        r.layer and r.status == "unresolved" for r in found if r not in named
    ):
        return attrs.evolve(named[0], text=one.text)
    odd = [p for p, r in zip(parts, found, strict=True) if r.status != "resolved"]
    why = "several regions are named" + (f"; {', '.join(odd)} not known" if odd else "")
    return told(
        status="several" if len(acronyms) > 1 else "unresolved", acronyms=acronyms, reason=why
    )


def _one(told: Any, text: str) -> Region:
    """Resolve a text that names one region."""
    if text in ccf():
        if plain(text) in table()["ambiguous"]:
            return told(status="ambiguous", reason=table()["ambiguous"][plain(text)])
        return _resolved(told, text, None, "acronym")
    suffix = _SUFFIX.fullmatch(text)
    if suffix is not None and suffix["area"] in cortical():
        area, layer = suffix["area"], suffix["layer"]
        found = _resolved(told, area, layer, "acronym with its layer")
        return attrs.evolve(found, acronyms=(text,), name=f"{found.name}, layer {layer}")
    layer, rest = without_layer(_SUBFIELD.sub(r"\1", text.replace("_", " ")))
    rest = rest.strip(" ,;-")
    candidates = [plain(text), plain(rest), *_benign(plain(rest))]
    for candidate in dict.fromkeys(candidates):
        if candidate in table()["ambiguous"]:
            return told(status="ambiguous", layer=layer, reason=table()["ambiguous"][candidate])
        known = table()["synonyms"].get(candidate, names().get(candidate))
        if known is not None:
            return _resolved(told, known, layer, "name")
    for word in dict.fromkeys((rest, _without_cells(rest))):
        acronym = _acronym(word)
        if acronym is not None:
            return _resolved(told, acronym, layer, "acronym with its layer")
    if layer is not None and not candidates[-1]:
        return told(status="unresolved", layer=layer, reason="a layer, no region")
    within = _in_context(told, rest, layer)
    return within if within is not None else _with_brackets(told, text)


def _acronym(word: str) -> str | None:
    """Give the structure of an acronym; in another case where it can be no word ("TeA")."""
    if word in ccf():
        return word
    near = any_case().get(word.lower())
    if near is None or word.lower() in table()["ambiguous"]:
        return None
    shouted = len(word) > 2 and word[1:] != word[1:].lower()
    spoken = len(word) > 3 and near in cortical()
    return near if shouted or spoken else None


def _in_context(told: Any, text: str, layer: str | None) -> Region | None:
    """Resolve a place with the larger one that it lies in: "amygdala BLA", "LP thalamus"."""
    words = text.split()
    for k in range(1, len(words)):
        for part, whole in ((words[k:], words[:k]), (words[:k], words[k:])):
            inner = _acronym(" ".join(part)) or _known(" ".join(part))
            outer = plain(" ".join(whole))
            if inner is None:
                continue
            around = table()["synonyms"].get(outer, names().get(outer))
            if within_broad(outer, inner) or (
                around is not None and around != inner and deepest((around, inner)) == inner
            ):
                return _resolved(told, inner, layer, "a place and what it lies in")
    return None


def _known(text: str) -> str | None:
    """Give the structure of a name that stands for one."""
    if plain(text) in table()["ambiguous"]:
        return None
    found: str | None = table()["synonyms"].get(plain(text), names().get(plain(text)))
    return found


def _with_brackets(told: Any, text: str) -> Region:
    """Compare a name with the acronym in brackets behind it: both must say the same."""
    found = re.fullmatch(r"\s*(.+?)\s*\(([^()]+)\)\s*", text)
    if found is None:
        return told(status="unresolved", reason="not a term that the rules know")
    one, two = _one(told, found[1]), _one(told, found[2])
    two = two if two.status == "resolved" else _any_case(told, found[2], two)
    if one.status == two.status == "resolved":
        lowest = deepest((*one.acronyms, *two.acronyms))
        if lowest is not None:
            return one if one.acronyms == (lowest,) else attrs.evolve(two, text=one.text)
        why = f"the name says {one.acronyms[0]}, the acronym {two.acronyms[0]}"
        return told(status="ambiguous", reason=why)
    said = plain(found[2])
    if one.status == "resolved" and (two.status == "ambiguous" or said in _fillers()):
        return attrs.evolve(one, text=one.text)  # a name decides what its acronym means
    if one.status == "ambiguous" and two.status == "resolved":
        inner = two.acronyms[0]
        if within_broad(plain(found[1]), inner):
            return attrs.evolve(two, text=one.text)
    if one.status == "resolved" and two.status in ("missing", "unresolved"):
        return told(status="unresolved", reason=f"{found[2]!r} is not known")
    return told(status="unresolved", reason="not a term that the rules know")


def _fillers() -> frozenset[str]:
    """Words that change nothing about a place, or tell which end of it."""
    words: frozenset[str] = table()["harmless"] | table()["directions"]
    return words


def _any_case(told: Any, text: str, other: Region) -> Region:
    near = any_case().get(text.strip().lower())
    if near is not None and other.status == "unresolved":
        return _resolved(told, near, None, "acronym")
    return other


def _benign(words: str) -> tuple[str, ...]:
    """Leave out what changes nothing, step by step: words of cells, of places, and ends."""
    steps = ("of_cells",), ("of_cells", "harmless"), ("of_cells", "harmless", "directions")
    out = []
    for kinds in steps:
        dropped = frozenset[str]().union(*(table()[kind] for kind in kinds))
        out.append(" ".join(w for w in words.split() if w not in dropped))
    return tuple(out)


def _without_cells(text: str) -> str:
    """Leave out words about cells and ends of a place, other words in their case."""
    dropped = table()["of_cells"] | _fillers()
    return " ".join(w for w in text.split() if plain(w) not in dropped).strip(" ,;-")


def _resolved(told: Any, acronym: str, layer: str | None, how: str) -> Region:
    return told(
        status="resolved", acronyms=(acronym,), name=ccf()[acronym], group=groups()[acronym],
        layer=layer if layered(acronym) else None, reason=how,
    )  # fmt: skip
