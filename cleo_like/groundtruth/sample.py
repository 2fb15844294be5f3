"""Recordings to score with: those of the user, or a few that are made once and kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core import Recording
from cleo_like.core.errors import InputError
from cleo_like.core.sweep import ClampMode
from cleo_like.core.window import Window
from cleo_like.features.parameters import DEFAULT
from cleo_like.features.registry import matched_stack
from cleo_like.groundtruth.cases.plan import load_cases
from cleo_like.groundtruth.extractors.detector import Trace
from cleo_like.groundtruth.store import Store
from cleo_like.groundtruth.study import run_group
from cleo_like.groundtruth.truth.exact import Truth
from cleo_like.groundtruth.truth.recorded import true_times, truth_of_long_squares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cleo_like.features.stack import SweepStack
    from cleo_like.groundtruth.cases.plan import Case, Plan

FEW = "few"
_NOISE_WINDOW = 0.01  # s: slower changes are the cell's
_CLASSES = (3.0, 10.0, 30.0, 100.0, 300.0)
"""Limits of the classes of signal-to-noise ratio: three to a factor of ten."""


@attrs.frozen(kw_only=True, eq=False)
class Sample:
    """One recording with its truth.

    Parameters
    ----------
    key : str
        Unique.
    cell : str
        Its cell.
    seed : int
        Of its noise.
    condition : str
        What it is reported under.
    sweeps : list of Trace
        Its sweeps.
    truth : Truth
        Its answers.
    snr : float
        Height of the spikes over the noise; NaN without spikes.
    start : float
        Of the step (s); 0 where there is none.
    stack, clean : SweepStack, optional
        The long squares, and the same noise-free.
    """

    key: str
    cell: str
    seed: int
    condition: str
    sweeps: list[Trace]
    truth: Truth
    snr: float
    start: float = 0.0
    stack: SweepStack | None = None
    clean: SweepStack | None = None

    @property
    def length(self) -> float:
        """Of its longest sweep (s)."""
        return max(trace.voltage.size / trace.rate for trace in self.sweeps)

    def named(self, extractor: str) -> dict[str, object]:
        """Give the columns that say whose row it is."""
        return {
            "key": self.key, "cell": self.cell, "seed": self.seed, "extractor": extractor,
            "condition": self.condition, "snr": self.snr,
        }  # fmt: skip

    @property
    def snr_class(self) -> str:
        """Class of the signal-to-noise ratio, for a table.

        Examples
        --------
        >>> snr_class(25.0), snr_class(1e4), snr_class(float("nan"))
        ('10 to 30', '300 or more', 'no spikes')
        """
        return snr_class(self.snr)


def snr_class(snr: float) -> str:
    """Name the class of a signal-to-noise ratio."""
    if np.isnan(snr):
        return "no spikes"
    if snr < _CLASSES[0]:
        return f"below {_CLASSES[0]:g}"
    if snr >= _CLASSES[-1]:
        return f"{_CLASSES[-1]:g} or more"
    k = int(np.searchsorted(_CLASSES, snr, side="right"))
    return f"{_CLASSES[k - 1]:g} to {_CLASSES[k]:g}"


def samples_of(
    recordings: Recording | Iterable[Recording] | None,
    conditions: Sequence[str] | None,
    folder: str | Path | None,
    *,
    progress: bool,
    features: bool = False,
) -> list[Sample]:
    """Give what is scored.

    Parameters
    ----------
    recordings : Recording, list of Recording, or None
        None: the few default ones.
    conditions : sequence of str, optional
        A label for each.
    folder : path, optional
        Where the default ones are kept.
    progress : bool
        Show a progress bar.
    features : bool
        Whether features are scored, which needs long squares and their clean potential.
    """
    if recordings is None:
        if conditions is not None:
            msg = "conditions are labels of recordings; give recordings too"
            raise InputError(msg)
        return _default(folder, progress=progress)
    given = [recordings] if isinstance(recordings, Recording) else list(recordings)
    for one in given:
        if not isinstance(one, Recording):
            msg = f"expected recordings, got {type(one).__name__}: {one!r:.60}"
            raise InputError(msg)
    if not given:
        msg = "there is no recording to score with; leave recordings out for the default ones"
        raise InputError(msg)
    labels = list(conditions) if conditions is not None else [_condition(r) for r in given]
    if len(labels) != len(given):
        msg = f"conditions has {len(labels)} labels for {len(given)} recordings"
        raise InputError(msg)
    make = _of_long_squares if features else _of_recording
    return [
        make(k, one, str(label))
        for k, (one, label) in enumerate(zip(given, labels, strict=True))
    ]


def _condition(recording: Recording) -> str:
    rates = sorted({sweep.rate / 1e3 for sweep in recording})
    names = list(recording.by_protocol())
    return f"{', '.join(names)}, {', '.join(f'{r:g}' for r in rates)} kHz"


def _of_recording(k: int, recording: Recording, condition: str) -> Sample:
    usable = [
        row
        for row, s in enumerate(recording)
        if s.mode is ClampMode.CURRENT and s.n_samples > 2
    ]
    if not usable:
        msg = f"recording {k} ({recording.cell.id}) has no current-clamp sweep"
        raise InputError(msg)
    recording = recording[usable]
    times = true_times(recording)
    sweeps = [_trace(s.response, s.command, s.rate) for s in recording]
    window = Window(start=0.0, end=max(s.duration for s in recording))
    truth = Truth(
        window=window, is_long_square=False, times=times, shapes={}, sweeps={}, cell={}
    )
    return Sample(
        key=str(k), cell=recording.cell.id, seed=_seed(recording), condition=condition,
        sweeps=sweeps, truth=truth, snr=_snr(times["height"] * 1e3, sweeps),
        start=_start(recording),
    )  # fmt: skip


def _seed(recording: Recording) -> int:
    return recording.provenance.seed if recording.provenance.seed is not None else 0


def _start(recording: Recording) -> float:
    """Start of the stimulus (s), where the recording knows its protocol."""
    protocol = recording.protocol
    own = (
        [e for e in protocol.epochs if e.name not in {"holding", "test_pulse"}]
        if protocol
        else []
    )
    return own[0].start / protocol.rate if protocol is not None and own else 0.0


def _of_long_squares(k: int, recording: Recording, condition: str) -> Sample:
    stack, step, _ = matched_stack(recording, DEFAULT)
    place = {sweep.number: row for row, sweep in enumerate(recording)}
    own = recording[[place[number] for number in stack.numbers]]
    truth = truth_of_long_squares(own, stack, step)
    sweeps = [
        _trace(v * 1e-3, i * 1e-12, stack.rate)
        for v, i in zip(stack.voltage_mv, stack.current_pa, strict=True)
    ]
    voltage = own.truth.voltage if own.truth is not None else None
    clean = attrs.evolve(stack, voltage_mv=np.stack(voltage) * 1e3) if voltage else None
    heights = np.asarray(truth.times["height"]) * 1e3
    return Sample(
        key=str(k), cell=own.cell.id, seed=_seed(own), condition=condition, sweeps=sweeps,
        truth=truth, snr=_snr(heights, sweeps), start=step.start, stack=stack, clean=clean,
    )  # fmt: skip


def _trace(response: np.ndarray, command: np.ndarray | None, rate: float) -> Trace:
    v = np.asarray(response, dtype=float) * 1e3
    i = np.full(v.size, np.nan) if command is None else np.asarray(command, dtype=float) * 1e12
    return Trace(voltage=v, current=i, rate=rate)


def _snr(heights: np.ndarray, sweeps: Sequence[Trace]) -> float:
    """Median height of the spikes over the noise: SD within 10 ms, median over windows."""
    if not heights.size:
        return float("nan")
    levels = []
    for trace in sweeps:
        width = max(2, round(_NOISE_WINDOW * trace.rate))
        parts = trace.voltage[: trace.voltage.size // width * width].reshape(-1, width)
        if parts.size:
            # differences: a slope of the cell is no noise
            levels.append(float(np.median(np.diff(parts, axis=1).std(axis=1))) / np.sqrt(2))
    noise = float(np.median(levels)) if levels else float("nan")
    return float(np.median(heights) / noise) if noise > 0 else float("inf")


def _default(folder: str | Path | None, *, progress: bool) -> list[Sample]:
    plan = load_cases(Path(__file__).parent / "cases" / f"{FEW}.toml")
    store = Store(Path(folder) if folder is not None else _cache(plan))
    _make(store, plan, progress=progress)
    return [_of_case(store, case) for case in plan.cases]


def _cache(plan: Plan) -> Path:
    """Name a folder in the user's cache: another version makes its own recordings."""
    from platformdirs import user_cache_path

    from cleo_like.core.provenance import hash_of, versions

    text = plan.text + versions()["cleo_like"]
    return user_cache_path("cleo_like") / "scoring" / hash_of(text.encode()).split(":")[-1][:12]


def _make(store: Store, plan: Plan, *, progress: bool) -> None:
    from tqdm import tqdm

    groups: dict[str, list[Case]] = {}
    for case in plan.cases:
        if not store.has(case):
            groups.setdefault(case.cell_key, []).append(case)
    if not groups:
        return
    what = "recordings to score with"
    for group in tqdm(
        groups.values(), desc=what, unit="cell", disable=not progress, leave=False
    ):
        run_group(store, group, [])


def _of_case(store: Store, case: Case) -> Sample:
    stack, clean, truth = store.recording(case), store.clean(case), store.truth(case)
    sweeps = [
        Trace(voltage=v, current=i, rate=stack.rate)
        for v, i in zip(stack.voltage_mv, stack.current_pa, strict=True)
    ]
    t, rows = truth.times["t"], truth.times["sweep"].astype(int)
    at = np.minimum((t * clean.rate).round().astype(int), clean.n_samples - 1)
    heights = clean.voltage_mv[rows, at] - np.median(clean.voltage_mv, axis=1)[rows]
    names = ("rate", "filter", "noise")
    label = ", ".join(f"{name} {case.number(name):g}" for name in names)
    return Sample(
        key=case.key, cell=case.cell, seed=case.seed, condition=label, sweeps=sweeps,
        truth=truth, snr=_snr(heights, sweeps), start=truth.window.start, stack=stack,
        clean=clean,
    )  # fmt: skip
