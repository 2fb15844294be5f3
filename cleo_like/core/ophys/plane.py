"""What is known of a microscope's plane, of the animal under it, and of its motion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only, si_number, si_samples
from cleo_like.core.cell import sex_letter
from cleo_like.core.errors import InputError
from cleo_like.core.ophys.frames import check_times, pixel_size_of

if TYPE_CHECKING:
    from jaxtyping import Float

    from cleo_like.core.ophys.frames import FrameSource


def _optional(unit: str, name: str) -> Any:
    """Make a converter of a number that may be unknown; a plain number is SI."""
    return attrs.converters.optional(si_number(unit, name))


def _above_zero(_: object, field: attrs.Attribute, value: float | None) -> None:
    if value is not None and not (np.isfinite(value) and value > 0):
        msg = f"{field.name} must be above 0, got {value}; None is unknown"
        raise InputError(msg)


def _origin(value: Any) -> tuple[float, float, float] | None:
    if value is None:
        return None
    place = si_samples("m", name="origin")(value)
    if place.shape != (3,):
        msg = f"origin must be a place (x, y, z), got {value!r}"
        raise InputError(msg)
    return float(place[0]), float(place[1]), float(place[2])


@attrs.frozen(kw_only=True)
class ImagingPlane:
    """One plane of a two-photon microscope. Unknown is None.

    Parameters
    ----------
    name : str
        Unique within a session.
    description : str, optional
        One sentence.
    location : str, optional
        Brain region; the Allen CCF acronym where there is one ("VISp").
    depth : float, optional
        Below the surface of the brain (m).
    rate : float, optional
        Frames per second of this plane (Hz).
    indicator : str, optional
        "jGCaMP8s".
    excitation, emission : float, optional
        Wavelengths of the laser and of the detected light (m).
    pixel_size : tuple of float, optional
        Height and width of a pixel (m).
    origin : tuple of float, optional
        Place (x, y, z) of the first pixel (m).
    device : str
        Name of the microscope.
    device_description, manufacturer, model, serial_number : str, optional
        Of the microscope.
    numerical_aperture : float, optional
        Of the objective.

    Examples
    --------
    >>> ImagingPlane(location="VISp", depth=175e-6, rate=30.0, indicator="jGCaMP8s")
    ImagingPlane: jGCaMP8s in VISp, 175 um deep, 30 Hz
    """

    name: str = "ImagingPlane"
    description: str | None = None
    location: str | None = None
    depth: float | None = attrs.field(default=None, converter=_optional("m", "depth"))
    rate: float | None = attrs.field(
        default=None, converter=_optional("Hz", "rate"), validator=_above_zero
    )
    indicator: str | None = None
    excitation: float | None = attrs.field(
        default=None, converter=_optional("m", "excitation"), validator=_above_zero
    )
    emission: float | None = attrs.field(
        default=None, converter=_optional("m", "emission"), validator=_above_zero
    )
    pixel_size: tuple[float, float] | None = attrs.field(default=None, converter=pixel_size_of)
    origin: tuple[float, float, float] | None = attrs.field(default=None, converter=_origin)
    device: str = "Microscope"
    device_description: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    numerical_aperture: float | None = attrs.field(
        default=None, converter=_optional("1", "numerical_aperture"), validator=_above_zero
    )

    def __repr__(self) -> str:
        """One line: indicator, region, depth, rate."""
        known = [f"{self.indicator or 'indicator unknown'} in {self.location or 'unknown'}"]
        if self.depth is not None:
            known.append(f"{self.depth * 1e6:.4g} um deep")
        if self.rate is not None:
            known.append(f"{self.rate:.4g} Hz")
        return f"{self.name}: {', '.join(known)}"


@attrs.frozen(kw_only=True)
class Subject:
    """The animal, or the model, under the microscope. Unknown is None.

    Parameters
    ----------
    id : str
        Identifier of the animal.
    species : str, optional
        Latin binomial ("Mus musculus").
    sex : str, optional
        M, F, U or O.
    age : str, optional
        ISO 8601 duration ("P90D").
    genotype, strain, description : str, optional
        Free text.
    """

    id: str
    species: str | None = None
    sex: str | None = attrs.field(default=None, converter=sex_letter)
    age: str | None = None
    genotype: str | None = None
    strain: str | None = None
    description: str | None = None


def _shifts(value: Any) -> np.ndarray:
    return read_only(np.asarray(value, dtype=float))


@attrs.frozen(kw_only=True)
class Motion:
    """How the tissue moved under the microscope, and the movie with that undone.

    Parameters
    ----------
    times : array, shape (n_frames,)
        Time of each frame (s).
    shifts : array, shape (n_frames, 2)
        Displacement of each frame, (x, y) in pixels.
    corrected : FrameSource, optional
        The movie after motion correction.
    """

    times: Float[np.ndarray, "n_frames"] = attrs.field(
        converter=si_samples("s", name="times"), eq=array_eq
    )
    shifts: Float[np.ndarray, "n_frames 2"] = attrs.field(converter=_shifts, eq=array_eq)
    corrected: FrameSource | None = attrs.field(default=None, eq=False)

    def __attrs_post_init__(self) -> None:
        """Check shapes against one another."""
        if self.shifts.shape != (len(self.times), 2):
            msg = (
                f"shifts must be (n_frames, 2), x and y of {len(self.times)} frames, got "
                f"{self.shifts.shape}"
            )
            raise InputError(msg)
        check_times(self.times)
