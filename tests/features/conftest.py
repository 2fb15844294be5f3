"""Recordings with known answers: real ones with those of ipfx and eFEL, and synthetic ones."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs
import numpy as np
import pytest

from cleo_like.core.window import Window
from cleo_like.features.parameters import ExtractionParameters
from cleo_like.features.stack import SweepStack

if TYPE_CHECKING:
    from pathlib import Path


@lru_cache(maxsize=1)
def _arrays(path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Potential (mV), command (pA), rate (Hz), as ipfx's users get them."""
    if path.suffix == ".npz":
        with np.load(path) as z:
            return z["v"].astype(float), z["i"].astype(float), float(z["fs"])
    import pyabf

    abf = pyabf.ABF(str(path))
    v, i = [], []
    for sweep in abf.sweepList:
        abf.setSweep(sweep)
        v.append(abf.sweepY.astype(float))
        i.append(abf.sweepC.astype(float))
    return np.array(v), np.array(i), float(abf.dataRate)


@lru_cache(maxsize=2)
def _expected(path: Path) -> dict:
    with gzip.open(path) as f:
        return json.load(f)


@attrs.frozen
class Real:
    """Access to the real recordings."""

    folder: Path

    def stack(self, file: str) -> SweepStack:
        v, i, rate = _arrays(self.folder / file)
        return SweepStack(voltage_mv=v, current_pa=i, rate=rate)

    def expected(self, kind: str, name: str) -> dict:
        return _expected(self.folder / f"expected_{kind}" / f"{name}.json.gz")

    def file_of(self, name: str) -> str:
        entries = json.loads((self.folder / "catalog.json").read_text())
        return next(e["file"] for e in entries if e["id"] == name)

    @staticmethod
    def limits(params: dict) -> tuple[Window, ExtractionParameters]:
        """Window and parameters of one of the parameter sets."""
        names = {field.name for field in attrs.fields(ExtractionParameters)}
        chosen = {k: v for k, v in params.items() if k in names}
        window = Window(start=params["start"], end=params["end"])
        return window, ExtractionParameters(**chosen, compat="ipfx")


@pytest.fixture(scope="session")
def real(data_dir) -> Real:
    folder = data_dir / "icephys"
    if not (folder / "expected_ipfx").is_dir():
        pytest.skip(f"no expected values in {folder}")
    return Real(folder)


@pytest.fixture
def rc():
    """Make a passive cell: resistance (MOhm), time constant (s), currents (pA)."""

    def make(
        amplitudes, *, resistance=200.0, tau=0.02, rate=20e3, start=0.2, end=0.7, length=1.0,
        rest=-70.0, noise=0.0, rng=None, holding=0.0,
    ) -> SweepStack:  # fmt: skip
        t = np.arange(round(length * rate)) / rate
        on = (t >= start - 1e-9) & (t < end - 1e-9)
        rise = np.where(on, 1 - np.exp(-(t - start) / tau), 0.0)
        top = 1 - np.exp(-(end - start) / tau)
        rise = np.where(t >= end - 1e-9, top * np.exp(-np.maximum(t - end, 0) / tau), rise)
        a = np.asarray(amplitudes, dtype=float)[:, None]
        v = rest + 1e-3 * resistance * a * rise
        if noise:
            v = v + rng.normal(size=v.shape) * noise
        return SweepStack(voltage_mv=v, current_pa=holding + a * on, rate=rate)

    return make


@pytest.fixture
def firing(rc):
    """Make sweeps with spikes of one shape at given times (s) on top of a passive step."""

    def make(times, amplitudes, *, height=100.0, rate=20e3, width=5e-4, **more) -> SweepStack:
        stack = rc(amplitudes, rate=rate, **more)
        v = stack.voltage_mv.copy()
        t = np.arange(v.shape[1]) / rate
        for row, at in zip(v, times, strict=True):
            for s in at:
                x = (t - s) / width
                row[:] += height * np.exp(-0.5 * x**2) - 0.08 * height * np.where(
                    x > 0, x / 4 * np.exp(1 - x / 4), 0.0
                )
        return attrs.evolve(stack, voltage_mv=v)

    return make
