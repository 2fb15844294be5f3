"""The tissue moves under the microscope: rigidly, in blocks, and out of focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.arrays import si_default, si_required, whole_number
from cleo_like.core.errors import InputError
from cleo_like.imaging.calibrated.population.noise import stationary
from cleo_like.imaging.movie.kernels.tables import stream
from cleo_like.imaging.movie.parts import check_numbers

if TYPE_CHECKING:
    from jaxtyping import Float

    from cleo_like.imaging.movie.parts import Scan
    from cleo_like.imaging.optics import Optics

KNOTS = 8
"""Places of the tissue computed during a frame; lines between them are interpolated."""


@attrs.frozen(kw_only=True)
class TissueMotion:
    """How the tissue moves.

    The displacement along each axis is the sum of a slow part (an Ornstein-Uhlenbeck
    process), a jitter that is new in every frame, and a tremor within frames.

    Parameters
    ----------
    slow_axis, fast_axis : quantity
        Standard deviation across and along the lines, y and x (default 1 um and 0.35 um).
    correlation : float
        Of y and x.
    correlation_time : quantity
        Of the slow part (default 0.4 s).
    jitter, tremor : float
        Their shares of the variance; the rest is the slow part.
    tremor_time : quantity
        Correlation time of the tremor (default 20 ms).
    nonrigid : quantity
        Standard deviation of the further displacement of each block (default 0 um).
    blocks : int
        Blocks along each side of the frame; between their middles it is interpolated.
    nonrigid_time : quantity
        Its correlation time (default 1 s).
    axial : quantity
        Standard deviation of the motion in depth (default 0 um); cells go out of focus.
    axial_time : quantity
        Its correlation time (default 3 s).

    Notes
    -----
    Defaults: shares, correlation time and the ratio of the axes as measured in one movie of a
    mouse; size of a typical head-fixed animal.
    """

    slow_axis: float = attrs.field(
        default=si_default("1 um", "m"), converter=si_required("m", "slow_axis")
    )
    fast_axis: float = attrs.field(
        default=si_default("0.35 um", "m"), converter=si_required("m", "fast_axis")
    )
    correlation: float = -0.3
    correlation_time: float = attrs.field(
        default=si_default("0.4 s", "s"), converter=si_required("s", "correlation_time")
    )
    jitter: float = 0.35
    tremor: float = 0.1
    tremor_time: float = attrs.field(
        default=si_default("20 ms", "s"), converter=si_required("s", "tremor_time")
    )
    nonrigid: float = attrs.field(
        default=si_default("0 um", "m"), converter=si_required("m", "nonrigid")
    )
    blocks: int = attrs.field(default=4, converter=whole_number("blocks", 2))
    nonrigid_time: float = attrs.field(
        default=si_default("1 s", "s"), converter=si_required("s", "nonrigid_time")
    )
    axial: float = attrs.field(
        default=si_default("0 um", "m"), converter=si_required("m", "axial")
    )
    axial_time: float = attrs.field(
        default=si_default("3 s", "s"), converter=si_required("s", "axial_time")
    )

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(
            self,
            positive=("correlation_time", "tremor_time", "nonrigid_time", "axial_time"),
            not_negative=("slow_axis", "fast_axis", "nonrigid", "axial"),
            shares=("jitter", "tremor"),
        )
        if self.jitter + self.tremor > 1:
            both = self.jitter + self.tremor
            msg = f"jitter and tremor are shares of one variance, got {both:g} together"
            raise InputError(msg)
        if not abs(self.correlation) <= 1:
            msg = f"correlation must be between -1 and 1, got {self.correlation:g}"
            raise InputError(msg)


STILL = TissueMotion(slow_axis="0 um", fast_axis="0 um")
"""No motion."""


@attrs.frozen(kw_only=True, eq=False)
class Trajectory:
    """Where the tissue was; positive is towards larger rows, columns, and heights.

    Parameters
    ----------
    knots : array, shape (n_frames, KNOTS + 1, 2)
        Rigid displacement (y, x) during each frame (pixels, float32).
    blocks : array, shape (n_frames, blocks, blocks, 2), optional
        Further displacement of each block (pixels).
    z : array, shape (n_frames,)
        Displacement in depth (m): added to the height of each cell above the focus.
    """

    knots: Float[np.ndarray, "n_frames knots 2"]
    blocks: Float[np.ndarray, "n_frames b b 2"] | None
    z: Float[np.ndarray, "n_frames"]

    @property
    def rigid(self) -> Float[np.ndarray, "n_frames 2"]:
        """Mean displacement (y, x) during each frame (pixels)."""
        inner = self.knots[:, 1:-1].sum(axis=1, dtype=float)
        ends = (self.knots[:, 0] + self.knots[:, -1]) / 2
        return (inner + ends) / (self.knots.shape[1] - 1)

    @property
    def largest(self) -> float:
        """Largest displacement of any pixel (pixels)."""
        most = float(np.abs(self.knots).max(initial=0))
        return most + (0.0 if self.blocks is None else float(np.abs(self.blocks).max()))

    def of_rows(self, frame: int, phase: np.ndarray) -> Float[np.ndarray, "rows 2"]:
        """Give the rigid displacement (y, x) of each row of a frame.

        Parameters
        ----------
        frame : int
            Its number.
        phase : array, shape (rows,)
            When each row is scanned, 0 to 1 of a frame.
        """
        knots = self.knots[frame]
        at = np.linspace(0, 1, len(knots))
        return np.stack([np.interp(phase, at, knots[:, axis]) for axis in (0, 1)], axis=1)


def move(
    motion: TissueMotion, scan: Scan, optics: Optics, n_frames: int, *, seed: int, plane: int
) -> Trajectory:
    """Draw the motion of a movie; planes of one seed see one tissue."""
    step = scan.planes + scan.flyback_planes
    n, period = n_frames * step, 1 / optics.frame_rate
    rng = stream(seed, "motion")
    sd = np.array([motion.slow_axis, motion.fast_axis]) / optics.pixel_size
    share = 1 - motion.jitter - motion.tremor
    turn = np.linalg.cholesky([[1, motion.correlation], [motion.correlation, 1 + 1e-12]])
    walk = wander(n * KNOTS + 1, period / KNOTS, motion.correlation_time, 2, rng)
    tremor = wander(n * KNOTS + 1, period / KNOTS, motion.tremor_time, 2, rng)
    jitter = rng.standard_normal((n, 2))
    mine = slice(plane, None, step)
    path = np.sqrt(share) * walk + np.sqrt(motion.tremor) * tremor
    within = np.arange(n)[mine, None] * KNOTS + np.arange(KNOTS + 1)
    knots = path[within] + np.sqrt(motion.jitter) * jitter[mine, None, :]
    knots = (knots @ turn.T) * sd
    blocks = None
    if motion.nonrigid > 0:
        b = motion.blocks
        bend = wander(n, period, motion.nonrigid_time, 2 * b * b, stream(seed, "nonrigid"))
        blocks = bend[mine].reshape(-1, b, b, 2) * (motion.nonrigid / optics.pixel_size)
    z = wander(n, period, motion.axial_time, 1, stream(seed, "axial"))[mine, 0]
    return Trajectory(
        knots=knots.astype(np.float32),
        blocks=None if blocks is None else blocks.astype(np.float32),
        z=z * motion.axial,
    )


def wander(n: int, dt: float, tau: float, columns: int, rng: np.random.Generator) -> np.ndarray:
    """Ornstein-Uhlenbeck processes of variance 1, shape (n, columns)."""
    keep = np.full(n, np.exp(-dt / tau))
    return np.ascontiguousarray(stationary(rng.standard_normal((n, columns)).T, keep).T)
