"""One patch-clamp series of an NWB file: what it holds, in which unit, and when."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.sweep import ClampMode
from cleo_like.io.nwb.source import hdf5
from cleo_like.io.nwb.source.clock import clock_of_rate, clock_of_stamps
from cleo_like.io.nwb.source.kinds import TYPES, known
from cleo_like.io.nwb.source.samples import samples_of
from cleo_like.io.text_units import parse_unit

if TYPE_CHECKING:
    import h5py

    from cleo_like.io.nwb.source.clock import Clock
    from cleo_like.io.nwb.source.samples import Samples

ICEPHYS = ("general", "intracellular_ephys")
"""Where electrodes and tables live."""

_NAMES = {"V": "volts", "A": "amperes"}
_SETTINGS = (
    "bias_current", "bridge_balance", "capacitance_compensation", "capacitance_fast",
    "capacitance_slow", "resistance_comp_bandwidth", "resistance_comp_correction",
    "resistance_comp_prediction", "whole_cell_capacitance_comp",
    "whole_cell_series_resistance_comp", "gain",
)  # fmt: skip
_SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "unknown": 1.0,
            "ms": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
            "us": 1e-6, "microsecond": 1e-6, "microseconds": 1e-6}  # fmt: skip


@attrs.frozen(kw_only=True, eq=False)
class Series:
    """A series whose samples are read when they are asked for.

    Parameters
    ----------
    name : str
        Its name in the file.
    key : tuple of int
        Identity of the object, whatever links lead to it.
    type : str
        One of `TYPES`, or "TimeSeries" for a plain one among the stimuli.
    unit : str
        "V" or "A": what the samples are.
    stimulus : bool
        Whether it is a command.
    mode : ClampMode
        As type and unit say; unknown where they contradict each other.
    electrode : str or None
        Name of its electrode.
    number : int or None
        Its sweep number.
    clock : Clock
        Times of its samples.
    samples : Samples
        Stored numbers; SI is stored * scale + offset.
    group : h5py.Group
        Where it is.
    findings : tuple of str
        What is doubtful about it (about the file: same for many series).
    notes : tuple of str
        What was done to it.
    """

    name: str
    key: tuple[int, int]
    type: str
    unit: str
    stimulus: bool
    mode: ClampMode
    electrode: str | None
    number: int | None
    clock: Clock
    samples: Samples
    scale: float
    offset: float
    group: Any
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def start(self) -> float:
        """Time of its first sample (s), on the clock of the session."""
        return self.clock.start

    @property
    def description(self) -> str | None:
        """Name of the stimulus as the series gives it."""
        return known(hdf5.attribute_or_none(self.group, "stimulus_description"))

    def settings(self) -> dict[str, float]:
        """Amplifier settings in SI."""
        found = hdf5.numbers(self.group, _SETTINGS)
        return {n: v for n, v in found.items() if np.isfinite(v)}

    def values(self, start: int, stop: int) -> np.ndarray:
        """SI values: stored * conversion + offset (the gain is metadata, never applied).

        Raises
        ------
        FileFormatError
            They cannot be read.
        """
        stored = self.samples.load(start, stop)
        if self.scale == 1.0 and self.offset == 0.0:
            return stored if stored.dtype == np.float32 else stored.astype(float)
        return stored.astype(float) * self.scale + self.offset


def key_of(group: h5py.Group) -> tuple[int, int]:
    """Identity of an object: number of its file, and its address there."""
    import h5py

    info = h5py.h5o.get_info(group.id)
    return int(info.fileno), int(info.addr)


def series_of(
    group: h5py.Group,
    name: str,
    kinds: tuple[str, str | None],
    derived: dict[str, str],
    *,
    key: tuple[int, int],
    among_stimuli: bool,
) -> Series:
    """Read everything about a series but its samples.

    Parameters
    ----------
    group : h5py.Group
        The series.
    name : str
        Its name.
    kinds : tuple of str
        From `kinds_of`.
    derived : dict
        From `derived_types`.
    key : tuple of int
        From `key_of`.
    among_stimuli : bool
        Whether it lies among the stimuli, which tells what types do not.

    Raises
    ------
    FileFormatError
        It cannot be used; the message says why.
    """
    kind, declared = kinds
    expected, stimulus, mode = TYPES.get(kind, ("?", among_stimuli, ClampMode.UNKNOWN))
    data = hdf5.member(group, "data")
    unit, scale, offset, findings = _scaling(group, data, expected, kind)
    if declared != kind and not derived[str(declared)]:
        findings.append(f"its type {declared!r} is not known here; taken as {kind}")
    samples = samples_of(data)
    if stimulus is None or (among_stimuli and not stimulus and unit == "A" != expected):
        stimulus = among_stimuli
    if unit != expected:
        mode = _mode(unit, stimulus=stimulus) if expected == "?" else ClampMode.UNKNOWN
    clock = _clock(group, samples.count)
    stored = attrs.evolve(samples, count=min(samples.count, clock.stretches[-1].end))
    notes = list(clock.notes)
    promised = math.prod(data.shape)
    if stored.count < promised:
        notes.append(f"{promised - stored.count} samples at the end were never recorded")
    number = hdf5.number(group, "sweep_number")
    return Series(
        name=name,
        key=key,
        type=kind,
        unit=unit,
        stimulus=bool(stimulus),
        mode=mode,
        electrode=hdf5.target_name(group, "electrode", *ICEPHYS),
        number=None if number is None or not np.isfinite(number) else int(number),
        clock=clock,
        samples=stored,
        scale=scale,
        offset=offset,
        group=group,
        findings=tuple(findings),
        notes=tuple(notes),
    )


def _mode(unit: str, *, stimulus: bool) -> ClampMode:
    """Clamp mode of a general PatchClampSeries; a current alone does not tell."""
    if stimulus:
        return ClampMode.CURRENT if unit == "A" else ClampMode.VOLTAGE
    return ClampMode.CURRENT if unit == "V" else ClampMode.UNKNOWN


def _scaling(
    group: h5py.Group, data: Any, expected: str, kind: str
) -> tuple[str, float, float, list[str]]:
    """Give unit, factor and offset that make SI values of the stored numbers."""
    stored = hdf5.attributes(data, "conversion", "offset", "unit")
    conversion = _factor(stored[0], "conversion", 1.0) * _channel(group)
    offset = _factor(stored[1], "offset", 0.0)
    if conversion == 0:
        msg = "its conversion is 0, so every sample would be"
        raise FileFormatError(msg)
    text = known(stored[2])
    if text is None:
        if expected == "?":
            msg = f"it has no unit, and its type ({kind}) has none either"
            raise FileFormatError(msg)
        return expected, conversion, offset, []
    unit = parse_unit(text)
    if unit.si == "?":
        if expected == "?":
            msg = f"its unit {text!r} is neither of potential nor of current"
            raise FileFormatError(msg)
        said = (
            f"the unit attribute says {text!r}; taken as {_NAMES[expected]}, as {kind} has it"
        )
        return expected, conversion, offset, [said]
    findings = []
    if expected not in {"?", unit.si}:
        findings.append(
            f"a {kind} with the unit attribute {text!r}: they contradict each other"
        )
    scale = unit.scale
    if scale != 1.0:
        if np.isclose(conversion, scale, rtol=1e-6, atol=0):
            scale = 1.0
            how = f"the conversion {conversion:g} is the same factor and was applied once"
        else:
            how = "the samples were converted"
        findings.append(f"the unit attribute says {text!r}: {how}")
    return unit.si, conversion * scale, offset * scale, findings


def _factor(stored: Any, name: str, default: float) -> float:
    if stored is None:
        return default
    found = hdf5.as_number(stored)
    if found is None or not np.isfinite(found):
        msg = f"its {name} is {hdf5.as_text(stored)!r}, which is no number"
        raise FileFormatError(msg)
    return found


def _channel(group: h5py.Group) -> float:
    """Factor of the one channel, which some files keep beside the conversion of all."""
    if not hdf5.has(group, "channel_conversion"):
        return 1.0
    found = hdf5.number(group, "channel_conversion")
    if found is None or not np.isfinite(found):
        msg = "its channel_conversion is no number"
        raise FileFormatError(msg)
    return found


def _clock(group: h5py.Group, count: int) -> Clock:
    stamps = hdf5.optional(group, "timestamps")
    begin = hdf5.optional(group, "starting_time")
    if stamps is not None:
        times = samples_of(stamps)
        if count == 0:
            msg = "no sample was recorded"
            raise FileFormatError(msg)
        if times.count or begin is None:
            seconds = _seconds(hdf5.attribute(stamps, "unit"))
            usable = times.load(0, min(times.count, count)) * seconds
            clock = clock_of_stamps(np.asarray(usable))
            return _agreed(clock, begin, times.count, count)
    if begin is None:
        msg = "it has neither a rate nor time stamps"
        raise FileFormatError(msg)
    per_second, unit = hdf5.attributes(begin, "rate", "unit")
    rate, start = hdf5.as_number(per_second), hdf5.as_number(hdf5.value(begin))
    if rate is None or start is None:
        msg = "its starting_time tells no " + ("rate" if rate is None else "time")
        raise FileFormatError(msg)
    return clock_of_rate(start * _seconds(unit), rate, count)


def _agreed(clock: Clock, begin: Any, n_stamps: int, count: int) -> Clock:
    """Add what the clock of the time stamps disagrees with."""
    notes = list(clock.notes)
    if n_stamps != count:
        notes.append(f"{n_stamps} time stamps for {count} samples; the shorter counts")
    rate = None if begin is None else hdf5.as_number(hdf5.attribute(begin, "rate"))
    if rate is not None and abs(rate - clock.rate) > clock.uncertainty * clock.rate:
        notes.append(f"its rate of {rate:g} Hz contradicts the time stamps ({clock.rate:g} Hz)")
    return attrs.evolve(clock, notes=tuple(notes))


def _seconds(text: Any) -> float:
    unit = "" if text is None else hdf5.as_text(text).strip().lower()
    if unit not in _SECONDS:
        msg = f"its times are in {unit!r}; expected seconds"
        raise FileFormatError(msg)
    return _SECONDS[unit]
