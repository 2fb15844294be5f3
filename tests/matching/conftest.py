"""Recordings whose commands are given; the response plays no part."""

from __future__ import annotations

import numpy as np
import pytest

from cleo_like import Cell, Provenance, Recording, Sweep


@pytest.fixture
def record():
    """Make a recording from commands in pA (rows may differ in length; None: no command)."""

    def make(commands, rate=2e4, mode="current_clamp", protocol=None, scale=1e-12):
        sweeps = [
            Sweep(
                response=np.full(2000 if c is None else len(c), -0.07),
                command=None if c is None else np.asarray(c, dtype=float) * scale,
                rate=rate,
                number=k,
                mode=mode,
            )
            for k, c in enumerate(commands)
        ]
        return Recording(
            sweeps=sweeps,
            cell=Cell(id="c"),
            provenance=Provenance(source="test"),
            protocol=protocol,
        )

    return make
