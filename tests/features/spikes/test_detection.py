"""Spikes against the noise of their sweep: none on plateaus, none lost, artefacts set aside.

Oracles: passive cells have no spike; spikes put in by hand, or simulated, are known.
"""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from scipy.signal import bessel, lfilter, sosfilt

from cleo_like.cells import get_cell
from cleo_like.core.errors import InputError
from cleo_like.core.window import Window
from cleo_like.features.long_square import analyse
from cleo_like.features.lowpass import Lowpass
from cleo_like.features.parameters import DEFAULT, IPFX
from cleo_like.features.spikes import runs, search
from cleo_like.features.spikes.parabola import kernel, spread
from cleo_like.features.spikes.table import spikes_of
from cleo_like.features.stack import SweepStack

STEP = Window(start=0.2, end=0.7)


def noise(kind: str, shape: tuple[int, int], rate: float, cutoff: float | None, rng):
    """Noise of SD 1: white, of one time constant (s), or with 1/f of power."""
    n, extra = shape[1], 2000
    x = rng.standard_normal((shape[0], n + extra))
    if kind == "1/f":
        spectrum = np.fft.rfft(x)
        spectrum[:, 1:] /= np.sqrt(np.arange(1, spectrum.shape[1]))
        spectrum[:, 0] = 0
        x = np.fft.irfft(spectrum, n + extra)
    elif kind != "white":
        keep = np.exp(-1 / rate / float(kind))
        x = lfilter([1 - keep], [1, -keep], x)
    if cutoff is not None:
        x = sosfilt(bessel(4, cutoff, fs=rate, output="sos", norm="mag"), x)
    x = x[:, extra:]
    return x / x.std(axis=1, keepdims=True)


def plateau(level: float, rate: float, length: float = 1.0, sweeps: int = 2) -> SweepStack:
    """A passive cell of 20 ms, lifted from -70 mV."""
    t = np.arange(round((length + 0.4) * rate)) / rate
    on = (t >= 0.2) & (t < 0.2 + length)
    keep = np.exp(-1 / rate / 0.02)
    v = -70 + (level + 70) * lfilter([1 - keep], [1, -keep], on.astype(float))
    current = np.tile(300.0 * on, (sweeps, 1))
    return SweepStack(voltage_mv=np.tile(v, (sweeps, 1)), current_pa=current, rate=rate)


def with_noise(stack: SweepStack, sd, kind: str, cutoff, rng) -> SweepStack:
    """`sd` is one number (mV), or one per sample."""
    shape = stack.voltage_mv.shape
    extra = sd * noise(kind, shape, stack.rate, cutoff, rng)
    return attrs.evolve(stack, voltage_mv=stack.voltage_mv + extra)


@pytest.mark.parametrize(("rate", "cutoff"), [
    (50e3, None), (50e3, 10e3), (50e3, 2e3), (20e3, None), (20e3, 5e3), (10e3, None),
    (10e3, 2e3), (5e3, None),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["white", "0.001", "0.003", "1/f"])
def test_noise_on_a_plateau_is_no_spike(rng, rate, cutoff, kind):
    """Noise of the whole sweep, or of the plateau alone; ipfx finds up to 4,000 per second."""
    for level in (-40.0, -20.0):
        stack = plateau(level, rate)
        on = stack.current_pa[0] > 0
        for sd in (0.0, 0.3, 1.0, 2.0):
            for size in (sd, 0.05 + sd * on):
                found = spikes_of(with_noise(stack, size, kind, cutoff, rng), WIDE, DEFAULT)
                assert len(found) == 0, (level, sd)


WIDE = Window(start=0.2, end=1.2)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [50e3, 20e3, 10e3])
def test_no_spike_in_twenty_minutes_of_noise(rng, rate):
    for kind in ("white", "0.0005", "0.002", "0.01", "1/f"):
        for sd in (0.5, 1.0, 2.0):
            for cutoff in (None, rate / 5):
                stack = with_noise(plateau(-25.0, rate, 20.0, 4), sd, kind, cutoff, rng)
                assert len(spikes_of(stack, Window(start=0.2, end=20.2), DEFAULT)) == 0


def test_a_passive_cell_in_noise_has_no_rheobase(rng):
    """300 pA lift it to -25 mV under 1 mV of noise: ipfx finds 1,800 spikes."""
    stack = with_noise(plateau(-25.0, 50e3), 1.0, "white", 10e3, rng)
    cell = analyse(stack, WIDE, DEFAULT)
    assert len(cell.spikes) == 0
    assert np.isnan(cell.values["rheobase_i"])
    assert cell.reasons["rheobase_i"] == "no sweep with a depolarising step fired"
    assert cell.reasons["rheobase_estimate"] == "no sweep with a depolarising step fired"
    assert np.isnan(cell.values["depolarization_block_i"])
    assert len(analyse(stack, WIDE, IPFX).spikes) > 500


@pytest.mark.parametrize("name", [
    "rs", "broad_rs", "narrow_fs", "long_latency", "stuttering", "sag", "lts", "wang_buzsaki",
])  # fmt: skip
def test_every_simulated_spike_is_found_and_no_other(name, rng):
    """The simulator knows the spikes; noise up to 1 mV, filters and rates as on rigs."""
    from brian2 import pA

    import cleo_like as cl

    protocol = cl.long_square(
        np.array([50.0, 150.0, 300.0, 500.0]) * pA, duration="0.6 s", before="0.2 s",
        after="0.1 s", rate="50 kHz",
    )  # fmt: skip
    recording = cl.record(get_cell(name), protocol, seed=1)[0]
    v = np.array([s.response for s in recording.sweeps], dtype=float) * 1e3
    i = np.array([s.command for s in recording.sweeps]) * 1e12
    times = [np.asarray(t) for t in recording.truth.spike_times]
    step = Window(start=0.2, end=0.8)
    for every, cutoff, sd in ((1, 10e3, 0.1), (1, 10e3, 1.0), (5, 3e3, 0.3)):
        sos = bessel(4, cutoff, fs=50e3, output="sos", norm="mag")
        smooth = (sosfilt(sos, v - v[:, :1]) + v[:, :1])[:, ::every]
        rate = 50e3 / every
        stack = SweepStack(voltage_mv=smooth, current_pa=i[:, ::every], rate=rate)
        found = spikes_of(with_noise(stack, sd, "white", cutoff, rng), step, DEFAULT)
        for row, true in enumerate(times):
            peaks = found.of(row)["peak_t"]
            sure = true[(true >= 0.2) & (true < 0.799)]  # at the very end the threshold tells
            assert all(np.abs(peaks - t).min(initial=9) < 1.5e-3 for t in sure), (row, sd)
            false = [t for t in peaks if np.abs(true - t).min(initial=9) > 1.5e-3]
            assert not false, (row, sd, false)


def bumps(times, height, width, *, rate=50e3, level=-40.0, length=1.0) -> SweepStack:
    """Gaussian spikes of one SD (s) on a passive plateau from 0.2 s to 0.7 s."""
    t = np.arange(round(length * rate)) / rate
    on = (t >= 0.2 - 1e-9) & (t < 0.7 - 1e-9)
    keep = np.exp(-1 / rate / 0.01)
    v = -70 + (level + 70) * lfilter([1 - keep], [1, -keep], on.astype(float))
    v = v + sum(height * np.exp(-0.5 * ((t - s) / width) ** 2) for s in times)
    return SweepStack(voltage_mv=v[None], current_pa=(300.0 * on)[None], rate=rate)


STEADY = [0.3, 0.4, 0.5, 0.6]


def count(stack: SweepStack, limits=DEFAULT) -> int:
    return len(spikes_of(stack, STEP, limits))


def test_the_least_height():
    """4 mV on both sides; 3.8 mV are not enough, however steep."""
    assert count(bumps(STEADY, 4.2, 0.3e-3)) == 4
    assert count(bumps(STEADY, 3.8, 0.3e-3)) == 0
    lower = attrs.evolve(DEFAULT, min_height=3.0)
    assert count(bumps(STEADY, 3.8, 0.3e-3), lower) == 4
    assert count(bumps(STEADY, 2.7, 0.3e-3), lower) == 0


def test_the_least_slope():
    """5 V/s, whatever is wished instead, or 2.5 V/s where 10 mV are reached within 5 ms.

    A Gaussian rises by height / SD / sqrt(e) at most; the slow ones are triangles.
    """
    steepest = np.exp(-0.5) * 1e-3
    assert count(bumps(STEADY, 8.0, 8.0 * steepest / 5.6)) == 4
    assert count(bumps(STEADY, 8.0, 8.0 * steepest / 4.6)) == 0
    assert count(bumps(STEADY, 9.5, 9.5 * steepest / 4)) == 0  # 4 V/s, not tall enough
    assert count(bumps(STEADY, 10.8, 10.8 * steepest / 4)) == 4
    strict = attrs.evolve(DEFAULT, dv_cutoff=12.0)
    assert count(bumps(STEADY, 20.0, 20 * steepest / 13.5), strict) == 4
    assert count(bumps(STEADY, 20.0, 20 * steepest / 10.5), strict) == 0
    flat = bumps([], 0, 1)
    away = np.abs(np.arange(flat.n_samples) / flat.rate - 0.5)
    for slope, expected in ((2.8, 1), (2.2, 0)):
        triangle = 1e3 * slope * np.maximum(0.006 - away, 0)
        assert count(attrs.evolve(flat, voltage_mv=flat.voltage_mv + triangle)) == expected


def test_the_least_potential_is_asked_only_where_it_is_set():
    assert count(bumps(STEADY, 15.0, 0.4e-3, level=-60.0)) == 4
    assert count(bumps(STEADY, 15.0, 0.4e-3), attrs.evolve(DEFAULT, min_peak=-26.0)) == 4
    assert count(bumps(STEADY, 15.0, 0.4e-3), attrs.evolve(DEFAULT, min_peak=-24.0)) == 0
    assert attrs.evolve(DEFAULT, compat="ipfx") == IPFX
    assert (IPFX.dv_cutoff, IPFX.min_height, IPFX.min_peak) == (20.0, 2.0, -30.0)


def test_a_spike_that_does_not_fall_is_none():
    """Synaptic potentials rise in 1 ms and decay with 15 ms."""
    stack = bumps([], 0, 1)
    t = np.arange(stack.n_samples) / stack.rate
    late = np.maximum(t - 0.4, 0)
    for size, expected in ((12.0, 0), (60.0, 1)):  # 60 mV fall by 4 V/s: a spike it may be
        psp = size * (np.exp(-late / 0.015) - np.exp(-late / 0.001)) * (t >= 0.4)
        assert count(attrs.evolve(stack, voltage_mv=stack.voltage_mv + psp)) == expected


@pytest.mark.parametrize("rate", [10e3, 20e3, 50e3])
def test_doublets_and_fast_small_spikes(rng, rate):
    """Two spikes 2 ms apart; 200 Hz of 20 mV; both in 0.2 mV of noise."""
    pairs = bumps([0.3, 0.302, 0.5, 0.502], 60.0, 0.25e-3, rate=rate)
    assert count(with_noise(pairs, 0.2, "white", None, rng)) == 4
    train = np.arange(0.21, 0.69, 0.005)
    stack = with_noise(bumps(train, 20.0, 0.3e-3, rate=rate), 0.2, "white", None, rng)
    assert count(stack) == train.size


def test_spikes_of_3_khz_at_5_khz(rng):
    stack = bumps(STEADY, 70.0, 0.3e-3, rate=50e3)
    sos = bessel(4, 3e3, fs=50e3, output="sos", norm="mag")
    slow = (sosfilt(sos, stack.voltage_mv + 70) - 70)[:, ::10]
    stack = SweepStack(voltage_mv=slow, current_pa=stack.current_pa[:, ::10], rate=5e3)
    assert count(with_noise(stack, 0.3, "white", None, rng)) == 4


def test_it_belongs_to_the_step_by_its_threshold():
    """A spike that peaks 0.5 ms after the end of the step counts, one that begins there not."""
    late = spikes_of(bumps([0.4, 0.7005], 80.0, 0.4e-3), STEP, DEFAULT)
    assert len(late) == 2
    assert late["peak_t"][1] > 0.7 > late["threshold_t"][1]
    assert late["clipped"].tolist() == [False, True]
    assert np.isnan(late["trough_v"][1])
    assert count(bumps([0.4, 0.703], 80.0, 0.4e-3)) == 1
    early = bumps([0.1995], 80.0, 0.4e-3)  # begins before the step, peaks before it
    assert count(early) == 0


def test_edges_of_the_sweep():
    """A step that begins with the sweep, one that ends with it: no spike of theirs is lost."""
    stack = bumps([0.004, 0.5, 0.996], 80.0, 0.3e-3, level=-70.0)
    stack = attrs.evolve(stack, current_pa=np.zeros((1, stack.n_samples)))
    found = spikes_of(stack, Window(start=0.0, end=1.0), DEFAULT)
    np.testing.assert_allclose(found["peak_t"], [0.004, 0.5, 0.996], atol=1e-4)


@pytest.mark.parametrize("rate", [10e3, 20e3, 50e3])
def test_artefacts_of_the_edges_are_no_spikes(rate):
    """40 mV that decay with 0.1 ms at both edges of the step, and a jump that stays."""
    stack = bumps([0.4], 80.0, 0.4e-3, rate=rate)
    t = np.arange(stack.n_samples) / rate
    for edge, sign in ((0.2, 1), (0.7, -1)):
        after = t - edge
        artefact = 40 * np.exp(-np.maximum(after, 0) / 1e-4) * (after >= -1e-9)
        for one in (artefact, -artefact, sign * 8 * (after >= -1e-9)):
            bent = attrs.evolve(stack, voltage_mv=stack.voltage_mv + one)
            assert spikes_of(bent, STEP, DEFAULT)["peak_t"].round(3).tolist() == [0.4]


def test_a_slow_artefact_of_the_onset_is_counted_not_taken():
    """40 mV that decay with 0.5 ms; a spike that peaks 0.7 ms after the onset is a spike."""
    stack = bumps([0.4], 80.0, 0.4e-3)
    t = np.arange(stack.n_samples) / stack.rate
    artefact = 40 * np.exp(-np.maximum(t - 0.2, 0) / 5e-4) * (t >= 0.2)
    found = spikes_of(
        attrs.evolve(stack, voltage_mv=stack.voltage_mv + artefact), STEP, DEFAULT
    )
    assert found["peak_t"].round(3).tolist() == [0.4]
    assert found.artefacts.tolist() == [1]
    fast = bumps([0.2007], 80.0, 0.12e-3)
    assert count(fast) == 1


@pytest.mark.parametrize(("rate", "longest"), [(10e3, 1), (20e3, 2), (50e3, 5)])
def test_a_glitch_is_no_spike(rng, rate, longest):
    """Up to 0.1 ms of 60 mV; the narrowest spike, of 0.2 ms at half height, stays."""
    stack = with_noise(bumps([0.4], 60.0, 0.085e-3, rate=rate), 0.1, "white", None, rng)
    v = stack.voltage_mv.copy()
    at = round(0.5 * rate)
    v[0, at : at + longest] += 60.0
    found = spikes_of(attrs.evolve(stack, voltage_mv=v), STEP, DEFAULT)
    assert found["peak_t"].round(3).tolist() == [0.4]
    assert found.artefacts.tolist() == [1]


def test_flicker_of_a_coarse_converter_is_no_spike(rng):
    """Codes of 5 mV: the potential flips between two of them."""
    stack = with_noise(bumps([0.4], 80.0, 0.4e-3, level=-37.5), 1.5, "white", None, rng)
    coarse = attrs.evolve(stack, voltage_mv=np.round(stack.voltage_mv / 5) * 5)
    assert count(coarse) == 1


def test_a_train_of_spikes_is_not_its_own_noise():
    """At 250 Hz no sample is quiet; noise of the plateau alone is noise all the same."""
    train = np.arange(0.21, 0.69, 0.004)
    assert count(bumps(train, 8.0, 0.3e-3, length=1.0)) == train.size
    top = np.cumsum(np.full(50, 40))
    assert not search._irregular(top)
    assert search._irregular(np.cumsum(np.tile([20, 60], 25)))
    assert not search._irregular(np.array([5, 9]))


def test_the_kernel_is_a_parabola():
    """It gives value and slope of any parabola exactly, whatever the rate."""
    for rate in (4e3, 5e3, 10e3, 20e3, 50e3, 100e3, 200e3):
        shape = kernel(rate)
        t = np.arange(-shape.half, shape.half + 1) / shape.rate
        y = 3.0 - 2000.0 * t + 1e6 * t**2
        assert shape.value @ y == pytest.approx(3.0)
        assert shape.slope @ y == pytest.approx(-2.0)  # mV/ms
        assert shape.value.sum() == pytest.approx(1.0)
        assert shape.middle == pytest.approx(np.sum(shape.value**2))
        assert shape.rate * shape.bin == pytest.approx(rate)


def test_the_spread_is_a_robust_sd(rng):
    x = rng.normal(size=20000) * 3
    x[:2000] = 500.0
    assert spread(x) == pytest.approx(3.0, rel=0.15)
    assert np.isnan(spread(x[:0]))


def test_prominence_and_slope_are_in_the_table():
    found = spikes_of(bumps(STEADY, 20.0, 0.5e-3), STEP, DEFAULT)
    np.testing.assert_allclose(found["prominence"], 20.0, rtol=0.05)
    np.testing.assert_allclose(found["smooth_upstroke"], 20 / 0.5 * np.exp(-0.5), rtol=0.1)
    assert "prominence" not in spikes_of(bumps(STEADY, 60.0, 0.5e-3), STEP, IPFX).columns


def test_a_small_spike_among_large_ones_has_its_own_threshold():
    """5 % of the mean upstroke of the sweep would lie above its whole upstroke."""
    stack = bumps([0.3, 0.35], 100.0, 0.2e-3)
    small = bumps([0.5], 12.0, 0.8e-3, level=0.0).voltage_mv
    on = stack.current_pa > 0
    both = attrs.evolve(stack, voltage_mv=stack.voltage_mv + np.where(on, small, 0.0))
    found = spikes_of(both, STEP, DEFAULT)
    assert len(found) == 3
    assert 0.496 < found["threshold_t"][2] < 0.4995


@pytest.mark.parametrize("rate", [10e3, 20e3, 50e3])
def test_what_is_no_spike_and_what_is_cut_off_is_said(rng, rate):
    stack = with_noise(bumps(STEADY, 100.0, 0.5e-3, rate=rate), 0.05, "white", None, rng)
    stack = attrs.evolve(stack, lowpass=Lowpass(np.inf))  # else a note says that none is stated

    def notes(v) -> str:
        cell = analyse(attrs.evolve(stack, voltage_mv=v), STEP, DEFAULT)
        return "; ".join(note for note in cell.notes if "Nyquist" not in note)

    assert "spike" not in notes(stack.voltage_mv)
    cut = np.minimum(stack.voltage_mv, 20.0)
    assert "cut off flat at 20 mV" in notes(cut)
    first = spikes_of(attrs.evolve(stack, voltage_mv=cut), STEP, DEFAULT)["peak_index"]
    assert all(cut[0, k] == 20 > cut[0, k - 1] for k in first.astype(int))
    glitch = stack.voltage_mv.copy()
    glitch[0, round(0.45 * rate)] += 60
    assert "1 event(s) too brief" in notes(glitch)
    for height, said in ((17.0, True), (13.0, False)):  # broad, as calcium spikes are
        slow = bumps([0.35, 0.55], height, 0.02, rate=rate).voltage_mv
        assert ("2 slow event(s)" in notes(slow)) is said


def test_volts_are_refused():
    stack = bumps(STEADY, 80.0, 0.4e-3)
    with pytest.raises(InputError, match="are these volts"):
        attrs.evolve(stack, voltage_mv=stack.voltage_mv * 1e-3)


def test_without_what_the_noise_says_the_limits_are_ipfx_s():
    limits = attrs.evolve(DEFAULT, dv_cutoff=7.0)
    assert attrs.evolve(limits, compat="ipfx").dv_cutoff == 7.0
    assert [DEFAULT.fixed(n) for n in ("dv_cutoff", "min_height", "min_peak")] == [20, 2, -30]
    assert limits.fixed("dv_cutoff") == 7.0


@pytest.mark.parametrize("code", [0.0, 0.125, 1.0])
def test_the_step_of_a_converter_is_the_smallest_change(code):
    """Neighbours that are equal are no change; a trace that never changes has no step."""
    ramp = (
        np.round(np.linspace(-70.0, -50.0, 20_000) / code) * code
        if code
        else np.full(20_000, -70.0)
    )
    stack = SweepStack(voltage_mv=ramp[None], current_pa=np.zeros((1, 20_000)), rate=20e3)
    where = attrs.evolve(runs.region(stack, np.array([0]), STEP, 20.0), sweeps=np.array([0]))
    assert search._converter_steps(where) == pytest.approx([code])
