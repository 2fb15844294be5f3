"""Room around a target for its inverse, and the cut back to what is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.protocol import Epoch

if TYPE_CHECKING:
    from cleo_like.core import Protocol
    from cleo_like.stimuli.design import Dac

_ROOM = 1.0
"""Rest (s) on both sides while a design is made: twice the reach of a 2 Hz filter."""
_SMALL = 0.02
"""Part of the peak below which a current beside the target is left out."""
_REACH = 0.3
"""Longest current (s) beside the target: what follows it cannot change it any more."""
_CUT = 64
"""Clampex plays holding instead of the first and last 1/64 of a sweep."""


def padded(protocol: Protocol) -> tuple[Protocol, int]:
    """Add rest on both sides; gives the protocol and the samples in front."""
    pad = round(_ROOM * protocol.rate)
    waveforms = np.pad(
        protocol.waveforms, ((0, 0), (pad, pad)), constant_values=protocol.holding
    )
    epochs = tuple(moved(epoch, pad) for epoch in protocol.epochs)
    return attrs.evolve(protocol, waveforms=waveforms, epochs=epochs), pad


def moved(epoch: Epoch, by: int) -> Epoch:
    """Shift an epoch by samples; its levels are no more."""
    return Epoch(name=epoch.name, start=epoch.start + by, stop=epoch.stop + by)


def trimmed(
    wide: Protocol, current: np.ndarray, target: Protocol, pad: int, dac: Dac | None
) -> Protocol:
    """Cut a designed current (A, around holding) to the target and what it needs beside it.

    Every sweep keeps holding in its first and last 1/64.
    """
    n = target.n_samples
    drawn = np.flatnonzero((wide.waveforms != wide.holding).any(axis=0))
    reach = round(_REACH * wide.rate)
    near = slice(max(0, int(drawn[0]) - reach), int(drawn[-1]) + reach)
    large = (np.abs(current) > _SMALL * np.abs(current).max()).any(axis=0)
    active = np.flatnonzero(large[near]) + near.start
    first, last = int(active[0]), int(active[-1]) + 1
    begin, end = min(pad, first), max(pad + n, last)
    rest = -(-(end - begin) // (_CUT - 2))
    begin, end = min(begin, first - rest), max(end, last + rest)
    begin, end = max(begin, 0), min(end, wide.n_samples)
    kept = np.zeros((target.n_sweeps, end - begin))
    kept[:, first - begin : last - begin] = current[:, first:last]
    waveforms, holding = target.holding + kept, target.holding
    if dac is not None:
        waveforms = dac.quantise(waveforms)
        holding = float(dac.quantise(np.array(holding)))
    shift = pad - begin
    return attrs.evolve(
        target,
        waveforms=waveforms,
        holding=holding,
        epochs=_epochs(target, shift, first - begin, last - begin),
        family=target.family if target.family in _KEEP else "arbitrary",
        parameters=dict(target.parameters) | {"design_shift": shift},
    )


_KEEP = ("picture", "noise", "arbitrary")
"""Families that a filtered command still belongs to."""


def _epochs(target: Protocol, shift: int, first: int, last: int) -> tuple[Epoch, ...]:
    found = [moved(epoch, shift) for epoch in target.epochs]
    if not found:
        return ()
    if first < found[0].start:
        found.insert(0, Epoch(name="lead_in", start=first, stop=found[0].start))
    if last > found[-1].stop:
        found.append(Epoch(name="lead_out", start=found[-1].stop, stop=last))
    return tuple(found)
