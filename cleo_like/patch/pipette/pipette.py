"""The rig as one thing: electrode, amplifier and digitiser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import InputError
from cleo_like.patch.electrode import IdealElectrode
from cleo_like.patch.pipette.amplifier import CurrentClamp, VoltageClamp
from cleo_like.patch.pipette.digitiser import Digitiser
from cleo_like.patch.pipette.electrode import Electrode

if TYPE_CHECKING:
    from cleo_like.core.protocol import Protocol
    from cleo_like.core.sweep import ClampMode


@attrs.frozen(kw_only=True)
class PatchPipette:
    """A pipette on an amplifier and a digitiser.

    Parameters
    ----------
    electrode : Electrode or IdealElectrode
        The glass. An `IdealElectrode` takes neither amplifier nor digitiser.
    amplifier : CurrentClamp or VoltageClamp
        What is clamped, and how well (default: current clamp).
    digitiser : Digitiser, optional
        Converters, mains and drift; None records what the amplifier gives.
    name : str
        Name of the rig, for files.

    Raises
    ------
    InputError
        A part is something else, or does not go with the others.

    Examples
    --------
    >>> PatchPipette(electrode=Electrode(access_resistance="20 MOhm"))
    PatchPipette(Electrode(20 MOhm, 5 pF), CurrentClamp(bridge balanced, neutralisation 0, 4-pole Bessel 10 kHz))
    """  # noqa: E501

    electrode: Electrode | IdealElectrode = attrs.field(factory=Electrode)
    amplifier: CurrentClamp | VoltageClamp | None = None
    digitiser: Digitiser | None = None
    name: str = "rig"

    def __attrs_post_init__(self) -> None:
        """Check the parts."""
        if self.is_ideal:
            if self.amplifier is not None or self.digitiser is not None:
                msg = (
                    "an IdealElectrode has no amplifier and no digitiser; give an Electrode, "
                    "or leave both out"
                )
                raise InputError(msg)
            return
        if self.amplifier is None:
            object.__setattr__(self, "amplifier", CurrentClamp())
        for part, kinds in (
            ("electrode", (Electrode,)),
            ("amplifier", (CurrentClamp, VoltageClamp)),
            ("digitiser", (Digitiser, type(None))),
        ):
            value = getattr(self, part)
            if not isinstance(value, kinds):
                names = " or ".join(k.__name__ for k in kinds if k is not type(None))
                msg = f"{part} must be of {names}, got {type(value).__name__}: {value!r}"
                raise InputError(msg)
        self._check_compensation()

    def _check_compensation(self) -> None:
        """Refuse compensation of more capacitance than there is: its feedback would ring."""
        amplifier, glass = self.amplifier, self.electrode
        if not isinstance(amplifier, VoltageClamp) or isinstance(glass, IdealElectrode):
            return
        there = glass.capacitance
        if amplifier.fast_capacitance > there:
            msg = (
                f"fast_capacitance {amplifier.fast_capacitance * 1e12:g} pF is above the "
                f"pipette's capacitance of {there * 1e12:g} pF: the clamp would ring; give "
                f"{there * 1e12:g} pF or less"
            )
            raise InputError(msg)

    @property
    def is_ideal(self) -> bool:
        """Whether it is without series resistance, capacitance, amplifier and converters."""
        return isinstance(self.electrode, IdealElectrode)

    @property
    def glass(self) -> Electrode:
        """The electrode, where it is one of glass.

        Raises
        ------
        InputError
            It is an ideal one, which has neither resistance nor capacitance.
        """
        if isinstance(self.electrode, IdealElectrode):
            msg = "an ideal electrode has no circuit; give electrode=Electrode(...)"
            raise InputError(msg)
        return self.electrode

    @property
    def clamp(self) -> CurrentClamp | VoltageClamp:
        """The amplifier, where there is one (a pipette of glass always has one)."""
        if self.amplifier is None:
            msg = "an ideal electrode has no amplifier; give electrode=Electrode(...)"
            raise InputError(msg)
        return self.amplifier

    @property
    def mode(self) -> ClampMode:
        """What is clamped."""
        return self.amplifier.mode if self.amplifier is not None else CurrentClamp().mode

    def check(self, protocol: Protocol) -> None:
        """Refuse a protocol that this rig cannot play.

        Raises
        ------
        InputError
            Another clamp mode, another sampling rate, a command beyond the range.
        """
        if protocol.mode is not self.mode:
            msg = (
                f"the protocol is for {protocol.mode}, the pipette in {self.mode}; give "
                f"PatchPipette(amplifier={_CLAMP[protocol.mode.value]}(...)), or a protocol "
                f"with mode='{self.mode}'"
            )
            raise InputError(msg)
        if isinstance(self.electrode, IdealElectrode):
            self.electrode.check(protocol.rate)
            return
        if self.digitiser is not None:
            units = (self.mode.command_unit, self.mode.response_unit)
            self.digitiser.check(protocol.rate, units)

    def as_device(self, name: str | None = None, *, seed: int | None = None) -> Any:
        """Give a device of this pipette, for ``sim.inject(device, group, i_targets=[...])``.

        Parameters
        ----------
        name : str, optional
            Name of the device (default: "InjectedPipette").
        seed : int, optional
            Of its noise.
        """
        from cleo_like.patch.pipette import InjectedPipette  # which is made of this class

        if name is None:
            return InjectedPipette(self, seed=seed)
        return InjectedPipette(self, seed=seed, name=name)

    def description(self) -> dict[str, Any]:
        """Give all settings in SI, for provenance."""
        if isinstance(self.electrode, IdealElectrode):
            return self.electrode.description()
        parts = {"electrode": attrs.asdict(self.electrode)}
        if self.amplifier is not None:
            parts["amplifier"] = {"mode": str(self.mode)} | attrs.asdict(self.amplifier)
        if self.digitiser is not None:
            parts["digitiser"] = self.digitiser.description()
        return {"rig": self.name} | parts

    def __repr__(self) -> str:
        """One line."""
        parts = (self.electrode, self.amplifier, self.digitiser)
        return f"PatchPipette({', '.join(repr(p) for p in parts if p is not None)})"


_CLAMP = {"current_clamp": "CurrentClamp", "voltage_clamp": "VoltageClamp", "unknown": "..."}
