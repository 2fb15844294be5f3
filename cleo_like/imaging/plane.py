"""Which cells a scope sees, and how well: a sphere cut by a plane, or by a thick focus."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.coords import coords_from_ng
from cleo_like.core.errors import InputError
from cleo_like.core.units import si, si_array
from cleo_like.utilities import normalize_coords

if TYPE_CHECKING:
    from brian2 import NeuronGroup
    from jaxtyping import Float, Int

    from cleo_like.core.units import Quantity


def target_neurons_in_plane(  # noqa: PLR0917 - Cleo's signature
    ng: NeuronGroup,
    scope_focus_depth: Quantity,
    scope_img_width: Quantity,
    scope_location: Quantity | None = None,
    scope_direction: Quantity = (0, 0, 1),
    soma_radius: Quantity = "10 um",
    sensor_location: str = "cytoplasm",
) -> tuple[Int[np.ndarray, "n"], Float[np.ndarray, "n"], Any]:
    """Find the neurons that a focal plane cuts, within a circular field of view.

    Parameters
    ----------
    ng : brian2.NeuronGroup
        Neurons with coordinates.
    scope_focus_depth : quantity
        Distance of the plane from the scope.
    scope_img_width : quantity
        Diameter of the field of view.
    scope_location : quantity, shape (3,), optional
        Place of the scope (default: the origin).
    scope_direction : array, shape (3,)
        Where it looks; the length does not matter.
    soma_radius : quantity
        Radius of a cell (default 10 um).
    sensor_location : str
        "cytoplasm" (a disc is seen) or "membrane" (a ring).

    Returns
    -------
    tuple
        Indices of the neurons; factor (>= 1) on their noise, as a cell cut off its middle
        has fewer pixels; their places projected onto the plane (quantity, shape (n, 3)).

    Examples
    --------
    >>> from brian2 import NeuronGroup, um
    >>> from cleo_like.coords import assign_xyz
    >>> group = NeuronGroup(3, "v : 1")
    >>> assign_xyz(group, 0, 0, [100, 106, 120], unit=um)
    >>> i, factor, _ = target_neurons_in_plane(group, 100 * um, 500 * um)
    >>> i, factor
    (array([0, 1]), array([1.  , 1.25]))
    """
    from brian2 import metre

    radius = positive(soma_radius, "soma_radius")
    heights, projected, across = place_on_plane(
        ng, scope_focus_depth, scope_location, scope_direction
    )
    width = positive(scope_img_width, "img_width")
    pixels = relative_pixels(heights, radius, sensor_location)
    seen = np.flatnonzero((pixels > 0) & (across < width / 2))
    return seen, 1 / np.sqrt(pixels[seen]), projected[seen] * metre


def place_on_plane(
    ng: NeuronGroup, focus_depth: Quantity, location: Quantity, direction: Quantity
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give, for each neuron, its height above the plane (signed), foot, and distance (m).

    The foot is the neuron's projection onto the plane; the distance is that of the foot
    from the middle of the image.
    """
    normal = normalize_coords(direction)
    origin = np.zeros(3) if location is None else si_array(location, "m", "location")
    centre = origin + si(focus_depth, "m", "focus_depth") * normal
    relative = np.asarray(coords_from_ng(ng)) - centre
    heights = relative @ normal
    flat = relative - heights[:, None] * normal
    return heights, centre + flat, np.linalg.norm(flat, axis=1)


def relative_pixels(heights: np.ndarray, radius: float, location: str) -> np.ndarray:
    """Part of the pixels of a cell in focus that a plane at some height shows (0 to 1)."""
    visible = np.sqrt(np.clip(1 - (heights / radius) ** 2, 0, None))
    return check_location(location, visible**2, visible)


def focus_weight(
    heights: np.ndarray, radius: float, axial_sigma: float, location: str
) -> np.ndarray:
    """Part of the light of a cell in focus that comes from one out of focus (0 to 1).

    The sphere (or its surface) is seen through a Gaussian axial point spread, so that a
    cell fades above and below alike instead of ending at its edge.

    Parameters
    ----------
    heights : array, shape (n,)
        Of the cells' middles above the plane (m).
    radius : float
        Of the cells (m).
    axial_sigma : float
        Standard deviation of the axial point spread (m).
    location : str
        "cytoplasm" or "membrane".
    """
    nodes, weights = _quadrature()
    z = radius * nodes
    # area of a slice of the ball; a slice of the surface is the same at every height
    slices = weights * check_location(location, 1 - nodes**2, np.ones_like(nodes))
    spread = np.exp(-0.5 * ((z + heights[:, None]) / axial_sigma) ** 2)
    in_focus = np.exp(-0.5 * (z / axial_sigma) ** 2) @ slices
    return np.asarray(spread @ slices / in_focus)


@functools.cache
def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(64)


def check_location(location: str, cytoplasm: Quantity, membrane: Quantity) -> Any:
    """Choose by where the sensor is."""
    if location not in ("cytoplasm", "membrane"):
        msg = f"sensor_location must be 'cytoplasm' or 'membrane', got {location!r}"
        raise InputError(msg)
    return cytoplasm if location == "cytoplasm" else membrane


def positive(value: object, name: str) -> float:
    """Convert a length that must be positive to metre."""
    length = si(value, "m", name)
    if not length > 0:
        msg = f"{name} must be positive, got {value}"
        raise InputError(msg)
    return length
