"""Design a stimulus that the membrane of a cell, or of a population, can follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells import CellModel, Population
from cleo_like.core import ClampMode, Protocol
from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.core.units import si
from cleo_like.patch import record
from cleo_like.patch.batch import specimens
from cleo_like.planning.fidelity import Fidelity, Goal, recorded
from cleo_like.planning.inverse import Inverse, cutoff_for, padded, trimmed
from cleo_like.planning.limits import LOWEST, Limits
from cleo_like.planning.outcome import Way, finished, score, why_worse
from cleo_like.planning.probe import probe, rheobase_through
from cleo_like.planning.response import LinearResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core import Recording
    from cleo_like.core.units import Quantity
    from cleo_like.patch.names import Rig

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


def design(
    target: Protocol,
    cell: Any,
    limits: Limits | None = None,
    *,
    electrode: Rig | None = None,
    tau: Quantity | None = None,
    impedance: Quantity | None = None,
    amplitude: Quantity | None = None,
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
    if not isinstance(limits, Limits):
        msg = f"limits must be Limits(peak='20 pA', ...), got {limits!r:.60}"
        raise InputError(msg)
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
    direct = Way(
        name="direct", detail="the target itself", cutoff=None, current=goal.deviation,
        predicted=goal.predicted(responses, goal.deviation),
    )  # fmt: skip
    inverses = _inverses(responses, tau, impedance)
    ways = _ways(goal, responses, inverses, peak, limits)
    best = _chosen(ways)
    made = trimmed(wide, best.current, scaled, pad, limits.dac)
    measured = _compared(made, scaled, cells, cell, electrode, seed)
    if _is_worse(measured, direct, best):
        notes.append(why_worse(measured, direct, best, responses, tau, impedance))
        return finished(
            _quantised(scaled, limits), scaled, direct, direct, responses, peak, scale, notes,
            measured, tried=best,
        )  # fmt: skip
    return finished(made, scaled, best, direct, responses, peak, scale, notes, measured)


def _check_target(target: Quantity) -> None:
    if not isinstance(target, Protocol):
        msg = (
            "target must be a Protocol: from_image(...), a family of cleo_like.stimuli, or "
            "Protocol(waveforms=..., rate=..., family='arbitrary'); got "
            f"{type(target).__name__}"
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


def _given(value: object, name: str) -> LinearResponse:
    if isinstance(value, LinearResponse):
        return value
    if not (isinstance(value, (tuple, list)) and len(value) == 2):
        msg = f"{name} must be a pair (frequency in Hz, complex ohm), got {value!r}"
        raise InputError(msg)
    return LinearResponse.given(*value)


def _responses(
    cell: Any, cells: Any, target: Protocol, electrode: Rig | None, seed: int
) -> list[LinearResponse]:
    if cells is None:
        return [_given(cell, "impedance")]
    amplitude = float(np.abs(target.waveforms - target.holding).max())
    quick: dict[str, Any] = {"duration": 6.0, "repeats": 1} if len(cells) > _FEW else {}
    return probe(
        cell, amplitude=amplitude, holding=target.holding, electrode=electrode, seed=seed,
        rate=target.rate if _fixed_rate(electrode) else None, **quick,
    )  # fmt: skip


def _fixed_rate(electrode: Rig | None) -> bool:
    return getattr(getattr(electrode, "digitiser", None), "rate", None) is not None


def _bounds(  # noqa: PLR0917
    target: Protocol, cell: Any, cells: Any, responses: Sequence[LinearResponse],
    limits: Limits, electrode: Rig | None, amplitude: Quantity, notes: list[str],
) -> tuple[float, float]:  # fmt: skip
    """Find the peak that is allowed, and the factor by which the target is scaled (A, 1)."""
    if amplitude not in (None, "auto"):
        msg = f"amplitude must be 'auto' or left out, got {amplitude!r}"
        raise InputError(msg)
    largest = float(np.abs(target.waveforms - target.holding).max())
    bounds: list[float] = [limits.peak] if limits.peak is not None else []
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
    cell: Any,
    cells: Any,
    target: Protocol,
    limits: Limits,
    electrode: Rig | None,
    notes: list[str],
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
    wanted = float(_SIGNAL * noise / np.median([r.resistance for r in responses]))
    room = float(min([*bounds, np.inf])) / 2  # pre-emphasis about doubles a picture's peak
    if wanted > room:
        notes.append(
            f"a swing of 10 times the noise would need {wanted * 1e12:.4g} pA; the limits "
            f"leave {room * 1e12:.4g} pA"
        )
    return float(min(wanted, room) / largest)


def _inverses(
    responses: Sequence[LinearResponse], tau: Quantity, impedance: Quantity
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
) -> list[Way]:  # fmt: skip
    """Try each inverse behind a low-pass; where the peak binds, the best also with bounds."""
    top = min(limits.cutoff, goal.rate / 8)
    found: list[tuple[Way, Inverse]] = []
    for inverse in inverses:
        cutoff = cutoff_for(inverse, goal.deviation, goal.rate, peak, (LOWEST, top))
        used = cutoff if cutoff is not None else LOWEST
        current = np.clip(inverse.shape(goal.deviation, used, goal.rate), -peak, peak)
        found.append((_way(goal, responses, inverse, current, used), inverse))
    ways = [way for way, _ in found]
    for way, inverse in sorted(found, key=lambda pair: -pair[0].score)[:_REFINED]:
        wide = min(_WIDER * float(way.cutoff or LOWEST), top)
        if float(way.cutoff or LOWEST) < top * (1 - 1e-6):
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
) -> Way:  # fmt: skip
    detail = inverse.detail if cutoff is not None else f"{inverse.detail}, bounded"
    return Way(
        name=inverse.name, detail=detail, cutoff=cutoff, current=current,
        predicted=goal.predicted(responses, current),
    )  # fmt: skip


def _chosen(ways: Sequence[Way]) -> Way:
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
    from cleo_like.core.units.dimensions import SIFloat

    own = one.model.parameters
    return {k: SIFloat.of(float(v), own[k].dimension) for k, v in one.parameters.items()}


def _compared(  # noqa: PLR0917
    made: Protocol, target: Protocol, cells: Any, cell: Any, electrode: Rig | None, seed: int
) -> dict[str, list[tuple[Fidelity, int]]]:
    """Record direct and designed: fidelity and number of spikes of each cell."""
    if cells is None:
        return {}
    some = _some(cell, cells, _JUDGED)

    def judge(protocol: Protocol) -> list[tuple[Fidelity, int]]:
        return record(
            some, protocol, electrode=electrode, seed=seed, progress=False,
            consume=lambda r: (recorded(r, protocol, target), _spikes(r)),
        )  # fmt: skip

    return {"direct": judge(target), "designed": judge(made)}


def _spikes(recording: Recording) -> int:
    return 0 if recording.truth is None else int(recording.truth.spike_counts.sum())


def _is_worse(measured: dict[str, Any], direct: Way, best: Way) -> bool:
    if not measured:
        return best.score < direct.score
    more = sum(n for _, n in measured["designed"]) > sum(n for _, n in measured["direct"])
    low = {
        which: np.percentile([score(f) for f, _ in found], 5)
        for which, found in measured.items()
    }
    return bool(more or not low["designed"] >= low["direct"])
