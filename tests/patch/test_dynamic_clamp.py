"""Dynamic clamp against algebra, against the linear loop, and in a network."""

from __future__ import annotations

import brian2 as b2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like import CLSimulator, LatencyIOProcessor, get_cell, record
from cleo_like.base import Stimulator
from cleo_like.core import Protocol
from cleo_like.core.errors import InputError, UnitError
from cleo_like.engine.loop_run import LoopRun
from cleo_like.patch.clamp import (
    ACurrent,
    DynamicClamp,
    HCurrent,
    Leak,
    Synapse,
    largest_conductance,
)

R, C = 200e6, 100e-12  # of the library cell "passive"


@pytest.mark.parametrize(
    ("added", "resistance"), [("5 nS", 100e6), ("-2.5 nS", 400e6), ("0 nS", 200e6)]
)
def test_an_added_leak_changes_the_resistance(added, resistance):
    run = DynamicClamp(Leak(added, "-70 mV")).run("passive", "800 ms", command="10 pA")
    assert (run.voltage[-1] + 0.07) / 10e-12 == pytest.approx(resistance, rel=5e-4)


def loop(conductance, late, every, dt, ticks):
    """The linear loop by itself, after 1 pA in the first tick: V (from rest) at the ticks."""
    decay = np.exp(-dt / (R * C))
    out = np.maximum.accumulate(np.arange(ticks) * every + late)
    v, held, due, seen = 0.0, 0.0, 0, np.empty(ticks)
    for n in range(ticks * every):
        if n % every == 0:
            seen[n // every] = v
        while due < ticks and out[due] <= n:
            held = -conductance * seen[due]
            due += 1
        i = held + (1e-12 if n < every else 0.0)
        v = i * R + (v - i * R) * decay
    return seen


@pytest.mark.parametrize("latency", [0, 25, 50, 100])
@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_the_limit_of_stability(latency, factor):
    limit = largest_conductance("200 Mohm", "100 pF", latency=f"{latency} us")
    kick = np.r_[np.full(20, 1e-12), np.zeros(3980)]
    clamp = DynamicClamp(Leak(f"{limit * factor * 1e9} nS", "-70 mV"), latency=f"{latency} us")
    v = np.abs(clamp.run("passive", "200 ms", command=kick).voltage + 0.07)
    assert (v[-200:].max() > v[20:220].max()) == (factor > 1)


def test_the_limits_of_the_specification():
    limits = [
        largest_conductance("200 Mohm", "100 pF", latency=f"{50 * d} us") for d in (0, 1, 2)
    ]
    assert np.array(limits) * 1e9 == pytest.approx([4000, 2002.5, 1239], rel=1e-4)


@settings(max_examples=20)
@given(st.floats(1e7, 1e9), st.floats(1e-11, 5e-10), st.integers(0, 6), st.floats(0, 0.99))
def test_the_limit_is_where_the_loop_turns(ohm, farad, whole, part):
    """Powers of the loop's matrix, built by hand, grow above the limit and shrink below."""
    tick = 50e-6
    delay = (whole + part) * tick
    limit = largest_conductance(f"{ohm} ohm", f"{farad} F", latency=f"{delay} s")
    a = np.exp(-tick / (ohm * farad))
    late = 1 - np.exp(-(1 - part) * tick / (ohm * farad))
    for factor, grows in ((0.999, False), (1.001, True)):
        matrix = np.diag(np.ones(whole + 1), -1)
        matrix[0, 0] += a
        matrix[0, whole] -= limit * factor * ohm * late
        matrix[0, whole + 1] -= limit * factor * ohm * (1 - a - late)
        assert (np.abs(np.linalg.eigvals(matrix)).max() > 1) == grows


def jittered(conductance, *, seed, ticks):
    clamp = DynamicClamp(
        Leak(f"{conductance} nS", "-70 mV"), latency="50 us", jitter="20 us", seed=seed
    )
    kick = np.r_[1e-12, np.zeros(ticks - 1)]
    v = clamp.run("passive", f"{ticks * 50} us", command=kick, dt="10 us").voltage + 0.07
    late = 50e-6 + 20e-6 * np.random.default_rng(seed).standard_normal(ticks)
    delays = np.rint(np.maximum(late, 0) / 10e-6)
    return v, loop(conductance * 1e-9, delays, every=5, dt=10e-6, ticks=ticks)


def test_jitter_is_that_of_the_linear_loop():
    """The same delays in a loop of its own give the same potentials, sample by sample."""
    v, expected = jittered(1500, seed=3, ticks=400)
    assert v == pytest.approx(expected, abs=1e-6 * np.abs(expected).max())


def test_jitter_changes_the_limit_as_the_loop_says():
    """2.2 uS would grow without jitter (limit 2.0); here both die away; 3 uS grows in both."""
    for conductance, grows in ((2200, False), (3000, True)):
        for v in jittered(conductance, seed=0, ticks=600):
            assert (np.abs(v[-100:]).max() > np.abs(v[:100]).max()) == grows


def test_an_artificial_h_current_is_that_of_the_equations():
    """The passive cell with I_h by dynamic clamp, and with I_h in its equations."""
    from cleo_like import CellModel

    model = CellModel(
        name="passive_h",
        equations="""
        dv/dt = (gL*(EL - v) + gh*r*(Eh - v) + I)/C : volt
        dr/dt = (1/(1 + exp((v + 75*mV)/(5.5*mV))) - r)/tau : 1
        tau = ms/(exp(-14.59 - 0.086*v/mV) + exp(-1.87 + 0.0701*v/mV)) : second
        """,
        parameters={
            "gL": 5 * b2.nS,
            "EL": -70 * b2.mV,
            "C": 100 * b2.pF,
            "gh": 2 * b2.nS,
            "Eh": -43 * b2.mV,
        },
        source="test",
    )
    steps = np.r_[np.zeros(80000), np.full(10000, -100e-12), np.zeros(10000)]
    protocol = Protocol(waveforms=steps[np.newaxis], rate=2e4, family="arbitrary")
    (recording,) = record(model, protocol, seed=0)
    run = DynamicClamp(HCurrent("2 nS")).run("passive", "5 s", command=steps)
    expected = recording.sweeps[0].response
    # the loop is one tick of 50 us behind: 0.01 mV
    assert np.abs(run.voltage - expected)[79000:].max() < 2e-5


def test_an_artificial_synapse_is_the_known_charge():
    synapse = Synapse("0.1 nS", "0 mV", tau="5 ms", times=["20 ms", "10 ms", "10.013 ms"])
    times = np.arange(2000) * 50e-6
    current = [synapse(t, -0.07) for t in times]
    assert sum(current) * 50e-6 == pytest.approx(3 * 0.1e-9 * 0.07 * 5e-3, rel=6e-3)
    assert current[199] == 0
    assert current[200] == pytest.approx(7e-12)
    synapse.reset()
    assert [synapse(t, -0.07) for t in times] == current


def test_an_a_current_delays_the_first_spike():
    def first(step):
        run = DynamicClamp(step).run("rs", "500 ms", command="500 pA")
        return np.argmax(run.voltage > 0) / run.rate

    assert first(ACurrent("300 nS")) > first(ACurrent("0 nS")) + 5e-3


def test_a_gate_far_away_does_not_overflow():
    for v in (-50.0, 50.0):
        assert np.isfinite(HCurrent("1 nS")(0.0, v))
        assert np.isfinite(ACurrent("1 nS")(0.0, v))


def test_numba_functions_serve():
    numba = pytest.importorskip("numba")

    @numba.njit
    def step(t, v):
        return 5e-9 * (-0.07 - v)

    run = DynamicClamp(step).run("passive", "100 ms", command="10 pA")
    same = DynamicClamp(Leak("5 nS", "-70 mV")).run("passive", "100 ms", command="10 pA")
    assert run.voltage == pytest.approx(same.voltage, abs=1e-12)


def resting():
    from cleo_like.patch.clamp.target import stepper_at_rest

    return stepper_at_rest(get_cell("passive"), 50e-6, 25e-6)


# --- the device ---


def network(n=2):
    group = b2.NeuronGroup(
        n,
        """dv/dt = (5*nS*(-70*mV - v) + I + drive)/(100*pF) : volt
        I : amp
        drive : amp""",
        method="rk4",
        dt=25 * b2.us,
    )
    group.v = -70 * b2.mV
    group.drive = 10 * b2.pA
    return group, CLSimulator(b2.Network(group))


@pytest.fixture(autouse=True)
def _numpy_target():
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


@pytest.mark.parametrize(
    ("latency", "jitter"), [("0 s", "0 s"), ("75 us", "0 s"), ("75 us", "20 us")]
)
def test_the_device_does_what_the_stepper_does(latency, jitter):
    group, sim = network(1)
    group.drive = 0 * b2.pA
    # a potential that is not at rest, and the same seed stream for the device
    group.v = -60 * b2.mV
    clamp = DynamicClamp(Leak("500 nS", "-70 mV"), latency=latency, jitter=jitter)
    sim.inject(clamp, group)
    sim.run(5 * b2.ms)
    from cleo_like import Stepper

    twin, _ = network(1)
    twin.drive, twin.v = 0 * b2.pA, -60 * b2.mV
    same = DynamicClamp(Leak("500 nS", "-70 mV"), latency=latency, jitter=jitter)
    run = same.run(Stepper(b2.Network(twin)), "5 ms")
    if jitter == "0 s":
        assert clamp.voltages[:, 0] == pytest.approx(run.voltage, abs=1e-9)
    assert np.abs(clamp.voltages[-1] + 0.07).max() < 1e-4
    assert clamp.t[1] / b2.us == pytest.approx(50)


@pytest.mark.parametrize(("latency", "jitter"), [("0 s", "0 s"), ("75 us", "40 us")])
def test_the_compiled_loop_stops_for_the_device_only(latency, jitter, monkeypatch):
    """As Brian2's own loop, with a controller besides that samples at other times."""

    class Pulse(LatencyIOProcessor):
        def process(self, state, t):
            return {"current": 100 * (t > 2 * b2.ms)}, t + 0.3 * b2.ms

    def played(target):
        monkeypatch.setitem(b2.prefs, "codegen.target", target)
        group, sim = network(2)
        clamp = DynamicClamp(HCurrent("5 nS"), period="100 us", latency=latency, jitter=jitter)
        sim.inject(clamp, group, i_targets=[1])
        if jitter != "0 s":
            add_current(sim, group)
        sim.run(3 * b2.ms)
        sim.run(2 * b2.ms)
        return clamp, np.asarray(group.v).copy()

    def add_current(sim, group):
        class Current(Stimulator):
            def connect_to_neuron_group(self, neuron_group, **_):
                self.group = neuron_group

            def update(self, signal):
                super().update(signal)
                if hasattr(self, "group"):
                    self.group.drive_ = np.full(2, signal * 1e-12)

        sim.inject(Current(name="current"), group)
        sim.set_io_processor(Pulse(sample_period=0.7 * b2.ms))

    calls, original = [], LoopRun.run
    monkeypatch.setattr(LoopRun, "run", lambda s, *a: (calls.append(1), original(s, *a)))
    (fast, v), (slow, wanted) = played("auto"), played("numpy")
    assert len(calls) == 2
    assert len(fast.voltages) == 50
    np.testing.assert_allclose(fast.voltages, slow.voltages, rtol=0, atol=1e-12)
    np.testing.assert_allclose(fast.currents, slow.currents, rtol=0, atol=1e-20)
    np.testing.assert_allclose(v, wanted, rtol=0, atol=1e-12)


def test_the_device_clamps_its_targets_only():
    group, sim = network(3)
    clamp = DynamicClamp(Leak("5 nS", "-70 mV"))
    sim.inject(clamp, group, i_targets=[1])
    sim.run(200 * b2.ms)
    assert np.asarray(group.v) == pytest.approx([-0.068, -0.069, -0.068], abs=2e-6)
    assert clamp.currents[-1, 0] == pytest.approx(-5e-12, rel=1e-3)
    first = clamp.voltages.copy()
    sim.reset()
    assert len(clamp.voltages) == 0
    sim.run(200 * b2.ms)
    assert np.array_equal(clamp.voltages, first)
    assert len(clamp.to_neo()) == 2


def test_each_target_has_gates_of_its_own():
    group, sim = network(2)
    group.v = [-70, -110] * b2.mV
    clamp = DynamicClamp(HCurrent("2 nS"))
    sim.inject(clamp, group)
    sim.run(20 * b2.ms)
    assert clamp.currents[-1, 1] != pytest.approx(clamp.currents[-1, 0], rel=0.1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DynamicClamp(5), "step"),
        (lambda: DynamicClamp(Leak("5 nS"), period="0 s"), "above 0"),
        (lambda: DynamicClamp(Leak("5 nS"), latency="-1 us"), "0 s or more"),
        (
            lambda: DynamicClamp(Leak("5 nS"), period="10 us").run(resting(), "1 ms"),
            "slower than its clock",
        ),
        (
            lambda: DynamicClamp(Leak("5 nS"), period="60 us").run(resting(), "1.2 ms"),
            "period of 60 us",
        ),
        (
            lambda: DynamicClamp(Leak("5 nS"), latency="30 us").run(resting(), "1 ms"),
            "latency of 30 us",
        ),
        (lambda: DynamicClamp(Leak("5 nS")).run("passive", "1 ms", dt="0 us"), "dt"),
        (lambda: DynamicClamp(Leak("5 nS")).run(resting(), "1 ms", dt="5 us"), "leave dt out"),
        (lambda: DynamicClamp(Leak("5 nS")).run("passive", "1.01 us"), "whole number"),
        (lambda: DynamicClamp(Leak("5 nS")).run("passive", "1 ms", voltage="u"), "voltage="),
        (lambda: DynamicClamp(Leak("5 nS")).run("passive", "1 ms", current="J"), "J : amp"),
        (lambda: DynamicClamp(Leak("5 nS")).run("passive", "1 ms", current="gL"), "amp"),
        (lambda: DynamicClamp(Leak("5 nS")).run("passive", "1 ms", target=1), "target"),
        (
            lambda: DynamicClamp(Leak("5 nS")).run("passive", "1 ms", command=np.zeros(3)),
            "20 ticks",
        ),
        (lambda: DynamicClamp(Leak("5 nS")).run(7, "1 ms"), "a cell is"),
        (lambda: DynamicClamp(lambda t, v: np.nan).run("passive", "1 ms"), "NaN|finite|nan"),
        (lambda: Synapse("1 nS", tau="0 ms", times=["1 ms"]), "tau"),
        (lambda: largest_conductance("-1 Mohm", "1 pF"), "above 0"),
    ],
)
def test_wrong_input_is_told(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_numbers_without_unit_are_told():
    with pytest.raises(UnitError, match="nS"):
        Leak(5)
    with pytest.raises(UnitError, match="pA"):
        DynamicClamp(Leak("5 nS")).run("passive", "1 ms", command=5)


def test_wrong_injections_are_told():
    group, sim = network(2)
    with pytest.raises(InputError, match="i_targets"):
        sim.inject(DynamicClamp(Leak("5 nS")), group, i_targets=[2])
    with pytest.raises(InputError, match="i_targets"):
        sim.inject(DynamicClamp(Leak("5 nS")), group, i_targets=[0, 0])
    with pytest.raises(InputError, match="takes i_targets"):
        sim.inject(DynamicClamp(Leak("5 nS")), group, targets=[0])
    with pytest.raises(InputError, match="slower than its clock"):
        sim.inject(DynamicClamp(Leak("5 nS"), period="10 us"), group)
    sim.inject(DynamicClamp(Leak("5 nS")), group, i_targets=[0])
    with pytest.raises(InputError, match="I_dyn"):
        sim.inject(DynamicClamp(Leak("5 nS"), name="second"), group, i_targets=[0, 1])
    sim.inject(DynamicClamp(Leak("5 nS"), name="third"), group, i_targets=[1])
    bare = b2.NeuronGroup(1, "v : volt")
    own = CLSimulator(b2.Network(bare))
    with pytest.raises(InputError, match="I : amp"):
        own.inject(DynamicClamp(Leak("5 nS")), bare)


def test_a_run_goes_on_from_where_the_stepper_is():
    model = get_cell("passive")
    from cleo_like.patch.clamp.target import stepper_at_rest

    stepper = stepper_at_rest(model, 50e-6, model.dt)
    clamp = DynamicClamp(Leak("5 nS", "-70 mV"))
    halves = [clamp.run(stepper, "20 ms", command="10 pA").voltage for _ in range(2)]
    whole = clamp.run("passive", "40 ms", command="10 pA").voltage
    assert np.concatenate(halves) == pytest.approx(whole, abs=1e-7)


def test_a_step_that_is_no_step_is_said():
    with pytest.raises(InputError, match=r"must take a time .* and a potential"):
        DynamicClamp(lambda t: t)
    with pytest.raises(InputError, match=r"step\(t, v\) gave 'x'; it must give a current"):
        DynamicClamp(lambda _t, _v: "x").run("passive", duration="1 ms")
    with pytest.raises(InputError, match=r"step\(t, v\) gave None"):
        DynamicClamp(lambda _t, _v: None).run("passive", duration="1 ms")
    DynamicClamp(max)  # of C: it does not tell its arguments


def test_a_run_shows_itself_in_one_line():
    run = DynamicClamp(Leak("5 nS", "-70 mV")).run("passive", "300 ms", command="10 pA")
    told = "ClampRun of 6000 ticks, 300 ms at 20 kHz, -70..-69 mV, injected "
    assert repr(run).startswith(told)
    assert "\n" not in repr(run)
