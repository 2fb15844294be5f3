"""What file and simulator say of pipette and seal, judged where they say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_number
from cleo_like.core.errors import CleoLikeError
from cleo_like.qc.verdicts import Check, limited, unknown

if TYPE_CHECKING:
    from cleo_like.core.recording import Recording
    from cleo_like.qc.verdicts import Criteria

_SERIES = ("series_resistance", "whole_cell_series_resistance_comp", "bridge_balance")


def rig_checks(
    recording: Recording, input_resistance: float, limits: Criteria
) -> tuple[Check, ...]:
    """Judge series resistance, seal, electrode current and blowout.

    They are looked for in the settings of the sweeps and among what the file says of the
    electrode; an ideal simulated electrode has none of them.

    Parameters
    ----------
    recording : Recording
        Its sweeps' settings, device and truth are read.
    input_resistance : float
        Measured (ohm); where it is NaN, that of the simulated cell is taken, if it is known.
    limits : Criteria
        Limits.

    Returns
    -------
    tuple of Check
        ``series_resistance``, ``series_ratio``, ``seal``, ``electrode`` and ``blowout``.
    """
    told = [
        ("seal", "seal", "ohm", (limits.seal, np.inf), "GOhm", 1e-9),
        (
            "electrode", "electrode_current", "A", (-limits.electrode, limits.electrode),
            "pA", 1e12,
        ),
        ("blowout", "blowout", "V", (-limits.blowout, limits.blowout), "mV", 1e3),
    ]  # fmt: skip
    checks = list(_series(recording, input_resistance, limits))
    for name, key, base, span, unit, scale in told:
        value, why = _of_device(recording, key, base)
        missing = np.isnan(value)
        checks.append(
            unknown(name, why) if missing else limited(name, value, span, unit, scale)
        )
    return tuple(checks)


def _series(
    recording: Recording, input_resistance: float, limits: Criteria
) -> tuple[Check, Check]:
    if _is_ideal(recording):
        why = "the simulated electrode is ideal: it has no series resistance"
        there = Check(name="series_resistance", passed=True, value=0.0, unit="MOhm", reason=why)
        return there, attrs.evolve(there, name="series_ratio", unit="1")
    value, why = _series_resistance(recording)
    if np.isnan(value):
        return unknown("series_resistance", why), unknown("series_ratio", why)
    first = limited("series_resistance", value, limits.series_resistance, "MOhm", 1e-6)
    first = attrs.evolve(first, reason=f"{first.reason} ({why})")
    resistance, whence = _input_resistance(recording, input_resistance)
    if not resistance > 0:
        return first, unknown("series_ratio", whence)
    ratio = limited("series_ratio", value / resistance, (-np.inf, limits.series_ratio), "1")
    return first, attrs.evolve(ratio, reason=f"{ratio.reason} of the {whence}")


def _series_resistance(recording: Recording) -> tuple[float, str]:
    """Median over the sweeps of the first setting that is in use, else what was measured."""
    doubts = []
    for name in _SERIES:
        said = [s.settings[name] for s in recording.sweeps if s.settings.get(name) is not None]
        read = [said_number(one, name, "ohm") for one in said]
        known = [value for value, _ in read if value > 0]
        if known:
            return float(np.median(known)), name
        doubts += [why for _, why in read if why]
    key = "initial_access_resistance"
    value, why = _of_device(recording, key, "ohm")
    return value, key if np.isfinite(value) else "; ".join([*dict.fromkeys(doubts), why])


def _input_resistance(recording: Recording, measured: float) -> tuple[float, str]:
    if measured > 0:
        return measured, "measured input resistance"
    known = recording.truth.answers if recording.truth is not None else {}
    if "input_resistance" in known:
        return float(known["input_resistance"]), "input resistance of the simulated cell"
    return np.nan, "the input resistance is not known"


def _is_ideal(recording: Recording) -> bool:
    return recording.truth is not None and recording.device.get("electrode") == "ideal"


def _of_device(recording: Recording, key: str, unit: str) -> tuple[float, str]:
    """Give what the file says of the electrode, in SI, or NaN and why."""
    said: Any = recording.device.get(key)
    if said is None:
        if _is_ideal(recording):
            return np.nan, "the simulated electrode is ideal: it has none"
        return np.nan, f"the recording does not say its {key.replace('_', ' ')}"
    return said_number(said, key, unit)


def said_number(said: Any, key: str, unit: str) -> tuple[float, str]:
    """Read what a file or a person wrote ("5 MOhm", SI) as SI, or give NaN and why."""
    try:
        return float(si_number(unit, key)(said)), ""
    except (CleoLikeError, TypeError, ValueError):
        return np.nan, f"{key.replace('_', ' ')} is said to be {said!r}, no number of {unit}"
