"""The functions of the notebook: signatures and return conventions, its defects gone."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from cleo_like.core import InputError
from cleo_like.matching import get_stim_characteristics, match_long_square_protocol

RATE = 20_000
T = np.arange(40_000) / RATE


def pulse(start, stop, level):
    samples = np.zeros(T.size)
    samples[round(start * RATE) : round(stop * RATE)] = level
    return samples


def test_signatures():
    assert list(inspect.signature(match_long_square_protocol).parameters) == [
        "i", "t", "start_idx", "end_idx",
    ]  # fmt: skip
    parameters = inspect.signature(get_stim_characteristics).parameters
    assert list(parameters) == [
        "i", "t", "test_pulse", "start_epoch", "end_epoch", "test_pulse_length",
    ]  # fmt: skip
    assert parameters["test_pulse_length"].default == 0.250


def test_the_words_of_the_answer():
    assert match_long_square_protocol(pulse(0.5, 1.5, 50), T, 10_000, 30_000) == "Long Square"
    assert match_long_square_protocol(np.zeros(T.size), T, 0, 1) is None
    assert match_long_square_protocol(50 * T, T, 0, T.size) is None


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e-12])
def test_units_play_no_part(unit, rng):
    noisy = pulse(0.5, 1.5, 50) + rng.normal(0, 1, T.size) - 20
    assert match_long_square_protocol(noisy * unit, T) == "Long Square"
    assert match_long_square_protocol(rng.normal(0, unit, T.size), T) is None


@pytest.mark.parametrize(("start", "stop"), [(0.5, 1.5), (0.01, 0.9), (0.3, 0.303)])
def test_one_pulse(start, stop):
    found = get_stim_characteristics(pulse(start, stop, -30), T)
    first, last = round(start * RATE), round(stop * RATE) - 1
    assert found == (T[first], pytest.approx(stop - start), -30.0, first, last)


def test_nothing():
    assert get_stim_characteristics(np.zeros(T.size), T) == (None, None, 0.0, None, None)


@pytest.mark.parametrize("at", [(0.05, 0.15), (0.2, 0.3), (0.03, 0.04), (1.6, 1.85)])
def test_a_test_pulse_is_left_out(at):
    found = get_stim_characteristics(pulse(*at, -20) + pulse(0.5, 1.5, 50), T)
    assert found == (0.5, 1.0, 50.0, 10_000, 29_999)


def test_without_test_pulse_every_pulse_counts():
    i = pulse(0.05, 0.15, -20) + pulse(0.5, 1.5, 50)
    start, duration, amplitude, *_ = get_stim_characteristics(i, T, False)
    assert (start, duration, amplitude) == (0.05, pytest.approx(1.45), 50.0)


def test_only_some_samples():
    i = pulse(0.1, 0.4, -20) + pulse(0.5, 1.5, 50)
    found = get_stim_characteristics(i, T, start_epoch=0, end_epoch=9000)
    assert found == (0.1, pytest.approx(0.3), -20.0, 2000, 7999)


def test_a_ramp_has_start_length_and_top():
    i = np.where((T >= 0.5) & (T < 1.5), (T - 0.5) * 100, 0.0)
    start, duration, amplitude, *_ = get_stim_characteristics(i, T)
    assert start == pytest.approx(0.5, abs=5e-3)
    assert duration == pytest.approx(1.0, abs=5e-3)
    assert amplitude == pytest.approx(100, rel=0.01)


def test_a_train_is_taken_from_first_to_last_pulse():
    i = sum(pulse(s, s + 0.05, 50) for s in (0.5, 0.8, 1.1))
    start, duration, *_ = get_stim_characteristics(i, T)
    assert (start, duration) == (0.5, pytest.approx(0.65))


def test_wrong_arrays():
    with pytest.raises(InputError, match="rising times"):
        get_stim_characteristics(np.zeros(3), np.zeros(3))
    with pytest.raises(InputError, match="one sweep"):
        match_long_square_protocol(np.zeros((2, 3)), T)


def test_a_ramp_from_a_holding_current_is_told_from_it():
    i = np.where((T >= 0.5) & (T < 1.5), (T - 0.5) * 100, 0.0) - 20
    assert get_stim_characteristics(i, T)[2] == pytest.approx(100, rel=0.01)
