"""Sag of every sweep, and of the one nearest to -100 mV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.estimate import Estimate, widening
from cleo_like.features.passive.deflections import deflections
from cleo_like.features.passive.family import NO_STEP
from cleo_like.features.passive.joint.circuit import circuit_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.features.passive.deflections import Deflections
    from cleo_like.features.passive.family import Found
    from cleo_like.features.passive.joint.circuit import Circuit

_TARGET = -100.0  # mV
_WINDOWS = 1e-3  # by which the limits of two windows may move a sag
_SURE = 3.0  # standard errors that the deflection must have


@attrs.frozen(kw_only=True, eq=False)
class Sags:
    """Sag of the family and of each sweep."""

    sag: Estimate
    potential: Estimate
    each: np.ndarray


def sags(found: Found, every: Deflections, sweeps: Mapping[str, np.ndarray]) -> Sags:
    """Measure sag = 1 - steady / peak deflection.

    The sweep that stands for the cell is the hyperpolarising one whose peak is nearest to
    -100 mV; if it is too large to be in the joint fit it is fitted alone.
    """
    family = found.family
    each = np.full(family.stack.n_sweeps, np.nan)
    value = every.sag
    sure = every.peak < -_SURE * every.peak_noise
    for k in family.down[sure[family.down]].tolist():
        each[family.rows[k]] = value[k]
    quiet = (sweeps["avg_rate"] == 0) & (sweeps["stim_amp"] < -NO_STEP)
    quiet[family.spiking] = quiet[family.clipped] = False
    rows = np.flatnonzero(quiet)
    if rows.size == 0:
        why = "no subthreshold hyperpolarising sweep"
        return Sags(sag=Estimate(reason=why), potential=Estimate(reason=why), each=each)
    row = int(rows[np.abs(sweeps["peak_deflect_v"][rows] - _TARGET).argmin()])
    chosen, here, circuit = _chosen(found, every, row)
    if not chosen.peak[here] < -_SURE * chosen.peak_noise[here]:
        why = "the deflection is not larger than its error"
        return Sags(sag=Estimate(reason=why), potential=Estimate(reason=why), each=each)
    sag = float(chosen.sag[here])
    each[row] = sag
    error = float(chosen.sag_noise[here])
    if circuit.kind != "gate":  # no sag that the noise between the sweeps lets see
        error = max(error, np.sqrt(2) * _scatter(chosen) / abs(float(chosen.peak[here])))
    error = float(np.linalg.norm((error, circuit.doubts.get("sag", 0.0), _WINDOWS)))
    return Sags(
        sag=Estimate(value=sag, error=error),
        potential=Estimate(
            value=float(chosen.peak_potential[here]), error=float(chosen.peak_noise[here])
        ),
        each=each,
    )


def _chosen(found: Found, every: Deflections, row: int) -> tuple[Deflections, int, Circuit]:
    """Deflections that hold a sweep, its place in them, and the circuit behind them."""
    here = np.flatnonzero(found.family.rows == row)
    if here.size and found.family.whole[here[0]]:
        return every, int(here[0]), found.circuit
    problem = found.family.alone(row).problem(found.mask)
    circuit = circuit_of(problem)
    return deflections(problem, circuit), 0, circuit


def _scatter(of: Deflections) -> float:
    """Error (mV) of one deflection by the scatter about their line; 0 for one sweep."""
    used = np.isfinite(of.steady)
    a, d = of.amplitude[used], of.steady[used]
    freedom = a.size - 1
    if freedom < 1:
        return 0.0
    left = d - a * (a @ d) / (a @ a)
    return float(np.sqrt(left @ left / freedom)) * widening(freedom)
