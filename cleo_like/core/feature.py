"""What a feature is: its name, unit, plausible range, meaning and source."""

from __future__ import annotations

import attrs

from cleo_like.core.errors import InputError

LEVELS = ("spike", "sweep", "cell")
"""What one value of a feature belongs to."""


@attrs.frozen(kw_only=True)
class Feature:
    """One measured quantity.

    Parameters
    ----------
    name : str
        Column name, as ipfx names it where ipfx has it.
    unit : str
        Unit of the stored values ("mV", "pA", "MOhm", "pF", "s", "Hz", "V/s", "Hz/pA",
        "1/Hz", "sample"; "1" for a pure number; "text").
    low, high : float
        Plausible range in that unit; outside it a value is suspect.
    meaning : str
        One line.
    source : str
        Paper or program that defines it.
    level : str
        One of `LEVELS`.

    Examples
    --------
    >>> Feature(name="tau", unit="s", low=1e-5, high=0.4, meaning="membrane time constant",
    ...         source="ipfx", level="cell").label
    'tau (s)'
    """

    name: str
    unit: str
    low: float
    high: float
    meaning: str
    source: str
    level: str

    def __attrs_post_init__(self) -> None:
        """Check level and range."""
        if self.level not in LEVELS:
            msg = f"level of {self.name} must be one of {', '.join(LEVELS)}, got {self.level!r}"
            raise InputError(msg)
        if not self.low <= self.high:
            msg = f"range of {self.name} must have low <= high, got {self.low}..{self.high}"
            raise InputError(msg)

    @property
    def label(self) -> str:
        """Axis label: the name with its unit."""
        name = self.name.replace("_", " ")
        return name if self.unit in ("1", "text") else f"{name} ({self.unit})"

    def plausible(self, value: float) -> bool:
        """Whether a value lies in the range (NaN does not)."""
        return self.low <= value <= self.high
