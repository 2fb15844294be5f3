"""What a scope saw and where it looked, frozen: what export and figures take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.imaging.checks import check_exposure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cleo_like.imaging.optics import Optics
    from cleo_like.imaging.rois import Injection, Rois
    from cleo_like.imaging.sensors.sensor import Sensor


Frames: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]
"""Times (s), dF/F with noise, without, and calcium; the last two where they are known."""


class Microscope(Protocol):
    """Where a scope looks, and what it sees there; `Scope` is one."""

    @property
    def name(self) -> str:
        """For errors and labels."""

    @property
    def sensor(self) -> Sensor:
        """What fluoresces."""

    @property
    def img_width(self) -> Any:
        """Diameter of the image (quantity)."""

    @property
    def focus_depth(self) -> Any:
        """Distance of the focal plane (quantity), or None."""

    @property
    def location(self) -> Any:
        """Place of the objective (quantity, shape (3,))."""

    @property
    def direction(self) -> np.ndarray:
        """Unit vector in which it looks."""

    @property
    def soma_radius(self) -> Any:
        """Radius of the cells (quantity)."""

    @property
    def snr_cutoff(self) -> float:
        """Cells not above it are left out."""

    @property
    def optics(self) -> Optics | None:
        """Photons and point spread, or None."""

    @property
    def injections(self) -> Sequence[Injection]:
        """Its planes."""

    @property
    def rois(self) -> Rois:
        """All cells of all planes."""

    @property
    def sim(self) -> Any:
        """Its simulator, or None."""

    @property
    def exposure(self) -> float:
        """Length of a frame (s)."""

    @property
    def rand_seed(self) -> int | None:
        """Seed of its noise."""

    @property
    def dFF_1AP(self) -> np.ndarray:  # noqa: N802 - Cleo's name
        """Response of each ROI to one action potential."""

    @property
    def focus_coords(self) -> Any:
        """Places of all cells on their planes (quantity, shape (n, 3))."""

    def cell_places(self) -> np.ndarray | None:
        """Give the places of the cells (m, shape (n, 3)), where they are known."""

    def with_noise(self, clean: np.ndarray, time: float) -> np.ndarray:
        """Add the noise of one frame to dF/F."""


@attrs.frozen(kw_only=True, eq=False)
class FrameLog:
    """Frames of a scope, with all that is known of them.

    Parameters
    ----------
    name, sensor : str
        Of the scope, and of what fluoresces.
    times : array, shape (n_frames,)
        Ends of the exposures (s).
    seen : array, shape (n_frames, n)
        dF/F with noise.
    clean, calcium : array, shape (n_frames, n), optional
        dF/F without noise and free calcium (mol/m^3); None for frames assigned by hand.
    spike_times : list of array, optional
        Of every ROI (s); None where the sensor does not follow spikes.
    rois : mapping
        Columns of the ROI table, each of shape (n,): ``group``, ``neuron``, ``plane``,
        ``focus_depth`` (m), ``sigma_noise``, ``rho_rel``.
    dff_1ap : array, shape (n,)
        Response of each ROI to one action potential (NaN if unknown).
    positions, focus_coords : array, shape (n, 3), optional
        Places (m) of the cells, and on their planes.
    resting_brightness, exposure : float
        (F - F0)/F0 is dF/F divided by the first; length of a frame (s).
    location, direction : array, shape (3,)
        Place of the objective (m), and where it looks.
    img_width : float
        Diameter of the image (m).
    focus_depth : float, optional
        The scope's own plane (m).
    seed, network_seed : int, optional
        Of the scope's noise, and of the network.
    settings : str
        The scope as text.
    """

    name: str
    sensor: str
    times: np.ndarray
    seen: np.ndarray
    clean: np.ndarray | None
    calcium: np.ndarray | None
    spike_times: list[np.ndarray] | None
    rois: Mapping[str, np.ndarray]
    dff_1ap: np.ndarray
    positions: np.ndarray | None
    focus_coords: np.ndarray
    resting_brightness: float
    exposure: float
    location: np.ndarray
    direction: np.ndarray
    img_width: float
    focus_depth: float | None
    seed: int | None
    network_seed: int | None
    settings: str

    @property
    def n(self) -> int:
        """Number of ROIs."""
        return len(self.rois["neuron"])


def computed_frames(scope: Microscope, rate: float) -> Frames:
    """Compute frames over the whole run from the recorded spikes.

    Parameters
    ----------
    scope : Scope
        Prepared, in a simulator that has run.
    rate : float
        Frames per second (Hz).

    Returns
    -------
    tuple of array
        Times (s), and dF/F with noise, without, and calcium, each (n_frames, n).
    """
    if scope.sim is None:
        msg = f"{scope.name!r} is in no simulator"
        raise InputError(msg)
    end = float(scope.sim.network.t_)
    times = np.arange(int(np.floor(end * rate + 1e-9)) + 1) / rate
    check_exposure(times, scope.exposure)
    rois = scope.rois
    parts = [scope.sensor.blocks[g.name].frames(times, scope.exposure) for g in rois.groups]
    clean, calcium = (
        rois.in_order([part[k] for part in parts]).reshape(len(rois), len(times)).T
        for k in (0, 1)
    )
    seen = np.array(
        [scope.with_noise(*frame) for frame in zip(clean, times.tolist(), strict=True)]
    )
    return times, seen, clean, calcium


def log_of(
    scope: Microscope, frames: Frames, *, rois: Mapping[str, np.ndarray], settings: str
) -> FrameLog:
    """Put frames together with all that the scope knows of them.

    Parameters
    ----------
    scope : Scope
        What took them.
    frames : tuple of array
        Times, dF/F with noise, without, and calcium; as `computed_frames` gives them.
    rois : mapping
        Table of the ROIs.
    settings : str
        The scope as text.
    """
    times, seen, clean, calcium = frames
    blocks = [scope.sensor.blocks.get(getattr(g, "name", "")) for g in scope.rois.groups]
    spikes = [b.spikes_by_roi() for b in blocks if b is not None]
    followed = len(spikes) == len(blocks) and not any(some is None for some in spikes)
    return FrameLog(
        name=scope.name,
        sensor=scope.sensor.name,
        times=times,
        seen=seen,
        clean=clean,
        calcium=calcium,
        spike_times=list(scope.rois.in_order(spikes)) if followed else None,
        rois=rois,
        dff_1ap=scope.dFF_1AP,
        positions=scope.cell_places(),
        focus_coords=np.asarray(scope.focus_coords),
        resting_brightness=scope.sensor.resting_brightness,
        exposure=scope.exposure,
        location=np.asarray(scope.location),
        direction=scope.direction,
        img_width=float(scope.img_width),
        focus_depth=None if scope.focus_depth is None else float(scope.focus_depth),
        seed=scope.rand_seed,
        network_seed=None if scope.sim is None else scope.sim.seed,
        settings=settings,
    )
