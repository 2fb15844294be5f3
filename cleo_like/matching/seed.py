"""The two functions that users of the first atlas notebook know, over the new matcher."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core import InputError
from cleo_like.matching.command.classify import sketch
from cleo_like.matching.families import decide
from cleo_like.matching.ladder import find_ladders
from cleo_like.matching.match import match_arrays
from cleo_like.matching.verdict import LONG_SQUARE

if TYPE_CHECKING:
    from jaxtyping import Float

    from cleo_like.matching.command.plateaus import Plateaus

Characteristics = tuple[float | None, float | None, float, int | None, int | None]
_NOTHING: Characteristics = (None, None, 0.0, None, None)


def match_long_square_protocol(
    i: Float[np.ndarray, "n_samples"],
    t: Float[np.ndarray, "n_samples"],
    start_idx: int | None = None,  # noqa: ARG001
    end_idx: int | None = None,  # noqa: ARG001
) -> str | None:
    """Tell whether one sweep is a long square.

    Parameters
    ----------
    i : array, shape (n_samples,)
        Command, in any unit.
    t : array, shape (n_samples,)
        Times (s).
    start_idx, end_idx : int, optional
        Kept for old callers; the matcher finds the step itself.

    Returns
    -------
    str or None
        "Long Square", or None. A sweep of constant command is None: without its family
        nobody knows that it is the 0 pA step.

    Examples
    --------
    >>> t = np.arange(20000) / 2e4
    >>> match_long_square_protocol(np.where((t >= 0.1) & (t < 0.6), 50.0, 0.0), t)
    'Long Square'
    """
    found = match_arrays(_row(i), f"{_rate(t)} Hz")
    return "Long Square" if found.family == LONG_SQUARE else None


def get_stim_characteristics(  # noqa: PLR0917 (the signature users know)
    i: Float[np.ndarray, "n_samples"],
    t: Float[np.ndarray, "n_samples"],
    test_pulse: bool = True,  # noqa: FBT001, FBT002
    start_epoch: int | None = None,
    end_epoch: int | None = None,
    test_pulse_length: float = 0.250,
) -> Characteristics:
    """Find start, length, amplitude and samples of the stimulus of one sweep.

    Parameters
    ----------
    i : array, shape (n_samples,)
        Command, in any unit.
    t : array, shape (n_samples,)
        Times (s).
    test_pulse : bool
        Whether a first pulse that is over before `test_pulse_length` is a test pulse when
        another pulse follows.
    start_epoch, end_epoch : int, optional
        First and last sample to look at; the whole sweep when not given.
    test_pulse_length : float
        Latest end of a test pulse (s from the first sample).

    Returns
    -------
    start_time, duration : float or None
        Seconds.
    amplitude : float
        Level of the longest plateau of the stimulus less holding, or the largest
        departure from holding of a waveform; 0.0 without a stimulus.
    start_idx, end_idx : int or None
        First and last sample of the stimulus (the last one belongs to it).

    Examples
    --------
    >>> t = np.arange(20000) / 2e4
    >>> i = np.where((t >= 0.1) & (t < 0.6), 50.0, 0.0)
    >>> get_stim_characteristics(i, t)
    (0.1, 0.5, 50.0, 2000, 11999)
    """
    rate = _rate(t)
    first = start_epoch if start_epoch is not None else 0
    last = end_epoch if end_epoch is not None else len(t) - 1
    look = sketch(_row(i)[first : last + 1], rate)
    if look.shape is not None and look.stretch is not None:
        a, b = look.stretch
        off = look.plateaus.samples[a:b] - look.holding
        amplitude = float(off[np.argmax(np.abs(off))])
        return _answer(t, rate, (first + a, first + b), amplitude)
    found = _pulse(look.plateaus, test_pulse_length if test_pulse else 0.0)
    if found is None:
        return _NOTHING
    (a, b), amplitude = found
    return _answer(t, rate, (first + a, first + b), amplitude)


def _pulse(cut: Plateaus, test_pulse_end: float) -> tuple[tuple[int, int], float] | None:
    """Give range and amplitude of the stimulus: the family's step, or all pulses."""
    if cut.trouble is not None or cut.edges.size == 0:
        return None
    ladder = find_ladders([cut], [0])[0]
    decision = decide(ladder)
    off = [k for k in range(len(cut.levels)) if k not in decision.rests]
    bounds = ladder.bounds()
    if not off:
        return None
    if decision.step is not None and test_pulse_end > 0.0:
        off = [decision.step]
    elif len(off) > 1 and bounds[off[0]][1] < test_pulse_end * cut.rate:
        off = off[1:]
    longest = max(off, key=lambda k: bounds[k][1] - bounds[k][0])
    amplitude = float(ladder.levels[0, longest] - decision.holding[0])
    return (bounds[off[0]][0], bounds[off[-1]][1]), amplitude


def _answer(
    t: np.ndarray, rate: float, span: tuple[int, int], amplitude: float
) -> Characteristics:
    start, stop = span
    return float(t[start]), (stop - start) / rate, amplitude, start, stop - 1


def _row(i: np.ndarray) -> np.ndarray:
    row = np.asarray(i, dtype=float)
    if row.ndim != 1:
        msg = f"i must be one sweep, shape (n_samples,), got {row.shape}"
        raise InputError(msg)
    return row


def _rate(t: np.ndarray) -> float:
    times = np.asarray(t, dtype=float)
    if times.ndim != 1 or times.size < 2 or not times[-1] > times[0]:
        msg = "t must be rising times in s, shape (n_samples,) with two samples or more"
        raise InputError(msg)
    return float((times.size - 1) / (times[-1] - times[0]))
