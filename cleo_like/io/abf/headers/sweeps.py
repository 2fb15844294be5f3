"""Where each sweep of an ABF file lies, and when it began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.io.abf.headers.fields import BLOCK, damaged
from cleo_like.io.abf.headers.outputs import GAP_FREE, VARIABLE_LENGTH

if TYPE_CHECKING:
    from pathlib import Path


@attrs.frozen(kw_only=True, eq=False)
class SweepTable:
    """Counts of a header that say how the samples are cut into sweeps.

    Parameters
    ----------
    n_channels, n_sweeps, n_samples : int
        Channels, sweeps, and samples of all channels in the file.
    mode : int
        Operation mode.
    per_sweep : int
        Samples of all channels in one sweep; 0 where it is not told.
    synch : array, shape (n, 2)
        Start (in ticks) and length (samples of all channels) of each sweep.
    tick : float
        us; 0 when starts count samples of all channels.
    rate : float
        Hz.
    """

    n_channels: int
    n_sweeps: int
    n_samples: int
    mode: int
    per_sweep: int
    synch: np.ndarray
    tick: float
    rate: float


def read_synch(path: Path, block: int, count: int) -> np.ndarray:
    """Read the table of sweep starts; as many rows as the file has."""
    have = (path.stat().st_size - block * BLOCK) // 8
    count = min(count, have)
    if block <= 0 or count <= 0:
        return np.empty((0, 2), dtype=np.int64)
    flat = np.fromfile(path, dtype="<i4", count=2 * count, offset=block * BLOCK)
    return flat.reshape(-1, 2).astype(np.int64)


def sweep_times(
    path: Path, table: SweepTable
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Find the samples per channel and the start (s) of each sweep.

    Returns
    -------
    lengths, starts : array, shape (n_sweeps,)
    findings : tuple of str
        What the header does not tell.

    Raises
    ------
    FileFormatError
        The counts contradict each other.
    """
    whole = table.n_samples // table.n_channels
    if whole <= 0:
        raise damaged(
            path, f"it holds {table.n_samples} samples of {table.n_channels} channels"
        )
    starts = _starts(table)
    if table.mode == GAP_FREE:
        return np.array([whole]), np.zeros(1), _pauses(table, starts)
    if table.mode == VARIABLE_LENGTH:
        lengths = table.synch[:, 1] // table.n_channels
        if not len(lengths) or lengths.min() < 1 or lengths.sum() > whole:
            raise damaged(path, "its sweeps differ in length and their lengths are lost")
        return lengths, starts, ()
    if table.n_sweeps == 0:
        return np.array([whole]), np.zeros(1), ("the file counts no sweeps; taken as one",)
    lengths, findings = _cut(path, table, whole)
    stopped = bool(findings) and len(starts) == len(lengths) + 1  # a last sweep was left out
    if stopped or len(starts) == len(lengths):
        starts = starts[: len(lengths)]
        if (np.diff(starts) < 0).any():
            findings = (*findings, "the starts of the sweeps are not in order")
        return lengths, starts, findings
    if len(lengths) > 1:
        text = "the file does not tell when its sweeps began; taken end to end"
        findings = (*findings, text)
    return lengths, np.arange(len(lengths)) * (lengths[0] / table.rate), findings


def _cut(path: Path, table: SweepTable, whole: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Cut the samples into sweeps, whose length two places of the header must tell."""
    count, per_sweep = table.n_sweeps, table.per_sweep // table.n_channels
    divides = count <= whole and whole % count == 0
    if divides and per_sweep in (0, whole // count):
        return np.full(count, whole // count), ()
    told = table.synch[:, 1] // table.n_channels
    length = int(told[0]) if len(told) else 0
    if length > 0 and (told[:-1] == length).all() and 0 < told[-1] <= length:
        complete = len(told) - int(told[-1] < length)  # stopped within the last sweep
        if told.sum() == whole and complete:
            return np.full(complete, length), _recounted(table, complete, length, whole)
    if len(told) == count and told.min() > 0 and told.sum() == whole:
        return told, ()  # each of its own length
    if divides and not len(told):
        text = (
            f"the header tells of sweeps of {per_sweep} samples, and its {count} sweeps have "
            f"{whole // count}"
        )
        return np.full(count, whole // count), (text,)
    text = f"it promises {count} sweeps of {per_sweep} samples, and has {whole} samples"
    raise damaged(path, text)


def _recounted(table: SweepTable, count: int, length: int, whole: int) -> tuple[str, ...]:
    if count == table.n_sweeps:
        return ()
    text = (
        f"the header counts {table.n_sweeps} sweeps, the samples are {count} of {length} and "
        f"{whole - count * length} over; {count} were read"
    )
    return (text,)


def _starts(table: SweepTable) -> np.ndarray:
    counts = table.synch[:, 0] % 2**32  # of 32 bits: they turn negative after hours
    own = 1e6 / (table.rate * table.n_channels)  # us between samples of any channel
    if not table.tick > 0 or np.float32(own) == np.float32(table.tick):
        return counts / (table.rate * table.n_channels)
    return counts * (table.tick / 1e6)


def _pauses(table: SweepTable, starts: np.ndarray) -> tuple[str, ...]:
    """Say that a gap-free recording was interrupted."""
    if len(starts) < 2:
        return ()
    ends = starts + table.synch[:, 1] / (table.n_channels * table.rate)
    paused = float((starts[1:] - ends[:-1]).clip(min=0).sum())
    if paused < 2 / table.rate:
        return ()
    text = (
        f"the recording was paused {len(starts) - 1} times, {paused:.4g} s in all; its pieces "
        "were read as one sweep without the pauses"
    )
    return (text,)
