"""L0 events: exact against dynamic programming without any pruning, and their scale."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.core.errors import InputError
from cleo_like.responses import ar1_events, decay_time, l0_events, noise_std
from cleo_like.responses.calcium import l0
from cleo_like.responses.calcium.l0 import calcium_between, jumps_of, last_jumps


def least_cost(y, g, penalty):
    """Try every frame for the last jump, for every end: O(n^2) segments."""
    best = np.r_[-penalty, np.full(len(y), np.inf)]
    for end in range(1, len(y) + 1):
        for start in range(end):
            s, w = y[start:end], g ** np.arange(end - start)
            seen = np.isfinite(s)
            s, w = s[seen], w[seen]
            first = max(0.0, w @ s / max(w @ w, 1e-300))
            cost = best[start] + penalty + 0.5 * ((s - first * w) ** 2).sum()
            best[end] = min(best[end], cost)
    return best[-1]


@settings(max_examples=60)  # the check itself is slow
@given(
    st.integers(2, 60), st.sampled_from([0.2, 0.7, 0.95, 0.999]),
    st.sampled_from([0.01, 0.3, 1.0, 5.0]), st.integers(0, 2**31), st.booleans(),
)  # fmt: skip
def test_the_cost_is_the_least(n, g, penalty, seed, gaps):
    rng = np.random.default_rng(seed)
    y = 3 * np.convolve(rng.random(n) < 0.1, g ** np.arange(n))[:n] + rng.normal(size=n)
    if gaps:
        y[rng.random(n) < 0.15] = np.nan
    jumps = jumps_of(last_jumps(y[None], np.array([g]), np.array([penalty])))
    calcium = calcium_between(y[None], jumps, np.array([g]))[0]
    assert (calcium >= 0).all()
    cost = 0.5 * np.nansum((y - calcium) ** 2) + penalty * jumps[0].size
    assert cost == pytest.approx(least_cost(y, g, penalty), rel=1e-9, abs=1e-12)


def test_many_cells_are_each_cell_alone(rng):
    y = rng.normal(size=(6, 400))
    g, penalty = rng.uniform(0.5, 0.98, 6), rng.uniform(0.1, 5, 6)
    together = jumps_of(last_jumps(y, g, penalty))
    for k in range(6):
        (alone,) = jumps_of(last_jumps(y[k : k + 1], g[k : k + 1], penalty[k : k + 1]))
        np.testing.assert_array_equal(together[k], alone)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(2, 300), st.sampled_from([0.2, 0.7, 0.95, 0.999]), st.integers(0, 2**31),
    st.sampled_from([0.0, 0.15, 1.0]),
)  # fmt: skip
def test_the_compiled_loop_does_the_same(n, g, seed, gaps):
    """Bit for bit: the same operations in the same order, with numba and without."""
    if l0._compiled() is None:
        pytest.skip("numba is not installed")
    rng = np.random.default_rng(seed)
    y = 3 * np.convolve(rng.random(n) < 0.1, g ** np.arange(n))[:n] + rng.normal(size=(2, n))
    y[rng.random(y.shape) < gaps] = np.nan
    decay, penalty = np.array([g, g / 2]), np.array([0.3, 5.0])
    np.testing.assert_array_equal(
        last_jumps(y, decay, penalty), l0._together(y, decay, penalty)
    )


def test_many_candidates_need_more_room():
    """A fit that is never sure: the candidates for the last jump outgrow the first table."""
    y = np.linspace(0, 50, 400)[None]
    decay, penalty = np.array([0.9999]), np.array([1e9])
    made = [f(y, decay, penalty) for f in (last_jumps, l0._together)]
    np.testing.assert_array_equal(*made)


@pytest.mark.parametrize(("errors", "found"), [(3.05, 1), (2.95, 0)])
@pytest.mark.parametrize("tau", [0.2, 2.0])
def test_an_event_alone_is_found_from_so_many_standard_errors_on(tau, errors, found):
    """The error of its size is sqrt(1 - g^2) SD of the noise: slow events may be smaller."""
    g = np.exp(-1 / (10 * tau))
    y = np.zeros(400)
    y[100:] = errors * np.sqrt(1 - g**2) * g ** np.arange(300)
    events = l0_events(y, 10.0, tau=tau, baseline=0, noise_stds=[1.0])
    assert events.n_events.tolist() == [found]


@pytest.mark.parametrize("tau", [0.1, 1.0])
def test_noise_alone_has_few_events_at_any_decay(rng, tau):
    y = rng.normal(size=(10, 6000))  # 10 minutes at 10 Hz
    events = l0_events(y, 10.0, tau=tau)
    assert events.n_events.sum() / (10 * 600) < 0.03  # per second


@pytest.mark.parametrize(("size", "found"), [(3.1, 1), (2.9, 0)])
def test_an_event_alone_is_found_from_the_stated_size_on(size, found):
    g = np.exp(-1 / 10)
    y = np.zeros(200)
    y[100:] = size * g ** np.arange(100)
    events = l0_events(y, 10.0, tau=1.0, smallest_event=3.0, baseline=0, noise_stds=[1.0])
    assert events.n_events.tolist() == [found]
    assert events.events.sum() == pytest.approx(size * found)


def test_events_are_the_jumps_of_a_decaying_fit(rng):
    g = np.exp(-1 / (0.4 * 30))
    spikes = (rng.random((3, 900)) < 0.02).astype(float)
    y = np.stack([np.convolve(s, g ** np.arange(900))[:900] for s in spikes])
    found = l0_events(
        y + 0.02 * rng.normal(size=y.shape), 30.0, tau=0.4, smallest_event=4, baseline=0
    )
    np.testing.assert_array_equal(found.events > 0.5, spikes > 0)
    np.testing.assert_allclose(found.calcium, y, atol=0.06)
    again = np.diff(found.calcium, axis=1) - (g - 1) * found.calcium[:, :-1]
    np.testing.assert_allclose(np.maximum(again, 0), found.events[:, 1:], atol=1e-12)


def test_cells_without_anything_to_measure_say_why(rng):
    y = np.stack([np.full(100, np.nan), np.ones(100), rng.normal(size=100)])
    found = l0_events(y, 10.0, tau=1.0)
    assert np.isnan(found.events[:2]).all()
    assert np.isfinite(found.events[2]).all()
    assert found.notes == ("cell 0 has no sample", "cell 1 never changes: its noise is 0")


def test_noise_and_decay_of_a_known_process(rng):
    from scipy.signal import lfilter

    g = np.exp(-1 / (0.5 * 30))
    spikes = rng.poisson(0.03, (4, 40_000))
    y = lfilter([1.0], [1, -g], spikes, axis=1) + 0.3 * rng.normal(size=spikes.shape)
    np.testing.assert_allclose(noise_std(y), 0.3, rtol=0.1)
    np.testing.assert_allclose(noise_std(y, method="spectrum"), 0.3, rtol=0.1)
    # 1 / 2 s is added to every rate: what is slower is no calcium
    np.testing.assert_allclose(decay_time(y, 30.0), 1 / (1 / 0.5 + 1 / 2.0), rtol=0.12)
    assert np.isnan(noise_std(np.ones(4)))
    assert np.isfinite(noise_std(np.arange(5.0)))


def test_the_baseline_is_found(rng):
    from scipy.signal import lfilter

    g = np.exp(-1 / (0.5 * 30))
    y = lfilter([1.0], [1, -g], rng.poisson(0.003, (3, 5000)), axis=1)
    y += np.array([[-0.5], [0.0], [2.0]]) + 0.1 * rng.normal(size=y.shape)
    found = l0_events(y, 30.0, tau=0.5)
    np.testing.assert_allclose(found.baseline, [-0.5, 0, 2], atol=0.04)
    np.testing.assert_allclose(
        found.events, l0_events(y, 30.0, tau=0.5, baseline=found.baseline).events
    )


def test_wrong_input():
    with pytest.raises(InputError, match="baseline must be one finite value"):
        l0_events(np.zeros((3, 5)), 10, baseline=[0.0, 1.0])
    with pytest.raises(InputError, match="is infinite at frame 3"):
        l0_events([0.0, 1, 2, np.inf], 10.0)
    with pytest.raises(InputError, match="frame_rate must be a positive number"):
        l0_events(np.zeros(5), 0)
    with pytest.raises(InputError, match="one for each of 1 cells"):
        l0_events(np.zeros(5), 10, tau=[1.0, 2.0])
    with pytest.raises(InputError, match=r"must be \(n_cells, n_frames\) with frames"):
        l0_events(np.zeros((2, 0)), 10)


def test_a_silent_cell_has_the_decay_of_the_others(rng):
    from scipy.signal import lfilter

    g = np.exp(-1 / (0.5 * 30))
    y = lfilter([1.0], [1, -g], rng.poisson([[0.02], [0.02], [0.0]], (3, 5000)), axis=1)
    y += 0.1 * rng.normal(size=y.shape)
    y[2, ::2] += 0.1  # falls and rises from frame to frame: no decay
    found = l0_events(y, 30.0)
    assert found.tau[2] == pytest.approx(np.median(found.tau[:2]))
    assert found.notes[0].startswith("cell 2 shows no decay; 0.6")
    assert np.isfinite(found.events).all()


@pytest.mark.parametrize("method", [l0_events, ar1_events])
def test_an_event_in_a_gap_has_the_size_that_is_seen_after_it(rng, method):
    """300 lost frames are 18 decays: an event at the first of them would be 10^7 times as large."""
    t = np.arange(3000)
    clean = sum(np.where(t >= at, np.exp(-(t - at) / 16.0), 0) for at in (200, 690, 2000))
    y = clean + 0.05 * rng.normal(size=t.size)
    y[400:700] = np.nan
    given = {"baseline": 0.0} if method is l0_events else {}
    found = method(y, 30.0, tau=16 / 30, noise_stds=[0.05], **given)
    assert np.isnan(found.events[0, 400:700]).all()
    assert not np.isnan(np.delete(found.events[0], np.arange(400, 700))).any()
    assert np.nanmax(found.events) < 1.2
    assert found.events[0, 700] == pytest.approx(clean[700], abs=0.1)
    assert found.notes == ("cell 0 has no sample in 300 frames: events in them are not known",)
