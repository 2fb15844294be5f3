"""Quantities of other packages: the oracle is the package's own conversion to SI."""

import datetime
import json

import numpy as np
import pandas as pd
import pytest
import quantities as pq
from brian2 import NeuronGroup, mV, nS, pA, uvolt, volt

from cleo_like.cells import get_cell
from cleo_like.core import (
    Cell,
    Epoch,
    InputError,
    Protocol,
    Provenance,
    Sweep,
    Traces,
    UnitError,
)
from cleo_like.core.units import carries_unit, celsius, degrees, number, si, si_array
from cleo_like.core.units.dimensions import dimension_of, has_unit
from cleo_like.core.units.table import UNITS, show, si_of_text


def of_pint():
    pint = pytest.importorskip("pint")
    return pint.UnitRegistry()


def of_astropy():
    return pytest.importorskip("astropy.units")


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=0)


# (symbol in SI, text that each package understands)
SAME = [("A", "pA"), ("V", "mV"), ("s", "ms"), ("Hz", "kHz"), ("S", "nS"), ("m", "um")]


@pytest.mark.parametrize(("symbol", "unit"), [*SAME, ("F", "pF"), ("ohm", "Mohm")])
def test_pint_scalars_and_arrays(symbol, unit):
    u = of_pint()
    for values in (3.0, 7, np.array([1.0, 2.0]), np.array([100, 30_000], dtype=np.int16)):
        wanted = np.asarray(values, float) * u(unit).to_base_units().magnitude
        close(si_array(u.Quantity(values, unit), symbol, "x"), wanted)
    close(si_array([1 * u(unit), 2 * u(unit)], symbol, "x"), wanted_list(u(unit)))


def wanted_list(one):
    return np.array([1.0, 2.0]) * one.to_base_units().magnitude


def test_pint_in_a_registry_of_another_system():
    u = of_pint()
    u.default_system = "cgs"
    close(si(5 * u.um, "m", "x"), 5e-6)
    close(si(200 * u.Mohm, "ohm", "x"), 2e8)


@pytest.mark.parametrize(("symbol", "unit"), SAME)
def test_astropy_scalars_and_arrays(symbol, unit):
    one = of_astropy().Unit(unit)
    for values in (3.0, np.array([1.0, 2.0]), np.array([[1.0], [2.0]])):
        close(si_array(values * one, symbol, "x"), (values * one).si.value)
    close(si_array([1 * one, 2 * one], symbol, "x"), np.array([1.0, 2.0]) * (1 * one).si.value)


@pytest.mark.parametrize(("symbol", "unit"), SAME)
def test_quantities_scalars_and_arrays(symbol, unit):
    for values in (3.0, np.array([1.0, 2.0]), np.array([100, 30_000], dtype=np.int16)):
        wanted = np.asarray(values, float) * float(pq.Quantity(1, unit).simplified.magnitude)
        close(si_array(pq.Quantity(values, unit), symbol, "x"), wanted)


def test_half_precision_keeps_its_value():
    """1e-12 does not fit into float16: the numbers are widened before they are scaled."""
    close(si_array(pq.Quantity(np.array([3.0], np.float16), "pA"), "A", "x"), [3e-12])


def test_unyt_is_understood():
    unyt = pytest.importorskip("unyt")
    close(si_array(unyt.unyt_array([1, 2], "pA"), "A", "x"), [1e-12, 2e-12])
    close(celsius(unyt.unyt_quantity(34, "degC"), "x"), 34)


LISTS = [
    [1 * mV, 500 * uvolt],
    (1 * mV, 500 * uvolt),
    [1 * pq.mV, 500 * pq.uV],
    [1 * mV, 500 * pq.uV],
    ["1 mV", "500 uV"],
    np.array(["1 mV", "500 uV"]),
    [1, 0.5] * mV,
    pd.Series([1.0, 0.5]).to_numpy() * pq.mV,
]


@pytest.mark.parametrize("values", LISTS, ids=repr)
def test_lists_of_any_scale(values):
    close(si_array(values, "V", "x"), [1e-3, 5e-4])
    close(Sweep(response=values, rate=2e4).response, [1e-3, 5e-4])


def test_arrays_and_series_of_objects():
    items = np.empty(2, dtype=object)
    items[:] = [1 * pq.mV, 500 * pq.uV]
    close(Sweep(response=items, rate=2e4).response, [1e-3, 5e-4])
    close(Sweep(response=pd.Series(list(items), dtype=object), rate=2e4).response, [1e-3, 5e-4])
    close(Sweep(response=pd.Series([-0.07, -0.06]), rate=2e4).response, [-0.07, -0.06])


def test_a_unit_beside_the_numbers():
    series = pd.Series([1.0, 2.0])
    series.attrs["units"] = "mV"
    close(Sweep(response=series, rate=2e4).response, [1e-3, 2e-3])
    series.attrs["units"] = "pA"
    with pytest.raises(UnitError, match="expected a unit of V such as mV, got 'pA'"):
        Sweep(response=series, rate=2e4)


def test_durations_and_brian_views():
    assert si(np.timedelta64(5, "ms"), "s", "x") == 0.005
    assert si(datetime.timedelta(seconds=1.5), "s", "x") == 1.5
    close(si_array(pd.Series(pd.to_timedelta([1, 2], unit="ms")), "s", "x"), [1e-3, 2e-3])
    group = NeuronGroup(2, "v : volt")
    group.v = [1, 2] * mV
    close(si_array(group.v, "V", "x"), [1e-3, 2e-3])
    close(si(volt, "V", "x"), 1.0)


def test_masked_samples_are_missing():
    masked = np.ma.MaskedArray([1.0, 2.0], mask=[False, True])
    np.testing.assert_array_equal(Sweep(response=masked, rate=2e4).response, [1.0, np.nan])


def test_a_converted_number_keeps_its_dimension():
    conductance = get_cell("passive").parameters["gL"]
    assert si(conductance, "S", "x") == 5e-9
    with pytest.raises(UnitError, match="must be in mV"):
        si(conductance, "V", "x")


class Strange:
    units = 5


REFUSED = [
    ([1 * mV, 2.0], "V", r"x\[1\]=2.0 has no unit; did you mean 2.0\*mV"),
    ([1 * mV, None], "V", r"x\[1\] must be a value in mV, got None"),
    ([[1 * mV], [1 * mV, 2 * mV]], "V", "must be a regular array"),
    ([1 * mV, 2 * pA], "V", r"x\[1\] must be in mV .* dimension A"),
    (Strange(), "V", "x, in mV: cannot read the unit of a Strange"),
    ((1 + 2j) * mV, "V", "real numbers are needed, got complex128"),
    (True, "V", "must be a value in mV, got True"),
    ([1, 2] * nS, "V", "must be in mV"),
    (np.array([5]), "V", r"x=\[5\] has no unit"),
    ("1e400 mV", "V", "must be a finite value in mV, got inf"),
    ("5 MV/s", "V", "expected a unit of V such as mV, got 'MV/s'"),
    ("5 mS", "s", "expected a unit of s such as ms, got 'mS'"),
    ("1,5 mV", "V", "expected a unit of V such as mV|is not a number"),
    (5 * pq.mV, "1", "x must be a pure number, got 5.0 mV"),
    ("5 mV", "1", "expected a pure number, got the unit 'mV'"),
    (b"5 pA", "V", "got 'pA'"),
]


@pytest.mark.parametrize(("value", "unit", "message"), REFUSED)
def test_what_is_no_such_quantity_is_refused(value, unit, message):
    with pytest.raises(UnitError, match=message):
        si(value, unit, "x")


def test_every_hint_is_a_unit_of_its_dimension():
    """What an error says to write in Python exists in Brian2, and what it says to type works."""
    import brian2

    for symbol, unit in UNITS.items():
        if symbol in ("1", "rad"):
            continue
        written = 100 * eval(unit.code, vars(brian2))
        close(si(written, symbol, "x"), si(f"100 {unit.text}", symbol, "x"))
        with pytest.raises(
            UnitError, match=rf"x=100 has no unit; did you mean 100\*{unit.code}"
        ):
            si(100, symbol, "x")
        with pytest.raises(UnitError, match=f"did you mean '100 {unit.text}'"):
            si("100", symbol, "x")


def test_texts_of_an_unknown_unit():
    assert si_of_text("10 nS", "x") == ("S", pytest.approx(1e-8))
    assert si_of_text("−70 mV", "x") == ("V", pytest.approx(-0.07))
    assert si_of_text("2 M", "x") == ("M", pytest.approx(2e3))
    for text in ("5", "5 parsec", "mV"):
        with pytest.raises(UnitError, match="write for example '10 nS'"):
            si_of_text(text, "x")


def test_pure_numbers_angles_and_temperatures():
    assert number(3, "x") == number("3", "x") == 3
    assert number("50 %", "x") == number(50 * pq.percent, "x") == 0.5
    assert number(1 * mV / (2 * mV), "x") == 0.5
    assert si("90 deg", "rad", "x") == si(90 * pq.deg, "rad", "x") == pytest.approx(np.pi / 2)
    assert degrees(90, "x") == degrees("90", "x") == 90
    assert degrees(np.pi / 2 * pq.rad, "x") == degrees("90°", "x") == pytest.approx(90)
    for value in (34, "34", "34 degC", "34 °C", 307.15 * pq.K, 34 * pq.degC, "307.15 K"):
        assert celsius(value, "x") == pytest.approx(34, abs=1e-9)
        assert Cell(id="c", temperature=value).temperature == pytest.approx(34, abs=1e-9)
    assert celsius(93.2 * pq.degF, "x") == pytest.approx(34, abs=1e-9)
    with pytest.raises(UnitError, match="temperature must be in kelvin"):
        Cell(id="c", temperature=34 * mV)
    assert Cell(id="c", temperature=float("nan")).temperature is None


def test_an_angle_per_time_is_no_frequency():
    """20 rad/s are 3.2 Hz; packages that take an angle for 1 would give 20."""
    for make in (
        lambda: pq.Quantity(20, "rad/s"), lambda: of_pint()("20 rad/s"), lambda: of_pint()("20 rpm"),
        lambda: 20 * of_astropy().Unit("rad/s"),
    ):  # fmt: skip
        with pytest.raises(
            UnitError, match=r"an angle per something; .* divide it by 2\*pi\*rad"
        ):
            si(make(), "Hz", "rate")
    assert si(20 * pq.rad / pq.s / (2 * np.pi * pq.rad), "Hz", "rate") == pytest.approx(3.1831)


def test_a_unit_alone_is_one_of_it():
    assert float(protocol(holding=pq.pA).holding) == pytest.approx(1e-12)
    with pytest.raises(InputError, match="must be 1-D"):
        Sweep(response=pq.mV, rate=2e4)


def test_offsets_of_pint_and_astropy():
    assert celsius(of_pint().Quantity(34, "degC"), "x") == pytest.approx(34, abs=1e-9)
    assert celsius(34 * of_astropy().deg_C, "x") == pytest.approx(34, abs=1e-9)


def test_values_are_shown_in_the_unit_that_people_read():
    assert [show(1e-10, "A"), show(-0.07, "V"), show(2e8, "ohm"), show(0.5, "1")] == [
        "100 pA", "-70 mV", "200 MOhm", "0.5",
    ]  # fmt: skip


def test_has_unit_looks_at_the_value_carries_unit_into_it():
    assert not has_unit(5.0)
    assert not has_unit("5 mV")
    assert carries_unit("5 mV")
    assert has_unit(5 * mV)
    assert not carries_unit([[1.0, 2.0], [3.0, 4.0]])
    assert carries_unit([[1.0], [2 * mV]])
    assert dimension_of(np.zeros(3)) is None


# the mode decides the unit of command and response


def protocol(**changes):
    fields = {"waveforms": np.zeros((2, 4)), "rate": 2e4, "family": "arbitrary"}
    return Protocol(**fields | changes)


def test_holding_is_converted_and_of_the_unit_of_the_mode():
    for holding in (5 * pA, 5 * pq.pA, "5 pA", np.array(5) * pA, [5 * pA]):
        assert protocol(holding=holding).holding == pytest.approx(5e-12)
    assert protocol(holding=5e-12).holding == 5e-12
    held = protocol(mode="voltage_clamp", holding=-70 * pq.mV)
    assert held.holding == pytest.approx(-0.07)
    with pytest.raises(UnitError, match=r"holding must be in pA .* mode is current_clamp"):
        protocol(holding=5 * mV)
    with pytest.raises(UnitError, match=r"holding must be in mV .* mode is voltage_clamp"):
        protocol(mode="voltage_clamp", holding=5 * pA)
    with pytest.raises(UnitError, match="holding must be one value"):
        protocol(holding=[1, 2] * pA)
    with pytest.raises(UnitError, match="holding must be a finite value"):
        protocol(holding=np.nan)


def test_samples_are_of_the_unit_of_the_mode():
    with pytest.raises(UnitError, match=r"response must be in mV .* mode is current_clamp"):
        Sweep(response=[1, 2] * pA, rate=2e4)
    with pytest.raises(UnitError, match=r"command must be in mV .* mode is voltage_clamp"):
        Sweep(response=[1, 2] * pA, command=[1, 2] * pA, rate=2e4, mode="voltage_clamp")
    unknown = Sweep(response=[1, 2] * pA, command=[1, 2] * pA, rate=2e4, mode="unknown")
    close(unknown.response, [1e-12, 2e-12])
    with pytest.raises(UnitError, match="waveforms must be in pA"):
        protocol(waveforms=np.zeros((2, 4)) * mV)
    with pytest.raises(UnitError, match="must be in one unit, got A and V side by side"):
        Sweep(response=[1 * mV, 1 * pA], rate=2e4, mode="unknown")
    step = Epoch(name="step", start=0, stop=2, levels=[1, 2] * mV)
    with pytest.raises(
        UnitError, match=r"the levels of Epoch step .* are in V; mode is current"
    ):
        protocol(epochs=[step])
    assert protocol(epochs=[step], mode="voltage_clamp").epochs[0].levels[1] == 2e-3


def test_what_goes_into_mappings_is_si():
    sweep = Sweep(response=[-0.07], rate=2e4, settings={"bridge": 5 * pq.MOhm, "who": "me"})
    assert dict(sweep.settings) == {"bridge": 5e6, "who": "me"}
    made = Provenance(source="x", parameters={"dt": 25 * pq.us, "list": [1, 2] * mV})
    assert json.loads(made.to_json())["parameters"]["dt"] == pytest.approx(25e-6)
    traces = Traces(
        fluorescence=np.zeros((2, 2)), times=[0, 100] * pq.ms, exposure=5 * pq.ms,
        rois={"radius": [5, 6] * pq.um},
    )  # fmt: skip
    assert (traces.exposure, traces.times[1]) == (pytest.approx(5e-3), pytest.approx(0.1))
    close(traces.rois["radius"], [5e-6, 6e-6])
