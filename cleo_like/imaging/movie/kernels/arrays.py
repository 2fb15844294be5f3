"""One frame with numpy: the same bits as `loops`, without a compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.imaging.movie.kernels.tables import (
    BRIGHTEST,
    COUNTED,
    FAINTEST,
    FIRST_LEVEL,
    FIRST_MIX,
    GOLDEN,
    SECOND_MIX,
)

if TYPE_CHECKING:
    from cleo_like.imaging.movie.kernels.tables import Tables

_ONE = np.float32(1)


def fill_canvas(
    out: np.ndarray,
    static: np.ndarray,
    grid: np.ndarray,
    rows: tuple[np.ndarray, np.ndarray],
    columns: tuple[np.ndarray, np.ndarray],
) -> None:
    """Put the neuropil on the canvas: its picture times what its nodes do now.

    Parameters
    ----------
    out, static : array of float32, shape (height, width)
        Photons per pixel; the picture at rest.
    grid : array of float32, shape (node rows, node columns)
        Factor at each node.
    rows, columns : tuple of array
        Node before each row (column), and the part of the way to the next.
    """
    node, part = rows
    across = grid[node] * (_ONE - part)[:, None] + grid[node + 1] * part[:, None]
    node, part = columns
    factor = across[:, node] * (_ONE - part) + across[:, node + 1] * part
    np.multiply(static, factor, out=out)


def add_cells(  # noqa: PLR0917 - numba takes arguments by position
    out: np.ndarray,
    touched: np.ndarray,
    start: np.ndarray,
    cell: np.ndarray,
    weight: np.ndarray,
    amplitude: np.ndarray,
) -> None:
    """Add the light of the cells.

    Parameters
    ----------
    out : array of float32, shape (pixels,)
        The canvas, flat.
    touched : array of int, shape (m,)
        Pixels that any cell lights.
    start : array of int, shape (m + 1,)
        First entry of each of them.
    cell, weight : array, shape (entries,)
        Cell, and its light on the pixel.
    amplitude : array of float64, shape (n,)
        Of each cell, now.
    """
    which = np.repeat(np.arange(len(touched)), np.diff(start))
    light = np.bincount(which, weight * amplitude[cell], minlength=len(touched))
    out[touched] += light.astype(np.float32)


def warp(  # noqa: PLR0917 - as above
    out: np.ndarray,
    canvas: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    bend: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None,
    dark: np.float32,
) -> None:
    """Look at the canvas where the tissue is now.

    Parameters
    ----------
    out : array of float32, shape (height, width)
        Photons per pixel, with dark counts.
    canvas : array of float32
        Larger than the frame.
    rows, columns : array of float32, shape (height,)
        Place on the canvas of each row, and of its first pixel.
    bend : tuple, optional
        Further displacement of each row at nodes along it, (y, x), each (height, nodes);
        node before each column, and part of the way to the next.
    dark : float32
        Dark counts.
    """
    first_row, first = np.floor(rows), np.floor(columns)
    v, u = (rows - first_row)[:, None], (columns - first)[:, None]
    top = first_row.astype(np.int64)[:, None]
    left = first.astype(np.int64)[:, None] + np.arange(out.shape[1])
    if bend is not None:
        down, across, node, part = bend
        v = v + (down[:, node] * (_ONE - part) + down[:, node + 1] * part)
        u = u + (across[:, node] * (_ONE - part) + across[:, node + 1] * part)
        whole_v, whole_u = np.floor(v), np.floor(u)
        top = top + whole_v.astype(np.int64)
        left = left + whole_u.astype(np.int64)
        v, u = v - whole_v, u - whole_u
    top = np.clip(top, 0, canvas.shape[0] - 2)
    left = np.clip(left, 0, canvas.shape[1] - 2)
    flat, at = canvas.reshape(-1), top * canvas.shape[1] + left
    upper = flat[at] * (_ONE - u) + flat[at + 1] * u
    at += canvas.shape[1]
    lower = flat[at] * (_ONE - u) + flat[at + 1] * u
    np.add(upper * (_ONE - v) + lower * v, dark, out=out)


def detect(
    out: np.ndarray,
    expected: np.ndarray,
    key: np.uint64,
    tables: Tables,
    heights: tuple[np.float32, np.float32, np.float32],
) -> None:
    """Draw photons, the heights of their pulses, and read noise.

    Parameters
    ----------
    out, expected : array of float32, shape (height, width)
        Analog signal; photons per pixel.
    key : uint64
        Of the frame.
    tables : Tables
        Of the detector.
    heights : tuple of float32
        Height of a pulse, coefficient of variation of heights, sd of the read noise.
    """
    gain, cv, read = heights
    bits = random_bits(key, expected.size).reshape(expected.shape)
    photons = _photons(expected, bits, tables)
    tenth = ((bits >> np.uint64(12)) & np.uint64(1023)).astype(np.int64)
    many = photons >= COUNTED
    analog = tables.heights[np.minimum(photons, COUNTED - 1), tenth]
    if many.any():
        n = photons[many].astype(np.float32)
        analog[many] = n + np.sqrt(n) * cv * tables.normal[tenth[many]]
    np.multiply(analog, gain, out=out)
    if read > 0:
        out += read * tables.fine_normal[(bits & np.uint64(4095)).astype(np.int64)]


def random_bits(key: np.uint64, n: int) -> np.ndarray:
    """Give 64 random bits for each pixel of a frame."""
    z = np.arange(1, n + 1, dtype=np.uint64)
    z *= GOLDEN
    z += key
    z ^= z >> np.uint64(30)
    z *= FIRST_MIX
    z ^= z >> np.uint64(27)
    z *= SECOND_MIX
    z ^= z >> np.uint64(31)
    return z


def _photons(expected: np.ndarray, bits: np.ndarray, tables: Tables) -> np.ndarray:
    u = (bits >> np.uint64(32)).astype(np.uint32)
    dither = ((bits >> np.uint64(22)) & np.uint64(1023)).astype(np.uint32)
    pattern = np.ascontiguousarray(expected).view(np.uint32)
    bright = expected >= np.float32(BRIGHTEST)
    faint = expected < np.float32(FAINTEST)
    level = (pattern >> np.uint32(16)).astype(np.int64) - (FIRST_LEVEL - 1)
    part = (pattern & np.uint32(0xFFFF)) >> np.uint32(6)
    if faint.any():
        level[faint] = 0
        share = np.maximum(expected[faint], np.float32(0)) * np.float32(1024 / FAINTEST)
        part[faint] = share.astype(np.uint32)
    level[bright] = 0
    level += part > dither
    found = tables.guide[level, u >> np.uint32(24)].astype(np.int64)
    flat_u, flat_level, flat = u.ravel(), level.ravel(), found.ravel()
    open_ = np.flatnonzero(flat_u >= tables.cdf[flat_level, flat])
    while len(open_):
        flat[open_] += 1
        open_ = open_[flat_u[open_] >= tables.cdf[flat_level[open_], flat[open_]]]
    if bright.any():
        rate = expected[bright]
        z = tables.normal[u[bright] >> np.uint32(22)]
        n = rate + np.sqrt(rate) * z + (z * z - _ONE) * np.float32(1 / 6) + np.float32(0.5)
        found[bright] = np.floor(n).astype(np.int64)
    return found


def smear(out: np.ndarray, analog: np.ndarray, taps: np.ndarray, first: int, axis: int) -> None:
    """Mix neighbours: the bandwidth of an amplifier, or an interpolation.

    Parameters
    ----------
    out, analog : array of float32, shape (height, width)
        After and before.
    taps : array of float32, shape (m,)
        Share of each neighbour.
    first : int
        Place of the first neighbour (-1 is the one before).
    axis : int
        0 mixes along columns, 1 along rows. Beyond the edge is the edge.
    """
    n = analog.shape[axis]
    at = np.arange(n)
    out[:] = 0
    for k, tap in enumerate(taps):
        out += tap * analog.take(np.clip(at + first + k, 0, n - 1), axis=axis)


def store(
    out: np.ndarray, analog: np.ndarray, offset: np.ndarray, bottom: float, top: float
) -> int:
    """Round to whole numbers; give how many were clipped.

    Parameters
    ----------
    out : array of int, shape (height, width)
        Stored values.
    analog : array of float32, shape (height, width)
        Analog signal.
    offset : array of float32, shape (height,)
        Added to each row.
    bottom, top : float
        Of the converter.
    """
    value = np.floor(analog + offset[:, None] + np.float32(0.5))
    low, high = value < np.float32(bottom), value > np.float32(top)
    out[:] = np.clip(value, np.float32(bottom), np.float32(top)).astype(out.dtype)
    return int(np.count_nonzero(low) + np.count_nonzero(high))
