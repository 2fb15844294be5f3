"""Durations on a sample grid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cleo_like as cl
from cleo_like.core.errors import InputError, UnitError
from cleo_like.stimuli.waveforms.grid import sample_rate, whole_samples


@given(count=st.integers(1, 10_000_000), kilohertz=st.integers(1, 200))
def test_every_duration_that_is_a_whole_number_of_samples_is_found(count, kilohertz):
    # int(T * fs) is one short for thousands of these
    rate = kilohertz * 1e3
    assert whole_samples(count / rate, rate) == count


@pytest.mark.parametrize("rate", [49_999.99999999999, 50_000.00000000001])
def test_a_rate_with_rounding_error_is_taken_as_it_is_meant(rate):
    assert whole_samples(1.0, rate) == 50_000


def test_a_duration_between_samples_names_both_neighbours():
    with pytest.raises(InputError, match=r"use 33\.3 ms \(333 samples\) or 33\.4 ms \(334"):
        whole_samples(1 / 30, 10_000)


def test_below_one_sample_only_the_upper_neighbour_is_offered():
    with pytest.raises(InputError, match=r"use 1 ms \(1 sample\)$"):
        whole_samples(0.0004, 1000)


@pytest.mark.parametrize("duration", [0.0, -0.1])
def test_no_samples_is_an_error(duration):
    with pytest.raises(InputError, match="at least 1 sample"):
        whole_samples(duration, 1000)


def test_zero_is_a_duration_where_it_is_allowed():
    assert whole_samples(0.0, 1000, least=0) == 0


def test_rate_needs_a_unit_and_a_positive_value():
    with pytest.raises(UnitError, match="did you mean 10000\\*Hz"):
        sample_rate(10_000)
    with pytest.raises(InputError, match="rate must be above 0 Hz"):
        sample_rate("0 Hz")


def test_no_sweep_is_longer_than_a_thousand_million_samples():
    assert whole_samples(1e5, 1e4) == 10**9
    with pytest.raises(InputError, match=r"1e\+09 samples at 10 kHz, .* is its unit right"):
        whole_samples(1e5 + 1e-4, 1e4)
    with pytest.raises(InputError, match="duration of 1e\\+09 s is 2e\\+13 samples"):
        cl.long_square(["10 pA"], duration="1e9 s", rate="20 kHz")
