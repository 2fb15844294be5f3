"""Models and populations: what is refused, and that draws are what they say."""

import numpy as np
import pytest
import quantities as pq
from brian2 import mV, nS, pF

from cleo_like.cells import CellModel, Population, get_cell
from cleo_like.core import CleoLikeError, InputError, UnitError, UnknownNameError

EQUATIONS = "dv/dt = (gL*(EL - v) + I)/C : volt\ngL : siemens (constant)"
VALUES = {"gL": 5 * nS, "EL": -70 * mV, "C": 100 * pF}


def model(**changes):
    return CellModel(**{"name": "mine", "equations": EQUATIONS, "parameters": VALUES} | changes)


REFUSED = [
    (lambda: get_cell("rs_"), UnknownNameError, "unknown cell 'rs_'; did you mean 'rs'"),
    (lambda: get_cell("narow_fs"), UnknownNameError, "did you mean 'narrow_fs'"),
    (lambda: model(equations="dv/dt = I/C :"), InputError, "Brian2 cannot read the equations"),
    (
        lambda: model(voltage="vm"),
        InputError,
        r"no differential equation for 'vm'.*there are: v",
    ),
    (lambda: model(current="I_inj"), InputError, "do not use the injected current 'I_inj'"),
    (lambda: model(parameters={"EL": -70 * mV}), InputError, "without a value: gL"),
    (lambda: model(parameters=VALUES | {"gL": 5}), UnitError, "gL=5 has no unit.*siemens"),
    (lambda: model(parameters=VALUES | {"gL": 5 * pF}), UnitError, "gL=.* has the wrong unit"),
    (lambda: model(reset="v = EL"), InputError, "has a reset but no threshold"),
    (lambda: model(spike_level="Vcut"), InputError, "'Vcut' is not a parameter"),
    (lambda: model(spike_level=-20), UnitError, "spike_level=-20 has no unit"),
    (lambda: model(method="rk5"), InputError, "method must be one of auto, rk4"),
    (lambda: model().with_parameters(gK=1 * nS), InputError, "has no parameter gK"),
    (lambda: Population.draw(model(), 0, {"gL": 0.5}, seed=1), InputError, "at least 1 cell"),
    (lambda: Population.draw(model(), 2, {}, seed=1), InputError, "spread names nothing"),
    (
        lambda: Population.draw("passive", 2, {"gL": 0.1}, seed=1),
        InputError,
        r"model must be a CellModel, got 'passive'; get_cell\('passive'\) gives",
    ),
    (
        lambda: Population(model=5, parameters={"gL": [1, 2] * nS}),
        InputError,
        "model must be a CellModel, got 5$",
    ),
    (lambda: Population.draw(model(), 2, {"gL": -1}, seed=1), InputError, ">= 0"),
    (
        lambda: Population.draw(model(), 2, {"gNa": 0.1}, seed=1),
        InputError,
        r"spread names \['gNa'\]",
    ),
]


@pytest.mark.parametrize(("make", "error", "message"), REFUSED)
def test_wrong_models_are_refused_with_the_reason(make, error, message):
    with pytest.raises(error, match=message):
        make()
    assert issubclass(error, CleoLikeError)


def test_quantities_package_is_understood():
    cell = model(parameters=VALUES | {"gL": 5 * pq.nS})
    assert cell.parameters["gL"] == pytest.approx(5e-9)


def test_undeclared_parameters_are_declared_with_their_unit():
    declared = model().brian_equations()
    assert set(declared.parameter_names) == {"gL", "EL", "C"}
    assert str(declared["C"].unit) == "F"
    assert str(declared["EL"].unit) == "V"


def test_log_normal_draws():
    population = Population.draw(get_cell("passive"), 20_000, {"gL": 0.5, "C": 0.35}, seed=3)
    logs = np.log(population.parameters["gL"])
    assert np.median(population.parameters["gL"]) == pytest.approx(5e-9, rel=0.02)
    assert logs.std() == pytest.approx(0.5, rel=0.03)
    assert np.corrcoef(logs, np.log(population.parameters["C"]))[0, 1] == pytest.approx(
        0, abs=0.03
    )


def test_a_seed_gives_the_same_population():
    a, b, c = (Population.draw(get_cell("rs"), 5, {"gL": 0.3}, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(a.parameters["gL"], b.parameters["gL"])
    assert (a.parameters["gL"] != c.parameters["gL"]).all()
    assert a.cell_parameters(2)["gL"] == a.parameters["gL"][2]
    assert a.cell_parameters(2)["gNa"] == get_cell("rs").parameters["gNa"]
