"""The bench against analytic answers, against itself, and against wrong input."""

import importlib

import numpy as np
import pytest
from brian2 import Hz, kHz, ms, mV, nS, pF, prefs

from cleo_like.cells import CellModel, Population, get_cell
from cleo_like.core import InputError, Protocol, UnitError, UnknownNameError, UnsupportedError
from cleo_like.patch import CompilerWarning, IdealElectrode, record
from cleo_like.patch.backends.brian import auto_target_is_numpy


def protocol(waveforms, rate=20_000.0, **changes):
    return Protocol(waveforms=np.asarray(waveforms), rate=rate, family="arbitrary", **changes)


def noise_current(n_sweeps, n_samples, scale=1e-11):
    return scale * np.random.default_rng(5).standard_normal((n_sweeps, n_samples))


def exact_rc(current, rate, r=200e6, tau=20e-3, rest=-0.070):
    """Exact answer of an RC cell to a current held for one sample at a time."""
    from scipy.signal import lfilter

    a = np.exp(-1 / (rate * tau))
    driven = lfilter([0.0, r * (1 - a)], [1.0, -a], current, axis=-1)
    return rest + driven


@pytest.mark.parametrize("rate", [10_000.0, 20_000.0, 44_100.0, 50_000.0])
def test_passive_cell_is_the_analytic_rc(rate):
    p = protocol(noise_current(3, 4000), rate)
    (recording,) = record("passive", p)
    expected = exact_rc(p.waveforms, rate)
    error = np.abs(recording.stacked().response - expected).max()
    assert error < 1e-3 * np.abs(expected + 0.070).max()
    assert error < 1e-8  # float32 of 70 mV resolves 4 nV


def test_all_cells_and_sweeps_come_back_in_order():
    p = protocol(noise_current(2, 400))
    population = Population.draw(get_cell("passive"), 3, {"gL": 0.5}, seed=1)
    recordings = record(["passive", population, "rs"], p, seed=1)
    names = [r.cell.id for r in recordings]
    assert names == ["passive", "passive-1", "passive-2", "passive-3", "rs"]
    for k in range(3):
        g = population.parameters["gL"][k]
        expected = exact_rc(p.waveforms, p.rate, r=1 / g, tau=100e-12 / g)
        np.testing.assert_allclose(recordings[1 + k].stacked().response, expected, atol=1e-8)
    for r in recordings:
        np.testing.assert_array_equal(r.stacked().command, p.waveforms)
        assert r.protocol == p
        assert r.stacked().response.dtype == np.float32


def test_blocks_do_not_change_the_answer():
    """Same numbers, bit for bit, noise included, whatever fits into memory."""
    p = protocol(noise_current(4, 600))
    population = Population.draw(get_cell("passive"), 5, {"gL": 0.5}, seed=1)
    electrode = IdealElectrode(noise=0.2 * mV, lowpass=2 * kHz)
    whole = record(population, p, seed=3, electrode=electrode)
    parts = record(population, p, seed=3, electrode=electrode, memory=4 * 600 * 3)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(a.stacked().response, b.stacked().response)
    assert parts[0].provenance.parameters["traces_per_block"] == 3


def test_seed_reproduces_and_is_kept():
    p = protocol(np.zeros((1, 400)))
    electrode = IdealElectrode(noise=0.2 * mV)
    first = record("passive", p, electrode=electrode)[0]
    again = record("passive", p, electrode=electrode, seed=first.provenance.seed)[0]
    other = record("passive", p, electrode=electrode, seed=first.provenance.seed + 1)[0]
    np.testing.assert_array_equal(first.stacked().response, again.stacked().response)
    assert (first.stacked().response != other.stacked().response).any()


def test_sequential_equals_parallel_when_the_gap_is_long():
    p = protocol(noise_current(3, 1000), gap=0.4)  # 20 time constants
    parallel = record("passive", p, keep_voltage=True)[0]
    sequential = record("passive", p, keep_voltage=True, sequential=True)[0]
    np.testing.assert_allclose(
        parallel.stacked().response, sequential.stacked().response, atol=1e-8
    )
    np.testing.assert_allclose([s.start_time for s in sequential.sweeps], [0, 0.45, 0.9])


def test_sequential_carries_over_when_the_gap_is_short():
    p = protocol(np.full((2, 1000), 1e-11), gap=0.01)
    sweeps = record("passive", p, sequential=True)[0].sweeps
    carried = 1e-11 * 200e6 * (1 - np.exp(-0.05 / 0.02)) * np.exp(-0.01 / 0.02)
    assert sweeps[1].response[0] - sweeps[0].response[0] == pytest.approx(carried, rel=1e-3)


def test_sequential_spikes_belong_to_their_sweep():
    step = np.zeros((2, 2000))
    step[1, 400:] = 500e-12
    (recording,) = record("rs", protocol(step, gap=0.05), sequential=True)
    assert recording.truth.spike_counts[0] == 0
    assert recording.truth.spike_counts[1] >= 2
    # the first sweep is silent, so that the second is as one from rest: its times are those
    (alone,) = record("rs", protocol(step))
    np.testing.assert_allclose(
        recording.truth.spike_times[1], alone.truth.spike_times[1], rtol=0, atol=2e-5
    )


@pytest.mark.slow
def test_standalone_gives_the_same_recordings():
    p = protocol(600e-12 + noise_current(3, 1000, 4e-10))
    population = Population.draw(get_cell("rs"), 2, {"gL": 0.1}, seed=1)
    runtime = record(population, p)
    standalone = record(population, p, backend="cpp_standalone", memory=24 * 1000 * 4)
    for a, b in zip(runtime, standalone, strict=True):
        np.testing.assert_allclose(a.stacked().response, b.stacked().response, atol=1e-7)
        for x, y in zip(a.truth.spike_times, b.truth.spike_times, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-9)
    assert runtime[0].truth.spike_counts.sum() > 0


def test_spike_times_are_refined_between_steps():
    """A leaky integrator crosses at an analytic time; the step is 100 times coarser."""
    cell = CellModel(
        name="lif",
        equations="dv/dt = (gL*(EL - v) + I)/C : volt\ngL : siemens (constant)",
        parameters={"gL": 5 * nS, "EL": -70 * mV, "C": 100 * pF},
        threshold="v > -50*mV",
        reset="v = -70*mV",
        spike_level=-50 * mV,
        dt=0.1 * ms,
    )
    (recording,) = record(cell, protocol(np.full((1, 2000), 300e-12), rate=10_000.0))
    first = -0.020 * np.log(1 - 0.020 / (300e-12 / 5e-9))
    assert recording.truth.spike_times[0][0] == pytest.approx(first, abs=1e-6)
    on_the_grid = np.round(recording.truth.spike_times[0] / 1e-4) * 1e-4
    assert np.abs(recording.truth.spike_times[0] - on_the_grid).max() > 1e-6


def test_refractory_period_of_a_users_model():
    cell = CellModel(
        name="lif",
        equations="dv/dt = (gL*(EL - v) + I)/C : volt (unless refractory)\ngL : siemens (constant)",
        parameters={"gL": 5 * nS, "EL": -70 * mV, "C": 100 * pF},
        threshold="v > -50*mV",
        reset="v = -70*mV",
        refractory=5 * ms,
        spike_level=-50 * mV,
        method="euler",
    )
    (recording,) = record(cell, protocol(np.full((1, 4000), 300e-12)))
    expected = -0.020 * np.log(1 - 0.020 / 0.060) + 0.005
    assert np.diff(recording.truth.spike_times[0]).mean() == pytest.approx(expected, rel=0.01)


def test_noise_in_the_equations():
    """An Ornstein-Uhlenbeck membrane has the standard deviation of its noise term."""
    cell = CellModel(
        name="noisy",
        equations="dv/dt = (EL - v)/tau + I/C + s*sqrt(2/tau)*xi : volt",
        parameters={"EL": -70 * mV, "tau": 5 * ms, "C": 100 * pF, "s": 2 * mV},
        method="heun",
    )
    p = protocol(np.zeros((20, 20_000)))
    a = record(cell, p, seed=1)[0].stacked().response[:, 1000:]
    assert a.std() == pytest.approx(2e-3, rel=0.05)
    b = record(cell, p, seed=1)[0].stacked().response[:, 1000:]
    np.testing.assert_array_equal(a, b)
    with pytest.raises(UnsupportedError, match="method='heun'"):
        record(CellModel(name="x", equations=cell.equations, method="rk4", parameters={
            "EL": -70 * mV, "tau": 5 * ms, "C": 100 * pF, "s": 2 * mV}), p)  # fmt: skip


def test_electrode_noise_has_the_stated_rms_and_band():
    p = protocol(np.zeros((30, 20_000)))
    electrode = IdealElectrode(noise=0.2 * mV, lowpass=2 * kHz)
    noise = record("passive", p, electrode=electrode, seed=1)[0].stacked().response + 0.070
    assert noise.std() == pytest.approx(0.2e-3, rel=0.02)
    power = (np.abs(np.fft.rfft(noise, axis=1)) ** 2).mean(axis=0)
    f = np.fft.rfftfreq(20_000, 1 / 20_000)
    band = power[(f > 1900) & (f < 2100)].mean() / power[(f > 10) & (f < 200)].mean()
    assert band == pytest.approx(0.5, abs=0.05)  # -3 dB


def test_filter_settles_on_the_first_sample_and_keeps_the_mean():
    electrode = IdealElectrode(lowpass=1 * kHz)
    out = electrode.record(np.full((2, 500), -0.070), 20_000.0, [])
    np.testing.assert_allclose(out, -0.070, atol=1e-8)


def test_truth_holds_the_noise_free_potential_and_the_answers():
    electrode = IdealElectrode(noise=1 * mV)
    p = protocol(noise_current(1, 500))
    (recording,) = record("passive", p, electrode=electrode, keep_voltage=True)
    np.testing.assert_allclose(
        recording.truth.voltage[0], exact_rc(p.waveforms, p.rate)[0], atol=1e-8
    )
    assert recording.truth.answers["input_resistance"] == pytest.approx(200e6, rel=1e-9)
    assert record("passive", p)[0].truth.voltage is None


def test_sweeps_start_from_rest_at_the_holding_current():
    p = protocol(np.full((1, 400), 20e-12), holding=20e-12)
    (recording,) = record("rs", p)
    v = recording.sweeps[0].response
    assert np.ptp(v) < 1e-7


def test_a_cell_without_rest_says_so():
    (recording,) = record("adex_delayed_regular_bursting", protocol(np.zeros((1, 100))))
    assert "no stable rest" in recording.findings[0]


def test_no_compiler_is_said(monkeypatch):
    monkeypatch.setattr("cleo_like.patch.backends.brian.auto_target_is_numpy", lambda: True)
    with pytest.warns(CompilerWarning, match=r"install g\+\+"):
        record("passive", protocol(np.zeros((1, 20))), backend="brian2")


def test_exprel_without_a_compiler_is_the_plain_function(monkeypatch):
    """Brian2's own numpy wrapper formats its whole result at every call."""
    import brian2 as b2
    from brian2.core.functions import DEFAULT_FUNCTIONS

    kept = DEFAULT_FUNCTIONS["exprel"].implementations._implementations
    before = kept.get("numpy")
    monkeypatch.setattr("cleo_like.patch.backends.brian.auto_target_is_numpy", lambda: True)
    b2.prefs.codegen.target = "numpy"
    try:
        p = protocol(np.full((1, 100), 4e-10))
        with pytest.warns(CompilerWarning):
            (plain,) = record("rs", p, backend="brian2")
        assert kept["numpy"] is not before
        (compiled,) = record("rs", p)
    finally:
        del kept["numpy"]
        if before is not None:
            kept["numpy"] = before
    np.testing.assert_allclose(
        plain.stacked().response, compiled.stacked().response, rtol=0, atol=1e-8
    )


@pytest.mark.parametrize(
    ("chosen", "found", "numpy"),
    [
        ("auto", "NumpyCodeObject", True),
        ("auto", "CythonCodeObject", False),
        ("numpy", "NumpyCodeObject", False),  # asked for: nothing fell back
    ],
)
def test_brian2_that_found_no_compiler_is_told(monkeypatch, chosen, found, numpy):
    monkeypatch.setitem(prefs, "codegen.target", chosen)
    devices = importlib.import_module("brian2.devices.device")
    monkeypatch.setattr(devices, "auto_target", lambda: type(found, (), {}))
    assert auto_target_is_numpy() is numpy


def test_a_potential_that_runs_away_is_named():
    cell = CellModel(
        name="runaway",
        equations="dv/dt = (v - EL)/(1*ms) + I/C : volt",
        parameters={"EL": -70 * mV, "C": 100 * pF},
        spike_level=1e6 * mV,
        initial={"v": -0.07},
    )
    with pytest.raises(InputError, match=r"'runaway' is not finite in trace 0 between .* ms"):
        record(cell, protocol(np.full((1, 20_000), 1e-9)))


def test_without_a_compiler_the_spikes_are_the_same():
    from brian2 import prefs

    p = protocol(np.full((2, 600), 600e-12))
    compiled = record("rs", p)[0].truth.spike_times
    before = prefs["codegen.target"]
    prefs["codegen.target"] = "numpy"
    try:
        plain = record("rs", p, backend="brian2")[0].truth.spike_times
    finally:
        prefs["codegen.target"] = before
    assert len(plain[0]) > 0
    np.testing.assert_allclose(plain[0], compiled[0], atol=1e-9)


@pytest.mark.slow
def test_the_reference_is_brian2s_loop_under_the_sweep_device_too(monkeypatch):
    import brian2 as b2

    from cleo_like.engine import device

    monkeypatch.setattr(device, "_run_compiled", lambda *_: pytest.fail("compiled"))
    b2.set_device(device.register())
    try:
        (recording,) = record("passive", QUICK, backend="brian2")
    finally:
        b2.set_device("runtime")
    assert recording.provenance.parameters["backend"] == "brian2"


def test_one_sample_and_odd_names():
    (recording,) = record("passive", protocol([[1e-11]]))
    assert recording.sweeps[0].n_samples == 1


QUICK = protocol(np.zeros((1, 100)))
REFUSED = [
    (lambda: record("nars", QUICK), UnknownNameError, "unknown cell 'nars'.*did you mean"),
    (lambda: record([], QUICK), InputError, "no cell to record from"),
    (lambda: record(3, QUICK), InputError, "a cell is a name, a CellModel or a Population"),
    (lambda: record("rs", QUICK, dt=0.02), UnitError, r"did you mean 0.02\*ms"),
    (lambda: record("rs", QUICK, backend="gpu"), InputError, "backend must be one of auto"),
    (lambda: record("rs", QUICK, memory=100), InputError, "raise memory or shorten"),
    (
        lambda: record("rs", QUICK, electrode=IdealElectrode(lowpass=10 * kHz)),
        InputError,
        "needs a sampling rate of at least 25000 Hz, got 20000",
    ),
    (lambda: IdealElectrode(noise=0.2), UnitError, r"did you mean 0.2\*mV"),
    (lambda: IdealElectrode(noise=-1 * mV), InputError, "0 mV or more"),
    (lambda: IdealElectrode(lowpass=0 * Hz), InputError, "above 0 Hz"),
    (
        lambda: record("rs", protocol(np.zeros((1, 9)), mode="voltage_clamp")),
        UnsupportedError,
        "records in current clamp",
    ),
    (
        lambda: record("rs", protocol(np.full((1, 100), 5e-9), rate=1000.0), dt=1 * ms),
        InputError,
        "not finite in trace 0 between .* ms; try a smaller dt",
    ),
    (
        lambda: record(
            "rs", protocol(np.full((1, 100), 5e-9), rate=1000.0), dt=1 * ms, backend="brian2"
        ),
        InputError,
        "broke down .*; try a smaller dt",
    ),
]


@pytest.mark.parametrize(("make", "error", "message"), REFUSED)
def test_wrong_input_is_refused_with_the_reason(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dt": 0 * ms}, "dt must be above 0 ms"),
        ({"seed": 1.5}, "seed must be a whole number, got 1.5"),
        ({"threads": 0}, "threads must be 1 or more"),
        ({"electrode": 1}, "electrode must be an IdealElectrode, a PatchPipette"),
        (
            {"protocol": "ramp"},
            r"must be a Protocol \(parse_protocol makes one of text\), got str",
        ),
    ],
)
def test_arguments_of_a_wrong_kind_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        record("passive", **{"protocol": protocol(np.zeros((1, 10)))} | given)
