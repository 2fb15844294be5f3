"""Neurons of a network under a dynamic clamp: sampled, answered, injected when it is due."""

from __future__ import annotations

from collections import deque
from typing import Any

import attrs
import numpy as np

from cleo_like.base.groups import present_values
from cleo_like.base.history import History
from cleo_like.core.errors import InputError
from cleo_like.patch.clamp.step import current_of, no_number


@attrs.define(eq=False, kw_only=True)
class Clamped:
    """The clamped neurons of one group in a network."""

    clamp: Any  # the `DynamicClamp` whose times and seed count
    group: Any
    voltage: str
    current: str
    index: np.ndarray
    steps: list[Any]
    every: int
    number: int
    seen: History = attrs.field(factory=History)
    computed: History = attrs.field(factory=History)
    pending: deque[tuple[int, list[float]]] = attrs.field(factory=deque)
    rng: Any = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.reset()

    @property
    def absolute(self) -> set[int]:
        """Numbers of the neurons in the whole group."""
        return set((self.index + getattr(self.group, "start", 0)).tolist())

    def reset(self) -> None:
        """Start anew."""
        self.rng = np.random.default_rng((self.clamp.seed, self.number))
        self.pending.clear()
        self.seen.clear()
        self.computed.clear()
        for step in self.steps:
            if hasattr(step, "reset"):
                step.reset()

    def memory(self) -> tuple[Any, ...]:
        """Give all that changes in a run."""
        return self.rng, self.pending, self.seen, self.computed, self.steps

    def recall(self, memory: tuple[Any, ...]) -> None:
        """Go back to what `memory` gave."""
        self.rng, self.pending, self.seen, self.computed, self.steps = memory

    def act(self) -> int:
        """Do what is due at the present integration step; give the next at which to."""
        clock = self.group.clock
        now = int(clock.variables["timestep"].get_value().item())
        if now % self.every == 0:
            self._sample(now, float(clock.dt_))
        while self.pending and self.pending[0][0] <= now:
            present_values(self.group, self.current)[self.index] = self.pending.popleft()[1]
        following = now - now % self.every + self.every
        return min(following, self.pending[0][0]) if self.pending else following

    def _sample(self, now: int, dt: float) -> None:
        t = now * dt
        volts = present_values(self.group, self.voltage)[self.index].tolist()
        amps = [current_of(step(t, v)) for step, v in zip(self.steps, volts, strict=True)]
        if not np.isfinite(amps).all():
            raise InputError(no_number(amps, t, volts))
        clamp = self.clamp
        late = clamp.latency
        if clamp.jitter > 0:
            late = max(late + clamp.jitter * self.rng.standard_normal(), 0.0)
        out = now + round(late / dt)
        if self.pending:
            out = max(out, self.pending[-1][0])
        self.pending.append((out, amps))
        if clamp.save_history:
            self.seen.append(t, volts)
            self.computed.append(t, amps)


def operation_of(target: Clamped) -> Any:
    """Make the Brian2 object that lets a target act; the compiled loop asks `act` itself."""
    from brian2 import NetworkOperation

    operation = NetworkOperation(target.act, clock=target.group.clock, when="start")
    operation.act = target.act
    return operation
