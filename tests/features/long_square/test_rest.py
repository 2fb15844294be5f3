"""Resting potential, baseline and rebound where sweeps differ, fire or are noisy."""

import attrs
import numpy as np
import pytest

from cleo_like.core import Cell, Provenance, Recording, Sweep, Window
from cleo_like.features.long_square.cell import analyse
from cleo_like.features.parameters import DEFAULT
from cleo_like.features.stack import SweepStack

RATE, STEP = 20_000.0, Window(start=0.4, end=0.9)
T = np.arange(round(1.3 * RATE)) / RATE


def family(holding, steps=(-40, -20, 0, 20), noise=0.05, seed=1):
    """A passive cell of 300 MOhm and 20 ms that rests at -68 mV."""
    on = (STEP.start <= T) & (STEP.end > T)
    rise = np.where(on, 1 - np.exp(-(T - STEP.start) / 0.02), 0)
    rise += np.where(STEP.end <= T, np.exp(-(T - STEP.end) / 0.02), 0)
    rows = np.asarray(steps, dtype=float)[:, None]
    held = np.broadcast_to(np.asarray(holding, dtype=float), len(steps))[:, None]
    v = -68 + 0.3 * (held + rows * rise)
    v = v + np.random.default_rng(seed).normal(0, noise, v.shape)
    return SweepStack(voltage_mv=v, current_pa=held + rows * on, rate=RATE)


def spike(stack, rows, at):
    """A spike that falls to 2 mV below rest and comes back with 0.1 s."""
    after = np.maximum(T - at, 0)
    shape = 100 * np.exp(-(((T - at) / 4e-4) ** 2)) - 2 * (at < T) * np.exp(-after / 0.1)
    v = stack.voltage_mv.copy()
    v[rows] += shape
    return attrs.evolve(stack, voltage_mv=v)


@pytest.mark.parametrize("holding", [(0, -50, 0, -50), (0, 0, 0, -50), (-50, -50, -50, 0)])
def test_rest_is_that_of_the_sweeps_that_are_not_held(holding):
    cell = analyse(family(holding), STEP, DEFAULT)
    assert cell.values["resting_potential"] == pytest.approx(-68, abs=0.02)
    assert any("without holding current (it is -50 to 0 pA)" in note for note in cell.notes)
    assert cell.values["input_resistance"] == pytest.approx(300, rel=0.01)


def test_a_bias_of_the_amplifier_is_a_holding_current():
    """NWB's bias_current is not in the stimulus: -68 mV is no rest of a cell with 50 pA."""
    held = attrs.evolve(family(0), bias_pa=np.full(4, 50.0))
    cell = analyse(held, STEP, DEFAULT)
    assert cell.reasons["resting_potential"] == "the cell is held with 50 pA"
    some = attrs.evolve(family(0), bias_pa=np.array([0.0, np.nan, 0.5, 50.0]))
    assert analyse(some, STEP, DEFAULT).values["resting_potential"] == pytest.approx(
        -68, abs=0.02
    )


def test_the_bias_comes_from_the_settings_of_the_sweeps():
    sweeps = [
        Sweep(response=np.full(50, -0.07), command=np.zeros(50), rate=1e4, settings=settings)
        for settings in (
            {},
            {"bias_current": 5e-11},
            {"bias_current": "-20 pA"},
            {"bias_current": "off"},
        )
    ]
    recording = Recording(sweeps=sweeps, cell=Cell(id="c"), provenance=Provenance(source="t"))
    assert SweepStack.from_recording(recording).bias_pa.round(9).tolist() == [0, 50, -20, 0]


def test_all_sweeps_are_held():
    cell = analyse(family((-20, -30, -20, -10)), STEP, DEFAULT)
    assert cell.reasons["resting_potential"] == "the cell is held with -30 to -10 pA"


@pytest.mark.parametrize("at", [0.2, 0.35])
def test_sweeps_that_fire_before_the_step_are_not_in_the_baseline(at):
    cell = analyse(spike(family(0), [0, 2], at), STEP, DEFAULT)
    for name in ("v_baseline", "resting_potential"):
        assert cell.values[name] == pytest.approx(-68, abs=0.02), name
    assert any(n.startswith("not in the baseline") and "0, 2" in n for n in cell.notes)


def test_a_cell_that_always_fires_does_not_rest():
    cell = analyse(spike(family(0), slice(None), 0.35), STEP, DEFAULT)
    assert cell.reasons["resting_potential"].endswith("it does not rest")
    assert any("the baseline has spikes in it" in note for note in cell.notes)


def test_a_spike_long_before_the_baseline_changes_nothing():
    stack = family(0)
    early = spike(attrs.evolve(stack, voltage_mv=stack.voltage_mv), [0], 0.0)
    cell = analyse(early, STEP, DEFAULT)
    assert not [n for n in cell.notes if "not in the baseline" in n]


@pytest.mark.parametrize("noise", [0.1, 0.5, 1.0])
def test_noise_is_no_rebound(noise):
    """A passive cell has none; the highest sample of 1 mV noise gave 3 mV."""
    cell = analyse(family(0, noise=noise), STEP, DEFAULT)
    got, error = (
        cell.values["rebound_depolarization"],
        cell.uncertainty["rebound_depolarization"],
    )
    assert abs(got) < 5 * error
    assert abs(got) < 0.6 * noise


@pytest.mark.parametrize(
    ("level", "said"), [(-68, False), (-11, False), (-9, True), (-119, False), (-121, True)]
)
def test_a_baseline_where_no_membrane_rests_is_said(level, said):
    stack = family(0)
    moved = attrs.evolve(stack, voltage_mv=stack.voltage_mv + level + 68)
    notes = analyse(moved, STEP, DEFAULT).notes
    assert any("where no membrane rests" in note for note in notes) is said


@pytest.mark.parametrize("bridge", [0.02, 0.1])
def test_the_end_of_the_step_is_not_the_fall_of_a_spike(bridge):
    """100 MOhm of a bridge that is off: 14 mV in a sample at the end of the step."""
    stack = spike(family(0, steps=(-40, 0, 150)), [2], 0.5)
    shifted = attrs.evolve(stack, voltage_mv=stack.voltage_mv + bridge * stack.current_pa)
    widths = [analyse(s, STEP, DEFAULT).spikes["width"][0] for s in (stack, shifted)]
    assert widths[1] == pytest.approx(widths[0], rel=0.02)


@pytest.mark.parametrize("change", [lambda v: v / 10, lambda v: v * 0 - 1, lambda v: v * 0])
def test_a_sweep_that_rests_elsewhere_is_left_out(change):
    """A gain of a tenth in the lowest sweep gave 13 MOhm for 130, a sweep of zeros a raw error."""
    stack = family(0, steps=(-40, -30, -20, 0))
    v = stack.voltage_mv.copy()
    v[0] = change(v[0])
    cell = analyse(attrs.evolve(stack, voltage_mv=v), STEP, DEFAULT)
    assert "where no membrane does; the others at -68 mV" in cell.excluded[0]
    assert cell.values["input_resistance"] == pytest.approx(300, rel=0.01)
    assert cell.values["v_baseline"] == pytest.approx(-68, abs=0.02)


def test_sweeps_that_all_rest_elsewhere_are_measured_and_said():
    stack = family(0)
    cell = analyse(attrs.evolve(stack, voltage_mv=stack.voltage_mv + 68), STEP, DEFAULT)
    assert not cell.excluded
    assert any("where no membrane rests" in note for note in cell.notes)


@pytest.mark.parametrize("level", [-68.0, 0.0])
def test_a_potential_without_any_answer(level):
    """All zeros (a channel that was off) were a ZeroDivisionError."""
    stack = family(0)
    flat = attrs.evolve(stack, voltage_mv=np.full_like(stack.voltage_mv, level))
    cell = analyse(flat, STEP, DEFAULT)
    assert "does not answer" in cell.reasons["input_resistance"]
