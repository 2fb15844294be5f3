"""All vectors of a cell at once, each with its reason where it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.features.parameters import in_unit
from cleo_like.features.vectors.steps import (
    EXTEND,
    SUBSAMPLE,
    depolarised_norm,
    hyperpolarised_norm,
    step_vector,
)
from cleo_like.features.vectors.trains import (
    PSTH_WIDTH,
    WIDTH,
    bins,
    instantaneous_rate,
    psth,
    spike_vector,
    spiking_rows,
)
from cleo_like.features.vectors.waveforms import (
    AP_LENGTH,
    AP_RATE,
    SHAPE_POINTS,
    first_ap,
    isi_shape,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cleo_like.core.units import Quantity
    from cleo_like.features.long_square.cell import CellFeatures

ABOVE_RHEOBASE = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)
"""Currents above rheobase (pA) of the sweeps in the train vectors."""

STEP_TARGETS = (-90.0, -70.0, -50.0, -30.0, -10.0)
"""Currents (pA) of the sweeps in the step vector."""

SPIKE_VECTORS = (
    "peak_v", "threshold_v", "fast_trough_v", "upstroke_downstroke_ratio", "width",
)  # fmt: skip


@attrs.frozen(kw_only=True, eq=False)
class FeatureVectors:
    """Vectors by name, and why a missing one is missing (it is NaN, of its usual length)."""

    vectors: Mapping[str, np.ndarray]
    reasons: Mapping[str, str]

    def __getitem__(self, name: str) -> np.ndarray:
        """Give one vector."""
        return self.vectors[name]


def feature_vectors(
    cell: CellFeatures,
    *,
    above_rheobase: Sequence[Any] = ABOVE_RHEOBASE,
    step_targets: Sequence[Any] = STEP_TARGETS,
    tolerance: Quantity = 0.0,
) -> FeatureVectors:
    """Make all vectors of a cell.

    Parameters
    ----------
    cell : CellFeatures
        From `long_square_features`.
    above_rheobase : sequence of float or quantity
        Currents (quantities, or numbers in pA) above rheobase of the train vectors; sweeps
        that are missing are interpolated between their neighbours.
    step_targets : sequence of float or quantity
        Currents (likewise) of the hyperpolarising steps in ``step_subthresh``.
    tolerance : float or quantity
        How far (likewise) a sweep may be from its target.

    Returns
    -------
    FeatureVectors
        ``first_ap_v`` (mV, 3 ms from threshold at 50 kHz) and ``first_ap_dv``; ``isi_shape``
        (mV above threshold, 100 points); ``psth`` and ``inst_freq`` (Hz); ``spiking_<f>``
        for the spike features of `SPIKE_VECTORS`; ``step_subthresh`` (mV);
        ``subthresh_norm`` and ``subthresh_depol_norm``.
    """
    above_rheobase = _currents(above_rheobase, "above_rheobase")
    step_targets = _currents(step_targets, "step_targets")
    tolerance = in_unit("pA", "tolerance")(tolerance)
    rows = spiking_rows(cell, above_rheobase, tolerance)
    makers: dict[str, Callable[[], np.ndarray]] = {
        "first_ap_v": lambda: first_ap(cell, [_rheobase(cell)])[0],
        "first_ap_dv": lambda: first_ap(cell, [_rheobase(cell)])[1],
        "isi_shape": lambda: isi_shape(cell),
        "psth": lambda: psth(cell, rows),
        "inst_freq": lambda: instantaneous_rate(cell, rows),
        "step_subthresh": lambda: step_vector(cell, step_targets, tolerance=tolerance),
        "subthresh_norm": lambda: hyperpolarised_norm(cell),
        "subthresh_depol_norm": lambda: depolarised_norm(cell),
    }
    for name in SPIKE_VECTORS:
        makers[f"spiking_{name}"] = lambda name=name: spike_vector(cell, rows, name)
    vectors, reasons = {}, {}
    for name, make in makers.items():
        try:
            vectors[name] = make()
        except InputError as error:
            reasons[name] = str(error)
            vectors[name] = np.full(_length(name, cell, len(rows), len(step_targets)), np.nan)
    return FeatureVectors(vectors=vectors, reasons=reasons)


def _currents(values: Any, name: str) -> list[float]:
    """Currents (pA), one or more."""
    several = np.iterable(values) and not isinstance(values, str)
    return [in_unit("pA", name)(one) for one in (values if several else [values])]


def _length(name: str, cell: CellFeatures, n_rows: int, n_steps: int) -> int:
    duration = cell.window.duration
    response = int((duration + 2 * EXTEND) / SUBSAMPLE)
    points = round(AP_LENGTH * AP_RATE)
    fixed = {"first_ap_v": points, "first_ap_dv": points - 1, "isi_shape": SHAPE_POINTS}
    fixed |= {"psth": n_rows * bins(duration, PSTH_WIDTH)}
    fixed |= {"step_subthresh": n_steps * response}
    fixed |= dict.fromkeys(("subthresh_norm", "subthresh_depol_norm"), response)
    return fixed.get(name, n_rows * bins(duration, WIDTH))


def _rheobase(cell: CellFeatures) -> int:
    found = cell.values["rheobase_sweep"]
    if np.isnan(found):
        msg = cell.reasons["rheobase_sweep"]
        raise InputError(msg)
    return cell.stack.numbers.index(int(found))
