"""The dynamic clamp: samples a potential, computes a current, injects it a little later."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from cleo_like.base import InterfaceDevice, NeoExportable
from cleo_like.core.arrays import si_default, whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.units import si
from cleo_like.patch.clamp.clamped import Clamped, operation_of
from cleo_like.patch.clamp.run import ClampRun, command_of, play
from cleo_like.patch.clamp.step import step_function
from cleo_like.patch.clamp.target import check_current, check_potential, stepper_of
from cleo_like.patch.pipette.fields import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import NeuronGroup

    from cleo_like.core.units import Quantity

_WHOLE = 1e-6
"""Part of an integration step by which a period may miss a whole number of them."""


@attrs.define(eq=False, slots=False)
class DynamicClamp(InterfaceDevice, NeoExportable):
    """A board that reads a potential and injects the current of a conductance.

    `step(t, v) -> i` is all that a real board would need: a function (plain, or compiled by
    numba) of the time (s) and the potential (V) that gives a current (A, positive
    depolarises). It runs on a `Stepper` or a cell (`run`), or in a network
    (``sim.inject(clamp, group, i_targets=[...])``).

    Parameters
    ----------
    step : callable
        The function; `Leak`, `Synapse`, `HCurrent` and `ACurrent` are given. Each target
        gets a copy of one that has a state (a method ``reset``).
    period : quantity or str
        Time between two samples, a whole number of the cell's integration steps.
    latency : quantity or str
        From a sample to the current that follows from it, a whole number of integration
        steps. It may be longer than a period: samples go on meanwhile.
    jitter : quantity or str
        Standard deviation of the latency (normal, never below 0, in whole integration
        steps; answers stay in order).
    seed : int
        Of the jitter.
    name : str
        Name of the device.
    save_history : bool
        Whether the device keeps its history.

    Examples
    --------
    A leak of 5 nS added to 5 nS halves the resistance of 200 MOhm:

    >>> from cleo_like.patch.clamp import Leak
    >>> clamp = DynamicClamp(Leak("5 nS", "-70 mV"))
    >>> run = clamp.run("passive", "300 ms", command="10 pA")
    >>> round(float(run.voltage[-1] + 0.07) / 10e-12 / 1e6, 2)  # MOhm
    100.0
    """

    step: Any = attrs.field(converter=step_function)
    period: float = attrs.field(
        default=si_default("50 us", "s"), kw_only=True, converter=quantity("s", "period")
    )
    latency: float = attrs.field(default=0.0, kw_only=True, converter=quantity("s", "latency"))
    jitter: float = attrs.field(default=0.0, kw_only=True, converter=quantity("s", "jitter"))
    seed: int = attrs.field(default=0, kw_only=True, converter=whole_number("seed", 0))
    compiled: ClassVar[bool] = True
    """Its simulator tries the compiled loop, also without a controller."""
    targets: list[Clamped] = attrs.field(init=False, factory=list, repr=False)
    """One entry for each injection."""

    def __attrs_post_init__(self) -> None:
        """Check the times."""
        if not (self.period > 0 and self.latency >= 0 and self.jitter >= 0):
            msg = (
                "period must be above 0 s, latency and jitter 0 s or more; got "
                f"{self.period * 1e6:g} us, {self.latency * 1e6:g} us, {self.jitter * 1e6:g} us"
            )
            raise InputError(msg)

    def run(
        self,
        cell: Any,
        duration: Quantity,
        *,
        command: Any = None,
        voltage: str | None = None,
        current: str | None = None,
        target: int = 0,
        dt: Quantity | None = None,
    ) -> ClampRun:
        """Clamp one cell for a time.

        Parameters
        ----------
        cell : Stepper, CellModel or str
            A compiled group, which goes on from where it is; or a model or the name of a
            library cell, which starts from rest.
        duration : quantity or str
            How long, a whole number of periods.
        command : quantity, or array of shape (n_ticks,), optional
            Current (A) injected besides.
        voltage, current : str, optional
            Variables that are read and written (default: those of the model; "v" and "I"
            of a stepper).
        target : int
            Which neuron of the stepper.
        dt : quantity, optional
            Longest integration step of a model (default: its own); the one used divides
            period and latency, and resolves the jitter.

        Raises
        ------
        InputError
            A period that the integration step does not divide, variables that are not
            there, a current that is no number or makes the potential run away.
        """
        stepper, names = stepper_of(cell, (self.period, self.latency, self.jitter), dt)
        v = check_potential(stepper, voltage if voltage is not None else names[0])
        i = check_current(stepper, current if current is not None else names[1])
        if not 0 <= target < len(v):
            msg = f"target must be 0 to {len(v) - 1}, got {target}"
            raise InputError(msg)
        every = self._ticks(stepper.dt)
        count = _whole(si(duration, "s", "duration"), self.period, "duration", "period")
        out = self._outputs(count, every, stepper.dt)
        base = command_of(command, count)
        views = v[target : target + 1], i[target : target + 1]
        seen, computed = play(stepper, self._own_step(), views, (every, out), base)
        newest = np.searchsorted(out, np.arange(count) * every, side="right") - 1
        injected = np.where(newest >= 0, computed[newest], 0.0)
        if base is not None:
            injected = injected + base
        return ClampRun(
            rate=1 / self.period, voltage=seen, computed=computed, injected=injected
        )

    def _own_step(self) -> Any:
        """Give a step with a state of its own."""
        if hasattr(self.step, "as_function"):
            return self.step.as_function()
        if not hasattr(self.step, "reset"):
            return self.step
        own = copy.deepcopy(self.step)
        own.reset()
        return own

    def _ticks(self, dt: float) -> int:
        """Integration steps between two samples."""
        if self.period < dt * (1 - _WHOLE):
            msg = (
                f"the dynamic clamp samples every {self.period * 1e6:g} us, faster than the "
                f"cell's integration step of {dt * 1e6:g} us: the board would be slower than "
                f"its clock; write period='{dt * 1e6:g} us' or more, or a smaller dt"
            )
            raise InputError(msg)
        if self.latency > 0:
            _whole(self.latency, dt, "latency", "integration step")
        return _whole(self.period, dt, "period", "integration step")

    def _outputs(self, count: int, every: int, dt: float) -> np.ndarray:
        """Integration steps at which the answers come out: none before the one before it."""
        late = np.full(count, self.latency)
        if self.jitter > 0:
            rng = np.random.default_rng(self.seed)
            late = np.maximum(late + self.jitter * rng.standard_normal(count), 0.0)
        steps = np.arange(count) * every + np.rint(late / dt).astype(np.int64)
        return np.maximum.accumulate(steps)

    # --- the device ---

    def connect_to_neuron_group(self, neuron_group: NeuronGroup, **kwparams: Any) -> None:
        """Clamp neurons of a group.

        Parameters
        ----------
        neuron_group : brian2.NeuronGroup
            The group; it needs a current that its equations read.
        **kwparams
            i_targets (list of int; default all), voltage ("v"), current ("I").
        """
        given = {"i_targets": None, "voltage": "v", "current": "I"} | kwparams
        unknown = sorted(set(given) - {"i_targets", "voltage", "current"})
        if unknown:
            msg = (
                f"{self.name!r} takes i_targets, voltage and current with inject(), not "
                f"{', '.join(unknown)}"
            )
            raise InputError(msg)
        check_potential(neuron_group, given["voltage"])
        check_current(neuron_group, given["current"])
        index = _indices(given["i_targets"], len(neuron_group))
        self._check_free(neuron_group, given["current"], index)
        made = Clamped(
            clamp=self, group=neuron_group, voltage=given["voltage"],
            current=given["current"], index=index,
            steps=[self._own_step() for _ in index], every=self._ticks(
                float(neuron_group.clock.dt_)
            ),
            number=len(self.targets),
        )  # fmt: skip
        self.targets.append(made)
        self.brian_objects.add(operation_of(made))

    def _check_free(self, group: NeuronGroup, current: str, index: np.ndarray) -> None:
        """Refuse a current that another clamp writes already."""
        devices = self.sim.devices if self.sim is not None else set()
        for device in {self, *devices}:
            for other in getattr(device, "targets", ()):
                if not isinstance(other, Clamped) or other.current != current:
                    continue
                whole = getattr(group, "source", group) is getattr(
                    other.group, "source", other.group
                )
                own = set((index + getattr(group, "start", 0)).tolist())
                if whole and own & other.absolute:
                    msg = (
                        f"{device.name!r} writes {current!r} of neuron "
                        f"{min(own & other.absolute)} of {group.name} already; give this clamp "
                        "a current of its own in the equations (I_dyn : amp) and "
                        "current='I_dyn', or other i_targets"
                    )
                    raise InputError(msg)

    def reset(self, **kwargs: Any) -> None:
        """Forget what was seen and done; answers that are on their way are lost."""
        del kwargs
        for target in self.targets:
            target.reset()

    def store_state(self) -> dict[str, Any]:
        """Give what `brian2.Network.store` keeps: histories, gates, answers on their way."""
        return {"targets": [copy.deepcopy(target.memory()) for target in self.targets]}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `store_state` gave."""
        for target, memory in zip(self.targets, state["targets"], strict=True):
            target.recall(copy.deepcopy(memory))

    def to_neo(self) -> Any:
        """Give potentials and currents of all targets as Neo signals."""
        from cleo_like.utilities.neo import signal_to_neo

        return [
            signal_to_neo(
                history.times, np.asarray(history.values, dtype=float), unit,
                name=f"{self.name} {what} of {target.group.name}", description="dynamic clamp",
            )
            for target in self.targets
            for what, unit, history in (
                ("potential", "V", target.seen), ("current", "A", target.computed)
            )
        ]  # fmt: skip

    @property
    def t(self) -> Any:
        """Times of the samples of the first injection (quantity, shape (n_ticks,))."""
        from brian2 import second

        return self._first().seen.times * second

    @property
    def voltages(self) -> np.ndarray:
        """Potentials that were sampled (V), shape (n_ticks, n_targets)."""
        return self._first().seen.values

    @property
    def currents(self) -> np.ndarray:
        """Currents that `step` gave (A), shape (n_ticks, n_targets)."""
        return self._first().computed.values

    def _first(self) -> Clamped:
        if not self.targets:
            msg = f"{self.name!r} is not injected yet"
            raise InputError(msg)
        return self.targets[0]


def _whole(length: float, unit: float, name: str, of: str) -> int:
    count = round(length / unit)
    if count < 1 or abs(length / unit - count) > _WHOLE * max(count, 1):
        msg = (
            f"{name} of {length * 1e6:g} us is no whole number of the {of} of "
            f"{unit * 1e6:g} us; write {max(count, 1) * unit * 1e6:g} us"
        )
        raise InputError(msg)
    return count


def _indices(value: object, n: int) -> np.ndarray:
    index = np.arange(n) if value is None else np.atleast_1d(np.asarray(value))
    if index.dtype.kind not in "iu" or index.ndim != 1 or index.size == 0:
        msg = f"i_targets must be whole numbers of neurons, got {value!r}"
        raise InputError(msg)
    if index.min() < 0 or index.max() >= n or len(set(index.tolist())) != len(index):
        msg = f"i_targets must be different numbers from 0 to {n - 1}, got {value!r}"
        raise InputError(msg)
    return index
