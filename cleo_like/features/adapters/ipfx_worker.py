"""Run by the Python of the peers' environment: arrays in, ipfx's answers out, as files.

It stands alone (numpy and ipfx only) and reads one job per line from standard input: the name
of an ``.npz`` and that of the ``.json`` to write. What ipfx raises is part of the answer.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import numpy as np


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _plain(value: object) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _sweep(extractors: Any, t: np.ndarray, v: np.ndarray, i: np.ndarray) -> dict[str, Any]:
    spikes, train = extractors
    try:
        table = spikes.process(t, v, i)
        features = train.process(t, v, i, table)
    except Exception as error:  # noqa: BLE001  (whatever ipfx raises is its answer)
        return {"error": _text(error)}
    columns = {name: table[name].tolist() for name in table.columns} if len(table) else {}
    return {"spikes": columns, "train": features}


def _cell(
    extractors: Any, v: np.ndarray, i: np.ndarray, rate: float, limit: float
) -> dict[str, Any]:
    from ipfx.stimulus_protocol_analysis import LongSquareAnalysis
    from ipfx.sweep import Sweep, SweepSet

    out: dict[str, Any] = {"values": {}, "errors": {}}
    t = np.arange(v.shape[1]) / rate
    sweeps = SweepSet([Sweep(t, v[k], i[k], "CurrentClamp", rate) for k in range(len(v))])
    analysis = LongSquareAnalysis(*extractors, subthresh_min_amp=limit)
    try:
        found = analysis.analyze(sweeps)
    except Exception as error:  # noqa: BLE001
        out["errors"]["analyze"] = _text(error)
        analysis = LongSquareAnalysis(
            *extractors, subthresh_min_amp=limit, require_suprathreshold=False
        )
        try:  # the membrane alone may still be measured
            found = analysis.analyze_subthreshold(sweeps)
        except Exception as again:  # noqa: BLE001
            out["errors"]["subthreshold"] = _text(again)
            return out
    table = analysis.all_sweep_features()
    out["sweeps"] = {name: table[name].tolist() for name in table.columns}
    for name, value in found.items():
        if isinstance(value, (int, float, np.number)):
            out["values"][name] = value
    return out


def answer(job: str) -> dict[str, Any]:
    """Measure one cell."""
    from ipfx.feature_extractor import SpikeFeatureExtractor, SpikeTrainFeatureExtractor

    with np.load(job) as z:
        v, i, rate = z["v"], z["i"], float(z["rate"])
        options = json.loads(str(z["options"]))
    t = np.arange(v.shape[1]) / rate
    window = {"start": options["start"], "end": options["end"]}
    extractors = (
        SpikeFeatureExtractor(**window, **options["spikes"]),
        SpikeTrainFeatureExtractor(**window, **options["train"]),
    )
    sweeps = [_sweep(extractors, t, v[k], i[k]) for k in range(len(v))]
    cell = _cell(extractors, v, i, rate, options["subthresh_min_amp"])
    columns = cell.pop("sweeps", {})
    for name in ("stim_amp", "v_baseline", "sag", "peak_deflect"):
        for sweep, value in zip(sweeps, columns.get(name, ()), strict=False):
            if "error" in sweep:
                continue
            if name == "peak_deflect":  # (potential, sample)
                sweep["train"]["peak_deflect_v"], sweep["train"]["peak_deflect_index"] = value
            else:
                sweep["train"][name] = value
    return {"sweeps": sweeps, "cell": cell}


def main() -> None:
    """Serve jobs until standard input ends."""
    warnings.simplefilter("ignore")
    replies, sys.stdout = sys.stdout, sys.stderr  # ipfx prints; the replies must not mix
    for line in sys.stdin:
        job, target = json.loads(line)
        try:
            result = answer(job)
        except Exception as error:  # noqa: BLE001
            result = {"failed": _text(error)}
        with open(target, "w") as file:  # noqa: PTH123
            json.dump(_plain(result), file)
        replies.write("done\n")
        replies.flush()


if __name__ == "__main__":
    main()
