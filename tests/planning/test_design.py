"""Designed stimuli: better than direct, within their limits, or the direct one with a reason."""

from __future__ import annotations

import brian2 as b2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like import (
    Dynamics,
    IdealElectrode,
    Population,
    from_image,
    get_cell,
    long_square,
    noise,
    record,
    relief,
)
from cleo_like.core import Protocol
from cleo_like.core.errors import InputError, UnitError, UnsupportedError
from cleo_like.planning import Limits, LinearResponse, design, design_text
from cleo_like.planning.fidelity import Goal
from cleo_like.planning.inverse import Inverse, cutoff_for
from cleo_like.stimuli.design import Dac, cutoff_for_peak

NOISY = IdealElectrode(noise="0.1 mV", lowpass="2 kHz")


def photograph(rows=8, columns=32, duration="0.5 s", **changes):
    from matplotlib.cbook import get_sample_data

    path = get_sample_data("grace_hopper.jpg", asfileobj=False)
    return from_image(path, duration, "10 kHz", rows=rows, columns=columns, **changes)


def report(protocol):
    return protocol.parameters["design"]


RC = LinearResponse.rc(200e6, 20e-3)


@settings(max_examples=8)
@given(st.floats(3e-3, 60e-3), st.floats(5.0, 100.0), st.integers(0, 100))
def test_the_inverse_undoes_the_membrane(tau, cutoff, seed):
    """Inverse then membrane is the smoothed target, for any time constant."""
    rng = np.random.default_rng(seed)
    target = np.zeros((1, 16000))
    target[0, 5000:9000] = np.repeat(rng.uniform(-1e-11, 1e-11, 40), 100)
    response = LinearResponse.rc(1.0, tau)
    current = Inverse.rc(tau).shape(target, cutoff, 1e4)
    from cleo_like.stimuli.design import low_pass

    smooth = low_pass(target, cutoff, 1e4)
    assert response.predict(current, 1e4) == pytest.approx(
        smooth, abs=3e-3 * np.abs(target).max()
    )


def test_the_low_pass_is_the_highest_that_keeps_the_peak_of_this_waveform():
    goal = Goal.of(photograph())
    inverse = Inverse.rc(20e-3)
    span = (2.0, 500.0)
    cutoff = cutoff_for(inverse, goal.deviation, goal.rate, 22e-12, span)
    for factor, above in ((0.999, False), (1.001, True)):
        current = inverse.shape(goal.deviation, cutoff * factor, goal.rate)
        assert (np.abs(current).max() > 22e-12) == above
    # the bound for any picture is stricter
    assert cutoff > 1.3 * cutoff_for_peak(22e-12, 20e-3, -1e-11, 1e-11)
    assert cutoff_for(inverse, goal.deviation, goal.rate, 1e-12, span) is None
    assert cutoff_for(inverse, goal.deviation, goal.rate, 1e-9, span) == 500.0


def test_the_bounded_current_is_closer_and_keeps_the_bound():
    goal = Goal.of(photograph())
    inverse = Inverse.impedance([RC])
    cutoff = cutoff_for(inverse, goal.deviation, goal.rate, 22e-12, (2.0, 200.0))
    gauss = inverse.shape(goal.deviation, cutoff, goal.rate)
    bounded = inverse.bounded(goal.deviation, 3 * cutoff, goal.rate, 22e-12)
    assert np.abs(bounded).max() <= 22e-12

    def left(current):
        v = RC.predict(current, goal.rate) / 200e6
        return ((v - goal.deviation) ** 2).sum()

    assert left(bounded) < 0.7 * left(gauss)


def test_the_bounded_current_is_the_least_squares_of_a_general_solver():
    """A short target, and scipy's bounded least squares on the full matrix of the membrane."""
    from scipy.optimize import lsq_linear

    rate, n = 200.0, 60
    rng = np.random.default_rng(1)
    target = np.zeros((1, n))
    target[0, 10:50] = np.repeat(rng.uniform(-1e-11, 1e-11, 8), 5)
    matrix = np.stack(
        [RC.predict(row[np.newaxis], rate)[0] / 200e6 for row in np.eye(n)], axis=1
    )
    best = lsq_linear(matrix, target[0] * 1e11, (-2.0, 2.0)).x * 1e-11
    mine = Inverse.impedance([RC]).bounded(target, 30.0, rate, 20e-12)[0]

    def left(current):
        return (((matrix @ current) - target[0]) ** 2).sum()

    # the search also sees what comes after the last sample
    assert left(mine) <= 1.05 * left(best)


@pytest.mark.parametrize(
    ("cell", "peak", "least"),
    [
        ("passive", 22, (0.98, 0.93)),
        pytest.param("narrow_fs", 12, (0.99, 0.95), marks=pytest.mark.slow),
        ("sag", 10, (0.98, 0.88)),
    ],
)
def test_a_designed_photograph_is_drawn_better(cell, peak, least):
    target = photograph()
    made = design(target, cell, Limits(peak=f"{peak} pA"), electrode=NOISY, seed=3)
    assert np.abs(made.waveforms - made.holding).max() <= peak * 1e-12 * (1 + 1e-9)
    (direct,) = record(cell, target, electrode=NOISY, seed=9, progress=False)
    (drawn,) = record(cell, made, electrode=NOISY, seed=9, progress=False)
    before, after = relief(direct), relief(drawn)
    assert after.correlation > before.correlation + 0.5 * (1 - before.correlation)
    assert after.correlation >= least[0]
    assert after.ssim >= least[1]
    found = report(made)["recorded"]
    assert found["designed"]["correlation"][0] == pytest.approx(after.correlation, abs=2e-3)
    assert found["direct"]["correlation"][0] == pytest.approx(before.correlation, abs=2e-3)
    text = design_text(made)
    assert "direct" in text
    assert "designed" in text


@pytest.mark.slow
def test_the_cell_with_sag_gets_its_impedance_and_the_passive_one_its_time_constant():
    methods = {}
    for cell in ("sag", "passive"):
        made = design(photograph(rows=4), cell, Limits(peak="20 pA"), electrode=NOISY)
        methods[cell] = report(made)["method"], report(made)["tau"]
    assert methods["sag"][0] == "impedance"
    assert methods["passive"] == ("RC", pytest.approx(20e-3, rel=0.03))


@pytest.mark.slow
def test_a_measured_impedance_is_as_good_as_the_true_one():
    f = np.r_[0, np.geomspace(0.1, 300, 400)]
    true = f, Dynamics(get_cell("sag")).impedance(f)
    target, limits = photograph(), Limits(peak="10 pA")
    reached = {}
    for name, pair in (("true", true), ("measured", None)):
        made = design(target, "sag", limits, electrode=NOISY, impedance=pair)
        reached[name] = report(made)["recorded"]["designed"]["correlation"][0]
    assert reached["measured"] == pytest.approx(reached["true"], abs=0.005)


@pytest.mark.parametrize(("tau", "wrong"), [("20 ms", True), ("4.5 ms", False)])
def test_a_wrong_time_constant_is_found_out(tau, wrong):
    target = photograph(duration="1 s")
    made = design(target, "narrow_fs", Limits(peak="20 pA"), electrode=NOISY, tau=tau)
    assert (report(made)["method"] == "direct") == wrong
    assert np.array_equal(made.waveforms, target.waveforms) == wrong
    told = " ".join(report(made)["notes"])
    assert ("the direct stimulus is better" in told) == wrong
    assert ("4.2" in told) == wrong


@pytest.mark.slow
def test_an_impedance_of_another_cell_is_found_out():
    f = np.r_[0, np.geomspace(0.1, 300, 100)]
    other = f, 100e6 / (1 + 2j * np.pi * f * 40e-3)
    made = design(
        photograph(duration="1 s"), "narrow_fs", Limits(peak="40 pA"), impedance=other
    )
    assert report(made)["method"] == "direct"
    assert "not this cell's" in " ".join(report(made)["notes"])


def test_any_waveform_can_be_a_target():
    frozen = noise("3 pA", seed=1, tau="20 ms", duration="1 s", rate="10 kHz")
    made = design(frozen, "passive", Limits(peak="40 pA"), electrode=NOISY)
    found = report(made)["recorded"]
    assert found["designed"]["correlation"][0] > found["direct"]["correlation"][0] + 0.05
    assert made.family == "noise"
    steps = long_square(
        ["-5 pA", "5 pA"], duration="100 ms", before="50 ms", after="50 ms", rate="10 kHz"
    )
    square = design(steps, "passive", Limits(peak="40 pA"), electrode=NOISY)
    assert square.family == "arbitrary"
    assert [e.name for e in square.epochs] == ["lead_in", "step", "lead_out"]
    assert report(square)["recorded"]["designed"]["correlation"][0] > 0.97


def test_a_target_without_rests_gets_them():
    bare = Protocol(
        waveforms=1e-11 * np.sin(2 * np.pi * 8 * np.arange(5000) / 1e4)[np.newaxis],
        rate=1e4,
        family="sine",
    )
    made = design(bare, (RC.frequency, RC.impedance), Limits(peak="40 pA"))
    still = -(-made.n_samples // 64)
    assert (made.waveforms[:, :still] == made.holding).all()
    assert (made.waveforms[:, -still:] == made.holding).all()
    assert report(made)["predicted"]["designed"]["correlation"][0] > 0.99


@pytest.mark.slow
def test_one_stimulus_for_a_population():
    rng = np.random.default_rng(4)
    resistance = 150e6 * np.exp(0.5 * rng.standard_normal(12))
    tau = 18e-3 * np.exp(0.35 * rng.standard_normal(12))
    cells = Population(
        model=get_cell("passive"),
        parameters={"gL": b2.siemens / resistance, "C": b2.farad * tau / resistance},
    )
    made = design(photograph(rows=6), cells, Limits(peak="23 pA"), electrode=NOISY)
    found = report(made)
    assert found["cells"] == 12
    assert (
        found["recorded"]["designed"]["correlation"][0]
        > found["recorded"]["direct"]["correlation"][0] + 0.05
    )
    assert "5 / 50 / 95 %" in design_text(made)


def test_the_peak_defaults_to_a_share_of_the_rheobase():
    big = photograph(rows=4, amplitude=("-150 pA", "150 pA"))
    made = design(big, "rs", electrode=NOISY)
    assert report(made)["limit"] == pytest.approx(0.8 * 300e-12, rel=0.1)
    assert np.abs(made.waveforms).max() <= report(made)["limit"] * (1 + 1e-9)
    assert any("rheobase" in note for note in report(made)["notes"])


def test_an_automatic_amplitude_stands_out_of_the_noise():
    made = design(photograph(rows=4), "passive", electrode=NOISY, amplitude="auto")
    # 10 times 0.1 mV over 200 MOhm
    assert report(made)["scale"] * 10e-12 == pytest.approx(5e-12, rel=0.05)


def test_the_converter_plays_whole_codes():
    dac = Dac()
    made = design(
        photograph(rows=3), (RC.frequency, RC.impedance), Limits(peak="30 pA", dac=dac)
    )
    codes = made.waveforms / dac.lsb
    assert codes == pytest.approx(np.rint(codes), abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (lambda t: (t, "passive", Limits(peak="5 pA")), "amplitude"),
        (lambda t: ("photo.jpg", "passive"), "from_image"),
        (lambda t: (t, (np.arange(5.0), np.ones(5)), Limits(peak="20 pA")), "complex"),
    ],
)
def test_wrong_input_is_told(arguments, words):
    with pytest.raises(InputError, match=words):
        design(*arguments(photograph(rows=2)))


def test_more_wrong_input_is_told():
    target = photograph(rows=2)
    with pytest.raises(InputError, match="not both"):
        design(target, "passive", tau="1 ms", impedance=(RC.frequency, RC.impedance))
    with pytest.raises(InputError, match="tau must be above"):
        design(target, (RC.frequency, RC.impedance), tau="-1 ms")
    with pytest.raises(UnitError, match="pA"):
        Limits(peak=20)
    with pytest.raises(InputError, match="above 0"):
        Limits(peak="-20 pA")
    with pytest.raises(InputError, match="share"):
        Limits(rheobase=1.5)
    with pytest.raises(InputError, match="2 Hz"):
        Limits(cutoff="1 Hz")
    flat = Protocol(waveforms=np.zeros((1, 100)), rate=1e4, family="arbitrary")
    with pytest.raises(InputError, match="nothing to follow"):
        design(flat, "passive")
    clamp = Protocol(
        waveforms=np.full((1, 100), -0.07), rate=1e4, family="arbitrary", mode="voltage_clamp"
    )
    with pytest.raises(UnsupportedError, match="currents"):
        design(clamp, "passive")
    made = design(target, (RC.frequency, RC.impedance), Limits(peak="20 pA"))
    with pytest.raises(InputError, match="designed already"):
        design(made, "passive")
    with pytest.raises(InputError, match="not made by design"):
        design_text(target)


def test_a_target_far_beyond_is_told():
    with pytest.raises(InputError, match="above the limit"):
        design(photograph(rows=2, amplitude=("-2 nA", "2 nA")), "rs")


def test_a_cell_that_fires_by_itself_is_told():
    pacing = photograph(rows=2, holding="600 pA")
    with pytest.raises(InputError, match="holding"):
        design(pacing, "rs", Limits(peak="20 pA"))


def test_limits_of_another_kind_are_told():
    with pytest.raises(
        InputError, match=r"limits must be Limits\(peak='20 pA', ...\), got '20 pA'"
    ):
        design(long_square(["5 pA"], rate="5 kHz"), "passive", "20 pA")
