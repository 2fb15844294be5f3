"""What a simulated movie knows of every stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.ophys.traces import ImagingTruth, Traces

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

    from cleo_like.core.ophys.masks import RoiMasks
    from cleo_like.imaging.movie.motion import Trajectory


@attrs.frozen(kw_only=True, eq=False)
class MovieTruth:
    """Truth of a movie, stage by stage; objects are the cells given, then all others.

    Parameters
    ----------
    masks : RoiMasks
        Pixels of each object without motion; weight 1 is a pixel in focus that the object
        fills. Of a dark cell, the pixels where it displaces neuropil.
    kind : array of str, shape (n,)
        "soma", "nuclear", "overexpressing", "dark", "dendrite" or "blob".
    parent : array of int, shape (n,)
        Cell whose activity it has; -1 is none.
    places : array, shape (n, 3)
        Row and column of the middle (pixels), height above the focus (m).
    radius : array, shape (n,)
        Of a soma, or half the width of a process (m).
    focus : array, shape (n,)
        Light of the object, in that of the same in focus.
    F0 : array, shape (n,)
        Own photons per pixel and frame at rest: mean over the mask, by its weights.
    coefficient : array, shape (n,)
        Light of the neuropil inside the mask over that around it (the 350 nearest pixels
        without a mask): what is to be subtracted as ``F - coefficient * Fneu``. NaN without
        neuropil, or where the mask has no pixel (far out of focus).
    cell_dff : array, shape (n_frames, n_cells)
        (F - F0)/F0 of the cells given.
    share : array, shape (n,)
        Factor of each object on that of its parent.
    signals : array, shape (n_frames, nodes)
        Factor of the neuropil at the nodes of a coarse grid.
    node_weights : array, shape (n, nodes)
        Photons per pixel of the neuropil around each object, by node.
    delays : array, shape (n,)
        From the time of a frame to the row of the object's middle (s).
    times : array, shape (n_frames,)
        Of the frames (s).
    motion : Trajectory
        Rigid, blockwise and in depth.
    depth_focus : tuple of array
        Heights of the tissue, and the light of each object there, relative to no motion;
        None without motion in depth.
    line_phase : float
        Displacement of every second row (pixels).
    soma_left, neuropil_left : array, shape (n_frames,)
        Light left after bleaching.
    common : array, shape (n_frames,)
        Factor on all light (blood volume, laser).
    photons : float
        Per pixel and frame of the median cell in focus at rest.
    dark_counts : float
        Per pixel and frame.
    gain, offset : array, shape (n_frames,)
        Of the detector; NaN without one.
    transfer_slope : float
        Variance over mean of a stored pixel under constant light; NaN without a detector.
    spike_times : tuple of array, optional
        Of each cell (s).
    """

    masks: RoiMasks
    kind: np.ndarray
    parent: Int[np.ndarray, "n"]
    places: Float[np.ndarray, "n 3"]
    radius: Float[np.ndarray, "n"]
    focus: Float[np.ndarray, "n"]
    F0: Float[np.ndarray, "n"]
    coefficient: Float[np.ndarray, "n"]
    cell_dff: Float[np.ndarray, "n_frames n_cells"]
    share: Float[np.ndarray, "n"]
    signals: Float[np.ndarray, "n_frames nodes"]
    node_weights: Float[np.ndarray, "n nodes"]
    delays: Float[np.ndarray, "n"]
    times: Float[np.ndarray, "n_frames"]
    motion: Trajectory
    depth_focus: tuple[np.ndarray | None, np.ndarray | None]
    line_phase: float
    soma_left: Float[np.ndarray, "n_frames"]
    neuropil_left: Float[np.ndarray, "n_frames"]
    common: Float[np.ndarray, "n_frames"]
    photons: float
    dark_counts: float
    gain: Float[np.ndarray, "n_frames"]
    offset: Float[np.ndarray, "n_frames"]
    transfer_slope: float
    spike_times: tuple[np.ndarray, ...] | None = None

    @property
    def dff(self) -> Float[np.ndarray, "n n_frames"]:
        """(F - F0)/F0 of each object, without bleaching or motion in depth."""
        if not self.cell_dff.shape[1]:
            return np.zeros((len(self.kind), len(self.times)))
        parents = np.maximum(self.parent, 0)
        return self.share[:, None] * self.cell_dff.T[parents]

    @property
    def neuropil(self) -> Float[np.ndarray, "n n_frames"]:
        """Photons per pixel of the neuropil around each object: what Fneu should find."""
        return self.node_weights @ self.signals.T

    @property
    def in_focus(self) -> Float[np.ndarray, "n n_frames"]:
        """Factor on the light of each object by motion in depth."""
        heights, focus = self.depth_focus
        if heights is None or focus is None:
            return np.ones((len(self.kind), len(self.times)))
        return np.stack([np.interp(self.motion.z, heights, row) for row in focus])

    @property
    def timestamps(self) -> Float[np.ndarray, "n n_frames"]:
        """When the laser met each object in each frame (s)."""
        return self.times + self.delays[:, None]

    @property
    def visible(self) -> Bool[np.ndarray, "n"]:
        """Somata of the population that are in focus, and have a pixel in the frame."""
        return (self.kind == "soma") & (self.focus > 0.5) & (self.masks.counts > 0)

    @property
    def fluorescence(self) -> Float[np.ndarray, "n n_frames"]:
        """Own photons per pixel and frame, mean over the mask, without neuropil."""
        response = np.maximum(1 + self.dff, 0)
        return self.F0[:, None] * response * self.in_focus * self.soma_left * self.common

    @property
    def contamination(self) -> Float[np.ndarray, "n n_frames"]:
        """Photons per pixel and frame of the neuropil inside the mask."""
        return self.coefficient[:, None] * self.neuropil

    def traces(self) -> Traces:
        """Give dF/F of the cells of the population with their masks, as the truth has it.

        Returns
        -------
        Traces
            With columns `focus`, `F0`, `neuropil_coefficient` and `delay` of each ROI.
        """
        cells = np.flatnonzero(self.kind == "soma")
        spikes = self.spike_times
        return Traces(
            fluorescence=self.dff[cells],
            times=self.times,
            masks=self.masks.select(cells),
            quantity="(F - F0)/F0, without noise",
            rois={
                "focus": self.focus[cells],
                "F0": self.F0[cells],
                "neuropil_coefficient": self.coefficient[cells],
                "delay": self.delays[cells],
            },
            truth=ImagingTruth(spike_times=spikes, fluorescence=self.dff[cells]),
        )

    def __repr__(self) -> str:
        """One line: objects by class."""
        kinds, counts = np.unique(self.kind, return_counts=True)
        named = ", ".join(f"{n} {kind}" for kind, n in zip(kinds, counts, strict=True))
        return f"MovieTruth: {named or 'no objects'}; {int(self.visible.sum())} somata in focus"
