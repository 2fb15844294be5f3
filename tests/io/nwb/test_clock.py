"""Time stamps: rates, gaps, jitter, rounding; and stimuli laid on the clock of a response."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.core import FileFormatError
from cleo_like.io.nwb.source.clock import clock_of_rate, clock_of_stamps, common_rates, lay

N, RATE = 4000, 20_000.0
EVEN = np.arange(N) / RATE


def spans(clock):
    return [(s.begin, s.end) for s in clock.stretches]


@pytest.mark.parametrize(
    ("stamps", "rate"),
    [
        (EVEN, RATE),
        (1234.5 + EVEN, RATE),
        (np.round(2 + EVEN, 6), RATE),
        (np.round(2 + EVEN, 4), RATE),  # two samples have the same stamp
        (np.round(2 + EVEN, 3), RATE),  # twenty have
        ((500 + EVEN).astype(np.float32), RATE),
        ((5000 + EVEN).astype(np.float32), RATE),
        (np.arange(N) * 3e-5, 1e5 / 3),
        (np.arange(N) * 3.2e-5 + 7, 31_250.0),
    ],
)
def test_even_stamps_tell_one_rate(stamps, rate):
    clock = clock_of_stamps(stamps)
    assert clock.rate == pytest.approx(rate, rel=1e-12)
    assert spans(clock) == [(0, N)]
    assert clock.start == stamps[0]


@pytest.mark.parametrize(("jitter", "even"), [(0.05, True), (0.2, True), (0.6, False)])
def test_jitter_is_no_gap(rng, jitter, even):
    stamps = 3 + (np.arange(N) + jitter * rng.standard_normal(N)) / RATE
    if even:
        clock = clock_of_stamps(stamps)
        assert (clock.rate, spans(clock)) == (RATE, [(0, N)])
        assert "known to" in clock.notes[0]
    else:
        with pytest.raises(FileFormatError, match=r"not evenly spaced"):
            clock_of_stamps(stamps)


@pytest.mark.parametrize("jitter", [0.0, 0.05])
@pytest.mark.parametrize(("gap", "broken"), [(1.0, True), (0.6, True), (0.4, False)])
def test_a_gap_from_both_sides_of_the_bound(rng, jitter, gap, broken):
    """One lost sample moves the stamps by one interval, for good."""
    stamps = (np.arange(N) + gap * (np.arange(N) >= 1500)) / RATE
    stamps += jitter * rng.uniform(-1, 1, N) / RATE
    assert (len(spans(clock_of_stamps(stamps))) == 2) is broken
    if broken:
        assert spans(clock_of_stamps(stamps)) == [(0, 1500), (1500, N)]


def test_stretches_have_their_own_starts():
    starts = (0.0, 2.0, 1.0, 100.25)  # the third went back
    clock = clock_of_stamps(np.concatenate([s + EVEN for s in starts]))
    assert [s.start for s in clock.stretches] == list(starts)
    assert spans(clock) == [(k * N, (k + 1) * N) for k in range(4)]
    part = clock.part(N + 100, 3 * N)
    assert [(s.begin, s.end) for s in part.stretches] == [(N + 100, 2 * N), (2 * N, 3 * N)]
    assert part.start == pytest.approx(2.0 + 100 / RATE)
    assert part.stop == pytest.approx(1.0 + N / RATE)


@pytest.mark.parametrize(
    "stamps",
    [
        np.sort(np.random.default_rng(1).random(N)),
        -EVEN,
        np.zeros(N),
        EVEN * (1 + 1e-2 * EVEN / EVEN[-1]),  # a clock that drifts by 20 samples
        np.concatenate([EVEN, 0.2 + 2 * EVEN]),  # two rates
        np.where(np.arange(N) == 77, np.nan, EVEN),
        np.full(N, np.nan),
        EVEN[:1],
        EVEN[:0],
    ],
)
def test_uneven_stamps_are_refused(stamps):
    with pytest.raises(FileFormatError, match=r"not evenly spaced|tell no rate"):
        clock_of_stamps(stamps)


def test_a_tail_without_stamps_is_no_part_of_the_clock():
    clock = clock_of_stamps(np.where(np.arange(N) < 3000, EVEN, np.nan))
    assert spans(clock) == [(0, 3000)]


@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan, np.inf])
def test_rates_that_are_none(rate):
    with pytest.raises(FileFormatError, match="expected a positive rate"):
        clock_of_rate(0.0, rate, 10)


def test_a_rate_from_stamps_is_that_of_another_clock_where_it_may_be():
    rng = np.random.default_rng(2)
    odd = 1e5 / 3
    jittered = clock_of_stamps((np.arange(N) + 0.1 * rng.standard_normal(N)) / odd)
    exact = clock_of_rate(0.0, odd, N)
    assert jittered.rate != odd
    assert common_rates([jittered, exact]) == [odd, odd]
    assert common_rates([jittered, clock_of_rate(0.0, 30_000.0, N)])[0] == jittered.rate


@settings(max_examples=60)
@given(
    ratio=st.sampled_from([0.5, 1.0, 2.0, 0.4, 2.5, 10.0]),
    late=st.floats(-0.02, 0.02),
    n=st.integers(1, 300),
    start=st.sampled_from([0.0, 3.0, 1e5]),
)
def test_every_time_has_the_sample_at_or_before_it(ratio, late, n, start):
    """Oracle: a search in the times of the stimulus, a twentieth of a sample aside."""
    rate, count = 10_000.0, 200
    values = np.arange(n, dtype=float)
    clock = clock_of_rate(start + late, rate * ratio, n)
    laid, reached = lay(values, clock, start=start, rate=rate, count=count)
    times = start + np.arange(count) / rate
    samples = clock.start + np.arange(n + 1) / clock.rate
    if ratio == 1.0:  # on one clock the nearest: half a sample of rounding
        times = times + 0.5 / rate
    places = [
        np.searchsorted(samples, times + s / clock.rate, "right") - 1 for s in (-1e-3, 0.1)
    ]
    wanted = np.where(np.isnan(laid), np.where(times < clock.start, -1, n), laid)
    assert np.all((places[0] <= wanted) & (wanted <= places[1]))
    assert np.array_equal(reached, ~np.isnan(laid))


def test_never_sample_0_where_the_stimulus_has_not_begun():
    laid, _ = lay(np.full(5, 7.0), clock_of_rate(1.0, 10.0, 5), start=0.0, rate=10.0, count=20)
    assert np.isnan(laid[:10]).all()
    assert np.all(laid[10:15] == 7)
    assert np.isnan(laid[15:]).all()
