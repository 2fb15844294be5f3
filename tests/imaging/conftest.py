"""Cells that spike when told; numpy code generation, so that nothing is compiled."""

from __future__ import annotations

import brian2 as b2
import numpy as np
import pytest

from cleo_like.base import CLSimulator
from cleo_like.coords import assign_xyz
from cleo_like.imaging import Scope
from cleo_like.ioproc import RecordOnlyProcessor


@pytest.fixture(autouse=True)
def numpy_target():
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


class Bench:
    """Cells that spike at given steps of 0.1 ms, in a simulator."""

    def __init__(self, spikes, model="v : 1", name="cells"):
        n = len(spikes)
        who = np.repeat(np.arange(n), [len(s) for s in spikes])
        steps = np.concatenate([np.asarray(s, dtype=int) for s in spikes])
        self.source = b2.SpikeGeneratorGroup(n, who, steps * 0.1 * b2.ms)
        self.cells = b2.NeuronGroup(
            n, model, threshold="v > 0.5", reset="v = 0", name=f"{name}*", method="euler"
        )
        self.drive = b2.Synapses(self.source, self.cells, on_pre="v = 1")
        self.drive.connect(j="i")
        self.sim = CLSimulator(b2.Network(self.source, self.cells, self.drive))

    def place(self, x, y, z):
        assign_xyz(self.cells, x, y, z, unit=b2.um)
        return self

    def image(self, sensor, *, period=20 * b2.ms, duration=1 * b2.second, scope=(), **kwargs):
        """Run with a scope; gives it."""
        device = Scope(sensor, 500 * b2.um, **dict(scope))
        self.sim.inject(device, self.cells, **kwargs)
        self.sim.set_io_processor(RecordOnlyProcessor(period))
        self.sim.run(duration)
        return device


@pytest.fixture
def bench():
    return Bench
