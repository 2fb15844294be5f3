"""What each extractor means by a name: a value that means something else is never "wrong"."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NATIVE: Mapping[str, str] = {
    "threshold_v": "dV/dt falls to 5 % of the mean upstroke of the sweep",
    "threshold_t": "dV/dt falls to 5 % of the mean upstroke of the sweep",
    "peak_v": "highest point of the spike",
    "peak_t": "highest point of the spike",
    "upstroke": "largest dV/dt between threshold and peak",
    "downstroke": "smallest dV/dt after the peak",
    "upstroke_downstroke_ratio": "upstroke over minus downstroke",
    "width": "at half height between fast trough and peak",
    "fast_trough_v": "dV/dt back at 1 % of the downstroke",
    "latency": "start of the step to the first threshold",
    "avg_rate": "spikes over the length of the step",
    "first_isi": "between thresholds",
    "mean_isi": "between thresholds",
    "isi_cv": "population SD of all intervals over their mean",
    "adapt": "mean of (next - this) / (next + this) of all intervals",
    "v_baseline": "mean of 100 ms before the step, mean over the sweeps",
    "input_resistance": "slope of the peak deflection on the current, steps above -100 pA",
    "steady_state_input_resistance": "slope of the final deflection on the current",
    "tau": "membrane at rest, slow gates held still",
    "tau_effective": "one exponential up to the peak",
    "capacitance": "current over the first slope of the potential",
    "sag": "(peak - steady) / (peak - baseline), sweep nearest to -100 mV",
    "rheobase_i": "lowest positive step above holding that fires",
    "rheobase_estimate": "least current that fires",
    "fi_fit_slope": "line up to the largest rate",
    "max_rate": "largest rate of the family",
    "depolarization_block_i": "lowest current that blocks the cell",
}
"""The definitions that truth is computed by."""

IPFX: Mapping[str, str] = {
    "tau": "mean over the steps of one exponential up to the peak",
    "fi_fit_slope": "line through all sweeps that fire",
    "rheobase_i": "lowest positive command that fires, holding included",
}
GIGASEAL: Mapping[str, str] = {
    **IPFX,
    **dict.fromkeys(("threshold_v", "threshold_t"), "dV/dt falls to 20 % of the mean upstroke"),
    "latency": "start of the step to dV/dt at 20 % of the upstroke",
    "first_isi": "between dV/dt at 20 % of the upstroke",
    "mean_isi": "between dV/dt at 20 % of the upstroke",
}
EFEL: Mapping[str, str] = {
    **dict.fromkeys(("threshold_v", "threshold_t"), "dV/dt at 10 V/s (AP_begin)"),
    "width": "at half the amplitude from begin to peak (AP_duration_half_width)",
    "fast_trough_v": "lowest point between spikes (AHP_depth_abs)",
    "latency": "start of the step to the first peak (time_to_first_spike)",
    "first_isi": "between peaks",
    "mean_isi": "between peaks",
    "isi_cv": "sample SD without the first interval (ISI_CV)",
    "adapt": "without the first interval (adaptation_index2)",
    "v_baseline": "last tenth of the time before the step (voltage_base)",
    "input_resistance": "chord of the last tenth of the step (ohmic_input_resistance_vb_ssse)",
    "tau": "log-linear, 1 to 10 ms after the step (decay_time_constant_after_stim)",
    "fi_fit_slope": "line through all sweeps that fire",
    "rheobase_i": "lowest positive command that fires, holding included",
}
SAME = "as native"
"""What an extractor that says nothing is taken to mean."""


def meaning(own: Mapping[str, str], feature: str) -> str:
    """Give what an extractor means by a feature."""
    return own.get(feature, NATIVE.get(feature, SAME))


def differs(own: Mapping[str, str], feature: str) -> bool:
    """Whether it means something else than the truth does.

    Examples
    --------
    >>> differs(EFEL, "width"), differs(EFEL, "peak_v")
    (True, False)
    """
    return own.get(feature, SAME) not in {SAME, NATIVE.get(feature, SAME)}
