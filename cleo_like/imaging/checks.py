"""What a scope refuses, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.base.quantities import quantity
from cleo_like.core.errors import InputError
from cleo_like.imaging.plane import positive

if TYPE_CHECKING:
    from brian2 import NeuronGroup


def length(name: str) -> Any:
    """Make a converter to a positive length (quantity)."""

    def convert(value: object) -> Any:
        checked = quantity(value, "m", name)
        positive(checked, name)
        return checked

    return convert


def place(value: object) -> Any:
    """Convert to a place: three lengths (quantity)."""
    checked = quantity(value, "m", "location")
    if np.shape(checked) != (3,) or not np.isfinite(np.asarray(checked)).all():
        msg = f"location must be three finite lengths (x, y, z), got {value}"
        raise InputError(msg)
    return checked


def whole(value: object) -> int:
    """Check that a seed is a whole number."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        msg = f"rand_seed must be a whole number or None, got {value!r}"
        raise InputError(msg)
    return int(value)


def check_exposure(times: np.ndarray, exposure: float) -> None:
    """Refuse frames (s) that follow each other faster than they are exposed (s)."""
    if len(times) > 1 and exposure > times[1] - times[0] + 1e-12:
        msg = (
            f"an exposure of {exposure * 1e3:g} ms is longer than the time between frames, "
            f"{(times[1] - times[0]) * 1e3:g} ms"
        )
        raise InputError(msg)


def check_sensor(scope: Any, neuron_group: NeuronGroup) -> None:
    """Refuse a sensor that could not be put into the cells later."""
    devices = set() if scope.sim is None else scope.sim.devices - {scope, scope.sensor}
    scopes: list[Any] = [other for other in devices if hasattr(other, "injections")]
    for other in scopes:
        if other.sensor is scope.sensor and neuron_group in other.neuron_groups:
            msg = (
                f"{scope.name!r} and {other.name!r} share the sensor {scope.sensor.name!r} "
                f"in {neuron_group.name}; give each scope a sensor of its own, with a name"
            )
            raise InputError(msg)
    name = scope.sensor.name
    theirs = {other.sensor for other in scopes} - {scope.sensor}
    if any(other.name == name for other in devices | theirs):
        msg = (
            f"another device or sensor is named {name!r}; give the sensor of "
            f"{scope.name!r} a name of its own, such as {name}(name='{name}-2')"
        )
        raise InputError(msg)
