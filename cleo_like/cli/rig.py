"""The options that say which rig: the same for every verb that records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_SETTINGS = (
    ("--rs", "access_resistance", "Access resistance, for example 15Mohm."),
    ("--rs-end", "access_resistance_end", "Access resistance it drifts to."),
    ("--bridge", "bridge", "Bridge balance (default: balanced)."),
    ("--neutralisation", "neutralisation", "Share of the pipette's capacitance, 0 to 1."),
    ("--correction", "correction", "Share of Rs in voltage clamp, 0 to 1."),
    ("--noise", "noise", "Noise of the ideal rig, rms (default: none)."),
    ("--lowpass", "lowpass", "Bessel filter of the recording, for example '2 kHz'."),
)
_FLAGS = {name: flag for flag, name, _ in _SETTINGS}
_SHARES = ("neutralisation", "correction")
_IDEAL = ("noise", "lowpass")
"""What an ideal rig has."""


def rig_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which rig; `rig_of` takes them."""
    for flag, name, text in reversed(_SETTINGS):
        command = click.option(flag, name, default=None, help=text)(command)
    text = "ideal or multiclamp_700b: pipette, amplifier, digitiser."
    return click.option("--rig", default="ideal", show_default=True, help=text)(command)


def rig_of(rig: str, mode: Any, settings: dict[str, str | None]) -> Any:
    """Make the rig of the command line for a clamp mode."""
    from cleo_like.core.errors import InputError
    from cleo_like.core.units import number
    from cleo_like.patch import rig_preset

    given: dict[str, Any] = {k: v for k, v in settings.items() if v is not None}
    real = [name for name in given if name not in _IDEAL]
    if rig == "ideal" and real:
        msg = f"{_FLAGS[real[0]]} is of a real rig; give --rig multiclamp_700b too"
        raise InputError(msg)
    if rig != "ideal" and "noise" in given:
        msg = f"the rig {rig!r} makes its own noise; leave out --noise"
        raise InputError(msg)
    for name in _SHARES:
        if name in given:
            given[name] = number(given[name], name)
    return rig_preset(rig, mode, **given)
