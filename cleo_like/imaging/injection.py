"""One injection of a scope: the cells of one plane in one group, and their noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.base.quantities import quantity
from cleo_like.base.synapse_device import target_indices
from cleo_like.coords import coords_from_ng, has_coords
from cleo_like.core.errors import InputError
from cleo_like.imaging.plane import (
    focus_weight,
    place_on_plane,
    positive,
    target_neurons_in_plane,
)
from cleo_like.imaging.rois import Injection

if TYPE_CHECKING:
    from brian2 import NeuronGroup

    from cleo_like.core.units import Quantity
    from cleo_like.imaging.frame_log import Microscope

FAINTEST = 1e-3
"""Cells whose light is a smaller part of that in focus are not looked at."""


def without_plane(scope: Microscope, group: NeuronGroup, kwparams: dict[str, Any]) -> Injection:
    """Take the cells that are named (by default all), without asking where they are."""
    n = len(group)
    wanted = kwparams.get("i_targets")
    targets = np.arange(n) if wanted is None else target_indices(wanted, n, group.name)
    rho = _expression(scope, kwparams, len(targets))
    sigma = kwparams.get("sigma_noise")
    if sigma is None:
        sigma = _base_sigma(scope, kwparams)
    sigma = np.asarray(sigma, dtype=float)
    if sigma.shape not in ((), targets.shape) or not (sigma >= 0).all():
        msg = f"sigma_noise must be 0 or more, one or {len(targets)} values, got {sigma}"
        raise InputError(msg)
    weights = np.ones(len(targets))
    photons, pixels, shot = _light(scope, weights, rho, _radius(scope, kwparams))
    if scope.optics is not None:
        sigma = shot
    return Injection(
        neuron_group=group,
        i_targets=targets,
        sigma_noise=np.broadcast_to(sigma, targets.shape).copy(),
        rho_rel=rho,
        photons=photons,
        pixels=pixels,
        focus_coords=_places(group, targets),
    )


def _places(group: NeuronGroup, targets: np.ndarray) -> Any:
    """Give the places of cells as they are; NaN where the group has no coordinates."""
    from brian2 import metre

    if not has_coords(group):
        return np.full((len(targets), 3), np.nan) * metre
    return coords_from_ng(group)[targets]


def in_plane(
    scope: Microscope, group: NeuronGroup, depth: Quantity, kwparams: dict[str, Any]
) -> Injection:
    """Take the cells that a plane shows well enough."""
    radius = _radius(scope, kwparams)
    if scope.optics is None:
        targets, factor, coords = target_neurons_in_plane(
            group, depth, scope.img_width, scope.location, scope.direction,
            f"{radius!r} m", scope.sensor.location,
        )  # fmt: skip
        rho = _expression(scope, kwparams, len(targets))
        sigma = factor * _base_sigma(scope, kwparams)
        photons = pixels = np.zeros(len(targets))
    else:
        targets, weights, coords = _in_focus(scope, group, depth, radius)
        rho = _expression(scope, kwparams, len(targets))
        photons, pixels, sigma = _light(scope, weights, rho, radius)
    keep = _well_seen(scope, rho, sigma)
    return Injection(
        neuron_group=group,
        i_targets=targets[keep],
        sigma_noise=sigma[keep],
        rho_rel=rho[keep],
        photons=photons[keep],
        pixels=pixels[keep],
        focus_depth=depth,
        focus_coords=coords[keep],
    )


def assigned(scope: Any, field: str, values: Any) -> list[Injection]:
    """Give a scope's injections with one field replaced by hand, for all of them at once.

    The first such assignment to a scope that was not injected makes injections of cells of
    no group, in focus; what follows must have their sizes.
    """
    new: list[Any]
    if field == "focus_coords":
        new = [quantity(v, "m", field) for v in values]
    else:
        kind = int if field == "i_targets" else float
        new = [np.atleast_1d(np.asarray(v)).astype(kind) for v in values]
    old = scope.injections or [_of_nobody(scope, len(v)) for v in new]
    sizes, wanted = [len(i.i_targets) for i in old], [len(v) for v in new]
    if sizes != wanted:
        msg = f"{field} must be given for {sizes} cells of {scope.name!r}, got {wanted}"
        raise InputError(msg)
    return [attrs.evolve(i, **{field: v}) for i, v in zip(old, new, strict=True)]


def _of_nobody(scope: Any, n: int) -> Injection:
    from brian2 import metre

    return Injection(
        neuron_group=None,
        i_targets=np.arange(n),
        sigma_noise=np.full(n, scope.sensor.sigma_noise),
        rho_rel=np.ones(n),
        photons=np.zeros(n),
        pixels=np.zeros(n),
        focus_coords=np.full((n, 3), np.nan) * metre,
    )


def _in_focus(
    scope: Microscope, group: NeuronGroup, depth: Quantity, radius: float
) -> tuple[np.ndarray, np.ndarray, Any]:
    """Find cells by the light that reaches the detector through the point spread."""
    from brian2 import metre

    if scope.optics is None:
        msg = "a point spread needs optics"
        raise InputError(msg)
    heights, feet, across = place_on_plane(group, depth, scope.location, scope.direction)
    weights = focus_weight(heights, radius, scope.optics.axial_sigma, scope.sensor.location)
    width = positive(scope.img_width, "img_width")
    targets = np.flatnonzero((weights > FAINTEST) & (across < width / 2))
    return targets, weights[targets], feet[targets] * metre


def _light(
    scope: Microscope, weights: np.ndarray, rho: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give photons per frame at rest, pixels, and the noise of dF/F of cells."""
    optics = scope.optics
    if optics is None:
        return np.zeros(len(rho)), np.zeros(len(rho)), np.zeros(len(rho))
    pixels = np.full(len(rho), optics.pixels(radius))
    brightest = optics.photons(radius, positive(scope.img_width, "img_width"))
    photons = np.maximum(brightest * weights * rho, np.finfo(float).tiny)
    scale = scope.sensor.resting_brightness * rho  # dF/F of this sensor per (F - F0)/F0
    return photons, pixels, scale * optics.noise(photons, pixels)


def _well_seen(scope: Microscope, rho: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Whether cells pass the SNR cut (all do where the sensor's response is unknown)."""
    response = scope.sensor.dFF_1AP
    if response is None:
        return np.ones(len(rho), dtype=bool)
    return np.asarray(rho * response > scope.snr_cutoff * sigma)


def _expression(scope: Microscope, kwparams: dict[str, Any], n: int) -> np.ndarray:
    generator = kwparams.get("rho_rel_generator")
    if generator is None:
        return np.ones(n)
    levels = np.asarray(generator(n), dtype=float)
    if levels.shape != (n,) or not (np.isfinite(levels) & (levels >= 0)).all():
        msg = (
            f"rho_rel_generator of {scope.name!r} must give {n} numbers of 0 or more for "
            f"n={n}, got shape {levels.shape}"
        )
        raise InputError(msg)
    return levels


def _base_sigma(scope: Microscope, kwparams: dict[str, Any]) -> float:
    given = kwparams.get("base_sigma")
    return scope.sensor.sigma_noise if given is None else float(given)


def _radius(scope: Microscope, kwparams: dict[str, Any]) -> float:
    given = kwparams.get("soma_radius")
    return positive(scope.soma_radius if given is None else given, "soma_radius")
