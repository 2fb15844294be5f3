"""Equations as users write them: with time, two potentials, `Equations`, wrong texts."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import Equations, Hz, Mohm, TimedArray, inf, ms, mV, nS, pA, pF, second

from cleo_like import Protocol, record
from cleo_like.cells import CellModel, get_cell
from cleo_like.cells.dynamics import Dynamics
from cleo_like.core import CleoLikeError, InputError, UnitError

LEAK = "dv/dt = (gL*(EL - v) + I)/C : volt"
VALUES = {"gL": 10 * nS, "EL": -70 * mV, "C": 100 * pF}
SINE = "dv/dt = (gL*(EL - v) + I + A*sin(2*pi*f*t))/C : volt"
QUIET = Protocol(waveforms=np.zeros((2, 2000)), rate=2e4, family="arbitrary")
RESET = {"threshold": "v > -50*mV", "reset": "v = EL", "conductance_based": False}


def cell(**changes):
    return CellModel(**{"name": "m", "equations": LEAK, "parameters": VALUES} | changes)


def sine(**changes):
    values = VALUES | {"A": 100 * pA, "f": 50 * Hz}
    return cell(**{"equations": SINE, "parameters": values, "initial": {"v": -0.07}} | changes)


def closed_form(t):
    w, tau = 2 * np.pi * 50, 0.01
    swing = np.sin(w * t) - w * tau * np.cos(w * t) + w * tau * np.exp(-t / tau)
    return -0.07 + 0.01 / (1 + (w * tau) ** 2) * swing


@pytest.mark.parametrize("sequential", [False, True])
def test_time_in_the_equations(sequential):
    """RC circuit under a sine: the closed form, in every sweep; in sequence time goes on."""
    (found,) = record(sine(), QUIET, seed=1, keep_voltage=True, sequential=sequential)
    start = QUIET.duration + QUIET.gap if sequential else 0.0
    t = np.arange(2000) / 2e4
    for k in range(2):
        np.testing.assert_allclose(
            found.truth.voltage[k], closed_form(t + k * start), atol=1e-7
        )
    assert "depend on time" in found.findings[0]
    assert np.isnan(found.truth.answers["input_resistance"])


def test_cells_that_depend_on_time_start_where_they_say():
    found = record([sine(), sine(name="other", initial={"v": -0.05})], QUIET, seed=1)
    first = [recording.sweeps[0].response[0] for recording in found]
    assert first == pytest.approx([-0.07, -0.05])


def test_a_start_that_nobody_gave_is_asked_for():
    gated = sine(equations=SINE + "\ndm/dt = (1 - m)/ms : 1")
    with pytest.raises(InputError, match=r"depend on time.*initial= values for m"):
        record(gated, QUIET, seed=1)


def two_potentials(recorded):
    rs = get_cell("rs")
    units = rs.written_equations()
    equations = rs.equations.replace("+ I)/C : volt", "+ (vp - v)/Rs)/C : volt") + (
        "\ndvp/dt = (I - (vp - v)/Rs)/Cp : volt\nRs : ohm (constant)\nCp : farad (constant)\n"
    )
    values = {k: b2.Quantity(float(x), dim=units[k].dim) for k, x in rs.parameters.items()}
    return CellModel(
        name="with pipette", equations=equations, voltage=recorded, method="rk4",
        parameters=values | {"Rs": 10 * Mohm, "Cp": 2 * pF}, dt=12.5 * b2.us,
        initial=dict(rs.initial),
    )  # fmt: skip


def test_which_of_two_potentials_is_recorded_does_not_change_the_cell():
    rests = [Dynamics(two_potentials(name)).rest() for name in ("v", "vp")]
    np.testing.assert_allclose(rests[0], rests[1], atol=1e-9)
    assert np.isfinite(rests[0]).all()
    current = np.zeros((1, 2000))
    current[0, 200:] = 600e-12
    protocol = Protocol(waveforms=current, rate=4e4, family="arbitrary")
    found = [record(two_potentials(name), protocol, seed=1)[0] for name in ("v", "vp")]
    counts = [len(recording.truth.spike_times[0]) for recording in found]
    assert counts[0] == counts[1] > 0
    assert not any(recording.findings for recording in found)


def test_equations_of_brian2_are_taken():
    text = "dv/dt = (gL*(EL - v) + I)/C + k*u*mV/tau : volt (unless refractory)\nk : integer (constant)"
    given = Equations(text + "\nu = 2 : 1 (constant over dt)", tau=10 * ms)
    made = cell(equations=given, parameters=VALUES | {"k": 1}, refractory=1 * ms, **RESET)
    again = made.written_equations()
    assert {n: e.flags for n, e in again.items()} == {n: e.flags for n, e in given.items()}
    assert {n: e.dim for n, e in again.items()} == {n: e.dim for n, e in given.items()}
    assert made.with_parameters(C=50 * pF).equations == made.equations


@pytest.mark.parametrize(
    "period", [0 * ms, 0.5 * second, 1 * second, 2 * ms, "2*ms", "v > -60*mV", None, False]
)
def test_refractory_periods(period, monkeypatch):
    """As Brian2's own loop."""
    monkeypatch.setitem(b2.prefs, "codegen.target", "numpy")
    cells = cell(refractory=period, spike_level=-50 * mV, **RESET)
    current = np.full((1, 2000), 300e-12)
    protocol = Protocol(waveforms=current, rate=2e4, family="arbitrary")
    ours, stock = (
        record(cells, protocol, seed=1, backend=backend)[0].truth.spike_counts.tolist()
        for backend in ("compiled", "brian2")
    )
    assert ours == stock
    assert ours[0] >= 1


def test_refractory_periods_that_print_alike_are_two():
    alike = [cell(refractory=t * ms, **RESET) for t in (1, 1 + 1e-12)]
    assert str(alike[0].refractory * second) == str(alike[1].refractory * second)
    assert alike[0].refractory != alike[1].refractory


REFUSED = [
    (lambda: cell(equations=[LEAK]), InputError, "must be a text"),
    (
        lambda: cell(equations=LEAK.replace("I", "I + stim(t)")),
        InputError,
        "use stim.*TimedArrays",
    ),
    (
        lambda: cell(parameters=VALUES | {"stim": TimedArray([1, 2] * pA, dt=1 * ms)}),
        InputError,
        "stim must be one finite value",
    ),
    (lambda: cell(equations=LEAK.replace("I", "I + i*pA")), InputError, "use i or N"),
    (lambda: cell(equations=LEAK + "\nw : 1 (shared)"), InputError, "without a value: w"),
    (
        lambda: cell(
            equations=LEAK + "\nw : siemens (shared)", parameters=VALUES | {"w": 1 * nS}
        ),
        InputError,
        "'w' of 'm' is shared",
    ),
    (lambda: cell(initial={"w": 1}), InputError, "names 'w', which is no state"),
    (lambda: cell(refractory=2 * ms), InputError, "refractory but no threshold"),
    (lambda: cell(refractory=5, **RESET), UnitError, "has no unit"),
    (lambda: cell(refractory=True, **RESET), UnitError, "must be a value in ms, got True"),
    (lambda: cell(refractory=-1 * ms, **RESET), InputError, "0 s or more"),
    (lambda: cell(refractory=inf * ms, **RESET), UnitError, "finite"),
    (lambda: cell(refractory=[1, 2] * ms, **RESET), UnitError, "one value"),
    (lambda: cell(refractory="2 +", **RESET), InputError, "is no expression"),
    (lambda: cell(threshold="v > vt"), InputError, "threshold of 'm' use vt"),
    (
        lambda: cell(refractory="2*mV", **RESET),
        UnitError,
        r"refractory='2\*mV' is neither a time nor a condition",
    ),
    (
        lambda: record(
            cell(equations=LEAK.replace("I", "I + s*pA") + "\ns = randn() : 1"), QUIET
        ),
        InputError,
        "stateful function",
    ),
    (lambda: cell(initial={"v": "-70 mOhm"}), UnitError, "has the wrong unit"),
]


@pytest.mark.parametrize(("make", "error", "message"), REFUSED)
def test_what_a_model_cannot_be(make, error, message):
    with pytest.raises(error, match=message):
        make()
    assert issubclass(error, CleoLikeError)


def test_times_and_potentials_may_be_texts():
    assert cell(refractory="2 ms", **RESET).refractory == pytest.approx(2e-3)
    assert cell(initial={"v": "-70 mV"}).initial["v"] == pytest.approx(-0.07)


def test_initial_values_may_be_expressions_with_units():
    start = Dynamics(cell(initial={"v": "EL + 5*mV"})).start(cell().parameters, 1)
    assert start[0, 0] == pytest.approx(-0.065)
