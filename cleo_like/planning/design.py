"""Design a stimulus that the membrane of a cell, or of a population, can follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells import CellModel, Population
from cleo_like.core import ClampMode, Protocol
from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.core.units import number, si
from cleo_like.patch import record
from cleo_like.patch.job import specimens
from cleo_like.planning.fidelity import Fidelity, Goal, recorded
from cleo_like.planning.inverse import Inverse, cutoff_for
from cleo_like.planning.layout import padded, trimmed
from cleo_like.planning.probe import probe, rheobase_through
from cleo_like.planning.response import LinearResponse
from cleo_like.stimuli.design import Dac

if TYPE_CHECKING:
    from collections.abc import Sequence

_GROWTH = 4.0
"""Largest current as a multiple of the target's, where no limit is given: about what a
100 Hz filter asks of a membrane of 20 ms (image_stimulus: 37 to 53 pA for 10 pA)."""
_SIMPLER = 1e-3
"""Loss of score for which the RC inverse is taken: it copies no noise of a measurement."""
_SIGNAL = 10.0
"""Swing (half) over recording noise that ``amplitude="auto"`` aims at: SSIM .96 at +-2 mV and
0.3 mV of noise, and more brings no more."""
_JUDGED = 12
"""Cells of a population that are recorded to compare designed and direct."""
_FEW = 8
"""Cells above which a shorter chirp measures each: 200 cells take a minute."""
_QUANTILES = (0.4, 0.5, 0.6, 0.7, 0.8)
"""Of the time constants of a population: one stimulus does best at about the 70th."""


def _optional_ampere(value: Any) -> float | None:
    if value is None:
        return None
    found = si(value, "A", "peak")
    if not found > 0:
        msg = f"peak must be above 0 pA, got {found * 1e12:g} pA"
        raise InputError(msg)
    return found


def _share(value: Any) -> float:
    found = number(value, "rheobase")
    if not 0 < found <= 1:
        msg = f"rheobase must be a share above 0 and up to 1, got {found:g}"
        raise InputError(msg)
    return found


def _cutoff(value: Any) -> float:
    found = si(value, "Hz", "cutoff")
    if found < _LOWEST:
        msg = f"cutoff must be {_LOWEST:g} Hz or more, got {found:g} Hz"
        raise InputError(msg)
    return found


_LOWEST = 2.0
"""Lowest cut-off (Hz) that is tried: its filter reaches 0.5 s to either side."""


@attrs.frozen(kw_only=True)
class Limits:
    """What a designed stimulus must not exceed.

    Parameters
    ----------
    peak : quantity, optional
        Largest current around holding, either sign. None: 4 times that of the target, within
        `rheobase` and the converter.
    rheobase : float
        Share of the rheobase (of a 1 s step) that the peak may reach (default 0.8); used
        where `peak` is not given.
    cutoff : quantity
        Highest frequency (-3 dB) of the low-pass (default 200 Hz).
    dac : Dac, optional
        Converter that will play it; the command is rounded to its codes.

    Examples
    --------
    >>> Limits(peak="22 pA").peak
    2.2e-11
    """

    peak: float | None = attrs.field(default=None, converter=_optional_ampere)
    rheobase: float = attrs.field(default=0.8, converter=_share)
    cutoff: float = attrs.field(default="200 Hz", converter=_cutoff)
    dac: Dac | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(Dac))
    )


@attrs.frozen(kw_only=True, eq=False)
class _Way:
    """One candidate: its current on the padded grid, and how it is predicted to do."""

    name: str
    detail: str
    cutoff: float | None
    current: np.ndarray
    predicted: list[Fidelity]

    @property
    def score(self) -> float:
        """Mean of r and SSIM; of several cells, its 5th percentile."""
        values = [_score(f) for f in self.predicted]
        return float(np.percentile(values, 5)) if len(values) > 1 else values[0]

    @property
    def peak(self) -> float:
        return float(np.abs(self.current).max())


def _score(found: Fidelity) -> float:
    return float(np.nanmean([found.correlation, found.ssim]))


def design(
    target: Protocol,
    cell: Any,
    limits: Limits | None = None,
    *,
    electrode: Any = None,
    tau: Any = None,
    impedance: Any = None,
    amplitude: Any = None,
    seed: int = 0,
) -> Protocol:
    """Make the current that lets the membrane follow a target, and never a worse one.

    The impedance is measured through the rig, with a chirp and steps. Two inverses are tried,
    that of an RC membrane and that of the impedance, each with the highest low-pass at which
    the peak of *this* waveform keeps the limit, and as the current within the limit whose
    response is closest. The best of them is recorded beside the direct stimulus; if it is not
    better, the direct one is returned, and says why.

    Parameters
    ----------
    target : Protocol
        What the potential shall look like, as the current that would make it in the steady
        state: a picture (`from_image` without tau), or any other waveform.
    cell : str, CellModel, Population, sequence of these, or pair (Hz, ohm)
        One cell, or several that get one and the same stimulus, or a measured impedance
        (frequency, complex ohm) alone.
    limits : Limits, optional
        Peak, share of rheobase, cut-off, converter.
    electrode : IdealElectrode or PatchPipette, optional
        The rig through which is measured and recorded.
    tau : quantity, optional
        Use the RC inverse of this time constant instead of the measured one.
    impedance : pair (Hz, ohm), optional
        Use the inverse of this impedance instead of the measured one.
    amplitude : "auto", optional
        Scale the target so that its swing is 10 times the recording noise, or less where
        the limits want it.
    seed : int
        Of the noise.

    Returns
    -------
    Protocol
        The stimulus; ``parameters["design"]`` has what was measured, chosen and reached
        (`design_text` puts it in words). Its rests are longer where the inverse needs it.

    Raises
    ------
    InputError
        A target without change, a cell that does not rest, a target beyond the limits.
    UnsupportedError
        A target in voltage clamp.

    Examples
    --------
    >>> from cleo_like.planning import LinearResponse
    >>> from cleo_like.stimuli import from_image
    >>> stripes = from_image(np.array([[0, 1.0, 0, 1], [1, 1, 0, 0]]), "400 ms", "5 kHz")
    >>> membrane = LinearResponse.rc(200e6, 20e-3)
    >>> made = design(stripes, (membrane.frequency, membrane.impedance), Limits(peak="30 pA"))
    >>> made.parameters["design"]["method"], made.parameters["design"]["peak"] <= 30e-12
    ('RC', True)
    """
    limits = limits if limits is not None else Limits()
    _check_target(target)
    if tau is not None and impedance is not None:
        msg = "give tau or impedance, not both"
        raise InputError(msg)
    cells = None if _is_impedance(cell) else specimens(cell)
    responses = _responses(cell, cells, target, electrode, seed)
    notes: list[str] = []
    peak, scale = _bounds(target, cell, cells, responses, limits, electrode, amplitude, notes)
    scaled = attrs.evolve(
        target, waveforms=target.holding + scale * (target.waveforms - target.holding)
    )
    wide, pad = padded(scaled)
    goal = Goal.of(wide)
    direct = _Way(
        name="direct", detail="the target itself", cutoff=None, current=goal.deviation,
        predicted=goal.predicted(responses, goal.deviation),
    )  # fmt: skip
    inverses = _inverses(responses, tau, impedance)
    ways = _ways(goal, responses, inverses, peak, limits)
    best = _chosen(ways)
    made = trimmed(wide, best.current, scaled, pad, limits.dac)
    measured = _compared(made, scaled, cells, cell, electrode, seed)
    if _is_worse(measured, direct, best):
        notes.append(_why_worse(measured, direct, best, responses, tau, impedance))
        return _finished(
            _quantised(scaled, limits), scaled, direct, direct, responses, peak, scale, notes,
            measured, tried=best,
        )  # fmt: skip
    return _finished(
        made, scaled, best, direct, responses, peak, scale, notes, measured
    )


def design_text(protocol: Protocol) -> str:
    """Put what `design` measured, chose and reached into words.

    Raises
    ------
    InputError
        The protocol was not made by `design`.
    """
    made = protocol.parameters.get("design")
    if made is None:
        msg = f"{protocol.name!r} was not made by design()"
        raise InputError(msg)
    lines = [
        f"{protocol!r}",
        f"method        {made['method']} ({made['detail']})"
        + ("" if made["cutoff"] is None else f", low-pass {made['cutoff']:.4g} Hz"),
        f"peak          {made['peak'] * 1e12:.4g} pA of {made['limit'] * 1e12:.4g} pA allowed",
        f"cell          {made['resistance'] / 1e6:.4g} MOhm, tau {made['tau'] * 1e3:.3g} ms "
        f"(RC fit, error {made['rc_error']:.1%}); {made['cells']} measured",
    ]
    for key in ("predicted", "recorded"):
        for which in ("direct", "designed"):
            found = made[key].get(which)
            if found is not None:
                lines.append(f"{key:13s} {which:9s} {_in_words(found)}")
    return "\n".join([*lines, *(f"note: {note}" for note in made["notes"])])


def _in_words(found: dict[str, Any]) -> str:
    names = {"correlation": "r", "ssim": "SSIM"}
    parts = [
        f"{names[k]} " + " / ".join("?" if v is None else f"{v:.4f}" for v in found[k])
        for k in names
        if any(v is not None for v in found[k])
    ]
    return ", ".join(parts) + (" (5 / 50 / 95 %)" if found["n"] > 1 else "")


def _check_target(target: Any) -> None:
    if not isinstance(target, Protocol):
        msg = (
            "target must be a Protocol: from_image(...), a family of cleo_like.stimuli, or "
            f"Protocol(waveforms=..., rate=..., family='arbitrary'); got {type(target).__name__}"
        )
        raise InputError(msg)
    if target.mode is not ClampMode.CURRENT:
        msg = f"design() makes currents, and the target is for {target.mode}"
        raise UnsupportedError(msg)
    if not (target.waveforms != target.holding).any():
        msg = f"the target {target.name!r} stays at holding: there is nothing to follow"
        raise InputError(msg)
    if "design" in target.parameters:
        msg = f"{target.name!r} is designed already; give the direct stimulus as target"
        raise InputError(msg)


def _is_impedance(cell: Any) -> bool:
    if isinstance(cell, LinearResponse):
        return True
    if not (isinstance(cell, tuple) and len(cell) == 2):
        return False
    return not any(isinstance(part, (str, CellModel, Population)) for part in cell)


def _given(value: Any, name: str) -> LinearResponse:
    if isinstance(value, LinearResponse):
        return value
    if not (isinstance(value, (tuple, list)) and len(value) == 2):
        msg = f"{name} must be a pair (frequency in Hz, complex ohm), got {value!r}"
        raise InputError(msg)
    return LinearResponse.given(*value)


def _responses(
    cell: Any, cells: Any, target: Protocol, electrode: Any, seed: int
) -> list[LinearResponse]:
    if cells is None:
        return [_given(cell, "impedance")]
    amplitude = float(np.abs(target.waveforms - target.holding).max())
    quick: dict[str, Any] = {"duration": 6.0, "repeats": 1} if len(cells) > _FEW else {}
    return probe(
        cell, amplitude=amplitude, holding=target.holding, electrode=electrode, seed=seed,
        rate=target.rate if _fixed_rate(electrode) else None, **quick,
    )  # fmt: skip


def _fixed_rate(electrode: Any) -> bool:
    return getattr(getattr(electrode, "digitiser", None), "rate", None) is not None


def _bounds(  # noqa: PLR0913, PLR0917
    target: Protocol, cell: Any, cells: Any, responses: Sequence[LinearResponse],
    limits: Limits, electrode: Any, amplitude: Any, notes: list[str],
) -> tuple[float, float]:  # fmt: skip
    """Find the peak that is allowed, and the factor by which the target is scaled (A, 1)."""
    if amplitude not in (None, "auto"):
        msg = f"amplitude must be 'auto' or left out, got {amplitude!r}"
        raise InputError(msg)
    largest = float(np.abs(target.waveforms - target.holding).max())
    bounds = [limits.peak] if limits.peak is not None else []
    if limits.dac is not None:
        bounds.append(float(limits.dac.full_scale - limits.dac.lsb) - abs(target.holding))
    if limits.peak is None and cells is not None:
        share = _rheobase_share(cell, cells, target, limits, electrode, notes)
        bounds += [] if share is None else [share]
    scale = 1.0
    if amplitude == "auto":
        scale = _auto(largest, responses, bounds, notes)
    largest *= scale
    if limits.peak is None:
        bounds.append(_GROWTH * largest)
    peak = min(bounds)
    if largest > peak * (1 + 1e-9):
        msg = (
            f"the target reaches {largest * 1e12:.4g} pA around holding, above the limit of "
            f"{peak * 1e12:.4g} pA; lower its amplitude, write amplitude='auto', or raise "
            "Limits(peak=...)"
        )
        raise InputError(msg)
    return peak, scale


def _rheobase_share(  # noqa: PLR0917
    cell: Any, cells: Any, target: Protocol, limits: Limits, electrode: Any, notes: list[str]
) -> float | None:
    """Give the share of the lowest rheobase of a few cells (A); None where none fires."""
    rate = target.rate if _fixed_rate(electrode) else None
    found = [
        rheobase_through(
            one, electrode=electrode, holding=target.holding, rate=rate
        )
        for one in _some(cell, cells, 4)
    ]  # fmt: skip
    known = [value for value in found if np.isfinite(value)]
    if not known:
        return None
    notes.append(f"rheobase {min(known) * 1e12:.4g} pA (1 s step, through the rig)")
    return limits.rheobase * min(known)


def _auto(
    largest: float, responses: Sequence[LinearResponse], bounds: list[float], notes: list[str]
) -> float:
    noise = np.nanmedian([r.noise for r in responses]) if responses else np.nan
    if not noise > 0:
        msg = (
            "amplitude='auto' needs a cell and a rig with noise (electrode=...): the swing is "
            "chosen from it"
        )
        raise InputError(msg)
    wanted = _SIGNAL * noise / np.median([r.resistance for r in responses])
    room = min(bounds, default=np.inf) / 2  # pre-emphasis about doubles a picture's peak
    if wanted > room:
        notes.append(
            f"a swing of 10 times the noise would need {wanted * 1e12:.4g} pA; the limits "
            f"leave {room * 1e12:.4g} pA"
        )
    return float(min(wanted, room) / largest)


def _inverses(
    responses: Sequence[LinearResponse], tau: Any, impedance: Any
) -> list[Inverse]:
    if tau is not None:
        second = si(tau, "s", "tau")
        if not second > 0:
            msg = f"tau must be above 0 ms, got {second * 1e3:g} ms"
            raise InputError(msg)
        return [Inverse.rc(second)]
    if impedance is not None:
        return [Inverse.impedance([_given(impedance, "impedance")])]
    taus = [r.fit_rc()[1] for r in responses]
    several = len(taus) > 1
    found = [float(np.quantile(taus, q)) for q in _QUANTILES] if several else taus
    return [*map(Inverse.rc, found), Inverse.impedance(responses)]


def _ways(
    goal: Goal, responses: Sequence[LinearResponse], inverses: Sequence[Inverse], peak: float,
    limits: Limits,
) -> list[_Way]:  # fmt: skip
    """Try each inverse behind a low-pass; where the peak binds, the best also with bounds."""
    top = min(limits.cutoff, goal.rate / 8)
    found: list[tuple[_Way, Inverse]] = []
    for inverse in inverses:
        cutoff = cutoff_for(inverse, goal.deviation, goal.rate, peak, (_LOWEST, top))
        used = cutoff if cutoff is not None else _LOWEST
        current = np.clip(inverse.shape(goal.deviation, used, goal.rate), -peak, peak)
        found.append((_way(goal, responses, inverse, current, used), inverse))
    ways = [way for way, _ in found]
    for way, inverse in sorted(found, key=lambda pair: -pair[0].score)[:_REFINED]:
        wide = min(_WIDER * float(way.cutoff or _LOWEST), top)
        if float(way.cutoff or _LOWEST) < top * (1 - 1e-6):
            current = inverse.bounded(goal.deviation, wide, goal.rate, peak)
            ways.append(_way(goal, responses, inverse, current, None))
    return ways


_REFINED = 2
"""Inverses, the best first, that are refined within bounds."""
_WIDER = 3.0
"""Cut-off of the first guess over that at which the peak is kept without clipping."""


def _way(
    goal: Goal, responses: Sequence[LinearResponse], inverse: Inverse, current: np.ndarray,
    cutoff: float | None,
) -> _Way:  # fmt: skip
    detail = inverse.detail if cutoff is not None else f"{inverse.detail}, bounded"
    return _Way(
        name=inverse.name, detail=detail, cutoff=cutoff, current=current,
        predicted=goal.predicted(responses, current),
    )  # fmt: skip


def _chosen(ways: Sequence[_Way]) -> _Way:
    """Take the best; the RC inverse where it is as good."""
    best = max(ways, key=lambda way: way.score)
    simple = [way for way in ways if way.name == "RC" and way.score > best.score - _SIMPLER]
    return max(simple, key=lambda way: way.score) if simple else best


def _quantised(protocol: Protocol, limits: Limits) -> Protocol:
    if limits.dac is None:
        return protocol
    return attrs.evolve(protocol, waveforms=limits.dac.quantise(protocol.waveforms))


def _some(cell: Any, cells: Any, count: int) -> list[Any]:
    """Give at most `count` of the cells, spread over them, as models."""
    step = max(1, -(-len(cells) // count))
    del cell
    return [
        attrs.evolve(one.model, name=one.id).with_parameters(**_quantities(one))
        if dict(one.parameters) != dict(one.model.parameters)
        else one.model
        for one in cells[::step]
    ]


def _quantities(one: Any) -> dict[str, Any]:
    from cleo_like.core.dimensions import SIFloat

    own = one.model.parameters
    return {k: SIFloat.of(float(v), own[k].dimension) for k, v in one.parameters.items()}


def _compared(  # noqa: PLR0917
    made: Protocol, target: Protocol, cells: Any, cell: Any, electrode: Any, seed: int
) -> dict[str, list[tuple[Fidelity, int]]]:
    """Record direct and designed: fidelity and number of spikes of each cell."""
    if cells is None:
        return {}
    some = _some(cell, cells, _JUDGED)

    def judge(protocol: Protocol) -> list[tuple[Fidelity, int]]:
        return record(
            some, protocol, electrode=electrode, seed=seed, progress=False,
            consume=lambda r: (recorded(r, protocol, target), int(r.truth.spike_counts.sum())),
        )  # fmt: skip

    return {"direct": judge(target), "designed": judge(made)}


def _is_worse(measured: dict[str, Any], direct: _Way, best: _Way) -> bool:
    if not measured:
        return best.score < direct.score
    more = sum(n for _, n in measured["designed"]) > sum(n for _, n in measured["direct"])
    low = {
        which: np.percentile([_score(f) for f, _ in found], 5)
        for which, found in measured.items()
    }
    return bool(more or not low["designed"] >= low["direct"])


def _why_worse(  # noqa: PLR0917
    measured: dict[str, Any], direct: _Way, best: _Way, responses: Sequence[LinearResponse],
    tau: Any, impedance: Any,
) -> str:  # fmt: skip
    """Say that the direct stimulus is better, and why."""
    if measured:
        spikes = sum(n for _, n in measured["designed"])
        pair = [measured[k][0][0] for k in ("designed", "direct")]
        text = f"the design gives {pair[0]!r}, the direct stimulus {pair[1]!r}"
        if spikes > sum(n for _, n in measured["direct"]):
            return f"{text}: the design makes {spikes} spikes; lower the amplitude or the peak"
    else:
        text = f"predicted: the design {best.predicted[0]!r}, direct {direct.predicted[0]!r}"
    measured_tau = float(np.median([r.fit_rc()[1] for r in responses]))
    if tau is not None:
        given = si(tau, "s", "tau")
        return (
            f"the direct stimulus is better, and is returned: {text}; tau={given * 1e3:.3g} ms "
            f"was given, {measured_tau * 1e3:.3g} ms is measured; leave tau out"
        )
    if impedance is not None:
        return (
            f"the direct stimulus is better, and is returned: {text}; the impedance that was "
            "given is not this cell's; leave it out"
        )
    return f"the direct stimulus is better, and is returned: {text}"


def _summary(found: Sequence[Fidelity]) -> dict[str, Any]:
    """5th, 50th and 95th percentile over the cells (one value of one cell)."""

    def spread(values: list[float]) -> list[float | None]:
        if not np.isfinite(values).any():
            return [None]
        points = [50.0] if len(values) == 1 else [5.0, 50.0, 95.0]
        return [float(v) for v in np.nanpercentile(values, points)]

    return {
        "correlation": spread([f.correlation for f in found]),
        "ssim": spread([f.ssim for f in found]),
        "n": len(found),
    }


def _finished(  # noqa: PLR0913, PLR0917
    made: Protocol, target: Protocol, way: _Way, direct: _Way,
    responses: Sequence[LinearResponse], limit: float, scale: float, notes: list[str],
    measured: dict[str, Any], tried: _Way | None = None,
) -> Protocol:  # fmt: skip
    shown = tried if tried is not None else way
    fits = np.array([r.fit_rc() for r in responses])
    report = {
        "method": way.name, "detail": way.detail, "cutoff": way.cutoff,
        "peak": float(np.abs(made.waveforms - made.holding).max()),
        "limit": limit, "scale": scale, "resistance": float(np.median(fits[:, 0])),
        "tau": float(np.median(fits[:, 1])), "rc_error": float(np.median(fits[:, 2])),
        "cells": len(responses), "source": responses[0].source,
        "tried": None if tried is None else f"{tried.name} ({tried.detail})",
        "predicted": {"direct": _summary(direct.predicted), "designed": _summary(shown.predicted)},
        "recorded": {k: _summary([f for f, _ in v]) for k, v in measured.items()},
        "shift": int(made.parameters.get("design_shift", 0)),
        "notes": list(notes),
    }  # fmt: skip
    own = {k: v for k, v in made.parameters.items() if k not in ("design_shift", "summary")}
    name = target.name if way is direct else f"{target.name}-designed"
    return attrs.evolve(made, parameters=own | {"design": report}, name=name)
