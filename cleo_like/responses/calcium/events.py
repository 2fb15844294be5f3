"""`CalciumEvents`: what a method of event detection found, with what it assumed."""

from __future__ import annotations

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only, texts


def _array(value: np.ndarray) -> np.ndarray:
    return read_only(np.asarray(value, dtype=float))


@attrs.frozen(kw_only=True)
class CalciumEvents:
    """Events of many cells, frame by frame.

    Parameters
    ----------
    events : array, shape (n_cells, n_frames)
        By how much the fit jumps in each frame, in the unit of the traces; NaN in cells that
        could not be measured and in frames without a sample.
    calcium : array, shape (n_cells, n_frames)
        The fit: what the trace would be without noise, over `baseline`.
    baseline : array, shape (n_cells,)
        What was taken off the trace.
    tau : array, shape (n_cells,)
        Time constant of the decay (s).
    noise_stds : array, shape (n_cells,)
        SD of the noise.
    lambdas : array, shape (n_cells,)
        Penalty of each cell: for one event (L0), or for the size of all events (AR(1)).
    frame_rate : float
        Hz.
    method : str
        Name of the method.
    notes : tuple of str
        Cells that could not be measured, and why; cells with frames without a sample.
    """

    events: np.ndarray = attrs.field(converter=_array, eq=array_eq)
    calcium: np.ndarray = attrs.field(converter=_array, eq=array_eq)
    baseline: np.ndarray = attrs.field(converter=_array, eq=array_eq)
    tau: np.ndarray = attrs.field(converter=_array, eq=array_eq)
    noise_stds: np.ndarray = attrs.field(converter=_array, eq=array_eq)
    lambdas: np.ndarray = attrs.field(converter=_array, eq=array_eq)
    frame_rate: float
    method: str
    notes: tuple[str, ...] = attrs.field(default=(), converter=texts)

    @property
    def filtered_events(self) -> np.ndarray:
        """Events smoothed by the causal half Gaussian of `filtered_events`."""
        from cleo_like.responses.calcium.smoothing import filtered_events

        return filtered_events(self.events, self.frame_rate)

    @property
    def n_events(self) -> np.ndarray:
        """Number of events of each cell."""
        return (self.events > 0).sum(axis=1)

    def __repr__(self) -> str:
        """One line: method, cells, frames, events."""
        n_cells, n_frames = self.events.shape
        return (
            f"CalciumEvents by {self.method}: {n_cells} cells, {n_frames} frames at "
            f"{self.frame_rate:.4g} Hz, {int(self.n_events.sum())} events"
        )


def measurable(
    y: np.ndarray, noise: np.ndarray, tau: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Which cells can be fitted, and why the others cannot."""
    reasons = {
        "has no sample": ~np.isfinite(y).any(axis=1),
        "has too few samples to tell its noise": ~np.isfinite(noise),
        "never changes: its noise is 0": noise == 0,
        "shows no decay; give tau": ~np.isfinite(tau),
    }
    good = np.ones(len(y), dtype=bool)
    notes = []
    for reason, cells in reasons.items():
        notes += [f"cell {k} {reason}" for k in np.flatnonzero(cells & good)]
        good &= ~cells
    return good, tuple(notes)


def without_lost_frames(
    events: np.ndarray, y: np.ndarray, good: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Say of frames without a sample that their events are not known."""
    lost = ~np.isfinite(y)
    notes = tuple(
        f"cell {k} has no sample in {lost[k].sum()} frames: events in them are not known"
        for k in np.flatnonzero(lost.any(axis=1) & good)
    )
    return np.where(lost, np.nan, events), notes
