"""Are these numbers what their unit says? Reported as findings, never repaired in silence.

Files exist that declare volts and hold millivolts, or that swapped response and command.
The bounds are those of any cell: a membrane never reaches a volt, a patch electrode never
carries a microampere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.sweep import ClampMode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cleo_like.core.sweep import Sweep

LARGEST_POTENTIAL = 1.0  # V; beyond it the unit is wrong, not the cell
LARGEST_CURRENT = 1e-6  # A
REST = (-0.120, 0.0)  # V: where a baseline can be
SMALLEST_POTENTIAL = 1e-6  # V; a potential that never reaches it is rather a current


def unit_findings(sweeps: Iterable[Sweep]) -> tuple[str, ...]:
    """Say which values cannot be in the unit that the file declares.

    Parameters
    ----------
    sweeps : iterable of Sweep
        Sweeps of one recording (SI).

    Returns
    -------
    tuple of str
        One sentence for each doubt, with the sweeps it concerns; empty when all is well.

    Examples
    --------
    >>> from cleo_like.core import Sweep
    >>> for text in unit_findings([Sweep(response=np.full(50, -70.0), rate=2e4)]):
    ...     print(text)
    potentials reach 70 V: they look like mV stored as V (sweep 0); nothing was changed
    """
    doubts: dict[str, list[int]] = {}
    for sweep in sweeps:
        for doubt in _doubts(sweep):
            doubts.setdefault(doubt, []).append(sweep.number)
    return tuple(
        f"{doubt} ({_numbers(numbers)}); nothing was changed"
        for doubt, numbers in doubts.items()
    )


def _doubts(sweep: Sweep) -> list[str]:
    if sweep.mode is ClampMode.UNKNOWN or sweep.n_samples == 0:
        return []
    if sweep.mode is ClampMode.CURRENT:
        return _potential(sweep.response, "potentials") + _current(sweep.command, "commands")
    return _potential(sweep.command, "commands") + _current(sweep.response, "currents")


def _potential(samples: np.ndarray | None, what: str) -> list[str]:
    top = _largest(samples)
    if top is None or samples is None:
        return []
    if top > LARGEST_POTENTIAL:
        return [f"{what} reach {_rounded(top)} V: they look like mV stored as V"]
    if what == "commands":
        return []
    if 0 < top < SMALLEST_POTENTIAL:
        return [
            f"{what} stay below 1 µV: they look like currents; "
            "response and command may be swapped"
        ]
    return _baseline(samples)


def _baseline(samples: np.ndarray) -> list[str]:
    median = float(np.nanmedian(samples))
    if REST[0] <= median <= REST[1]:
        return []
    return [
        f"the median potential lies outside {REST[0] * 1e3:g}..{REST[1] * 1e3:g} mV: "
        "unit, offset or seal may be wrong"
    ]


def _current(samples: np.ndarray | None, what: str) -> list[str]:
    top = _largest(samples)
    if top is None or top <= LARGEST_CURRENT:
        return []
    return [f"{what} reach {_rounded(top)} A: they look like pA or nA stored as A"]


def _largest(samples: np.ndarray | None) -> float | None:
    if samples is None or samples.size == 0 or np.all(np.isnan(samples)):
        return None
    return float(np.nanmax(np.abs(samples)))


def _rounded(value: float) -> str:
    """One significant digit, so that sweeps with the same doubt are counted together."""
    return f"{value:.1g}" if value < 1 else f"{float(f'{value:.1g}'):g}"


def _numbers(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"sweep {numbers[0]}"
    shown = ", ".join(map(str, numbers[:5]))
    more = f" ... {numbers[-1]}" if len(numbers) > 5 else ""
    return f"{len(numbers)} sweeps: {shown}{more}"
