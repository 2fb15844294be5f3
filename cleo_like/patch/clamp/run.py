"""One cell under a dynamic clamp: the loop over the ticks of the board, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.units import si
from cleo_like.patch.clamp.step import current_of, no_number

if TYPE_CHECKING:
    from jaxtyping import Float

    from cleo_like.core import Recording
    from cleo_like.engine.stepper import Stepper


@attrs.frozen(kw_only=True, eq=False)
class ClampRun:
    """What a dynamic clamp saw and did.

    Attributes
    ----------
    rate : float
        Ticks of the board per second (Hz).
    voltage : array, shape (n_ticks,)
        Potential that was sampled (V).
    computed : array, shape (n_ticks,)
        Current that `step` gave for it (A).
    injected : array, shape (n_ticks,)
        Current that flowed after each sample: the newest that had come out, and the
        command (A).
    """

    rate: float
    voltage: Float[np.ndarray, "n_ticks"]
    computed: Float[np.ndarray, "n_ticks"]
    injected: Float[np.ndarray, "n_ticks"]

    def __repr__(self) -> str:
        """One line: how long, and between which potentials and currents."""
        n = len(self.voltage)
        if not n:
            return "ClampRun of 0 ticks"
        low, high = self.voltage.min() * 1e3, self.voltage.max() * 1e3
        least, most = self.injected.min() * 1e12, self.injected.max() * 1e12
        return (
            f"ClampRun of {n} ticks, {n / self.rate * 1e3:g} ms at {self.rate / 1e3:g} kHz, "
            f"{low:.4g}..{high:.4g} mV, injected {least:.4g}..{most:.4g} pA"
        )

    @property
    def time(self) -> Float[np.ndarray, "n_ticks"]:
        """Times of the samples (s)."""
        return np.arange(len(self.voltage)) / self.rate

    def recording(self, cell_id: str = "dynamic-clamp") -> Recording:
        """Give one sweep with the injected current as its command."""
        from cleo_like.core import Cell, Provenance, Recording, Sweep

        sweep = Sweep(response=self.voltage, command=self.injected, rate=self.rate)
        return Recording(
            sweeps=[sweep], cell=Cell(id=cell_id), provenance=Provenance(source="simulation"),
        )  # fmt: skip


def play(
    stepper: Stepper,
    step: Any,
    views: tuple[np.ndarray, np.ndarray],
    schedule: tuple[int, np.ndarray],
    base: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Run the loop: sample, compute, and advance to every change of the current."""
    (v, i), (every, out) = views, schedule
    count, dt, start = len(out), stepper.dt, stepper.t
    due_at, added = out.tolist(), (None if base is None else base.tolist())
    seen, computed = np.empty(count), np.empty(count)
    read, advance = v.item, stepper.advance
    due, held = 0, 0.0
    for k in range(count):
        here = k * every
        seen[k] = now = read()
        computed[k] = current_of(step(start + here * dt, now))
        end = here + every
        if added is not None:
            i[0] = held + added[k]
        while due <= k and due_at[due] < end:
            if due_at[due] > here:
                advance(due_at[due] - here)
                here = due_at[due]
            held = computed[due]
            i[0] = held if added is None else held + added[k]
            due += 1
        advance(end - here)
    if not np.isfinite(computed).all():
        bad = int(np.flatnonzero(~np.isfinite(computed))[0])
        message = no_number([computed[bad]], start + bad * every * dt, [seen[bad]])
        raise InputError(message)
    return seen, computed


def command_of(value: object, count: int) -> np.ndarray | None:
    """Give the command of each tick (A); None where there is none."""
    if value is None:
        return None
    from cleo_like.core.units import carries_unit, si_array

    if not carries_unit(value) and not isinstance(value, np.ndarray):
        return np.full(count, si(value, "A", "command"))  # says what to write
    array = si_array(value, "A", "command") if carries_unit(value) else np.asarray(value, float)
    if array.shape not in ((), (1,), (count,)) or not np.isfinite(array).all():
        msg = (
            f"command must be one current or one for each of the {count} ticks, finite; got "
            f"the shape {array.shape}"
        )
        raise InputError(msg)
    return np.broadcast_to(array, (count,))
