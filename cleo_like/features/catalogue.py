"""Every feature, defined once: extraction, QC ranges, labels and documentation read it here."""

from __future__ import annotations

import re

import attrs
import numpy as np

from cleo_like.core.errors import InputError, unknown_name

LEVELS = ("spike", "sweep", "cell")
"""What one value of a feature belongs to."""


@attrs.frozen(kw_only=True)
class Feature:
    """One measured quantity.

    Parameters
    ----------
    name : str
        Column name, as ipfx names it where ipfx has it.
    unit : str
        Unit of the stored values ("mV", "pA", "MOhm", "pF", "s", "Hz", "V/s", "Hz/pA",
        "1/Hz", "sample"; "1" for a pure number; "text").
    low, high : float
        Plausible range in that unit; outside it a value is suspect.
    meaning : str
        One line.
    source : str
        Paper or program that defines it.
    level : str
        One of `LEVELS`.

    Examples
    --------
    >>> Feature(name="tau", unit="s", low=1e-5, high=0.4, meaning="membrane time constant",
    ...         source="ipfx", level="cell").label
    'tau (s)'
    """

    name: str
    unit: str
    low: float
    high: float
    meaning: str
    source: str
    level: str

    def __attrs_post_init__(self) -> None:
        """Check level and range."""
        if self.level not in LEVELS:
            msg = f"level of {self.name} must be one of {', '.join(LEVELS)}, got {self.level!r}"
            raise InputError(msg)
        if not self.low <= self.high:
            msg = f"range of {self.name} must have low <= high, got {self.low}..{self.high}"
            raise InputError(msg)

    @property
    def label(self) -> str:
        """Axis label: the name with its unit."""
        name = self.name.replace("_", " ")
        return name if self.unit in ("1", "text") else f"{name} ({self.unit})"


_IPFX = "ipfx 2.1.2; Gouwens et al. 2019, doi:10.1038/s41593-019-0417-0"
_ATLAS = "atlas of intracellular recordings, built with ipfx 2.1.2"
_ALLEN = (
    "columns of the Allen Cell Types Database; Technical White Paper: Electrophysiology (2017)"
)
_OWN = "cleo_like"
_INF = np.inf


def _point(name: str, meaning: str) -> list[Feature]:
    """Make the four columns of a point of a spike."""
    common = {"source": _IPFX, "level": "spike"}
    rows = [
        ("index", "sample", 0, _INF, "sample of"),
        ("t", "s", 0, _INF, "time from the start of the sweep of"),
        ("v", "mV", -150, 100, "potential at"),
        ("i", "pA", -1e4, 1e4, "current at"),
    ]
    return [
        Feature(
            name=f"{name}_{k}", unit=u, low=low, high=high, meaning=f"{say} {meaning}", **common
        )
        for k, u, low, high, say in rows
    ]


def _slope(name: str, low: float, high: float, meaning: str) -> list[Feature]:
    value = Feature(
        name=name, unit="V/s", low=low, high=high, meaning=meaning, source=_IPFX, level="spike"
    )
    return [value, *_point(name, f"the {name}")[:3]]


def _table(level: str, source: str, rows: str) -> list[Feature]:
    """Read lines of ``name | unit | low | high | meaning``."""
    out = []
    for line in filter(str.strip, rows.splitlines()):
        name, unit, low, high, meaning = (part.strip() for part in line.split("|"))
        out.append(
            Feature(
                name=name,
                unit=unit,
                low=float(low),
                high=float(high),
                meaning=meaning,
                source=source,
                level=level,
            )
        )
    return out


_SPIKE = [
    *_point("threshold", "the threshold: dV/dt falls to 5 % of the mean upstroke, going back"),
    *_point("peak", "the highest sample of the spike"),
    *_point("trough", "the lowest sample before the next threshold"),
    *_point("fast_trough", "the end of the downstroke: dV/dt back at 1 % of its steepest fall"),
    *_point("adp", "the afterdepolarisation"),
    *_point("slow_trough", "the lowest sample after the fast trough, where it is 0.5 mV lower"),
    *_slope("upstroke", 0, 2000, "steepest rise between threshold and peak"),
    *_slope("downstroke", -2000, 0, "steepest fall between peak and trough"),
    *_table(
        "spike",
        _IPFX,
        """
        upstroke_downstroke_ratio | 1 | 0 | 30 | upstroke over minus downstroke
        width | s | 1e-5 | 1e-2 | time at half height between fast trough and peak
        clipped | 1 | 0 | 1 | whether the end of the step cut the spike off
        isi_type | text | 0 | 0 | "direct" or "detour" way to the next spike; empty when clipped
        """,
    ),
]

_SPIKE += _table(
    "spike",
    _OWN,
    """
    prominence | mV | 0 | 200 | smaller of rise and fall of the smooth course about the peak
    smooth_upstroke | V/s | 0 | 1500 | steepest rise of parabolas of 0.25 ms half width
    time_bandwidth | 1 | 0 | 100 | bandwidth times the time of the upstroke
    upstroke_bound | 1 | 0 | 1 | whether the upstroke is a lower bound only
    """,
)

_WITH_ERROR = (
    "upstroke", "downstroke", "upstroke_downstroke_ratio", "peak_v", "peak_t", "threshold_v",
    "threshold_t", "width", "fast_trough_v",
)  # fmt: skip
_SPIKE += [
    attrs.evolve(
        f, name=f"{f.name}_{kind}", low=0.0, high=_INF, source=_OWN,
        meaning=meaning.format(f.name),
    )
    for kind, meaning in (
        ("error", "standard error of {}"),
        ("shared_error", "part of the error of {} that all spikes of the cell have alike"),
    )
    for f in _SPIKE
    if f.name in _WITH_ERROR
]  # fmt: skip

_SWEEP = _table(
    "sweep",
    _IPFX,
    """
    n_spikes | 1 | 0 | 1e5 | spikes found between start and end
    avg_rate | Hz | 0 | 500 | spikes over the length of the step
    latency | s | 0 | 10 | from the start of the step to the first threshold
    first_isi | s | 0 | 10 | first interval between thresholds
    mean_isi | s | 0 | 10 | mean interval
    median_isi | s | 0 | 10 | median interval
    isi_cv | 1 | 0 | 10 | population SD of the intervals over their mean
    adapt | 1 | -1 | 1 | mean of (next - this) / (next + this) over successive intervals
    n_pauses | 1 | 0 | 1e4 | intervals that are pauses in ongoing firing
    pause_fraction | 1 | 0 | 1 | their part of the step
    n_bursts | 1 | 0 | 1e4 | bursts of direct intervals between detours
    burst_index | 1 | -1 | 1 | (rate in - rate beside) / sum of both, highest rates, best burst
    stim_amp | pA | -5000 | 5000 | current of the step
    peak_deflect_v | mV | -200 | 100 | largest deflection in the direction of the current
    peak_deflect_index | sample | 0 | inf | its sample
    """,
) + _table(
    "sweep",
    _OWN,
    """
    v_baseline_sd | mV | 0 | 5 | SD of the baseline
    v_min | mV | -200 | 100 | lowest sample of the step
    v_min_index | sample | 0 | inf | its sample
    i_at_v_min | pA | -1e4 | 1e4 | current at the lowest sample
    v_peak_avg | mV | -200 | 100 | mean of 5 ms about the lowest sample
    v_steady | mV | -200 | 100 | mean of the last 30 ms of the step
    v_sag_baseline | mV | -120 | 0 | mean of the 30 ms before the step
    tau_sweep | s | 1e-5 | 0.6 | time constant fitted to this sweep
    blocked | 1 | 0 | 1 | whether the sweep is in depolarisation block
    """,
)

_CELL = (
    _table(
        "cell",
        _IPFX,
        """
        v_baseline | mV | -120 | -20 | potential before the step, mean over the sweeps
        sag | 1 | -1 | 1 | (peak - steady) / (peak - baseline), in the sweep nearest to -100 mV
        vm_for_sag | mV | -150 | 0 | peak deflection of that sweep
        input_resistance | MOhm | 1 | 3000 | peak deflection over the step (joint fit)
        tau | s | 1e-5 | 0.4 | time constant of the membrane (joint fit), slow gates held still
        rheobase_i | pA | 0 | 5000 | lowest positive step that fires
        rheobase_sweep | 1 | 0 | 1e6 | its number
        hero_sweep | 1 | 0 | 1e6 | number of the sweep about 40 to 60 pA above rheobase
        hero_amp | pA | 0 | 5000 | its current
        hero_latency | s | 0 | 10 | its latency
        hero_adapt | 1 | -1 | 1 | its adaptation
        hero_mean_isi | s | 0 | 10 | its mean interval
        fi_fit_slope | Hz/pA | -1 | 5 | slope of rate on current up to the largest rate
        """,
    )
    + _table(
        "cell",
        _OWN,
        """
        peak_input_resistance | MOhm | 1 | 3000 | the same from the steps alone, without pulses
        steady_state_input_resistance | MOhm | 1 | 3000 | final deflection over the step
        capacitance | pF | 1 | 2000 | current over the first slope of the potential (joint fit)
        tau_effective | s | 1e-5 | 0.4 | one exponential up to the peak, slow gates included
        instantaneous_input_resistance | MOhm | 1 | 3000 | tau over capacitance, before any sag
        sag_time_constant | s | 1e-3 | 1 | time constant of the slow gate that makes the sag
        rest_input_resistance | MOhm | 1 | 3000 | at 0 pA, where the cell rectifies
        pulse_input_resistance | MOhm | 1 | 3000 | from constant pulses before the step alone
        spike_bandwidth | Hz | 0 | 1e6 | frequency up to which the spikes can be seen
        upstroke_bounds | 1 | 0 | 1 | share of the spikes whose upstroke is a lower bound only
        resting_potential | mV | -120 | -20 | baseline of sweeps without holding current
        rheobase_estimate | pA | 0 | 5000 | least current that fires, from bracket and latency
        rheobase_low | pA | 0 | 5000 | highest silent current below all that fire
        rheobase_high | pA | 0 | 5000 | lowest current from which on all sweeps fire
        fi_slope_after_max | Hz/pA | -5 | 5 | slope from the current of the largest rate on
        depolarization_block_i | pA | 0 | 5000 | lowest current that blocks the cell
        max_rate | Hz | 0 | 1000 | highest firing rate of the family
        rebound_depolarization | mV | -20 | 150 | highest spike or 2 ms after the lowest step
        rebound_latency | s | 0 | 0.2 | its time after the step
        rebound_spikes | 1 | 0 | 50 | spikes in the same time
        """,
    )
    + _table(
        "cell",
        _ATLAS,
        """
        sag_nearest_minus_100 | 1 | -1 | 1 | sag in the sweep nearest to -100 mV
        sag_measured_at | mV | -150 | 0 | peak deflection of that sweep
        fi_linear_fit_slope | Hz/pA | -1 | 5 | slope of the line through rate on current
        fi_sqrt_fit_A | Hz/pA^0.5 | 0 | 100 | A of rate = A sqrt(current above rheobase - Ic)
        fi_sqrt_fit_Ic | pA | -1000 | 1000 | Ic of the same fit
        stimulus_amplitude | pA | 0 | 5000 | current of the labelled sweep
        """,
    )
    + _table(
        "cell",
        "Hutcheon & Yarom 2000, doi:10.1016/S0166-2236(00)01547-2",
        """
        resonance_frequency | Hz | 0 | 100 | frequency of the largest impedance
        resonance_q | 1 | 0.5 | 10 | largest impedance over that at the lowest frequency
        impedance_low | MOhm | 1 | 3000 | impedance at the lowest frequency of the chirp
        impedance_max | MOhm | 1 | 3000 | largest impedance
        impedance_cutoff | Hz | 0 | 500 | where it has fallen to 1/sqrt(2) of the largest
        """,
    )
)

CATALOGUE: dict[str, Feature] = {f.name: f for f in (*_SPIKE, *_SWEEP, *_CELL)}
"""All features by name."""

_OF_FAMILY = re.compile(r"(?P<base>\w+?)_(?P<family>ramp|short_square)")
_WHICH = {
    "ramp": "first spike of a ramp, mean over the ramps that fire",
    "short_square": "first spike, mean over the sweeps of the least current that fires most",
}
_LABELLED = re.compile(
    r"(?:(?P<which>ap_1|ap_mean)_)?(?P<base>\w+?)_(?P<label>\d+)_long_square"
)


def feature(name: str) -> Feature:
    """Look up a column: a name of the catalogue, or one of the atlas row.

    ``ap_1_width_0_long_square`` is the width of the first spike, ``ap_mean_...`` the mean
    over the spikes, of the sweep at rheobase + 20 pA times the label; ``threshold_v_ramp`` and
    ``threshold_v_short_square`` belong to the first spike of these families.

    Parameters
    ----------
    name : str
        Name of the column.

    Returns
    -------
    Feature
        Its meaning, unit and source.

    Raises
    ------
    UnknownNameError
        There is no such feature; near names are suggested.

    Examples
    --------
    >>> feature("ap_1_width_0_long_square").meaning.split(", ")[-1]
    'first spike of the sweep at rheobase'
    >>> feature("width").unit
    's'
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    found = _OF_FAMILY.fullmatch(name)
    if found is not None and found["base"] in CATALOGUE:
        base = CATALOGUE[found["base"]]
        meaning = f"{base.meaning}, {_WHICH[found['family']]}"
        if base.name == "stimulus_amplitude":
            meaning = "least current that makes most of its sweeps fire"
        return attrs.evolve(base, name=name, meaning=meaning, source=_ALLEN, level="cell")
    found = _LABELLED.fullmatch(name)
    if found is None or found["base"] not in CATALOGUE:
        raise unknown_name("feature", name, CATALOGUE)
    base = CATALOGUE[found["base"]]
    above = 20 * int(found["label"])
    where = "the sweep at rheobase" + (f" + {above} pA" if above else "")
    which = {"ap_1": "first spike of ", "ap_mean": "mean over the spikes of ", None: ""}
    return attrs.evolve(
        base,
        name=name,
        meaning=f"{base.meaning}, {which[found['which']]}{where}",
        source=_ATLAS,
        level="cell",
    )
