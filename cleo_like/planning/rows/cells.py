"""Rows that need the cells: the protocol is played to them through the rig."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.units.table import show
from cleo_like.planning.fidelity import Fidelity, Goal, recorded
from cleo_like.planning.report import Row, graded, not_judged
from cleo_like.qc import quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core import Protocol, Recording
    from cleo_like.planning.rig_facts import RigFacts

_QUIET = ("picture", "chirp", "sine")
"""Families whose answer spikes would distort."""
_SPIKING_ROWS = 0.05
"""Part of the rows that may spike: 26 of 48 rows take r from .88 to .75."""
_PLATEAU = -0.04
"""Potential (V) above which sodium channels stay inactivated: a membrane that stays there for
0.1 s, ten times a slow spike, is in depolarisation block."""
_STUCK = 0.02, 0.1
"""Time (s) above it: amber, red."""
_LOW = -0.100, -0.110
"""Lowest potential (V): the range of baselines that quality control accepts (-100 to 0 mV)."""
_R = 0.95, 0.85
"""Correlation of a relief at lag 0: designed rows reach .99, direct ones .87 at 1 s."""
_SNR = 1.5, 0.5
"""Swing (SD) over noise: SSIM .90 at 1.6, .58 at 0.3 (image_stimulus 2.2)."""
_CARRIED = 1e-4, 3e-4
"""Rms (V) in the first 100 ms that the sweeps before leave: 0.04 mV after a gap of 250 ms, .33
after 50 ms, 1.5 without."""
_FIRST = 0.1
_ACCESS = 20e6, 30e6
_RATIO = 0.15, 0.25
"""Series resistance (ohm), and as a part of the input resistance: quality control's limits."""
_BRIDGE = 1e-3, 5e-3
"""Error (V) of a bridge that is off: 10 mV moves every potential of a spike by 10 mV."""


@attrs.frozen(kw_only=True, eq=False)
class Played:
    """What one cell did.

    Attributes
    ----------
    name : str
        Of the cell.
    spikes : array, shape (n_sweeps,)
        True spikes.
    low : float
        Lowest potential (V).
    stuck : float
        Longest time above -40 mV (s).
    swing, noise : float
        Standard deviation of the answer, and of the recording at rest (V).
    resistance : float
        Input resistance (ohm).
    fidelity : Fidelity, optional
        Of a picture.
    early : array, shape (n_sweeps, n)
        Potentials of the first 100 ms (V).
    failed : tuple of str
        Reasons for which quality control rejects sweeps, with their number.
    n_failed : int
        Sweeps that it rejects.
    """

    name: str
    spikes: np.ndarray
    low: float
    stuck: float
    swing: float
    noise: float
    resistance: float
    fidelity: Fidelity | None
    early: np.ndarray
    failed: tuple[str, ...]
    n_failed: int

    @classmethod
    def of(cls, recording: Recording, protocol: Protocol) -> Played:
        """Measure a recording."""
        stacked = recording.stacked()
        potential = stacked.response
        truth = recording.truth
        window = Goal.of(protocol).window
        rest = potential[:, : window.start] if window.start > 1 else potential[:, :0]
        noise = float(np.sqrt(_fast_variance(rest))) if rest.shape[1] > 3 else np.nan
        spikes = np.zeros(len(potential), int) if truth is None else truth.spike_counts
        drawn = potential[:, window].astype(float)
        power = float(drawn.var(axis=1).mean()) if drawn.size else 0.0
        swing = float(np.sqrt(max(power - (noise**2 if noise > 0 else 0.0), 0.0)))
        verdict = quality(recording)
        # a command that is no known family is no fault of the recording
        reasons = [
            {c.name for c in sweep.checks if c.passed is False} - {"family"}
            for sweep in verdict.sweeps
        ]
        return cls(
            name=recording.cell.id, spikes=np.asarray(spikes), low=float(potential.min()),
            stuck=_longest_above(potential, _PLATEAU) / stacked.rate,
            swing=swing, noise=noise,
            resistance=float(
                truth.answers.get("input_resistance", np.nan) if truth is not None else np.nan
            ),
            fidelity=recorded(recording, protocol, protocol)
            if protocol.picture is not None else None,
            early=early(recording), failed=tuple(sorted(set().union(*reasons))),
            n_failed=sum(map(bool, reasons)),
        )  # fmt: skip


def early(recording: Recording) -> np.ndarray:
    """Give the potentials of the first 100 ms of every sweep (V)."""
    stacked = recording.stacked()
    return np.array(stacked.response[:, : max(1, round(_FIRST * stacked.rate))])


def _fast_variance(rest: np.ndarray) -> float:
    """Variance at rest, without slow changes: from differences over two samples."""
    rest = rest.astype(float)
    return float(min(rest.var(axis=1).mean(), ((rest[:, 2:] - rest[:, :-2]) ** 2).mean() / 2))


def _longest_above(potential: np.ndarray, level: float) -> int:
    """Longest run of samples above a level, over all sweeps."""
    above = np.pad(potential > level, ((0, 0), (1, 1))).astype(np.int8).ravel()
    edges = np.flatnonzero(np.diff(above))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def cell_rows(
    protocol: Protocol, rig: RigFacts, played: Sequence[Played],
    following: dict[str, np.ndarray] | None,
) -> list[Row]:  # fmt: skip
    """Judge what the cells did.

    Parameters
    ----------
    protocol : Protocol
        In current clamp.
    rig : RigFacts
        The rig.
    played : sequence of Played
        One for each cell, every sweep from rest.
    following : dict, optional
        First 100 ms of sweeps that were played one after another, by cell.
    """
    return [
        _spikes(protocol, played),
        _block(played),
        _hyperpolarisation(played),
        _fidelity(played),
        _signal(protocol, played),
        _carry_over(protocol, played, following),
        *access_rows(protocol, rig, played),
        _population(played),
        _quality(played),
    ]


def _spikes(protocol: Protocol, played: Sequence[Played]) -> Row:
    counts = np.stack([p.spikes for p in played])
    rows = int((counts > 0).any(axis=0).sum())
    share = rows / counts.shape[1]
    text = f"{int(counts.sum())} spikes, in {rows} of {counts.shape[1]} rows"
    if protocol.family not in _QUIET:
        return Row(
            name="spikes", verdict="green", value=share, text=text,
            limit=f"none: a {protocol.family} may fire", source="family of the protocol",
        )  # fmt: skip
    return graded(
        "spikes",
        share,
        0.0,
        _SPIKING_ROWS,
        unit="rows",
        text=text,
        limit=f"no row (red above {_SPIKING_ROWS:.0%})",
        source="26 of 48 rows that spike take r from .88 to .75 (image_stimulus 2.2)",
        advice="hold + amplitude below 0.8 rheobase: design() finds it",
    )


def _worst(played: Sequence[Played], key: Any) -> Played:
    return max(played, key=key)


def _block(played: Sequence[Played]) -> Row:
    worst = _worst(played, lambda p: p.stuck)
    return graded(
        "block",
        worst.stuck * 1e3,
        _STUCK[0] * 1e3,
        _STUCK[1] * 1e3,
        unit="ms",
        text=f"{worst.name} stays above {_PLATEAU * 1e3:g} mV for {worst.stuck * 1e3:.3g} ms",
        limit=f"{_STUCK[0] * 1e3:g} ms (red {_STUCK[1] * 1e3:g})",
        source="spikes last 10 ms at most (quality control); sodium channels stay closed",
        advice="less depolarising current",
    )


def _hyperpolarisation(played: Sequence[Played]) -> Row:
    worst = _worst(played, lambda p: -p.low)
    return graded(
        "hyperpolarisation",
        worst.low * 1e3,
        _LOW[0] * 1e3,
        _LOW[1] * 1e3,
        unit="mV",
        text=f"{worst.name} goes down to {worst.low * 1e3:.4g} mV",
        limit=f"{_LOW[0] * 1e3:g} mV (red {_LOW[1] * 1e3:g})",
        source="range of baselines in quality control, -100 to 0 mV",
        advice="less hyperpolarising current",
    )


def _fidelity(played: Sequence[Played]) -> Row:
    found = [(p.fidelity.correlation, p) for p in played if p.fidelity is not None]
    if not found:
        return not_judged("fidelity", "the protocol draws no picture")
    r, worst = min(found, key=lambda pair: pair[0])
    return graded(
        "fidelity",
        r,
        *_R,
        unit="r",
        text=f"{worst.name}: {worst.fidelity!r} at lag 0",
        limit=f"r {_R[0]:g} (red {_R[1]:g})",
        source="image_stimulus 2.2",
        advice="design(target, cell) (cleo-like design), or longer rows",
    )


def _signal(protocol: Protocol, played: Sequence[Played]) -> Row:
    known = [p for p in played if p.noise > 0]
    if not known or not (protocol.waveforms != protocol.holding).any():
        return not_judged("signal", "the recording is without noise")
    worst = min(known, key=lambda p: p.swing / p.noise)
    ratio = worst.swing / worst.noise
    return graded(
        "signal", ratio, *_SNR, unit="1",
        text=(
            f"{worst.name} swings by {worst.swing * 1e3:.3g} mV (SD), noise "
            f"{worst.noise * 1e3:.3g} mV"
        ),
        limit=f"{_SNR[0]:g} (red {_SNR[1]:g})", source="image_stimulus 2.2",
        advice=f"{_SNR[0] / max(ratio, 1e-9):.2g} times the amplitude, or a lower filter",
    )  # fmt: skip


def _carry_over(
    protocol: Protocol, played: Sequence[Played], following: dict[str, np.ndarray] | None
) -> Row:
    if following is None:
        return not_judged("carry_over", "one sweep follows none")
    left = {}
    for p in played:
        after = following[p.name]
        change = (after - p.early[: len(after)])[1:].astype(float)
        left[p.name] = float(np.sqrt((change**2).mean(axis=1)).max())
    name = max(left, key=lambda k: left[k])
    return graded(
        "carry_over", left[name] * 1e3, _CARRIED[0] * 1e3, _CARRIED[1] * 1e3, unit="mV",
        text=(
            f"{name}: the sweeps before leave {left[name] * 1e3:.2g} mV rms in the first "
            f"100 ms (gap {protocol.gap * 1e3:g} ms)"
        ),
        limit=f"{_CARRIED[0] * 1e3:g} mV (red {_CARRIED[1] * 1e3:g})",
        source="gaps of 0 to 500 ms (image_stimulus 2.2)",
        advice="a gap of 250 ms or more, longer rests, charge_balance='mean'",
    )  # fmt: skip


def access_rows(protocol: Protocol, rig: RigFacts, played: Sequence[Played]) -> tuple[Row, Row]:
    """Judge access resistance, and the error of the bridge."""
    if rig.access is None or rig.access == 0:
        why = "an ideal electrode has no access resistance"
        return (
            Row(name="access", verdict="green", value=0.0, unit="MOhm", text=why),
            Row(name="bridge", verdict="green", value=0.0, unit="mV", text=why),
        )
    known = [p.resistance for p in played if p.resistance > 0]
    ratio = rig.access / min(known) if known else np.nan
    first = graded(
        "access", rig.access / 1e6, _ACCESS[0] / 1e6, _ACCESS[1] / 1e6, unit="MOhm",
        text=f"{rig.access / 1e6:.3g} MOhm, {ratio:.2g} of the input resistance",
        limit=f"{_ACCESS[0] / 1e6:g} MOhm (red {_ACCESS[1] / 1e6:g}); ratio {_RATIO[0]:g} "
        f"(red {_RATIO[1]:g})",
        source="quality control of the Allen Institute", advice="a better access",
    )  # fmt: skip
    by_ratio = graded("access", ratio, *_RATIO, text="")
    order = ("green", "amber", "red")
    worse = max(first.verdict, by_ratio.verdict, key=order.index)
    first = attrs.evolve(first, verdict=worse)
    if rig.bridge is None:
        return first, not_judged("bridge", "voltage clamp has no bridge")
    # a bridge is set once: a drifting access resistance leaves it behind
    off = abs(rig.access - rig.bridge)
    error = off * float(np.abs(protocol.waveforms + rig.holding).max())
    second = graded(
        "bridge", error * 1e3, _BRIDGE[0] * 1e3, _BRIDGE[1] * 1e3, unit="mV",
        text=f"off by {show(off, 'ohm')}: {error * 1e3:.3g} mV at the largest current",
        limit=f"{_BRIDGE[0] * 1e3:g} mV (red {_BRIDGE[1] * 1e3:g})", source="I x dR",
        advice=f"set the bridge to {show(rig.access, 'ohm')}",
    )  # fmt: skip
    return first, second


_ENSEMBLE = 5
"""Cells from which on percentiles are told."""


def _population(played: Sequence[Played]) -> Row:
    if len(played) < _ENSEMBLE:
        return not_judged("population", f"fewer than {_ENSEMBLE} cells")
    known = [p.fidelity.correlation for p in played if p.fidelity is not None]
    if not known:
        fires = np.mean([p.spikes.any() for p in played])
        return Row(
            name="population", verdict="green", value=float(fires), unit="cells",
            text=f"{fires:.0%} of {len(played)} cells fire",
        )  # fmt: skip
    low, middle, high = np.percentile(known, [5, 50, 95])
    good = np.mean(np.array(known) >= _R[0])
    return graded(
        "population",
        float(low),
        *_R,
        unit="r",
        text=f"r {low:.3f} / {middle:.3f} / {high:.3f} (5 / 50 / 95 %), {good:.0%} pass",
        limit=f"5th percentile {_R[0]:g} (red {_R[1]:g})",
        source="image_stimulus 2.2",
        advice="design(target, population)",
    )


def _quality(played: Sequence[Played]) -> Row:
    total = sum(p.spikes.size for p in played)
    failed = sum(p.n_failed for p in played)
    reasons = sorted({reason for p in played for reason in p.failed})
    why = f" ({', '.join(reasons)})" if reasons else ""
    return graded(
        "quality",
        failed / total,
        0.0,
        0.5,
        unit="sweeps",
        text=f"quality control rejects {failed} of {total} simulated sweeps{why}",
        limit="none (red above half)",
        source="quality()",
        advice="see the rows above; the sweeps would be rejected on a rig too",
    )
