"""The truth itself: between samples, without synaptic currents, above holding."""

import numpy as np
import pytest

from cleo_like.core.window import Window
from cleo_like.features.lowpass import Lowpass
from cleo_like.features.registry import native
from cleo_like.features.stack import SweepStack
from cleo_like.groundtruth.cases.chain import recorded, run_cell
from cleo_like.groundtruth.cases.factors import defaults
from cleo_like.groundtruth.cases.plan import Case
from cleo_like.groundtruth.store import Store
from cleo_like.groundtruth.truth.exact import FINEST, UNFILTERED, exact_values, truth_of
from cleo_like.groundtruth.truth.shapes import between_samples

STEP = Window(start=0.2, end=0.7)


def case(**chosen):
    return Case(block="b", factors=defaults() | chosen, seed=0, root=1)


@pytest.mark.parametrize("rate", [400e3, 50e3, 20e3])
def test_shapes_are_those_between_the_samples(rate):
    """Bells of 100 mV and 0.3 ms: the steepest rise is 100 / 0.3 exp(-1/2) V/s at any rate."""
    t, width = np.arange(round(rate)) / rate, 3e-4
    times = 0.25 + 0.0503 * np.arange(8)
    v = -70 + sum(100 * np.exp(-0.5 * ((t - s) / width) ** 2) for s in times)
    stack = SweepStack(voltage_mv=v[None], current_pa=np.zeros((1, t.size)), rate=rate)
    samples = native(stack, STEP, UNFILTERED).spikes
    found = between_samples(stack, STEP, samples)
    steep = 0.1 / width * np.exp(-0.5)
    assert found["upstroke"] == pytest.approx(steep, rel=1e-4)
    assert found["downstroke"] == pytest.approx(-steep, rel=1e-4)
    assert found["peak_v"] == pytest.approx(30, abs=1e-3)
    assert found["peak_t"] == pytest.approx(times, abs=2e-7)
    half = 2 * width * np.sqrt(2 * np.log(2))
    assert found["width"] == pytest.approx(half, rel=3e-3)
    assert (samples["width"] >= found["width"]).all() or rate > 100e3


def test_resistance_and_sag_are_those_without_synapses():
    """Fluctuations of 0.5 mV: the lowest of 200,000 samples is no property of the membrane."""
    loud = case(cell="passive", protocol="one_step", synaptic=0.5)
    run = run_cell(loud)
    assert np.abs(run.voltage - run.still).max() > 1e-3
    found = truth_of(loud, run).cell[FINEST]
    calm = case(cell="passive", protocol="one_step")
    assert found["sag"] == pytest.approx(truth_of(calm, run_cell(calm)).cell[FINEST]["sag"])
    assert found["input_resistance"] == pytest.approx(200, rel=1e-3)


def test_rheobase_is_above_holding():
    t = np.arange(20_000) / 20e3
    steps = np.array([-20.0, 40.0, 80.0])[:, None]
    current = -30 + steps * ((t >= 0.2) & (t < 0.7))
    clean = SweepStack(voltage_mv=-70 + 0.2 * current, current_pa=current, rate=20e3)
    times = {"sweep": np.array([2]), "inside": np.ones(1, dtype=bool)}
    found = exact_values(clean, STEP, times, {})
    assert found["rheobase_i"] == pytest.approx(80)


@pytest.mark.parametrize(("corner", "known"), [(10.0, Lowpass(10e3)), (0.0, Lowpass(np.inf))])
def test_a_recording_keeps_what_is_stated_of_its_filter(tmp_path, corner, known):
    one = case(cell="passive", protocol="one_step", filter=corner)
    store = Store(tmp_path)
    store.write_recording(one, recorded(one, run_cell(one)))
    assert store.recording(one).lowpass == known


def test_stated_errors_of_spikes_are_scored():
    from cleo_like.groundtruth.scores.features import _spikes

    true = {
        "sweep": np.zeros(2),
        "peak_t": np.array([0.3, 0.4]),
        "peak_v": np.array([30.0, 31]),
    }
    given = true | {"peak_v": np.array([30.1, 31.5]), "peak_v_error": np.array([0.1, 0.1])}
    *_, stated = _spikes("peak_v", true, given)
    assert stated.tolist() == [0.1, 0.1]
    *_, silent = _spikes("peak_v", true, {k: x for k, x in given.items() if "error" not in k})
    assert np.isnan(silent).all()
