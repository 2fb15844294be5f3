"""The small helpers of Cleo, against their definitions."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms, mV, second

from cleo_like import utilities
from cleo_like.core import InputError, UnitError, UnsupportedError
from cleo_like.utilities import rng, set_seed


def test_one_seed_repeats_the_numbers_of_a_script():
    """`rng` is one object for good, so that it can be imported by name."""
    set_seed(42)
    first = rng.random(3)
    set_seed(42)
    assert np.array_equal(utilities.rng.random(3), first)
    assert np.array_equal(first, np.random.default_rng(42).random(3))
    set_seed(None)
    assert not np.array_equal(rng.random(3), first)


def test_quantities_are_joined_with_their_units():
    joined = utilities.unit_safe_append([1, 2] * ms, [3] * second)
    assert np.array_equal(np.asarray(joined), [0.001, 0.002, 3])
    assert b2.get_dimensions(joined) is second.dim
    assert utilities.unit_safe_append(np.array([1, 2]), 3).tolist() == [1, 2, 3]
    rows = utilities.unit_safe_append([[1, 2]] * ms, [[3, 4]] * ms, axis=0)
    assert rows.shape == (2, 2)
    both = utilities.unit_safe_cat([[1] * mV, [2, 3] * mV])
    assert np.asarray(both) == pytest.approx([0.001, 0.002, 0.003])
    for wrong in (
        lambda: utilities.unit_safe_append([1] * ms, [1] * mV),
        lambda: utilities.unit_safe_cat([[1] * ms, [1]]),
        lambda: utilities.unit_safe_allclose(1 * ms, 1 * mV),
    ):
        with pytest.raises(UnitError, match="must have one dimension"):
            wrong()
    with pytest.raises(InputError, match="at least one"):
        utilities.unit_safe_cat([])


@pytest.mark.parametrize(("other", "same"), [(1 + 0.9e-5, True), (1 + 1.1e-5, False)])
def test_closeness_is_relative(other, same):
    for unit in (b2.second, b2.usecond):
        assert utilities.unit_safe_allclose(1 * unit, other * unit) is same


def test_rounding_is_in_the_unit_that_is_shown():
    assert utilities.unit_safe_round(1.2345 * ms, 2) == 1.23 * ms
    assert utilities.unit_safe_round([1.26, 2.31] * mV, 1)[0] / mV == pytest.approx(1.3)
    assert utilities.unit_safe_round(1.26, 1) == 1.3


def test_variables_are_added_to_a_group():
    group = b2.NeuronGroup(3, "v : volt", namespace={})
    utilities.modify_model_with_eqs(
        group, "w : volt\nshift : volt (shared)\ntotal = v + w : volt"
    )
    group.w, group.v, group.shift = [1, 2, 3] * mV, 10 * mV, 2 * mV
    assert np.asarray(group.total) == pytest.approx([0.011, 0.012, 0.013])
    b2.Network(group).run(0.2 * ms)
    utilities.modify_model_with_eqs(group, "w : volt")  # is there already
    assert np.asarray(group.w) == pytest.approx([0.001, 0.002, 0.003])
    with pytest.raises(InputError, match="has a variable 'w' in"):
        utilities.modify_model_with_eqs(group, "w : amp")
    with pytest.raises(UnsupportedError, match="would not be integrated"):
        utilities.modify_model_with_eqs(group, "dz/dt = -z/ms : 1")


def test_a_cylinder_of_any_direction():
    r, theta, z = utilities.uniform_cylinder_rθz(500, 2.0, 5.0)
    assert r.max() < 2
    assert ((z > 0) & (z < 5)).all()
    start, end = np.array([1.0, 0, 2]), np.array([4.0, 4, 2])
    places = np.stack(utilities.xyz_from_rθz(r, theta, z, start, end), axis=1)
    along = (places - start) @ (end - start) / 5
    assert along == pytest.approx(z)
    across = np.linalg.norm(places - start - np.outer(along, (end - start) / 5), axis=1)
    assert across == pytest.approx(r)


# read off Cleo 0.20, which says it follows Bruton
@pytest.mark.parametrize(
    ("nm", "rgb"),
    [
        (350, (0.3817, 0, 0.3817)), (400, (0.4372, 0, 0.6048)), (473, (0, 0.7172, 1)),
        (500, (0, 1, 0.5743)), (560, (0.7640, 1, 0)), (600, (1, 0.7451, 0)),
        (700, (0.6939, 0, 0)), (1060, (0.3817, 0, 0)),
    ],
)  # fmt: skip
def test_colours_of_light(nm, rgb):
    found = utilities.wavelength_to_rgb(nm * b2.nmeter)
    assert found == pytest.approx(rgb, abs=1e-4)
    assert all(type(channel) is float for channel in found)


def test_a_wavelength_has_a_unit():
    with pytest.raises(UnitError, match=r"did you mean 473\*nmeter"):
        utilities.wavelength_to_rgb(473)


def test_signals_for_neo():
    neo = pytest.importorskip("neo")
    regular = utilities.analog_signal([0, 1, 2] * ms, [1, 2, 3], "mV")
    assert isinstance(regular, neo.AnalogSignal)
    assert regular.times.rescale("ms").magnitude == pytest.approx([0, 1, 2])
    assert str(regular.units) == "1.0 mV"
    uneven = utilities.analog_signal([0, 1, 3] * ms, [1, 2, 3])
    assert isinstance(uneven, neo.IrregularlySampledSignal)
    segment = neo.Segment()
    utilities.add_to_neo_segment(segment, regular, uneven)
    assert len(segment.analogsignals) == len(segment.irregularlysampledsignals) == 1
    with pytest.raises(InputError, match="as many times as values"):
        utilities.analog_signal([0, 1] * ms, [1, 2, 3])
    with pytest.raises(InputError, match="not list"):
        utilities.add_to_neo_segment(segment, [regular])


@pytest.mark.parametrize(
    ("times", "regular"), [([0, 1, 2], True), ([0, 1, 3], False), ([0], False), ([], False)]
)
def test_regular_times(times, regular):
    assert utilities.times_are_regular(times * ms) is regular
    assert utilities.times_are_regular(times) is regular
