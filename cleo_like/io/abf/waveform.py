"""An output's epoch table as waveforms, as Axon's definition has it.

Each sweep begins with 1/64 at holding, then the epochs follow, then holding. A train repeats
its period to the end of the epoch, whole or not. Where the table does not tell what was
played, a reason is given instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.protocol import Epoch
from cleo_like.io.abf.headers import outputs as kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.io.abf.headers.outputs import EpochRow, Output, Run, UserList

OFF_SHARE = 64
"""Clampex keeps 1/64 of a sweep at holding before the first epoch."""

_TRAINS = (kinds.PULSES, kinds.TRIANGLES, kinds.COSINES, kinds.BIPHASIC)
_KNOWN = (kinds.STEP, kinds.RAMP, *_TRAINS)
_FIRST_VARIED = 21  # numbers of a user list's parameter; below: conditioning, digital outputs
_VARIED = ("level", "duration", "period", "width")
_INACTIVE_HOLDING, _AFTER_TRAIN = 8, (5, 6)
_LARGEST = 1e6  # no amplifier's output; such levels are bytes that are no numbers


class NotTold(Exception):  # noqa: N818 (a reason, which never leaves this package)
    """The header does not tell what an output played; the text says why."""


@attrs.frozen(kw_only=True, eq=False)
class Column:
    """One epoch in every sweep.

    Parameters
    ----------
    row : EpochRow
        As the header has it.
    level, duration, period, width : array, shape (n_sweeps,)
        With increments and user list.
    """

    row: EpochRow
    level: np.ndarray
    duration: np.ndarray
    period: np.ndarray
    width: np.ndarray

    def timing(self, sweep: int) -> tuple[int, int, int]:
        """Duration, period and width in one sweep."""
        return int(self.duration[sweep]), int(self.period[sweep]), int(self.width[sweep])


def off_samples(run: Run, n_samples: int, n_channels: int) -> int:
    """Count the samples at holding before the first epoch."""
    if run.dos_clampex:
        return 6 * (n_samples * n_channels // 512) // n_channels
    return max(n_samples // OFF_SHARE, 1)


def holding_of(output: Output, others: Sequence[Output], n_sweeps: int) -> np.ndarray:
    """Level between sweeps, shape (n_sweeps,), in the output's unit.

    Raises
    ------
    NotTold
        The level is no number, or it was varied in a way that is not told.
    """
    if not abs(output.holding) <= _LARGEST:
        raise NotTold(f"the holding level of output {output.name!r} is {output.holding:g}")
    for other in others:
        listed = other.user_list
        if listed is None or listed.parameter != _INACTIVE_HOLDING or other is output:
            continue
        if other.number + output.number != 1:  # defined for the pair of outputs 0 and 1
            raise NotTold(
                f"the user list of output {other.name!r} varies the holding level of another "
                "output, and it is not told of which"
            )
        return _values(listed, n_sweeps)
    return np.full(n_sweeps, float(output.holding))


def draw(
    output: Output, run: Run, holding: np.ndarray, shape: tuple[int, int], off: int
) -> tuple[np.ndarray, tuple[Epoch, ...]]:
    """Draw the waveforms of an epoch table.

    Parameters
    ----------
    output : Output
        Its `origin` is the epoch table.
    run : Run
        How the sweeps follow each other.
    holding : array, shape (n_sweeps,)
        From `holding_of`.
    shape : (n_sweeps, n_samples)
        Of what was recorded.
    off : int
        From `off_samples`.

    Returns
    -------
    waveforms : array, shape (n_sweeps, n_samples)
        In the output's unit.
    epochs : tuple of Epoch
        Where every sweep has the same times.

    Raises
    ------
    NotTold
        The table does not tell what was played.
    """
    _check_run(output, run, shape)
    columns = [_column(row, shape[0]) for row in output.epochs]
    columns = _with_user_list(output, run, columns, shape[0])
    _check_columns(columns, shape, off)
    begin, end = _between(output, holding, columns)
    plays = _turns(output, run, shape[0])
    waveforms = np.repeat(end[:, np.newaxis], shape[1], axis=1)
    waveforms[:, :off] = begin[:, np.newaxis]
    for sweeps in _of_one_timing(columns, shape[0]):
        start, level = off, begin[sweeps]
        for column in columns:
            n, period, width = column.timing(sweeps[0])
            if n <= 0:
                continue
            target = np.where(plays, column.level, begin)[sweeps]
            waveforms[sweeps, start : start + n] = _shape(
                column.row.kind, (level, target), n, period, width
            )
            start, level = start + n, target
    return waveforms, _epochs(columns, plays, begin, off)


def _check_run(output: Output, run: Run, shape: tuple[int, int]) -> None:
    varies = output.user_list is not None or any(r.rise or r.growth for r in output.epochs)
    if 0 < run.sweeps_per_run < shape[0]:
        raise NotTold(
            f"the file has {shape[0]} sweeps and its waveform is told for {run.sweeps_per_run}"
        )
    if run.first > 1 and varies:
        raise NotTold(f"the run began with sweep {run.first} of the table")
    if run.alternates and output.keeps_last and output.number in (0, 1):
        raise NotTold("outputs that take turns and stay at their last level are not defined")
    listed = output.user_list
    if output.train and listed is not None and listed.parameter in _AFTER_TRAIN:
        raise NotTold("a user list varies the level after the conditioning train")


def _column(row: EpochRow, n_sweeps: int) -> Column:
    sweeps = np.arange(n_sweeps)
    return Column(
        row=row,
        level=row.level + row.rise * sweeps,
        duration=row.duration + row.growth * sweeps,
        period=np.full(n_sweeps, row.period),
        width=np.full(n_sweeps, row.width),
    )


def _with_user_list(
    output: Output, run: Run, columns: list[Column], n_sweeps: int
) -> list[Column]:
    """Put the values of the user list in the place of what it varies."""
    listed = output.user_list
    if listed is None or 0 <= listed.parameter < _FIRST_VARIED:
        return columns
    count = run.epoch_count
    kind, number = divmod(listed.parameter - _FIRST_VARIED, count or 1)
    if count is None or not 0 <= kind < len(_VARIED):
        raise NotTold(
            f"a user list varies parameter {listed.parameter}, whose meaning in this version "
            "is not known"
        )
    what = _VARIED[kind]
    if what != "level" and run.active != output.number:
        raise NotTold(f"a user list varies the {what} of an epoch of another output")
    if number not in [c.row.number for c in columns]:
        raise NotTold(
            f"a user list varies the {what} of epoch {chr(ord('A') + number)}, which is off"
        )
    values = _values(listed, n_sweeps)
    if what != "level":
        values = values.astype(int)
    varied: dict[str, Any] = {what: values}
    return [attrs.evolve(c, **varied) if c.row.number == number else c for c in columns]


def _values(listed: UserList, n_sweeps: int) -> np.ndarray:
    """One value per sweep: after the last one it stays, or the list starts again."""
    values = listed.values()
    if values is None or not all(abs(v) < 2**31 for v in values):
        raise NotTold(f"the user list {listed.text!r} is no list of numbers")
    index = np.arange(n_sweeps)
    index = index % len(values) if listed.repeats else np.minimum(index, len(values) - 1)
    return np.array(values)[index]


def _check_columns(columns: list[Column], shape: tuple[int, int], off: int) -> None:
    for column in columns:
        kind, plays = column.row.kind, column.duration > 0
        if not plays.any():
            continue
        if kind not in _KNOWN:
            raise NotTold(f"epoch {column.row.letter} is of a kind that is not known ({kind})")
        if not (np.abs(column.level[plays]) <= _LARGEST).all():
            raise NotTold(f"epoch {column.row.letter} has a level that is no number")
        narrow = column.period < 1
        if kind != kinds.COSINES:
            narrow = narrow | (column.width < 0) | (column.width > column.period)
        if kind in _TRAINS and narrow[plays].any():
            raise NotTold(
                f"the train of epoch {column.row.letter} has a period of "
                f"{column.period[0]} and a width of {column.width[0]} samples"
            )
    total = off + sum(np.maximum(c.duration, 0) for c in columns) if columns else off
    longest = int(np.max(total))
    if longest > shape[1]:
        raise NotTold(
            f"the epoch table does not fit into the sweep ({longest} of {shape[1]} samples)"
        )


def _between(
    output: Output, holding: np.ndarray, columns: list[Column]
) -> tuple[np.ndarray, np.ndarray]:
    """Levels before the first and after the last epoch, in each sweep."""
    begin = holding if output.after_train is None else np.full(len(holding), output.after_train)
    if not output.keeps_last or not columns:
        return begin, holding
    if output.after_train is None:  # the first sweep begins at holding, the others at the last
        begin = np.concatenate([holding[:1], columns[-1].level[:-1]])
    end = begin.copy()
    for column in columns:
        end = np.where(column.duration > 0, column.level, end)
    return begin, end


def _turns(output: Output, run: Run, n_sweeps: int) -> np.ndarray:
    """Tell in which sweeps the output plays: outputs 0 and 1 may take turns."""
    if not run.alternates or output.number not in (0, 1):
        return np.ones(n_sweeps, dtype=bool)
    return np.arange(n_sweeps) % 2 == output.number


def _of_one_timing(columns: list[Column], n_sweeps: int) -> list[np.ndarray]:
    """Group the sweeps whose epochs have the same times."""
    groups: dict[tuple[tuple[int, int, int], ...], list[int]] = {}
    for sweep in range(n_sweeps):
        key = tuple(column.timing(sweep) for column in columns)
        groups.setdefault(key, []).append(sweep)
    return [np.array(group) for group in groups.values()]


def _shape(
    kind: int, levels: tuple[np.ndarray, np.ndarray], n: int, period: int, width: int
) -> np.ndarray:
    """One epoch of some sweeps, shape (n_sweeps, n): how far from one level to the other."""
    start, stop = (level[:, np.newaxis] for level in levels)
    if kind == kinds.STEP:
        return np.broadcast_to(stop, (len(stop), n))
    if kind == kinds.RAMP:
        return np.stack([np.linspace(a, b, n) for a, b in zip(*levels, strict=True)])
    at = np.arange(n) % period
    if kind == kinds.PULSES:
        share = np.where(at < width, 1.0, 0.0)
    elif kind == kinds.BIPHASIC:
        share = np.select([at < width // 2, at < width], [1.0, -1.0], 0.0)
    elif kind == kinds.COSINES:
        share = 0.5 - 0.5 * np.cos(2 * np.pi * at / period)
    else:
        rising = at / max(width - 1, 1)
        falling = 1 - (at - width) / max(period - width - 1, 1)
        share = np.where(at < width, rising, falling)
    return np.asarray(start + (stop - start) * share)


def _epochs(
    columns: list[Column], plays: np.ndarray, begin: np.ndarray, off: int
) -> tuple[Epoch, ...]:
    if any((c.duration != c.duration[0]).any() for c in columns):
        return ()  # times differ from sweep to sweep
    found, start = [], off
    for column in columns:
        n = max(int(column.duration[0]), 0)
        if n:
            levels = np.where(plays, column.level, begin)
            known = levels if column.row.kind == kinds.STEP else None
            found.append(
                Epoch(name=column.row.letter, start=start, stop=start + n, levels=known)
            )
        start += n
    return tuple(found)
