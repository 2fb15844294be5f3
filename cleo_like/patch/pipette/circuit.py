"""A cell with a pipette in it: the circuit as Brian2 equations, and its linear part.

The equations are the one source: rest, integration and the matrices of the linear part all
come from them. Names that begin with ``rig_`` are the rig's.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells import CellModel, Dynamics
from cleo_like.cells.reading import NOISE, equation_line, uses
from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.engine.integrators import Linear, linear_part
from cleo_like.patch.pipette.amplifier import CurrentClamp, VoltageClamp
from cleo_like.patch.pipette.bessel import filter_equations, filter_parameters
from cleo_like.patch.pipette.electrode import LEAST_CAPACITANCE, Electrode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

    from cleo_like.engine.integrators import LinearPart
    from cleo_like.patch.pipette.pipette import PatchPipette

COMMAND = "rig_command"
OUTPUT = "rig_output"
_COMMAND_POLES = 2

_CELL = "{current} = rig_access*({tip} - {v}) - rig_seal*{v} : amp"
_CURRENT = """
drig_tip/dt = ({drive} - rig_access*(rig_tip - {v}))/rig_tip_capacitance : volt
rig_access : siemens (constant)
rig_seal : siemens (constant)
rig_tip_capacitance : farad (constant)
rig_bridge : ohm (constant)
"""
# Lei et al. 2020, Phil Trans A 378:20190348 ("full2"), prediction and correction apart
_VOLTAGE = """
drig_tip/dt = rig_tip_rate : volt
drig_clamp/dt = rig_clamp_rate : volt
drig_monitor/dt = (rig_in - rig_monitor)/rig_output_time : amp
rig_tip_rate = (rig_clamp - rig_tip)/rig_clamp_time : volt/second
rig_clamp_rate = ({drive} + rig_corrected*rig_monitor{predicted} - rig_clamp)/rig_sum_time : volt/second
rig_in = rig_access*(rig_tip - {v}) + rig_tip_capacitance*rig_tip_rate - rig_fast*rig_clamp_rate{charging} : amp
rig_access : siemens (constant)
rig_seal : siemens (constant)
rig_tip_capacitance : farad (constant)
rig_fast : farad (constant)
rig_corrected : ohm (constant)
rig_clamp_time : second (constant)
rig_sum_time : second (constant)
rig_output_time : second (constant)
"""  # noqa: E501
_WHOLE_CELL = """
drig_estimate/dt = rig_estimate_rate : volt
rig_estimate_rate = ({drive} - rig_estimate)/rig_estimate_time : volt/second
rig_estimate_time : second (constant)
rig_predicted_time : second (constant)
rig_whole_cell : farad (constant)
"""
_CURRENT_SCALE = 1e-7
"""Size of a current (A) beside a potential of 1 V: 10 MOhm."""


@functools.lru_cache(maxsize=64)
def wired(model: CellModel, pipette: PatchPipette) -> CellModel:
    """Give a cell model with the pipette in it; its injected current is the command.

    Raises
    ------
    UnsupportedError
        The equations have noise terms, which the exact linear part cannot carry.
    """
    equations = model.brian_equations()
    if equations.is_stochastic or uses(model, NOISE):
        msg = (
            f"{model.name!r} has noise in its equations, which a real pipette cannot be "
            "integrated with; put the noise into the command, or use an IdealElectrode"
        )
        raise UnsupportedError(msg)
    glass, amplifier = pipette.electrode, pipette.amplifier
    if not isinstance(glass, Electrode) or amplifier is None:
        msg = "an ideal electrode needs no circuit"
        raise InputError(msg)
    taken = sorted(x for x in equations.names | equations.identifiers if x.startswith("rig_"))
    if taken:
        msg = f"names beginning with 'rig_' are the rig's; {model.name!r} uses {taken[0]!r}"
        raise InputError(msg)
    text = "\n".join(equation_line(e) for name, e in equations.items() if name != model.current)
    text += "\n" + circuit_equations(model, amplifier, model.current)
    return attrs.evolve(
        model,
        equations=text,
        parameters=dict(model.parameters) | _placeholders(amplifier),
        current=COMMAND,
        initial=dict(model.initial),
        method="rk4",
    )


def circuit_equations(
    model: CellModel, amplifier: CurrentClamp | VoltageClamp, current: str
) -> str:
    """Write the circuit of a rig; `current` is the name of what flows into the cell."""
    voltage = isinstance(amplifier, VoltageClamp)
    unit = "volt" if voltage else "amp"
    drive, text = COMMAND, f"{COMMAND} : {unit}\n"
    if amplifier.command_lowpass is not None:
        drive = "rig_drive"
        text += filter_equations("rig_drive", COMMAND, unit, _COMMAND_POLES)
    whole = voltage and amplifier.whole_cell_capacitance is not None  # type: ignore[union-attr]
    names = {
        "v": model.voltage, "current": current, "tip": "rig_tip", "drive": drive,
        "predicted": " + rig_predicted_time*rig_estimate_rate" if whole else "",
        "charging": " - rig_whole_cell*rig_estimate_rate" if whole else "",
    }  # fmt: skip
    text += _CELL.format(**names) + (_VOLTAGE if voltage else _CURRENT).format(**names)
    text += _WHOLE_CELL.format(**names) if whole else ""
    seen = "rig_monitor" if voltage else f"rig_tip - rig_bridge*{drive}"
    unit = "amp" if voltage else "volt"
    if amplifier.lowpass is None:
        return text + f"{OUTPUT} = {seen} : {unit}\n"
    return text + filter_equations(OUTPUT, f"({seen})", unit, amplifier.poles)


def _placeholders(amplifier: CurrentClamp | VoltageClamp) -> dict[str, Any]:
    """Parameters of the circuit with their units; `circuit_values` gives each trace's."""
    from brian2 import farad, ohm, second, siemens

    found: dict[str, Any] = {
        "rig_access": 1e-7 * siemens, "rig_seal": 0 * siemens,
        "rig_tip_capacitance": 1e-12 * farad,
    }  # fmt: skip
    if isinstance(amplifier, CurrentClamp):
        found["rig_bridge"] = 0 * ohm
    else:
        found |= {"rig_fast": 0 * farad, "rig_corrected": 0 * ohm}
        found |= {f"rig_{x}_time": 1e-6 * second for x in ("clamp", "sum", "output")}
        if amplifier.whole_cell_capacitance is not None:
            found |= {"rig_estimate_time": 1 * second, "rig_predicted_time": 0 * second,
                      "rig_whole_cell": 1e-12 * farad}  # fmt: skip
    if amplifier.command_lowpass is not None:
        found |= filter_parameters("rig_drive", amplifier.command_lowpass, _COMMAND_POLES)
    if amplifier.lowpass is not None:
        found |= filter_parameters(OUTPUT, amplifier.lowpass, amplifier.poles)
    return found


def circuit_values(
    pipette: PatchPipette, access: Float[np.ndarray, "n_traces"]
) -> dict[str, Float[np.ndarray, "n_traces"]]:
    """Give the circuit's parameters of traces whose access resistance is this (ohm)."""
    glass, amplifier = pipette.glass, pipette.amplifier
    seal = 0.0 if glass.seal is None else 1 / glass.seal
    found: dict[str, Any] = {"rig_access": 1 / access, "rig_seal": seal}
    if isinstance(amplifier, CurrentClamp):
        left = glass.capacitance * (1 - amplifier.neutralisation)
        found["rig_tip_capacitance"] = max(left, LEAST_CAPACITANCE)
        found["rig_bridge"] = bridge_of(pipette)
    elif isinstance(amplifier, VoltageClamp):
        found |= _clamp_values(glass, amplifier)
    filters: dict[str, Any] = {}
    if amplifier is not None and amplifier.command_lowpass is not None:
        filters |= filter_parameters("rig_drive", amplifier.command_lowpass, _COMMAND_POLES)
    if amplifier is not None and amplifier.lowpass is not None:
        filters |= filter_parameters(OUTPUT, amplifier.lowpass, amplifier.poles)
    found |= {name: float(value) for name, value in filters.items()}
    return {name: np.broadcast_to(value, access.shape).astype(float)
            for name, value in found.items()}  # fmt: skip


def _clamp_values(glass: Electrode, amplifier: VoltageClamp) -> dict[str, float]:
    estimate = series_estimate(glass, amplifier)
    found = {
        "rig_tip_capacitance": max(glass.capacitance, LEAST_CAPACITANCE),
        "rig_fast": amplifier.fast_capacitance,
        "rig_corrected": amplifier.correction * estimate,
        "rig_clamp_time": amplifier.clamp_time,
        "rig_sum_time": amplifier.sum_time,
        "rig_output_time": amplifier.output_time,
    }
    whole = amplifier.whole_cell_capacitance
    if whole is not None:
        found |= {
            "rig_whole_cell": whole,
            "rig_predicted_time": amplifier.prediction * estimate * whole,
            "rig_estimate_time": (1 - amplifier.prediction) * estimate * whole,
        }
    return found


def bridge_of(pipette: PatchPipette) -> float:
    """Bridge balance (ohm): as set, or balanced at the start of the recording."""
    amplifier = pipette.clamp
    if not isinstance(amplifier, CurrentClamp):
        msg = "a voltage clamp has no bridge; it has series_resistance and correction"
        raise InputError(msg)
    return pipette.glass.access_resistance if amplifier.bridge is None else amplifier.bridge


def series_estimate(glass: Electrode, amplifier: VoltageClamp) -> float:
    """Series resistance (ohm) that the amplifier assumes."""
    set_to = amplifier.series_resistance
    return glass.access_resistance if set_to is None else set_to


def linear_of(
    model: CellModel, parameters: Mapping[str, Float[np.ndarray, "n_traces"]], n: int
) -> tuple[LinearPart, Linear]:
    """Read the linear part of a wired model off its equations.

    The rates are evaluated at unit vectors; the rows of the rig are linear, so that this is
    exact. Of the cell's row only the coupling to the pipette belongs to the linear part.

    Parameters
    ----------
    model : CellModel
        From `wired`.
    parameters : mapping
        Parameters of all traces, the rig's included.
    n : int
        Number of traces.
    """
    dynamics = Dynamics(model)
    names = _ordered(dynamics.states, model.voltage)
    rows = [dynamics.states.index(x) for x in names]
    origin = dynamics.start(parameters, n)
    origin[rows] = 0.0
    with np.errstate(all="ignore"):
        base = dynamics.rates(origin, 0.0, parameters)[rows]
        drive = dynamics.rates(origin, 1.0, parameters)[rows] - base
        rates = np.empty((n, len(rows), len(rows)))
        for k, row in enumerate(rows):
            moved = origin.copy()
            moved[row] = scale = _scale(dynamics, row)
            change = dynamics.rates(moved, 0.0, parameters)[rows] - base
            rates[:, :, k] = (change / scale).T
    # the tip's row of v is exact where a difference of the cell's own rate would round
    v, tip = 0, names.index("rig_tip")
    rates[:, v] = 0.0
    slope = _slope(dynamics, origin, parameters)
    rates[:, v, tip] = slope * parameters["rig_access"]
    rates[:, v, v] = -rates[:, v, tip]
    drive[v] = 0.0
    scales = np.array([_scale(dynamics, row) for row in rows])
    matrices = Linear(rates=rates, drive=drive.T.copy(), scale=scales)
    part = linear_part(
        model.brian_equations(), names, model.voltage, matrices, command=model.current
    )
    return part, matrices


def _scale(dynamics: Dynamics, row: int) -> float:
    return 1.0 if dynamics.potentials[row] else _CURRENT_SCALE


def _ordered(states: tuple[str, ...], voltage: str) -> list[str]:
    """Give the cell's potential, what acts on it, and last the filter that only follows."""
    rig = [x for x in states if x.startswith("rig_")]
    last = [x for x in rig if x.startswith(OUTPUT)]
    return [voltage, *(x for x in rig if x not in last), *last]


def _slope(
    dynamics: Dynamics, origin: np.ndarray, parameters: Mapping[str, Any]
) -> Float[np.ndarray, "n_traces"]:
    """Change of the potential's rate per injected current (1/capacitance)."""
    n = origin.shape[1]
    start = dynamics.start(parameters, n)
    tip = dynamics.states.index("rig_tip")
    start[tip] = start[dynamics.v]
    up = start.copy()
    up[tip] = up[tip] + 1.0  # 1 V over the access resistance
    with np.errstate(all="ignore"):
        high, low = (dynamics.rates(x, 0.0, parameters)[dynamics.v] for x in (up, start))
    slope = (high - low) / parameters["rig_access"]
    if not (np.isfinite(slope) & (slope > 0)).all():
        msg = (
            f"the potential of {dynamics.model.name!r} does not depend on the injected "
            "current as that of a membrane does; a pipette cannot be put on it"
        )
        raise InputError(msg)
    return np.asarray(slope)
