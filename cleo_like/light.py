"""Cleo's `light`, which this package does not have yet: every name of it says so."""

from __future__ import annotations

from typing import Never

from cleo_like.core.errors import not_here_yet

_NAMES = [
    "GaussianEllipsoid",
    "KoehlerBeam",
    "Light",
    "LightDependent",
    "LightModel",
    "OpticFiber",
    "OptogenSIM",
    "cubic_interpolator",
    "defocused_gaussian_beam",
    "equal_photon_flux_spectrum",
    "fiber473nm",
    "linear_interpolator",
    "log_linear_interpolator",
    "log_makima_interpolator",
    "log_pchip_interpolator",
    "makima_interpolator",
    "pchip_interpolator",
    "plot_spectra",
    "tp_light_from_scope",
]


def __getattr__(name: str) -> Never:
    error = not_here_yet("light", name)
    if name in _NAMES:
        raise error  # an AttributeError would lose its message in `from ... import ...`
    raise AttributeError(str(error))
