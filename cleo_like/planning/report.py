"""What `check` says: one row for every question, green, amber or red."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np

from cleo_like.core.arrays import as_tuple
from cleo_like.core.errors import InputError
from cleo_like.core.provenance import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

Verdict = Literal["green", "amber", "red", "not judged"]
_VERDICTS = ("green", "amber", "red", "not judged")


@attrs.frozen(kw_only=True)
class Row:
    """One question about a protocol and its answer.

    Parameters
    ----------
    name : str
        What is asked: "range", "spikes", ...
    verdict : str
        "green", "amber" (works, worth a look), "red" (will not do what it shall), or "not
        judged", with a reason.
    value : float
        The number that decides; NaN where there is none.
    unit : str
        Of `value`, as shown.
    limit : str
        What it is compared with, in words.
    source : str
        Where the limit comes from.
    text : str
        The finding in words.
    advice : str
        What to change; empty where nothing has to be.
    """

    name: str
    verdict: Verdict = attrs.field(validator=attrs.validators.in_(_VERDICTS))
    text: str
    value: float = float("nan")
    unit: str = ""
    limit: str = ""
    source: str = ""
    advice: str = ""

    def __repr__(self) -> str:
        """One line."""
        advice = f"; {self.advice}" if self.advice and self.verdict != "green" else ""
        return f"{self.verdict:10s} {self.name:14s} {self.text}{advice}"


def not_judged(name: str, why: str) -> Row:
    """Make a row without a verdict."""
    return Row(name=name, verdict="not judged", text=why)


def graded(
    name: str,
    value: float,
    amber: float,
    red: float,
    **fields: Any,
) -> Row:
    """Make a row of a number: amber beyond one limit, red beyond another.

    Where `red` is above `amber`, large values are bad; otherwise small ones.

    Examples
    --------
    >>> graded("drift", 0.5, 0.4, 1.0, text="0.5 mV").verdict
    'amber'
    >>> graded("ratio", 0.5, 2.0, 1.0, text="0.5").verdict
    'red'
    """
    sign = 1.0 if red >= amber else -1.0
    beyond = [sign * value > sign * limit for limit in (red, amber)]
    verdict: Verdict = "red" if beyond[0] else "amber" if beyond[1] else "green"
    return Row(name=name, verdict=verdict, value=float(value), **fields)


@attrs.frozen(kw_only=True)
class ProtocolReport:
    """Whether a protocol will do what it shall, row by row.

    Parameters
    ----------
    protocol, rig : str
        What was checked, in one line each.
    cells : sequence of str
        Names of the cells that it was played to.
    rows : sequence of Row
        Answers.

    Examples
    --------
    >>> row = Row(name="range", verdict="red", text="5000 pA", advice="lower it")
    >>> report = ProtocolReport(protocol="p", rig="r", cells=["rs"], rows=[row])
    >>> report.verdict, report.exit_code, report["range"].advice
    ('red', 1, 'lower it')
    """

    protocol: str
    rig: str
    cells: Sequence[str] = attrs.field(converter=as_tuple)
    rows: Sequence[Row] = attrs.field(converter=as_tuple)

    @property
    def verdict(self) -> Verdict:
        """The worst of the rows."""
        found = {row.verdict for row in self.rows}
        return "red" if "red" in found else "amber" if "amber" in found else "green"

    @property
    def exit_code(self) -> int:
        """0, or 1 where a row is red."""
        return int(self.verdict == "red")

    @property
    def red(self) -> tuple[str, ...]:
        """Names of the red rows."""
        return tuple(row.name for row in self.rows if row.verdict == "red")

    def __getitem__(self, name: str) -> Row:
        """Give the row of a name.

        Raises
        ------
        InputError
            There is none; the message lists those there are.
        """
        for row in self.rows:
            if row.name == name:
                return row
        msg = f"the report has no row {name!r}; it has {', '.join(r.name for r in self.rows)}"
        raise InputError(msg)

    def text(self) -> str:
        """Give all rows, one a line."""
        head = [self.protocol, f"rig    {self.rig}", f"cells  {', '.join(self.cells)}"]
        return "\n".join([*head, *map(repr, self.rows), f"verdict: {self.verdict}"])

    def table(self) -> list[dict[str, Any]]:
        """Give the rows as mappings, for a table."""
        return [attrs.asdict(row) for row in self.rows]

    def to_json(self) -> str:
        """Give everything as JSON."""
        rows = [row | {"value": _known(row["value"])} for row in self.table()]
        return to_json(
            {
                "protocol": self.protocol, "rig": self.rig, "cells": list(self.cells),
                "verdict": self.verdict, "rows": rows,
            },
            indent=2,
        )  # fmt: skip

    def __repr__(self) -> str:
        """One line: the verdict, and what is not green."""
        worse = [f"{r.name} {r.verdict}" for r in self.rows if r.verdict in ("amber", "red")]
        return f"ProtocolReport {self.verdict}" + (f": {', '.join(worse)}" if worse else "")


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
