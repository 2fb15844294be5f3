"""Noise in equations: its statistics, its independence, and that it can be had again."""

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, StateMonitor, ms, prefs
from brian2 import seed as seed_brian2  # noqa: TID251  # what is tested

from cleo_like.cells import CellModel
from cleo_like.core import Protocol
from cleo_like.patch import record

OU = "dx/dt = -x/tau + sigma*sqrt(2/tau)*xi : 1\ntau : second (constant)\nsigma : 1 (constant)"


def noisy(n=300, method="euler", dt=0.1, duration=30, tau=4, **options):
    group = NeuronGroup(n, OU, method=method, dt=dt * ms)
    group.tau, group.sigma = tau * ms, 1.7
    monitor = StateMonitor(group, "x", record=True)
    network = Network(group, monitor)
    network.run(duration * ms, namespace={})
    return np.array(monitor.x)


@pytest.mark.parametrize("method", ["euler", "heun", "milstein"])
def test_an_ornstein_uhlenbeck_process(device, method):
    """Mean 0; variance and correlation of the discrete process, which is an AR(1)."""
    with device("sweeps", seed=5):
        x = noisy(n=2000, method=method, duration=60)[:, 200:]
    h = 0.1 / 4
    decay = 1 - h if method != "heun" else 1 - h + h**2 / 2
    gain = 1 if method != "heun" else (1 - h / 2) ** 2
    variance = 1.7**2 * 2 * h * gain / (1 - decay**2)
    independent = len(x) * x.shape[1] * h / 2  # samples, over the correlation time
    assert abs(x.mean()) < 4 * np.sqrt(variance / independent)
    assert abs(x.var() / variance - 1) < 5 * np.sqrt(2 / independent)
    assert variance == pytest.approx(1.7**2, rel=0.02)  # the analytic answer for h -> 0
    r = (x[:, 1:] * x[:, :-1]).mean() / x.var()
    assert r == pytest.approx(decay, abs=2e-3)


def test_traces_and_steps_are_independent(device):
    with device("sweeps", seed=5):
        x = noisy(n=300, duration=60)
    innovations = x[:, 1:] - (1 - 0.1 / 4) * x[:, :-1]
    z = innovations / innovations.std()
    n = z.shape[1]
    across = (z[:-1] * z[1:]).mean(axis=1)
    assert np.abs(across).max() < 5 / np.sqrt(n)
    assert np.abs((z[:-128] * z[128:]).mean(axis=1)).max() < 5 / np.sqrt(n)  # same lane
    along = (z[:, :-1] * z[:, 1:]).mean(axis=1)
    assert np.abs(along).max() < 5 / np.sqrt(n)
    assert len(np.unique(z)) == z.size


def test_two_sources_of_noise_are_independent(device):
    equations = """dx/dt = xi_a*ms**-0.5 : 1
    dy/dt = xi_b*ms**-0.5 : 1
    dz/dt = xi_a*ms**-0.5 : 1
    u : 1"""
    with device("sweeps", seed=2):
        group = NeuronGroup(20_000, equations, method="euler", dt=0.1 * ms)
        group.run_regularly("u = randn()")
        other = NeuronGroup(20_000, "dx/dt = xi*ms**-0.5 : 1", method="euler", dt=0.1 * ms)
        network = Network(group, other)
        network.run(0.1 * ms)
        steps = [x[:].copy() for x in (group.x, group.y, group.u, other.x)]
        np.testing.assert_array_equal(group.x[:], group.z[:])
        network.run(0.1 * ms)
        steps += [group.x[:] - steps[0], group.u[:]]
    r = np.corrcoef(steps) - np.eye(len(steps))
    assert np.abs(r).max() < 5 / np.sqrt(20_000)


def test_random_numbers_in_reset_threshold_and_operations(device):
    with device("sweeps", seed=2):
        group = NeuronGroup(
            2000, "v : 1\nu : 1\nk : integer", threshold="rand() < 0.3",
            reset="v = rand(); k += 1", dt=0.1 * ms,
        )  # fmt: skip
        group.run_regularly("u = rand()", dt=0.2 * ms)
        Network(group).run(10 * ms)
        assert group.k[:].mean() == pytest.approx(30, abs=5 * np.sqrt(21 / 2000))
        assert group.k[:].var() == pytest.approx(21, rel=0.2)
        for values in (group.v[:], group.u[:]):
            assert values.mean() == pytest.approx(0.5, abs=5 / np.sqrt(12 * 2000))
            assert 0 <= values.min() < 0.01
            assert 0.99 < values.max() < 1


def test_seeds(device):
    """The same for any number of threads; anew in each run; again after the same seed."""
    with device("sweeps", seed=11):
        first, second = noisy(), noisy()
    with device("sweeps", seed=11, threads=2):
        again = noisy()
    with device("sweeps", seed=12):
        other = noisy()
    with device("sweeps"):
        unseeded = noisy()
        seed_brian2(11)
        by_brian2 = noisy()
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, by_brian2)
    for x in (second, other, unseeded):
        assert abs(np.corrcoef(first[:, -1], x[:, -1])[0, 1]) < 0.3
        assert (x[:, 1:] != first[:, 1:]).all()


def test_more_traces_and_longer_runs_keep_the_noise_of_the_first(device):
    found = []
    for n, duration in ((300, 30), (130, 30), (300, 10)):
        with device("sweeps", seed=3):
            found.append(noisy(n=n, duration=duration))
    np.testing.assert_array_equal(found[0][:130], found[1])
    np.testing.assert_array_equal(found[0][:, :100], found[2])


def test_store_and_restore_of_the_random_state(device):
    with device("sweeps", seed=3):
        group = NeuronGroup(5, OU, method="euler", dt=0.1 * ms)
        group.tau, group.sigma = 4 * ms, 1
        network = Network(group)
        network.store()
        network.run(5 * ms)
        first = group.x[:].copy()
        network.restore(restore_random_state=True)
        network.run(5 * ms)
        np.testing.assert_array_equal(group.x[:], first)
        network.restore()
        network.run(5 * ms)
        assert (group.x[:] != first).all()


NOISY_CELL = CellModel(
    name="noisy", equations="dv/dt = (-70*mV - v + I*Mohm)/(5*ms) + mV*xi*ms**-0.5 : volt",
    parameters={}, method="heun", dt="0.05 ms",
)  # fmt: skip


def recorded(n, **options):
    protocol = Protocol(waveforms=np.zeros((n, 400)), rate=2e4, family="arbitrary")
    (recording,) = record(NOISY_CELL, protocol, seed=4, backend="compiled", **options)
    return recording.stacked().response


@pytest.mark.parametrize("traces", [1, 37, 128, 129, 250])
def test_recorded_noise_is_the_same_for_any_block(traces):
    """Bit for bit: whatever fits into memory, and for any number of threads."""
    whole = recorded(300, threads=1)
    np.testing.assert_array_equal(recorded(300, memory=4 * 400 * traces, threads=2), whole)


def test_recorded_noise_differs_between_sweeps_and_has_the_right_size():
    v = recorded(600)[:, 200:].astype(float) + 0.070
    variance = 1e-3**2 * 5 / 2
    assert v.var() == pytest.approx(variance, rel=0.1)
    assert abs(np.corrcoef(v[:-1, -1], v[1:, -1])[0, 1]) < 5 / np.sqrt(600)
    assert len(np.unique(v[:, -1])) > 590


def test_statistics_are_those_of_brian2(device):
    """The same mean, variance and spread of ends as the runtime device, within their errors."""
    with device("sweeps", seed=1):
        ours = noisy(n=3000, duration=10)
    with device("runtime"):
        prefs.codegen.target = "numpy"
        seed_brian2(1)
        stock = noisy(n=3000, duration=10)
    for at in (1, 10, 99):
        a, b = ours[:, at], stock[:, at]
        assert a.var() / b.var() == pytest.approx(1, abs=5 * np.sqrt(4 / 3000))
        assert a.mean() == pytest.approx(b.mean(), abs=5 * np.sqrt(2 * b.var() / 3000))
