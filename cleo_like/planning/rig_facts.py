"""What a check needs to know of a rig, whichever class it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import InputError
from cleo_like.patch import IdealElectrode, PatchPipette
from cleo_like.patch.pipette import CurrentClamp, Electrode, VoltageClamp

if TYPE_CHECKING:
    from cleo_like.patch.names import Rig
    from cleo_like.stimuli.design import Dac

_FEEDBACK = 500e6
"""Feedback resistance (ohm) of a MultiClamp 700B headstage for cells."""


@attrs.frozen(kw_only=True)
class RigFacts:
    """Numbers of a rig (SI); None where it has no such part.

    Parameters
    ----------
    name : str
        In one line.
    access, capacitance, bridge : float, optional
        Access resistance (the largest of a drifting one), pipette capacitance not
        neutralised, and the bridge that was set.
    lowpass : float, optional
        Filter of the response (Hz).
    rate : float, optional
        Fixed sampling rate (Hz).
    dac : Dac, optional
        Converter of the command.
    feedback : float
        Feedback resistance (ohm).
    holding : float
        Current that the amplifier adds (A).
    correction : float
        Share of the series resistance that a voltage clamp corrects.
    """

    name: str
    access: float | None = None
    capacitance: float | None = None
    bridge: float | None = None
    lowpass: float | None = None
    rate: float | None = None
    dac: Dac | None = None
    feedback: float = _FEEDBACK
    holding: float = 0.0
    correction: float = 0.0

    @classmethod
    def of(cls, rig: Rig | None) -> RigFacts:
        """Read an IdealElectrode or a PatchPipette.

        Raises
        ------
        InputError
            Something else.
        """
        if rig is None:
            rig = IdealElectrode()
        if isinstance(rig, PatchPipette) and isinstance(rig.electrode, IdealElectrode):
            rig = rig.electrode
        if isinstance(rig, IdealElectrode):
            return cls(name=repr(rig), lowpass=rig.lowpass)
        if not isinstance(rig, PatchPipette):
            msg = (
                "the pipette must be a PatchPipette (rig_preset('multiclamp_700b')) or an "
                f"IdealElectrode, got {rig!r}"
            )
            raise InputError(msg)
        glass, amplifier, digitiser = rig.electrode, rig.amplifier, rig.digitiser
        access, end, stray = _of_glass(glass)
        found: dict[str, Any] = {
            "name": repr(rig), "access": max(access, end), "capacitance": stray,
            "dac": None if digitiser is None else digitiser.command,
            "rate": None if digitiser is None else digitiser.rate,
        }  # fmt: skip
        if isinstance(amplifier, CurrentClamp):
            bridge = amplifier.bridge if amplifier.bridge is not None else access
            found |= {
                "bridge": bridge, "lowpass": amplifier.lowpass, "holding": amplifier.holding,
                "capacitance": stray * (1 - amplifier.neutralisation),
            }  # fmt: skip
        if isinstance(amplifier, VoltageClamp):
            found |= {
                "lowpass": amplifier.lowpass, "feedback": amplifier.feedback_resistance,
                "correction": amplifier.correction,
            }  # fmt: skip
        return cls(**found)


def _of_glass(glass: Electrode | IdealElectrode) -> tuple[float, float, float]:
    """Access resistance at both ends of a sweep, and capacitance."""
    if isinstance(glass, IdealElectrode):
        return 0.0, 0.0, 0.0
    start, end = glass.access_resistance, glass.access_resistance_end
    return start, end if end is not None else start, glass.capacitance
