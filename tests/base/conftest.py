"""Small networks; numpy code generation, so that nothing is compiled."""

from __future__ import annotations

import brian2 as b2
import pytest

from cleo_like.ioproc import LatencyIOProcessor


@pytest.fixture(autouse=True)
def numpy_target():
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


@pytest.fixture
def group(make_group):
    """Three integrators without leak: v is the time in ms, exactly."""
    return make_group()


@pytest.fixture
def make_group():
    return integrators


def integrators():
    return b2.NeuronGroup(
        3, "dv/dt = 1/ms : 1\nI : amp", threshold="v > 1e9", reset="", method="euler"
    )


@pytest.fixture
def regular():
    """Cell 0 never spikes, cell 1 at every step, cell 2 at every step from 5 ms on."""
    condition = "i == 1 or (i == 2 and t >= 4.95*ms)"
    return b2.NeuronGroup(3, "v : 1", threshold=condition, reset="")


class Clockwork(LatencyIOProcessor):
    """Sends the time of the sample (ms) back after a latency."""

    def __init__(self, *args, latency=0 * b2.ms, to="setter", **kwargs):
        super().__init__(*args, **kwargs)
        self.latency, self.to = latency, to

    def process(self, state_dict, t_samp):
        return {self.to: float(t_samp / b2.ms)}, t_samp + self.latency


@pytest.fixture
def clockwork():
    return Clockwork
