"""What makes the answer to a pulse none of a pipette and a cell."""

from __future__ import annotations

import numpy as np

_POSSIBLE = (1e6, 2e11)
"""Ohm: what a pulse can see, from an open pipette to the best of seals."""

_LATE = 1.5e-4
"""Lag (s) of a transient that is no filter's of 2 kHz or more."""

_FLAT, _AT_ONCE = 4, 20
"""Equal samples at the extreme, and the sample by which they begin: a transient cut off."""

LEAST = 20
"""Samples that a fit of three values needs."""
_ALIKE, _STRETCHES, _CLEAR = 4.0, 8, 4.0
"""Neighbours that filtered noise has in common (50 kHz and a 10 kHz filter); stretches of a
pulse; standard errors (passive cells with noise: 2.9 at most in 200) at which one creeps."""


def no_cell(ohm: float) -> str:
    """Say why a resistance (ohm) is that of no cell behind a pipette; "" if it can be one."""
    if ohm < 0:
        return "the current moves against the potential: is the sign of one of them right?"
    low, high = _POSSIBLE
    if np.isfinite(ohm) and not low < ohm < high:
        return f"{ohm:.3g} ohm are no cell: are the units of current and potential right?"
    return ""


def transient(
    response: np.ndarray, base: np.ndarray, skip: int, rate: float, notes: list[str]
) -> tuple[np.ndarray, bool]:
    """Begin a clamped current where it answers, and tell whether it is clipped there."""
    late = _late_by(response, base, skip, rate)
    if late and len(response) - skip - late >= LEAST:
        notes.append(
            f"the current answers {late / rate * 1e3:.3g} ms after the command: is its time "
            "right? The pulse is measured from there"
        )
        response = response[late:]
    clipped = _is_clipped(response)
    if clipped:
        notes.append("the transient is clipped: access and capacitance are not known")
    return response, clipped


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
