"""Spikes of known shape through a known filter and known noise: value and error come out."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from cleo_like import Cell, Provenance, Recording, Sweep
from cleo_like.core.errors import InputError
from cleo_like.core.window import Window
from cleo_like.features.long_square.atlas_row import mean_error
from cleo_like.features.long_square.cell import analyse
from cleo_like.features.lowpass import Lowpass, stated
from cleo_like.features.parameters import DEFAULT, IPFX, ExtractionParameters
from cleo_like.features.spikes.resampling import refine
from cleo_like.features.spikes.resampling.windows import Grid
from cleo_like.features.spikes.table import spikes_of
from cleo_like.features.stack import SweepStack

STEP = Window(start=0.2, end=0.7)
FINE = 400e3
NONE = Lowpass(np.inf)
EXP_HALF = float(np.exp(-0.5))


def bell(x):
    return np.exp(-0.5 * x**2)


def gaussians(
    rate, *, width=2e-4, lowpass=NONE, noise=0.0, seed=0, sweeps=2, count=8, shape=bell
):
    """Spikes of 100 mV on -70 mV at irregular times, 50 ms apart."""
    rng = np.random.default_rng(seed)
    v, times = [], []
    for _ in range(sweeps):
        at = 0.24 + np.arange(count) * 0.055 + rng.uniform(0, 5e-3, count)
        t = np.arange(round(FINE)) / FINE
        trace = np.zeros(t.size)
        for s in at:
            near = slice(int((s - 0.01) * FINE), int((s + 0.01) * FINE))
            trace[near] += 100 * shape((t[near] - s) / width)
        f = np.fft.rfftfreq(t.size, 1 / FINE)
        seen = np.fft.irfft(np.fft.rfft(trace) * lowpass.response(f), t.size)
        hiss = rng.standard_normal(round(rate))
        if noise and not lowpass.is_none:  # noise passes the same filter
            g = np.fft.rfftfreq(hiss.size, 1 / rate)
            hiss = np.fft.irfft(np.fft.rfft(hiss) * np.abs(lowpass.response(g)), hiss.size)
            hiss /= hiss.std()
        v.append(seen[:: round(FINE / rate)] - 70 + noise * hiss)
        times.append(at)
    stack = SweepStack(
        voltage_mv=np.array(v), current_pa=np.zeros((sweeps, round(rate))), rate=rate,
        lowpass=lowpass,
    )  # fmt: skip
    return stack, np.concatenate(times)


def truth(times, width):
    """Where dV/dt is 5 % of its largest, on the way up: x exp(-x^2 / 2) = 0.05 exp(-1/2)."""
    x = np.linspace(1.5, 5, 100_001)
    x = x[np.abs(x * np.exp(-0.5 * x**2) - 0.05 * EXP_HALF).argmin()]
    steep = 100e-3 / width * EXP_HALF
    return {
        "upstroke": steep, "downstroke": -steep, "peak_v": 30.0, "peak_t": times,
        "threshold_v": -70 + 100 * np.exp(-0.5 * x**2), "threshold_t": times - x * width,
    }  # fmt: skip


@pytest.mark.parametrize(("rate", "width"), [(50e3, 2e-4), (20e3, 4e-4), (10e3, 8e-4)])
def test_without_noise_and_filter_the_values_are_those_between_the_samples(rate, width):
    stack, times = gaussians(rate, width=width)
    found = spikes_of(stack, STEP, DEFAULT)
    true = truth(times, width)
    assert found["upstroke"] == pytest.approx(true["upstroke"], rel=2e-3)
    assert found["downstroke"] == pytest.approx(true["downstroke"], rel=2e-3)
    assert found["peak_v"] == pytest.approx(30.0, abs=0.02)
    assert found["peak_t"] == pytest.approx(times, abs=1e-6)
    assert found["threshold_v"] == pytest.approx(true["threshold_v"], abs=0.1)
    assert found["threshold_t"] == pytest.approx(true["threshold_t"], abs=2e-6 + 0.01 * width)
    samples = spikes_of(stack, STEP, attrs.evolve(DEFAULT, filter=10.0))
    assert np.abs(samples["upstroke"] / true["upstroke"] - 1).max() > 4e-3
    np.testing.assert_array_equal(samples["peak_index"], found["peak_index"])
    np.testing.assert_array_equal(samples["threshold_index"], found["threshold_index"])


def test_a_declared_filter_is_undone_and_an_undeclared_one_is_not():
    stack, times = gaussians(50e3, lowpass=Lowpass(10e3))
    found = spikes_of(stack, STEP, DEFAULT)
    assert found["upstroke"] == pytest.approx(truth(times, 2e-4)["upstroke"], rel=5e-3)
    assert found["peak_t"] == pytest.approx(times, abs=1e-6)
    unknown = spikes_of(attrs.evolve(stack, lowpass=None), STEP, DEFAULT)
    assert (unknown["upstroke"] < found["upstroke"] * 0.998).all()
    late = unknown["peak_t"] - times
    assert late == pytest.approx(np.full(16, Lowpass(10e3).delay), abs=1e-6)
    told = spikes_of(
        attrs.evolve(stack, lowpass=None), STEP, ExtractionParameters(lowpass="10 kHz")
    )
    np.testing.assert_array_equal(told["upstroke"], found["upstroke"])
    kept = spikes_of(stack, STEP, ExtractionParameters(lowpass=0))
    np.testing.assert_array_equal(kept["upstroke"], unknown["upstroke"])


@pytest.mark.parametrize(
    ("rate", "corner", "noise", "width"),
    [(50e3, 10e3, 0.1, 8e-5), (50e3, 10e3, 0.3, 1e-4), (20e3, 5e3, 0.1, 1.5e-4),
     (50e3, 4e3, 0.3, 2e-4)],
)  # fmt: skip
def test_stated_errors_hold_under_noise(rate, corner, noise, width):
    """Of 96 spikes 85 % and more are within 1.96 errors, which are small enough to be of use.

    The spikes are 100 sech(t / width): their spectra fall exponentially, as those of cells do.
    """
    inside, size = {k: [] for k in USEFUL}, {k: [] for k in USEFUL}
    for seed in range(6):
        stack, times = gaussians(
            rate, width=width, lowpass=Lowpass(corner), noise=noise, seed=seed, shape=sech
        )
        found, true = spikes_of(stack, STEP, DEFAULT), truth_of_sech(times, width)
        assert len(found) == times.size
        for name in USEFUL:
            off, error = np.abs(found[name] - true[name]), found[f"{name}_error"]
            inside[name] += (off <= 1.96 * error)[np.isfinite(error)].tolist()
            size[name].append(np.median(error) / np.median(np.abs(true[name])))
    for name, most in USEFUL.items():
        assert len(inside[name]) >= 72, name
        assert np.mean(inside[name]) >= 0.85, name
        assert np.nanmean(size[name]) < most, name


USEFUL = {
    "upstroke": 0.05,
    "downstroke": 0.05,
    "peak_v": 0.02,
    "peak_t": 1e-4,
    "threshold_v": 0.03,
}
"""Largest share of the value that an error may be."""


def sech(x):
    return 1 / np.cosh(x)


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_the_error_of_a_mean_over_spikes_holds(noise):
    """Means of 8 spikes in 24 sweeps: noise averages out, what the cell's spikes share does not."""
    inside, gain = {k: [] for k in MEANS}, {k: [] for k in MEANS}
    for seed in range(12):
        stack, times = gaussians(
            50e3, lowpass=Lowpass(10e3), noise=noise, seed=seed, shape=sech
        )
        found, true = spikes_of(stack, STEP, DEFAULT), truth_of_sech(times, 2e-4)
        for k in (0, 1):
            one = found.of(k)
            for name in MEANS:
                error, shared = one[f"{name}_error"], one[f"{name}_shared_error"]
                assert (shared <= error * (1 + 1e-12)).all()
                whole = mean_error(error, shared)
                off = abs(one[name].mean() - np.mean(true[name]))
                inside[name].append(off <= 1.96 * whole)
                gain[name].append(whole / error.mean())
    for name in MEANS:
        assert np.mean(inside[name]) >= 0.85, name
        assert 8**-0.5 <= np.mean(gain[name]) < 1, name


MEANS = ("upstroke", "downstroke", "peak_v", "threshold_v")


def truth_of_sech(times, width):
    """The slope sech(x) tanh(x) / width is largest where tanh is 1 / sqrt(2)."""
    x = np.linspace(1.5, 8, 200_001)
    x = x[np.abs(np.tanh(x) / np.cosh(x) - 0.05 * 0.5).argmin()]
    return {
        "upstroke": 0.05 / width, "downstroke": -0.05 / width, "peak_v": 30.0, "peak_t": times,
        "threshold_v": -70 + 100 * sech(x),
    }  # fmt: skip


@pytest.mark.parametrize(("factor", "safe"), [(0.97, False), (1.05, True)])
def test_a_lower_bound_is_told_just_below_the_limit(factor, safe):
    """Bandwidth 8 kHz (0.4 of the rate): the width decides on which side of 0.9 a spike is."""
    width = SAFE_WIDTH * factor
    found = spikes_of(gaussians(20e3, width=width)[0], STEP, DEFAULT)
    true = truth(np.zeros(1), width)
    limit = found["time_bandwidth"] / refine.SAFE
    assert ((limit > 0.9) & (limit < 1)).all() != safe
    assert ((limit >= 1) & (limit < 1.1)).all() == safe
    assert (found["upstroke_bound"] == (not safe)).all()
    assert np.isfinite(found["upstroke_error"]).all() == safe
    assert (found["upstroke"] < true["upstroke"] * 1.03).all()
    if safe:
        assert found["upstroke"] == pytest.approx(true["upstroke"], rel=0.03)


SAFE_WIDTH = 0.9 / 8e3 * EXP_HALF / 0.974
"""s: the rise of a Gaussian from its threshold takes 0.974 exp(1/2) times its width."""


def test_the_note_says_what_was_done():
    fast, _ = gaussians(20e3, width=0.9 * SAFE_WIDTH)
    cell = analyse(fast, STEP, DEFAULT)
    (note,) = (n for n in cell.notes if "lower bound" in n)
    assert "the upstroke of 16 of 16 spikes is a lower bound" in note
    assert cell.values["spike_bandwidth"] == pytest.approx(8e3)
    slow, _ = gaussians(20e3, width=5e-4, lowpass=Lowpass(5e3))
    notes = analyse(slow, STEP, DEFAULT).notes
    assert "4-pole Bessel filter of 5 kHz undone in spikes" in notes
    assert not any("lower bound" in n for n in notes)
    notes = analyse(attrs.evolve(slow, lowpass=None), STEP, DEFAULT).notes
    assert any("filter is not stated" in n for n in notes)


@pytest.mark.parametrize("at", [0.02, 0.715, 0.9])
def test_undefined_samples_outside_the_step_do_no_harm(at):
    stack, _ = gaussians(20e3, width=4e-4, noise=0.05)
    v = stack.voltage_mv.copy()
    v[:, round(at * 20e3)] = np.nan
    found = spikes_of(attrs.evolve(stack, voltage_mv=v), STEP, DEFAULT)
    whole = spikes_of(stack, STEP, DEFAULT)
    assert found["peak_v"] == pytest.approx(whole["peak_v"], abs=0.1)
    assert np.isfinite(found["peak_v_error"]).sum() >= 14


@pytest.mark.parametrize("rate", [5e3, 200e3])
def test_other_rates(rate):
    stack, times = gaussians(rate, width=1.5e-3 if rate < 1e4 else 2e-4)
    found = spikes_of(stack, STEP, DEFAULT)
    assert found["peak_t"] == pytest.approx(times, abs=0.02 / rate + 1e-6)


def test_flat_tops_are_not_rounded():
    stack, _ = gaussians(20e3, width=4e-4, noise=0.02)
    cut = attrs.evolve(stack, voltage_mv=np.minimum(stack.voltage_mv, 5.0))
    found = spikes_of(cut, STEP, DEFAULT)
    assert (found["peak_v"] == 5.0).all()
    assert np.isnan(found["peak_v_error"]).all()
    assert "cut off flat" in found.resampling.reason


def test_samples_of_ipfx_are_not_touched():
    stack, _ = gaussians(50e3, lowpass=Lowpass(10e3), noise=0.1)
    found = spikes_of(stack, STEP, IPFX)
    assert found.resampling is None
    assert "upstroke_error" not in found.columns
    plain = spikes_of(attrs.evolve(stack, lowpass=None), STEP, IPFX)
    for name, column in plain.columns.items():
        np.testing.assert_array_equal(column, found[name], err_msg=name)
    assert (found["peak_t"] == found["peak_index"] / stack.rate).all()


@pytest.mark.parametrize(("share", "reset"), [(0.65, False), (0.75, True)])
def test_a_spike_that_is_reset_within_one_sample_stays_as_it_is(share, reset):
    """As those of integrate-and-fire models: what lies between two samples is not known."""
    rate = 20e3
    v = np.full((1, 20_000), -70.0)
    for k in range(4800, 13_000, 1000):
        v[0, k - 40 : k + 1] += np.linspace(0, 1, 41) ** 3 * 80
        v[0, k + 1 : k + 41] += (1 - share) * 80 * (1 - np.linspace(0, 1, 40))
    v += 0.01 * np.random.default_rng(0).standard_normal(v.shape)
    stack = SweepStack(voltage_mv=v, current_pa=np.zeros(v.shape), rate=rate)
    found = spikes_of(stack, STEP, DEFAULT)
    assert len(found) == 9
    assert np.isnan(found["peak_v_error"]).all() == reset
    if reset:
        assert (found["peak_t"] == found["peak_index"] / rate).all()
        assert "within one sample" in found.resampling.reason


@pytest.mark.parametrize(("stretches", "enough"), [(6, False), (7, True)])
def test_noise_needs_quiet_stretches(stretches, enough):
    """Those before the step, and one in it."""
    rate, n = 50e3, Grid.of(50e3).size
    stack, _ = gaussians(rate, sweeps=1, count=1, noise=0.1)
    first = round(0.2 * rate)
    kept = stack.voltage_mv[:, first - stretches * n :]
    step = Window(start=stretches * n / rate, end=stretches * n / rate + 0.05)
    short = kept[:, : stretches * n + round(0.06 * rate)]
    cut = SweepStack(voltage_mv=short, current_pa=np.zeros(short.shape), rate=rate)
    found = spikes_of(cut, step, DEFAULT)
    assert len(found) == 1
    assert np.isfinite(found["peak_v_error"]).all() == enough
    if not enough:
        assert "only 7 stretches" in found.resampling.reason
        assert any("without errors" in n for n in analyse(cut, step, DEFAULT).notes)


@pytest.mark.parametrize(
    ("text", "corner", "poles"),
    [("4-pole Bessel, 10000 Hz", 10e3, 4), ("10 kHz Bessel", 10e3, 4), ("2.9kHz", 2.9e3, 4),
     ("Bessel low-pass 5 kHz (8-pole)", 5e3, 8), ("low pass 10 kHz, 10 kHz", 10e3, 4),
     ("8th order Bessel 3 kHz", 3e3, 8), ("None", np.inf, 4)],
)  # fmt: skip
def test_what_files_state(text, corner, poles):
    assert stated(text) == Lowpass(corner, poles)


@pytest.mark.parametrize(
    "text",
    [None, "", "unknown", "Butterworth 10 kHz", "high-pass 1 Hz, low-pass 10 kHz",
     "2 kHz or 10 kHz", "0 kHz", "12-pole Bessel 1 kHz", "gain 10", "10 kHzzz"],
)  # fmt: skip
def test_what_is_not_understood_is_not_undone(text):
    assert stated(text) is None


def test_the_response_is_that_of_scipy():
    from scipy.signal import bessel, freqs

    f = np.geomspace(10, 30e3, 50)
    b, a = bessel(4, 2 * np.pi * 3e3, analog=True, norm="mag")
    _, expected = freqs(b, a, 2 * np.pi * f)
    np.testing.assert_allclose(Lowpass(3e3).response(f), expected, rtol=1e-9)
    assert (NONE.response(f) == 1).all()


def test_a_recording_hands_on_its_filter():
    sweep = Sweep(response=np.full(2000, -0.07), command=np.zeros(2000), rate=2e4)
    about = {"cell": Cell(id="c"), "provenance": Provenance(source="test")}
    made = Recording(sweeps=[sweep], device={"filtering": "Bessel, 5 kHz"}, **about)
    assert SweepStack.from_recording(made).lowpass == Lowpass(5e3)
    assert SweepStack.from_recording(Recording(sweeps=[sweep], **about)).lowpass is None


def test_limits_of_the_filter():
    with pytest.raises(InputError, match="lowpass must be 0 or above, got -1"):
        ExtractionParameters(lowpass=-1)
    assert ExtractionParameters(lowpass="5 kHz").lowpass == 5.0
    assert DEFAULT.filter == "wiener"
    assert IPFX.filter == attrs.evolve(DEFAULT, compat="ipfx").filter == 10.0


@pytest.mark.parametrize(("share", "counts"), [(0.45, False), (0.55, True)])
@pytest.mark.parametrize(("late", "near"), [(0.2e-3, True), (-3e-3, False)])
def test_what_the_end_of_the_step_breaks_off_is_no_spike(share, counts, late, near):
    """Half the prominence of the others, within 1 ms of the end."""
    stack, _ = gaussians(20e3, width=4e-4, sweeps=1)
    v = stack.voltage_mv.copy()
    t = np.arange(v.shape[1]) / 20e3
    v[0] += share * 100 * np.exp(-0.5 * ((t - 0.7 - late) / 4e-4) ** 2)
    found = spikes_of(attrs.evolve(stack, voltage_mv=v), STEP, DEFAULT)
    assert len(found) == 8 + (counts or not near)
