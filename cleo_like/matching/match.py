"""`match`: a verdict for every sweep of a recording."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core import ClampMode, Epoch, InputError, si
from cleo_like.core.arrays import si_samples
from cleo_like.core.recording import check_recording
from cleo_like.core.sweep import SLOWEST_RATE
from cleo_like.matching.command.classify import Sketch, is_noisier, sketch, wanders
from cleo_like.matching.command.levels import level_of
from cleo_like.matching.command.shapes import shape_of
from cleo_like.matching.described import compare
from cleo_like.matching.epochs import baseline_before, filled
from cleo_like.matching.families import Decision, decide
from cleo_like.matching.ladder import Ladder, find_ladders
from cleo_like.matching.verdict import (
    ARBITRARY,
    LONG_SQUARE,
    NONE,
    PICTURE,
    Match,
    SweepVerdict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from cleo_like.core import Recording, Sweep

_RESOLUTION = 1e-14
"""No current-clamp converter resolves 0.01 pA: smaller differences are none (A)."""
_CONSTANT = ("test_pulse", "pre_pulse", "post_pulse")
_LARGEST = 1e-6
"""A current clamp gives no more than this (A): a larger command has another unit."""


def match(recording: Recording) -> Match:
    """Find which sweeps of a recording are which protocol.

    Parameters
    ----------
    recording : Recording
        Sweeps may differ in length and rate. Voltage-clamp sweeps and sweeps without a
        command are set aside. Where `recording.protocol` names its family, that counts,
        and the family found in the commands is compared with it.

    Returns
    -------
    Match
        A verdict with a reason for every sweep, the window of the family, its baseline.

    Examples
    --------
    >>> import numpy as np
    >>> from cleo_like import Cell, Provenance, Recording, Sweep
    >>> sweeps = [
    ...     Sweep(
    ...         response=np.full(20000, -0.07),
    ...         command=np.repeat([0.0, a, 0.0], [2000, 10000, 8000]) * 1e-12,
    ...         rate=2e4,
    ...         number=k,
    ...     )
    ...     for k, a in enumerate([-50.0, 0.0, 50.0])
    ... ]
    >>> cell = Cell(id="c1")
    >>> found = match(Recording(sweeps=sweeps, cell=cell, provenance=Provenance(source="x")))
    >>> found.family, found.window, found.long_square_sweeps
    ('long_square', Window 0.1..0.6 s, (0, 1, 2))
    >>> found.sweeps[1].reason
    'no step of its own: 0 pA in the ladder of sweeps 0 and 2'
    """
    check_recording(recording)
    verdicts: dict[int, SweepVerdict] = {}
    looks: dict[int, Sketch] = {}
    for k, sweep in enumerate(recording.sweeps):
        aside = _set_aside(sweep)
        if sweep.command is None or aside is not None:
            reason = aside if aside is not None else "the file has no command for this sweep"
            verdicts[k] = SweepVerdict(index=k, number=sweep.number, family=NONE, reason=reason)
            continue
        looks[k] = sketch(sweep.command, sweep.rate, resolution=_RESOLUTION)
    numbers = [s.number for s in recording.sweeps]
    found = _matched(looks, verdicts, numbers, resolution=_RESOLUTION)
    return found if recording.protocol is None else compare(found, recording)


_current = si_samples("A", name="command")


def match_arrays(command: Float[np.ndarray, "n_sweeps n_samples"], rate: object) -> Match:
    """Find the family of plain arrays in any unit; amplitudes are in that unit.

    Parameters
    ----------
    command : array, shape (n_sweeps, n_samples) or (n_samples,)
        Commanded current.
    rate : quantity
        Samples per second.

    Returns
    -------
    Match
        Family and epochs; amplitudes of its sweeps are in the unit of `command`.

    Examples
    --------
    >>> found = match_arrays(np.repeat([[0.0, 50.0, 0.0]], 10000, axis=1), "20 kHz")
    >>> found.family, found.sweeps[0].amplitude
    ('long_square', 50.0)
    """
    rows = np.atleast_2d(np.asarray(_current(command), dtype=float))
    if rows.ndim != 2:
        msg = f"command must have the shape (n_sweeps, n_samples), got {rows.shape}"
        raise InputError(msg)
    per_second = si(rate, "Hz", "rate")
    looks = {k: sketch(row, per_second) for k, row in enumerate(rows)}
    return _matched(looks, {}, list(range(len(rows))))


def _set_aside(sweep: Sweep) -> str | None:
    """Why a sweep is not looked at."""
    if sweep.mode is ClampMode.VOLTAGE:
        return "voltage clamp: its command is a potential; set aside"
    if sweep.mode is ClampMode.UNKNOWN:
        return "the clamp mode is unknown; set aside"
    if sweep.command is None:
        return None
    if sweep.n_samples == 0:
        return "the sweep is empty"
    if sweep.rate < SLOWEST_RATE:
        return f"at {sweep.rate:g} Hz no step of a patch clamp is sampled; is the rate in kHz?"
    top = max(float(sweep.command.max()), -float(sweep.command.min()))
    if not np.isfinite(top):
        top = np.nanmax(np.abs(sweep.command)) if np.isfinite(sweep.command).any() else 0.0
    if top > _LARGEST:
        return f"a command of {top:.3g} A is no current of a patch clamp; is its unit right?"
    return None


def _matched(
    looks: dict[int, Sketch], verdicts: dict[int, SweepVerdict], numbers: Sequence[int],
    *, resolution: float = 0.0,
) -> Match:  # fmt: skip
    steps: dict[float, list[int]] = {}
    for k, look in looks.items():
        if look.trouble is not None:
            verdicts[k] = _verdict(k, numbers, NONE, look.trouble)
        elif look.shape is not None:
            verdicts[k] = _shape_verdict(k, numbers, look)
        if look.trouble is None and (look.shape is None or look.is_throughout):
            steps.setdefault(round(look.plateaus.rate, 3), []).append(k)
    decided = [d for ks in steps.values() for d in _decided(ks, looks)]
    for ladder, decision in decided:
        for row, k in enumerate(ladder.members):
            if looks[k].shape is None or decision.step is not None:
                verdicts[k] = _step_verdict(row, numbers, ladder, decision, looks[k])
    for k, look in looks.items():
        if k not in verdicts:
            verdicts[k] = _constant_verdict(k, numbers, look, resolution)
    return _summary([verdicts[k] for k in range(len(numbers))], decided, looks)


def _decided(ks: list[int], looks: dict[int, Sketch]) -> list[tuple[Ladder, Decision]]:
    """Put sweeps of one rate into ladders, and find what each is."""
    # what goes on throughout (mains, a drift) may be a disturbance of a 0 pA sweep
    cuts = [looks[k].plateaus if looks[k].shape is None else looks[k].as_still for k in ks]
    return [(a, _steady(a, decide(a), looks)) for a in find_ladders(cuts, ks)]


def _verdict(
    k: int, numbers: Sequence[int], family: str, reason: str, *, noise: float = np.nan
) -> SweepVerdict:
    return SweepVerdict(index=k, number=numbers[k], family=family, reason=reason, noise=noise)


def _constant_verdict(
    k: int, numbers: Sequence[int], look: Sketch, resolution: float
) -> SweepVerdict:
    cut = look.plateaus
    reason = "the command is constant"
    span = float(np.ptp(cut.samples)) if cut.n else 0.0
    if 0 < span <= resolution:
        reason = f"the command changes by {span:.2g} A only, less than any converter resolves"
        reason += "; is its unit right?"
    elif cut.transients:
        reason += f" but for {cut.transients} disturbances of less than 10 ms"
    return SweepVerdict(
        index=k, number=numbers[k], family=NONE, reason=reason, noise=cut.noise,
        holding=level_of(cut.samples) if cut.n else np.nan,
    )  # fmt: skip


def _shape_verdict(k: int, numbers: Sequence[int], look: Sketch) -> SweepVerdict:
    shape, stretch = look.shape, look.stretch
    if shape is None or stretch is None:
        msg = "a sweep without a shape has no shape verdict"
        raise InputError(msg)
    epoch = Epoch(name=shape.family, start=stretch[0], stop=stretch[1])
    x = look.plateaus.samples
    pulses = [
        Epoch(name=_beside(a, epoch), start=a, stop=b, levels=[level_of(x[a:b])])
        for a, b in look.pulses
    ]
    inner = sorted([epoch, *pulses], key=lambda e: e.start)
    return SweepVerdict(
        index=k, number=numbers[k], family=shape.family,
        reason="; ".join([shape.reason, *look.plateaus.notes]),
        epochs=filled(inner, x.size, look.holding), step=epoch, noise=look.plateaus.noise,
        holding=look.holding,
    )  # fmt: skip


def _beside(start: int, epoch: Epoch) -> str:
    """Name of a flat pulse beside a waveform."""
    return "post_pulse" if start == epoch.stop else "test_pulse"


def _step_verdict(
    row: int, numbers: Sequence[int], ladder: Ladder, decision: Decision, look: Sketch
) -> SweepVerdict:
    k, length = ladder.members[row], int(ladder.lengths[row])
    levels, holding = ladder.levels[row], float(decision.holding[row])
    epochs = _epochs(ladder, decision, levels[np.newaxis], length)
    step, amplitude, complete = None, np.nan, True
    reason = decision.reason
    if decision.step is not None:
        start, stop = ladder.bounds()[decision.step]
        amplitude = float(levels[decision.step]) - holding
        complete = length >= stop or decision.step == len(levels) - 1
        step = next((e for e in epochs if e.start == start), None)
        if not look.plateaus.edges.size or look.shape is not None:
            others = [numbers[m] for m in ladder.members if m != k]
            reason = f"no step of its own: 0 pA in the ladder of sweeps {_listed(others)}"
        if not complete:
            reason += f"; the sweep ends at sample {length} of a step that ends at {stop}"
    extra = list(look.plateaus.notes)
    if look.plateaus.transients:
        extra.append(f"{look.plateaus.transients} short disturbances bridged")
    return SweepVerdict(
        index=k, number=numbers[k], family=decision.family,
        reason="; ".join([reason, *extra]), epochs=epochs, step=step, amplitude=amplitude,
        holding=holding, noise=float(ladder.noise[row]), complete=complete,
    )  # fmt: skip


def _steady(ladder: Ladder, decision: Decision, looks: dict[int, Sketch]) -> Decision:
    """Refuse a family of squares whose commands do not stay at their levels."""
    if decision.step is None:
        return decision
    size = np.nanmax(np.abs(ladder.levels[:, decision.step] - decision.holding))
    step = ladder.bounds()[decision.step]
    astray = [
        not looks[k].plateaus.is_flat_between(ladder.edges)
        and (
            wanders(looks[k].plateaus, ladder.edges, float(size))
            or is_noisier(looks[k].plateaus, step, float(size) / 2)
        )
        for k in ladder.members
    ]
    if np.mean(astray) <= 0.5:
        return decision
    shape = shape_of(looks[ladder.members[0]].plateaus.samples, ladder.rate)
    family = shape.family if shape is not None else ARBITRARY
    return attrs.evolve(
        decision, family=family, step=None, baseline=None,
        reason=f"the command does not stay at the levels of {decision.reason}",
    )  # fmt: skip


def _listed(numbers: Sequence[int]) -> str:
    if len(numbers) > 4:
        return f"{numbers[0]} to {numbers[-1]}"
    return " and ".join(map(str, numbers))


def _epochs(
    ladder: Ladder, decision: Decision, levels: np.ndarray, length: int
) -> tuple[Epoch, ...]:
    """Plateaus as named epochs, none beyond the sweep's length."""
    return tuple(
        Epoch(name=_name(k, decision), start=a, stop=min(b, length), levels=levels[:, k])
        for k, (a, b) in enumerate(ladder.bounds())
        if a < length
    )


def _name(k: int, decision: Decision) -> str:
    if k in decision.rests:
        return "holding"
    if k == decision.step:
        return "step"
    if decision.step is None:
        return "pulse" if not decision.train or k in decision.train else "test_pulse"
    between = range(min(k, decision.step) + 1, max(k, decision.step))
    if any(m in decision.rests for m in between):
        return "pulse" if k in decision.varying else "test_pulse"
    return "pre_pulse" if k < decision.step else "post_pulse"


def _summary(
    verdicts: list[SweepVerdict],
    decided: list[tuple[Ladder, Decision]],
    looks: dict[int, Sketch],
) -> Match:
    counts = Counter(v.family for v in verdicts if v.family != NONE)
    if not counts:
        reasons = Counter(v.reason for v in verdicts)
        text = reasons.most_common(1)[0][0] if reasons else "the recording has no sweep"
        return Match(family=NONE, reason=text, sweeps=tuple(verdicts), rate=_rate(looks))
    most = max(counts.values())
    tied = [f for f, c in counts.items() if c == most]
    family = LONG_SQUARE if LONG_SQUARE in tied else tied[0]
    same = [d for d in decided if d[1].family == family and d[1].step is not None]
    if not same:
        return _shapes_summary(verdicts, family, looks)
    ladder, decision = max(same, key=lambda d: len(d[0].members))
    return _with_window(verdicts, ladder, decision)


def _shapes_summary(
    verdicts: list[SweepVerdict], family: str, looks: dict[int, Sketch]
) -> Match:
    """Match of waveforms: all its sweeps of that family share the epoch, where they agree."""
    shapes = [v for v in verdicts if v.step is not None and looks[v.index].shape is not None]
    name, reason = family, next(v.reason for v in verdicts if v.family == family)
    mixed = len({v.family for v in shapes}) > 1
    same = [v for v in shapes if family in (v.family, ARBITRARY)]
    if (family == ARBITRARY or mixed) and _rows_differ([looks[v.index] for v in same]):
        name, reason = PICTURE, "a waveform that differs from sweep to sweep"
    own = shapes if name == PICTURE else [v for v in verdicts if v.family == family]
    first, step, rate = own[0], own[0].step, _rate(looks)
    if step is not None:
        ends = np.array([(v.step.start, v.step.stop) for v in own if v.step is not None])
        middle = np.median(ends, axis=0).round().astype(int)
        start, stop = (ends[:, 0].min(), ends[:, 1].max()) if name == PICTURE else middle
        step = Epoch(name=name, start=int(start), stop=int(stop))
    return Match(
        family=name, found=name, reason=reason, sweeps=tuple(verdicts), rate=rate, step=step,
        baseline=None if step is None else baseline_before(first.epochs, step.start, rate),
        members=tuple(v.index for v in own),
        constant=tuple(e for e in first.epochs if e.name in _CONSTANT),
    )  # fmt: skip


def _rows_differ(looks: list[Sketch]) -> bool:
    """Whether sweeps of one length differ by more than their size, as rows of a picture."""
    rows = [look.plateaus.samples - look.holding for look in looks]
    if len(rows) < 2 or len({r.size for r in rows}) > 1:
        return False
    if any(look.is_throughout for look in looks):  # a picture rests before and after
        return False
    whole = np.stack(rows)
    model = whole[int(np.argmax(np.abs(whole).sum(axis=1)))]
    size = float(np.ptp(model))
    noise = max(look.plateaus.slow for look in looks)
    scales = whole @ model / max(float(model @ model), 1e-300)
    apart = np.quantile(np.abs(whole - np.outer(scales, model)), 0.9, axis=1)
    return float(apart.max()) > 0.05 * size + 3 * min(noise, size / 10)


def _with_window(verdicts: list[SweepVerdict], ladder: Ladder, decision: Decision) -> Match:
    members = tuple(k for k in ladder.members if verdicts[k].complete)
    rows = [ladder.members.index(k) for k in members]
    epochs = _epochs(ladder, decision, ladder.levels[rows], ladder.stop)
    inside = set(members)
    others = [
        attrs.evolve(v, reason=f"{v.reason}; another window than that of the recording")
        if v.family == decision.family and v.index not in ladder.members
        else v
        for v in verdicts
    ]
    starts = [ladder.bounds()[k][0] for k in decision.varying]
    return Match(
        family=decision.family, found=decision.family, reason=decision.reason,
        sweeps=tuple(others), rate=ladder.rate,
        step=next((e for e in epochs if e.name == "step"), None),
        baseline=decision.baseline, members=tuple(sorted(inside)),
        varying=tuple(e for e in epochs if e.start in starts),
        constant=tuple(e for e in epochs if e.name in _CONSTANT),
    )  # fmt: skip


def _rate(looks: dict[int, Sketch]) -> float:
    return next((look.plateaus.rate for look in looks.values()), np.nan)
