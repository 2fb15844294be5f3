"""Read a Brian2 network: what runs in each step of each group, or why it cannot be compiled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import CleoLikeError
from cleo_like.engine.brian2_internals import adopt, other_network, refractory_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from brian2 import Network, NeuronGroup
    from brian2.groups.group import CodeRunner

_CLOCK_TOLERANCE = 1e-6


class NotCompilableError(CleoLikeError):
    """The network holds something that the compiled loop does not serve; says what."""


@attrs.frozen(eq=False)
class Step:
    """One thing that happens in a time step, every `every` steps of the group.

    `kind` is "update", "threshold", "reset", "record" or "spikes".
    """

    kind: str
    runner: Any
    every: int


@attrs.frozen(eq=False)
class GroupPlan:
    """A NeuronGroup with all that happens to it, in Brian2's order."""

    group: Any
    steps: tuple[Step, ...]
    externals: Mapping[str, Any]

    @property
    def dt(self) -> float:
        """Integration step (s)."""
        return float(self.group.clock.dt_)

    def of_kind(self, kind: str) -> list[Step]:
        """All steps of one kind, in order."""
        return [step for step in self.steps if step.kind == kind]


def read_network(
    network: Network, namespace: Mapping[str, Any], without: Iterable[Any] = ()
) -> list[GroupPlan]:
    """Plan the compiled run of a network.

    Parameters
    ----------
    network : brian2.Network
        Uncoupled NeuronGroups with their monitors.
    namespace : mapping
        Names that the equations may use besides those of the groups.
    without : iterable of brian2 objects
        Objects of the network that the caller runs.

    Returns
    -------
    list of GroupPlan
        One per NeuronGroup.

    Raises
    ------
    NotCompilableError
        With the reason in words.
    """
    from brian2 import NeuronGroup

    objects = network.sorted_objects
    others = {id(found) for found in without}
    _adopt(network, objects)
    groups: dict[int, tuple[Any, list[Step]]] = {}
    for found in objects:
        if isinstance(found, NeuronGroup):
            _check_group(found)
            groups[id(found)] = (found, [])
    for found in objects:
        if isinstance(found, NeuronGroup) or id(found) in others or not found.active:
            continue
        group, kind = _role(found)
        if id(group) not in groups:
            msg = f"{found.name!r} belongs to a group that is not in the network"
            raise NotCompilableError(msg)
        every = _multiple(found, group)
        groups[id(group)][1].append(Step(kind, found, every))
    if not groups:
        msg = "there is no NeuronGroup in the network"
        raise NotCompilableError(msg)
    return [
        GroupPlan(group, tuple(steps), _externals(group, steps, namespace))
        for group, steps in groups.values()
    ]


def clocks_of(plans: list[GroupPlan]) -> set[Any]:
    """Give the clocks of all groups and of what happens to them."""
    clocks = {plan.group.clock for plan in plans}
    return clocks | {step.runner.clock for plan in plans for step in plan.steps}


def _adopt(network: Network, found: list[Any]) -> None:
    """Leave to Brian2 what its own run would refuse; mark the objects as run, as it does."""
    if len({x.name for x in found}) < len(found):
        msg = "two objects of the network have the same name"
        raise NotCompilableError(msg)
    if other_network(found, network):
        msg = "an object of the network was run in another network before"
        raise NotCompilableError(msg)
    network.check_dependencies()
    adopt(found, network)


def _check_group(group: NeuronGroup) -> None:
    from brian2 import NeuronGroup

    if type(group) is not NeuronGroup:
        msg = f"{group.name!r} is a {type(group).__name__}, not a plain NeuronGroup"
        raise NotCompilableError(msg)
    others = sorted(set(group.events) - {"spike"})
    if others:
        msg = f"{group.name!r} has custom events ({', '.join(others)})"
        raise NotCompilableError(msg)
    for name, equation in group.equations.items():
        if "linked" in equation.flags:
            msg = f"{name!r} of {group.name!r} is a linked variable: it couples groups"
            raise NotCompilableError(msg)


def _role(found: Any) -> tuple[Any, str]:
    """Which group an object belongs to, and what it does to it."""
    from brian2 import NetworkOperation, SpikeMonitor, StateMonitor, Synapses
    from brian2.groups import neurongroup
    from brian2.groups.group import CodeRunner

    name = found.name
    if isinstance(found, NetworkOperation):
        msg = f"network operation {name!r} runs Python code between steps"
        raise NotCompilableError(msg)
    if getattr(type(found), "compiles_as", type(found)) is StateMonitor:
        return _whole(found.source, name), "record"
    if type(found) is SpikeMonitor:
        return _whole(found.source, name), "spikes"
    kinds = {neurongroup.StateUpdater: "update", neurongroup.Thresholder: "threshold",
             neurongroup.Resetter: "reset", neurongroup.SubexpressionUpdater: "update",
             CodeRunner: "update"}  # fmt: skip
    kind = kinds.get(type(found))
    if kind is None or not isinstance(found, CodeRunner) or isinstance(found, Synapses):
        msg = f"{name!r} is a {type(found).__name__}, which the compiled loop does not serve"
        raise NotCompilableError(msg)
    return _whole(_target(found.group), name), kind


def _target(group: NeuronGroup) -> Any:
    """Give the object behind Brian2's weak proxy."""
    import weakref

    if isinstance(group, weakref.ProxyTypes):
        return group.__repr__.__self__
    return group


def _whole(source: CodeRunner, name: str) -> Any:
    from brian2 import NeuronGroup

    source = _target(source)
    if not isinstance(source, NeuronGroup):
        msg = f"{name!r} works on a {type(source).__name__}, not on a whole NeuronGroup"
        raise NotCompilableError(msg)
    return source


def _multiple(found: Any, group: Any) -> int:
    """Every how many steps of the group an object runs."""
    ratio = float(found.clock.dt_) / float(group.clock.dt_)
    every = round(ratio)
    if every < 1 or abs(ratio - every) > _CLOCK_TOLERANCE * ratio:
        msg = (
            f"{found.name!r} runs every {found.clock.dt_ * 1e3:g} ms, which is not a multiple "
            f"of the step of {group.name!r} ({group.clock.dt_ * 1e3:g} ms)"
        )
        raise NotCompilableError(msg)
    return every


def _externals(
    group: NeuronGroup, steps: list[Step], namespace: Mapping[str, Any]
) -> dict[str, Any]:
    """Resolve all names that the code uses and that are not the group's own."""
    from brian2.utils.stringtools import get_identifiers

    names = set(group.equations.identifiers)
    for step in steps:
        code = code_of(step)
        names |= get_identifiers(code) - _temporaries(step, code)
    own = set(group.variables) - set(group.equations.subexpr_names)
    wanted = {n for n in names if n not in own and n not in group.equations.names}
    wanted = {n for n in wanted if not n.startswith(("xi", "_")) and n not in _KEYWORDS}
    return dict(group.resolve_all(wanted, namespace, user_identifiers=wanted))


def _temporaries(step: Step, code: str) -> set[str]:
    """Names that the code of an operation or a reset makes for itself."""
    if step.kind not in {"update", "reset"}:
        return set()
    return set(_ASSIGNED.findall(code))


_ASSIGNED = re.compile(r"(?:^|[;\n])\s*([A-Za-z_]\w*)\s*=(?!=)")
_KEYWORDS = {"and", "or", "not", "True", "False"}


def code_of(step: Step) -> str:
    """Give the code of a step as its user wrote it: all that it does depends on it."""
    runner = step.runner
    kind = type(runner).__name__
    if kind == "StateUpdater":
        period = refractory_of(runner.group)
        if isinstance(period, str):
            return period
        return repr(float(period)) if np.ndim(period) == 0 and period is not False else ""
    if kind == "Thresholder":
        return str(runner.group.events["spike"])
    if kind == "Resetter":
        return str(runner.group.event_codes["spike"])
    if step.kind in {"record", "spikes"}:
        return "\n".join(recorded(step))
    return str(runner.abstract_code)


def recorded(step: Step) -> list[str]:
    """Names of the variables that a monitor records, sorted (without i and t of spikes)."""
    own = {"i", "t"} if step.kind == "spikes" else set()
    return sorted(set(step.runner.record_variables) - own)
