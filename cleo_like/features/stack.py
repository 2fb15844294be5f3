"""Sweeps as the extractors see them: (n_sweeps, n_samples) arrays in mV and pA.

Features are defined (and published) in mV, pA, s; ties between quantised samples are decided
by the last bit, so the arrays are converted once, here, and never back.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only, si_number
from cleo_like.core.errors import InputError
from cleo_like.core.recording import check_recording
from cleo_like.core.sweep import ClampMode, Sweep
from cleo_like.core.window import Window, chosen_window
from cleo_like.features.lowpass import stated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cleo_like.core.recording import Recording
    from cleo_like.core.units import Quantity
    from cleo_like.core.window import WindowLike
    from cleo_like.features.lowpass import Lowpass


_WHOLE = 1e-3  # from a whole number: rounding of the SI value is far below
_VOLTS = 0.15  # mV: median potential below which volts were given
_LOOK = 1000  # samples of a sweep that tell its unit
_NO_CELL = 1.0  # V: no membrane potential is so large, whatever the offset


def given_window(
    source: Recording | SweepStack,
    start: Quantity | None,
    end: Quantity | None,
    window: WindowLike | None,
) -> Window | None:
    """Give the window that the caller of an extractor chose; None where it chose none."""
    if not isinstance(source, SweepStack):
        check_recording(source)
    named = None if isinstance(source, SweepStack) else source.window
    return chosen_window(start, end, window, named)


def needed_window(
    source: Recording | SweepStack,
    start: Quantity | None,
    end: Quantity | None,
    window: WindowLike | None,
) -> Window:
    """Give the window that was chosen, or say how to choose one."""
    found = given_window(source, start, end, window)
    if found is None:
        msg = (
            "say where to look: window=cl.match(recording).window, window='step' (an epoch of "
            "its protocol), or start= and end="
        )
        raise InputError(msg)
    return found


@attrs.frozen(kw_only=True)
class SweepStack:
    """Sweeps of one rate as arrays in mV and pA.

    Parameters
    ----------
    voltage_mv, current_pa : arrays, shape (n_sweeps, n_samples)
        Sweeps shorter than the longest are continued with their last sample; `lengths`
        tells how much is real.
    rate : float
        Sampling rate (Hz).
    numbers : tuple of int
        Number of each sweep in its recording.
    lengths : array of int, shape (n_sweeps,)
        Recorded samples of each sweep.
    excluded : mapping of int to str
        Sweeps of the recording that are not in the stack, each with the reason.
    lowpass : Lowpass, optional
        The amplifier's filter as the file states it; None where it states nothing.
    bias_pa : array, shape (n_sweeps,)
        Current that the amplifier adds and the command has not (NWB's ``bias_current``).

    Examples
    --------
    >>> stack = SweepStack(voltage_mv=np.full((2, 400), -70.0),
    ...                    current_pa=np.zeros((2, 400)), rate=20e3)
    >>> stack.n_sweeps, stack.index(0.01)
    (2, 200)
    """

    voltage_mv: np.ndarray = attrs.field(eq=array_eq)
    current_pa: np.ndarray = attrs.field(eq=array_eq)
    rate: float = attrs.field(converter=float)
    numbers: tuple[int, ...] = attrs.field(converter=tuple)
    lengths: np.ndarray = attrs.field(eq=array_eq)
    excluded: Mapping[int, str] = attrs.field(factory=dict)
    lowpass: Lowpass | None = None
    bias_pa: np.ndarray = attrs.field(eq=array_eq)

    @numbers.default
    def _count(self) -> tuple[int, ...]:
        return tuple(range(len(self.voltage_mv)))

    @lengths.default
    def _full(self) -> np.ndarray:
        n, samples = np.shape(self.voltage_mv)
        return np.full(n, samples)

    @bias_pa.default
    def _none(self) -> np.ndarray:
        return np.zeros(len(self.voltage_mv))

    def __attrs_post_init__(self) -> None:
        """Make the arrays contiguous float64 of one shape."""
        for name in ("voltage_mv", "current_pa"):
            array = np.ascontiguousarray(getattr(self, name), dtype=np.float64)
            if array.ndim != 2 or array.shape != np.shape(self.voltage_mv):
                msg = (
                    f"{name} must have the shape (n_sweeps, n_samples) "
                    f"{np.shape(self.voltage_mv)}, got {array.shape}"
                )
                raise InputError(msg)
            object.__setattr__(self, name, read_only(array))
        self._check_unit()

    def _check_unit(self) -> None:
        """Refuse volts: in mV no cell is so quiet, and a spike would not be seen."""
        some = self.voltage_mv[:, :: max(1, self.n_samples // _LOOK)]
        finite = np.abs(some[np.isfinite(some)])
        if finite.size and 0 < np.median(finite) < _VOLTS and finite.max() < 1:
            msg = (
                f"voltage_mv has a median of {np.median(finite):.3g} mV, which no cell has; "
                "are these volts? Multiply by 1000"
            )
            raise InputError(msg)

    @property
    def n_sweeps(self) -> int:
        """Number of sweeps."""
        return self.voltage_mv.shape[0]

    @property
    def n_samples(self) -> int:
        """Samples per sweep."""
        return self.voltage_mv.shape[1]

    def first_level(self, stop: int) -> np.ndarray:
        """Give the current (pA, shape (n_sweeps, 1)) with which sweeps begin."""
        first: np.ndarray = self.current_pa[:, : max(stop // 20, 1)]
        return np.median(first, axis=1, keepdims=True)

    def index(self, time: float) -> int:
        """Give the sample nearest to a time (s); the earlier one on ties.

        Raises
        ------
        InputError
            The time is outside the recording.
        """
        last = (self.n_samples - 1) / self.rate
        if not 0 <= time <= last:
            msg = f"{time:g} s is outside the recording (0..{last:g} s)"
            raise InputError(msg)
        below = min(int(time * self.rate), self.n_samples - 1)
        above = min(below + 1, self.n_samples - 1)
        nearer = abs(above / self.rate - time) < abs(below / self.rate - time)
        return above if nearer else below

    def bounds(self, step: Window) -> tuple[int, int]:
        """Give the first sample of the step and the first after it.

        A step that lasts to the end of the sweep ends at the last sample.
        """
        last = (self.n_samples - 1) / self.rate
        reaches = step.end <= (self.n_samples + 0.5) / self.rate
        return self.index(step.start), self.index(min(step.end, last) if reaches else step.end)

    def take(self, rows: np.ndarray | slice) -> SweepStack:
        """Give some of the sweeps (a slice makes no copy)."""
        return attrs.evolve(
            self,
            voltage_mv=self.voltage_mv[rows],
            current_pa=self.current_pa[rows],
            numbers=tuple(np.asarray(self.numbers)[rows].tolist()),
            lengths=self.lengths[rows],
            bias_pa=self.bias_pa[rows],
        )

    @classmethod
    def from_recording(
        cls,
        recording: Recording,
        *,
        positions: Iterable[int] | None = None,
        single: bool = False,
    ) -> SweepStack:
        """Take the current-clamp sweeps of a recording.

        Sweeps with another rate than most, without a command, with no sample, or not in
        current clamp are left out, each with its reason in `excluded`.

        Parameters
        ----------
        recording : Recording
            Sweeps in SI.
        positions : iterable of int, optional
            Only the sweeps at these places in the recording.
        single : bool
            Take the potential of an ABF file in single precision, as pyabf (through which
            ipfx's users read) does: the last bits decide ties between equal samples, and
            so ipfx's exact indices.

        Raises
        ------
        InputError
            No sweep is left.
        """
        where = range(recording.n_sweeps) if positions is None else positions
        sweeps = [recording.sweeps[k] for k in where]
        reasons = {s.number: _unusable(s) for s in sweeps}
        usable = [s for s in sweeps if not reasons[s.number]]
        if usable:
            rate = Counter(s.rate for s in usable).most_common(1)[0][0]
            for s in usable:
                if s.rate != rate:
                    reasons[s.number] = f"rate {s.rate:g} Hz, the others have {rate:g} Hz"
            usable = [s for s in usable if s.rate == rate]
        if not usable:
            why = "; ".join(sorted(set(filter(None, reasons.values())))) or "no sweep"
            msg = f"no current-clamp sweep of {recording.cell.id} can be analysed: {why}"
            raise InputError(msg)
        potential = _padded([s.response for s in usable], 1e3)
        return cls(
            voltage_mv=in_single_precision(potential, recording) if single else potential,
            current_pa=_padded([s.command for s in usable], 1e12),
            rate=usable[0].rate,
            numbers=tuple(s.number for s in usable),
            lengths=np.array([s.n_samples for s in usable]),
            excluded={k: why for k, why in reasons.items() if why},
            lowpass=stated(recording.device.get("filtering")),
            bias_pa=np.array([_bias(s) for s in usable]),
        )


def _unusable(sweep: Sweep) -> str:
    if sweep.mode is ClampMode.VOLTAGE:
        return "voltage clamp"
    if sweep.command is None:
        return "no command waveform"
    if sweep.n_samples == 0:
        return "no samples"
    response = sweep.response
    if response.min() >= -_NO_CELL and response.max() <= _NO_CELL:
        return ""  # so is the median, and all samples are numbers
    finite = response[np.isfinite(response)]
    if finite.size == 0:
        return "no sample is a number"
    usual = float(np.median(np.abs(finite)))
    if usual > _NO_CELL:
        return f"a potential of {usual:.4g} V is none of a cell; is its unit right?"
    return ""


def _bias(sweep: Sweep) -> float:
    """Give the current (pA) that the amplifier adds; 0 where nothing is said."""
    said = sweep.settings.get("bias_current")
    try:
        value = 0.0 if said is None else si_number("A", "bias_current")(said) * 1e12
    except (InputError, TypeError, ValueError):  # a text that quality control speaks of
        return 0.0
    return value if np.isfinite(value) else 0.0


def _padded(rows: list[np.ndarray], scale: float) -> np.ndarray:
    out = np.empty((len(rows), max(map(len, rows))))
    for target, row in zip(out, rows, strict=True):
        np.multiply(row, scale, out=target[: row.size])
        target[row.size :] = target[row.size - 1]
    return out


def in_single_precision(potential_mv: np.ndarray, recording: Recording) -> np.ndarray:
    """Scale the whole numbers of an ABF file as pyabf does, in single precision throughout.

    That differs in the last bit from the rounded result where single precision cannot hold
    the scale factor. Potentials that do not come from an ABF file stay as they are.
    """
    scaling = recording.scaling
    if scaling is None:
        return potential_mv
    number = (potential_mv * 1e-3 / scaling.unit - scaling.offset) / scaling.scale
    whole = np.rint(number)
    if not scaling.whole or np.abs(number - whole).max(initial=0.0) > _WHOLE:
        return potential_mv.astype(np.float32)  # stored so, or changed since it was read
    out = whole.astype(np.float32) * np.float32(scaling.scale) + np.float32(scaling.offset)
    return out if scaling.unit == 1e-3 else out * np.float32(scaling.unit * 1e3)


def as_stack(source: Recording | SweepStack, *, exact: bool = False) -> SweepStack:
    """Take a recording or a stack as a stack.

    `exact` takes what came from an ABF file in single precision.
    """
    if isinstance(source, SweepStack):
        return source
    check_recording(source)
    return SweepStack.from_recording(source, single=exact)
