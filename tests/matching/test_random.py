"""Random families of known windows, and random commands that are no long squares."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from cleo_like.matching import match_arrays


@attrs.frozen
class Made:
    """A random ladder and what is true of it (samples, pA)."""

    commands: np.ndarray
    rate: float
    step: tuple[int, int]
    amplitudes: np.ndarray
    noise: float
    quantum: float
    unit: float


def filtered(noise, samples, rng):
    """Noise of that SD that remembers about four samples."""
    white = rng.standard_normal((samples[0], samples[1] + 8))
    kernel = np.hanning(9) / np.sqrt(np.sum(np.hanning(9) ** 2))
    rows = [np.convolve(row, kernel, mode="valid") for row in white]
    return noise * np.array(rows)


def make(rng) -> Made:
    rate = float(rng.choice([4e3, 1e4, 2e4, 2.5e4, 5e4]))
    n = int(rate * rng.uniform(0.8, 1.6))
    count = int(rng.choice([1, 1, 2, 3, 5, 8, 13]))
    gap = float(rng.choice([5.0, 10, 20, 25, 50]))
    amplitudes = gap * (np.arange(count) - rng.integers(0, count)) if count > 1 else gap * 2
    amplitudes = np.atleast_1d(np.asarray(amplitudes, dtype=float))
    if not amplitudes.any():
        amplitudes = amplitudes + gap
    if count > 4 and rng.random() < 0.3:
        amplitudes[1] = amplitudes[0]  # repeats
    length = rng.uniform(0.25, min(1.2, n / rate * 0.6))
    a = round(rng.uniform(0.15, max(0.151, n / rate - length - 0.05)) * rate)
    b = min(a + round(length * rate), n - round(0.02 * rate))
    holding = float(rng.choice([0, 0, -20, 35, -74]))
    levels = np.full((count, n), holding)
    levels[:, a:b] += amplitudes[:, None]
    if rng.random() < 0.4:  # a test pulse of 10 to 60 ms
        p = round(rng.uniform(0.005, 0.05) * rate)
        levels[:, p : p + round(rng.uniform(0.01, 0.06) * rate)] -= rng.choice([20, 50, 100])
    if rng.random() < 0.2 and count > 2:  # a pre-pulse that touches the step
        levels[:, a - round(0.03 * rate) : a] -= 20
    # noise up to a fifth of the largest step: there the window can be told
    top = np.abs(amplitudes).max()
    noise = min(float(rng.choice([0, 0, 0.05, 0.5, 1, 3, 9])), top / 5)
    noisy = levels + (
        filtered(noise, levels.shape, rng)
        if rng.random() < 0.3
        else noise * rng.standard_normal(levels.shape)
    )
    quantum = float(rng.choice([0, 0, 0.03, 0.125, 0.625, 3.125]))
    quantum = quantum if quantum <= top / 4 else 0.0
    if quantum:
        noisy = np.round(noisy / quantum) * quantum
    unit = float(rng.choice([1, 1e-12, 1e-3]))
    return Made(noisy * unit, rate, (a, b), amplitudes, noise, quantum, unit)


@pytest.mark.parametrize("block", range(10))
def test_windows_and_amplitudes_of_random_ladders(block):
    for seed in range(8):
        made = make(np.random.default_rng([block, seed]))
        found = match_arrays(made.commands, f"{made.rate} Hz")
        where = f"block {block}, seed {seed}: {found}"
        assert found.family == "long_square", where
        assert len(found.members) == len(made.amplitudes), where
        apart = max(abs(found.step.start - made.step[0]), abs(found.step.stop - made.step[1]))
        assert apart <= max(0.5e-3 * made.rate, 1), where
        error = np.abs(found.amplitudes / made.unit - made.amplitudes).max()
        assert error <= 1 + 0.1 * made.noise + made.quantum, where


def window(rng):
    """Rate, time, start and stop of the part of a sweep that is not at rest."""
    rate = float(rng.choice([4e3, 1e4, 2e4]))
    t = np.arange(int(rate * rng.uniform(0.8, 1.5))) / rate
    a = rng.uniform(0.02, 0.2)
    b = a + rng.uniform(0.3, t[-1] - a - 0.05)
    return rate, t, a, b, (t >= a) & (t < b)


def slow_noise(rng, n, rate):
    """Ornstein-Uhlenbeck noise with a memory of 1 to 50 ms, SD 1."""
    from scipy.signal import lfilter

    keep = np.exp(-1 / rate / 10 ** rng.uniform(-3, -1.3))
    return lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.standard_normal(n))


def waveform(kind, rng):
    rate, t, a, b, on = window(rng)
    x = (t - a) / (b - a)
    n = t.size
    shapes = {
        "white": lambda: on * rng.standard_normal(n),
        "white throughout": lambda: rng.standard_normal(n),
        "slow noise": lambda: on * slow_noise(rng, n, rate),
        "slow noise on a step": lambda: on * (1 + slow_noise(rng, n, rate)),
        "ramp": lambda: on * x,
        "ramp throughout": lambda: t,
        "ramp on a pedestal": lambda: on * (x + rng.uniform(-1, 0.8)),
        "triangle": lambda: on * (1 - np.abs(2 * x - 1)),
        "sine": lambda: on * np.sin(2 * np.pi * rng.uniform(3, 40) * (t - a)),
        "chirp": lambda: on * np.sin(2 * np.pi * (2 + 30 * x) * (t - a)),
        "train": lambda: on * ((x * (k := rng.integers(2, 9))) % 1 < 0.5 * (k > 0)),
        "stairs": lambda: on * (1 + np.floor(x * rng.integers(3, 8))),
        "exponential": lambda: on * np.exp(-4 * x),
        "columns": lambda: on * rng.uniform(0, 1, 60)[np.clip((60 * x).astype(int), 0, 59)],
        "lines": lambda: on * np.interp(x, np.linspace(0, 1, 12), rng.uniform(0, 1, 12)),
        "constant": lambda: np.full(n, rng.choice([0.0, -1.0])),
        "short pulse": lambda: ((t >= a) & (t < a + rng.uniform(0.002, 0.19))) * 1.0,
    }
    return shapes[kind]() * float(rng.choice([1, 50, 300])), rate


KINDS = (
    "white", "white throughout", "slow noise", "slow noise on a step", "ramp",
    "ramp throughout", "ramp on a pedestal", "triangle", "sine", "chirp", "train", "stairs",
    "exponential", "columns", "lines", "constant", "short pulse",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_waveform_is_a_long_square(kind):
    for seed in range(12):
        rng = np.random.default_rng([KINDS.index(kind), seed])
        command, rate = waveform(kind, rng)
        size = float(np.ptp(command))
        noise = float(rng.choice([0, 0, 0.003, 0.03])) * size
        found = match_arrays(command + noise * rng.standard_normal(command.size), f"{rate} Hz")
        assert found.family != "long_square", f"{kind}, seed {seed}: {found}"
        assert found.sweeps[0].reason
