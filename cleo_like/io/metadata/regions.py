"""A brain region as people write it -> a structure of the Allen CCF, or why it stays open."""

from __future__ import annotations

import functools
import re
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.io.metadata.subject import genus_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_LAYER = r"(?:1|2/3|2-3|2|3|4|5a|5b|5/6|5|6a|6b|6|i|ii/iii|ii|iii|iv|v|vi)"
_SUFFIX = re.compile(r"^(?P<area>[A-Z][A-Za-z-]*?[a-zA-Z])(?P<layer>1|2/3|2|3|4|5|6a|6b|6)$")
_SPOKEN = re.compile(
    rf"\b(?:layers?\s*|l)(?P<layer>{_LAYER})(?:\s*(?:-|to|and|/)\s*{_LAYER})?\b", re.IGNORECASE
)
_SUPRAGRANULAR = re.compile(
    r"\b(supragranular|infragranular|granular)( layers?)?\b", re.IGNORECASE
)
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
_SEPARATORS = re.compile(r"\s*(?:,|;|\+|&|\band\b|/(?!\d))\s*")


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
        if self.acronym is None or self.layer is None or self.acronym in _ccf():
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
    plain = _plain(inner)
    told = functools.partial(Region, text=written)
    if plain in _table()["missing"]:
        return told(status="missing", reason="no region is given")
    words = plain.split()
    if plain in _table()["not_anatomy"] or set(words) & _table()["not_anatomy_words"]:
        return told(status="not anatomy", reason="describes a preparation or a part of a cell")
    kinds = _kinds(species)
    if kinds == {"primate"}:
        return _primate(told, inner, plain)
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


def _plain(text: str) -> str:
    """Lower case, one blank between words, no punctuation but that within words."""
    lower = re.sub(r"[()\[\],;:.\"']+|[_/]|(?<!\w)-|-(?!\w)", " ", text.lower())
    out = re.sub(r"\s+", " ", lower).strip()
    return out if out or not text else text.lower().strip()


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


def _primate(told: Any, text: str, plain: str) -> Region:
    terms: Mapping[str, str] = _table()["primate"]
    layer, rest = _without_layer(text)
    for candidate in (plain, _plain(rest), _benign(_plain(rest))):
        if candidate in terms:
            return told(
                status="no CCF term", name=terms[candidate], layer=layer,
                reason="the CCF is an atlas of the mouse",
            )  # fmt: skip
    if layer is not None and not _benign(_plain(rest)):
        return told(status="unresolved", layer=layer, reason="a layer, no region")
    return told(status="unresolved", reason="not a term that the rules know for primates")


def _mouse(told: Any, text: str) -> Region:
    identifier = _IDENTIFIER.search(text)
    if identifier is not None:
        known = _table()["identifiers"].get(f"UBERON:{identifier[1]}")
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
    names = tuple(dict.fromkeys(a for r in named for a in r.acronyms))
    deepest = _deepest(names)
    if len(named) == len(parts) and deepest is not None:
        inner = next(r for r in named if r.acronyms == (deepest,))
        return attrs.evolve(inner, text=one.text)
    if len(names) == 1 and all(
        r.layer and r.status == "unresolved" for r in found if r not in named
    ):
        return attrs.evolve(named[0], text=one.text)
    odd = [p for p, r in zip(parts, found, strict=True) if r.status != "resolved"]
    why = "several regions are named" + (f"; {', '.join(odd)} not known" if odd else "")
    return told(
        status="several" if len(names) > 1 else "unresolved", acronyms=names, reason=why
    )


def _one(told: Any, text: str) -> Region:
    """Resolve a text that names one region."""
    if text in _ccf():
        if _plain(text) in _table()["ambiguous"]:
            return told(status="ambiguous", reason=_table()["ambiguous"][_plain(text)])
        return _resolved(told, text, None, "acronym")
    suffix = _SUFFIX.fullmatch(text)
    if suffix is not None and suffix["area"] in _cortical():
        area, layer = suffix["area"], suffix["layer"]
        found = _resolved(told, area, layer, "acronym with its layer")
        return attrs.evolve(found, acronyms=(text,), name=f"{found.name}, layer {layer}")
    layer, rest = _without_layer(text)
    candidates = [_plain(text), _plain(rest), _benign(_plain(rest))]
    for candidate in dict.fromkeys(candidates):
        if candidate in _table()["ambiguous"]:
            return told(
                status="ambiguous", layer=layer, reason=_table()["ambiguous"][candidate]
            )
        known = _table()["synonyms"].get(candidate, _names().get(candidate))
        if known is not None:
            return _resolved(told, known, layer, "name")
    exact = rest.strip(" ,;")
    if exact in _ccf():
        return _resolved(told, exact, layer, "acronym with its layer")
    if layer is not None and not candidates[-1]:
        return told(status="unresolved", layer=layer, reason="a layer, no region")
    return _with_brackets(told, text)


def _with_brackets(told: Any, text: str) -> Region:
    """Compare a name with the acronym in brackets behind it: both must say the same."""
    found = re.fullmatch(r"\s*(.+?)\s*\(([^()]+)\)\s*", text)
    if found is None:
        return told(status="unresolved", reason="not a term that the rules know")
    one, two = _one(told, found[1]), _one(told, found[2])
    two = two if two.status == "resolved" else _any_case(told, found[2])
    if one.status == two.status == "resolved":
        deepest = _deepest((*one.acronyms, *two.acronyms))
        if deepest is not None:
            return one if one.acronyms == (deepest,) else attrs.evolve(two, text=one.text)
        why = f"the name says {one.acronyms[0]}, the acronym {two.acronyms[0]}"
        return told(status="ambiguous", reason=why)
    if one.status == "resolved" and two.status in ("missing", "unresolved"):
        return told(status="unresolved", reason=f"{found[2]!r} is not known")
    return told(status="unresolved", reason="not a term that the rules know")


_WITHIN = {"HIP": ("CA", "CA1", "CA2", "CA3", "DG", "FC", "IG"), "STRv": ("ACB", "FS", "OT")}


def _is_above(upper: str, lower: str) -> bool:
    """Whether one structure contains another, as far as acronyms and divisions tell."""
    return (
        upper == lower
        or _groups().get(lower) == upper
        or (lower.startswith(upper) and _groups().get(upper) == "Isocortex")
        or lower in _WITHIN.get(upper, ())
        or (upper == "CTX" and _groups().get(lower) == "Isocortex")
    )


def _deepest(acronyms: tuple[str, ...]) -> str | None:
    """Give the structure that lies within all others; None where there is none."""
    for lower in acronyms:
        if all(_is_above(upper, lower) for upper in acronyms):
            return lower
    return None


def _any_case(told: Any, text: str) -> Region:
    near = [a for a in _ccf() if a.lower() == text.strip().lower()]
    if len(near) == 1:
        return _resolved(told, near[0], None, "acronym")
    return told(status="unresolved", reason="not a term that the rules know")


def _without_layer(text: str) -> tuple[str | None, str]:
    """Take "layer 2/3", "L5" or "supragranular" out of a text."""
    found = _SPOKEN.search(text)
    if found is None:
        return None, _SUPRAGRANULAR.sub(" ", text)
    return found["layer"].lower(), _SUPRAGRANULAR.sub(
        " ", text[: found.start()] + " " + text[found.end() :]
    )


def _benign(plain: str) -> str:
    """Leave out words that change nothing about the place, at the ends and between."""
    return " ".join(w for w in plain.split() if w not in _table()["harmless"])


def _resolved(told: Any, acronym: str, layer: str | None, how: str) -> Region:
    return told(
        status="resolved", acronyms=(acronym,), name=_ccf()[acronym], group=_groups()[acronym],
        layer=layer if acronym in _cortical() or layer is None else None, reason=how,
    )  # fmt: skip


@functools.cache
def _ccf() -> dict[str, str]:
    """Acronym to name, in the order of the ontology."""
    text = (resources.files("cleo_like.io.metadata") / "ccf.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {row[0]: row[1] for row in rows}


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


@functools.cache
def _groups() -> dict[str, str | None]:
    """Large division of each structure: the ontology lists them one after another."""
    out: dict[str, str | None] = {}
    now: str | None = None
    for acronym in _ccf():
        now = acronym if acronym in _DIVISIONS else now
        out[acronym] = now
    return out | {"CNU": None, "BS": None, "IB": None, "HB": None}


@functools.cache
def _cortical() -> frozenset[str]:
    return frozenset(a for a, g in _groups().items() if g == "Isocortex")


@functools.cache
def _names() -> dict[str, str]:
    """Names of the CCF in plain form to acronyms; an "area" of the cortex is a "cortex" too."""
    out = {_plain(name): acronym for acronym, name in _ccf().items()}
    for acronym in _cortical():
        name = _plain(_ccf()[acronym])
        if name.endswith(" area"):
            out.setdefault(f"{name.removesuffix(' area')} cortex", acronym)
    return out


@functools.cache
def _table() -> dict[str, Any]:
    text = (resources.files("cleo_like.io.metadata") / "regions.toml").read_text("utf-8")
    raw = tomllib.loads(text)
    plain = {
        k: {_plain(t): v for t, v in raw[k].items()}
        for k in ("ambiguous", "synonyms", "primate")
    }
    sets = {
        k: frozenset(_plain(t) for t in raw[k])
        for k in ("missing", "not_anatomy", "not_anatomy_words", "harmless")
    }
    return {**plain, **sets, "identifiers": raw["identifiers"]}
