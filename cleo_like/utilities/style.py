"""Colours, and the look of plots."""

from __future__ import annotations

from typing import Any

import numpy as np

from cleo_like.core.errors import InputError, UnitError
from cleo_like.core.units import carries_unit, si

# wavelength (nm) of the corners, and red, green, blue there: linear between (Bruton 1996)
_CORNERS = np.array([380.0, 440.0, 490.0, 510.0, 580.0, 645.0, 750.0])
_RED = (1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0)
_GREEN = (0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0)
_BLUE = (1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0)
# the eye's sensitivity falls off towards both ends, to 0.3
_EDGES, _FALL = (380.0, 440.0, 645.0, 750.0), (0.3, 1.0, 1.0, 0.3)


def wavelength_to_rgb(wavelength: Any, gamma: float = 0.8) -> tuple[float, float, float]:
    """Give the colour of light, approximately.

    Parameters
    ----------
    wavelength : quantity
        From 380 to 750 nm; beyond, the colour of the nearer end.
    gamma : float
        Exponent of each channel.

    Returns
    -------
    tuple of three float
        Red, green, blue from 0 to 1.

    Notes
    -----
    Source: D. Bruton, Approximate RGB values for visible wavelengths (1996).

    Examples
    --------
    >>> [round(channel, 2) for channel in wavelength_to_rgb("473 nm")]
    [0.0, 0.72, 1.0]
    """
    if not carries_unit(wavelength):
        msg = f"wavelength={wavelength} has no unit; did you mean {wavelength}*nmeter?"
        raise UnitError(msg)
    nm = float(np.clip(si(wavelength, "m", "wavelength") * 1e9, _CORNERS[0], _CORNERS[-1]))
    if not np.isfinite(nm):
        msg = f"wavelength must be a number, got {wavelength}"
        raise InputError(msg)
    seen = np.interp(nm, _EDGES, _FALL)
    red, green, blue = (
        float((np.interp(nm, _CORNERS, channel) * seen) ** gamma)
        for channel in (_RED, _GREEN, _BLUE)
    )
    return red, green, blue


def style_plots_for_docs(dark: bool = True) -> None:  # noqa: FBT001, FBT002 - Cleo's signature
    """Set matplotlib's look for documentation.

    Parameters
    ----------
    dark : bool
        Light lines on a dark ground (default), or dark on light.
    """
    import matplotlib.pyplot as plt

    plt.style.use("dark_background" if dark else "default")
    plt.rc("figure", dpi=100)
    plt.rc("axes.spines", top=False, right=False)


def style_plots_for_paper(fontscale: float = 5 / 6) -> None:
    """Set matplotlib's look for print.

    Parameters
    ----------
    fontscale : float
        Size of the text relative to matplotlib's default.
    """
    import matplotlib.pyplot as plt

    plt.style.use("default")
    plt.rc("font", size=10 * fontscale)
    plt.rc("figure", dpi=300)
    plt.rc("axes.spines", top=False, right=False)
    plt.rc("svg", fonttype="none")
