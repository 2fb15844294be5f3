"""Where neurons are put."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import metre, mm, um
from hypothesis import given
from hypothesis import strategies as st

from cleo_like import coords
from cleo_like.core import InputError, UnitError


def make(n=200):
    return b2.NeuronGroup(n, "v : 1")


def test_coordinates_are_given_and_read_back(rng):
    group = make(5)
    places = rng.random((5, 3)) * mm
    coords.assign_coords(group, places)
    assert np.allclose(coords.coords_from_ng(group) / mm, places / mm)
    assert np.allclose(coords.coords_from_xyz(group.x, group.y, group.z) / mm, places / mm)
    coords.assign_xyz(group, [0, 1, 2, 3, 4], 5, 6 * um)
    assert group.x[4] == 4 * mm
    assert (group.y[:] == 5 * mm).all()
    assert (group.z[:] == 6 * um).all()
    assert coords.concat_coords(places, places[0]).shape == (6, 3)


def test_a_model_may_declare_coordinates_itself():
    group = b2.NeuronGroup(2, "x : metre\ny : metre\nz : metre")
    coords.assign_xyz(group, 1, 2, [3, 4])
    assert group.z[1] == 4 * mm
    wrong = b2.NeuronGroup(2, "x : volt")
    with pytest.raises(UnitError, match="'x' of another unit"):
        coords.assign_xyz(wrong, 1, 2, 3)


def test_a_subgroup_gets_its_own_part():
    group = make(6)
    part = group[2:4]
    coords.assign_xyz(part, [1, 2], 0, 0)
    assert np.allclose(group.x / mm, [0, 0, 1, 2, 0, 0])
    assert np.allclose(part.x / mm, [1, 2])
    assert np.allclose(coords.coords_from_ng(part)[:, 0] / mm, [1, 2])


def test_the_grid_has_its_edges_and_the_box_its_limits(rng):
    group = make(24)
    coords.assign_coords_grid_rect_prism(group, (0, 1), (-2, 2), (3, 4), shape=(2, 3, 4))
    places = coords.coords_from_ng(group) / mm
    assert len(np.unique(places, axis=0)) == 24
    assert np.allclose(places.min(0), [0, -2, 3])
    assert np.allclose(places.max(0), [1, 2, 4])
    group = make(5000)
    coords.assign_coords_rand_rect_prism(group, (0, 1), (-2, 2), (3, 4), unit=um, rng=rng)
    places = coords.coords_from_ng(group) / um
    assert np.allclose(places.mean(0), [0.5, 0, 3.5], atol=0.06)
    assert (places.min(0) >= [0, -2, 3]).all()
    assert (places.max(0) <= [1, 2, 4]).all()


direction = st.tuples(*[st.floats(-3, 3)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1)


@given(start=direction, way=direction, uniform=st.booleans())
def test_a_cylinder_lies_along_its_direction(start, way, uniform):
    group = make()
    end = np.add(start, way)
    if uniform:
        coords.assign_coords_uniform_cylinder(group, start, end, 0.5)
    else:
        rng = np.random.default_rng(0)
        coords.assign_coords_rand_cylinder(group, start, end, 0.5, rng=rng)
    relative = np.asarray(coords.coords_from_ng(group) / mm) - start
    length = np.linalg.norm(way)
    along = relative @ np.asarray(way) / length
    across = np.linalg.norm(relative - np.outer(along, way) / length, axis=1)
    assert along.min() >= -1e-9
    assert along.max() <= length + 1e-9
    assert across.max() <= 0.5 + 1e-9
    assert np.ptp(along) > 0.9 * length
    assert np.mean(across**2) == pytest.approx(0.125, abs=0.025)  # uniform in area


def test_wrong_coordinates_are_refused():
    group = make(4)
    with pytest.raises(UnitError, match="coords has no unit"):
        coords.assign_coords(group, np.zeros((4, 3)))
    with pytest.raises(UnitError, match="coords must be in um"):
        coords.assign_coords(group, np.zeros((4, 3)) * b2.ms)
    with pytest.raises(InputError, match=r"shape \(4, 3\)"):
        coords.assign_coords(group, np.zeros((3, 3)) * metre)
    with pytest.raises(InputError, match="product 4"):
        coords.assign_coords_grid_rect_prism(group, (0, 1), (0, 1), (0, 1), shape=(1, 2, 3))
    with pytest.raises(InputError, match="has no coordinates"):
        coords.coords_from_ng(group)
    with pytest.raises(InputError, match="not all zero"):
        coords.assign_coords_rand_cylinder(group, (0, 0, 0), (0, 0, 0), 1)
    with pytest.raises(InputError, match="two edges"):
        coords.assign_coords_rand_rect_prism(group, 1, (0, 1), (0, 1))
