"""Noise from photons, and a focus with a thickness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_default, si_required
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float

FWHM = 2 * np.sqrt(2 * np.log(2))


@attrs.frozen(kw_only=True)
class Optics:
    """A scanning two-photon microscope that counts photons.

    A scope without optics has Cleo's: a sharp plane, instants, and one constant Gaussian.

    Parameters
    ----------
    frame_rate : quantity
        Frames per second (default 30 Hz): that of the sampling, for it sets photons and
        exposure of each frame.
    pixel_size : quantity
        Edge of a pixel at the sample (default 1 um).
    brightness : quantity
        Photons detected per second from one pixel on a resting cell in focus, while the
        laser is on it (default 10 MHz, that is about one photon per pixel and frame).
    dwell_time : quantity, optional
        Time of the laser on a pixel in each frame; by default the frame period divided by
        the pixels of the image.
    axial_fwhm : quantity
        Axial resolution: full width at half maximum (default 6 um).
    read_noise : float
        Standard deviation of the detector's noise per pixel and frame, in photons.
    neuropil : float
        Standard deviation of what is left of the neuropil after its subtraction, in units
        of the resting fluorescence.
    neuropil_time : quantity
        Its correlation time (default 0.5 s).
    exposure : quantity, optional
        Time before the time of a frame over which its fluorescence is a mean; by default
        the frame period. 0 ms is an instant.

    Examples
    --------
    >>> optics = Optics(frame_rate="30 Hz", pixel_size="1 um")
    >>> round(optics.photons(radius=10e-6, width=500e-6), 1)  # of a resting cell, per frame
    418.9
    """

    frame_rate: float = attrs.field(
        default=si_default("30 Hz", "Hz"), converter=si_required("Hz", "frame_rate")
    )
    pixel_size: float = attrs.field(
        default=si_default("1 um", "m"), converter=si_required("m", "pixel_size")
    )
    brightness: float = attrs.field(
        default=si_default("10 MHz", "Hz"), converter=si_required("Hz", "brightness")
    )
    dwell_time: float | None = attrs.field(
        default=None, converter=attrs.converters.optional(si_required("s", "dwell_time"))
    )
    axial_fwhm: float = attrs.field(
        default=si_default("6 um", "m"), converter=si_required("m", "axial_fwhm")
    )
    read_noise: float = 0.0
    neuropil: float = 0.0
    neuropil_time: float = attrs.field(
        default=si_default("0.5 s", "s"), converter=si_required("s", "neuropil_time")
    )
    exposure: float | None = attrs.field(
        default=None, converter=attrs.converters.optional(si_required("s", "exposure"))
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what has no meaning."""
        for name in ("frame_rate", "pixel_size", "brightness", "axial_fwhm", "neuropil_time"):
            if not getattr(self, name) > 0:
                msg = f"{name} must be positive, got {getattr(self, name)}"
                raise InputError(msg)
        for name in ("read_noise", "neuropil", "exposure", "dwell_time"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                msg = f"{name} must be 0 or more, got {value}"
                raise InputError(msg)

    @property
    def axial_sigma(self) -> float:
        """Standard deviation of the axial point spread (m)."""
        return float(self.axial_fwhm / FWHM)

    @property
    def exposure_time(self) -> float:
        """Time (s) over which a frame is a mean."""
        return 1 / self.frame_rate if self.exposure is None else self.exposure

    def pixels(self, radius: float) -> float:
        """Give the number of pixels of a cell in focus."""
        return float(np.pi * (radius / self.pixel_size) ** 2)

    def photons(self, radius: float, width: float) -> float:
        """Give the photons per frame of a resting cell in focus.

        Parameters
        ----------
        radius : float
            Of the cell (m).
        width : float
            Of the image (m); its pixels share the frame period.
        """
        dwell = self.dwell_time
        if dwell is None:
            dwell = 1 / (self.frame_rate * (width / self.pixel_size) ** 2)
        return self.brightness * dwell * self.pixels(radius)

    def noise(self, photons: Any, pixels: Any) -> Any:
        """Give the standard deviation of (F - F0)/F0 of a resting cell.

        Parameters
        ----------
        photons : array, shape (n,)
            Per frame, at rest.
        pixels : array, shape (n,)
            Of the ROI.
        """
        variance = 1 / photons + pixels * (self.read_noise / photons) ** 2 + self.neuropil**2
        return np.sqrt(variance)


class Detector:
    """Counts the photons of ROIs, frame after frame.

    Parameters
    ----------
    optics : Optics
        Noise and rates.
    photons, pixels : array, shape (n,)
        Of each ROI: photons per frame at rest, and pixels.
    """

    def __init__(self, optics: Optics, photons: np.ndarray, pixels: np.ndarray) -> None:
        self.optics = optics
        self.photons = photons
        self.pixels = pixels
        self.reset()

    def reset(self) -> None:
        """Forget the neuropil."""
        self._neuropil: np.ndarray | None = None
        self._time = 0.0

    def state(self) -> tuple[np.ndarray | None, float]:
        """Give the neuropil and its time."""
        return self._neuropil, self._time

    def set_state(self, state: tuple[np.ndarray | None, float]) -> None:
        """Go back to what `state` gave."""
        self._neuropil, self._time = state

    def observe(
        self, relative: Float[np.ndarray, "n"], time: float, rng: np.random.Generator
    ) -> Float[np.ndarray, "n"]:
        """Give (F - F0)/F0 as it is seen.

        Parameters
        ----------
        relative : array, shape (n,)
            The true (F - F0)/F0.
        time : float
            Of the frame (s).
        rng : numpy.random.Generator
            Random numbers.
        """
        expected = self.photons * np.maximum(1 + relative, 0.0)
        counted = rng.poisson(expected).astype(float)
        if self.optics.read_noise > 0:
            scale = self.optics.read_noise * np.sqrt(self.pixels)
            counted += scale * rng.standard_normal(len(counted))
        return counted / self.photons - 1 + self._residual(time, rng)

    def _residual(self, time: float, rng: np.random.Generator) -> np.ndarray:
        """Advance the neuropil, an Ornstein-Uhlenbeck process, exactly."""
        n = len(self.photons)
        if self.optics.neuropil == 0:
            return np.zeros(n)
        fresh = self.optics.neuropil * rng.standard_normal(n)
        if self._neuropil is None:
            self._neuropil = fresh
        else:
            keep = np.exp(-(time - self._time) / self.optics.neuropil_time)
            self._neuropil = keep * self._neuropil + np.sqrt(1 - keep**2) * fresh
        self._time = time
        return self._neuropil
