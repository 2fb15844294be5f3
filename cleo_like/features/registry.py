"""Extractors by name: this package's own, ipfx, eFEL, and those that others install."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import numpy as np

from cleo_like.core.errors import CleoLikeError, InputError, UnsupportedError, unknown_name
from cleo_like.core.plugins import BROKEN, offered
from cleo_like.core.recording import check_recording
from cleo_like.core.units.dimensions import has_unit
from cleo_like.core.window import Window
from cleo_like.features.families.measure import (
    FAMILIES,
    columns_of,
    measure_others,
    ranges,
)
from cleo_like.features.families.parts import Part, parts_of
from cleo_like.features.long_square.atlas_row import atlas_row
from cleo_like.features.long_square.cell import CellFeatures, analyse
from cleo_like.features.parameters import DEFAULT, ExtractionParameters
from cleo_like.features.saturation import longest_flat
from cleo_like.features.stack import SweepStack
from cleo_like.features.table import Record
from cleo_like.matching.verdict import LONG_SQUARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core.recording import Recording
    from cleo_like.features.families.first_spike import Measured
    from cleo_like.matching import Match

GROUP = "cleo_like.extractors"
"""Entry point group under which other packages offer an extractor."""


def _columns(given: Mapping[str, Any]) -> Mapping[str, np.ndarray]:
    """Give arrays; what is no table of columns is said."""
    if not isinstance(given, Mapping):
        msg = f"spikes and sweeps are mappings of name to array, got {type(given).__name__}"
        raise InputError(msg)
    out = {str(name): np.asarray(column) for name, column in given.items()}
    for name, column in out.items():
        if column.ndim != 1:
            msg = f"column {name!r} needs one value per row, got the shape {column.shape}"
            raise InputError(msg)
    return out


def _same_length(what: str, columns: Mapping[str, np.ndarray], n: int) -> None:
    for name, column in columns.items():
        if column.size != n:
            msg = f"column {name!r} of {what} has {column.size} values, expected {n}"
            raise InputError(msg)


@attrs.frozen(kw_only=True)
class Extracted:
    """What an extractor found: values by column name, and what is to be said of them.

    An extractor of another package may leave out all but `values`.

    Parameters
    ----------
    values : mapping of str to float
        By column name, in the unit of the catalogue where it has the column.
    uncertainty : mapping of str to float
        Standard error of a value, in the same unit, where it is defined.
    reasons : mapping of str to str
        Why a value is missing.
    notes : tuple of str
        What was moved or chosen on the way.
    excluded : mapping of int to str
        Sweeps (numbers) that were left out, and why.
    cutoff : float, optional
        Cutoff (kHz) of the filter that was used.
    cell : CellFeatures, optional
        All that was measured, with the arrays that figures need.
    spikes : mapping of str to array, shape (n_spikes,), optional
        Columns of a `SpikeTable`: ``sweep`` (row of the stack that the extractor was given)
        and whatever was measured of each spike (``peak_t``, ``threshold_v`` ...), in the
        units of the catalogue.
    sweeps : mapping of str to array, shape (n_sweeps,), optional
        Values of each sweep of the stack that the extractor was given; NaN where it was left
        out.

    Raises
    ------
    InputError
        Columns of `spikes` without ``sweep``, or of different lengths.

    Examples
    --------
    >>> found = Extracted(values={"tau": 0.02}, spikes={"sweep": [0, 0], "peak_t": [0.3, 0.4]})
    >>> found.spikes["peak_t"]
    array([0.3, 0.4])
    """

    values: Mapping[str, float]
    uncertainty: Mapping[str, float] = attrs.field(factory=dict)
    reasons: Mapping[str, str] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()
    excluded: Mapping[int, str] = attrs.field(factory=dict)
    cutoff: float | None = None
    cell: CellFeatures | None = None
    spikes: Mapping[str, np.ndarray] | None = attrs.field(
        default=None, converter=attrs.converters.optional(_columns)
    )
    sweeps: Mapping[str, np.ndarray] | None = attrs.field(
        default=None, converter=attrs.converters.optional(_columns)
    )

    def __attrs_post_init__(self) -> None:
        """Check that the columns of the spikes belong together."""
        if self.spikes is None:
            return
        if "sweep" not in self.spikes:
            msg = f"spikes need a column 'sweep', got {', '.join(self.spikes) or 'nothing'}"
            raise InputError(msg)
        _same_length("spikes", self.spikes, self.spikes["sweep"].size)


Extractor = Callable[
    [SweepStack, Window, ExtractionParameters], "Extracted | Mapping[str, float]"
]
Own: TypeAlias = Literal["native", "ipfx", "efel"]
ExtractorLike: TypeAlias = Own | str | Extractor


def native(stack: SweepStack, step: Window, parameters: ExtractionParameters) -> Extracted:
    """Measure with this package."""
    return of_cell(analyse(stack, step, parameters), stack)


def efel(stack: SweepStack, step: Window, parameters: ExtractionParameters) -> Extracted:
    """Measure with eFEL, its units and names mapped."""
    from cleo_like.features.adapters.efel import efel_cell

    return of_cell(efel_cell(stack, step, parameters), stack)


def ipfx(stack: SweepStack, step: Window, parameters: ExtractionParameters) -> Extracted:
    """Measure with ipfx in the peers' environment."""
    from cleo_like.features.adapters.ipfx import ipfx_cell

    return of_cell(ipfx_cell(stack, step, parameters), stack)


_OWN: dict[str, Extractor] = {"native": native, "efel": efel, "ipfx": ipfx}


def _need_efel() -> None:
    from cleo_like.features.adapters.efel import need_efel

    need_efel()


def _need_ipfx() -> None:
    from cleo_like.features.adapters.ipfx import peers_python

    peers_python()


_NEEDS = {"efel": _need_efel, "ipfx": _need_ipfx}
"""What an extractor needs beside this package, asked before any work."""


def of_cell(cell: CellFeatures, given: SweepStack | None = None) -> Extracted:
    """Cell values, atlas row, spikes and sweeps of a `CellFeatures`.

    Parameters
    ----------
    cell : CellFeatures
        What was measured.
    given : SweepStack, optional
        The sweeps that were given; spikes and sweeps count in its rows (default: the rows of
        `cell.stack`, from which unusable sweeps are gone).
    """
    row = atlas_row(cell)
    numbers = cell.stack.numbers if given is None else given.numbers
    place = {number: k for k, number in enumerate(numbers)}
    rows = np.array([place[number] for number in cell.stack.numbers], dtype=int)
    spikes = dict(cell.spikes.columns)
    spikes["sweep"] = rows[spikes["sweep"].astype(int)]
    return Extracted(
        values={**cell.values, **row.values},
        uncertainty={**cell.uncertainty, **row.errors},
        reasons={**row.reasons, **cell.reasons},
        notes=cell.notes,
        excluded=cell.excluded,
        cutoff=cell.spikes.cutoff,
        cell=cell,
        spikes=spikes,
        sweeps={name: _in_rows(v, rows, len(numbers)) for name, v in cell.sweeps.items()},
    )


def _in_rows(values: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """Put values of the usable sweeps where they belong among all; NaN elsewhere."""
    out = np.full(n, np.nan)
    out[rows] = values
    return out


def installed() -> dict[str, Any]:
    """Entry points of other packages, by name (not loaded yet)."""
    return {point.name: point for point in offered(GROUP)}


def extractor_named(name: str) -> Extractor:
    """Look an extractor up.

    Raises
    ------
    UnknownNameError
        Neither this package nor an installed one has it.
    UnsupportedError
        It is known, and what it needs is not installed, or does not work.
    """
    if name in _OWN:
        if name in _NEEDS:
            _NEEDS[name]()
        return _OWN[name]
    if name in installed():
        try:
            return installed()[name].load()
        except BROKEN as error:
            msg = (
                f"the extractor {name!r}, of another package, does not work "
                f"({type(error).__name__}: {error}); use one of {', '.join(map(repr, _OWN))}"
            )
            raise UnsupportedError(msg) from error
    raise unknown_name("extractor", name, {*_OWN, *installed()})


def extractor_name(extractor: ExtractorLike) -> str:
    """Name for the table."""
    if isinstance(extractor, str):
        return extractor
    return str(getattr(extractor, "__name__", type(extractor).__name__))


def window_of(found: Match) -> Window:
    """Window and baseline that the matching found."""
    if found.window is None:
        msg = f"no step was found: {found.reason}"
        raise InputError(msg)
    start, end = found.window
    baseline = found.baseline_window
    pulses = tuple((e.start / found.rate, e.stop / found.rate) for e in found.constant)
    return Window(start=start, end=end, baseline=baseline, pulses=pulses)


def matched_stack(
    recording: Recording, parameters: ExtractionParameters
) -> tuple[SweepStack, Window, Match]:
    """Match a recording and take its long squares.

    Raises
    ------
    InputError
        It has no long squares; the message tells what it has.
    """
    return _long_squares(parts_of(recording), parameters)


def _long_squares(
    parts: Sequence[Part], parameters: ExtractionParameters
) -> tuple[SweepStack, Window, Match]:
    own = next((part for part in parts if part.is_a(LONG_SQUARE)), None)
    if own is None:
        has = [f"{part.family} ({part.found.reason})" for part in parts]
        msg = f"no long squares: {', '.join(has)}"
        raise InputError(msg)
    recording, found = own.recording, own.found
    cut = {} if parameters.exact else _saturated(recording, found.members)
    members = [k for k in found.members if k not in cut]
    if not members:
        msg = f"the amplifier is saturated in every long square: {next(iter(cut.values()))}"
        raise InputError(msg)
    stack = SweepStack.from_recording(recording, positions=members, single=parameters.exact)
    reasons = {recording.sweeps[k].number: why for k, why in cut.items()}
    return attrs.evolve(stack, excluded={**stack.excluded, **reasons}), window_of(found), found


def _saturated(recording: Recording, positions: Iterable[int]) -> dict[int, str]:
    """Sweeps whose potential lies flat at an extreme: what it would have been is not known."""
    out = {}
    for k in positions:
        sweep = recording.sweeps[k]
        length, level = longest_flat(sweep.response, sweep.rate)
        if length:
            ms = length / sweep.rate * 1e3
            out[k] = f"saturated: flat for {ms:.3g} ms at {level * 1e3:.4g} mV"
    return out


def cell_features(
    recording: Recording, *, parameters: ExtractionParameters = DEFAULT
) -> CellFeatures:
    """Match a recording and measure its long squares, with all arrays for figures.

    Parameters
    ----------
    recording : Recording
        All its sweeps; those of other protocols are set aside.
    parameters : ExtractionParameters
        Limits.

    Returns
    -------
    CellFeatures
        Spikes, sweeps, cell values, reasons.

    Raises
    ------
    InputError
        There are no long squares.
    """
    check_recording(recording)
    stack, step, _ = matched_stack(recording, parameters)
    return analyse(stack, step, parameters)


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
        stack, step, found = _long_squares(parts, parameters)
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
    own = function in _OWN.values()
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


def check_rows(answer: Extracted, n: int) -> None:
    """Refuse sweeps that the extractor was not given.

    Parameters
    ----------
    answer : Extracted
        Of an extractor.
    n : int
        Sweeps of the stack that it was given.

    Raises
    ------
    InputError
        Spikes or values of other sweeps.
    """
    if answer.sweeps is not None:
        _same_length("sweeps", answer.sweeps, n)
    if answer.spikes is not None:
        rows = answer.spikes["sweep"]
        if rows.size and not (rows.min() >= 0 and rows.max() < n):
            msg = (
                f"spikes are in sweep {rows.min()} to {rows.max()}, the stack has 0 to {n - 1}"
            )
            raise InputError(msg)


def _plain(name: str, value: Any) -> float:
    """Give a value as a plain number: a table has its units in the catalogue."""
    if has_unit(value):
        msg = f"{name}={value} has a unit; give a plain number (mV, pA, MOhm, s ...)"
        raise InputError(msg)
    return float(value)


def _left_out(stack: SweepStack, answer: Extracted) -> list[str]:
    reasons = {**stack.excluded, **answer.excluded}
    return [f"sweep {number} left out: {why}" for number, why in sorted(reasons.items())]
