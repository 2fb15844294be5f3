"""The parts of the joint fit: response, basis, command, bins; against direct integration."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from cleo_like.features.passive.joint.basis import basis, bounded, exponentials, shape_of
from cleo_like.features.passive.joint.bins import binned
from cleo_like.features.passive.joint.command import Command, command_of
from cleo_like.features.passive.joint.fit import Delay, Problem
from cleo_like.features.passive.joint.response import Geometry
from cleo_like.features.passive.joint.rows import Rows
from cleo_like.features.stack import SweepStack

RATE = 20e3
STOP = 12000
NO_DELAY = Delay(expected=0.0, error=1e-4, most=1e-3, earliest=1e-3)


def stack_of(current: np.ndarray, voltage: np.ndarray | None = None) -> SweepStack:
    voltage = np.full(current.shape, -70.0) if voltage is None else voltage
    return SweepStack(voltage_mv=voltage, current_pa=current, rate=RATE)


def steps(levels: np.ndarray, edges: tuple[int, ...]) -> np.ndarray:
    """Sweeps with the given levels (n_sweeps, n_edges + 1)."""
    return np.repeat(levels, np.diff([0, *edges, STOP]), axis=1)


def prepared(current: np.ndarray, voltage: np.ndarray | None = None):
    stack = stack_of(current, voltage)
    command = command_of(stack, STOP - 6000, STOP)
    rows = np.arange(stack.n_sweeps)
    bins = binned(
        stack, rows, command, start=STOP - 6000, stop=STOP,
        until_start=np.zeros(rows.size, dtype=bool),
    )  # fmt: skip
    return bins, Geometry.of(bins, command, RATE)


LEVELS = np.array([[0.0, -20, -80, -20, -100], [10.0, -10, 0, 5, -30]])
EDGES = (2000, 2600, 5000, 6000)


@pytest.mark.parametrize("tau", [0.0003, 0.02, 0.4])
def test_the_response_is_that_of_an_rc_circuit(tau):
    """Sample by sample: exact recursion of the circuit, averaged over the bins."""
    current = steps(LEVELS, EDGES)
    decay = np.exp(-1 / RATE / tau)
    x = current - current[:, :1]
    # the sample at an edge is the last of the old response: the input is one sample late
    late = np.concatenate((np.zeros((2, 1)), x[:, :-1]), axis=1)
    direct = signal.lfilter([1 - decay], [1, -decay], late, axis=1)
    bins, geometry = prepared(current)
    means = [direct[:, a:b].mean(axis=1) for a, b in zip(bins.starts, bins.stops, strict=True)]
    found = geometry.response(tau, 0.0).value
    np.testing.assert_allclose(found, np.stack(means, axis=1), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("taus", [[0.02], [0.008, 0.07], [0.02, 0.03]])
def test_the_derivatives(taus):
    _, geometry = prepared(steps(LEVELS, EDGES))
    shape, delay, h = shape_of(taus), 2e-4, 1e-6
    at = basis(geometry, shape, delay)
    for k in range(shape.size):
        step = np.eye(shape.size)[k] * h
        high, low = (basis(geometry, shape + s * step, delay).values for s in (1, -1))
        np.testing.assert_allclose(at.by_shape[k], (high - low) / (2 * h), rtol=1e-3, atol=1e-4)
    high, low = (basis(geometry, shape, delay + s * 1e-8).values for s in (1, -1))
    np.testing.assert_allclose(at.by_delay, (high - low) / 2e-8, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(("damping", "name"), [(1.5, "two"), (1.0, "equal"), (0.4, "ringing")])
def test_second_order_against_an_integration(damping, name):
    """V'' + 2 d w V' + w^2 V = w^2 I: real, equal and conjugate poles."""
    w = 60.0
    current = steps(LEVELS, EDGES)
    x = current - current[:, :1]
    system = signal.StateSpace(
        [[0, 1], [-(w**2), -2 * damping * w]], [[0], [w**2]], [[1, 0]], [[0]]
    )
    discrete = system.to_discrete(1 / RATE)
    b, a = signal.ss2tf(discrete.A, discrete.B, discrete.C, discrete.D)
    direct = signal.lfilter(b[0], a, x, axis=1)
    bins, geometry = prepared(current)
    means = np.stack(
        [direct[:, i:j].mean(axis=1) for i, j in zip(bins.starts, bins.stops, strict=True)],
        axis=1,
    )
    poles = np.array([2 * damping * w, w**2])
    found = basis(geometry, np.log(poles), 0.0).values
    inside = bins.weight.ravel() > 0
    design = found.reshape(2, -1).T[inside]
    weights, *_ = np.linalg.lstsq(design, means.ravel()[inside], rcond=None)
    # equal poles are held 1 % apart, which leaves less than this of a response of 100
    np.testing.assert_allclose(design @ weights, means.ravel()[inside], atol=0.02, err_msg=name)


@given(st.floats(2e-4, 0.05), st.floats(1.05, 15), st.floats(-300, 300), st.floats(-300, 300))
def test_exponentials_and_back(fast, ratio, first, second):
    taus, weights = exponentials(shape_of([fast, fast * ratio]), np.array([first, second]))
    np.testing.assert_allclose(taus, [fast, fast * ratio], rtol=1e-6)
    assert weights.sum() == pytest.approx(first, abs=1e-9)


@given(st.floats(-10, 20), st.floats(-20, 40))
def test_a_bounded_shape_is_a_shape(total, product):
    taus, _ = exponentials(bounded(np.array([total, product])), np.ones(2))
    assert (np.abs(taus) > 3e-6).all()
    assert (taus.real > 0).all()
    assert (taus.real < 1.02).all()


def test_two_exponentials_are_found_without_noise():
    bins, geometry = prepared(steps(LEVELS, EDGES))
    shape, weights = shape_of([0.01, 0.08]), np.array([150.0, 200.0])
    values = basis(geometry, shape, 0.0).values
    made = attrs.evolve(bins, mean=1e-3 * np.tensordot(weights, values, axes=1) - 70.0)
    fit = Problem(made, geometry, NO_DELAY).solve([0.005, 0.2])
    np.testing.assert_allclose(fit.exponentials()[0], [0.01, 0.08], rtol=1e-4)
    np.testing.assert_allclose(fit.weights, weights, rtol=1e-4)
    assert fit.levels == pytest.approx([-70.0, -70.0], abs=1e-6)


def test_few_rows_say_what_all_sweeps_say(rng):
    """A rotation of sweeps of equal weights; one of them is used before its step only."""
    levels = np.vstack((LEVELS, 2 * LEVELS, LEVELS[:, ::-1], rng.normal(size=LEVELS.shape)))
    bins, geometry = prepared(steps(levels, EDGES))
    whole = np.arange(len(levels)) < len(levels) - 1
    bins = bins.without(~whole[:, None] & (bins.part == bins.part[-1]))
    mean = rng.normal(size=bins.mean.shape)
    rows = Rows.of(geometry, mean, bins.weight)
    few = rows.fewer()
    assert len(few.y) <= len(EDGES) + 1 < len(rows.y)

    def sums(of):
        x = basis(of.geometry, shape_of([0.01, 0.08]), 1e-4).columns
        x = of.centred(x).reshape(len(x), -1)
        y = of.y.ravel()
        return x @ x.T, x @ y, y @ y + of.unexplained

    for a, b in zip(sums(rows), sums(few), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * np.abs(a).max())


def test_a_command_of_steps():
    found = command_of(stack_of(steps(LEVELS, EDGES)), 6000, STOP)
    assert found.edges.tolist() == list(EDGES)
    np.testing.assert_array_equal(found.levels, LEVELS)
    assert found.first == 0


def test_a_recorded_command_of_steps(rng):
    """Noise of 1 pA: the same edges to a sample, the same levels to their error."""
    exact = steps(LEVELS, EDGES)
    found = command_of(stack_of(exact + rng.normal(size=exact.shape)), 6000, STOP)
    assert np.abs(found.edges - EDGES).max() <= 1
    np.testing.assert_allclose(found.levels, LEVELS, atol=0.3)


def test_a_ramp_before_the_step_is_waited_for():
    current = steps(LEVELS[:, [0, 0, 0, 0, 4]], EDGES)
    t = np.arange(STOP) / RATE
    early = current + np.where((t > 0.02) & (t < 0.12), 500 * (t - 0.02), 0.0)
    found = command_of(stack_of(early), 6000, STOP)
    assert not found.trouble
    assert 0.21 < found.first / RATE < 0.26  # 0.1 s after its end
    late = current + np.where((t > 0.15) & (t < 0.25), 500 * (t - 0.15), 0.0)
    assert "varies before the step" in command_of(stack_of(late), 6000, STOP).trouble


def test_samples_that_are_no_numbers():
    current = steps(LEVELS, EDGES)
    current[0, :500] = np.nan
    found = command_of(stack_of(current), 6000, STOP)
    assert found.first == 500
    assert found.edges.tolist() == list(EDGES)


@pytest.mark.parametrize(("height", "spiking"), [(9.0, False), (11.0, True)])
def test_a_spike_is_10_mv_above_its_bin(height, spiking):
    v = np.full((1, STOP), -70.0)
    v[0, 1000] += height * 100 / 99  # its own share of the mean of 100 samples
    stack = stack_of(steps(LEVELS[:1], EDGES), v)
    command = Command(first=0, edges=np.array(EDGES), levels=LEVELS[:1])
    bins = binned(
        stack, np.arange(1), command, start=6000, stop=STOP, until_start=np.zeros(1, dtype=bool)
    )
    assert bins.spiking.tolist() == [spiking]
