"""Directions and cylinders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float
    from numpy.typing import ArrayLike

    from cleo_like.core.units import Quantity

GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


def normalize_coords(coords: Any) -> Float[np.ndarray, "... 3"]:
    """Scale vectors to length 1.

    Parameters
    ----------
    coords : array or quantity, shape (..., 3)
        Directions; the unit does not matter.

    Examples
    --------
    >>> normalize_coords((0, 0, 2))
    array([0., 0., 1.])
    """
    array = np.asarray(coords, dtype=float)
    length = np.linalg.norm(array, axis=-1, keepdims=True)
    if array.shape[-1:] != (3,) or not np.isfinite(length).all() or (length == 0).any():
        msg = f"a direction needs three numbers that are not all zero, got {coords}"
        raise InputError(msg)
    return array / length


def get_orth_vectors_for_V(  # noqa: N802 - Cleo's name
    V: ArrayLike,  # noqa: N803
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Give two unit vectors at right angles to a direction and to each other.

    Parameters
    ----------
    V : array, shape (3,)
        The direction.

    Returns
    -------
    tuple of array, shape (3,)
        With the direction they form a right-handed frame.

    Examples
    --------
    >>> a, b = get_orth_vectors_for_V((0, 0, 1))
    >>> [float(x) for x in np.cross(a, b)]
    [0.0, 0.0, 1.0]
    """
    unit = normalize_coords(V)
    helper = np.eye(3)[int(np.argmin(np.abs(unit)))]
    first = np.cross(helper, unit)
    first /= np.linalg.norm(first)
    return first, np.cross(unit, first)


def uniform_cylinder_rθz(  # noqa: PLC2401 - Cleo's name
    n: int, rmax: float, zmax: float
) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"], Float[np.ndarray, "n"]]:
    """Spread points evenly over a cylinder, without chance.

    They advance along the axis by equal steps, turn by the golden angle, and their
    distances from the axis fill the disc evenly.

    Parameters
    ----------
    n : int
        Number of points.
    rmax, zmax : float
        Radius and length.

    Returns
    -------
    tuple of array, shape (n,)
        Distances from the axis, angles (rad), and distances along it.

    Examples
    --------
    >>> r, theta, z = uniform_cylinder_rθz(1000, 2.0, 5.0)
    >>> round(float((r < 1).mean()), 2), float(z.mean())  # a quarter of the disc; its middle
    (0.25, 2.5)
    """
    i = np.arange(n)
    r = rmax * np.sqrt((0.5 + i * np.sqrt(2)) % 1)  # low discrepancy, uniform in area
    return r, i * GOLDEN_ANGLE, zmax * (i + 0.5) / max(n, 1)


def xyz_from_rθz(  # noqa: PLC2401 - Cleo's name
    rs: Any, thetas: Any, zs: Any, xyz_start: Quantity, xyz_end: Quantity
) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"], Float[np.ndarray, "n"]]:
    """Convert places in a cylinder of any direction to x, y, z.

    Parameters
    ----------
    rs, thetas, zs : array, shape (n,)
        Distances from the axis, angles (rad), and distances from the start along it.
    xyz_start, xyz_end : array, shape (3,)
        Two points on the axis.

    Returns
    -------
    tuple of array, shape (n,)
        x, y, z, in the unit of the arguments.

    Examples
    --------
    >>> x, y, z = xyz_from_rθz([0.0, 1.0], [0.0, 0.0], [2.0, 0.0], (0, 0, 0), (5, 0, 0))
    >>> float(x[0]), float(x[1]), float(np.hypot(y[1], z[1]))
    (2.0, 0.0, 1.0)
    """
    start = np.asarray(xyz_start, dtype=float)
    along = normalize_coords(np.asarray(xyz_end, dtype=float) - start)
    first, second = get_orth_vectors_for_V(along)
    sideways = np.outer(np.cos(thetas), first) + np.outer(np.sin(thetas), second)
    places = start + np.outer(zs, along) + np.asarray(rs, dtype=float)[:, None] * sideways
    return places[:, 0], places[:, 1], places[:, 2]
