"""Which features of a real file to trust: what its recording is like, and what a study says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core import ClampMode
from cleo_like.core.errors import InputError
from cleo_like.core.recording import check_recording
from cleo_like.groundtruth.scores.compare import trust
from cleo_like.matching import match
from cleo_like.qc.signal import window_noise

if TYPE_CHECKING:
    import pandas as pd

    from cleo_like.core import Recording, Sweep

_WINDOW = 0.01  # s: slower changes are the cell's
_EDGE = (0.4e-3, 6e-3)  # s after an edge: behind the filter, before the membrane bends
_SMALL = 0.02  # mV, added to noises before their ratio is taken
_FAR = 1.5  # times: so far from a condition of the study its errors are no longer those
_PLATEAU = (300.0, 1000.0)  # Hz: above the cell, below every filter


@attrs.frozen(kw_only=True)
class Conditions:
    """What a recording is like.

    Parameters
    ----------
    noise : float
        SD within 10 ms of rest (mV), median over windows.
    rate : float
        kHz.
    filter : float
        Frequency (kHz) at which the noise has lost half its power; NaN where it does not.
    access : float
        Potential that jumps with the current, per current (MOhm): access that the bridge
        leaves; NaN without a step.
    reasons : mapping of str to str
        Why something is not known.
    """

    noise: float
    rate: float
    filter: float
    access: float
    reasons: dict[str, str] = attrs.field(factory=dict)

    def text(self) -> str:
        """Give one line a quantity."""
        rows = [
            ("noise", self.noise, "mV rms within 10 ms"), ("rate", self.rate, "kHz"),
            ("filter", self.filter, "kHz"), ("access", self.access, "MOhm not balanced"),
        ]  # fmt: skip
        return "\n".join(
            f"{name:7} {value:.3g} {unit}"
            if np.isfinite(value)
            else f"{name:7} unknown: {self.reasons.get(name, 'not measured')}"
            for name, value, unit in rows
        )


@attrs.frozen(kw_only=True, eq=False)
class Advice:
    """Which extractor to take for each feature of a recording, and how far it is right.

    Parameters
    ----------
    conditions : Conditions
        Measured.
    nearest : str
        The condition of the study that is nearest.
    table : DataFrame
        ``feature``, ``extractor``, ``bias``, ``spread``, ``share`` (error in between-cell
        spreads), ``trust``.
    far : tuple of str
        What the recording has and that condition has not, and what to expect of it.
    """

    conditions: Conditions
    nearest: str
    table: pd.DataFrame
    far: tuple[str, ...] = ()

    def text(self) -> str:
        """Give all of it for the screen."""
        head = [self.conditions.text(), f"nearest condition of the study: {self.nearest}"]
        head += [*(f"  but {one}" for one in self.far), ""]
        shown = self.table.to_string(index=False, float_format=lambda x: f"{x:.3g}")
        return "\n".join([*head, shown])


def recording_conditions(recording: Recording) -> Conditions:
    """Measure noise, rate, filter and access of a recording.

    Parameters
    ----------
    recording : Recording
        In current clamp.

    Returns
    -------
    Conditions
        What cannot be measured is NaN, with a reason.

    Raises
    ------
    InputError
        It has no current-clamp sweep.
    """
    sweeps = [s for s in recording.sweeps if s.mode is not ClampMode.VOLTAGE and s.n_samples]
    if not sweeps:
        msg = f"{recording.cell.id} has no current-clamp sweep to measure noise in"
        raise InputError(msg)
    found = match(recording)
    rate = sweeps[0].rate
    sweeps = [s for s in sweeps if s.rate == rate]
    rest = _rest(found.baseline, rate, min(s.n_samples for s in sweeps))
    width = max(2, round(_WINDOW * rate))
    levels = [window_noise(s.response, [rest], width) for s in sweeps]
    reasons: dict[str, str] = {}
    noise = float(np.nanmedian(levels)) * 1e3 if np.isfinite(levels).any() else np.nan
    if np.isnan(noise):
        reasons["noise"] = "no rest of 10 ms"
    corner, why = _corner(sweeps, rest)
    edges = [e.start for e in (found.step, *found.constant) if e is not None]
    access, why_access = _access(sweeps, edges)
    reasons |= {k: w for k, w in (("filter", why), ("access", why_access)) if w}
    return Conditions(
        noise=noise, rate=rate * 1e-3, filter=corner, access=access, reasons=reasons
    )


def _rest(baseline: tuple[int, int] | None, rate: float, n: int) -> tuple[int, int]:
    if baseline is not None and baseline[1] - baseline[0] >= 2 * _WINDOW * rate:
        return baseline
    return 0, min(n, round(0.05 * rate))


def _corner(sweeps: list[Sweep], rest: tuple[int, int]) -> tuple[float, str]:
    """Find where the spectrum of the resting noise falls to half of its plateau (kHz)."""
    from scipy.signal import welch

    rate, length = sweeps[0].rate, rest[1] - rest[0]
    if length < 256:
        return np.nan, "the rest is too short for a spectrum"
    parts = [np.asarray(s.response[rest[0] : rest[1]], dtype=float) for s in sweeps]
    steps = [np.unique(np.abs(np.diff(p))) for p in parts]
    smallest = min((s[s > 0].min() for s in steps if (s > 0).any()), default=0.0)
    if np.median([p.std() for p in parts]) <= max(smallest, 1e-9):
        return np.nan, "the noise is not above the step of the converter"
    spectra = [welch(p, rate, nperseg=256)[1] for p in parts]
    f, power = np.fft.rfftfreq(256, 1 / rate), np.mean(spectra, axis=0)
    power = np.convolve(np.pad(power, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    flat = (f >= _PLATEAU[0]) & (f <= _PLATEAU[1])
    plateau = float(np.median(power[flat])) if flat.any() else np.nan
    below = np.flatnonzero((f > _PLATEAU[1]) & (power < plateau / 2))
    if below.size == 0:
        return np.nan, "the noise is flat up to half the sampling rate: no filter is seen"
    return float(f[below[0]]) * 1e-3, ""


def _access(sweeps: list[Sweep], edges: list[int]) -> tuple[float, str]:
    """Find the jump of the potential where a pulse begins, per current (MOhm)."""
    if not edges:
        return np.nan, "there is no step"
    found = [one for s in sweeps for edge in edges if (one := _jump(s, edge)) is not None]
    if not found:
        return np.nan, "there is no hyperpolarising step"
    current, jump = np.array(found).T
    return float(current @ jump / (current @ current)) * 1e-6, ""


def _jump(sweep: Sweep, edge: int) -> tuple[float, float] | None:
    """Give current and jump of the potential at an edge; None where that cannot be told."""
    rate = sweep.rate
    a, b = edge + max(2, round(_EDGE[0] * rate)), edge + max(6, round(_EDGE[1] * rate))
    if sweep.command is None or edge < 10 or b >= sweep.n_samples:
        return None
    current = float(sweep.command[edge + 1] - sweep.command[edge - 1])
    if not current < 0:  # a depolarising step may make a spike at once
        return None
    t = (np.arange(a, b) - edge) / rate
    course = np.polynomial.Polynomial.fit(t, sweep.response[a:b], 3)
    rest = sweep.response[max(0, edge - round(_WINDOW * rate)) : edge]
    return current, float(course(0.0)) - float(np.mean(rest))


def advise(source: str | Path | Recording, *, study: str | Path | None = None) -> Advice:
    """Say which features of a recording can be trusted, and whom to ask for them.

    Parameters
    ----------
    source : str, Path or Recording
        A file (ABF, NWB ...) or what was read from it.
    study : str or Path, optional
        Folder of a study; None takes the quick study that comes with the package.

    Returns
    -------
    Advice
        For the condition of the study that is nearest to the recording.

    Raises
    ------
    InputError
        No current clamp, or a study without conditions of noise, rate and filter.
    """
    recording = _read(source)
    check_recording(recording)
    measured = recording_conditions(recording)
    scores = reference_scores(study)
    nearest = _nearest(measured, sorted(set(scores["condition"])))
    part = scores[scores["condition"] == nearest].copy()
    part["total"] = np.hypot(part["bias"], part["spread"])
    usable = part[(part["missing"] <= 0.05) & np.isfinite(part["total"])]
    best = usable.sort_values("total", kind="stable").groupby("feature", sort=False).head(1)
    best = best.sort_values("feature").copy()
    best["share"] = best["total"] / best["between_cells"]
    if np.isfinite(measured.access) and abs(measured.access) > 1:
        rows = best["feature"].isin(["input_resistance", "steady_state_input_resistance"])
        best.loc[rows, "bias"] += measured.access
        best.loc[rows, "share"] += abs(measured.access) / best.loc[rows, "between_cells"]
    best["trust"] = [trust(x) for x in best["share"]]
    names = ["feature", "extractor", "bias", "spread", "share", "trust"]
    return Advice(
        conditions=measured, nearest=nearest, table=best[names].reset_index(drop=True),
        far=_far(measured, nearest),
    )  # fmt: skip


REFERENCE_COLUMNS = (
    "condition", "extractor", "feature", "bias", "spread", "missing", "between_cells",
)  # fmt: skip
"""What `advise` needs of a study."""


def reference_rows(scores: pd.DataFrame) -> pd.DataFrame:
    """Take from a study's scores what `advise` needs: chain and extractor together.

    Parameters
    ----------
    scores : DataFrame
        Of `tables.feature_scores`.
    """
    rows = scores[
        (scores["definition"].fillna("") == "") & (scores["reference"] == "400 kHz")
        & (scores["extractor"] != "truth")
        & scores["condition"].str.contains("rate .*filter .*noise ")
    ]  # fmt: skip
    return rows[list(REFERENCE_COLUMNS)].reset_index(drop=True)


def reference_scores(study: str | Path | None) -> pd.DataFrame:
    """Read the scores of a study, or those that come with the package."""
    import pandas as pd

    if study is None:
        return pd.read_csv(Path(__file__).with_name("quick_scores.csv"))
    path = Path(study) / "scores.csv"
    if not path.is_file():
        msg = (
            f"{study} holds no scores.csv; cleo-like groundtruth run --folder {study} makes it"
        )
        raise InputError(msg)
    table = pd.read_csv(path, keep_default_na=True)
    if "feature" not in table:
        msg = f"{study} is a study of spike inference; advise needs one of patch clamp"
        raise InputError(msg)
    rows = reference_rows(table)
    if rows.empty:
        msg = f"{study} has no block whose conditions are rate, filter and noise"
        raise InputError(msg)
    return rows


def _read(source: str | Path | Recording) -> Recording:
    if isinstance(source, (str, Path)):
        from cleo_like.io import read

        return read(source)
    return source


def _levels(condition: str) -> dict[str, float]:
    """Read noise, rate and filter from the name of a condition."""
    parts = (part.rsplit(" ", 1) for part in condition.split(", "))
    return {name: float(value) for name, value in parts}


def _far(measured: Conditions, condition: str) -> tuple[str, ...]:
    """Say by what the recording is worse than the condition that stands for it."""
    there = _levels(condition)
    shapes = "slopes, peaks and widths of spikes are further off than the table says"
    found = []
    if measured.filter * _FAR <= there["filter"]:
        found.append(
            f"the filter is {measured.filter:.3g} kHz, not {there['filter']:g}: {shapes}"
        )
    if measured.rate * _FAR <= there["rate"]:
        found.append(f"the rate is {measured.rate:.3g} kHz, not {there['rate']:g}: {shapes}")
    if measured.noise >= _FAR * max(there["noise"], _SMALL):
        found.append(
            f"the noise is {measured.noise:.3g} mV, not {there['noise']:g}: all spreads are "
            "larger"
        )
    return tuple(found)


def _nearest(measured: Conditions, names: list[str]) -> str:
    """Find the condition with the nearest noise, rate and filter (by their ratios)."""

    def distance(name: str) -> float:
        there = _levels(name)
        out = abs(np.log2(measured.rate / there["rate"]))
        if np.isfinite(measured.noise):
            ratio = (measured.noise + _SMALL) / (there["noise"] + _SMALL)
            out += 2 * abs(np.log10(ratio))
        if np.isfinite(measured.filter):
            out += 0.5 * abs(np.log2(measured.filter / there["filter"]))
        return float(out)

    return min(names, key=distance)
