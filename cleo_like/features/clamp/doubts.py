"""What makes the answer to a pulse none of a pipette and a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.sweep import ClampMode
from cleo_like.features.passive.lateness import lag_of_pulse

if TYPE_CHECKING:
    from cleo_like.core.sweep import Sweep

_OF_THE_EDGE: tuple[str, ...] = ("access_resistance", "capacitance")
_EARLY = "the potential moves {:.3g} ms before the current: do their times belong together?"

_SMALLEST, LARGEST, LARGEST_CELL = 1e6, 2e11, 2e10
"""Ohm: an open pipette, the best of seals, and the smallest granule cells."""

_LATE = 1.5e-4
"""Lag (s) of a transient that is no filter's of 2 kHz or more."""

_PARTS, _MOVES = 10, 0.02
"""Stretches of the rest, and part of the answer by which their means may differ."""
_FLAT, _AT_ONCE = 4, 20
"""Equal samples at the extreme, and the sample by which they begin: a transient cut off."""

LEAST = 20
"""Samples that a fit of three values needs."""
_ALIKE, _STRETCHES, _CLEAR = 4.0, 8, 4.0
"""Neighbours that filtered noise has in common (50 kHz and a 10 kHz filter); stretches of a
pulse; standard errors (passive cells with noise: 2.9 at most in 200) at which one creeps."""


def no_cell(ohm: float, most: float = LARGEST) -> str:
    """Say why a resistance (ohm) is that of no cell behind a pipette; "" if it can be one."""
    if ohm < 0:
        return "the current moves against the potential: is the sign of one of them right?"
    if np.isfinite(ohm) and not _SMALLEST < ohm < most:
        return f"{ohm:.3g} ohm are no cell: are the units of current and potential right?"
    return ""


def answer_of(
    sweep: Sweep,
    first: int,
    last: int,
    size: float,
    *,
    skip: int,
    base: np.ndarray,
    notes: list[str],
) -> tuple[int, tuple[str, ...]] | None:
    """Find where a pulse is answered, and which values its answer cannot tell.

    Returns
    -------
    tuple of int and names, or None
        Samples by which it is late; None where it tells nothing. The notes say why.
    """
    response, unseen = sweep.response[first:last].astype(float), _OF_THE_EDGE
    if sweep.mode is ClampMode.VOLTAGE:
        late, what, trouble = _late_by(response, base, skip, sweep.rate), "current", ""
        clipped = _is_clipped(response[late:])
        unseen = unseen if clipped else ()
        if clipped:
            notes.append("the transient is clipped: access and capacitance are not known")
    else:
        lag = lag_of_pulse(sweep.response, first, last, size=size, rate=sweep.rate)
        late, what = max(round(lag * sweep.rate), 0), "potential"
        trouble = "the potential is clipped" if _is_still(response) else ""
        trouble = trouble or (_EARLY.format(-lag * 1e3) if lag < 0 else "")
        unseen = unseen[: late > 0]
    if late and last - first - skip - late >= LEAST:
        notes.append(
            f"the {what} answers {late / sweep.rate * 1e3:.3g} ms after the command: is its "
            "time right? The pulse is measured from there"
        )
    elif late:
        trouble = f"the {what} answers when the pulse is nearly over"
    if trouble:
        notes.append(trouble)
        return None
    return late, unseen


def _late_by(response: np.ndarray, base: np.ndarray, skip: int, rate: float) -> int:
    """Count the samples by which a transient is later than filters make it.

    The current is largest at the edge, and rises to a tenth of that within the filter's delay.
    """
    above = np.abs(response - base.mean())
    rest = np.median(above[-(len(above) // 4) :])
    height = float(above.max())
    if not height > max(2 * rest, 10 * float(base.std())):
        return 0
    begins = int((above > 0.5 * height).argmax())
    begins -= int((above[begins::-1] <= max(0.1 * height, 5 * float(base.std()))).argmax()) - 1
    return begins if begins > skip and begins > _LATE * rate else 0


def restless(base: np.ndarray, change: float) -> list[str]:
    """Say by how much the rest before a pulse moves, more slowly than noise, if it does."""
    size = len(base) // _PARTS
    if size < 4:
        return []
    means = base[: size * _PARTS].reshape(_PARTS, size).mean(axis=1)
    white = float(np.std(np.diff(base))) / np.sqrt(2)
    moves = float(means.std(ddof=1))
    if moves <= max(_MOVES * abs(change), _CLEAR * white * np.sqrt(_ALIKE / size)):
        return []
    return [
        f"the rest before the pulse moves by {moves / abs(change):.1%} of the answer (hum, "
        "drift or synaptic currents): values are as uncertain"
    ]


def _is_still(response: np.ndarray) -> bool:
    """Whether the end of a pulse stands still, as a clipped potential does."""
    late = response[len(response) // 2 :]
    return len(late) >= LEAST and bool(late.min() == late.max())


def _is_clipped(response: np.ndarray) -> bool:
    """Whether the transient is cut off flat."""
    for extreme in (response.max(), response.min()):
        at = np.flatnonzero(response == extreme)
        if at.size >= _FLAT and (np.diff(at)[: _FLAT - 1] == 1).all() and at[0] < _AT_ONCE:
            return True
    return False


def creep_of(left: np.ndarray) -> float:
    """Give the largest stretch of what a fit leaves over; 0 where it is within the noise."""
    means = np.array([part.mean() for part in np.array_split(left, _STRETCHES)])
    half = left[len(left) // 2 :]
    noise = float(np.std(half)) * np.sqrt(_ALIKE * _STRETCHES / len(left))
    largest = float(np.abs(means).max())
    return largest if largest > _CLEAR * noise else 0.0
