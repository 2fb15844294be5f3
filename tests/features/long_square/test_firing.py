"""Firing of the family: each limit with a case just inside and one just outside."""

from __future__ import annotations

import json
import subprocess

import attrs
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.core.window import Window
from cleo_like.features.adapters.ipfx import peers_python
from cleo_like.features.long_square import analyse, firing
from cleo_like.features.long_square.atlas_row import atlas_row, sqrt_fit
from cleo_like.features.long_square.rheobase import levels, rheobase
from cleo_like.features.parameters import ATLAS, DEFAULT, IPFX
from cleo_like.features.spikes.table import spikes_of

STEP = Window(start=0.2, end=0.7)
NAN = float("nan")


def test_the_error_of_the_slope_is_that_of_the_textbook():
    """Residual variance over n - 2: scipy's linregress is the oracle."""
    current = np.array([20.0, 40.0, 60.0, 80.0])
    rate = np.array([4.0, 7.0, 15.0, 18.0])
    found = firing.fi_slope(current, rate, np.arange(4))
    theirs = stats.linregress(current, rate)
    assert found.value == pytest.approx(theirs.slope)
    assert found.error == pytest.approx(theirs.stderr)


@pytest.mark.parametrize(("above", "hero"), [
    ((39.0, 60.9, 80.0), 60.9),  # 39 itself is outside, 60.9 within
    ((39.1, 60.9, 80.0), 39.1),
    ((20.0, 61.0, 80.0), 20.0),  # 61 is outside: the one nearest to 39
    ((10.0, 58.0, 80.0), 58.0),
])  # fmt: skip
def test_the_window_of_the_hero_sweep(above, hero):
    amplitude = 100.0 + np.array([0.0, *above])
    row = firing.hero_row(amplitude, np.array([2.0, 4.0, 6.0, 8.0]), 100.0)
    assert amplitude[row] == pytest.approx(100.0 + hero)


@pytest.mark.parametrize(("silent", "level", "blocked"), [
    (0.27, -20.0, True), (0.23, -20.0, False), (0.5, -20.0, True), (0.8, -20.0, True),
    (0.5, -68.0, False),  # not depolarised: it adapts
])  # fmt: skip
def test_block_is_silence_of_a_quarter_of_the_step_above_threshold(
    firing, silent, level, blocked
):
    """10 and 20 Hz, then spikes up to a plateau that lasts to the end of the step."""
    last = 0.7 - 0.5 * silent - 0.010
    times = [list(np.linspace(0.25, 0.65, n)) for n in (5, 10)]
    times.append(list(np.linspace(0.22, last, 5)))
    stack = firing(times, [100.0, 200.0, 300.0], resistance=50.0)
    v = stack.voltage_mv.copy()
    v[2, round((last + 0.006) * 20e3) : 14000] = level
    cell = analyse(attrs.evolve(stack, voltage_mv=v), STEP, DEFAULT)
    assert cell.spikes.counts.tolist() == [5, 10, 5]
    assert bool(cell.sweeps["blocked"][2]) is blocked


def test_small_spikes_that_go_on_are_no_block(firing, rng):
    """From 0.3 s on spikes of 12 mV on a plateau above threshold: ipfx loses them."""
    times = [list(np.linspace(0.25, 0.65, n)) for n in (5, 30)] + [[0.22, 0.24]]
    stack = firing(times, [100.0, 200.0, 300.0], resistance=50.0)
    v, t = stack.voltage_mv.copy(), np.arange(stack.n_samples) / stack.rate
    v[2, 5200:14000] = -25.0
    for s in np.arange(0.3, 0.69, 0.02):
        v[2] += 12 * np.exp(-0.5 * ((t - s) / 8e-4) ** 2)
    v += 0.1 * rng.standard_normal(v.shape)
    going_on = attrs.evolve(stack, voltage_mv=v)
    cell = analyse(going_on, STEP, DEFAULT)
    assert cell.spikes.counts.tolist() == [5, 30, 22]
    assert not cell.sweeps["blocked"].any()
    assert analyse(going_on, STEP, IPFX).spikes.counts[2] <= 4


@pytest.mark.parametrize(("hump", "found"), [(3.0, True), (4.6, False), (5.2, False)])
@pytest.mark.parametrize("limits", [DEFAULT, attrs.evolve(IPFX, filter=5.0)])
def test_an_afterdepolarisation_is_lower_than_10_mv(firing, limits, hump, found):
    """A hump 4.5 ms after the peak; it stands 9.0, 10.6 or 11.2 mV above the fast trough."""
    stack = firing([[0.4, 0.6]], [0.0], rate=50e3, width=3e-4)
    t = np.arange(stack.n_samples) / stack.rate
    v = stack.voltage_mv + hump * np.exp(-0.5 * ((t - 0.4045) / 5e-4) ** 2)
    spikes = spikes_of(attrs.evolve(stack, voltage_mv=v), STEP, limits)
    top = v[0].max(initial=-99, where=(t > 0.404) & (t < 0.4055))
    assert (top - spikes["fast_trough_v"][0] < 10) == found
    assert bool(np.isfinite(spikes["adp_v"][0])) is found


@pytest.mark.parametrize("latency", [0.02, 0.06, 0.149])
def test_the_latency_of_a_rebound(rc, latency):
    """Highest sample of a bump of known place after the lowest step, within 150 ms."""
    stack = rc([-80.0, -40.0], tau=0.001)
    t = np.arange(stack.n_samples) / stack.rate
    v = stack.voltage_mv + 12 * np.exp(-0.5 * ((t - 0.7 - latency) / 0.006) ** 2)
    cell = analyse(attrs.evolve(stack, voltage_mv=v), STEP, DEFAULT)
    assert cell.values["rebound_latency"] == pytest.approx(latency, abs=2 / stack.rate)
    assert cell.values["rebound_depolarization"] == pytest.approx(12.0, abs=0.2)
    assert cell.values["rebound_spikes"] == 0


def test_the_slope_ends_at_the_largest_rate():
    """Up by 0.2 Hz/pA to 140 pA, then down by 0.1 Hz/pA."""
    current = np.array([-50.0, 20.0, 60.0, 100.0, 140.0, 180.0, 220.0])
    rate = np.array([0.0, 0.0, 4.0, 12.0, 20.0, 16.0, 12.0])
    up, down = firing.fi_slopes(current, rate)
    assert up.value == pytest.approx(0.2)
    assert down.value == pytest.approx(-0.1)
    up, down = firing.fi_slopes(current[:5], rate[:5])
    assert up.value == pytest.approx(0.2)
    assert down.reason == "the rate is largest at the largest current"
    up, down = firing.fi_slopes(current[4:], rate[4:])
    assert up.reason == "the rate is largest at 140 pA, the lowest that fires"
    assert down.value == pytest.approx(-0.1)
    flat = np.where(rate > 0, 2.0, 0.0)  # one spike, whatever the current
    assert np.isnan(firing.fi_slopes(current, flat)[0].value)
    assert firing.fi_slopes(current, flat)[1].value == pytest.approx(0.0, abs=1e-12)
    none = firing.fi_slopes(current[:2], rate[:2])
    assert {e.reason for e in none} == {"no sweep with a depolarising step fired"}


def test_repeats_of_a_current_are_one_current():
    found = levels(np.array([20.1, 40.0, 19.9, 20.0, 41.0]))
    np.testing.assert_allclose(found, [20.0, 40.0, 20.0, 20.0, 41.0])
    assert levels(np.zeros(0)).size == 0


def test_rheobase_by_bracket_and_latency():
    """1 / latency^2 = 25 and 400 at 40 and 60 pA, 4 at the length of the step (0.5 s)."""
    current = np.array([0.0, 20.0, 40.0, 60.0])
    rate, latency = np.array([0.0, 0.0, 4.0, 6.0]), np.array([NAN, NAN, 0.2, 0.05])
    found = rheobase(current, rate, latency, 0.5)
    late = 40 - (25 - 4) / ((400 - 25) / 20)
    assert found.estimate.value == pytest.approx((30 + late) / 2)
    assert found.estimate.error == pytest.approx(0.22 * 20)
    assert (found.low, found.high) == (20.0, 40.0)
    far = rheobase(current, rate, np.array([NAN, NAN, 0.05, 0.04]), 0.5)  # beyond the bracket
    assert far.estimate.value == pytest.approx((30 + 20) / 2)
    alone = rheobase(current[:3], rate[:3], latency[:3], 0.5)
    assert alone.estimate.value == 30.0
    assert alone.estimate.error == pytest.approx(20 / np.sqrt(12))


@pytest.mark.parametrize(("current", "rate", "why"), [
    ([20.0, 40.0], [2.0, 4.0], "no silent sweep below 20 pA, the lowest current"),
    ([-20.0, 0.0, 20.0], [0.0, 2.0, 4.0], "the cell fires at 0 pA already"),
    ([0.0, 20.0], [0.0, 0.0], "no sweep with a depolarising step fired"),
    ([0.0, 20.0, 20.0], [0.0, 0.0, 2.0], "no current fires the cell every time"),
])  # fmt: skip
def test_no_rheobase_without_a_reason(current, rate, why):
    rate = np.array(rate)
    found = rheobase(np.array(current), rate, np.where(rate > 0, 0.1, NAN), 0.5)
    assert found.estimate.reason == found.reason == why
    assert np.isnan([found.low, found.high, found.estimate.value]).all()


def test_silence_in_block_is_not_below_threshold():
    current = np.array([0.0, 20.0, 40.0, 60.0, 80.0])
    rate = np.array([0.0, 0.0, 10.0, 4.0, 0.0])
    found = rheobase(current, rate, np.array([NAN, NAN, 0.02, 0.01, NAN]), 0.5)
    assert (found.low, found.high) == (20.0, 40.0)


def test_repeats_that_disagree(rng):
    """A threshold of 50 pA with an SD of 8 pA: the estimate is within its own errors."""
    scores = []
    for _ in range(60):
        current = np.repeat(np.arange(0.0, 121, 10), 3)
        fires = current > 50 + 8 * rng.standard_normal(current.size)
        rate = np.where(fires, 2 + current / 20, 0.0)
        found = rheobase(current, rate, np.where(fires, 0.05, NAN), 0.5)
        assert found.low < found.estimate.value < found.high
        scores.append((found.estimate.value - 50) / found.estimate.error)
    assert abs(np.mean(scores)) < 0.4
    assert 0.5 < np.std(scores) < 1.4


@given(
    st.floats(5, 300),
    st.integers(5, 50),
    st.floats(0.1, 2.0),
    st.integers(0, 49),
)
def test_the_bracket_holds(threshold, step, duration, offset):
    """Whatever the ladder: low <= threshold <= high, and the estimate lies between."""
    current = np.arange(offset % step, 400, step, dtype=float)
    fires = current > threshold
    assume(fires.any() and not fires[0])
    latency = np.where(fires, 0.9 * duration / np.maximum(current - threshold, 1.0), NAN)
    found = rheobase(current, np.where(fires, 1 / duration, 0.0), latency, duration)
    assert found.low <= threshold <= found.high
    assert found.low <= found.estimate.value <= found.high
    assert found.high - found.low == pytest.approx(step)


@pytest.mark.parametrize("start", [0.0, 0.005, 0.0099, 0.0101, 0.05, 0.0999])
@pytest.mark.parametrize("limits", [attrs.evolve(IPFX, filter=5.0), ATLAS])
def test_a_step_before_100_ms_does_not_lose_the_cell(firing, start, limits):
    """ipfx raises; the atlas takes a tenth of the time before a step within 10 ms."""
    times = [[], [], [start + 0.1, start + 0.2]]
    stack = firing(times, [-60.0, -40.0, 100.0], start=start, rate=50e3)
    cell = analyse(stack, Window(start=start, end=0.7), limits)
    assert cell.values["rheobase_i"] == 100.0
    assert cell.values["input_resistance"] == pytest.approx(200, rel=1e-3)
    length = 0.1 * start if start < 0.01 else start
    assert f"baseline shortened to {1e3 * length:.3g} ms" in cell.notes
    rest = cell.values["v_baseline"]
    assert rest == pytest.approx(-70) if start else np.isnan(rest)


CURVES = """
import json, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
from ipfx.bin.run_feature_collection import fi_curve_fit
out = [fi_curve_fit(np.array(d, float), np.array(r, float)) for d, r in json.load(sys.stdin)]
json.dump([[float(x["fi_sqrt_fit_A"]), float(x["fi_sqrt_fit_Ic"])] for x in out], sys.stdout)
"""


@pytest.mark.peer
def test_the_square_root_of_ipfx(rng):
    """Rising, falling, equal and irregular f-I curves: the same value, or the same lack.

    The search ends where its next step would change little, so what is left depends on the
    version of MINPACK: nine in ten agree to 1e-6, the rest to 2 %.
    """
    try:
        python = peers_python()
    except UnsupportedError as error:
        pytest.skip(str(error))
    curves = []
    for k in range(300):
        n = int(rng.integers(3, 12))
        d = np.arange(n) * float(rng.choice([5, 10, 20, 50]))
        counts = rng.integers(1, 40, n)
        counts = [np.sort(counts), np.sort(counts)[::-1], counts, np.full(n, counts[0])][k % 4]
        curves.append((d.tolist(), (counts / 0.5).tolist()))
    answer = subprocess.run(
        [str(python), "-I", "-c", CURVES], input=json.dumps(curves), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    theirs = np.array(json.loads(answer.stdout))
    ours = np.array([sqrt_fit(np.array(d), np.array(r)) for d, r in curves])
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    ours, theirs = np.nan_to_num(ours), np.nan_to_num(theirs)
    close = np.isclose(ours, theirs, rtol=1e-6, atol=1e-9)
    assert close.all(axis=1).mean() > 0.9
    assert (close | np.isclose(ours, theirs, rtol=0.02, atol=0.02)).all(axis=1).mean() > 0.995


def test_a_falling_square_root_is_missing_by_default(firing):
    times = [list(np.linspace(0.25, 0.65, n)) for n in (9, 6, 3)]
    stack = firing([[], *times], [0.0, 100.0, 120.0, 140.0], resistance=20.0, rate=50e3)
    cell = analyse(stack, STEP, DEFAULT)
    row = atlas_row(cell)
    assert np.isnan(row.values["fi_sqrt_fit_Ic"])
    assert (
        row.reasons["fi_sqrt_fit_Ic"] == "the square of the rate does not rise with the current"
    )
    exact = atlas_row(analyse(stack, STEP, ATLAS)).values
    assert np.isnan(exact["fi_sqrt_fit_A"])
    assert exact["fi_sqrt_fit_Ic"] > 0


@pytest.mark.parametrize(
    ("rate", "amplitude", "least", "first"),
    [([0, 0, 0, 2, 5], [-40.0, -20.0, 0.0, 20.0, 40.0], 20, None),
     ([0, 0, 2, 2, 5], [-40.0, -20.0, 0.3, 20.0, 40.0], 20, "0.3"),  # 0 pA as it is recorded
     ([0, 0, 2, 3, 5], [-40.0, -20.0, 0.7, 20.0, 40.0], 0.7, None),
     ([3, 3, 3, 3, 9], [-40.0, -20.0, 0.0, 20.0, 40.0], 20, "-40"),
     ([0, 0, 2, 0, 0], [-40.0, -20.0, 0.3, 20.0, 40.0], None, "0.3")],
)  # fmt: skip
def test_a_cell_that_fires_without_current(firing, rate, amplitude, least, first):
    """Its rheobase is the least of the steps that were tried, which is said."""
    times = [list(np.linspace(0.3, 0.6, n)) for n in rate]
    cell = analyse(firing(times, amplitude), Window(start=0.25, end=0.75), DEFAULT)
    said = [note for note in cell.notes if "no rheobase" in note]
    if least is None:
        assert cell.reasons["rheobase_i"] == "no sweep with a depolarising step fired"
        assert np.isnan(cell.values["max_rate"])
        return
    assert cell.values["rheobase_i"] == pytest.approx(least, abs=0.01)
    assert cell.values["rheobase_sweep"] == amplitude.index(least)
    assert bool(said) == (first is not None)
    if said:
        assert said[0].startswith(
            f"the cell fires at {first} pA already: {least} pA is the least"
        )
    assert np.isfinite(cell.values["rheobase_estimate"]) == (first is None)


@pytest.mark.parametrize(("frac", "good"), [(0.001, True), (0.999, True), (0, False),
                                            (1, False), (1.5, False), (-0.1, False)])  # fmt: skip
def test_the_part_of_the_upstroke_is_a_part(frac, good):
    if good:
        assert attrs.evolve(DEFAULT, thresh_frac=frac).thresh_frac == frac
    else:
        with pytest.raises(InputError, match="thresh_frac must be between 0 and 1"):
            attrs.evolve(DEFAULT, thresh_frac=frac)
