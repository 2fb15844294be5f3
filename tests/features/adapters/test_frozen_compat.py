"""``compat="ipfx"``, ATLAS and GIGASEAL: values of the day on which they were frozen.

``python tests/features/adapters/test_frozen_compat.py`` writes ``frozen_compat.json`` again; that is
right only where a value was shown to differ from ipfx's.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cleo_like.core.window import Window
from cleo_like.features.long_square import analyse
from cleo_like.features.parameters import ATLAS, GIGASEAL, IPFX
from cleo_like.features.stack import SweepStack

FROZEN = Path(__file__).with_name("frozen_compat.json")
SETS = {"ipfx": IPFX, "atlas": ATLAS, "gigaseal": GIGASEAL}
LADDERS = (
    (-100, -60, -20, 40, 80, 120), (-80, -40, 0, 50, 100), (-100, -100, 60), (-20,),
    (-50, -50, -50, 90),
)  # fmt: skip
STEP = Window(start=0.3, end=0.9)


def family(seed: int) -> SweepStack:
    """One cell: passive or with sag, with spikes, pulses, holding, noise, converter."""
    rng = np.random.default_rng([seed, 20])
    rate = (25e3, 40e3, 50e3)[seed % 3]
    t = np.arange(round(1.1 * rate)) / rate
    on = (t >= STEP.start) & (t < STEP.end)
    amplitudes = np.array(LADDERS[seed % len(LADDERS)], dtype=float)
    tau, resistance = 10 ** rng.uniform(-2.5, -1), 10 ** rng.uniform(1.7, 2.7)
    since = np.maximum(t - STEP.start, 0)
    rise = np.where(on, 1 - np.exp(-since / tau), 0.0)
    top = 1 - np.exp(-STEP.duration / tau)
    rise = np.where(t >= STEP.end, top * np.exp(-np.maximum(t - STEP.end, 0) / tau), rise)
    back = rng.uniform(0, 0.3) * np.where(on, 1 - np.exp(-since / 0.08), 0.0)
    course = rise - back * (amplitudes[:, None] < 0)
    v = -70 + 1e-3 * resistance * amplitudes[:, None] * course
    v += (0.0, 0.05, 0.3, 1.0)[seed % 4] * rng.normal(size=v.shape)
    for row, amplitude in zip(v, amplitudes, strict=True):
        for k in range(int(amplitude // 30)):
            x = (t - 0.35 - 0.1 * k) / 5e-4
            row[:] += 100 * np.exp(-0.5 * x**2) - 8 * np.where(
                x > 0, x / 4 * np.exp(1 - x / 4), 0
            )
    current = amplitudes[:, None] * on + (-25.0 if seed % 2 else 0.0)
    if seed % 4 == 1:  # a pulse that ends 20 ms before the step
        current = current - 20.0 * ((t >= 0.1) & (t < 0.28))
    if seed % 5 == 2:
        v = np.round(v / 0.0305) * 0.0305
    return SweepStack(voltage_mv=v, current_pa=current, rate=rate)


def told(stack: SweepStack, name: str) -> dict[str, object]:
    """All values of a cell, and sums of its columns."""
    cell = analyse(stack, STEP, SETS[name])
    out: dict[str, object] = {f"cell.{k}": float(v) for k, v in cell.values.items()}
    out |= {f"error.{k}": float(v) for k, v in cell.uncertainty.items()}
    out |= {f"reason.{k}": v for k, v in cell.reasons.items()}
    columns = {f"sweep.{k}": v for k, v in cell.sweeps.items()}
    columns |= {f"spike.{k}": cell.spikes[k] for k in cell.spikes.columns}
    for key, column in columns.items():
        if np.asarray(column).dtype.kind in "OU":
            out[key] = " ".join(map(str, column))
        else:
            numbers = np.asarray(column, dtype=float)
            out[key] = float(np.nansum(numbers * np.arange(1, numbers.size + 1)))
            out[f"{key}.missing"] = int(np.isnan(numbers).sum())
    return out


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", SETS)
def test_nothing_of_it_has_moved(name, seed):
    """To the last bit on one machine; 1e-12 between machines (sums in another order)."""
    frozen = json.loads(FROZEN.read_text())[f"{seed} {name}"]
    found = told(family(seed), name)
    assert found.keys() == frozen.keys()
    for key, value in frozen.items():
        if isinstance(value, str):
            assert found[key] == value, key
        else:
            np.testing.assert_allclose(found[key], value, rtol=1e-12, err_msg=key)


if __name__ == "__main__":
    cases = {f"{seed} {name}": told(family(seed), name) for seed in range(6) for name in SETS}
    FROZEN.write_text(json.dumps(cases, indent=0, sort_keys=True) + "\n")
