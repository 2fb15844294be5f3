"""Cells of three kinds, recorded by two labs that measure differently."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

FEATURES = ("input_resistance", "tau", "v_baseline", "ap_1_width_0_long_square")
CENTRES = {
    "Pvalb": (90, 0.008, -71, 0.0004),
    "Sst": (220, 0.018, -66, 0.0007),
    "IT": (130, 0.022, -74, 0.0012),
}


def lab_of(rng, name, counts, *, factor=1.0, offset=0.0, spread=0.15):
    """Make the cells of a lab: resistances times a factor, potentials plus an offset."""
    rows = []
    for kind, n in counts.items():
        r, tau, v, width = CENTRES[kind]
        for k in range(n):
            rows.append(
                {
                    "cell_id": f"{name}-{kind}-{k}",
                    "lab": name,
                    "subclass": kind,
                    "donor": f"{name}-{k // 3}",
                    "input_resistance": factor * r * np.exp(rng.normal(0, spread)),
                    "tau": tau * np.exp(rng.normal(0, spread)),
                    "v_baseline": v + offset + rng.normal(0, 1.5),
                    "ap_1_width_0_long_square": width * np.exp(rng.normal(0, spread)),
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture
def first(rng):
    return lab_of(rng, "first", {"Pvalb": 60, "Sst": 60, "IT": 60})


@pytest.fixture
def second(rng):
    return lab_of(rng, "second", {"Pvalb": 10, "Sst": 90, "IT": 30}, factor=2.2, offset=9)
