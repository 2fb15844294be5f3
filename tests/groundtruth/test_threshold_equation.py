"""The threshold equation against closed forms, and against cells that are pushed over it."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp
from scipy.special import lambertw

from cleo_like.cells import CellModel, get_cell
from cleo_like.core.errors import UnsupportedError
from cleo_like.groundtruth.cases.chain import FINE, run_cell
from cleo_like.groundtruth.cases.factors import defaults
from cleo_like.groundtruth.cases.plan import Case
from cleo_like.groundtruth.extractors.method import method_named
from cleo_like.groundtruth.extractors.outcome import Outcome
from cleo_like.groundtruth.scores.features import feature_errors, threshold_differences
from cleo_like.groundtruth.scores.tables import threshold_table
from cleo_like.groundtruth.truth.exact import FINEST, truth_of
from cleo_like.groundtruth.truth.threshold_equation import (
    EQUATION,
    Gates,
    equation_thresholds,
)
from tests.groundtruth.conftest import truth_with

SODIUM = """
dv/dt = (gL*(EL - v) + gNa*exp((v - Va)/ka)*h*(ENa - v) + gK*n*(EK - v) + I)/C : volt
dh/dt = (hinf - h)/(4*ms) : 1
dn/dt = (ninf - n)/(6*ms) : 1
hinf = 1/(1 + exp((v + 55*mV)/(6*mV))) : 1
ninf = 1/(1 + exp(-(v + 45*mV)/(8*mV))) : 1
gL : siemens (constant)
gNa : siemens (constant)
gK : siemens (constant)
EL : volt (constant)
ENa : volt (constant)
EK : volt (constant)
Va : volt (constant)
ka : volt (constant)
C : farad (constant)
"""
GNA, GL, GK, VA, KA, ENA = 0.5e-6, 10e-9, 40e-9, -30e-3, 5e-3, 50e-3


@pytest.fixture(scope="module")
def exponential():
    """A cell whose sodium activation is an exponential, as in the paper."""
    from brian2 import mV, nS, pF, uS

    return CellModel(
        name="exponential", equations=SODIUM, initial={"h": 0.9, "n": 0.05},
        parameters={
            "gL": 10 * nS, "gNa": 0.5 * uS, "gK": 40 * nS, "EL": -70 * mV, "ENa": 50 * mV,
            "EK": -90 * mV, "Va": -30 * mV, "ka": 5 * mV, "C": 100 * pF,
        },
    )  # fmt: skip


def closed_form(h, n):
    """gNa h exp((V - Va)/ka) ((ENa - V)/ka - 1) = gL + gK n, by Lambert's W."""
    g = GL + GK * n
    inner = -g / (GNA * h) * np.exp(1 - (ENA - VA) / KA)
    return ENA - KA * (1 - lambertw(inner, -1).real)


def papers_equation(h, n):
    """The paper's own: the driving force is that at Va, and the 1 beside it is left out."""
    return VA - KA * np.log(GNA * h * (ENA - VA) / (KA * (GL + GK * n)))


@pytest.mark.parametrize("h", [0.9, 0.4, 0.1])
@pytest.mark.parametrize("n", [0.02, 0.3])
def test_the_slope_turns_where_the_closed_form_says(exponential, h, n):
    gates = Gates.of(exponential)
    v = np.arange(-75e-3, -30e-3, 1e-6)
    states = np.empty((3, v.size))
    for name, value in (("v", v), ("h", h), ("n", n)):
        states[gates.dynamics.states.index(name)] = value
    slope = gates.slope(states)
    turn = v[np.flatnonzero((slope[:-1] < 0) & (slope[1:] >= 0))]
    assert turn == pytest.approx([closed_form(h, n)], abs=3e-6)
    assert turn == pytest.approx([papers_equation(h, n)], abs=2e-3)  # of the two shortcuts


def test_an_exponential_integrate_and_fire_cell_starts_at_vt():
    """There the equation is exact: the slope vanishes at VT, -50 mV."""
    gates = Gates.of(get_cell("adex_tonic"))
    v = np.arange(-60e-3, -45e-3, 1e-6)
    states = np.zeros((2, v.size))
    states[gates.dynamics.v] = v
    slope = gates.slope(states)
    assert v[int((slope >= 0).argmax())] == pytest.approx(-50e-3, abs=2e-6)


@pytest.mark.parametrize("name", ["rs", "narrow_fs", "wang_buzsaki", "sag"])
def test_no_current_lets_a_cell_with_held_gates_rest_above_it(name):
    """Below it some current balances the membrane; just above, less current means a rise."""
    gates = Gates.of(get_cell(name))
    k, rest = gates.dynamics.v, gates.dynamics.rest()[:, 0]
    v = np.arange(-75e-3, -20e-3, 1e-5)
    states = np.repeat(rest[:, None], v.size, axis=1)
    states[k] = v
    slope, drive = gates.slope(states), gates._driven(states, 0.0)
    turn = v[np.flatnonzero((slope[:-1] < 0) & (slope[1:] >= 0))]
    least = int(drive[: int(slope.argmax())].argmin())
    assert turn == pytest.approx([v[least]], abs=2e-5)
    assert (drive[least + 2 : least + 500] > drive[least]).all()


def test_gates_along_a_potential_are_those_of_the_whole_model():
    """The rs cell integrated by LSODA; its gates from its potential alone."""
    gates = Gates.of(get_cell("rs"))
    dynamics, rate = gates.dynamics, 200e3
    t = np.arange(round(0.06 * rate)) / rate

    def moves(time, x):
        current = 8e-10 if time > 0.01 else 0.0
        return dynamics.rates(x[:, None], current, gates.parameters)[:, 0]

    true = solve_ivp(
        moves, (0, t[-1]), dynamics.rest()[:, 0], "LSODA", t, rtol=1e-9, atol=1e-12,
        max_step=1e-4,
    ).y  # fmt: skip
    assert true[dynamics.v].max() > 0  # it fires
    found = gates.along(true[[dynamics.v]], rate)[:, 0]
    for k, name in enumerate(dynamics.states):
        if not gates.fast[k] and k != dynamics.v:
            assert found[k] == pytest.approx(true[k], abs=2e-4), name
    assert [s for s, fast in zip(dynamics.states, gates.fast, strict=True) if fast] == ["m"]


def test_a_state_that_is_no_gate_is_refused():
    from brian2 import mV, nS, pF

    model = CellModel(
        name="odd",
        equations="""
        dv/dt = (gL*(EL - v) - w*v*nS + I)/C : volt
        dw/dt = w*(1 - w)/(5*ms) : 1
        gL : siemens (constant)
        EL : volt (constant)
        C : farad (constant)
        """,
        parameters={"gL": 5 * nS, "EL": -70 * mV, "C": 100 * pF}, initial={"w": 0.1},
    )  # fmt: skip
    with pytest.raises(UnsupportedError, match="w of odd is no gate"):
        Gates.of(model)


@pytest.fixture(scope="module")
def true_of_rs():
    one = Case(block="b", factors=defaults() | {"cell": "rs", "noise": 0.0}, seed=0, root=1)
    run = run_cell(one)
    return run, truth_of(one, run)


def test_spikes_begin_before_the_native_threshold(true_of_rs):
    """dV/dt of 5 % of the upstroke comes later than the turn of the slope."""
    _, truth = true_of_rs
    own, native = truth.shapes[EQUATION], truth.shapes[FINEST]
    late = native["threshold_v"] - own["threshold_v"]
    assert np.isfinite(late).all()
    assert (late > 0).all()
    assert (late < 15).all()
    assert (own["threshold_t"] < native["threshold_t"]).all()
    assert np.median(native["threshold_t"] - own["threshold_t"]) < 1e-2


def test_the_rate_of_the_potential_does_not_matter(true_of_rs):
    run, truth = true_of_rs
    own = truth.shapes[EQUATION]
    coarse = equation_thresholds(
        run.cell.model, run.voltage[:, ::16], FINE / 16, own["sweep"], own["peak_t"]
    )
    assert coarse["threshold_v"] == pytest.approx(own["threshold_v"], abs=0.02)


def test_it_stands_beside_the_truth_and_in_no_score(true_of_rs):
    _, truth = true_of_rs
    given = Outcome(status="ok", spikes=dict(truth.shapes[FINEST]))
    scored = pd.DataFrame(feature_errors(truth, given, method_named("native"), None))
    assert EQUATION not in set(scored["reference"])
    late = truth.shapes[FINEST]["threshold_v"] - truth.shapes[EQUATION]["threshold_v"]
    rows = threshold_differences(truth, given)
    assert [row["feature"] for row in rows] == ["threshold_v", "threshold_t"]
    assert rows[0]["error"] == pytest.approx(np.median(late))
    who = {"key": "k", "cell": "rs-0", "seed": 0, "extractor": "native"}
    table = threshold_table([("b", "c", {"k"})], pd.DataFrame([who | row for row in rows]))
    assert table["difference"].tolist() == [row["error"] for row in rows]
    assert not {"wrong", "coverage", "between_cells"} & set(table)


def test_a_cell_without_gates_has_none():
    assert threshold_differences(truth_with(), Outcome(status="ok")) == []
