"""Shapes against their formulas, scipy, and each other."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import Hz, ms, pA, second
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import chirp as scipy_chirp

from cleo_like.core.errors import InputError, UnitError
from cleo_like.stimuli import sum_of
from cleo_like.stimuli.waveforms import shapes


def test_square_and_ramp_are_exact():
    square = shapes.square(100 * pA, 3 * ms).samples("1 kHz")
    assert square * 1e12 == pytest.approx([100] * 3, rel=1e-15)
    ramp = shapes.ramp("-10 pA", "30 pA", "1 s").samples("1 kHz")
    assert ramp == pytest.approx(-1e-11 + 4e-11 * np.arange(1000) / 1000, abs=1e-25)


@pytest.mark.parametrize(("sweep", "method"), [("linear", "linear"), ("exponential", "log")])
@pytest.mark.parametrize(("f0", "f1"), [(1.0, 40.0), (40.0, 1.0), (5.0, 5.0)])
def test_chirp_is_that_of_scipy_a_quarter_cycle_on(sweep, method, f0, f1):
    current = shapes.chirp(1e12 * pA, f0 * Hz, f1 * Hz, 4 * second, sweep=sweep).samples(
        "5 kHz"
    )
    t = np.arange(20_000) / 5000
    expected = scipy_chirp(t, f0, 4.0, f1, method=method, phi=-90)
    assert np.abs(current - expected).max() < 1e-9


@pytest.mark.parametrize("sweep", ["linear", "exponential"])
def test_frequency_of_a_chirp_by_its_zero_crossings(sweep):
    # between neighbouring upward crossings the phase grows by 2 pi exactly, so the mean
    # frequency there is that of the law of the sweep, averaged over the cycle
    f0, f1, length, rate = 2.0, 30.0, 10.0, 100_000
    current = shapes.chirp("1 A", "2 Hz", "30 Hz", "10 s", sweep=sweep).samples("100 kHz")
    up = np.flatnonzero((current[:-1] < 0) & (current[1:] >= 0))
    at = (up - current[up] / (current[up + 1] - current[up])) / rate

    def cycles(t):
        if sweep == "linear":
            return f0 * t + (f1 - f0) * t**2 / (2 * length)
        return f0 * length / np.log(f1 / f0) * ((f1 / f0) ** (t / length) - 1)

    assert np.diff(cycles(at)) == pytest.approx(np.ones(at.size - 1), abs=1e-5)


def test_linear_chirp_may_start_at_zero_but_an_exponential_one_may_not():
    assert shapes.chirp("1 pA", "0 Hz", "10 Hz", "1 s").samples("1 kHz")[0] == 0
    with pytest.raises(InputError, match="frequencies above 0 Hz"):
        shapes.chirp("1 pA", "0 Hz", "10 Hz", "1 s", sweep="exponential")


def test_sine_has_phase_and_offset():
    current = shapes.sine("2 pA", "50 Hz", "1 s", phase=np.pi / 2, offset="5 pA").samples(
        "1 kHz"
    )
    t = np.arange(1000) / 1000
    assert current == pytest.approx(5e-12 + 2e-12 * np.cos(2 * np.pi * 50 * t), abs=1e-24)


def test_what_the_rate_cannot_carry_is_refused():
    with pytest.raises(InputError, match=r"600 Hz cannot be drawn at 1000 Hz"):
        shapes.sine("1 pA", "600 Hz", "1 s").samples("1 kHz")


def test_pulses_sit_on_the_nearest_samples_and_keep_their_frequency():
    # 30 Hz at 20 kHz is a period of 666.67 samples: no drift over 300 pulses
    train = shapes.pulse_train("1 pA", "1 ms", "30 Hz", "10 s").samples("20 kHz")
    onsets = np.flatnonzero(np.diff(train, prepend=0) > 0)
    assert onsets.size == 300
    assert np.abs(onsets - np.arange(300) * 20_000 / 30).max() <= 0.5
    assert train.sum() * 1e12 == pytest.approx(300 * 20)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("1 pA", "5 ms", "300 Hz", "1 s"), "run into each other"),
        (("1 pA", "5 ms", "0 Hz", "1 s"), "must be above 0"),
        (("1 pA", "5 ms", "10 Hz", "4 ms"), "do not fit into 4 ms, which holds 0"),
    ],
)
def test_impossible_trains_are_refused(arguments, match):
    with pytest.raises(InputError, match=match):
        shapes.pulse_train(*arguments)


def test_a_train_holds_as_many_pulses_as_asked_and_fit():
    assert shapes.pulse_train("1 pA", "1 ms", "10 Hz", "1 s", count=3).parameters["count"] == 3
    assert shapes.pulse_train("1 pA", "1 ms", "10 Hz", "901 ms").parameters["count"] == 10
    with pytest.raises(InputError, match=r"11 pulses .* which holds 10"):
        shapes.pulse_train("1 pA", "1 ms", "10 Hz", "1 s", count=11)


@given(
    levels=st.lists(st.floats(-1e-9, 1e-9), min_size=1, max_size=4),
    lengths=st.lists(st.integers(1, 50), min_size=4, max_size=4),
)
def test_a_sum_is_the_sum_of_its_parts_padded_with_zero(levels, lengths):
    parts = [
        shapes.square(f"{a!r} A", f"{n} ms") for a, n in zip(levels, lengths, strict=False)
    ]
    expected = np.zeros(max(lengths[: len(levels)]))
    for level, length in zip(levels, lengths, strict=False):
        expected[:length] += level
    assert sum_of(*parts).samples("1 kHz") == pytest.approx(expected, abs=1e-24)


def test_scale_sign_delay_and_plus():
    one = shapes.square("10 pA", "2 ms")
    both = (2 * one + (-one).delayed("1 ms")).samples("1 kHz")
    assert both * 1e12 == pytest.approx([20, 10, -10])


def test_a_sum_of_nothing_is_an_error():
    with pytest.raises(InputError, match="at least one shape"):
        sum_of()


def test_a_bare_number_says_what_to_write():
    with pytest.raises(UnitError, match=r"amplitude=100 has no unit; did you mean 100\*pA"):
        shapes.square(100, "1 ms")
    with pytest.raises(UnitError, match="duration must be in ms"):
        shapes.square("100 pA", 3 * pA)
