"""What generated numba kernels call: Brian2's functions, TimedArrays and counter-based noise.

Imported by generated modules only, so numba is loaded only where there is no C++ compiler.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = [
    "brian_abs",
    "brian_arccos",
    "brian_arcsin",
    "brian_arctan",
    "brian_ceil",
    "brian_clip",
    "brian_cos",
    "brian_cosh",
    "brian_exp",
    "brian_expm1",
    "brian_exprel",
    "brian_floor",
    "brian_int",
    "brian_log",
    "brian_log1p",
    "brian_log10",
    "brian_sign",
    "brian_sin",
    "brian_sinh",
    "brian_sqrt",
    "brian_tan",
    "brian_tanh",
    "brian_timestep",
    "cl_rand",
    "cl_randn",
    "cl_timed_1",
    "cl_timed_2",
    "njit",
    "np",
]  # fmt: skip

_inline = njit(nogil=True, error_model="numpy", cache=True)

brian_exp, brian_expm1, brian_log, brian_log10, brian_log1p = (
    np.exp, np.expm1, np.log, np.log10, np.log1p
)  # fmt: skip
brian_sin, brian_cos, brian_tan, brian_sqrt = np.sin, np.cos, np.tan, np.sqrt
brian_sinh, brian_cosh, brian_tanh = np.sinh, np.cosh, np.tanh
brian_arcsin, brian_arccos, brian_arctan = np.arcsin, np.arccos, np.arctan
brian_abs, brian_floor, brian_ceil = abs, np.floor, np.ceil


@_inline
def brian_exprel(x: float) -> float:
    """(exp(x) - 1)/x, and 1 at 0."""
    return 1.0 if x == 0.0 else np.expm1(x) / x


@_inline
def brian_clip(x: float, low: float, high: float) -> float:
    """Limit a value."""
    return low if x < low else (high if x > high else x)


@_inline
def brian_sign(x: float) -> float:
    """Sign of a value."""
    return (1.0 if x > 0 else 0.0) - (1.0 if x < 0 else 0.0)


@_inline
def brian_int(x: float) -> np.int64:
    """Truncate towards 0."""
    return np.int64(x)


@_inline
def brian_timestep(t: float, dt: float) -> int:
    """Time in steps, as Brian2 counts it."""
    return int((t + 1e-3 * dt) / dt)


@_inline
def _row(n_rows: int, scale: tuple[float, float], t: float) -> int:
    dt, upsampling = scale
    k = int((t / (dt / upsampling) + 0.5) / upsampling)
    return min(max(k, 0), n_rows - 1)


@_inline
def cl_timed_1(values: np.ndarray, scale: tuple[float, float], t: float) -> float:
    """Value of a 1-D TimedArray."""
    return values[_row(len(values), scale, t)]


@_inline
def cl_timed_2(values: np.ndarray, scale: tuple[float, float], t: float, i: int) -> float:
    """Value of a 2-D TimedArray; NaN outside of its columns."""
    if i < 0 or i >= values.shape[1]:
        return np.nan
    return values[_row(len(values), scale, t), int(i)]


@_inline
def _philox(seed: int, trace: int, step: int, site: int) -> tuple[float, float]:
    """Philox4x32-10 (Salmon et al. 2011), as in kernel.h: u in (0, 1], w in [0, 1)."""
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    c0 = np.uint64(step) & low
    c1 = (np.uint64(step) >> half) ^ (np.uint64(site) << np.uint64(16))
    c2, c3 = np.uint64(trace) & low, np.uint64(trace) >> half
    k0, k1 = np.uint64(seed) & low, np.uint64(seed) >> half
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        d0, d2 = (b >> half) ^ c1 ^ k0, (a >> half) ^ c3 ^ k1
        c0, c1, c2, c3 = d0 & low, b & low, d2 & low, a & low
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
    scale = 2.0**-52
    u = float((c0 << np.uint64(20)) | (c1 >> np.uint64(12))) * scale
    w = float((c2 << np.uint64(20)) | (c3 >> np.uint64(12))) * scale
    return 1.0 - u, w


@_inline
def cl_rand(seed: int, trace: int, step: int, site: int) -> float:
    """Draw a uniform number in [0, 1)."""
    return _philox(seed, trace, step, site)[1]


@_inline
def cl_randn(seed: int, trace: int, step: int, site: int) -> float:
    """Draw a standard normal number (Box & Muller 1958)."""
    u, w = _philox(seed, trace, step, site)
    return np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * w)
