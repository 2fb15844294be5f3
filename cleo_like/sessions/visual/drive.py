"""What drives cells in time, and what lies between the screen and them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only, si_default, si_required
from cleo_like.core.errors import InputError
from cleo_like.sessions.noise import slow_noise

if TYPE_CHECKING:
    from jaxtyping import Float, Int

FRONT = """
vis_seen = vis_drive(t - vis_latency, i) : 1
dvis_supply/dt = (1 - vis_supply)/vis_recovery - vis_use*vis_supply*vis_seen : 1
dvis_response/dt = (vis_supply*vis_seen - vis_response)/vis_tau : 1
vis_now = vis_gain(t)*vis_response : 1
"""
"""From the drive of a picture to the response of a cell, the same before rates and currents.

Inputs tire while they are used (`vis_supply`), which makes responses transient and, as the
inputs of a new picture are rested, a change stronger than a repeat.
"""


def _floats(value: Any) -> np.ndarray:
    return read_only(np.asarray(value, dtype=float))


@attrs.frozen(kw_only=True)
class VisualDrive:
    """What drives each cell, in time.

    Parameters
    ----------
    response : array, shape (n_cells, n_images)
        Drive of each cell by each picture, 0 to 1.
    shown : array of int, shape (n_steps,)
        Number of the picture in each step, -1 for grey.
    step : float
        Length of a step (s).
    duration : float
        Of the session (s).
    """

    response: Float[np.ndarray, "n_cells n_images"] = attrs.field(
        converter=_floats, eq=array_eq
    )
    shown: Int[np.ndarray, " n_steps"] = attrs.field(converter=read_only, eq=array_eq)
    step: float
    duration: float

    def __attrs_post_init__(self) -> None:
        """Check the drive."""
        if self.response.ndim != 2 or not np.isfinite(self.response).all():
            msg = f"drive must be finite, (n_cells, n_images), got {self.response.shape}"
            raise InputError(msg)
        if self.response.size and self.response.min() < 0:
            raise InputError("drive of a cell by a picture must not be negative")

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.response)

    def values(self) -> Float[np.ndarray, "n_steps n_cells"]:
        """Give the drive of each cell in each step; 0 under grey."""
        grey = np.zeros((self.n_cells, 1))
        return np.concatenate([self.response, grey], axis=1)[:, self.shown].T


@attrs.frozen(kw_only=True)
class FrontEnd:
    """Delay, tiring and common gain between the drive and the cells.

    Parameters
    ----------
    latency : quantity
        From screen to cell.
    tau : quantity
        Time constant of the response.
    use : quantity
        Rate at which full drive uses inputs up.
    recovery : quantity
        Time in which they recover.
    gain_sd : float
        The gain of all cells together is exp of a slow noise of this standard deviation.
    gain_tau : quantity
        Time constant of that noise.

    Examples
    --------
    >>> FrontEnd(latency="40 ms").latency
    0.04
    """

    latency: float = attrs.field(
        default=si_default("60 ms", "s"), converter=si_required("s", "latency")
    )
    tau: float = attrs.field(
        default=si_default("30 ms", "s"), converter=si_required("s", "tau")
    )
    use: float = attrs.field(
        default=si_default("2 Hz", "Hz"), converter=si_required("Hz", "use")
    )
    recovery: float = attrs.field(
        default=si_default("3 s", "s"), converter=si_required("s", "recovery")
    )
    gain_sd: float = attrs.field(default=0.2, converter=float)
    gain_tau: float = attrs.field(
        default=si_default("10 s", "s"), converter=si_required("s", "gain_tau")
    )

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        if min(self.tau, self.recovery, self.gain_tau) <= 0:
            raise InputError("tau, recovery and gain_tau must be above 0 s")
        if min(self.latency, self.use, self.gain_sd) < 0:
            raise InputError("latency, use and gain_sd must not be negative")

    def gain(self, duration: float, rng: np.random.Generator) -> tuple[float, np.ndarray]:
        """Draw the common gain: the step (s), and its value in each."""
        step = self.gain_tau / 20
        slow = slow_noise((int(duration / step) + 2,), step, self.gain_tau, rng)
        return step, np.exp(self.gain_sd * slow - self.gain_sd**2 / 2)  # mean 1

    def names(self, drive: VisualDrive, rng: np.random.Generator) -> dict[str, Any]:
        """Give the names in `FRONT` for Brian2."""
        from brian2 import Hz, TimedArray, second

        step, gain = self.gain(drive.duration, rng)
        return {
            "vis_drive": TimedArray(drive.values(), dt=drive.step * second),
            "vis_gain": TimedArray(gain, dt=step * second),
            "vis_latency": self.latency * second,
            "vis_tau": self.tau * second,
            "vis_use": self.use * Hz,
            "vis_recovery": self.recovery * second,
        }
