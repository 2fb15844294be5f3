"""A photomultiplier, its amplifier and its converter: photons to stored whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_default, si_required
from cleo_like.core.errors import InputError, unknown_name
from cleo_like.imaging.movie.kernels.tables import stream
from cleo_like.imaging.movie.motion import wander
from cleo_like.imaging.movie.parts import check_numbers

if TYPE_CHECKING:
    from jaxtyping import Float

_TOPS = {"int16": 32767, "uint16": 65535}


def _kernel(value: Any) -> tuple[float, ...]:
    shares = tuple(float(v) for v in np.atleast_1d(value))
    if len(shares) > 4 or not np.isfinite(shares).all() or 1 + 2 * sum(shares) <= 0:
        msg = f"resampling must be up to four shares of neighbours, got {value}"
        raise InputError(msg)
    return shares


def _type_name(value: Any) -> str:
    return str(np.dtype(value).name)


@attrs.frozen(kw_only=True)
class Photomultiplier:
    """A detector that counts photons by pulses of unequal height, and what is stored of them.

    Parameters
    ----------
    gain : float
        Mean height of the pulse of one photon, in stored units.
    height_cv : float
        Coefficient of variation of the heights (0 to 1.5; gamma distribution).
    dark_rate : quantity
        Counts without light (default 0 Hz).
    offset : float
        Stored value without light.
    offset_drift, gain_drift : float
        Standard deviation of slow changes of the offset (stored units) and, relative, of
        the gain.
    drift_time : quantity
        Correlation time of both (default 60 s).
    hum : float
        Amplitude of interference by the mains (stored units).
    mains : quantity
        Its frequency (default 50 Hz).
    row_correlation : float
        Correlation of the noise of a pixel with that of the one before it in the row: the
        bandwidth of the amplifier (0 to 0.9).
    resampling : tuple of float
        Shares of the neighbours at distance 1, 2, ... in a stored pixel, in units of its
        own: frames that were interpolated before storage.
    dtype : str
        "int16" (as ScanImage stores) or "uint16".
    top : int, optional
        Largest stored value (default: of the type); 4095 for 12 bits.

    Notes
    -----
    suite2p halves uint16 on reading TIFF, so that its lowest bit is lost.

    Examples
    --------
    >>> Photomultiplier(gain=100, height_cv=0.5).transfer_slope
    125.0
    """

    gain: float = attrs.field(default=100.0, converter=float)
    height_cv: float = attrs.field(default=0.5, converter=float)
    dark_rate: float = attrs.field(
        default=si_default("0 Hz", "Hz"), converter=si_required("Hz", "dark_rate")
    )
    offset: float = attrs.field(default=0.0, converter=float)
    offset_drift: float = attrs.field(default=0.0, converter=float)
    gain_drift: float = attrs.field(default=0.0, converter=float)
    drift_time: float = attrs.field(
        default=si_default("60 s", "s"), converter=si_required("s", "drift_time")
    )
    hum: float = attrs.field(default=0.0, converter=float)
    mains: float = attrs.field(
        default=si_default("50 Hz", "Hz"), converter=si_required("Hz", "mains")
    )
    row_correlation: float = attrs.field(default=0.0, converter=float)
    resampling: tuple[float, ...] = attrs.field(default=(), converter=_kernel)
    dtype: str = attrs.field(default="int16", converter=_type_name)
    top: int | None = None

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(
            self,
            positive=("gain", "drift_time", "mains"),
            not_negative=(
                "height_cv", "dark_rate", "offset_drift", "gain_drift", "hum",
                "row_correlation",
            ),
        )  # fmt: skip
        if self.dtype not in _TOPS:
            raise unknown_name("type of stored pixels", self.dtype, _TOPS)
        if self.height_cv > 1.5 or self.row_correlation > 0.9:
            msg = (
                "height_cv must be at most 1.5 and row_correlation at most 0.9, got "
                f"{self.height_cv:g} and {self.row_correlation:g}"
            )
            raise InputError(msg)
        if not self.bottom < self.largest <= _TOPS[self.dtype]:
            msg = f"top must be above 0 and fit {self.dtype}, got {self.top}"
            raise InputError(msg)
        if not self.bottom <= self.offset < self.largest:
            msg = f"offset {self.offset:g} is outside {self.bottom:g} to {self.largest}"
            raise InputError(msg)

    @property
    def bottom(self) -> float:
        """Smallest stored value: 0 of a converter with `top` or of uint16."""
        return -32768.0 if self.dtype == "int16" and self.top is None else 0.0

    @property
    def largest(self) -> int:
        """Largest stored value."""
        return _TOPS[self.dtype] if self.top is None else int(self.top)

    @property
    def row_taps(self) -> Float[np.ndarray, "m"]:
        """Shares of a pixel and those before it in the row, oldest first."""
        keep = self.row_correlation
        if keep == 0:
            return np.ones(1, np.float32)
        taps = keep ** np.arange(int(np.ceil(np.log(1e-4) / np.log(keep))) + 1)
        return (taps[::-1] / taps.sum()).astype(np.float32)

    @property
    def resampling_taps(self) -> Float[np.ndarray, "m"]:
        """Shares of a pixel and its neighbours along either axis."""
        taps = np.array([*self.resampling[::-1], 1.0, *self.resampling])
        return (taps / taps.sum()).astype(np.float32)

    @property
    def transfer_slope(self) -> float:
        """Variance over mean of a stored pixel under constant light: the gain as it is seen.

        Unequal heights add to it; mixing neighbours takes from it.
        """
        mixed = float((self.row_taps.astype(float) ** 2).sum())
        mixed *= float((self.resampling_taps.astype(float) ** 2).sum()) ** 2
        return self.gain * (1 + self.height_cv**2) * mixed

    def drifts(self, times: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the offset (stored units) and the relative gain at the time of each frame."""
        n = len(times)
        dt = (times[-1] - times[0]) / (n - 1) if n > 1 else 1.0
        slow = wander(n, dt, self.drift_time, 2, stream(seed, "detector"))
        gain = np.maximum(1 + self.gain_drift * slow[:, 1], 0.05)
        return self.offset + self.offset_drift * slow[:, 0], gain
