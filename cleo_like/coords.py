"""Where neurons are: coordinates as variables x, y, z (metre) of a Brian2 group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError, UnitError
from cleo_like.core.units import carries_unit, si_array
from cleo_like.utilities import new_generator
from cleo_like.utilities.geometry import (
    uniform_cylinder_rθz,  # noqa: PLC2403 - Cleo's name
    xyz_from_rθz,  # noqa: PLC2403 - Cleo's name
)

if TYPE_CHECKING:
    from brian2 import NeuronGroup, Unit
    from jaxtyping import Float

    from cleo_like.core.units import Quantity


def assign_coords(neuron_group: NeuronGroup, coords: Quantity) -> None:
    """Give each neuron a place.

    Parameters
    ----------
    neuron_group : brian2.NeuronGroup or brian2.Subgroup
        The group; it gets the variables x, y, z if its model has none.
    coords : quantity, shape (n, 3)
        Places.

    Examples
    --------
    >>> import numpy as np
    >>> from brian2 import NeuronGroup, um
    >>> group = NeuronGroup(2, "v : 1")
    >>> assign_coords(group, [[0, 0, 100], [5, 0, 120]] * um)
    >>> group.z[:]
    array([100., 120.]) * umetre
    """
    from brian2 import metre

    array = si_array(coords, "m", "coords")
    n = len(neuron_group)
    if array.shape != (n, 3):
        msg = f"coords must be of shape ({n}, 3) for {neuron_group.name}, got {array.shape}"
        raise InputError(msg)
    _init_variables(neuron_group)
    for name, column in zip("xyz", array.T, strict=True):
        setattr(neuron_group, name, column * metre)


def assign_xyz(
    neuron_group: NeuronGroup, x: Quantity, y: Quantity, z: Quantity, unit: Unit | None = None
) -> None:
    """Give each neuron a place, coordinate by coordinate.

    Parameters
    ----------
    neuron_group : brian2.NeuronGroup or brian2.Subgroup
        The group.
    x, y, z : array, shape (n,) or (1, n), or number
        Coordinates in `unit`, or quantities.
    unit : quantity, optional
        Unit of bare numbers (default mm).
    """
    n = len(neuron_group)
    columns = [_one_row(_lengths(v, unit, k)) for k, v in zip("xyz", (x, y, z), strict=True)]
    if any(c.shape not in ((), (1,), (n,)) for c in columns):
        shapes = ", ".join(str(c.shape) for c in columns)
        msg = f"x, y, z need {n} values each (or 1) for {neuron_group.name}, got {shapes}"
        raise InputError(msg)
    assign_coords(neuron_group, _metres(np.stack([np.broadcast_to(c, n) for c in columns], 1)))


def assign_coords_grid_rect_prism(  # noqa: PLR0917 - Cleo's signature
    neuron_group: NeuronGroup,
    xlim: Quantity,
    ylim: Quantity,
    zlim: Quantity,
    shape: tuple[int, int, int],
    unit: Unit | None = None,
) -> None:
    """Put neurons on a grid that fills a box, edges included.

    Parameters
    ----------
    neuron_group : brian2.NeuronGroup
        The group, of as many neurons as the grid has points.
    xlim, ylim, zlim : tuple of two
        Edges of the box in `unit`, or quantities.
    shape : tuple of three int
        Points along x, y, z; their product is the number of neurons.
    unit : quantity, optional
        Unit of bare numbers (default mm).

    Examples
    --------
    >>> from brian2 import NeuronGroup
    >>> group = NeuronGroup(4, "v : 1")
    >>> assign_coords_grid_rect_prism(group, (0, 1), (0, 1), (0, 0), shape=(2, 2, 1))
    >>> coords_from_ng(group)[3]
    array([1., 1., 0.]) * mmetre
    """
    n = len(neuron_group)
    if np.shape(shape) != (3,) or int(np.prod(shape)) != n:
        msg = f"shape must be three numbers of product {n} (the neurons), got {shape}"
        raise InputError(msg)
    axes = [
        _points(_limits(lim, unit, k), int(count))
        for k, lim, count in zip("xyz", (xlim, ylim, zlim), shape, strict=True)
    ]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(n, 3)
    assign_coords(neuron_group, _metres(grid))


def assign_coords_rand_rect_prism(
    neuron_group: NeuronGroup,
    xlim: Quantity,
    ylim: Quantity,
    zlim: Quantity,
    unit: Unit | None = None,
    *,
    rng: np.random.Generator | None = None,
) -> None:
    """Put neurons at random in a box.

    Parameters
    ----------
    neuron_group : brian2.NeuronGroup
        The group.
    xlim, ylim, zlim : tuple of two
        Edges of the box in `unit`, or quantities.
    unit : quantity, optional
        Unit of bare numbers (default mm).
    rng : numpy.random.Generator, optional
        Random numbers (default: those of `cleo_like.utilities.set_seed`).
    """
    limits = [_limits(v, unit, k) for k, v in zip("xyz", (xlim, ylim, zlim), strict=True)]
    low, high = np.array(limits).T
    rng = rng if rng is not None else new_generator()
    places = low + (high - low) * rng.random((len(neuron_group), 3))
    assign_coords(neuron_group, _metres(places))


def assign_coords_rand_cylinder(
    neuron_group: NeuronGroup,
    xyz_start: Quantity,
    xyz_end: Quantity,
    radius: Quantity,
    unit: Unit | None = None,
    *,
    rng: np.random.Generator | None = None,
) -> None:
    """Put neurons at random in a cylinder of any direction, uniform in volume.

    Parameters
    ----------
    neuron_group : brian2.NeuronGroup
        The group.
    xyz_start, xyz_end : array, shape (3,)
        Centres of the two ends in `unit`, or quantities.
    radius : number or quantity
        Radius.
    unit : quantity, optional
        Unit of bare numbers (default mm).
    rng : numpy.random.Generator, optional
        Random numbers (default: those of `cleo_like.utilities.set_seed`).
    """
    n = len(neuron_group)
    rng = rng if rng is not None else new_generator()
    along, r, theta = rng.random(n), np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    ends = (xyz_start, xyz_end, radius)
    assign_coords(neuron_group, _metres(_in_cylinder(along, r, theta, ends, unit)))


def assign_coords_uniform_cylinder(
    neuron_group: NeuronGroup,
    xyz_start: Quantity,
    xyz_end: Quantity,
    radius: Quantity,
    unit: Unit | None = None,
) -> None:
    """Spread neurons evenly over a cylinder of any direction, without chance.

    The places are those of `cleo_like.utilities.uniform_cylinder_rθz`.

    Parameters
    ----------
    neuron_group : brian2.NeuronGroup
        The group.
    xyz_start, xyz_end : array, shape (3,)
        Centres of the two ends in `unit`, or quantities.
    radius : number or quantity
        Radius.
    unit : quantity, optional
        Unit of bare numbers (default mm).
    """
    r, theta, along = uniform_cylinder_rθz(len(neuron_group), 1.0, 1.0)
    ends = (xyz_start, xyz_end, radius)
    assign_coords(neuron_group, _metres(_in_cylinder(along, r, theta, ends, unit)))


def coords_from_xyz(x: Quantity, y: Quantity, z: Quantity) -> Any:
    """Join three coordinates (quantities) to places, shape (n, 3)."""
    columns = [si_array(v, "m", k) for k, v in zip("xyz", (x, y, z), strict=True)]
    return _metres(np.stack(np.broadcast_arrays(*columns), axis=-1))


def coords_from_ng(ng: NeuronGroup) -> Any:
    """Give the places of the neurons of a group (quantity, shape (n, 3)).

    Raises
    ------
    InputError
        The group has no coordinates.
    """
    if not has_coords(ng):
        missing = [k for k in "xyz" if k not in ng.variables]
        msg = (
            f"{ng.name} has no coordinates ({', '.join(missing)} missing); "
            f"give it some with cleo_like.coords.assign_coords_*"
        )
        raise InputError(msg)
    _init_variables(ng)  # a subgroup made before its group had coordinates
    return _metres(np.stack([np.array(getattr(ng, f"{k}_")) for k in "xyz"], axis=-1))


def has_coords(group: NeuronGroup) -> bool:
    """Whether the neurons of a group have places."""
    whole = getattr(group, "source", group)
    return all(k in group.variables or k in whole.variables for k in "xyz")


def concat_coords(*coords: Any) -> Any:
    """Join places (quantities of shape (n, 3) or (3,)) to one array."""
    parts = [np.atleast_2d(si_array(c, "m", "coords")) for c in coords]
    return _metres(np.concatenate(parts))


def _init_variables(group: NeuronGroup) -> None:
    """Give a group the variables x, y, z, if its model has none."""
    from brian2 import metre

    source = getattr(group, "source", None)
    if source is not None and hasattr(source, "variables"):
        _init_variables(source)
    for name in "xyz":
        found = group.variables.get(name)
        if found is None and source is not None:
            group.variables.add_reference(name, source)
        elif found is None:
            group.variables.add_array(name, size=len(group), dimensions=metre.dim)
        elif found.dim is not metre.dim:
            msg = (
                f"{group.name} has a variable {name!r} of another unit ({found.unit}); "
                f"rename it: {name} is a coordinate, in metre"
            )
            raise UnitError(msg)


def _lengths(value: object, unit: Unit, name: str) -> np.ndarray:
    """Convert lengths to metre; bare numbers are in the given unit (mm by default)."""
    if carries_unit(value):
        return si_array(value, "m", name)
    factor = 1e-3 if unit is None else float(si_array(unit, "m", "unit"))
    return np.asarray(value, dtype=float) * factor


def _one_row(array: np.ndarray) -> np.ndarray:
    """Take a single row or column as a vector."""
    return array.ravel() if array.ndim == 2 and 1 in array.shape else array


def _limits(value: object, unit: Unit, name: str) -> np.ndarray:
    limits = _lengths(value, unit, f"{name}lim")
    if limits.shape != (2,):
        msg = f"{name}lim must be two edges, got {value}"
        raise InputError(msg)
    return limits


def _points(limits: np.ndarray, count: int) -> np.ndarray:
    return np.linspace(limits[0], limits[1], count)


def _in_cylinder(
    along: np.ndarray,
    r: np.ndarray,
    theta: np.ndarray,
    ends: tuple[Any, Any, Any],
    unit: Unit,
) -> Float[np.ndarray, "n 3"]:
    """Map relative positions (along the axis, from the axis, angle) into a cylinder."""
    start, end = _lengths(ends[0], unit, "xyz_start"), _lengths(ends[1], unit, "xyz_end")
    radius = _lengths(ends[2], unit, "radius")
    if start.shape != (3,) or end.shape != (3,) or radius.shape != () or not radius >= 0:
        msg = f"a cylinder needs two ends (x, y, z) and a radius, got {ends}"
        raise InputError(msg)
    length = float(np.linalg.norm(end - start))
    return np.stack(xyz_from_rθz(radius * r, theta, length * along, start, end), axis=-1)


def _metres(array: np.ndarray) -> Any:
    from brian2 import metre

    return array * metre
