"""Units of models and populations: what is forgotten or wrong is said when the model is made."""

import attrs
import brian2 as b2
import numpy as np
import pytest
import quantities as pq
from brian2 import Equations, ms, mV, nS, pA, pF

from cleo_like.cells import CellModel, Population, cell_names, get_cell, known_answers, rheobase
from cleo_like.core import InputError, UnitError

EQUATIONS = "dv/dt = (gL*(EL - v) + I)/C : volt"
VALUES = {"gL": 10 * nS, "EL": -70 * mV, "C": 100 * pF}


def model(equations=EQUATIONS, **given):
    fields = {
        k: given.pop(k) for k in list(given) if k in {f.name for f in attrs.fields(CellModel)}
    }
    return CellModel(name="m", equations=equations, parameters=VALUES | given, **fields)


SPIKING = {"threshold": "v > -50*mV", "reset": "v = EL"}
REFUSED = [
    ({"EL": -70}, UnitError, r"EL=-70 has no unit; did you mean -70\*mV\?"),
    ({"EL": -0.07}, UnitError, r"EL=-0.07 has no unit; did you mean -0.07\*mV\?"),
    ({"gL": 10, "EL": -70}, UnitError, r"gL=10 .* 10\*nS\?; EL=-70 .* -70\*mV"),
    ({"gL": 10 * mV}, UnitError, r"gL must be in nS \(or another unit of S\)"),
    ({"C": 100 * pq.um}, UnitError, "C must be in pF"),
    ({"gL": [1] * nS}, InputError, "gL must be one finite value"),
    ({"gL": np.nan * nS}, InputError, "gL must be one finite value"),
    ({"gL": 1j * nS}, UnitError, "gL: real numbers are needed"),
    ({"gL": True}, UnitError, "gL: real numbers are needed, got bool"),
    ({"gL": "10 parsec"}, UnitError, "write for example '10 nS'"),
    ({"initial": {"v": -65}}, UnitError, r"did you mean -65\*mV"),
    ({"initial": {"v": 5 * pA}}, UnitError, "has the wrong unit"),
    ({"initial": {"V": -65 * mV}}, InputError, "no state of 'm'; it has v"),
    ({"initial": {"v": "EL + foo"}}, InputError, "uses 'foo', which has no value"),
    ({"initial": {"v": "C"}}, UnitError, "units of 'm' do not fit"),
    ({**SPIKING, "refractory": 5}, UnitError, r"refractory=5 has no unit; did you mean 5\*ms"),
    ({**SPIKING, "refractory": "C"}, UnitError, "refractory"),
    ({"threshold": "v > 5*pA", "reset": "v = EL"}, UnitError, "do not fit"),
    ({"threshold": "v > -50*mV", "reset": "v = C"}, UnitError, "do not fit"),
    (
        {"threshold": "v > -50*mV", "reset": "v = EL; w += 1"},
        InputError,
        "the reset of 'm' use w: no variable",
    ),
    ({"spike_level": "C"}, UnitError, "'C' is in farad, not a potential"),
    ({"dt": 0 * ms}, InputError, "dt must be above 0 ms"),
    ({"equations": "dv/dt = (-v + I/pA)/(10*ms) : 1"}, UnitError, "'v' of 'm' must be in volt"),
    ({"initial": [1]}, InputError, "initial must be a mapping of names to values"),
]


@pytest.mark.parametrize(("given", "error", "message"), REFUSED)
def test_wrong_units_are_refused_when_the_model_is_made(given, error, message):
    with pytest.raises(error, match=message):
        model(**given)


def test_a_name_without_a_value_is_said_when_the_model_is_made():
    for equations, name in [
        (EQUATIONS.replace("EL", "Erest"), "Erest"),
        (EQUATIONS.replace("+ I", "+ I + stim(t)"), "stim"),
    ]:
        with pytest.raises(InputError, match=f"the equations of 'm' use {name}: no variable"):
            model(equations)


@pytest.mark.parametrize(
    "given",
    [
        {"gL": "10 nS", "EL": "-70mV"},
        {"gL": 10 * pq.nS, "C": 100 * pq.pF},
        {"C": get_cell("passive").parameters["C"]},
        {"initial": {"v": -0.065}},
        {"initial": {"v": -65 * pq.mV}},
        {"initial": {"v": "EL + 5*mV"}},
        {"spike_level": "-20 mV"},
        {**SPIKING, "refractory": "2*ms"},
        {**SPIKING, "refractory": "2 ms"},
        {**SPIKING, "refractory": 2 * pq.ms},
    ],
)
def test_every_way_to_write_a_value(given):
    made = model(**given)
    assert dict(made.parameters) == pytest.approx({"gL": 1e-8, "EL": -0.07, "C": 1e-10})
    assert known_answers(made).input_resistance == pytest.approx(1e8)


def test_a_bare_start_in_volt_is_taken_up_to_one_volt():
    assert model(initial={"v": 1.0}).initial["v"] == 1.0
    with pytest.raises(UnitError, match=r"initial v=1.001 V is no potential"):
        model(initial={"v": 1.001})


def test_values_of_another_model_keep_their_units():
    taken = CellModel(
        name="again", equations=EQUATIONS, parameters=dict(get_cell("passive").parameters)
    )
    assert known_answers(taken).time_constant == pytest.approx(0.02)
    with pytest.raises(UnitError, match="EL must be in mV"):
        model(EL=get_cell("passive").parameters["gL"])


@pytest.mark.parametrize("name", cell_names())
def test_equations_objects_are_taken(name):
    """Brian2's own object instead of its text: the same known answers."""
    cell = get_cell(name)
    again = attrs.evolve(cell, equations=Equations(cell.equations), name="again")
    for found, wanted in zip(
        *(attrs.astuple(known_answers(m)) for m in (again, cell)), strict=True
    ):
        assert found == pytest.approx(wanted, nan_ok=True)


def test_replaced_values_are_quantities_or_si():
    cell = get_cell("passive")
    for half in (2.5 * nS, 2.5 * pq.nS, 2.5e-9):
        assert known_answers(cell, {"gL": half}).input_resistance == pytest.approx(4e8)
    with pytest.raises(
        UnitError, match=r"gL=.* has the wrong unit; the model has it in siemens"
    ):
        known_answers(cell, {"gL": 5 * mV})
    with pytest.raises(InputError, match="has no parameter gX"):
        rheobase(cell, parameters={"gX": 5 * nS})


def test_populations_take_quantities():
    cell = get_cell("passive")
    for values in ([5, 6] * nS, [5 * nS, 6 * pq.nS], [5, 6] * pq.nS, ["5 nS", "6 nS"]):
        made = Population(model=cell, parameters={"gL": values})
        np.testing.assert_allclose(made.parameters["gL"], [5e-9, 6e-9])
        again = attrs.evolve(made, name="again")
        np.testing.assert_array_equal(again.parameters["gL"], made.parameters["gL"])
    for values, message in [
        ([5e-9, 6e-9], "gL has no unit; multiply the array by nS"),
        ([5, 6] * mV, "gL has the wrong unit; the model has it in siemens"),
    ]:
        with pytest.raises(UnitError, match=message):
            Population(model=cell, parameters={"gL": values})
    with pytest.raises(InputError, match=r"'passive' has no parameter 'gX'; it has EL, gL, C"):
        Population(model=cell, parameters={"gX": [1, 2] * nS})


def test_the_spread_of_a_draw_is_a_pure_number_from_zero_on():
    cell = get_cell("passive")
    drawn = Population.draw(cell, 3, {"gL": 0}, seed=1)
    np.testing.assert_allclose(drawn.parameters["gL"], 5e-9)
    assert len(Population.draw(cell, 1, {"gL": "30 %"}, seed=1)) == 1
    for spread, error in ((-1e-9, InputError), (0.3 * nS, UnitError), (np.nan, UnitError)):
        with pytest.raises(error):
            Population.draw(cell, 3, {"gL": spread}, seed=1)


def test_an_area_is_a_parameter_like_others():
    """Densities of a text-book: Brian2 writes m^2 as a word that its equations do not read."""
    from cleo_like import Protocol, record
    from cleo_like.cells import CellModel

    protocol = Protocol(waveforms=np.full((1, 4000), -50e-12), rate=2e4, family="arbitrary")
    ends = []
    for declared in ("", "area : metre**2 (constant)", "area : meter ** 2 (constant)"):
        cell = CellModel(
            name="densities",
            equations=f"dv/dt = (gl*(El - v) + I/area)/Cm : volt\n{declared}",
            parameters={
                "gl": 0.5 * b2.siemens / b2.metre**2, "El": -65 * b2.mV,
                "Cm": 1 * b2.uF / b2.cm**2, "area": 1e-8 * b2.metre**2,
            },
        )  # fmt: skip
        for rig in (None, "multiclamp_700b"):
            made = record(cell, protocol, electrode=rig, seed=1, progress=False)[0]
            ends.append(made.sweeps[0].response[-100:].mean())
    # 0.5 S/m2 on 1e-8 m2 are 5 nS (and 0.2 nS of seal)
    assert ends[::2] == pytest.approx([-0.075] * 3, abs=1e-6)
    assert ends[1::2] == pytest.approx([(5 * -65 - 50) / 5.2e3] * 3, abs=5e-5)
