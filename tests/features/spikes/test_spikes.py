"""Spikes of known place and shape; what must not matter does not."""

from __future__ import annotations

from types import SimpleNamespace

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleo_like.core.errors import InputError, UnitError, UnknownNameError
from cleo_like.core.window import Window
from cleo_like.features.parameters import DEFAULT, GIGASEAL, IPFX, ExtractionParameters
from cleo_like.features.spikes import derivative, detect, ragged, shape, spike_features
from cleo_like.features.spikes.table import spikes_of
from cleo_like.features.stack import SweepStack

STEP = Window(start=0.2, end=0.7)
ALL = np.arange(5)
NAMES = ("threshold_index", "peak_index", "upstroke", "fast_trough_index", "width", "adp_index")


def same(a, b, names=NAMES, rtol=1e-9):
    assert len(a) == len(b)
    for name in names:
        np.testing.assert_allclose(a[name], b[name], rtol=rtol, err_msg=name)


def test_a_gaussian_spike(firing):
    """Height 100 mV, SD 0.5 ms, at 0.4 s: the steepest rise is 100 / 0.5 / sqrt(e) V/s."""
    stack = firing([[0.4]], [0.0], rate=100e3)
    spikes = spikes_of(stack, STEP, attrs.evolve(DEFAULT, filter=None))
    assert spikes["peak_t"][0] == pytest.approx(0.4, abs=1e-5)
    assert spikes["peak_v"][0] == pytest.approx(30.0, abs=0.1)
    assert spikes["upstroke"][0] == pytest.approx(100 / 0.5 * np.exp(-0.5), rel=1e-3)
    rise = 100 / 0.5 * np.exp(-0.5)
    k = int(spikes["threshold_index"][0])
    before = 1e-3 * np.diff(stack.voltage_mv[0]) * 100e3
    assert before[k] <= 0.05 * rise < before[k + 1]
    assert not spikes["clipped"][0]


def test_width_is_at_half_height_of_the_fast_trough(firing):
    stack = firing([[0.4]], [0.0], rate=100e3)
    spikes = spikes_of(stack, STEP, attrs.evolve(DEFAULT, filter=None))
    level = spikes["fast_trough_v"][0] + (spikes["peak_v"] - spikes["fast_trough_v"])[0] / 2
    v = stack.voltage_mv[0]
    inside = np.flatnonzero(v > level)
    assert spikes["width"][0] == pytest.approx((np.ptp(inside) + 2) / 100e3, abs=1e-9)


def test_spikes_outside_the_step_do_not_count(firing):
    stack = firing([[0.1, 0.4, 0.8]], [100.0])
    found = spikes_of(stack, STEP, DEFAULT)
    assert found["peak_t"].tolist() == [pytest.approx(0.4, abs=2e-5)]
    assert found["peak_index"].tolist() == [0.4 * stack.rate]


def test_quantities_and_bare_numbers(firing):
    stack = firing([[0.4]], [100.0])
    assert len(spike_features(stack, "200 ms", "0.7 s")) == 1
    with pytest.raises(UnitError, match=r"start=0\.2 has no unit"):
        spike_features(stack, 0.2, "0.7 s")
    with pytest.raises(UnknownNameError, match="did you mean 'peak_v'"):
        spike_features(stack, "200 ms", "0.7 s")["peak_w"]


def test_limits_are_checked():
    with pytest.raises(InputError, match="dv_cutoff must be positive, got -1"):
        ExtractionParameters(dv_cutoff=-1)
    with pytest.raises(InputError, match="compat must be None or 'ipfx', got 'efel'"):
        ExtractionParameters(compat="efel")
    with pytest.raises(UnitError, match="min_peak"):
        ExtractionParameters(min_peak="3 pA")
    assert ExtractionParameters(filter=0).filter is None
    assert GIGASEAL.cutoff(4e3) is None


def test_a_step_to_the_end_of_the_sweep(firing):
    stack = firing([[0.3, 0.4]], [100.0], end=1.0)
    assert len(spikes_of(stack, Window(start=0.2, end=1.0), DEFAULT)) == 2
    with pytest.raises(InputError, match=r"1.2 s is outside the recording \(0..0.99995 s\)"):
        spikes_of(stack, Window(start=0.2, end=1.2), DEFAULT)


def test_no_spike_begins_before_the_step(firing):
    """A strong step: the potential rises without a pause from its onset into the spike."""
    stack = firing([[0.2025]], [700.0], rate=50e3, tau=0.01, resistance=250.0)
    theirs, ours = (
        spikes_of(stack, STEP, attrs.evolve(limits, filter=3.0)) for limits in (IPFX, DEFAULT)
    )
    assert len(theirs) == len(ours) == 1
    assert theirs["threshold_t"][0] < 0.2
    assert ours["threshold_t"][0] == pytest.approx(0.2)
    assert ours["peak_index"][0] == theirs["peak_index"][0]


@pytest.fixture
def trains(firing, rng):
    times = [np.sort(rng.uniform(0.22, 0.68, n)) for n in (0, 1, 3, 12, 25)]
    times = [t[np.diff(t, prepend=-1) > 0.008] for t in times]
    return firing([list(t) for t in times], [-50, 50, 100, 150, 200], rate=50e3,
                  noise=0.05, rng=rng, resistance=50.0)  # fmt: skip


@pytest.mark.parametrize("limits", [IPFX, attrs.evolve(IPFX, filter=3.0)])
def test_less_filtering_gives_the_same(trains, limits):
    """Filtering near the spikes, in the window, and of whole sweeps agree to the last index."""
    found = []
    for trace_of in (detect.fast_trace, detect.dense_trace, detect.full_trace):
        trace = trace_of(trains, ALL, STEP, limits)
        events, doubt = detect.detect(trace)
        measured = shape.measure(trace, events, doubt)
        found.append((events, measured, doubt))
    (fast, fast_shape, doubt), (dense, dense_shape, _), (full, full_shape, _) = found
    sure = ~doubt[fast.sweep]
    assert (~doubt).sum() >= 3  # the short way is really taken
    for name in ("threshold", "peak"):
        np.testing.assert_array_equal(getattr(dense, name), getattr(full, name))
        others = getattr(full, name)[~doubt[full.sweep]]
        np.testing.assert_array_equal(getattr(fast, name)[sure], others)
    for name in ("fast_trough", "adp", "slow_trough", "width"):
        np.testing.assert_array_equal(getattr(dense_shape, name), getattr(full_shape, name))
        others = getattr(full_shape, name)[~doubt[full.sweep]]
        np.testing.assert_array_equal(getattr(fast_shape, name)[sure], others)


def test_only_needed_blocks_are_filtered(trains):
    trace = detect.fast_trace(trains, ALL, STEP, DEFAULT)
    assert trace.slope.sweeps.tolist() == [1, 2, 3, 4]  # no spike, nothing filtered
    assert 0 < trace.slope.known[0].mean() < 0.1


def test_the_bound_holds(trains):
    """Where nothing was filtered, the filtered slope is within the stated bound."""
    trace = detect.fast_trace(trains, ALL, STEP, DEFAULT)
    whole = derivative.whole(trains.voltage_mv, ALL, trains.rate, 10.0)
    first, width = trace.slope.first, trace.slope.width
    true = whole.flat.reshape(5, -1)[:, first : first + width]
    known = np.repeat(trace.slope.known, trace.slope.block, axis=1)[:, :width]
    for row, sweep in enumerate(trace.slope.sweeps):
        unseen = np.abs(true[sweep][~known[row]])
        assert unseen.max(initial=0) <= trace.slope.bound[sweep] < DEFAULT.fixed("dv_cutoff")
    assert np.abs(true[0]).max() < DEFAULT.fixed("dv_cutoff")


def test_memory_of_the_search(trains):
    """At most three times the recording, whatever the number of sweeps."""
    import tracemalloc

    many = trains.take(np.repeat(np.arange(trains.n_sweeps), 12))
    spikes_of(trains, STEP, DEFAULT)
    tracemalloc.start()
    spikes_of(many, STEP, DEFAULT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * (many.voltage_mv.nbytes + many.current_pa.nbytes)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(range(5)), shift=st.integers(0, 900), offset=st.integers(-20, 20))
def test_order_shift_and_offset_do_not_matter(trains, order, shift, offset):
    """Sweeps in another order, later by whole samples, with another offset in the window."""
    plain = spikes_of(trains, STEP, DEFAULT)
    order = np.array(order)
    v = np.pad(trains.voltage_mv[order], ((0, 0), (shift, 0)), mode="edge")
    i = np.pad(trains.current_pa[order], ((0, 0), (shift, 0)), mode="edge")
    moved = SweepStack(voltage_mv=v, current_pa=i + offset, rate=trains.rate)
    by = shift / trains.rate
    other = spikes_of(moved, Window(start=0.2 + by, end=0.7 + by), DEFAULT)
    for row, k in enumerate(order):
        a, b = plain.of(k), other.of(row)
        np.testing.assert_array_equal(a["peak_index"] + shift, b["peak_index"])
        np.testing.assert_array_equal(a["threshold_index"] + shift, b["threshold_index"])
        np.testing.assert_allclose(a["upstroke"], b["upstroke"], rtol=1e-7)


@settings(max_examples=200)
@given(st.data())
def test_searches_in_stretches(data):
    """The side-by-side searches find what a loop finds."""
    n = data.draw(st.integers(1, 400))
    x = np.array(data.draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n)), dtype=float)
    start = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=6)))
    stop = np.array([data.draw(st.integers(-1, n)) for _ in start])
    level = data.draw(st.integers(-4, 4))
    for step, rising in ((1, False), (1, True), (-1, False)):
        found = ragged.first_where(x, start, stop, level, rising=rising, step=step)
        for a, b, ours in zip(start, stop, found, strict=True):
            at = [k for k in range(a, b, step) if (x[k] >= level if rising else x[k] <= level)]
            assert ours == (at[0] if at else -1)
    for a, b, high, low in zip(
        start,
        stop,
        ragged.arg_max(x, start, np.maximum(stop, 0)),
        ragged.arg_min(x, start, np.maximum(stop, 0)),
        strict=True,
    ):
        assert high == (a + int(x[a:b].argmax()) if b > a else a)
        assert low == (a + int(x[a:b].argmin()) if b > a else a)


@settings(max_examples=100)
@given(st.data())
def test_extremes_of_many_stretches_in_order(data):
    """Many stretches one after the other, with gaps that are skipped or not."""
    n = data.draw(st.integers(200, 2000))
    x = np.array(data.draw(st.integers(0, 2**32 - 1)), ndmin=1)
    x = np.random.default_rng(x).integers(-9, 9, n).astype(float)
    edges = np.array(sorted(data.draw(st.sets(st.integers(0, n), min_size=2, max_size=300))))
    start, stop = edges[:-1:2], edges[1::2]
    start = start[: stop.size]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ragged, "_FEW", 0)
        patch.setattr(ragged, "_GAP", data.draw(st.sampled_from([1, 5, 10_000])))
        patch.setattr(ragged, "_SHORT", data.draw(st.sampled_from([0, 200])))
        high, low = ragged.arg_max(x, start, stop), ragged.arg_min(x, start, stop)
    for a, b, top, bottom in zip(start, stop, high, low, strict=True):
        assert top == a + int(x[a:b].argmax())
        assert bottom == a + int(x[a:b].argmin())


@settings(max_examples=200)
@given(st.data())
def test_a_fall_soon_after_a_trough_as_its_definition_has_it(data):
    """Any sample of the first 5 ms, less any later one of the interval: at least 0.5 mV."""
    size = data.draw(st.integers(2, 90))
    v = np.array(data.draw(st.lists(st.integers(0, 4), min_size=size, max_size=size))) * 0.25
    fast = np.array([data.draw(st.integers(0, size - 2))])
    stop = np.array([data.draw(st.integers(fast[0] + 1, size))])
    trace = SimpleNamespace(v=v, stack=SimpleNamespace(rate=1e3))
    lowest = fast + np.argmin(v[fast[0] : stop[0]])
    soon = range(fast[0], min(fast[0] + 1 + round(shape._ADP_LATEST * 1e3), stop[0]))
    falls = any(v[i] - v[i : stop[0]].min() >= 0.5 for i in soon)
    assert shape._falls_back(trace, fast, stop, lowest)[0] == falls
