"""What a loop reads and writes: a compiled group, its potential and its current."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.units import si

if TYPE_CHECKING:
    from brian2 import NeuronGroup

    from cleo_like.core.units import Quantity

_FINEST = 64
"""Integration steps of a period that are tried to divide a latency."""


def stepper_of(
    cell: Any, timing: tuple[float, float, float], dt: Quantity
) -> tuple[Any, tuple[str, str]]:
    """Give the stepper of a cell, at rest, and the names of its potential and current.

    Parameters
    ----------
    cell : Stepper, CellModel or str
        A stepper is given back as it is.
    timing : tuple of float
        Period and latency, which a whole number of integration steps must make, and jitter,
        which is at least two (s).
    dt : quantity, optional
        Longest step of a model.
    """
    from cleo_like.cells import CellModel, get_cell
    from cleo_like.engine.stepper import Stepper

    if isinstance(cell, Stepper):
        if dt is not None:
            msg = "a Stepper has its own integration step; leave dt out"
            raise InputError(msg)
        return cell, ("v", "I")
    model = get_cell(cell) if isinstance(cell, str) else cell
    if not isinstance(model, CellModel):
        msg = f"a cell is a Stepper, a CellModel or a name, got {type(cell).__name__}"
        raise InputError(msg)
    longest = model.dt if dt is None else si(dt, "s", "dt")
    if not longest > 0:
        msg = f"dt must be above 0 s, got {longest:g} s"
        raise InputError(msg)
    step = _step(*timing, longest)
    return stepper_at_rest(model, timing[0], step), (model.voltage, model.current)


def _step(period: float, latency: float, jitter: float, longest: float) -> float:
    """Give the longest step that divides period and latency, and resolves the jitter."""
    most = min(longest, jitter / 2) if jitter > 0 else longest
    least = math.ceil(period / most - 1e-9)
    for parts in range(least, max(_FINEST, least) + 1):
        steps = latency * parts / period
        if abs(steps - round(steps)) < 1e-6 * max(steps, 1):
            return period / parts
    return period / least  # which is refused, saying what would do


def stepper_at_rest(model: Any, period: float, longest: float) -> Any:
    """Compile one cell of a model, resting without current."""
    from brian2 import Network

    from cleo_like.core import Protocol
    from cleo_like.engine.stepper import Stepper
    from cleo_like.patch.backends.objects import BenchObjects, refusals
    from cleo_like.patch.batch import make_job, rest_and_answers, specimens

    silent = Protocol(waveforms=np.zeros((1, 1)), rate=1 / period, family="arbitrary")
    cells = specimens(model)
    rest, _, _ = rest_and_answers(cells, 0.0)
    job = make_job(cells, silent, sequential=False, dt=longest, rest=rest)
    with refusals(model.name):
        bench = BenchObjects.build(job)
    bench.set_values(job)
    # the bench's own command would write the current
    sampling = bench.recorder.clock
    inside = bench.group.contained_objects
    inside[:] = [o for o in inside if getattr(o, "clock", None) is not sampling]
    return Stepper(Network(bench.group, bench.spikes))


def check_potential(group: NeuronGroup, name: str) -> Any:
    """Refuse a potential that the group does not have; give its array of a stepper."""
    known = _variables(group)
    if name not in known:
        msg = (
            f"there is no potential {name!r} to read; say voltage='...' (there are "
            f"{', '.join(sorted(_own(group)))})"
        )
        raise InputError(msg)
    return group[name] if hasattr(group, "advance") else None


def check_current(group: NeuronGroup, name: str) -> Any:
    """Refuse a current that nobody may write, saying what to write into the equations."""
    variable = _variables(group).get(name)
    if variable is None or not hasattr(variable, "get_value") or variable.read_only:
        msg = (
            f"there is no current {name!r} to inject into: write '{name} : amp' into the "
            f"equations and add {name}/C to dv/dt, or say current='...' (there are "
            f"{', '.join(sorted(_own(group)))})"
        )
        raise InputError(msg)
    from brian2 import amp

    if variable.dim is not amp.dim:
        msg = f"{name!r} is in {variable.unit}, not in ampere; say current='...'"
        raise InputError(msg)
    return group[name] if hasattr(group, "advance") else None


def _variables(group: NeuronGroup) -> Any:
    return group.group.variables if hasattr(group, "advance") else group.variables


def _own(group: NeuronGroup) -> Any:
    whole = group.group if hasattr(group, "advance") else getattr(group, "source", group)
    return whole.equations.names
