"""The package's table of fits: every number with its range over folds, and the evidence."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

from cleo_like.core.errors import unknown_name
from cleo_like.imaging.calibrated.cells import Variability
from cleo_like.imaging.calibrated.indicator import CalibratedIndicator
from cleo_like.imaging.calibrated.kernel import Kernel
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
def calibrated_indicator(name: str) -> CalibratedIndicator:
    """Give a fitted indicator as a pure function of spikes (no simulator needed).

    Parameters
    ----------
    name : str
        One of `calibrated_names`.

    Returns
    -------
    CalibratedIndicator
        `evidence` says how well it predicts cells that the fit did not see, and
        `evidence["parameters"]` gives each number with its range over the folds.

    Raises
    ------
    UnknownNameError
        No indicator of that name was fitted.

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
    return CalibratedIndicator(
        name=name,
        kernel=Kernel(
            rise=f"{values['rise_ms']['value']} ms",
            decays=[f"{decay['value']} ms" for decay in values["decays_ms"]],
            weights=[weight["value"] for weight in values["weights"]],
        ),
        response=HillResponse(
            **{
                field: values[field]["value"]
                for field in ("single_spike", "exponent", "half_saturation", "rest")
            },
            reach=entry["reach"],
            ceiling=entry["ceiling"]["value"] if "ceiling" in entry else float("inf"),
        ),
        variability=Variability(**entry["variability"]),
        source=entry["source"],
        evidence={"display": entry["display"], "parameters": values} | entry["evidence"],
    )
