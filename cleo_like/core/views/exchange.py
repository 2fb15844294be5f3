"""Sweeps and protocols in the terms of pandas, xarray, Neo and pynapple, and back from Neo."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.plugins import needed
from cleo_like.core.units.table import shown_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    import xarray as xr

    from cleo_like.core.views.nouns import ModeLike, ProtocolLike, RecordingLike, SweepLike


def _shown(samples: np.ndarray, name: str, unit: str) -> tuple[str, np.ndarray]:
    """Name a column by its unit, and give the samples in it."""
    text, size = shown_unit(unit)
    return f"{name}_{text.strip('()').replace(' ', '_')}", samples / size


def sweeps_frame(sweeps: Sequence[SweepLike]) -> pd.DataFrame:
    """Put sweeps below each other, one row for each sample.

    Returns
    -------
    DataFrame
        ``sweep`` (its number), ``time_s``, and ``response_mV`` and ``command_pA`` (in voltage
        clamp ``response_pA`` and ``command_mV``); a command that is not known is NaN.
    """
    import pandas as pd

    parts = []
    for sweep in sweeps:
        command = (
            sweep.command if sweep.command is not None else np.full(sweep.n_samples, np.nan)
        )
        columns = dict([
            ("sweep", np.full(sweep.n_samples, sweep.number)),
            ("time_s", sweep.time),
            _shown(sweep.response, "response", sweep.mode.response_unit),
            _shown(command, "command", sweep.mode.command_unit),
        ])  # fmt: skip
        parts.append(pd.DataFrame(columns))
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame({"sweep": [], "time_s": []})
    )


def protocol_frame(protocol: ProtocolLike) -> pd.DataFrame:
    """Put commands below each other: ``sweep``, ``time_s``, ``command_pA`` (or ``_mV``)."""
    import pandas as pd

    n, size = protocol.waveforms.shape
    name, values = _shown(protocol.waveforms.ravel(), "command", protocol.mode.command_unit)
    numbers = np.repeat(np.arange(n), size)
    return pd.DataFrame({"sweep": numbers, "time_s": np.tile(protocol.time, n), name: values})


def recording_dataset(recording: RecordingLike) -> xr.Dataset:
    """Give sweeps of equal length as a labelled array, in SI with the unit in ``attrs``.

    Returns
    -------
    Dataset
        ``response`` and, where every sweep has one, ``command``, over ``sweep`` (number) and
        ``time`` (s); ``start_time`` (s) of each sweep.

    Raises
    ------
    InputError
        Sweeps of unequal length, rate or clamp mode.
    UnsupportedError
        xarray is not installed.
    """
    xr = needed("xarray", "xarray")
    stacked, mode = recording.stacked(), recording.sweeps[0].mode
    time = np.arange(stacked.response.shape[1]) / stacked.rate
    over = ("sweep", "time")
    data = {"response": (over, stacked.response, {"units": mode.response_unit})}
    if stacked.command is not None:
        data["command"] = (over, stacked.command, {"units": mode.command_unit})
    return xr.Dataset(
        data,
        coords={
            "sweep": list(stacked.numbers),
            "time": ("time", time, {"units": "s"}),
            "start_time": ("sweep", [s.start_time for s in recording.sweeps], {"units": "s"}),
        },
        attrs={"cell": recording.cell.id, "clamp_mode": str(mode), "rate_hz": stacked.rate},
    )


def recording_tsd(recording: RecordingLike) -> dict[str, Any]:
    """Give pynapple's objects on the clock of the whole recording.

    Returns
    -------
    dict
        ``response`` and, where every sweep has one, ``command`` (`Tsd`, mV and pA), ``sweeps``
        (`IntervalSet`) and, for simulated cells, ``spikes`` (`Ts`).

    Raises
    ------
    InputError
        No sweep, several clamp modes, or sweeps that overlap on the clock.
    UnsupportedError
        pynapple is not installed.
    """
    nap = needed("pynapple", "pynapple")
    sweeps = recording.sweeps
    _check_one_clock(recording)
    starts = [sweep.start_time for sweep in sweeps]
    ends = [s.start_time + max(s.n_samples - 1, 0) / s.rate for s in sweeps]
    epochs = nap.IntervalSet(start=starts, end=ends)
    times = np.concatenate([s.start_time + s.time for s in sweeps])
    out = {"sweeps": epochs}
    for name in ("response", "command"):
        parts = [getattr(sweep, name) for sweep in sweeps]
        if any(part is None for part in parts):
            continue
        unit = getattr(sweeps[0].mode, f"{name}_unit")
        values = np.concatenate(parts) / shown_unit(unit)[1]
        out[name] = nap.Tsd(t=times, d=values, time_support=epochs)
    if recording.truth is not None:
        spikes = [
            t + start for t, start in zip(recording.truth.spike_times, starts, strict=True)
        ]
        out["spikes"] = nap.Ts(t=np.concatenate(spikes), time_support=epochs)
    return out


def _check_one_clock(recording: RecordingLike) -> None:
    """Refuse what pynapple would sort and join, or put into one unit, without a word."""
    sweeps, name = recording.sweeps, recording.cell.id
    if not sweeps:
        raise InputError(f"the recording of {name} has no sweep to give to pynapple")
    if len({sweep.mode for sweep in sweeps}) > 1:
        msg = f"the recording of {name} has several clamp modes: take one of by_protocol()"
        raise InputError(msg)
    for one, following in itertools.pairwise(sweeps):
        if following.start_time < one.start_time + (one.n_samples - 1) / one.rate:
            msg = (
                f"sweeps {one.number} and {following.number} of {name} overlap on the clock of "
                "the recording: give each its own start_time="
            )
            raise InputError(msg)


def recording_block(recording: RecordingLike) -> Any:
    """Give a Neo block: a segment for each sweep, with response, command and known spikes.

    Raises
    ------
    UnsupportedError
        Neo is not installed.
    """
    neo, pq = needed("neo", "neo"), needed("quantities", "neo")
    block = neo.Block(name=recording.cell.id, description=str(recording.provenance.source))
    for place, sweep in enumerate(recording.sweeps):
        segment = neo.Segment(name=f"sweep {sweep.number}", index=sweep.number)
        for name in ("response", "command"):
            samples = getattr(sweep, name)
            if samples is None:
                continue
            text, size = shown_unit(getattr(sweep.mode, f"{name}_unit"))
            segment.analogsignals.append(neo.AnalogSignal(
                samples[:, None] / size, units=text if "(" not in text else "dimensionless",
                sampling_rate=sweep.rate * pq.Hz, t_start=sweep.start_time * pq.s, name=name,
                clamp_mode=str(sweep.mode),
            ))  # fmt: skip
        if recording.truth is not None:
            times = recording.truth.spike_times[place] + sweep.start_time
            stop = max(sweep.start_time + sweep.duration, float(times.max(initial=0.0)))
            segment.spiketrains.append(neo.SpikeTrain(
                times, units="s", t_start=sweep.start_time, t_stop=stop, name="true spikes"
            ))  # fmt: skip
        block.segments.append(segment)
    return block


def segments_of_block(
    block: Any,
    mode_of: Callable[[str | None], ModeLike],
    response: str | None,
    command: str | None,
) -> list[dict[str, Any]]:
    """Read what a sweep is made of from each segment of a Neo block.

    Parameters
    ----------
    block : neo.Block or neo.Segment
        Of any file that Neo reads, or what `Recording.to_neo` gave.
    mode_of : callable
        Which unit is that of the response, told what the signals of a segment note (or None).
    response, command : str or None
        Name of the signal; found by its unit where it is None.

    Returns
    -------
    list of dict
        Arguments of `Sweep`.

    Raises
    ------
    InputError
        No signal, or more than one, that could be the response; the message names them.
    """
    segments = block.segments if hasattr(block, "segments") else [block]
    if not all(hasattr(segment, "analogsignals") for segment in segments):
        msg = f"expected a neo.Block or neo.Segment, got {type(block).__name__}"
        raise InputError(msg)
    out = []
    for number, segment in enumerate(segments):
        mode = mode_of(_noted_mode(segment))
        answer = _signal(segment, response, "response", mode.response_unit)
        if answer is None:
            have = [f"{s.name!r} in {s.units.dimensionality}" for s in segment.analogsignals]
            msg = (
                f"segment {number} has no signal in {mode.response_unit} for {mode}; it has "
                f"{', '.join(have) if have else 'none'}: give mode= or response="
            )
            raise InputError(msg)
        told = _signal(segment, command, "command", mode.command_unit)
        out.append({
            "mode": mode,
            "response": _column(answer, mode.response_unit),
            "command": None if told is None else _column(told, mode.command_unit),
            "rate": float(answer.sampling_rate.rescale("Hz")),
            "number": number if segment.index is None else int(segment.index),
            "start_time": float(answer.t_start.rescale("s")),
        })  # fmt: skip
    return out


def _noted_mode(segment: Any) -> str | None:
    """Clamp mode that `recording_block` notes with the signals."""
    noted = (s.annotations.get("clamp_mode") for s in segment.analogsignals)
    return next((str(text) for text in noted if text), None)


def _signal(segment: Any, name: str | None, usual: str, unit: str) -> Any:
    """Find the signal of a name, else the one called as usual, else the only one of a unit."""
    signals = segment.analogsignals
    if name is not None:
        named = [s for s in signals if s.name == name]
        if not named:
            raise unknown_name("signal", name, [str(s.name) for s in signals])
        return named[0]
    fitting = [s for s in signals if _is(s, unit)]
    usual_ones = [s for s in fitting if s.name == usual]
    if len(usual_ones) == 1:
        return usual_ones[0]
    if len(fitting) > 1:
        names = ", ".join(repr(s.name) for s in fitting)
        msg = (
            f"{len(fitting)} signals in {unit} ({names}): say which is the {usual}= by its name"
        )
        raise InputError(msg)
    return fitting[0] if fitting else None


def _is(signal: Any, unit: str) -> bool:
    simple = signal.units.simplified.dimensionality
    quantities = needed("quantities", "neo")
    return bool(simple == getattr(quantities, unit).simplified.dimensionality)


def _column(signal: Any, unit: str) -> np.ndarray:
    values = np.asarray(signal.rescale(unit).magnitude, dtype=float)
    if values.ndim == 2 and values.shape[1] != 1:
        msg = (
            f"the signal {signal.name!r} has {values.shape[1]} channels; take one of them "
            f"(signal[:, 0]) and give it a segment of its own"
        )
        raise InputError(msg)
    return values.reshape(-1)
