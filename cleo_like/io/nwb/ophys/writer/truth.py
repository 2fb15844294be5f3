"""What only a simulator knows, in a module of its own that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.io.nwb.extras import TRUTH
from cleo_like.io.nwb.ophys.names import numbered, plain
from cleo_like.io.nwb.ophys.writer.chunks import packed
from cleo_like.io.nwb.ophys.writer.clock import clock_of
from cleo_like.io.nwb.ophys.writer.rois import column_data

if TYPE_CHECKING:
    from pynwb import NWBFile

    from cleo_like.core.ophys.experiment import ImagingExperiment
    from cleo_like.core.ophys.traces import ImagingTruth

_TEXT = (
    "SIMULATION TRUTH, not a measurement: what the simulator knows about these cells and this "
    "movie (spikes, calcium, fluorescence without noise, motion, photons)"
)
_SMALL = 16
"""Numbers up to which an array is kept as text: a table of one row says less."""
_TRACES = {"fluorescence": "dF/F", "calcium": "mol/m^3"}


def add_truth(nwbfile: NWBFile, experiment: ImagingExperiment, index: int) -> dict[str, Any]:
    """Add the truth of a plane: of its ROIs, and the arrays by name.

    Returns
    -------
    dict
        Which truth belongs to the experiment and to each of its traces, by number, and where
        each array is.
    """
    truths: list[ImagingTruth] = []
    owners = {"": experiment.truth} | {n: t.truth for n, t in experiment.traces.items()}
    numbers = {n: _number(truths, t) for n, t in owners.items() if t is not None}
    if not truths and not experiment.truth_arrays:
        return {"numbers": {}, "truths": [], "arrays": {}}
    module = nwbfile.processing.get(TRUTH)
    if module is None:
        module = nwbfile.create_processing_module(TRUTH, _TEXT)
    kept = []
    for k, truth in enumerate(truths):
        suffix = numbered("", index) + ("" if k == 0 else f"_{k + 1}")
        kept.append(_add_known(module, experiment, truth, suffix))
    arrays = {
        name: _add_array(module, experiment, name, array, index)
        for name, array in experiment.truth_arrays.items()
    }
    return {"numbers": numbers, "truths": kept, "arrays": arrays}


def _number(truths: list[ImagingTruth], truth: ImagingTruth) -> int:
    """Give the number of a truth, which several traces may share."""
    for number, known in enumerate(truths):
        if known is truth or known == truth:
            return number
    truths.append(truth)
    return len(truths) - 1


def _times(experiment: ImagingExperiment, n_frames: int) -> np.ndarray | None:
    """Give the times of whatever has that many frames."""
    sources = [*experiment.traces.values()]
    sources += [s for s in (experiment.movie, experiment.motion) if s is not None]
    return next((s.times for s in sources if len(s.times) == n_frames), None)


def _add_known(
    module: Any, experiment: ImagingExperiment, truth: ImagingTruth, suffix: str
) -> dict[str, str]:
    """Add spikes, and the traces without noise."""
    from pynwb.base import TimeSeries

    names = {}
    if truth.spike_times is not None:
        names["spike_times"] = f"spikes{suffix}"
        module.add(_spikes(f"spikes{suffix}", truth.spike_times))
    for name, unit in _TRACES.items():
        values = getattr(truth, name)
        if values is None:
            continue
        times = _times(experiment, values.shape[-1]) if values.ndim == 2 else None
        if times is None:
            msg = f"the truth has {name} of shape {values.shape}, which no frames have"
            raise InputError(msg)
        names[name] = f"{name}{suffix}"
        module.add(
            TimeSeries(
                name=names[name],
                description=f"Simulation truth: {name} of each ROI, a column a ROI",
                data=packed(values.T),
                unit=unit,
                **clock_of(times),
            )
        )
    return names


def _spikes(name: str, spike_times: tuple[np.ndarray, ...]) -> Any:
    from hdmf.common import DynamicTable, VectorData, VectorIndex

    times = VectorData(
        name="spike_times",
        description="Simulation truth: spikes (s)",
        data=np.concatenate([np.zeros(0), *spike_times]),
    )
    ends = np.cumsum([len(t) for t in spike_times], dtype=np.int64)
    return DynamicTable(
        name=name,
        description="Simulation truth: spikes of each ROI, a row a ROI",
        columns=[times, VectorIndex(name="spike_times_index", target=times, data=ends)],
    )


def _add_array(
    module: Any, experiment: ImagingExperiment, name: str, array: np.ndarray, index: int
) -> dict[str, Any]:
    """Add one named array: a series where it has a value per frame, else a table.

    Returns
    -------
    dict
        Where it is and how it is turned back; a small one itself.
    """
    kind = {"dtype": array.dtype.str, "shape": list(array.shape)}
    if array.dtype.kind not in "biufUSO":
        msg = f"truth {name!r}: expected numbers or texts, got {array.dtype}"
        raise InputError(msg)
    if array.size <= _SMALL or array.ndim == 0:
        return kind | {"value": _listed(array)}
    stored = numbered(plain(name), index)
    while stored in module.data_interfaces:
        stored += "_"
    per_frame = array.dtype.kind in "iuf" and _add_series(module, experiment, stored, array)
    if not per_frame:
        module.add(_table(stored, name, array))
    return kind | {"name": stored, "kind": per_frame or "table"}


def _listed(array: np.ndarray) -> Any:
    """Give a small array as JSON has it; JSON knows no NaN, text does."""
    if array.dtype.kind == "f":
        return np.vectorize(repr, otypes=[object])(array.astype(float)).tolist()
    return array.tolist()


def _add_series(
    module: Any, experiment: ImagingExperiment, stored: str, array: np.ndarray
) -> str | None:
    """Add an array with one value per frame, or one row per ROI of them."""
    from pynwb.base import TimeSeries

    turned = array.ndim == 2 and array.shape[0] == experiment.n_rois
    turned = turned and _times(experiment, array.shape[1]) is not None
    data = array.T if turned else array
    times = _times(experiment, data.shape[0])
    if times is None:
        return None
    module.add(
        TimeSeries(
            name=stored,
            description=f"Simulation truth: {stored}, a row a frame",
            data=packed(data),
            unit="n.a.",
            **clock_of(times),
        )
    )
    return "turned series" if turned else "series"


def _table(stored: str, name: str, array: np.ndarray) -> Any:
    from hdmf.common import DynamicTable, VectorData

    values = column_data(name, array)
    if array.dtype.kind in "biuf":
        values = packed(array)
    column = VectorData(name="value", description=f"Simulation truth: {name}", data=values)
    return DynamicTable(
        name=stored, description=f"Simulation truth: {name}, a row an entry", columns=[column]
    )
