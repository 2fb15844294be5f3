"""What a scope saw and where it looked, frozen: what export and figures take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from cleo_like.imaging.optics import Optics
    from cleo_like.imaging.rois import Injection
    from cleo_like.imaging.sensors.sensor import Sensor


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
