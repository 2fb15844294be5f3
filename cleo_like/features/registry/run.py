"""One recording through an extractor: the row of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import CleoLikeError, InputError
from cleo_like.core.plugins import BROKEN
from cleo_like.core.units.dimensions import has_unit
from cleo_like.features.families.measure import (
    FAMILIES,
    columns_of,
    measure_others,
    ranges,
)
from cleo_like.features.families.parts import Part, parts_of
from cleo_like.features.registry.extracted import Extracted, check_rows
from cleo_like.features.registry.matched import long_squares
from cleo_like.features.registry.named import (
    Extractor,
    ExtractorLike,
    extractor_name,
    extractor_named,
    is_own,
    native,
)
from cleo_like.features.table import Record
from cleo_like.matching.verdict import LONG_SQUARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core.recording import Recording
    from cleo_like.core.window import Window
    from cleo_like.features.families.first_spike import Measured
    from cleo_like.features.long_square.cell import CellFeatures
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.stack import SweepStack
    from cleo_like.matching import Match


def run_extractor(
    recording: Recording,
    extractor: ExtractorLike,
    parameters: ExtractionParameters,
    meta: dict[str, Any],
) -> tuple[Record, CellFeatures | None]:
    """Make the row of one recording; beside it all that was measured, where that is known.

    Long squares are what every extractor is asked for; other families are measured by this
    package's own.
    """
    function = extractor_named(extractor) if isinstance(extractor, str) else extractor
    parts = parts_of(recording)
    row = _Row()
    others, skipped = measure_others(parts, parameters)
    if function is not native and others:
        skipped += [f"{family}: measured by the extractor 'native' only" for family in others]
        others = {}
    try:
        stack, step, found = long_squares(parts, parameters)
    except InputError as error:
        if not any(np.isfinite(list(one.values.values())).any() for one in others.values()):
            whys = [f"{family}: {_first_reason(one)}" for family, one in others.items()]
            raise InputError("; ".join([str(error), *whys])) from error
        row.notes.append(str(error) if not _is_absent(parts) else "no long squares")
        row.reasons[""] = row.notes[0]
    else:
        row.add_long_squares(_asked(function, stack, step, parameters), stack, step, found)
    for family, measured in others.items():
        row.add(family, measured)
    for family in FAMILIES:
        if function is native and family not in others:
            row.reasons |= dict.fromkeys(columns_of(family), _why_not(family, skipped))
    return row.record(meta, skipped), row.cell


def _first_reason(measured: Measured) -> str:
    return next(iter(measured.reasons.values()), "no value")


def _is_absent(parts: Sequence[Part]) -> bool:
    return not any(part.is_a(LONG_SQUARE) for part in parts)


def _why_not(family: str, skipped: Sequence[str]) -> str:
    said = [text for text in skipped if text.startswith(family)]
    return said[0] if said else f"no {family} among the sweeps"


@attrs.define
class _Row:
    """A row while it is put together."""

    values: dict[str, float] = attrs.field(factory=dict)
    errors: dict[str, float] = attrs.field(factory=dict)
    reasons: dict[str, str] = attrs.field(factory=dict)
    about: dict[str, Any] = attrs.field(factory=dict)
    families: list[str] = attrs.field(factory=list)
    used: list[int] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    cell: CellFeatures | None = None

    def add_long_squares(
        self, answer: Extracted, stack: SweepStack, step: Window, found: Match
    ) -> None:
        """Put in what the extractor found."""
        self.notes += [*answer.notes, *_left_out(stack, answer)]
        if not found.agrees:
            self.notes.append(f"described as {found.family}, commands show {found.found}")
        self.values |= {k: float(v) for k, v in answer.values.items()}
        self.errors |= {k: float(v) for k, v in answer.uncertainty.items()}
        self.reasons |= answer.reasons
        self.families.append(found.found)
        self.used += [n for n in stack.numbers if n not in answer.excluded]
        self.about = {"window_start": step.start, "window_end": step.end}
        self.about["filter_khz"] = answer.cutoff if answer.cutoff is not None else np.nan
        self.cell = answer.cell

    def add(self, family: str, measured: Measured) -> None:
        """Put in another family."""
        self.values |= measured.values
        self.errors |= measured.errors
        self.reasons |= measured.reasons
        self.families.append(family)
        self.used += measured.used
        self.notes += [f"{family}: {note}" for note in measured.notes]

    def record(self, meta: dict[str, Any], skipped: Sequence[str]) -> Record:
        """Give the row."""
        out = {
            **meta, **self.about, "family": ", ".join(self.families),
            "sweeps_used": ranges(self.used), "status": "ok",
            "notes": "; ".join([*self.notes, *skipped]) or None,
        }  # fmt: skip
        return Record(meta=out, values=self.values, errors=self.errors, reasons=self.reasons)


def _asked(
    function: Extractor, stack: SweepStack, step: Window, parameters: ExtractionParameters
) -> Extracted:
    """Call an extractor; what the one of somebody else does wrong becomes a clear error."""
    own = is_own(function)
    try:
        answer = function(stack, step, parameters)
        if isinstance(answer, Extracted):
            check_rows(answer, stack.n_sweeps)
            return answer
        return Extracted(values={str(k): _plain(k, v) for k, v in dict(answer).items()})
    except CleoLikeError:
        raise
    except BROKEN as error:
        if own:
            raise
        msg = (
            f"the extractor {extractor_name(function)!r} failed "
            f"({type(error).__name__}: {error})"
        )
        raise InputError(msg) from error


def _plain(name: str, value: Any) -> float:
    """Give a value as a plain number: a table has its units in the catalogue."""
    if has_unit(value):
        msg = f"{name}={value} has a unit; give a plain number (mV, pA, MOhm, s ...)"
        raise InputError(msg)
    return float(value)


def _left_out(stack: SweepStack, answer: Extracted) -> list[str]:
    reasons = {**stack.excluded, **answer.excluded}
    return [f"sweep {number} left out: {why}" for number, why in sorted(reasons.items())]
