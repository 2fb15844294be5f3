"""What is known of the cell that was recorded."""

from __future__ import annotations

import numbers

import attrs

from cleo_like.core.errors import InputError
from cleo_like.core.units import celsius

SEXES = ("M", "F", "U", "O")


def _identifier(value: object) -> str:
    """Take text, or a whole number as many tables have it."""
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        msg = f"the id of a cell must be text that is not empty, got {value!r}"
        raise InputError(msg)
    return value


def _degrees(value: object) -> float | None:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124  (NaN)
        return None
    return celsius(value, "temperature")


def sex_letter(value: object) -> str | None:
    """Take one of NWB's letters, or None."""
    if value is not None and value not in SEXES:
        msg = f"sex must be one of {', '.join(SEXES)} (NWB's letters), got {value!r}"
        raise InputError(msg)
    return value


@attrs.frozen(kw_only=True)
class Cell:
    """One recorded (or simulated) cell. Unknown is None, and counted.

    Parameters
    ----------
    id : str
        Identifier, unique within a data set.
    species : str, optional
        Latin binomial ("Mus musculus").
    region : str, optional
        Brain region; the Allen CCF acronym where there is one ("VISp").
    temperature : float, optional
        Bath temperature in degrees Celsius (a quantity in kelvin is converted).
    donor : str, optional
        Identifier of the animal or donor (NWB's subject_id).
    age : str, optional
        ISO 8601 duration ("P30D").
    sex : str, optional
        M, F, U or O.
    source : str, optional
        Where the cell comes from: a file, a DANDI asset, a model with its citation.

    Examples
    --------
    >>> cell = Cell(id="c1", species="Mus musculus")
    >>> cell
    Cell c1: Mus musculus (6 fields unknown)
    >>> cell.unknown
    ('region', 'temperature', 'donor', 'age', 'sex', 'source')
    """

    id: str = attrs.field(converter=_identifier)
    species: str | None = None
    region: str | None = None
    temperature: float | None = attrs.field(default=None, converter=_degrees)
    donor: str | None = None
    age: str | None = None
    sex: str | None = attrs.field(default=None, converter=sex_letter)
    source: str | None = None

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the fields of which nothing is known."""
        return tuple(
            field.name for field in attrs.fields(Cell) if getattr(self, field.name) is None
        )

    def __repr__(self) -> str:
        """One line: the id, what is known, and how much is not."""
        known = [str(v) for v in (self.species, self.region) if v is not None]
        if not known and self.source is not None:
            known = [self.source]
        missing = len(self.unknown)
        tail = f" ({missing} fields unknown)" if missing else ""
        return f"Cell {self.id}: {', '.join(known) if known else 'nothing known'}{tail}"
