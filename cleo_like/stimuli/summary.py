"""Numbers of a protocol that decide whether a rig can play it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from cleo_like.core.protocol import Protocol
    from cleo_like.stimuli.design import Dac


def protocol_summary(protocol: Protocol, dac: Dac | None = None) -> dict[str, Any]:
    """Give range, slew, charge and duration of a protocol (SI).

    Parameters
    ----------
    protocol : Protocol
        Any current-clamp protocol.
    dac : Dac, optional
        Converter that will play it; adds its numbers.

    Returns
    -------
    dict
        n_sweeps, n_samples, rate (Hz), sweep_duration, gap and total_duration (s);
        minimum, maximum, mean, peak (largest deviation from holding) (A); slew (largest
        step between samples times rate, A/s); charge (largest absolute charge of a sweep
        relative to holding) and net_charge (of all sweeps) (C); rest_before and rest_after
        (samples at holding at both ends of every sweep) and rest_needed (1/64 of the sweep,
        which Clampex replaces by holding). With a DAC: lsb (A), range_used (part of full
        scale), codes_used, and clipped (whether any sample leaves the range).

    Examples
    --------
    >>> from cleo_like.stimuli import long_square
    >>> summary = protocol_summary(long_square(["-50 pA", "100 pA"]))
    >>> round(summary["peak"] * 1e12), round(summary["charge"] * 1e12), summary["rest_before"]
    (100, 100, 25000)
    """
    current = protocol.waveforms
    deviation = current - protocol.holding
    charge = deviation.sum(axis=1) / protocol.rate
    active = np.flatnonzero((deviation != 0).any(axis=0))
    first, last = (active[0], active[-1]) if active.size else (protocol.n_samples, -1)
    found = {
        "n_sweeps": protocol.n_sweeps,
        "n_samples": protocol.n_samples,
        "rate": protocol.rate,
        "sweep_duration": protocol.duration,
        "gap": protocol.gap,
        "total_duration": protocol.total_duration,
        "minimum": float(current.min()),
        "maximum": float(current.max()),
        "mean": float(current.mean()),
        "peak": float(np.abs(deviation).max()),
        "slew": float(np.abs(np.diff(current, axis=1)).max(initial=0.0) * protocol.rate),
        "charge": float(np.abs(charge).max()),
        "net_charge": float(charge.sum()),
        "rest_before": int(first),
        "rest_after": int(protocol.n_samples - 1 - last),
        "rest_needed": -(-protocol.n_samples // 64),
    }
    return found if dac is None else {**found, **_on_dac(current, dac)}


def _on_dac(current: np.ndarray, dac: Dac) -> dict[str, Any]:
    codes = np.rint(current / dac.lsb).astype(np.int64)
    half = 2 ** (dac.bits - 1)
    return {
        "lsb": dac.lsb,
        "range_used": float(np.abs(current).max() / dac.full_scale),
        "codes_used": int(np.unique(codes).size),
        "clipped": bool(codes.min() < -half or codes.max() > half - 1),
    }
