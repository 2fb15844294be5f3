"""Cells of known resistance, time constant, capacitance, rheobase, sag, rebound."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from brian2 import ms, pA

from cleo_like.core.errors import InputError, UnitError
from cleo_like.core.window import Window
from cleo_like.features.catalogue import CATALOGUE, feature
from cleo_like.features.long_square import analyse, long_square_features
from cleo_like.features.long_square.atlas_row import (
    SPIKE_NAMES,
    atlas_row,
    column_names,
    mean_error,
)
from cleo_like.features.parameters import DEFAULT, IPFX
from cleo_like.features.registry import of_cell
from cleo_like.features.stack import SweepStack
from cleo_like.features.vectors import feature_vectors
from cleo_like.features.vectors.trains import psth

STEP = Window(start=0.2, end=0.7)


def test_a_passive_cell(rc):
    """200 MOhm and 20 ms make 100 pF."""
    cell = analyse(rc([-90.0, -60.0, -30.0]), STEP, DEFAULT)
    for name in ("input_resistance", "peak_input_resistance", "steady_state_input_resistance"):
        assert cell.values[name] == pytest.approx(200.0, rel=1e-6)
    assert cell.values["tau"] == pytest.approx(0.02, rel=1e-5)
    assert cell.values["capacitance"] == pytest.approx(100.0, rel=1e-5)
    assert cell.values["resting_potential"] == pytest.approx(-70.0)
    assert cell.values["sag"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("tau", [0.003, 0.02, 0.08])
def test_noise_and_the_stated_error(rc, rng, tau):
    """Over 40 noisy cells the stated errors of R and tau describe the true ones.

    Also where the step has not settled: 80 ms in a step of 500 ms. A 95 % interval fails 7 of 40
    times or more with a chance of 0.3 %.
    """
    truths = {
        "input_resistance": 200.0, "peak_input_resistance": 200.0,
        "steady_state_input_resistance": 200.0, "tau": tau, "capacitance": 1e6 * tau / 200,
    }  # fmt: skip
    scores = {name: [] for name in truths}
    for _ in range(40):
        stack = rc([-90.0, -60.0, -30.0], tau=tau, noise=0.1, rng=rng)
        cell = analyse(stack, STEP, DEFAULT)
        for name, truth in truths.items():
            scores[name].append((cell.values[name] - truth) / cell.uncertainty[name])
    for name, z in scores.items():
        assert np.isfinite(z).all(), name
        assert (np.abs(z) > 1.96).sum() < 7, name
        # 0.67 for a normal; Student's quantile of 3 sweeps makes the stated error twice as large
        assert 0.15 < np.median(np.abs(z)) < 1.0, name


def test_sag_parts_peak_from_steady_state(rc):
    """Sag of 25 %: the peak resistance is 4/3 of the steady one."""
    stack = rc([-80.0, -60.0, -40.0], tau=0.005)
    t = np.arange(stack.n_samples) / stack.rate
    on = (t >= 0.2) & (t < 0.7)
    back = np.where(on, 1 - np.exp(-np.maximum(t - 0.25, 0) / 0.03) * (t >= 0.25), 0) * (
        t >= 0.25
    )
    v = -70 + (stack.voltage_mv + 70) * (1 - 0.25 * back)
    cell = analyse(attrs.evolve(stack, voltage_mv=v), STEP, DEFAULT)
    assert cell.values["peak_input_resistance"] == pytest.approx(200, rel=0.01)
    assert cell.values["steady_state_input_resistance"] == pytest.approx(150, rel=0.001)
    assert cell.values["sag"] == pytest.approx(0.25, abs=0.01)


def test_rates_and_intervals_by_hand(firing):
    """Spikes at 0.3, 0.4, 0.6 s: intervals 0.1 and 0.2, adaptation 1/3, CV 1/3, 6 Hz."""
    cell = analyse(firing([[0.3, 0.4, 0.6]], [100.0], resistance=20.0), STEP, DEFAULT)
    row = {name: float(column[0]) for name, column in cell.sweeps.items()}
    assert row["avg_rate"] == pytest.approx(6.0)
    assert row["first_isi"] == pytest.approx(0.1, abs=1e-4)
    assert row["mean_isi"] == pytest.approx(0.15, abs=1e-4)
    assert row["median_isi"] == pytest.approx(0.15, abs=1e-4)
    assert row["isi_cv"] == pytest.approx(1 / 3, abs=1e-3)
    assert row["adapt"] == pytest.approx(1 / 3, abs=1e-3)
    assert row["latency"] == pytest.approx(0.1, abs=2e-3)


def test_rheobase_slope_and_hero(firing):
    times = [[], list(np.linspace(0.25, 0.6, 2)), list(np.linspace(0.25, 0.6, 6))]
    times.append(list(np.linspace(0.25, 0.6, 10)))
    cell = analyse(firing(times, [20.0, 60.0, 100.0, 140.0], resistance=20.0), STEP, DEFAULT)
    assert cell.values["rheobase_i"] == 60.0
    assert cell.values["fi_fit_slope"] == pytest.approx(0.2)
    assert cell.values["hero_amp"] == 100.0  # 40 pA above
    assert np.isnan(cell.values["depolarization_block_i"])
    currents, rates = cell.fi_curve
    assert currents.tolist() == [20, 60, 100, 140]
    np.testing.assert_allclose(rates, [0, 4, 12, 20])


def test_holding_current(rc):
    """Steps are relative to holding, and a held cell has no resting potential."""
    cell = analyse(rc([-60.0, -40.0], holding=-25.0), STEP, DEFAULT)
    assert cell.sweeps["stim_amp"].tolist() == [-60.0, -40.0]
    assert cell.reasons["resting_potential"] == "the cell is held with -25 pA"
    assert analyse(rc([-60.0], holding=-25.0), STEP, IPFX).sweeps["stim_amp"][0] == -85.0


def test_rebound(firing):
    cell = analyse(firing([[0.73, 0.76], []], [-80.0, -40.0]), STEP, DEFAULT)
    assert cell.values["rebound_spikes"] == 2
    assert cell.values["rebound_depolarization"] > 80
    assert cell.values["rebound_latency"] == pytest.approx(0.06, abs=0.035)
    assert cell.values["input_resistance"] == pytest.approx(200, rel=1e-3)


def test_a_constant_pulse_tells_the_membrane(firing, rc):
    """Only depolarising steps, but a -50 pA pulse in every sweep."""
    stack = firing([[0.6], [0.6, 0.7]], [60.0, 80.0], start=0.5, end=1.0, length=1.5)
    pulse = rc([-50.0, -50.0], start=0.1, end=0.3, length=1.5)
    both = SweepStack(
        voltage_mv=stack.voltage_mv + pulse.voltage_mv + 70.0,
        current_pa=stack.current_pa + pulse.current_pa,
        rate=20e3,
    )
    blind = analyse(stack, Window(start=0.5, end=1.0), DEFAULT)
    assert "hyperpolarising" in blind.reasons["input_resistance"]
    cell = analyse(both, Window(start=0.5, end=1.0), DEFAULT)
    assert cell.values["input_resistance"] == pytest.approx(200, rel=1e-3)
    assert cell.values["tau"] == pytest.approx(0.02, rel=1e-3)
    assert any("constant pulse at 100 to 300 ms" in note for note in cell.notes)


def test_every_missing_value_has_a_reason(rc, firing):
    for stack in (rc([-60.0]), rc([60.0]), firing([[0.4]], [100.0]), rc([0.0])):
        cell = analyse(stack, STEP, DEFAULT)
        row = atlas_row(cell)
        for values, reasons in ((cell.values, cell.reasons), (row.values, row.reasons)):
            missing = {name for name, value in values.items() if np.isnan(value)}
            assert missing == set(reasons), missing ^ set(reasons)
            assert all(reasons[name] for name in missing)


def test_the_row_has_all_labels(rc):
    names = tuple(atlas_row(analyse(rc([-60.0]), STEP, DEFAULT)).values)
    assert names == column_names()
    assert len(names) == 7 + 6 * (14 + 7) + 2


def test_the_row_carries_the_errors_of_its_spikes(firing, rng):
    """`ap_1` has the error of that spike, `ap_mean` that of the mean over the sweep."""
    stack = firing([[], [0.3, 0.4, 0.5, 0.6], [0.27, 0.35, 0.45, 0.6]], [-60.0, 100.0, 120.0])
    stack = attrs.evolve(
        stack, voltage_mv=stack.voltage_mv + 0.1 * rng.standard_normal(stack.voltage_mv.shape)
    )
    cell = analyse(stack, STEP, DEFAULT)
    row = atlas_row(cell)
    for label, sweep in ((0, 1), (1, 2)):
        spikes = cell.spikes.of(sweep)
        for name in SPIKE_NAMES:
            first, mean = (f"{k}_{name}_{label}_long_square" for k in ("ap_1", "ap_mean"))
            error = spikes[f"{name}_error"]
            if np.isnan(error).any():  # an upstroke that is a lower bound only
                assert mean not in row.errors
                continue
            assert row.errors[first] == error[0]
            assert row.errors[mean] == mean_error(error, spikes[f"{name}_shared_error"])
            assert row.errors[mean] < row.errors[first]
    assert len(row.errors) >= 2 * 2 * (len(SPIKE_NAMES) - 2)
    assert row.errors.items() <= of_cell(cell).uncertainty.items()
    assert not atlas_row(analyse(stack, STEP, IPFX)).errors


@pytest.mark.parametrize(("shared", "mean"), [(0.0, 0.25), (0.5, 0.5), (0.3, 0.36056)])
def test_a_mean_does_not_take_away_what_is_shared(shared, mean):
    """Four spikes of 0.5: independent 0.25, all shared 0.5, in part between."""
    assert mean_error(np.full(4, 0.5), np.full(4, shared)) == pytest.approx(mean, abs=1e-5)
    assert np.isnan(mean_error(np.array([0.5, np.nan]), np.array([0.1, np.nan])))


def test_every_column_is_in_the_catalogue(firing):
    cell = analyse(firing([[], [0.3, 0.4]], [-60.0, 100.0]), STEP, DEFAULT)
    columns = [*cell.spikes.columns, *cell.sweeps, *cell.values, *column_names()]
    for name in columns:
        if name != "sweep":
            found = feature(name)
            assert found.source, name
            assert found.meaning, name
    assert all(f.name == name for name, f in CATALOGUE.items())


def test_vectors_of_known_course(rc, firing):
    """A passive cell at -101 pA: baseline 0, peak -1; two spikes make two counts."""
    stack = firing([[], [0.43, 0.63]], [-100.0, 60.0], start=0.3, end=0.8, length=1.2,
                   resistance=150.0)  # fmt: skip
    found = feature_vectors(analyse(stack, Window(start=0.3, end=0.8), DEFAULT))
    norm = found["subthresh_norm"]
    assert norm.size == 90
    assert norm[:20] == pytest.approx(np.zeros(20), abs=1e-9)
    assert norm[60] == pytest.approx(-1.0, abs=1e-6)
    assert found["psth"].reshape(6, -1)[0].tolist() == [0, 0, 20, 0, 0, 0, 20, 0, 0, 0]
    assert found["first_ap_v"].size == 150
    assert found.reasons.keys() == {"subthresh_depol_norm"}
    assert np.isnan(found["subthresh_depol_norm"]).all()


@pytest.mark.parametrize(
    ("above", "same"),
    [([0.0, 20 * pA], [0.0, 20.0]), ([0, 20] * pA, [0, 20]), (["0 pA", "0.02 nA"], [0, 20])],
)
def test_currents_of_vectors_are_quantities_or_pa(firing, above, same):
    stack = firing([[], [0.43, 0.63], [0.43]], [-100.0, 60.0, 80.0], start=0.3, end=0.8,
                   length=1.2, resistance=150.0)  # fmt: skip
    cell = analyse(stack, Window(start=0.3, end=0.8), DEFAULT)
    found = feature_vectors(
        cell, above_rheobase=above, step_targets="-100 pA", tolerance=1 * pA
    )
    wanted = feature_vectors(cell, above_rheobase=same, step_targets=[-100.0], tolerance=1.0)
    assert found["psth"].size == 20
    for name, vector in wanted.vectors.items():
        np.testing.assert_array_equal(found[name], vector, err_msg=name)


def test_currents_and_widths_of_another_unit_are_refused(firing):
    stack = firing([[], [0.43]], [-100.0, 60.0], start=0.3, end=0.8, length=1.2)
    cell = analyse(stack, Window(start=0.3, end=0.8), DEFAULT)
    for wrong in ({"above_rheobase": [1 * ms]}, {"step_targets": [1 * ms]},
                  {"tolerance": 5 * ms}):  # fmt: skip
        with pytest.raises(UnitError, match=next(iter(wrong))):
            feature_vectors(cell, **wrong)
    np.testing.assert_array_equal(psth(cell, [1], width=100 * ms), psth(cell, [1], width=0.1))
    assert psth(cell, [1], width="100 ms").tolist() == [0, 10, 0, 0, 0]
    for width in (0, -0.1, 0 * ms):
        with pytest.raises(InputError, match="width must be above 0 s"):
            psth(cell, [1], width=width)
    with pytest.raises(UnitError, match="width"):
        psth(cell, [1], width=5 * pA)


def test_the_public_door_takes_recordings(rc):
    cell = long_square_features(rc([-60.0, -40.0]), "200 ms", "700 ms")
    frame = cell.sweep_frame()
    assert frame["number"].tolist() == [0, 1]
    currents, peak, steady = cell.vi_curve
    np.testing.assert_allclose(peak, steady, atol=1e-3)
    np.testing.assert_allclose(steady, -70 + 0.2 * currents, rtol=1e-4)


def test_the_baseline_is_not_known_better_than_the_converter(rc):
    """All sweeps alike, rounded to 0.3 mV: the scatter between them is 0, the error is not."""
    stack = rc([-60.0, -40.0, -20.0], rest=-70.04)
    codes = attrs.evolve(stack, voltage_mv=np.round(stack.voltage_mv / 0.3) * 0.3)
    found = analyse(codes, STEP, DEFAULT)
    off = abs(found.values["v_baseline"] + 70.04)
    assert off > 0.03
    assert found.uncertainty["v_baseline"] == pytest.approx(0.3 / np.sqrt(12))
    assert off < 1.96 * found.uncertainty["v_baseline"]
