"""All spikes of a recording as columns, one row per spike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import read_only
from cleo_like.core.errors import unknown_name
from cleo_like.features.parameters import DEFAULT, ExtractionParameters
from cleo_like.features.spikes import detect, shape
from cleo_like.features.stack import SweepStack, Window, as_stack, window

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cleo_like.core.recording import Recording

_AT = ("threshold", "peak", "trough", "fast_trough", "adp", "slow_trough")
_SLOPES = ("upstroke", "downstroke")


@attrs.frozen(kw_only=True)
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
    """

    columns: Mapping[str, np.ndarray]
    n_sweeps: int
    cutoff: float | None

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

    def to_frame(self) -> pd.DataFrame:
        """Give a pandas table, one row per spike."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns))


def spike_features(
    source: Recording | SweepStack,
    start: Any,
    end: Any,
    *,
    parameters: ExtractionParameters = DEFAULT,
) -> SpikeTable:
    """Find and measure every spike of a step.

    Parameters
    ----------
    source : Recording or SweepStack
        Current-clamp sweeps.
    start, end : quantity
        Of the step (s), end excluded.
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
    return spikes_of(as_stack(source, exact=parameters.exact), window(start, end), parameters)


def spikes_of(stack: SweepStack, step: Window, parameters: ExtractionParameters) -> SpikeTable:
    """Do the work of `spike_features`, some sweeps at a time to bound the memory."""
    width = min((step.duration + 0.03) * stack.rate, stack.n_samples)
    at_once = max(1, int(detect.SAMPLES_AT_ONCE / width))
    parts = []
    for first in range(0, stack.n_sweeps, at_once):
        sweeps = np.arange(first, min(first + at_once, stack.n_sweeps))
        parts += _some(stack, sweeps, step, parameters)
    columns = {k: np.concatenate([part[k] for part in parts]) for k in parts[0]}
    order = np.argsort(columns["sweep"], kind="stable")
    return SpikeTable(
        columns={k: read_only(c[order]) for k, c in columns.items()},
        n_sweeps=stack.n_sweeps,
        cutoff=parameters.cutoff(stack.rate),
    )


def _some(
    stack: SweepStack, sweeps: np.ndarray, step: Window, parameters: ExtractionParameters
) -> list[dict[str, np.ndarray]]:
    """Search sweeps with as little filtering as will do; those in doubt again with more."""
    left, parts = sweeps, []
    for trace_of in (detect.fast_trace, detect.dense_trace, detect.full_trace):
        trace = trace_of(stack, left, step, parameters)
        if trace is None:
            continue
        events, doubt = detect.detect(trace)
        shapes = shape.measure(trace, events, doubt)
        columns = _columns(trace, events, shapes)
        if trace_of is not detect.full_trace and doubt.any():
            sure = ~doubt[events.sweep]
            columns = {k: c[sure] for k, c in columns.items()}
        parts.append(columns)
        left = left[doubt[left]]
        if left.size == 0:
            break
    return parts


def _columns(
    trace: detect.Trace, events: detect.Events, shapes: shape.Shapes
) -> dict[str, np.ndarray]:
    out: dict[str, np.ndarray] = {"sweep": events.sweep}
    current = trace.stack.current_pa.reshape(-1)
    where = attrs.asdict(shapes, recurse=False)
    where.update(threshold=events.threshold, peak=events.peak)
    for name in (*_AT, *_SLOPES):
        at = where[name]
        seen = at >= 0
        index = np.where(seen, trace.sample(events.sweep, at), np.nan)
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
    return out
