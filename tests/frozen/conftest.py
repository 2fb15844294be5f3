"""Cells made by hand for the frozen answers: no simulator, so that only the analysis counts."""

import numpy as np
import pytest
from scipy.signal import bessel, lfilter, sosfilt

from cleo_like.core import Cell, Provenance, Recording, Sweep

PA, MV = 1e-12, 1e-3


def boxes(t, *pulses):
    """Sum of pulses (start, end, level)."""
    return sum((level * ((t >= a) & (t < b)) for a, b, level in pulses), np.zeros(t.size))


def membrane(current, rate, *, resistance=200.0, tau=0.02, sag=0.0, slow=0.08):
    """Potential (mV) of a linear membrane with one slow conductance, exact for held samples."""
    answer = np.zeros(current.size)
    for r, time in ((resistance, tau), (-sag * resistance, slow)):
        a = np.exp(-1 / rate / time)
        answer += 1e-3 * r * lfilter([0.0, 1 - a], [1.0, -a], current)
    return answer


def with_spikes(v, rate, times, *, height=95.0, width=4e-4, after=8.0, fade=0.0):
    """Add spikes with an after-hyperpolarisation; each `fade` lower than the one before."""
    t = np.arange(v.size) / rate
    out = v.copy()
    for k, at in enumerate(times):
        x = t - at
        tall = height * (1 - fade) ** k
        rise = np.where(x < 0, np.exp(-0.5 * (x / (0.7 * width)) ** 2), 0.0)
        fall = np.where(x >= 0, np.exp(-0.5 * (x / (1.3 * width)) ** 2), 0.0)
        trough = np.maximum(x, 0) / 3e-3 * np.exp(1 - np.maximum(x, 0) / 3e-3)
        out += tall * (rise + fall) - after * trough
    return out


def times_of(start, end, rate, *, latency=0.01, grow=0.0, pause=None, until=None):
    """Spike times of a train that slows down, pauses, or ends early."""
    out, t, interval = [], start + latency, 1 / rate if rate > 0 else np.inf
    while t < (until or end) - 2e-3:
        out.append(t)
        t += interval
        interval *= 1 + grow
        if pause and pause[0] <= t < pause[1]:
            t = pause[1]
    return out


def filtered(x, rate, cut):
    """Send samples through a four-pole Bessel filter that is settled at the first."""
    sos = bessel(4, cut / (rate / 2), norm="mag", output="sos")
    return x[0] + sosfilt(sos, x - x[0])


@pytest.fixture
def recording_of():
    """Make a recording of potentials (mV) and commands (pA)."""

    def make(rows, rate, **more):
        sweeps = [
            Sweep(
                response=v * MV, command=None if i is None else i * PA, rate=rate, number=k,
                start_time=2.0 * k, **more.get("sweep", {}),
            )
            for k, (v, i) in enumerate(rows)
        ]  # fmt: skip
        return Recording(
            sweeps=sweeps, cell=Cell(id="frozen"), device=more.get("device", {}),
            provenance=Provenance(source="made by hand"),
        )  # fmt: skip

    return make


@pytest.fixture
def ladder(recording_of):
    """Make a family of long squares of a cell; every argument is one habit of a laboratory."""

    def make(
        amplitudes=(-90, -60, -30, 0, 30, 60, 100), *, rate=20e3, start=0.2, length=0.5, tail=0.3,
        noise=0.05, holding=0.0, rest=-70.0, rheobase=50.0, gain=0.4, test_pulse=None,
        pre_pulse=None, command_noise=0.0, cut=None, drift=0.0, mains=0.0, bridge=0.0,
        spikes=None, train=None, block=None, spontaneous=0.0, seed=1, moving_holding=0.0,
        edge=0.0, clip=None, **cell,
    ):  # fmt: skip
        rng = np.random.default_rng(seed)
        t = np.arange(round((start + length + tail) * rate)) / rate
        end, rows = start + length, []
        for k, amplitude in enumerate(amplitudes):
            hold = holding + moving_holding * k
            pulses = [(start, end, amplitude), *filter(None, (test_pulse, pre_pulse))]
            current = hold + boxes(t, *pulses)
            v = rest + 1e-3 * cell.get("resistance", 200.0) * hold
            v += membrane(current - hold, rate, **cell)
            firing = max(0.0, gain * (amplitude - rheobase) + 4) if amplitude >= rheobase else 0
            if firing:
                latency = 0.06 * rheobase / amplitude + 0.004
                until = start + 0.12 if block is not None and amplitude >= block else None
                shape = {"latency": latency, "until": until, **(train or {})}
                v = np.minimum(v, rest + 25) if firing > 0 else v
                v = with_spikes(
                    v, rate, times_of(start, end, firing, **shape), **(spikes or {})
                )
            if spontaneous:
                v = with_spikes(v, rate, times_of(0.01, t[-1], spontaneous, grow=0.05))
            v += (
                bridge * current * 1e-3
                + drift * (t + 2 * k)
                + mains * np.sin(2 * np.pi * 50 * t)
            )
            v[np.abs(t - start) < 1e-4] += edge * np.sign(amplitude)
            v += noise * rng.normal(size=t.size)
            if cut is not None:
                v, current = filtered(v, rate, cut), filtered(current, rate, cut)
            if clip is not None:
                v = np.clip(v, -np.inf, clip)
            current = current + command_noise * rng.normal(size=t.size)
            rows.append((v, current))
        return recording_of(rows, rate)

    return make
