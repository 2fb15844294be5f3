"""The real recordings and what ipfx and eFEL made of them."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from cleo_like.features.parameters import ExtractionParameters
from cleo_like.features.stack import SweepStack, Window


def catalog(folder: Path) -> dict:
    entries = json.loads((folder / "icephys" / "catalog.json").read_text())
    return {entry["id"]: entry for entry in entries}


@lru_cache(maxsize=2)
def arrays(folder: Path, file: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Potential (mV), command (pA), rate (Hz) of one file."""
    path = folder / "icephys" / file
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


def stack(folder: Path, file: str) -> SweepStack:
    v, i, rate = arrays(folder, file)
    return SweepStack(voltage_mv=v, current_pa=i, rate=rate)


def expected(folder: Path, kind: str, name: str) -> dict:
    with gzip.open(folder / "icephys" / f"expected_{kind}" / f"{name}.json.gz") as f:
        return json.load(f)


def parameters(params: dict) -> tuple[Window, ExtractionParameters]:
    """Window and parameters of one of the parameter sets."""
    names = {field.name for field in ExtractionParameters.__attrs_attrs__}
    limits = {k: v for k, v in params.items() if k in names}
    return (
        Window(start=params["start"], end=params["end"]),
        ExtractionParameters(**limits, compat="ipfx"),
    )
