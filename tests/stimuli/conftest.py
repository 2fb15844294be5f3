"""A passive cell whose answer is known exactly, and pictures to draw."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import lfilter

from cleo_like import Cell, Protocol, Provenance, Recording, Sweep

Play = Callable[..., Recording]


@pytest.fixture
def play() -> Play:
    """Play a protocol on an RC cell at -70 mV.

    The current is held from each sample to the next, so the exact recursion is
    V[k+1] = a V[k] + (1 - a) R I[k] with a = exp(-dt / tau), from rest. Noise is white up
    to 2 kHz with the stated rms.
    """

    def run(
        protocol: Protocol,
        *,
        resistance: float = 200e6,
        tau: float = 20e-3,
        noise: float = 0.0,
        seed: int = 0,
    ) -> Recording:
        slow = np.exp(-1 / (protocol.rate * tau))
        drive = np.zeros_like(protocol.waveforms)
        drive[:, 1:] = (1 - slow) * resistance * protocol.waveforms[:, :-1]
        voltage = -0.07 + lfilter([1], [1, -slow], drive, axis=1)
        if noise:
            sample = np.random.default_rng(seed).standard_normal(voltage.shape)
            spectrum = np.fft.rfft(sample, axis=1)
            spectrum[:, np.fft.rfftfreq(sample.shape[1], 1 / protocol.rate) > 2000] = 0
            sample = np.fft.irfft(spectrum, sample.shape[1], axis=1)
            voltage += noise * sample / sample.std()
        sweeps = [
            Sweep(response=v, command=i, rate=protocol.rate, number=k)
            for k, (v, i) in enumerate(zip(voltage, protocol.waveforms, strict=True))
        ]
        return Recording(
            sweeps=sweeps,
            cell=Cell(id="rc"),
            provenance=Provenance(source="analytic RC cell"),
            protocol=protocol,
        )

    return run


@pytest.fixture
def test_card() -> np.ndarray:
    """Synthetic picture of 192 x 256: gradient, checkerboard, disc, bars and a stroke.

    The left half of the top is a grey gradient, the right half a checkerboard of 16 pixels;
    below are a bright disc on dark ground, vertical bars that become narrower, and a
    diagonal stroke.
    """
    y, x = np.mgrid[:192, :256]
    card = np.where(x < 128, x / 128, (x // 16 + y // 16) % 2).astype(float)
    low = y >= 96
    card[low] = 0.15
    card[low & ((x - 48) ** 2 + (y - 144) ** 2 < 36**2)] = 0.9
    bars = np.sin(2 * np.pi * (x - 96) ** 2 / 1500) > 0
    card[low & (x >= 96) & (x < 176) & bars] = 0.75
    card[low & (x >= 184) & (np.abs((x - 184) - (y - 96) * 0.7) < 5)] = 1.0
    return card
