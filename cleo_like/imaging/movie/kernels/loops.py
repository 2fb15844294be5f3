"""One frame in loops, for numba: the same bits as `arrays`, several times as fast.

Every operation is on float32 (or whole numbers) in the order of `arrays`; nothing may be
reordered or contracted. Arguments are those of the functions of the same names there.
"""

from __future__ import annotations

from typing import Any

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

_ZERO, _HALF, _ONE, _6TH = map(np.float32, (0, 0.5, 1, 1 / 6))
_FAINTEST, _BRIGHTEST, _TO_PART = map(np.float32, (FAINTEST, BRIGHTEST, 1024 / FAINTEST))
_30, _27, _31, _32, _22, _12, _1023, _4095 = map(
    np.uint64, (30, 27, 31, 32, 22, 12, 1023, 4095)
)
# indices without a sign: numba would check those with one for negative values
_6, _16, _24, _TO_1024, _LOWER, _BEFORE_FIRST, _ONE_MORE = map(
    np.uint32, (6, 16, 24, 22, 0xFFFF, FIRST_LEVEL - 1, 1)
)


def fill_canvas(out: Any, static: Any, grid: Any, rows: Any, columns: Any) -> None:
    """Put the neuropil on the canvas."""
    row_node, row_part = rows
    node, part = columns
    across = np.empty(grid.shape[1], np.float32)
    for y in range(out.shape[0]):
        n, p = row_node[y], row_part[y]
        for k in range(grid.shape[1]):
            across[k] = grid[n, k] * (_ONE - p) + grid[n + 1, k] * p
        for x in range(out.shape[1]):
            m, q = node[x], part[x]
            out[y, x] = static[y, x] * (across[m] * (_ONE - q) + across[m + 1] * q)


def add_cells(  # noqa: PLR0917 - numba takes arguments by position
    out: Any, touched: Any, start: Any, cell: Any, weight: Any, amplitude: Any
) -> None:
    """Add the light of the cells."""
    for i in range(touched.shape[0]):
        light = 0.0
        for j in range(start[i], start[i + 1]):
            light += weight[j] * amplitude[cell[j]]
        out[touched[i]] += np.float32(light)


def warp(  # noqa: PLR0917 - as above
    out: Any, canvas: Any, rows: Any, columns: Any, bend: Any, dark: Any
) -> None:
    """Look at the canvas where the tissue is now."""
    height, width = canvas.shape
    columns_out = out.shape[1]
    last = width - columns_out - 1
    if bend is not None:
        flat = canvas.reshape(-1)
        place = np.empty(columns_out, np.uint32)
        vs, us = np.empty(columns_out, np.float32), np.empty(columns_out, np.float32)
    for r in range(out.shape[0]):
        first_row, first = int(np.floor(rows[r])), int(np.floor(columns[r]))
        y, x = rows[r] - np.float32(first_row), columns[r] - np.float32(first)
        if bend is None:  # one place between pixels for the whole row: this loop vectorises
            top, left = min(max(first_row, 0), height - 2), min(max(first, 0), last)
            above, below = canvas[top, left:], canvas[top + 1, left:]
            for c in range(columns_out):
                upper = above[c] * (_ONE - x) + above[c + 1] * x
                lower = below[c] * (_ONE - x) + below[c + 1] * x
                out[r, c] = (upper * (_ONE - y) + lower * y) + dark
        else:
            down, across, node, part = bend
            start = 0
            while start < columns_out:  # between two nodes it vectorises, too
                m = node[start]
                stop = start + 1
                while stop < columns_out and node[stop] == m:
                    stop += 1
                d0, d1, a0, a1 = down[r, m], down[r, m + 1], across[r, m], across[r, m + 1]
                for c in range(start, stop):
                    q = part[c]
                    v = y + (d0 * (_ONE - q) + d1 * q)
                    u = x + (a0 * (_ONE - q) + a1 * q)
                    whole_v, whole_u = np.floor(v), np.floor(u)
                    top = np.int32(first_row) + np.int32(whole_v)
                    left = np.int32(first) + np.int32(c) + np.int32(whole_u)
                    top = min(max(top, np.int32(0)), np.int32(height - 2))
                    left = min(max(left, np.int32(0)), np.int32(width - 2))
                    vs[c], us[c] = v - whole_v, u - whole_u
                    place[c] = np.uint32(top * np.int32(width) + left)
                start = stop
            for c in range(columns_out):
                k, v, u = place[c], vs[c], us[c]
                upper = flat[k] * (_ONE - u) + flat[k + _ONE_MORE] * u
                k += np.uint32(width)
                lower = flat[k] * (_ONE - u) + flat[k + _ONE_MORE] * u
                out[r, c] = (upper * (_ONE - v) + lower * v) + dark


def detect(out: Any, expected: Any, key: Any, tables: Any, heights: Any) -> None:
    """Draw photons, the heights of their pulses, and read noise."""
    cdf, guide, sums, normal, fine_normal = tables
    gain, cv, read = heights
    patterns = expected.view(np.uint32)
    counter = key
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            counter += GOLDEN
            z = counter
            z ^= z >> _30
            z *= FIRST_MIX
            z ^= z >> _27
            z *= SECOND_MIX
            z ^= z >> _31
            u = np.uint32(z >> _32)
            tenth = (z >> _12) & _1023
            rate = expected[r, c]
            if rate >= _BRIGHTEST:
                q = normal[u >> _TO_1024]
                n = np.uint32(
                    np.floor(rate + np.sqrt(rate) * q + (q * q - _ONE) * _6TH + _HALF)
                )
            else:
                level, part = np.uint32(0), np.uint32(max(rate, _ZERO) * _TO_PART)
                if rate >= _FAINTEST:
                    pattern = patterns[r, c]
                    level = np.uint32(pattern >> _16) - _BEFORE_FIRST
                    part = np.uint32((pattern & _LOWER) >> _6)
                level += np.uint32(part > np.uint32((z >> _22) & _1023))
                n = np.uint32(guide[level, u >> _24])
                while u >= cdf[level, n]:
                    n += _ONE_MORE
            if n < COUNTED:
                analog = sums[n, tenth]
            else:
                many = np.float32(n)
                analog = many + np.sqrt(many) * cv * normal[tenth]
            analog *= gain
            if read > _ZERO:
                analog += read * fine_normal[z & _4095]
            out[r, c] = analog


def smear(out: Any, analog: Any, taps: Any, first: Any, axis: Any) -> None:
    """Mix neighbours along rows or columns."""
    height, width = analog.shape
    for r in range(height):
        for c in range(width):
            total = _ZERO
            for k in range(taps.shape[0]):
                at = first + k
                if axis == 0:
                    total += taps[k] * analog[min(max(r + at, 0), height - 1), c]
                else:
                    total += taps[k] * analog[r, min(max(c + at, 0), width - 1)]
            out[r, c] = total


def store(out: Any, analog: Any, offset: Any, bottom: Any, top: Any) -> int:
    """Round to whole numbers; give how many were clipped."""
    clipped = 0
    low, high = np.float32(bottom), np.float32(top)
    for r in range(out.shape[0]):
        level = offset[r]
        for c in range(out.shape[1]):
            value = np.floor(analog[r, c] + level + _HALF)
            kept = min(max(value, low), high)
            clipped += value != kept
            out[r, c] = np.int32(kept)
    return clipped
