"""A stand-in archive of three small dandisets."""

from __future__ import annotations

import numpy as np
import pytest

from cleo_like.core import Cell, Provenance, Recording, Sweep
from cleo_like.io import write
from tests.dandi.standin import StandIn


def cell(name, resistance=2e8, seed=0, rate=20e3):
    """Make a passive cell with steps."""
    t = np.arange(int(0.9 * rate)) / rate
    on = (t >= 0.2) & (t < 0.7)
    rng = np.random.default_rng(seed)
    sweeps = [
        Sweep(
            response=-0.07
            + resistance * a * np.where(on, 1 - np.exp(-(t - 0.2) / 0.02), 0)
            + rng.normal(0, 5e-5, t.size),
            command=a * on,
            rate=rate,
            number=k,
        )
        for k, a in enumerate([-60e-12, -40e-12, -20e-12])
    ]
    return Recording(
        sweeps=sweeps,
        cell=Cell(id=name, species="Mus musculus", donor=name),
        provenance=Provenance(source="test"),
    )


@pytest.fixture(scope="session")
def three(tmp_path_factory):
    """000900: four cells; 000901: two, one of them a copy; 000902: excluded by its registry."""
    pytest.importorskip("dandi")
    folder = tmp_path_factory.mktemp("archive")
    for dandiset, names in {"000900": "abcd", "000901": "e", "000902": "f"}.items():
        for k, name in enumerate(names):
            write(
                cell(name, seed=ord(name), resistance=(1 + k) * 1e8),
                folder / dandiset / f"sub-{name}" / f"sub-{name}_icephys.nwb",
            )
    copy = folder / "000901" / "sub-z" / "sub-z_icephys.nwb"
    copy.parent.mkdir()
    copy.write_bytes((folder / "000900/sub-a/sub-a_icephys.nwb").read_bytes())
    return folder


@pytest.fixture
def served(three):
    server = StandIn(three, page=2).serve()
    yield server
    server.close()
