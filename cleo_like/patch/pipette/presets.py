"""Rigs by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.sweep import ClampMode, clamp_mode
from cleo_like.patch.electrode import IdealElectrode
from cleo_like.patch.pipette.amplifier import CurrentClamp, VoltageClamp
from cleo_like.patch.pipette.digitiser import Digitiser
from cleo_like.patch.pipette.electrode import Electrode
from cleo_like.patch.pipette.pipette import PatchPipette
from cleo_like.stimuli.design import Dac

if TYPE_CHECKING:
    from collections.abc import Callable


def ideal(mode: ClampMode | str = ClampMode.CURRENT, **changes: Any) -> PatchPipette:
    """Give the ideal rig: `IdealElectrode`, the same values bit for bit.

    Parameters
    ----------
    mode : ClampMode or str
        Current clamp; there is no ideal voltage clamp.
    **changes
        Fields of `IdealElectrode`: noise, lowpass, poles.

    Examples
    --------
    >>> ideal(noise="0.1 mV")
    PatchPipette(IdealElectrode(noise=0.1 mV rms, full bandwidth))
    """
    if clamp_mode(mode) is not ClampMode.CURRENT:
        msg = (
            "the rig 'ideal' records in current clamp only; take multiclamp_700b("
            "mode='voltage_clamp') for voltage clamp"
        )
        raise InputError(msg)
    _check_names("ideal", changes, (IdealElectrode,))
    return PatchPipette(electrode=IdealElectrode(**changes), name="ideal")


def multiclamp_700b(mode: ClampMode | str = ClampMode.CURRENT, **changes: Any) -> PatchPipette:
    """Give a rig with a MultiClamp 700B, 500 MOhm feedback, and a 16-bit digitiser.

    Access 10 MOhm, pipette 5 pF, seal 5 GOhm, 4-pole Bessel filter of 10 kHz. Current clamp:
    bridge balanced, 90 % neutralised, 400 pA/V command, 10 V/V. Voltage clamp: 70 %
    correction, no prediction and no whole-cell compensation (which need the cell's
    capacitance), 4.5 pF fast compensation, 20 mV/V command, 0.5 V/nA.

    Parameters
    ----------
    mode : ClampMode or str
        "current_clamp" (default) or "voltage_clamp".
    **changes
        Fields of `Electrode`, of the amplifier (`CurrentClamp`, `VoltageClamp`) or of
        `Digitiser` that are to be otherwise.

    Notes
    -----
    Sources: resistances, capacitances and time constants of Lei et al. 2020 (Phil Trans A
    378:20190348) and its notebooks; command and output gains of the MultiClamp 700B manual;
    range and codes of Axon Binary Files (10.24 V, 16 bits).

    Examples
    --------
    >>> multiclamp_700b(access_resistance="15 MOhm", neutralisation=0.5).amplifier
    CurrentClamp(bridge balanced, neutralisation 0.5, 4-pole Bessel 10 kHz)
    """
    mode = clamp_mode(mode)
    if mode is ClampMode.UNKNOWN:
        msg = "mode must be 'current_clamp' or 'voltage_clamp', got 'unknown'"
        raise InputError(msg)
    electrode: dict[str, Any] = {"seal": "5 GOhm"}
    if mode is ClampMode.CURRENT:
        clamp: Any = CurrentClamp
        amplifier: dict[str, Any] = {"neutralisation": 0.9}
        full_scale = "4096 pA"  # 400 pA/V times 10.24 V
    else:
        clamp = VoltageClamp
        amplifier = {"correction": 0.7}
        full_scale = "204.8 mV"  # 20 mV/V times 10.24 V
    digitiser: dict[str, Any] = {"command": Dac(full_scale)}
    parts = (Electrode, clamp, Digitiser)
    _check_names("multiclamp_700b", changes, parts)
    given = [_chosen(changes, part) for part in parts]
    glass = Electrode(**electrode | given[0])
    if mode is ClampMode.VOLTAGE:
        amplifier["fast_capacitance"] = f"{0.9 * glass.capacitance * 1e12} pF"
    return PatchPipette(
        electrode=glass,
        amplifier=clamp(**amplifier | given[1]),
        digitiser=Digitiser(**digitiser | given[2]),
        name="multiclamp_700b",
    )


_RIGS: dict[str, Callable[..., PatchPipette]] = {
    "ideal": ideal,
    "multiclamp_700b": multiclamp_700b,
}


def rig_names() -> tuple[str, ...]:
    """Give the names of the rigs.

    Returns
    -------
    tuple of str
        What `rig_preset` takes.

    Examples
    --------
    >>> rig_names()
    ('ideal', 'multiclamp_700b')
    """
    return tuple(_RIGS)


def rig_preset(
    name: str, mode: ClampMode | str = ClampMode.CURRENT, **changes: Any
) -> PatchPipette:
    """Give a rig by name.

    Parameters
    ----------
    name : str
        One of `rig_names`.
    mode : ClampMode or str
        What is clamped.
    **changes
        Fields of its parts that are to be otherwise.

    Returns
    -------
    PatchPipette
        The rig, not injected yet.

    Raises
    ------
    UnknownNameError
        There is no such rig, or no such field; the message suggests near names.

    Examples
    --------
    >>> rig_preset("multiclamp_700b", access_resistance="15 MOhm").electrode
    Electrode(15 MOhm, 5 pF, seal 5000 MOhm)
    """
    if name not in _RIGS:
        raise unknown_name("rig", str(name), _RIGS)
    return _RIGS[name](mode, **changes)


def _chosen(changes: dict[str, Any], part: type) -> dict[str, Any]:
    return {k: v for k, v in changes.items() if k in _fields(part)}


def _fields(part: type) -> set[str]:
    return {field.name for field in attrs.fields(part)}


def _check_names(rig: str, changes: dict[str, Any], parts: tuple[type, ...]) -> None:
    known = set().union(*map(_fields, parts))
    for name in changes:
        if name not in known:
            raise unknown_name(f"setting of the rig {rig!r}", name, known)
