"""What delays a recording: the output filter and the amplifier, as file or rig state them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.features.lowpass import stated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.core.recording import Recording
    from cleo_like.core.sweep import Sweep

CLAMP_TIME, OUTPUT_TIME = 0.8e-6, 7.5e-6
"""Typical time constants (s) of clamp and current monitor: Lei et al. 2020, Phil Trans A
378:20190348. They are small; a file never says them."""


@attrs.frozen(kw_only=True)
class Chain:
    """Amplifier settings of a sweep as far as they are known (SI).

    `correction` is a share, `corrected` the resistance (ohm) that it takes away.
    """

    filtering: Any
    filter_delay: float
    correction: float
    estimate: float
    sum_time: float
    whole_cell: float
    bridge: float | None

    @property
    def corrected(self) -> float:
        """Resistance that feedback takes away (ohm)."""
        return self.correction * self.estimate

    @property
    def delay(self) -> float:
        """From a command to the recorded current (s)."""
        return self.filter_delay + self.sum_time + CLAMP_TIME + OUTPUT_TIME


def chain_of(recording: Recording, sweep: Sweep) -> Chain:
    """Read what a recording says of its amplifier and filter."""
    settings = sweep.settings
    percent = _number(settings, "resistance_comp_correction")
    estimate = _number(settings, "whole_cell_series_resistance_comp")
    bandwidth = _number(settings, "resistance_comp_bandwidth")
    unknown = _unknown(settings.get("bridge_balance"))
    bridge = None if unknown else _number(settings, "bridge_balance")
    known = percent > 0 and estimate > 0
    return Chain(
        filtering=recording.device.get("filtering"),
        filter_delay=filter_delay(recording.device.get("filtering")),
        correction=percent / 100 if known else 0.0,
        estimate=estimate if known else 0.0,
        sum_time=1 / (2 * np.pi * bandwidth) if bandwidth > 0 else 0.0,
        whole_cell=_number(settings, "whole_cell_capacitance_comp"),
        bridge=bridge,
    )


def filter_delay(text: Any) -> float:
    """Give the delay (s) of a Bessel filter that is described as "4-pole Bessel, 10 kHz".

    Other texts, and none, give 0.

    Examples
    --------
    >>> round(filter_delay("4-pole Bessel, 10 kHz") * 1e6, 1)  # us
    33.6
    """
    return float(np.sum(-1 / filter_poles(text)).real)


def filter_poles(text: Any) -> np.ndarray:
    """Give the poles (1/s) of a Bessel filter that is described in words; none of others."""
    found = stated(text)
    return np.zeros(0, dtype=complex) if found is None else found.pole_places


def _unknown(value: object) -> bool:
    return value is None or (isinstance(value, float) and bool(np.isnan(value)))


def _number(settings: Mapping[str, Any], name: str) -> float:
    """Give a setting; 0 where it is not there or NaN (nothing is known to be compensated).

    Raises
    ------
    InputError
        It is there and is no finite number of 0 or more.
    """
    value: Any = settings.get(name)
    if _unknown(value):
        return 0.0
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = float("nan")
    if not (np.isfinite(found) and found >= 0):
        msg = (
            f"the sweep's setting {name!r} is {value!r}, no finite number (SI, 0 or more); "
            "mend it, or take it out of Sweep.settings: without it nothing is compensated"
        )
        raise InputError(msg)
    return found
