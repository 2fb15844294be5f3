"""Filter, inverse and converter against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.signal import lfilter

from cleo_like import stimuli
from cleo_like.core.errors import InputError, UnitError
from cleo_like.stimuli import design


@pytest.mark.parametrize("cutoff", [10.0, 30.0, 100.0])
def test_the_low_pass_is_at_half_power_at_its_frequency_and_does_not_shift(cutoff):
    rate = 10_000
    t = np.arange(-20_000, 20_000) / rate
    for frequency, gain in ((cutoff, 2**-0.5), (cutoff / 2, 2**-0.125), (2 * cutoff, 2**-2)):
        wave = np.cos(2 * np.pi * frequency * t)[np.newaxis]
        middle = design.low_pass(wave, cutoff, rate)[0, 10_000:30_000]
        assert_allclose(middle, gain * wave[0, 10_000:30_000], rtol=0, atol=1e-4)


@settings(max_examples=30)
@given(seed=st.integers(0, 999), cutoff=st.floats(20, 500))
def test_the_low_pass_keeps_range_and_sum(seed, cutoff):
    rows = np.zeros((2, 3000))
    rows[:, 1000:2000] = np.repeat(
        np.random.default_rng(seed).uniform(-1, 1, (2, 50)), 20, axis=1
    )
    smooth = design.low_pass(rows, cutoff, 10_000)
    assert smooth.min() >= rows.min() - 1e-12
    assert smooth.max() <= rows.max() + 1e-12
    assert smooth.sum(axis=1) == pytest.approx(rows.sum(axis=1), abs=1e-9)


def rc_answer(current: np.ndarray, tau: float, rate: float) -> np.ndarray:
    """V / R of an RC membrane whose current is held from sample to sample."""
    slow = np.exp(-1 / (rate * tau))
    drive = np.zeros_like(current)
    drive[:, 1:] = (1 - slow) * current[:, :-1]
    return lfilter([1], [1, -slow], drive, axis=1)


@settings(max_examples=40)
@given(tau=st.floats(1e-3, 0.1), rate=st.floats(1e3, 1e5), seed=st.integers(0, 99))
def test_pre_emphasis_makes_an_rc_membrane_follow_exactly(tau, rate, seed):
    target = np.cumsum(np.random.default_rng(seed).standard_normal((3, 400)), axis=1)
    target[:, 0] = 0.0  # the membrane starts at rest
    current = design.pre_emphasis(target, tau, rate)
    assert_allclose(rc_answer(current, tau, rate), target, rtol=0, atol=1e-7)


def test_pre_emphasis_is_target_plus_tau_times_its_slope():
    # the grid's exact inverse goes over into V + tau dV/dt as the step goes to 0
    t = np.arange(100_000) / 1e6
    target = np.sin(2 * np.pi * 20 * t)[np.newaxis]
    expected = target + 0.02 * 2 * np.pi * 20 * np.cos(2 * np.pi * 20 * t)
    found = design.pre_emphasis(target, 0.02, 1e6)
    assert_allclose(found[0, :-1], expected[0, :-1], rtol=0, atol=2e-4)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 9999),
    tau=st.floats(2e-3, 0.1),
    excess=st.floats(1.05, 20),
    middle=st.floats(-50, 50),
    columns=st.integers(1, 60),
)
def test_no_picture_exceeds_the_peak_that_the_low_pass_was_made_for(
    seed, tau, excess, middle, columns
):
    low, high = min(middle - 10, 0.0), max(middle + 10, 0.0)
    peak = excess * max(abs(low), abs(high))
    rate = 20_000
    cutoff = design.cutoff_for_peak(peak, tau, low, high)
    assert design.worst_peak(cutoff, tau, low, high) == pytest.approx(peak, rel=1e-6)
    if not 3 < design.gaussian_sd(cutoff) * rate < 4000:
        return  # the bound is for a kernel that the grid resolves, and the test for short ones
    values = np.random.default_rng(seed).choice([low, high], (4, columns))
    half = design.reach(cutoff, rate) + 10
    rows = np.pad(np.repeat(values, 40, axis=1), ((0, 0), (half, half)))
    current = design.pre_emphasis(design.low_pass(rows, cutoff, rate), tau, rate)
    assert np.abs(current).max() <= peak * (1 + 1e-3)  # the sum over the grid for the integral


def test_the_bound_is_reached_by_the_worst_picture():
    tau, cutoff, rate = 0.02, 30.0, 20_000
    half = design.reach(cutoff, rate)
    time = np.arange(-half, half + 1) / rate
    sd = design.gaussian_sd(cutoff)
    kernel = np.exp(-0.5 * (time / sd) ** 2) * (1 - tau * time / sd**2)
    worst = np.where(kernel[::-1] > 0, 1.0, -1.0)[np.newaxis]
    rows = np.pad(worst, ((0, 0), (half, half)), mode="edge")
    current = design.pre_emphasis(design.low_pass(rows, cutoff, rate), tau, rate)
    assert np.abs(current).max() == pytest.approx(
        design.worst_peak(cutoff, tau, -1.0, 1.0), rel=0.01
    )


def test_a_peak_without_room_is_refused():
    with pytest.raises(InputError, match=r"peak=10 pA leaves no room .* more than 10 pA"):
        design.cutoff_for_peak(10e-12, 0.02, -10e-12, 5e-12)


def test_the_default_is_thirty_hertz_for_twenty_milliseconds():
    assert pytest.approx(30.0) == design.DEFAULT_CUTOFF_TAU / 0.02


@settings(max_examples=50)
@given(seed=st.integers(0, 999), bits=st.integers(8, 18))
def test_quantising_errs_by_half_a_code_and_is_idempotent(seed, bits):
    dac = design.Dac("2 nA", bits=bits)
    current = np.random.default_rng(seed).uniform(-1.9e-9, 1.9e-9, (2, 100))
    once = dac.quantise(current)
    assert np.abs(once - current).max() <= dac.lsb / 2 * (1 + 1e-9)
    assert np.array_equal(dac.quantise(once), once)


def test_the_range_of_the_converter_is_not_symmetric():
    dac = design.Dac("4096 pA")
    assert dac.quantise(np.array([-4096e-12]))[0] * 1e12 == pytest.approx(-4096)
    with pytest.raises(
        InputError, match=r"reaches 4096\.\.4096 pA but the DAC plays -4096\.\.4095\.88"
    ):
        dac.quantise(np.array([4096e-12]))


def test_a_converter_needs_a_unit_and_bits():
    with pytest.raises(UnitError, match="full_scale=4096 has no unit"):
        design.Dac(4096)
    with pytest.raises(InputError, match="full_scale must be above 0"):
        design.Dac("0 pA")
    with pytest.raises(ValueError, match="bits"):
        design.Dac(bits=1)


def test_summary_by_hand():
    protocol = stimuli.long_square(
        ["-50 pA", "100 pA"], duration="20 ms", before="10 ms", after="30 ms", rate="1 kHz",
        holding="10 pA", gap="1 s",
    )  # fmt: skip
    found = stimuli.protocol_summary(protocol, stimuli.Dac())
    assert (found["n_sweeps"], found["n_samples"]) == (2, 60)
    assert found["total_duration"] == pytest.approx(1.12)
    in_pa = {
        k: found[k] * 1e12 for k in ("minimum", "maximum", "mean", "peak", "slew", "charge")
    }
    assert in_pa == pytest.approx(
        {
            "minimum": -40,
            "maximum": 110,
            "mean": 10 + 50 / 6,
            "peak": 100,
            "slew": 1e5,
            "charge": 2,
        }
    )
    assert found["net_charge"] * 1e12 == pytest.approx(1.0)
    assert (found["rest_before"], found["rest_after"], found["rest_needed"]) == (10, 30, 1)
    assert found["lsb"] * 1e12 == pytest.approx(0.125)
    assert found["codes_used"] == 3
    assert not found["clipped"]
    assert found["range_used"] == pytest.approx(110 / 4096)
    loud = stimuli.long_square(["5 nA"], rate="1 kHz")
    assert stimuli.protocol_summary(loud, stimuli.Dac())["clipped"]


def test_summary_of_silence():
    quiet = stimuli.long_square(["0 pA"], rate="1 kHz")
    found = stimuli.protocol_summary(quiet)
    assert found["peak"] == found["slew"] == found["charge"] == 0
    assert found["rest_before"] == found["rest_after"] == quiet.n_samples
