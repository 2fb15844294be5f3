"""One frame after the other, from prepared arrays; each on its own, by any thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.imaging.movie.kernels.tables import frame_key

if TYPE_CHECKING:
    from cleo_like.imaging.movie.detector import Photomultiplier
    from cleo_like.imaging.movie.field.textures import Nodes
    from cleo_like.imaging.movie.kernels.tables import Tables
    from cleo_like.imaging.movie.motion import Trajectory


@attrs.frozen(kw_only=True, eq=False)
class Light:
    """Photons per pixel on the canvas, frame by frame.

    Parameters
    ----------
    static : array of float32, shape (height, width)
        Neuropil at rest, on the canvas.
    nodes : Nodes
        Grid of its slow signals.
    signals : array of float32, shape (n_frames, nodes)
        Factors at the nodes, with bleaching and what is common to a frame.
    touched, start, cell, weight : array
        Objects on the canvas, pixel by pixel (see `add_cells`).
    rest : array, shape (n,)
        Light of each object at rest.
    parent, share : array, shape (n,)
        Whose activity it has, and how much of it.
    dff : array of float32, shape (n_frames, cells)
        Activity.
    left : array, shape (n_frames,)
        Share of the objects' light after bleaching, with what is common to a frame.
    heights, focus : array, shape (m,) and (n, m), optional
        Light of each object when the tissue moves in depth (m), relative to no motion.
    z : array, shape (n_frames,)
        Motion in depth (m).
    """

    static: np.ndarray
    nodes: Nodes
    signals: np.ndarray
    touched: np.ndarray
    start: np.ndarray
    cell: np.ndarray
    weight: np.ndarray
    rest: np.ndarray
    parent: np.ndarray
    share: np.ndarray
    dff: np.ndarray
    left: np.ndarray
    heights: np.ndarray | None
    focus: np.ndarray | None
    z: np.ndarray

    def amplitude(self, frame: int) -> np.ndarray:
        """Give the light of each object in a frame."""
        response = self.share * self.dff[frame][self.parent] if self.dff.shape[1] else 0.0
        light = self.rest * np.maximum(1 + response, 0) * self.left[frame]
        if self.heights is not None and self.focus is not None:
            light *= self.in_focus(frame)
        return np.asarray(light)

    def in_focus(self, frame: int) -> Any:
        """Give the light of each object because of motion in depth, relative to none."""
        if self.heights is None or self.focus is None:
            return 1.0
        at = np.interp(self.z[frame], self.heights, np.arange(len(self.heights)))
        k = min(int(at), len(self.heights) - 2)
        return self.focus[:, k] * (k + 1 - at) + self.focus[:, k + 1] * (at - k)


@attrs.frozen(kw_only=True, eq=False)
class Counting:
    """What a detector does to each frame.

    Parameters
    ----------
    detector : Photomultiplier
        The detector.
    tables : Tables
        Its tables.
    read_noise : float
        Standard deviation (stored units).
    gain : array, shape (n_frames,)
        Height of a pulse.
    offset : array, shape (n_frames,)
        Stored value without light.
    starts : array, shape (n_frames,)
        When each frame begins (s).
    line_time : float
        Time of a line (s).
    """

    detector: Photomultiplier
    tables: Tables
    read_noise: float
    gain: np.ndarray
    offset: np.ndarray
    starts: np.ndarray
    line_time: float

    def offsets(self, frame: int, rows: int) -> np.ndarray:
        """Give the stored value without light of each row, with the mains' hum."""
        level = np.full(rows, self.offset[frame])
        if self.detector.hum > 0:
            times = self.starts[frame] + self.line_time * np.arange(rows)
            level += self.detector.hum * np.sin(2 * np.pi * self.detector.mains * times)
        return level.astype(np.float32)


class FrameMaker:
    """Makes frames.

    Parameters
    ----------
    kernels : namespace
        Inner loops.
    shape : tuple of int
        Rows and columns.
    margin : int
        Canvas around the frame (pixels).
    light : Light
        What there is to see.
    trajectory : Trajectory
        Motion.
    phase : array, shape (rows,)
        When each row is scanned, 0 to 1 of a frame.
    line_phase : float
        Displacement of every second row (pixels).
    dark : float
        Dark counts of a pixel.
    counting : Counting, optional
        The detector; without one frames are expected photons.
    seed, plane : int
        Of the movie.
    """

    def __init__(
        self,
        *,
        kernels: Any,
        shape: tuple[int, int],
        margin: int,
        light: Light,
        trajectory: Trajectory,
        phase: np.ndarray,
        line_phase: float,
        dark: float,
        counting: Counting | None,
        seed: int,
        plane: int,
    ) -> None:
        self.kernels, self.shape, self.margin = kernels, shape, margin
        self.light, self.trajectory, self.counting = light, trajectory, counting
        self.phase, self.dark = phase, np.float32(dark)
        self.seed, self.plane = seed, plane
        self._odd = np.where(np.arange(shape[0]) % 2 == 1, line_phase, 0.0)
        self._bends = None
        if trajectory.blocks is not None:
            self._bends = _block_nodes(shape, trajectory.blocks.shape[1])
        self._own = threading.local()

    def expected(self, frame: int, out: np.ndarray) -> None:
        """Put the expected photons of a frame, dark counts included, into an array."""
        light, canvas = self.light, self._buffer("canvas", self.light.static.shape)
        grid = light.signals[frame].reshape(light.nodes.shape)
        self.kernels.fill_canvas(
            canvas, light.static, grid, light.nodes.rows, light.nodes.columns
        )
        self.kernels.add_cells(
            canvas.reshape(-1),
            light.touched,
            light.start,
            light.cell,
            light.weight,
            light.amplitude(frame),
        )
        # the pixel looks at where the tissue came from
        moved = self.trajectory.of_rows(frame, self.phase)
        rows = np.arange(self.shape[0]) + self.margin - moved[:, 0]
        columns = self.margin - moved[:, 1] - self._odd
        self.kernels.warp(
            out,
            canvas,
            rows.astype(np.float32),
            columns.astype(np.float32),
            self._bend(frame),
            self.dark,
        )

    def stored(self, frame: int, out: np.ndarray) -> int:
        """Put the stored values of a frame into an array; give how many were clipped."""
        counting = self.counting
        if counting is None:
            self.expected(frame, out)
            return 0
        one, two = self._buffer("one", self.shape), self._buffer("two", self.shape)
        self.expected(frame, one)
        detector = counting.detector
        numbers = (counting.gain[frame], detector.height_cv, counting.read_noise)
        heights = tuple(np.float32(v) for v in numbers)
        key = frame_key(self.seed, self.plane, frame)
        self.kernels.detect(two, one, key, counting.tables, heights)
        for taps, first, axis in smears(detector):
            self.kernels.smear(one, two, taps, first, axis)
            one, two = two, one
        level = counting.offsets(frame, self.shape[0])
        return int(
            self.kernels.store(out, two, level, detector.bottom, float(detector.largest))
        )

    def _bend(self, frame: int) -> Any:
        if self._bends is None or self.trajectory.blocks is None:
            return None
        (row, part), columns = self._bends
        blocks = self.trajectory.blocks[frame]
        part = part[:, None, None]
        field = -(blocks[row] * (1 - part) + blocks[row + 1] * part)
        down, across = np.ascontiguousarray(np.moveaxis(field, 2, 0))
        return down, across, *columns

    def _buffer(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        if not hasattr(self._own, name):
            setattr(self._own, name, np.empty(shape, np.float32))
        return getattr(self._own, name)


def smears(detector: Photomultiplier) -> list[tuple[np.ndarray, int, int]]:
    """Give shares, first neighbour and axis of each mixing of neighbours."""
    found = []
    if len(detector.row_taps) > 1:
        found.append((detector.row_taps, 1 - len(detector.row_taps), 1))
    if detector.resampling:
        taps = detector.resampling_taps
        found += [(taps, -(len(taps) // 2), 0), (taps, -(len(taps) // 2), 1)]
    return found


def _block_nodes(shape: tuple[int, int], blocks: int) -> Any:
    """Middles of blocks before each row and column; beyond the last middle all is one."""
    parts = []
    for n in shape:
        at = np.clip((np.arange(n) + 0.5) / n * blocks - 0.5, 0, blocks - 1)
        before = np.minimum(at.astype(np.int64), blocks - 2)
        parts.append((before, (at - before).astype(np.float32)))
    return parts
