"""Parts of a simulated two-photon movie: scan, neuropil, illumination, bleaching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_default, si_required, whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.units import si_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.imaging.optics import Optics


def check_numbers(
    part: Any,
    *,
    positive: tuple[str, ...] = (),
    not_negative: tuple[str, ...] = (),
    shares: tuple[str, ...] = (),
) -> None:
    """Refuse fields of a part that have no meaning.

    Raises
    ------
    InputError
        A value outside its range; the message names the part and the field.
    """
    rules: tuple[tuple[tuple[str, ...], str, Callable[[float], bool]], ...] = (
        (positive, "above 0", lambda v: v > 0),
        (not_negative, "0 or more", lambda v: v >= 0),
        (shares, "between 0 and 1", lambda v: 0 <= v <= 1),
    )
    for names, wanted, holds in rules:
        for name in names:
            value = getattr(part, name)
            if not (np.isfinite(value) and holds(value)):
                msg = f"{name} of {type(part).__name__} must be {wanted}, got {value:g}"
                raise InputError(msg)


@attrs.frozen(kw_only=True)
class Scan:
    """How the laser goes over the field: rows, columns, planes, and what the scanner allows.

    Parameters
    ----------
    rows, columns : int
        Size of a frame (pixels).
    line_rate : quantity
        Most lines per second that the scanner makes (default 16 kHz: a resonant scanner
        of 8 kHz that records in both directions).
    flyback_lines : int
        Lines lost between two frames.
    planes, flyback_planes : int
        Planes of a volume, and frames lost between two volumes.
    plane_spacing : quantity
        Depth between planes (default 30 um).
    line_phase : float
        Displacement along x of every second row against the others (pixels): the phase of
        a bidirectional scan that was not corrected. 0 by default, as in corrected movies.

    Examples
    --------
    >>> Scan(rows=256, columns=256, planes=4, flyback_planes=1).volume_rate(30.0)
    6.0
    """

    rows: int = attrs.field(default=512, converter=whole_number("rows", 2))
    columns: int = attrs.field(default=512, converter=whole_number("columns", 2))
    line_rate: float = attrs.field(
        default=si_default("16 kHz", "Hz"), converter=si_required("Hz", "line_rate")
    )
    flyback_lines: int = attrs.field(default=0, converter=whole_number("flyback_lines", 0))
    planes: int = attrs.field(default=1, converter=whole_number("planes", 1))
    flyback_planes: int = attrs.field(default=0, converter=whole_number("flyback_planes", 0))
    plane_spacing: float = attrs.field(
        default=si_default("30 um", "m"), converter=si_required("m", "plane_spacing")
    )
    line_phase: float = attrs.field(default=0.0, converter=float)

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(self, positive=("line_rate", "plane_spacing"))
        if not abs(self.line_phase) <= 10:
            msg = f"line_phase must be at most 10 pixels, got {self.line_phase:g}"
            raise InputError(msg)

    def line_time(self, frame_rate: float) -> float:
        """Give the time of a line (s).

        Parameters
        ----------
        frame_rate : float
            Frames of the scanner, those of all planes, per second.

        Raises
        ------
        InputError
            More lines per second than the scanner makes.
        """
        lines = self.rows + self.flyback_lines
        if frame_rate * lines > self.line_rate * (1 + 1e-9):
            msg = (
                f"{lines} lines {frame_rate:g} times a second are {frame_rate * lines:g} lines "
                f"per second, more than the {self.line_rate:g} of the scanner: at most "
                f"{self.line_rate / lines:.4g} frames per second with as many rows (lower "
                "frame_rate of the optics, or rows; or say line_rate=... for another scanner)"
            )
            raise InputError(msg)
        return 1 / (frame_rate * lines)

    def volume_rate(self, frame_rate: float) -> float:
        """Give the frames per second of each plane."""
        return frame_rate / (self.planes + self.flyback_planes)

    def times(self, frame_rate: float, n_frames: int, plane: int = 0) -> np.ndarray:
        """Give the time at which each frame of a plane begins (s, from 0)."""
        step = self.planes + self.flyback_planes
        return (np.arange(n_frames) * step + plane) / frame_rate

    def photons(self, optics: Optics) -> float:
        """Give the photons per pixel and frame of a resting cell in focus."""
        return optics.brightness * self.dwell_time(optics)

    def dwell_time(self, optics: Optics) -> float:
        """Give the time of the laser on a pixel (s): of the optics, or its part of a line."""
        if optics.dwell_time is not None:
            return optics.dwell_time
        return self.line_time(optics.frame_rate) / self.columns


@attrs.frozen(kw_only=True)
class Neuropil:
    """Light of the tissue between the cells, which also shines into them.

    A picture (log-normal at two scales) times a factor that changes slowly over space: the
    activity of the cells nearby, and of others that are not in the field.

    Parameters
    ----------
    level : float
        Median light, in that of a resting cell in focus.
    texture, patches : float
        Standard deviation of its logarithm, fine and coarse.
    texture_size, patches_size : quantity
        Scale of both: sd of a Gaussian (default 2 um and 40 um).
    coefficient_low, coefficient_high : float
        Share of it that is seen in the middle of a soma (which displaces what is in focus):
        drawn for each cell between the two. Over a whole mask it is about .1 more.
    activity : float
        Factor on the mean dF/F of the cells nearby.
    reach : quantity
        Distance from which they count: sd of a Gaussian (default 60 um).
    unseen, shared : float
        Standard deviation of other slow signals, each within `reach` and in the whole field.
    unseen_time, shared_time : quantity
        Their correlation times (default 1.5 s and 10 s).

    Notes
    -----
    Share and level: contamination of .5 to .9 and Fneu/F of .75 as found in real movies.
    """

    level: float = 1.0
    texture: float = 0.15
    texture_size: float = attrs.field(
        default=si_default("2 um", "m"), converter=si_required("m", "texture_size")
    )
    patches: float = 0.2
    patches_size: float = attrs.field(
        default=si_default("40 um", "m"), converter=si_required("m", "patches_size")
    )
    coefficient_low: float = 0.4
    coefficient_high: float = 0.8
    activity: float = 0.3
    reach: float = attrs.field(
        default=si_default("60 um", "m"), converter=si_required("m", "reach")
    )
    unseen: float = 0.04
    unseen_time: float = attrs.field(
        default=si_default("1.5 s", "s"), converter=si_required("s", "unseen_time")
    )
    shared: float = 0.02
    shared_time: float = attrs.field(
        default=si_default("10 s", "s"), converter=si_required("s", "shared_time")
    )

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(
            self,
            positive=("texture_size", "patches_size", "reach", "unseen_time", "shared_time"),
            not_negative=("level", "texture", "patches", "activity", "unseen", "shared"),
            shares=("coefficient_low", "coefficient_high"),
        )
        if self.coefficient_low > self.coefficient_high:
            msg = (
                f"coefficient_low {self.coefficient_low:g} is above coefficient_high "
                f"{self.coefficient_high:g}"
            )
            raise InputError(msg)


@attrs.frozen(kw_only=True)
class Illumination:
    """What all light of a frame, or of a place, has in common.

    Parameters
    ----------
    vignetting : float
        Share of light lost in the corners.
    vessels : int
        Blood vessels that cross the field and shade it.
    vessel_diameter : quantity
        Their median diameter (default 12 um).
    shade : float
        Share of light that a vessel takes.
    haemodynamics : float
        Standard deviation of a slow factor on all light (blood volume).
    haemodynamic_time : quantity
        Its correlation time (default 4 s).
    flicker : float
        Standard deviation of the laser's power from frame to frame.

    Notes
    -----
    A description, not optics: nothing scatters.
    """

    vignetting: float = 0.15
    vessels: int = attrs.field(default=0, converter=whole_number("vessels", 0))
    vessel_diameter: float = attrs.field(
        default=si_default("12 um", "m"), converter=si_required("m", "vessel_diameter")
    )
    shade: float = 0.6
    haemodynamics: float = 0.0
    haemodynamic_time: float = attrs.field(
        default=si_default("4 s", "s"), converter=si_required("s", "haemodynamic_time")
    )
    flicker: float = 0.0

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(
            self,
            positive=("vessel_diameter", "haemodynamic_time"),
            not_negative=("haemodynamics", "flicker"),
            shares=("vignetting", "shade"),
        )


def _shares(name: str) -> Any:
    def convert(value: Any) -> tuple[float, ...]:
        shares = tuple(float(v) for v in np.atleast_1d(value))
        if any(not 0 <= share <= 1 for share in shares) or sum(shares) > 1:
            msg = f"{name} must be shares of the light, together at most 1, got {value}"
            raise InputError(msg)
        return shares

    return convert


def _times(name: str) -> Any:
    def convert(value: Any) -> tuple[float, ...]:
        if isinstance(value, tuple) and all(type(v) is _Seconds for v in value):
            return value  # converted already: `attrs.evolve` gives it again
        times = np.atleast_1d(si_array(value, "s", name))
        if not (times > 0).all():
            msg = f"{name} must be above 0, got {value}"
            raise InputError(msg)
        return tuple(_Seconds(v) for v in times)

    return convert


class _Seconds(float):
    """A time that has been converted."""


@attrs.frozen(kw_only=True)
class Bleaching:
    """Light that is lost over time, of cells and of the neuropil apart: sums of exponentials.

    Parameters
    ----------
    soma_shares, neuropil_shares : tuple of float
        Share of the light that each exponential takes; what is left stays.
    soma_times, neuropil_times : quantity, shape (n,)
        Their time constants.

    Examples
    --------
    >>> lost = Bleaching(soma_shares=(0.1, 0.2), soma_times=("30 s", "600 s"))
    >>> lost.soma(np.array([0.0, 1e9])).round(2).tolist()
    [1.0, 0.7]
    """

    soma_shares: tuple[float, ...] = attrs.field(default=(), converter=_shares("soma_shares"))
    soma_times: tuple[float, ...] = attrs.field(default=(), converter=_times("soma_times"))
    neuropil_shares: tuple[float, ...] = attrs.field(
        default=(), converter=_shares("neuropil_shares")
    )
    neuropil_times: tuple[float, ...] = attrs.field(
        default=(), converter=_times("neuropil_times")
    )

    def __attrs_post_init__(self) -> None:
        """Check the lengths."""
        for name in ("soma", "neuropil"):
            shares, times = getattr(self, f"{name}_shares"), getattr(self, f"{name}_times")
            if len(shares) != len(times):
                msg = f"{name}_shares has {len(shares)} values and {name}_times {len(times)}"
                raise InputError(msg)

    def soma(self, times: np.ndarray) -> np.ndarray:
        """Give the share of the cells' light that is left at some times (s)."""
        return _left(self.soma_shares, self.soma_times, times)

    def neuropil(self, times: np.ndarray) -> np.ndarray:
        """Give the share of the neuropil's light that is left at some times (s)."""
        return _left(self.neuropil_shares, self.neuropil_times, times)


def _left(shares: tuple[float, ...], taus: tuple[float, ...], times: np.ndarray) -> np.ndarray:
    left = np.ones(len(times))
    for share, tau in zip(shares, taus, strict=True):
        left += share * np.expm1(-times / tau)
    return left
