"""eFEL in this process: its own values, and the same table as ours from them.

eFEL counts in ms, mV and nA and defines several features otherwise: the half width is that of
half the amplitude from the begin of the spike, the threshold is at 10 V/s, the resistance is a
chord. `CELL_NOTES` says so in each row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import UnsupportedError
from cleo_like.features.long_square import firing
from cleo_like.features.long_square.cell import CellFeatures
from cleo_like.features.spikes.table import SpikeTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core.window import Window
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.stack import SweepStack

CELL_NOTES = (
    "eFEL: threshold at 10 V/s (AP_begin), width at half amplitude from begin to peak, "
    "resistance a chord of the steady state, tau from the decay after the step",
)
_MS = 1e-3
# our column <- (eFEL's feature, factor to our unit)
_SPIKE = {
    "threshold_v": ("AP_begin_voltage", 1.0),
    "threshold_t": ("AP_begin_time", _MS),
    "peak_v": ("AP_height", 1.0),
    "peak_t": ("peak_time", _MS),
    "upstroke": ("AP_peak_upstroke", 1.0),
    "downstroke": ("AP_peak_downstroke", 1.0),
    "width": ("AP_duration_half_width", _MS),
    "fast_trough_v": ("AHP_depth_abs", 1.0),
}
_SWEEP = {
    "latency": ("time_to_first_spike", _MS),
    "isi_cv": ("ISI_CV", 1.0),
    "adapt": ("adaptation_index2", 1.0),
    "v_baseline": ("voltage_base", 1.0),
    "v_steady": ("steady_state_voltage_stimend", 1.0),
    "sag": ("sag_ratio1", 1.0),
    "v_min": ("minimum_voltage", 1.0),
    "input_resistance": ("ohmic_input_resistance_vb_ssse", 1.0),
    "tau": ("decay_time_constant_after_stim", _MS),
}
NATIVE = "native"
DEFAULT = "default"


def efel_features(
    stack: SweepStack,
    step: Window,
    names: Sequence[str],
    *,
    setting: str = NATIVE,
    amplitudes: np.ndarray | None = None,
) -> list[dict[str, np.ndarray | None]]:
    """Ask eFEL for features of every sweep, in eFEL's own units (ms, mV, nA, MOhm).

    Parameters
    ----------
    stack : SweepStack
        Sweeps.
    step : Window
        The step.
    names : sequence of str
        eFEL's feature names.
    setting : "native" or "default"
        "native" works at the sampling step and counts spikes inside the step only;
        "default" is eFEL as it comes: everything resampled to 0.1 ms, spikes of the whole
        sweep.
    amplitudes : array, shape (n_sweeps,), optional
        Step currents (pA); read from the command where not given.

    Returns
    -------
    list of dict
        Per sweep: feature name to array, or None where eFEL has no answer.

    Raises
    ------
    UnsupportedError
        eFEL is not installed.
    """
    efel = _efel()
    t = np.arange(stack.n_samples) / stack.rate * 1e3
    if amplitudes is None:
        amplitudes = stack.current_pa[:, stack.index(step.start) + 1]
    traces = [
        {
            "T": t[:n],
            "V": v[:n],
            "stim_start": [step.start * 1e3],
            "stim_end": [step.end * 1e3],
            "stimulus_current": [float(a) * 1e-3],
        }
        for v, a, n in zip(stack.voltage_mv, amplitudes, stack.lengths.tolist(), strict=True)
    ]
    efel.reset()  # its settings are global: none of ours may stay behind
    try:
        if setting == NATIVE:
            efel.set_setting("interp_step", 1e3 / stack.rate)
            efel.set_setting(setting_name="strict_stiminterval", new_value=True)
        return efel.get_feature_values(traces, list(names), raise_warnings=False)
    finally:
        efel.reset()


def efel_cell(
    stack: SweepStack, step: Window, parameters: ExtractionParameters, *, setting: str = NATIVE
) -> CellFeatures:
    """Measure a cell with eFEL and give it the shape of our own result.

    Parameters
    ----------
    stack : SweepStack
        Sweeps.
    step : Window
        The step.
    parameters : ExtractionParameters
        Kept beside the result; eFEL has limits of its own.
    setting : "native" or "default"
        See `efel_features`.
    """
    names = [name for name, _ in (*_SPIKE.values(), *_SWEEP.values())]
    amplitude = stack.current_pa[:, stack.index(step.start) + 1]
    found = efel_features(stack, step, names, setting=setting, amplitudes=amplitude)
    table = _spikes(found, stack.n_sweeps)
    sweeps = _sweeps(found, table, step) | {"stim_amp": amplitude}
    values, reasons = _cell(sweeps)
    return CellFeatures(
        stack=stack,
        window=step,
        parameters=parameters,
        spikes=table,
        sweeps=sweeps,
        values=values,
        uncertainty={},
        reasons=reasons,
        excluded={},
        notes=CELL_NOTES,
    )


def _efel() -> Any:
    try:
        import efel
    except ImportError as error:
        msg = "the extractor 'efel' needs the package efel: pip install efel"
        raise UnsupportedError(msg) from error
    return efel


def need_efel() -> None:
    """Refuse, before any work, when eFEL is not installed."""
    from importlib.util import find_spec

    if find_spec("efel") is None:  # importing it takes a second
        _efel()


def _values(found: dict[str, Any], name: str, count: int, scale: float) -> np.ndarray:
    """Exactly `count` values; eFEL's lists may be shorter (a spike without an end)."""
    out = np.full(count, np.nan)
    values = found[name]
    if values is not None:
        values = np.asarray(values, dtype=float)[:count]
        out[: values.size] = values * scale
    return out


def _spikes(found: list[dict[str, Any]], n_sweeps: int) -> SpikeTable:
    counts = [0 if f["peak_time"] is None else len(f["peak_time"]) for f in found]
    columns = {
        ours: np.concatenate(
            [_values(f, theirs, n, scale) for f, n in zip(found, counts, strict=True)]
        )
        for ours, (theirs, scale) in _SPIKE.items()
    }
    columns["sweep"] = np.repeat(np.arange(n_sweeps), counts)
    fall = np.where(columns["downstroke"] < 0, columns["downstroke"], np.nan)
    columns["upstroke_downstroke_ratio"] = columns["upstroke"] / -fall
    return SpikeTable(columns=columns, n_sweeps=n_sweeps, cutoff=None)


def _sweeps(
    found: list[dict[str, Any]], table: SpikeTable, step: Window
) -> dict[str, np.ndarray]:
    out = {
        ours: np.array([_values(f, theirs, 1, scale)[0] for f in found])
        for ours, (theirs, scale) in _SWEEP.items()
    }
    out["n_spikes"] = table.counts
    # eFEL's mean_frequency ends at the last spike; the rate of the step is comparable
    out["avg_rate"] = table.counts / step.duration
    intervals = [np.diff(table.of(k)["peak_t"]) for k in range(table.n_sweeps)]
    out["first_isi"] = np.array([i[0] if i.size else np.nan for i in intervals])
    out["mean_isi"] = np.array([i.mean() if i.size else np.nan for i in intervals])
    out["median_isi"] = np.array([np.median(i) if i.size else np.nan for i in intervals])
    return out


def _cell(sweeps: dict[str, np.ndarray]) -> tuple[dict[str, float], dict[str, str]]:
    amplitude, rate = sweeps["stim_amp"], sweeps["avg_rate"]
    down = np.flatnonzero((rate == 0) & (amplitude < 0))
    values = {"v_baseline": _nanmean(sweeps["v_baseline"])}
    for name in ("input_resistance", "tau"):
        values[name] = _nanmean(sweeps[name][down])
    values["sag"] = values["vm_for_sag"] = np.nan
    if down.size:
        row = down[np.abs(sweeps["v_min"][down] + 100.0).argmin()]
        values["sag"] = float(sweeps["sag"][row])
        values["vm_for_sag"] = float(sweeps["v_min"][row])
    lowest = firing.rheobase_row(amplitude, rate)
    values["rheobase_i"] = np.nan if lowest is None else float(amplitude[lowest])
    slope = firing.fi_slope(amplitude, rate, np.flatnonzero(rate > 0))
    values["fi_fit_slope"] = slope.value
    reasons = {name: "eFEL gives no value" for name, v in values.items() if np.isnan(v)}
    return values, reasons


def _nanmean(values: np.ndarray) -> float:
    good = values[np.isfinite(values)]
    return float(good.mean()) if good.size else np.nan
