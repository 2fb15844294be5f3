"""Recordings with known content to draw."""

from __future__ import annotations

import numpy as np
import pytest

from cleo_like import Cell, Protocol, Provenance, Recording, Sweep
from cleo_like.stimuli import from_image, long_square


def ohmic(protocol: Protocol) -> Recording:
    """Record a cell that is a resistor of 200 MOhm at -70 mV."""
    return Recording(
        sweeps=[
            Sweep(response=-0.07 + 2e8 * command, command=command, rate=protocol.rate, number=k)
            for k, command in enumerate(protocol.waveforms)
        ],
        cell=Cell(id="ohmic <1>"),
        provenance=Provenance(source="Ohm's law"),
        protocol=protocol,
    )


@pytest.fixture
def steps() -> Recording:
    """Steps of -50, 0 and 25 pA after a test pulse of -100 pA that is larger than all."""
    return ohmic(long_square(["-50 pA", "0 pA", "25 pA"], rate="10 kHz", test_pulse="-100 pA"))


@pytest.fixture
def drawn() -> Recording:
    """A picture of 12 x 16 drawn by an ohmic cell."""
    picture = np.random.default_rng(0).random((12, 16))
    return ohmic(from_image(picture, "160 ms", "10 kHz", interpolation="hold"))
