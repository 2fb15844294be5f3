"""What goes wrong in the extractors people use now, one test each."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from cleo_like import Cell, Provenance, Recording, Sweep
from cleo_like.core.window import Window
from cleo_like.features.extract import extract
from cleo_like.features.long_square import analyse
from cleo_like.features.long_square.atlas_row import atlas_row
from cleo_like.features.parameters import DEFAULT, IPFX
from cleo_like.features.spikes import detect
from cleo_like.features.spikes.table import spikes_of
from cleo_like.features.stack import SweepStack

STEP = Window(start=0.2, end=0.7)


def recording(stack: SweepStack, scale: float = 1e-3, **more) -> Recording:
    sweeps = [
        Sweep(response=v * scale, command=i * 1e-12, rate=stack.rate, number=k)
        for k, (v, i) in enumerate(zip(stack.voltage_mv, stack.current_pa, strict=True))
    ]
    provenance = Provenance(source="synthetic")
    return Recording(sweeps=sweeps, cell=Cell(id="c"), provenance=provenance, **more)


@pytest.mark.parametrize("rate", [10e3, 20e3])
def test_rates_of_20_khz_and_less(firing, rate):
    stack = firing([[0.3, 0.4]], [100.0], rate=rate)
    cell = analyse(stack, STEP, DEFAULT)
    assert cell.spikes.counts.tolist() == [2]
    assert cell.spikes.cutoff == 0.9 * rate / 2e3
    cell = analyse(stack, STEP, attrs.evolve(DEFAULT, filter=10.0))
    assert f"filter at {0.9 * rate / 2e3:g} kHz" in cell.notes[0]


def test_repeated_equal_amplitudes(rc):
    """Two -100 pA sweeps of 200 MOhm: ipfx's rank-1 fit gives about 900."""
    stack = rc([-100.0, -100.0])
    assert analyse(stack, STEP, DEFAULT).values["input_resistance"] == pytest.approx(200, 1e-6)
    quirk = analyse(stack, STEP, attrs.evolve(IPFX, subthresh_min_amp=-200.0))
    assert quirk.values["input_resistance"] == pytest.approx(900, rel=0.01)


def test_baseline_beside_a_pulse_before_the_step(rc):
    """A -50 pA pulse leads straight into the step: the baseline is that before the pulse."""
    stack = rc([-60.0, -40.0], start=0.5, end=1.0, length=1.5)
    pulse = rc([-50.0, -50.0], start=0.3, end=0.5, length=1.5)
    both = SweepStack(
        voltage_mv=stack.voltage_mv + pulse.voltage_mv + 70.0,
        current_pa=stack.current_pa + pulse.current_pa,
        rate=20e3,
    )
    step = Window(start=0.5, end=1.0)
    cell = analyse(both, step, DEFAULT)
    assert cell.values["v_baseline"] == pytest.approx(-70, abs=1e-6)
    assert any("another pulse precedes the step" in note for note in cell.notes)
    assert analyse(both, step, IPFX).values["v_baseline"] < -79


def test_step_before_100_ms(rc):
    """ipfx: "Given time is outside"."""
    cell = analyse(rc([-60.0, -40.0], start=0.03), Window(start=0.03, end=0.7), DEFAULT)
    assert cell.values["v_baseline"] == pytest.approx(-70)
    assert cell.values["input_resistance"] == pytest.approx(200, rel=1e-6)
    assert "baseline shortened to 30 ms" in cell.notes


def test_no_test_pulse_is_no_problem(rc):
    """ipfx takes the first pulse for the test pulse, and finds no stimulus."""
    table = extract(recording(rc([-60.0, -40.0, -20.0])), progress=False)
    assert table["status"].tolist() == ["ok"]
    assert table["input_resistance"][0] == pytest.approx(200, rel=1e-6)


def test_one_undefined_sample(firing):
    """One NaN made 16 spikes into none, silently; here the sweep is left out and named."""
    stack = firing([[0.3, 0.4], [0.3, 0.4, 0.5]], [100.0, 120.0])
    v = stack.voltage_mv.copy()
    v[0, 8000] = np.nan
    cell = analyse(attrs.evolve(stack, voltage_mv=v), STEP, DEFAULT)
    assert cell.excluded == {0: "a sample that is not a number at 0.4 s"}
    assert cell.spikes.counts.tolist() == [3]
    assert cell.values["rheobase_i"] == 120.0


def test_a_cut_off_sweep_is_no_spike(firing):
    """The recording stops within the step: no spurious spike, the others stay."""
    stack = firing([[0.3], [0.3, 0.5]], [100.0, 120.0])
    full = recording(stack)
    short = attrs.evolve(
        full.sweeps[0],
        response=full.sweeps[0].response[:9000],
        command=full.sweeps[0].command[:9000],
    )
    cut = attrs.evolve(full, sweeps=[short, full.sweeps[1]])
    cell = analyse(SweepStack.from_recording(cut), STEP, DEFAULT)
    assert cell.excluded == {0: "ends at 0.45 s, within the step"}
    assert cell.spikes.counts.tolist() == [2]


def test_noisy_measured_current(rc, rng):
    stack = rc([-60.0, -40.0, -20.0], noise=0.05, rng=rng)
    current = stack.current_pa + rng.normal(size=stack.current_pa.shape) * 0.5 + 3.0
    cell = analyse(attrs.evolve(stack, current_pa=current), STEP, DEFAULT)
    np.testing.assert_allclose(cell.sweeps["stim_amp"], [-60, -40, -20], atol=0.05)
    assert cell.values["peak_input_resistance"] == pytest.approx(200, rel=0.02)


def test_steps_of_25_pa(rc):
    """ipfx: "Unknown coarse long square amplitude delta: 25"."""
    cell = analyse(rc([-75.0, -50.0, -25.0]), STEP, DEFAULT)
    assert cell.values["input_resistance"] == pytest.approx(200, rel=1e-6)


def test_one_spiking_sweep_loses_nothing_else(rc, firing):
    """ipfx loses the whole cell to the f-I fit; here only the slope is missing."""
    stack = firing([[], [], [0.4]], [-60.0, -40.0, 100.0])
    cell = analyse(stack, STEP, DEFAULT)
    assert np.isnan(cell.values["fi_fit_slope"])
    assert cell.reasons["fi_fit_slope"] == "only 1 spiking sweep(s) of different current"
    assert cell.values["input_resistance"] == pytest.approx(200, rel=1e-6)
    assert cell.values["rheobase_i"] == 100.0


def test_no_name_of_the_stimulus_is_needed(rc):
    """ipfx finds long squares by their name in an ontology; here the command tells."""
    table = extract(recording(rc([-60.0, -40.0, -20.0])), progress=False)
    assert table["family"][0] == "long_square"


def test_coarse_quantisation(firing, rng):
    """ipfx: "attempt to get argmin of an empty sequence", or a hundred false spikes."""
    stack = firing([[0.3, 0.4, 0.5]] * 4, [100.0] * 4, noise=0.3, rng=rng)
    coarse = attrs.evolve(stack, voltage_mv=np.round(stack.voltage_mv / 2.0) * 2.0)
    for limits in (DEFAULT, attrs.evolve(IPFX, filter=5.0), attrs.evolve(IPFX, filter=None)):
        assert analyse(coarse, STEP, limits).spikes.counts.tolist() == [3] * 4


def test_volts_are_volts(firing):
    """A recording knows its unit: no spike is lost to volts taken for millivolts."""
    stack = firing([[0.3, 0.4], [0.3, 0.4, 0.5]], [100.0, 120.0])
    cell = analyse(SweepStack.from_recording(recording(stack)), STEP, DEFAULT)
    assert cell.spikes.counts.tolist() == [2, 3]


def test_the_f_i_slope_leaves_block_out(firing):
    """5, 10, 15 Hz, then block (a silent plateau above threshold): the slope stays positive."""
    times = [np.linspace(0.25, 0.65, n) for n in (5, 10, 15)] + [[0.22, 0.24]]
    stack = firing([list(t) for t in times], [100.0, 200.0, 300.0, 400.0], resistance=50.0)
    v = stack.voltage_mv.copy()
    v[3, 5200:14000] = -20.0  # from 0.26 s to the end of the step
    cell = analyse(attrs.evolve(stack, voltage_mv=v), STEP, DEFAULT)
    assert cell.sweeps["blocked"].tolist() == [False, False, False, True]
    assert cell.values["depolarization_block_i"] == 400.0
    assert cell.values["fi_fit_slope"] == pytest.approx(0.1, rel=1e-6)
    assert cell.values["max_rate"] == pytest.approx(30.0)
    quirk = analyse(attrs.evolve(stack, voltage_mv=v), STEP, IPFX)
    assert quirk.values["fi_fit_slope"] < 0.03


def test_the_last_but_one_spike_is_not_cut_off(firing):
    """The step ends on the flank of the last spike; ipfx then spoils the one before."""
    stack = firing([[0.4, 0.6999]], [100.0], width=1e-3, rate=50e3)
    ours = analyse(stack, STEP, DEFAULT).spikes
    theirs = analyse(stack, STEP, IPFX).spikes
    assert ours["clipped"].tolist() == [False, True]
    k = int(ours["fast_trough_index"][0])
    assert 0.4 < k / 50e3 < 0.45
    assert theirs["clipped"][1]


def test_the_threshold_fraction_is_used_everywhere(firing):
    """ipfx looks again for a far threshold with 5 %, whatever was asked for, and drops it.

    The slope of this spike is above 5 % for 5 ms before its peak, below 40 % until 3 ms.
    """
    stack = firing([[0.4]], [100.0], width=1.5e-3, rate=50e3)
    limits = attrs.evolve(DEFAULT, thresh_frac=0.4, max_interval=0.0033, filter=None)
    found = spikes_of(stack, STEP, limits)
    d = 1e-3 * np.diff(stack.voltage_mv[0]) * 50e3
    k = int(found["threshold_index"][0])
    assert d[k] <= 0.4 * found["upstroke"][0] < d[k + 1]
    exact = attrs.evolve(limits, compat="ipfx")
    trace = detect.full_trace(stack, np.arange(1), STEP, exact)
    peak = int(stack.voltage_mv[0].argmax())
    far = detect.Events(
        sweep=np.array([0]),
        threshold=np.array([peak - 400]),
        peak=np.array([peak]),
        upstroke=np.array([int(trace.d[:peak].argmax())]),
        clipped=np.array([False]),
    )
    assert detect._not_too_long(trace, far, np.zeros(1, dtype=bool)).sweep.size == 0


def test_a_jitter_of_the_time_axis_cannot_switch_the_filter_off(firing):
    """The filter depends on the rate alone: there is no time axis to differ from it."""
    stack = firing([[0.3, 0.4]], [100.0], rate=50e3)
    jittered = attrs.evolve(stack, rate=50e3 * (1 + 1e-6))
    a, b = analyse(stack, STEP, DEFAULT), analyse(jittered, STEP, DEFAULT)
    assert a.spikes.cutoff == b.spikes.cutoff == 10.0
    np.testing.assert_allclose(a.spikes["upstroke"], b.spikes["upstroke"], rtol=1e-4)


def test_rheobase_is_not_truncated(firing):
    """The published table has 69 and 39 for 70 and 40 pA."""
    stack = firing([[0.3], [0.3, 0.5]], [69.99999999999999, 90.0])
    cell = analyse(stack, STEP, DEFAULT)
    assert cell.values["rheobase_i"] == 70.0
    assert atlas_row(cell).values["rheobase_i"] == 70.0


def test_one_hopeless_file_never_loses_the_table(rc, tmp_path):
    good, bad = recording(rc([-60.0, -40.0, -20.0])), tmp_path / "torn.abf"
    bad.write_bytes(b"ABF2" + bytes(100))
    table = extract([bad, good], progress=False)
    assert table["status"].tolist() == ["failed", "ok"]
    assert "FileFormatError" in table["notes"][0]
    assert "FileFormatError" in table.why(0, "tau")
