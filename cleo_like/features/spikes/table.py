"""All spikes of a recording as columns, one row per spike."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.arrays import read_only
from cleo_like.core.errors import unknown_name
from cleo_like.features.lowpass import Lowpass
from cleo_like.features.parameters import DEFAULT, ExtractionParameters
from cleo_like.features.spikes import detect, events, shape
from cleo_like.features.spikes.resampling import Resampling, refined
from cleo_like.features.spikes.search import search
from cleo_like.features.stack import SweepStack, as_stack, needed_window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from cleo_like.core.recording import Recording
    from cleo_like.core.units import Quantity
    from cleo_like.core.window import Window, WindowLike

_Columns = dict[str, np.ndarray]
_AT = ("threshold", "peak", "trough", "fast_trough", "adp", "slow_trough")
_SLOPES = ("upstroke", "downstroke")


@attrs.frozen(kw_only=True, eq=False)
class SpikeTable:
    """Spikes as columns (ipfx's names): index in samples, t in s, v in mV, i in pA.

    Parameters
    ----------
    columns : mapping of str to array
        Every array has one entry per spike; ``sweep`` is the row in the stack. Missing
        indices and values are NaN.
    n_sweeps : int
        Sweeps that were searched.
    cutoff : float or None
        Cutoff (kHz) of the filter that was used.
    artefacts : array of int, shape (n_sweeps,), or None
        Events of each sweep that were too brief, or too near to the start of the step, for
        spikes; None where nothing of the kind was looked for.
    resampling : Resampling or None
        How shapes were found, where spikes were resampled.
    """

    columns: Mapping[str, np.ndarray]
    n_sweeps: int
    cutoff: float | None
    artefacts: np.ndarray | None = None
    resampling: Resampling | None = None

    def __len__(self) -> int:
        """Count the spikes."""
        return int(self.columns["sweep"].size)

    def __getitem__(self, name: str) -> np.ndarray:
        """Give one column."""
        if name not in self.columns:
            raise unknown_name("spike feature", name, self.columns)
        return self.columns[name]

    @property
    def bounds(self) -> np.ndarray:
        """Rows of sweep k are ``bounds[k]`` to ``bounds[k + 1]``."""
        return np.searchsorted(self.columns["sweep"], np.arange(self.n_sweeps + 1))

    @property
    def counts(self) -> np.ndarray:
        """Spikes of each sweep."""
        return np.diff(self.bounds)

    def of(self, sweep: int) -> dict[str, np.ndarray]:
        """Give the columns of one sweep (row in the stack)."""
        a, b = self.bounds[sweep : sweep + 2]
        return {name: column[a:b] for name, column in self.columns.items()}

    def to_pandas(self) -> pd.DataFrame:
        """Give a DataFrame, one row per spike."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns))


def spike_features(
    source: Recording | SweepStack,
    start: Quantity | None = None,
    end: Quantity | None = None,
    *,
    window: WindowLike | None = None,
    parameters: ExtractionParameters = DEFAULT,
) -> SpikeTable:
    """Find and measure every spike of a step.

    Parameters
    ----------
    source : Recording or SweepStack
        Current-clamp sweeps.
    start, end : quantity
        Of the step (s), end excluded.
    window : Window, pair of quantities or str, optional
        Instead of the two: ``cl.match(recording).window``, or the name of an epoch ("step").
    parameters : ExtractionParameters
        Limits; ``compat="ipfx"`` in them keeps ipfx's quirks.

    Returns
    -------
    SpikeTable
        One row per spike.

    Examples
    --------
    >>> from cleo_like.features.stack import SweepStack
    >>> t = np.arange(4000) / 20e3
    >>> v = -70 + 100 * np.exp(-(((t - 0.1) / 5e-4) ** 2))
    >>> stack = SweepStack(voltage_mv=v[None], current_pa=np.zeros((1, 4000)), rate=20e3)
    >>> table = spike_features(stack, "50 ms", "150 ms")
    >>> len(table), table["peak_t"]
    (1, array([0.1]))
    """
    step = needed_window(source, start, end, window)
    return spikes_of(as_stack(source, exact=parameters.exact), step, parameters)


def spikes_of(
    stack: SweepStack, step: Window, parameters: ExtractionParameters, *, shapes: bool = True
) -> SpikeTable:
    """Do the work of `spike_features`, some sweeps at a time to bound the memory.

    Without `shapes` the spikes are where their samples are.
    """
    width = min((step.duration + 0.03) * stack.rate, stack.n_samples)
    at_once = max(1, int(detect.SAMPLES_AT_ONCE / width))
    parts: list[_Columns] = []
    artefacts = np.zeros(stack.n_sweeps, dtype=int)
    for first in range(0, stack.n_sweeps, at_once):
        sweeps = np.arange(first, min(first + at_once, stack.n_sweeps))
        found, doubtful = _some(stack, sweeps, step, parameters)
        parts += found
        artefacts += doubtful
    columns = {k: np.concatenate([part[k] for part in parts]) for k in parts[0]}
    order = np.argsort(columns["sweep"], kind="stable")
    columns = {k: c[order] for k, c in columns.items()}
    resampling = None
    if parameters.resamples and shapes:
        filtered = declared(stack, parameters)
        columns, resampling = refined(stack, stack.bounds(step), columns, parameters, filtered)
    return SpikeTable(
        columns={k: read_only(c) for k, c in columns.items()},
        n_sweeps=stack.n_sweeps,
        cutoff=parameters.cutoff(stack.rate),
        artefacts=read_only(artefacts),
        resampling=resampling,
    )


def declared(stack: SweepStack, parameters: ExtractionParameters) -> Lowpass | None:
    """Give the amplifier's filter as the user, else the file, states it."""
    if parameters.lowpass is None:
        return stack.lowpass
    return Lowpass(parameters.lowpass * 1e3 if parameters.lowpass > 0 else np.inf)


def _some(
    stack: SweepStack, sweeps: np.ndarray, step: Window, parameters: ExtractionParameters
) -> tuple[list[_Columns], np.ndarray]:
    """Search sweeps with as little filtering as will do; those in doubt again with more."""
    traces: tuple[Callable[..., detect.Trace | None], ...]
    traces = (detect.dense_trace, detect.full_trace)
    find: Callable[[detect.Trace], tuple[detect.Events, np.ndarray]] = detect.detect
    artefacts = np.zeros(stack.n_sweeps, dtype=int)
    left, parts = sweeps, []
    if parameters.exact:
        traces = (detect.fast_trace, *traces)
    else:
        peaks = search(stack, sweeps, step, parameters)
        traces = (partial(events.near_trace, peaks=peaks), *traces)
        find, artefacts, left = (
            partial(events.place, peaks=peaks),
            peaks.artefacts,
            peaks.sweeps,
        )
    for trace_of in traces:
        trace = trace_of(stack, left, step, parameters)
        if trace is None:
            continue
        found, doubt = find(trace)
        shapes = shape.measure(trace, found, doubt)
        columns = _columns(trace, found, shapes)
        if trace_of is not detect.full_trace and doubt.any():
            sure = ~doubt[found.sweep]
            columns = {k: c[sure] for k, c in columns.items()}
        parts.append(columns)
        left = left[doubt[left]]
        if left.size == 0:
            break
    return parts, artefacts


def _columns(trace: detect.Trace, found: detect.Events, shapes: shape.Shapes) -> _Columns:
    out: _Columns = {"sweep": found.sweep}
    current = trace.stack.current_pa.reshape(-1)
    where = attrs.asdict(shapes, recurse=False)
    where.update(threshold=found.threshold, peak=found.peak)
    for name in (*_AT, *_SLOPES):
        at = where[name]
        seen = at >= 0
        index = np.where(seen, trace.sample(found.sweep, at), np.nan)
        out[f"{name}_index"] = index
        out[f"{name}_t"] = index / trace.stack.rate
        out[f"{name}_v"] = np.where(seen, trace.v[at], np.nan)
        if name in _AT:
            out[f"{name}_i"] = np.where(seen, current[at], np.nan)
    out["upstroke"] = shapes.upstroke_value
    out["downstroke"] = shapes.downstroke_value
    out["upstroke_downstroke_ratio"] = shapes.upstroke_value / -shapes.downstroke_value
    out["width"] = shapes.width
    out["clipped"] = shapes.clipped
    kind = np.where(shapes.detour, "detour", "direct").astype("<U6")
    kind[shapes.clipped] = ""
    out["isi_type"] = kind
    if isinstance(found, events.Placed):
        out["prominence"], out["smooth_upstroke"] = found.prominence, found.slope
    return out
