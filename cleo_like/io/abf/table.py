"""A step protocol as an epoch table, so that other readers rebuild the command from it.

An ABF1 header has ten epochs; each has a level, an increment per sweep and a duration. The
first starts after 1/64 of the sweep; before it and after the last one the output holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.io.facts import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleo_like.core.protocol import Protocol

_EPOCHS = 10
_SHARE = 64


@attrs.frozen(kw_only=True)
class EpochTable:
    """Epochs in the unit of the output; durations in samples."""

    levels: tuple[float, ...]
    increments: tuple[float, ...]
    durations: tuple[int, ...]


def epoch_table(protocol: Protocol, scale: float) -> EpochTable | str:
    """Express a protocol as an epoch table, or say why it cannot be.

    Parameters
    ----------
    protocol : Protocol
        Any protocol.
    scale : float
        Size of the output's unit in SI (1e-12 for pA).

    Examples
    --------
    >>> from cleo_like import Epoch, Protocol
    >>> w = np.zeros((2, 640)); w[:, 100:300] = [[1e-11], [2e-11]]
    >>> step = Epoch(name="step", start=100, stop=300, levels=[1e-11, 2e-11])
    >>> p = Protocol(waveforms=w, rate=2e4, family="long_square", epochs=[step])
    >>> epoch_table(p, 1e-12)
    EpochTable(levels=(0.0, 10.0), increments=(0.0, 10.0), durations=(90, 200))
    """
    off = protocol.n_samples // _SHARE
    trouble = _trouble(protocol, off)
    if trouble is not None:
        return trouble
    rows = list(_rows(protocol, off, scale))
    if len(rows) > _EPOCHS:
        return f"{len(rows)} epochs are needed and the header has {_EPOCHS}"
    levels, increments, durations = zip(*rows, strict=True)
    table = EpochTable(levels=levels, increments=increments, durations=durations)
    drawn = _drawn(table, protocol.waveforms.shape, protocol.holding / scale)
    largest = np.abs(protocol.waveforms).max() / scale
    if np.abs(drawn - protocol.waveforms / scale).max() > ROUNDING / 10 * largest:
        return "the levels are not an even ladder, or the waveforms differ from the epochs"
    return table


def _trouble(protocol: Protocol, off: int) -> str | None:
    if not protocol.is_steps:
        return "the command varies within an epoch"
    if protocol.n_samples < _SHARE:
        return f"sweeps of fewer than {_SHARE} samples have no room for the held 1/{_SHARE}"
    if protocol.epochs[0].start <= off:
        return f"the first epoch starts within the held first 1/{_SHARE} of the sweep"
    if protocol.epochs[-1].stop > protocol.n_samples - off:
        return f"the last epoch ends within the held last 1/{_SHARE} of the sweep"
    return None


def _rows(protocol: Protocol, off: int, scale: float) -> Iterator[tuple[float, float, int]]:
    """Yield (level, increment, duration), with a step at holding wherever no epoch is."""
    last = off
    for epoch in protocol.epochs:
        if epoch.start > last:
            yield protocol.holding / scale, 0.0, epoch.start - last
        levels = np.asarray(epoch.levels) / scale
        rise = (levels[-1] - levels[0]) / max(len(levels) - 1, 1)
        yield float(levels[0]), float(rise), epoch.stop - epoch.start
        last = epoch.stop


def _drawn(table: EpochTable, shape: tuple[int, ...], holding: float) -> np.ndarray:
    """Draw what a reader will: float32 levels from 1/64 of the sweep on."""
    waveforms = np.full(shape, holding)
    start = shape[1] // _SHARE
    sweeps = np.arange(shape[0])[:, np.newaxis]
    for level, rise, duration in zip(
        table.levels, table.increments, table.durations, strict=True
    ):
        drawn = np.float32(level) + np.float32(rise) * sweeps
        waveforms[:, start : start + duration] = drawn
        start += duration
    return waveforms
