"""What a case plays: families scaled to the cell, so that every cell is asked the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.stimuli import chirp, long_square, ramp

if TYPE_CHECKING:
    from cleo_like.core import Protocol
    from cleo_like.groundtruth.cases.cells import StudyCell

_BEFORE, _AFTER = "0.25 s", "0.2 s"
_DURATION = {"steps_600": "0.6 s", "steps_1000": "1 s"}
_BELOW = (30.0, 15.0)  # mV below rest that the two strongest steps would reach in a linear cell
_GENTLE = ((6.0, 90.0), (4.0, 60.0), (2.0, 30.0))
"""Steps for resistance and time constant: mV, and at most so many pA: the extractors take
steps above -100 pA only (ExtractionParameters.subthresh_min_amp)."""
_ABOVE = (0.6, 0.9, 1.05, 1.3, 1.7, 2.2)  # times rheobase
_BLOCK = (4.0, 8.0)
_HELD = 5.0  # mV below rest
_PULSE = 2.0  # mV, downwards


def protocol_of(cell: StudyCell, name: str, rate: float) -> Protocol:
    """Make the protocol of a case.

    Parameters
    ----------
    cell : StudyCell
        Its resistance and rheobase set the currents.
    name : str
        One of `factors.PROTOCOLS`.
    rate : float
        Hz.

    Examples
    --------
    >>> from cleo_like.groundtruth.cases.cells import study_cell
    >>> protocol_of(study_cell("passive", 0, 1), "one_step", 5e4)
    Protocol long_square: 1 sweep of 950 ms at 50 kHz, -20..0 pA, gap 0 ms
    """
    resistance = cell.answers.input_resistance * 1e-6  # MOhm
    strongest = cell.rheobase * 1e12 if cell.spikes else 15e3 / resistance
    common: dict[str, Any] = {"before": _BEFORE, "after": _AFTER, "rate": f"{rate!r} Hz"}
    if name == "ramp":
        slope = f"{2.5 * strongest:.6g} pA/s"
        return ramp(slope, duration="1 s", **common)
    if name == "chirp":
        return chirp(_pa(5e3 / resistance), duration="3 s", **common)
    if name == "one_step":
        return long_square(["-20 pA"], duration="0.5 s", **common)
    levels = _levels(resistance, strongest, spikes=cell.spikes, block=name == "steps_block")
    extra = {}
    if name == "steps_test_pulse":
        extra["test_pulse"] = _pa(-_PULSE * 1e3 / resistance)
    if name == "steps_held":
        extra["holding"] = _pa(-_HELD * 1e3 / resistance)
    duration = _DURATION.get(name, "0.5 s")
    return long_square([_pa(x) for x in levels], duration=duration, **common, **extra)


def _levels(resistance: float, strongest: float, *, spikes: bool, block: bool) -> list[float]:
    """Currents of the sweeps (pA), ascending."""
    down = [-x * 1e3 / resistance for x in _BELOW]
    down += [-min(mv * 1e3 / resistance, most) for mv, most in _GENTLE]
    up = [x * strongest for x in (*_ABOVE, *(_BLOCK if block else ()))]
    if not spikes:
        up = [0.5 * strongest, strongest]
    step = 1.0 if strongest < 100 else 5.0
    rounded = [np.round(x) for x in down] + [np.ceil(x / step) * step for x in up]
    return sorted(set(map(float, rounded)))


def _pa(value: float) -> str:
    return f"{np.round(value):g} pA"
