"""Random valid models: whatever is drawn, the sweep device gives what Brian2 gives."""

import attrs
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, TimedArray, ms
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cleo_like.engine.integrators import register

GATES = (
    "d{g}/dt = (1/(1 + exp(-(v - {p})/0.3)) - {g})/(4*ms) : 1",
    "d{g}/dt = (0.3/exprel(clip({p} - v, -1, 3)/0.4)*(1 - {g}) - 0.2*exp(-clip(v, -1, 1))*{g})/ms : 1",
    "d{g}/dt = (tanh(v*{p}) - {g})/(tau*(1 + 0.5*cos({g}))) : 1",
    "d{g}/dt = (clip(v, -1, {p}) - {g})/(3*ms) : 1 (unless refractory)",
    "d{g}/dt = (int(v > {p})*0.7 - {g})/(2*ms) : 1",
    "d{g}/dt = (sqrt(abs(v)) + sin({p} + t/ms) - {g}**3)/(6*ms) : 1",
    "d{g}/dt = (v**2/(1 + v**2) - {g}*abs({p})**0.7)/(5*ms) : 1",
)
DRIVES = (
    "drive", "drive + one(t)", "drive*two(t, i % 4)", "drive + two(t, column)",
    "drive + two(t, k)", "drive*(1 + 0.3*sin(t/ms))", "outside*drive + common", "drive + slow",
)  # fmt: skip
RESETS = (
    "v = low", "v = low; k = (k + 1) % 4", "v -= 0.8; on = not on", "v = 0.1*v; w += 0.1",
    "w *= 0.5; v = low - 0.1*w", "v = low; th += 0.01*int(on)", "",
)  # fmt: skip
REFRACTORY = (False, 1.5 * ms, "ref", "v > 0.4", "ref*(1 + w)", "(k == 2) and (v > -2)")
OPERATIONS = (
    "w = 0.9*w + 0.01*v", "k = (k + int(v > 0.3)) % 4", "on = v > low or on and k < 2",
    "v += 0.02*sign(w - 0.2)", "w = 0.2*(t/ms % 3) + 0.1*((i // 7) % 4)", "tau = tau*1.001",
)  # fmt: skip
METHODS = ("euler", "rk2", "rk4", "shared_rk4")
WHEN = ("start", "before_groups", "after_groups", "before_resets", "end")
PARAMETERS = """slow = 0.4*v - w : 1 (constant over dt)
total = v + 2*w + int(on) : 1
drive : 1 (constant)
low : 1 (constant)
th : 1
tau : second
ref : second (constant)
column : integer (constant)
common : 1 (shared)
k : integer
on : boolean
w : 1"""


@attrs.frozen(kw_only=True)
class Script:
    """A random model with its protocol: what hypothesis draws."""

    gates: list
    drive: str
    reset: str
    refractory: object
    operations: list
    method: str
    n: int
    seed: int
    durations: list
    record: object
    every: int

    @property
    def equations(self):
        names = ["ga", "gb", "gc"][: len(self.gates)]
        lines = [gate.format(g=g, p=p) for g, (gate, p) in zip(names, self.gates, strict=True)]
        pull = " - ".join(["v", "0.5*w", *(f"0.3*{g}*(v + 0.5)" for g in names)])
        flag = " (unless refractory)" if self.refractory is not False and self.n % 2 else ""
        lines.append(f"dv/dt = ({self.drive} - {pull})/tau : 1{flag}")
        if self.refractory is False:
            lines = [line.replace(" (unless refractory)", "") for line in lines]
        return "\n".join([*lines, PARAMETERS])

    def group(self):
        rng = np.random.default_rng(self.seed)
        group = NeuronGroup(
            self.n, self.equations, method=self.method, dt=0.1 * ms,
            threshold="v > th", reset=self.reset or "k = k", refractory=self.refractory,
        )  # fmt: skip
        values = {
            "v": rng.uniform(-1, 1, self.n), "drive": rng.uniform(0.5, 4, self.n),
            "low": rng.uniform(-1, 0, self.n), "th": rng.uniform(0.6, 1.2, self.n),
            "tau": rng.uniform(2e-3, 9e-3, self.n), "ref": rng.uniform(0, 3e-3, self.n),
            "w": rng.uniform(0, 0.5, self.n), "column": rng.integers(0, 4, self.n),
            "k": rng.integers(0, 4, self.n), "on": rng.random(self.n) > 0.5,
            "common": rng.uniform(0.5, 1),
        }  # fmt: skip
        group.set_states(values, units=False)
        for code, every, when, order in self.operations:
            group.run_regularly(code, dt=0.1 * every * ms, when=when, order=order)
        return group

    def __call__(self):
        rng = np.random.default_rng(self.seed + 1)
        group = self.group()
        record = True if self.record is None else sorted({k % self.n for k in self.record})
        network = Network(
            group,
            StateMonitor(
                group, ["v", "total", "k", "on"], record=record, dt=0.1 * self.every * ms
            ),
            SpikeMonitor(group, variables=["v", "w"]),
        )
        names = {
            "one": TimedArray(rng.random(30), dt=0.7 * ms), "outside": rng.uniform(0.8, 1.2),
            "two": TimedArray(rng.random((25, 4)), dt=0.5 * ms),
        }  # fmt: skip
        for duration in self.durations:
            network.run(duration * ms, namespace=names)
        return network


def scripts():
    parameter = st.sampled_from(["0.2", "low", "outside"])
    operation = st.tuples(
        st.sampled_from(OPERATIONS),
        st.integers(1, 5),
        st.sampled_from(WHEN),
        st.integers(-1, 1),
    )
    return st.builds(
        Script,
        gates=st.lists(st.tuples(st.sampled_from(GATES), parameter), max_size=3),
        drive=st.sampled_from(DRIVES),
        reset=st.sampled_from(RESETS),
        refractory=st.sampled_from(REFRACTORY),
        operations=st.lists(operation, max_size=2),
        method=st.sampled_from(METHODS),
        n=st.sampled_from([1, 2, 9, 127, 128, 130, 300]),
        seed=st.integers(0, 1000),
        durations=st.lists(st.sampled_from([0.05, 3.0, 7.77]), min_size=1, max_size=3),
        record=st.none() | st.lists(st.integers(0, 299), min_size=1, max_size=4),
        every=st.integers(1, 4),
    )


QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def same_on_both(twin, script):
    register()
    both = twin(script)
    both.assert_same(rtol=1e-8, atol=1e-10)
    return both


@given(script=scripts())
@settings(max_examples=3, derandomize=True, database=None,
          suppress_health_check=QUIET)  # fmt: skip
def test_random_models(twin, script):
    same_on_both(twin, script)


@pytest.mark.slow
@given(script=scripts())
@settings(max_examples=60, database=None, suppress_health_check=QUIET,
          phases=[Phase.generate])  # fmt: skip  # to shrink takes longer than to read
def test_many_random_models(twin, script):
    same_on_both(twin, script)


@pytest.mark.slow
def test_the_models_that_are_drawn_spike(twin):
    """The comparison above means something: a typical draw fires and leaves refractoriness."""
    script = Script(
        gates=[(GATES[1], "low"), (GATES[3], "0.2")], drive=DRIVES[3], reset=RESETS[4],
        refractory="ref", operations=[(OPERATIONS[1], 3, "start", 0)], method="rk4", n=300,
        seed=1, durations=[7.77, 0.05, 12.0], record=[0, 128, 299], every=3,
    )  # fmt: skip
    both = same_on_both(twin, script)
    assert both.brian2["SpikeMonitor 0 N"] > 300
    assert len(set(both.brian2["SpikeMonitor 0 count"])) > 2
