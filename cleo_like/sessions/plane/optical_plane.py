"""One imaged plane: where it lies, how it is scanned, which cells are in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import as_tuple, si_default, si_required, whole_number
from cleo_like.core.errors import InputError
from cleo_like.imaging.calibrated import calibrated_indicator
from cleo_like.sessions.visual.receptive_fields import GaborFields
from cleo_like.sessions.visual.spiking import RateCells

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.imaging.calibrated import CalibratedIndicator

WAVELENGTHS = {"red": (1100e-9, 610e-9), "green": (910e-9, 520e-9)}
"""Excitation and emission (m), as the Allen Institute's metadata have them for green."""


def _is_range(_: object, field: attrs.Attribute, value: tuple[float, ...]) -> None:
    if len(value) != 2 or not 0 <= value[0] <= value[1]:
        raise InputError(f"{field.name} must be (lowest, highest), not negative, got {value}")


@attrs.frozen(kw_only=True)
class OpticalPlane:
    """A plane of the tissue under the microscope.

    Parameters
    ----------
    n_cells : int
        Cells in focus; each becomes a ROI.
    depth : quantity
        Below the surface of the brain.
    structure : str
        Area ("VISp").
    indicator : str or CalibratedIndicator
        One of `cleo_like.imaging.calibrated.calibrated_names`, or an indicator.
    rate : quantity
        Frames of this plane per second.
    shape : (int, int)
        Rows and columns of a frame.
    field : quantity
        Width of the field of view; pixels are square.
    soma_radius : quantity
        Mean radius of a soma.
    brightness : float
        Median resting fluorescence of a soma (counts).
    brightness_sd : float
        Standard deviation of its natural logarithm over cells.
    neuropil : float
        Resting fluorescence of the neuropil, in units of `brightness`.
    contamination : (float, float)
        Lowest and highest share of the neuropil's fluorescence that a soma's ROI collects.
    correction : float, optional
        The share that is subtracted; None is the true one of each ROI.
    noise : float, optional
        Median noise of dF/F of a frame at 30 frames/s; None is that of the indicator's
        recordings.
    baseline_window : quantity
        Length of the running median that is taken for F0 (the Allen Institute's: 180 s).
    receptive_fields : callable
        ``f(images, n_cells, rng)`` gives the drive of each cell by each picture, 0 to 1,
        shape (n_cells, n_images): `GaborFields`, or a function of one's own.
    cells : callable
        ``f(drive, seed, report)`` gives the spike times of each cell: `RateCells`,
        `CurrentCells`, or a function of one's own.
    cre_line : str, optional
        Of the animal whose cells these stand for.

    Raises
    ------
    InputError
        A number out of range, or cells that do not fit into the field of view.

    Examples
    --------
    >>> OpticalPlane(n_cells=40, depth="275 um", indicator="jgcamp8m")
    OpticalPlane: 40 cells with jgcamp8m in VISp, 275 um deep, 11 Hz
    """

    n_cells: int = attrs.field(default=50, converter=whole_number("n_cells", 0))
    depth: float = attrs.field(
        default=si_default("175 um", "m"), converter=si_required("m", "depth")
    )
    structure: str = "VISp"
    indicator: str | CalibratedIndicator = "gcamp6f"
    rate: float = attrs.field(
        default=si_default("11 Hz", "Hz"), converter=si_required("Hz", "rate")
    )
    shape: tuple[int, int] = attrs.field(default=(512, 512), converter=as_tuple)
    field: float = attrs.field(
        default=si_default("400 um", "m"), converter=si_required("m", "field")
    )
    soma_radius: float = attrs.field(
        default=si_default("6 um", "m"), converter=si_required("m", "soma_radius")
    )
    brightness: float = attrs.field(default=200.0, converter=float)
    brightness_sd: float = attrs.field(default=0.4, converter=float)
    neuropil: float = attrs.field(default=0.7, converter=float)
    contamination: tuple[float, ...] = attrs.field(
        default=(0.5, 0.9), converter=as_tuple, validator=_is_range
    )
    correction: float | None = None
    noise: float | None = None
    baseline_window: float = attrs.field(
        default=si_default("180 s", "s"), converter=si_required("s", "baseline_window")
    )
    receptive_fields: Callable[..., Any] = attrs.field(factory=GaborFields)
    cells: Callable[..., Any] = attrs.field(factory=RateCells)
    cre_line: str | None = None

    def __attrs_post_init__(self) -> None:
        """Check the numbers, and that the indicator is known."""
        _ = self.model
        if np.shape(self.shape) != (2,) or min(self.shape) < 32:
            msg = f"shape must be (rows, columns) of 32 or more, got {self.shape}"
            raise InputError(msg)
        if min(self.rate, self.field, self.soma_radius, self.brightness) <= 0:
            raise InputError("rate, field, soma_radius and brightness must be above 0")
        if min(self.depth, self.brightness_sd, self.neuropil) < 0 or self.baseline_window <= 0:
            msg = "depth, brightness_sd and neuropil must not be negative; baseline_window > 0"
            raise InputError(msg)
        for name in ("noise", "correction"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise InputError(f"{name} must not be negative, got {value}; None is measured")
        for name in ("receptive_fields", "cells"):
            if not callable(getattr(self, name)):
                msg = f"{name} must be a function, got {getattr(self, name)!r}"
                raise InputError(msg)

    @property
    def model(self) -> CalibratedIndicator:
        """The indicator itself."""
        given = self.indicator
        return calibrated_indicator(given) if isinstance(given, str) else given

    @property
    def pixel(self) -> float:
        """Height and width of a pixel (m)."""
        return self.field / self.shape[1]

    @property
    def wavelengths(self) -> tuple[float, float]:
        """Excitation and emission (m)."""
        red = "rgeco" in self.model.name.lower() or "rcamp" in self.model.name.lower()
        return WAVELENGTHS["red" if red else "green"]

    def __repr__(self) -> str:
        """One line."""
        return (
            f"OpticalPlane: {self.n_cells} cells with {self.model.name} in {self.structure}, "
            f"{self.depth * 1e6:.4g} um deep, {self.rate:.4g} Hz"
        )
