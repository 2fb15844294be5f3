"""Species, age and sex as people write them -> Latin binomial, ISO 8601, NWB's letters."""

from __future__ import annotations

import functools
import re
import tomllib
from importlib import resources

import attrs

_GENERA = {"macaca": "Macaca", "macaque": "Macaca", "macaques": "Macaca", "monkey": "Macaca"}
_STRAINS = re.compile(
    r"\b(c57bl/?6[jn]?|transgenic|wild[- ]?type|adult|juvenile|male|female|lab(oratory)?)\b"
)
_DURATION = re.compile(r"P(?=\d|T\d)(\d+(\.\d+)?Y)?(\d+(\.\d+)?M)?(\d+(\.\d+)?W)?(\d+(\.\d+)?D)?(T(\d+(\.\d+)?H)?(\d+(\.\d+)?M)?(\d+(\.\d+)?S)?)?")  # fmt: skip  # noqa: E501
_AGE = re.compile(
    r"(?:age\s*[=:]?\s*)?(?P<day>p(?:ostnatal|nd|d)?(?:[ _-]?days?)?|day|d|dpn)?\s*[=:]?\s*"
    r"(?P<low>\d+(?:\.\d+)?)"
    r"(?:\s*(?:-|to|–|/)\s*p?(?P<high>\d+(?:\.\d+)?))?\s*-?(?P<unit>[a-z]*)\.?(?:[\s-]*old)?"
)
_UNITS = {
    "d": "D", "day": "D", "days": "D", "dpn": "D", "w": "W", "wk": "W", "wks": "W", "week": "W",
    "weeks": "W", "mo": "M", "mos": "M", "month": "M", "months": "M", "y": "Y", "yr": "Y",
    "yrs": "Y", "year": "Y", "years": "Y", "yo": "Y",
}  # fmt: skip
_SEXES = {
    "m": "M", "male": "M", "males": "M", "man": "M", "f": "F", "female": "F", "females": "F",
    "woman": "F", "\u2642": "M", "\u2640": "F", "u": "U", "unknown": "U",
    "o": "O", "other": "O",
}  # fmt: skip
_DAYS = {"Y": 365.25, "M": 30.44, "W": 7.0, "D": 1.0}
_OLDEST = 125 * _DAYS["Y"]  # of any human or animal: beyond, it is a number of another kind


@attrs.frozen(kw_only=True)
class Species:
    """A species: Latin binomial and NCBI taxon."""

    binomial: str
    taxon: str


@functools.cache
def _species() -> dict[str, tuple[str, frozenset[str]]]:
    text = (resources.files("cleo_like.io.metadata") / "species.toml").read_text("utf-8")
    known = tomllib.loads(text)
    return {name: (row["taxon"], frozenset(row["names"])) for name, row in known.items()}


def species_of(text: object) -> Species | None:
    """Resolve a species by name, synonym or NCBITaxon identifier; None where it is not known.

    Examples
    --------
    >>> species_of("Macaca mulatta ").taxon, species_of("House mouse").binomial
    ('NCBITaxon:9544', 'Mus musculus')
    >>> species_of("macaque") is None  # of three species
    True
    """
    if text is None:
        return None
    written = re.sub(r"\s+", " ", str(text)).strip()
    number = re.search(r"NCBITaxon[:_](\d+)", written, re.IGNORECASE)
    for name, (taxon, synonyms) in _species().items():
        if number is not None:
            if taxon == f"NCBITaxon:{number[1]}":
                return Species(binomial=name, taxon=taxon)
            continue
        parts = [written, *re.split(r"\s+[-–]\s+|\s*[()]\s*", written)]
        for part in parts:
            lower = part.lower().strip(" .")
            plain = re.sub(r"\s+", " ", _STRAINS.sub(" ", lower)).strip()
            if lower in (name.lower(), _short(name)) or {lower, plain} & synonyms:
                return Species(binomial=name, taxon=taxon)
    return None


def _short(name: str) -> str:
    """Give "m. musculus" of "Mus musculus"."""
    genus, _, species = name.lower().partition(" ")
    return f"{genus[0]}. {species}"


def genus_of(text: object) -> str | None:
    """Give the genus where the species is open ("macaque"); None otherwise."""
    found = species_of(text)
    if found is not None:
        return found.binomial.split()[0]
    return _GENERA.get(str(text).lower().strip()) if text is not None else None


def age_of(text: object, unit: str | None = None) -> str | None:
    """Write an age as an ISO 8601 duration, a range with "/"; None where it is not known.

    Parameters
    ----------
    text : str, number or None
        "P30", "P30D", "5-6 weeks", "22 yrs", 57.
    unit : str, optional
        Of a bare number ("days", "years"); without it a bare number is not known.

    Examples
    --------
    >>> age_of("P30"), age_of("5-6 weeks"), age_of("22 yrs"), age_of("NA"), age_of(57, "days")
    ('P30D', 'P5W/P6W', 'P22Y', None, 'P57D')
    """
    if text is None or (isinstance(text, float) and text != text):  # noqa: PLR0124  (NaN)
        return None
    written = str(text).strip()
    iso = written.split("/")
    if all(_DURATION.fullmatch(part) for part in iso) and len(iso) <= 2:
        days = [age_in_days(part) for part in iso]
        return None if any(d is not None and d > _OLDEST for d in days) else written
    found = _AGE.fullmatch(written.lower())
    if found is None:
        return None
    asked = found["unit"] or (unit or "").lower()
    if not asked and found["day"] is not None:
        asked = "d"  # P30 is postnatal day 30
    code = _UNITS.get(asked)
    if code is None:
        return None
    ends = [_number(found[k]) for k in ("low", "high") if found[k] is not None]
    if float(ends[-1]) < float(ends[0]) or float(ends[-1]) * _DAYS[code] > _OLDEST:
        return None
    return "/".join(f"P{end}{code}" for end in ends)


def _number(text: str) -> str:
    value = float(text)
    return str(int(value)) if value == int(value) else str(value)


def age_in_days(age: str | None) -> float | None:
    """Days of an ISO 8601 duration (the middle of a range); None where it is none.

    Examples
    --------
    >>> age_in_days("P5W/P7W")
    42.0
    """
    if not isinstance(age, str):
        return None
    days = []
    for part in age.strip().split("/"):
        if not _DURATION.fullmatch(part):
            return None
        numbers = re.findall(r"(\d+(?:\.\d+)?)([YMWD])", part.split("T")[0])
        if not numbers:
            return None
        days.append(sum(float(n) * _DAYS[u] for n, u in numbers))
    return sum(days) / len(days)


def sex_of(text: object) -> str | None:
    """Write a sex as NWB does (M, F, U, O); None where nothing is said.

    Examples
    --------
    >>> sex_of("female"), sex_of("Male "), sex_of("NA")
    ('F', 'M', None)
    """
    return _SEXES.get(str(text).strip().lower()) if text is not None else None


_DEGREES = re.compile(
    r"(?:~|ca\.?|about)?\s*(?P<low>[+-]?\d+(?:[.,]\d+)?)"
    r"(?:\s*(?:-|to|\u2013)\s*(?P<high>\d+(?:[.,]\d+)?))?\s*(?P<unit>.*)"
)
_SCALES = {
    "c": "C", "degc": "C", "deg c": "C", "celsius": "C", "degrees celsius": "C",
    "degree celsius": "C", "degrees c": "C", "k": "K", "kelvin": "K", "f": "F", "degf": "F",
    "deg f": "F", "fahrenheit": "F", "degrees fahrenheit": "F",
}  # fmt: skip
_BATHS = (-2.0, 50.0)
"""Degrees between which a slice or an animal can be recorded: beyond, another unit is meant."""


def temperature_of(text: object, unit: str = "C") -> float | None:
    """Read a temperature in degrees Celsius, the middle of a range; None where it is not known.

    Parameters
    ----------
    text : str, number or None
        "34 C", "33-35 degrees Celsius", 307.15, "93 F".
    unit : str
        Of a bare number: "C", "K" or "F".

    Examples
    --------
    >>> temperature_of("34 C"), temperature_of("33-35 deg C"), temperature_of(307.15, "K")
    (34.0, 34.0, 34.0)
    >>> temperature_of("room temperature") is None, temperature_of(307) is None
    (True, True)
    """
    if text is None:
        return None
    written = re.sub(r"\s+", " ", str(text).translate(_DEGREE_SIGNS)).strip().lower()
    found = _DEGREES.fullmatch(written)
    if found is None:
        return None
    scale = _SCALES.get(found["unit"].strip(" .")) if found["unit"].strip(" .") else unit
    ends = [float(found[k].replace(",", ".")) for k in ("low", "high") if found[k] is not None]
    value = sum(ends) / len(ends)
    degrees = {"C": value, "K": value - 273.15, "F": (value - 32) / 1.8}.get(str(scale))
    if degrees is None or not _BATHS[0] <= degrees <= _BATHS[1]:
        return None
    return round(degrees, 6)


_DEGREE_SIGNS = {
    ord("\u00b0"): " ",
    ord("\u00ba"): " ",
    ord("\u2103"): " C",
    ord("\u2212"): "-",
}
