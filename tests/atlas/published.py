"""Tables as labs publish them, made from one set of cells: names, units, ids and holes differ."""

from __future__ import annotations

import numpy as np
import pandas as pd

KINDS = {
    #        R    tau   rest  sag  width thr  amp rheo lat  ratio ahp adapt rebound
    "Pvalb": (90, 7.5, -70, 0.03, 0.42, -33, 55, 250, 60, 1.5, 21, 0.01, 1.0),
    "Sst": (220, 19, -65, 0.17, 0.65, -42, 66, 60, 30, 2.0, 13, 0.08, 8.0),
    "Vip": (240, 14, -69, 0.08, 0.75, -37, 62, 60, 20, 2.9, 9, 0.06, 4.0),
    "Lamp5": (170, 9, -68, 0.05, 0.80, -33, 60, 110, 110, 2.4, 16, 0.03, 1.5),
    "IT": (110, 15, -74, 0.10, 1.50, -40, 85, 120, 80, 3.6, 3, 0.05, 1.5),
}
SPREAD = (0.3, 0.25, 3.5, 0.04, 0.15, 4, 7, 0.4, 0.5, 0.25, 3, 0.03, 1.5)
LOGARITHMIC = (0, 1, 4, 7, 8)
NAMES = (
    "r", "tau", "rest", "sag", "width", "threshold", "amplitude", "rheobase", "latency",
    "ratio", "ahp", "adaptation", "rebound",
)  # fmt: skip


def cells(rng, counts, *, warm=1.0, rest=0.0):
    """Draw cells: resistances, times and widths times `warm`, the rest moved."""
    rows = []
    for kind, n in counts.items():
        for _ in range(n):
            one = [
                m * np.exp(rng.normal(0, s)) if k in LOGARITHMIC else m + rng.normal(0, s)
                for k, (m, s) in enumerate(zip(KINDS[kind], SPREAD, strict=True))
            ]
            rows.append([kind, *one])
    out = pd.DataFrame(rows, columns=["kind", *NAMES]).sample(frac=1, random_state=3)
    out[["r", "tau", "width"]] *= warm
    out["rest"] += rest
    out["sag"] = out["sag"].clip(lower=0.001)
    return out.reset_index(drop=True)


def visp(c, folder):
    """Viewer style: two CSVs, zeros for "not measured", latency in s, tau in ms."""
    n = len(c)
    ids = 600_000_000 + np.arange(n)
    ephys = pd.DataFrame({
        "Cell ID": ids, "AP amplitude (mV)": c["amplitude"], "AP threshold (mV)": c["threshold"],
        "AP width (ms)": c["width"], "Adaptation ratio": c["adaptation"],
        "After hyperpolarization (mV)": c["ahp"], "F I curve slope": 0.2 + c["rheobase"] * 1e-3,
        "Input resistance (M\u2126)": c["r"], "Rebound APs (number)": (c["rebound"] > 7) * 1.0,
        "Resting membrane potential (mV)": c["rest"], "Sag ratio": c["sag"],
        "Threshold I (long square) (picoamps)": c["rheobase"],
        "Upstroke/downstroke ratio (long square)": c["ratio"],
    })  # fmt: skip
    ephys.loc[::40, "Input resistance (M\u2126)"] = 0.0
    meta = pd.DataFrame({
        "Cell ID": ids, "AP maximum rate of rise (Upstroke) (mV/ms)": 300 / c["width"],
        "Age (postnatal days)": 55, "Anatomical Structure": "VISp", "Sex": "F",
        "T type subclass": c["kind"] + " interneuron", "Latency": c["latency"] / 1e3,
        "tau": c["tau"],
    }).sample(frac=1, random_state=1)  # fmt: skip
    meta.loc[meta.index[:2], "T type subclass"] = "Sst Chodl interneuron"  # two of a rare kind
    paths = [folder / "VISp_Viewer_ephys.csv", folder / "VISp_Viewer_meta.csv"]
    for table, path in zip((ephys, meta), paths, strict=True):
        table.to_csv(path, index=False)
    return paths


def m1(c, folder):
    """Mini-atlas style: CSV and TSV, sag as a ratio, everything in ms, donors."""
    n = len(c)
    ids = [f"2018_sample_{k}" for k in range(n)]
    ephys = pd.DataFrame({
        "cell id": ids, "AP amplitude (mV)": c["amplitude"] + 20,
        "AP threshold (mV)": c["threshold"], "AP width (ms)": c["width"],
        "Afterhyperpolarization (mV)": -c["ahp"], "ISI adaptation index": 1 + 5 * c["adaptation"],
        "ISI coefficient of variation": 0.2, "Input resistance (MOhm)": c["r"],
        "Latency (ms)": c["latency"], "Membrane time constant (ms)": c["tau"],
        "Rebound (mV)": c["rebound"], "Rebound number of APs": (c["rebound"] > 7) * 1,
        "Resting membrane potential (mV)": c["rest"], "Rheobase (pA)": c["rheobase"],
        "Sag ratio": 1 + c["sag"], "Upstroke-to-downstroke ratio": c["ratio"],
    })  # fmt: skip
    meta = pd.DataFrame({
        "Cell": ids, "Mouse": [f"mouse_{k // 4}" for k in range(n)], "Mouse age": 60,
        "Mouse gender": "M", "RNA family": c["kind"], "Targeted layer": "5",
    })  # fmt: skip
    meta.loc[::15, "RNA family"] = "low quality"
    paths = [folder / "m1_ephys_features.csv", folder / "m1_meta_data.csv"]
    ephys.to_csv(paths[0], index=False)
    meta.to_csv(paths[1], sep="\t", index=False)
    return paths


def l1(c, folder, name, *, by_id, excel=False):
    """Layer 1 style: SI units, and two names for a cell: which one, differs between labs."""
    n = len(c)
    spec = [str(800_000_000 + 1000 * len(name) + k) for k in range(n)]
    names = [f"H19.{name}.{k}" for k in range(n)]
    features = pd.DataFrame({
        "cell_name": spec if by_id else names, "input_resistance": c["r"], "tau": c["tau"] / 1e3,
        "v_baseline": c["rest"], "sag": c["sag"], "rheobase_i": c["rheobase"],
        "threshold_v_rheo": c["threshold"], "peak_deltav_rheo": c["amplitude"],
        "width_rheo": c["width"] / 1e3, "upstroke_rheo": 300 / c["width"],
        "upstroke_downstroke_ratio_rheo": c["ratio"], "fast_trough_deltav_rheo": -c["ahp"],
        "latency_rheo": c["latency"] / 1e3, "adapt_hero": c["adaptation"],
    })  # fmt: skip
    dataset = pd.DataFrame({
        "spec_id": spec, "cell_name": names, "structure": "MTG", "donor_age": "36 yrs",
        "donor_name": [f"{name}{k // 3}" for k in range(n)], "donor_sex": "F",
        "homology_type": c["kind"],
    })  # fmt: skip
    path = folder / f"{name}_features_E.csv"
    if excel:  # as a German Excel saves it
        features.to_csv(path, sep=";", decimal=",", index=False, encoding="cp1252")
    else:
        features.to_csv(path, index=False)
    return path, dataset
