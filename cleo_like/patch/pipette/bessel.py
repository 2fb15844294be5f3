"""Analogue Bessel filters as differential equations: sections of two poles in a row."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Complex, Float


@functools.cache
def sections(corner: float, poles: int) -> tuple[tuple[float, float | None], ...]:
    """Give the angular frequency (1/s) and the quality of each section; None: one pole.

    Parameters
    ----------
    corner : float
        -3 dB frequency (Hz).
    poles : int
        Order.

    Examples
    --------
    >>> [(round(w / 2 / np.pi), round(q, 4)) for w, q in sections(1000.0, 4)]
    [(1430, 0.5219), (1603, 0.8055)]
    """
    from scipy.signal import besselap

    _, found, _ = besselap(poles, norm="mag")
    found = found * 2 * np.pi * corner
    real = [(float(-p.real), None) for p in found if abs(p.imag) < 1e-9 * abs(p)]
    pairs = [
        (float(abs(p)), float(-abs(p) / (2 * p.real))) for p in found if p.imag > 1e-9 * abs(p)
    ]
    return (*real, *sorted(pairs, key=lambda pair: pair[1]))


def filter_equations(name: str, source: str, unit: str, poles: int) -> str:
    """Write the filter of a source as Brian2 equations; its output is the state `name`.

    Parameters
    ----------
    name : str
        Name of the output; inner states and parameters begin with it.
    source : str
        Expression of what is filtered.
    unit : str
        Unit of source and output.
    poles : int
        Order.

    Examples
    --------
    >>> print(filter_equations("y", "x", "volt", 1))
    dy/dt = y_rate0*(x - y) : volt
    y_rate0 : Hz (constant)
    <BLANKLINE>
    """
    kinds = sections(1.0, poles)
    lines = []
    for k, (_, quality) in enumerate(kinds):
        out = name if k == len(kinds) - 1 else f"{name}_{k}"
        if quality is None:
            lines.append(f"d{out}/dt = {name}_rate{k}*({source} - {out}) : {unit}")
        else:
            inner = f"{name}_inner{k}"
            lines.append(f"d{out}/dt = {name}_rate{k}*{inner} : {unit}")
            lines.append(
                f"d{inner}/dt = {name}_rate{k}*({source} - {out}) - {name}_decay{k}*{inner} "
                f": {unit}"
            )
            lines.append(f"{name}_decay{k} : Hz (constant)")
        lines.append(f"{name}_rate{k} : Hz (constant)")
        source = out
    return "\n".join(lines) + "\n"


def filter_parameters(name: str, corner: float, poles: int) -> dict[str, Any]:
    """Give the parameters of `filter_equations` (Brian2 quantities)."""
    from brian2 import hertz

    found = {}
    for k, (rate, quality) in enumerate(sections(corner, poles)):
        found[f"{name}_rate{k}"] = rate * hertz
        if quality is not None:
            found[f"{name}_decay{k}"] = rate / quality * hertz
    return found


def response(
    frequencies: Float[np.ndarray, "n"], corner: float | None, poles: int
) -> Complex[np.ndarray, "n"]:
    """Give the filter's response at frequencies (Hz); 1 without a filter."""
    if corner is None:
        return np.ones(len(frequencies), dtype=complex)
    s = 2j * np.pi * np.asarray(frequencies, dtype=float)
    found = np.ones(len(s), dtype=complex)
    for rate, quality in sections(corner, poles):
        if quality is None:
            found /= 1 + s / rate
        else:
            found /= 1 + s / (rate * quality) + (s / rate) ** 2
    return found
