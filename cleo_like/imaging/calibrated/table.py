"""The package's table of fits: every number with its range over folds, and the evidence."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

import numpy as np

from cleo_like.core.errors import unknown_name
from cleo_like.imaging.calibrated.indicator import CalibratedIndicator
from cleo_like.imaging.calibrated.kernel import Kernel
from cleo_like.imaging.calibrated.population.cells import Variability
from cleo_like.imaging.calibrated.population.noise import STATED_RATE, RecordingNoise
from cleo_like.imaging.calibrated.response import HillResponse


@functools.cache
def _table() -> dict[str, Any]:
    folder = resources.files("cleo_like.imaging.calibrated")
    text = (folder / "indicators.json").read_text(encoding="utf-8")
    return dict(json.loads(text)["indicators"])


def calibrated_names() -> tuple[str, ...]:
    """Give the names of all fitted indicators.

    Returns
    -------
    tuple of str
        What `calibrated_sensor` and `calibrated_indicator` take.

    Examples
    --------
    >>> "gcamp6f" in calibrated_names()
    True
    """
    return tuple(_table())


@functools.cache
def calibrated_indicator(name: str, recordings: str | None = None) -> CalibratedIndicator:
    """Give a fitted indicator as a pure function of spikes (no simulator needed).

    Parameters
    ----------
    name : str
        One of `calibrated_names`.
    recordings : str, optional
        One of the sets that the indicator was fitted to, as ``"DS15"``: its own gain instead
        of that of all sets together. ``evidence["sets"]`` lists them.

    Returns
    -------
    CalibratedIndicator
        `evidence` says how well it predicts cells that the fit did not see, and
        `evidence["parameters"]` gives each number with its range over the folds.

    Raises
    ------
    UnknownNameError
        No indicator of that name was fitted, or it has no such set.

    Examples
    --------
    >>> spike = calibrated_indicator("jgcamp8m").single_spike()
    >>> 0.4 < spike.peak < 0.8 and spike.half_decay < 0.15
    True
    """
    if name not in _table():
        raise unknown_name("calibrated indicator", name, _table())
    entry = _table()[name]
    values = entry["parameters"]
    sets = {folder.split("-")[0]: one for folder, one in entry["sets"].items()}
    if recordings is not None and recordings not in sets:
        raise unknown_name(f"set of {name}", recordings, sets)
    gain = 1.0 if recordings is None else sets[recordings]["gain"]
    response = {
        field: values[field]["value"]
        for field in ("single_spike", "exponent", "half_saturation", "rest")
    }
    response["single_spike"] *= gain
    return CalibratedIndicator(
        name=name,
        kernel=Kernel(
            rise=f"{values['rise_ms']['value']} ms",
            decays=[f"{decay['value']} ms" for decay in values["decays_ms"]],
            weights=[weight["value"] for weight in values["weights"]],
        ),
        response=HillResponse(
            **response, reach=entry["reach"], ceiling=entry["ceiling"]["value"]
        ),
        variability=Variability(**_values(entry["variability"])),
        noise=_noise(_values(entry["noise"])),
        source=entry["source"],
        evidence={
            "display": entry["display"],
            "parameters": values,
            "ceiling": entry["ceiling"],
            "sets": sets,
            "variability": entry["variability"],
            "noise": entry["noise"],
        }
        | entry["evidence"],
    )


def _values(measured: dict[str, Any]) -> dict[str, float]:
    return {name: one["value"] for name, one in measured.items()}


def _noise(values: dict[str, float]) -> RecordingNoise:
    """Read noise as the table has it: the white part of a frame at 30 frames/s."""
    return RecordingNoise(
        white=values["white_30hz"] / np.sqrt(STATED_RATE),
        slow=values["slow"],
        slow_time=f"{values['slow_time']} s",
        drift=values["drift"],
        offset=values["offset"],
    )
