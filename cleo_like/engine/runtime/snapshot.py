"""Put back what a run had changed: an interrupted run leaves the network as it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from cleo_like.engine.runtime.program import Program


@attrs.frozen(eq=False)
class Before:
    """Values of all that a compiled run changes."""

    arrays: list[tuple[np.ndarray, np.ndarray]]
    monitors: list[tuple[Any, int]]

    @classmethod
    def of(cls, programs: Sequence[Program]) -> Before:
        """Keep copies of the arrays that the kernels write, and the lengths of the monitors."""
        arrays, monitors = [], []
        for program in programs:
            variables = program.plan.group.variables
            for name in program.kernel.layout.written:
                array = variables[name].get_value()
                arrays.append((array, array.copy()))
            for step in program.plan.of_kind("record"):
                n = int(step.runner.variables["N"].get_value().item())
                monitors.append((step.runner, n))
        return cls(arrays, monitors)

    def restore(self) -> None:
        """Go back to them."""
        for array, values in self.arrays:
            array[:] = values
        for monitor, n in self.monitors:
            monitor.resize(n)
