"""The command of each sweep as an ABF header describes it: holding, epoch table or file.

pyabf turns an epoch table into waveforms. It is asked once per output, not once per sweep,
with the holding level of the header (pyabf takes an epoch's level for it in ABF1). It is not
asked for waveforms from a stimulus file, of which it gives sweep 0 to every sweep.
"""

# ruff: noqa: SLF001  (pyabf keeps its parsed sections in private attributes)
from __future__ import annotations

from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import CleoLikeError
from cleo_like.core.protocol import Epoch
from cleo_like.io.abf.source import open_abf
from cleo_like.io.atf.table import read_table

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.io.abf.source import AbfSource

_EPOCH_TABLE, _FILE = 1, 2
_STEP = 1
_PULSE_KINDS = (3, 4, 5, 7)
_OFF_SHARE = 64  # Clampex keeps 1/64 of a sweep at holding before the first epoch


@attrs.frozen(kw_only=True, eq=False)
class Command:
    """What an output did.

    Parameters
    ----------
    waveforms : array, shape (n_sweeps, n_samples), or None
        SI; None where the header does not tell, with the reason in `findings`.
    epochs : tuple of Epoch
        From the epoch table, where every sweep has the same times.
    origin : str
        In words.
    findings : tuple of str
        What stood in the way.
    """

    waveforms: np.ndarray | None
    epochs: tuple[Epoch, ...] = ()
    origin: str
    findings: tuple[str, ...] = ()


def command_of(source: AbfSource, dac: int) -> Command:
    """Rebuild the command of one output.

    Parameters
    ----------
    source : AbfSource
        The opened file.
    dac : int
        Index of the output.
    """
    if len(set(source.lengths.tolist())) > 1:
        text = "sweeps differ in length, so the header does not give their command"
        return Command(waveforms=None, origin="unknown", findings=(text,))
    if dac >= len(source.enabled) or not source.enabled[dac] or source.origin[dac] == 0:
        level = source.holding[dac] * source.command_units[dac].scale
        shape = (len(source.lengths), int(source.lengths[0]))
        waveforms = np.broadcast_to(np.float64(level), shape)
        return Command(waveforms=waveforms, origin="holding level (no waveform enabled)")
    if source.origin[dac] == _EPOCH_TABLE:
        return _from_table(source, dac)
    if source.origin[dac] == _FILE:
        return _from_file(source, dac)
    text = f"output {source.command_names[dac]!r} has an unknown waveform source"
    return Command(waveforms=None, origin="unknown", findings=(text,))


def _from_table(source: AbfSource, dac: int) -> Command:
    import pyabf.waveform

    trouble = _table_trouble(source, dac)
    if trouble is not None:
        return Command(waveforms=None, origin="epoch table", findings=(trouble,))
    table = pyabf.waveform.EpochTable(source.header, dac)
    table.holdingLevel = float(source.holding[dac])
    per_sweep = table.getEpochWaveformsBySweep(source.header)
    try:
        waveforms = np.stack([sweep.getWaveform() for sweep in per_sweep])
    except ValueError as error:  # epochs longer than the sweep
        text = f"the epoch table does not fit into the sweep ({error}); the command is unknown"
        return Command(waveforms=None, origin="epoch table", findings=(text,))
    if np.isnan(waveforms).any():
        text = "the epoch table holds a kind of epoch that is not known; the command is unknown"
        return Command(waveforms=None, origin="epoch table", findings=(text,))
    scale = source.command_units[dac].scale
    return Command(
        waveforms=waveforms * scale,
        epochs=_epochs(table, len(per_sweep), waveforms.shape[1], scale),
        origin=f"epoch table of {source.command_names[dac]}",
    )


def _table_trouble(source: AbfSource, dac: int) -> str | None:
    header = source.header
    if header.abfVersion["major"] == 2:
        users = getattr(header._userListSection, "nULEnable", ())
        if any(users):
            return "a user list varies the epochs of this file; the command is unknown"
        return None
    if dac > 1:
        return (
            "an ABF1 header has epochs for the first two outputs only; the command is unknown"
        )
    kinds = header._headerV1.nEpochType[10 * dac : 10 * dac + 10]
    if any(kind in _PULSE_KINDS for kind in kinds):
        return "the pulse train of this ABF1 file cannot be rebuilt; the command is unknown"
    return None


def _epochs(table: Any, n_sweeps: int, n_samples: int, scale: float) -> tuple[Epoch, ...]:
    if any(epoch.durationDelta for epoch in table.epochs):
        return ()  # times differ from sweep to sweep
    found, start = [], n_samples // _OFF_SHARE
    for epoch in table.epochs:
        stop = min(start + epoch.duration, n_samples)
        if stop > start:
            levels = (epoch.level + epoch.levelDelta * np.arange(n_sweeps)) * scale
            known = levels if epoch.epochType == _STEP else None
            found.append(Epoch(name=epoch.epochLetter, start=start, stop=stop, levels=known))
        start = stop
    return tuple(found)


def _from_file(source: AbfSource, dac: int) -> Command:
    facts = _file_facts(source, dac)
    name = PureWindowsPath(facts["path"]).name
    beside = source.path.with_name(name) if name else source.path
    origin = f"stimulus file {name}"
    if beside == source.path or not beside.is_file():
        text = (
            f"the command came from the stimulus file {facts['path']!r}; put {name!r} "
            f"beside {source.path.name} to read it. The command is unknown"
        )
        return Command(waveforms=None, origin=origin, findings=(text,))
    try:
        stimulus = _stimulus(beside, int(facts["channel"]))
    except CleoLikeError as error:
        text = f"the stimulus file {name!r} cannot be read ({error}); the command is unknown"
        return Command(waveforms=None, origin=origin, findings=(text,))
    return Command(waveforms=_played(source, dac, stimulus, facts), origin=origin)


def _stimulus(path: Path, channel: int) -> np.ndarray:
    """Load one channel of a stimulus file in its own unit, shape (n_sweeps, n_samples)."""
    if path.suffix.lower() == ".atf":
        return read_table(path).values[channel]
    source = open_abf(path)
    index = channel if channel < source.n_channels else 0
    sweeps = source.channel(source.samples(), index)
    shortest = min(map(len, sweeps))
    return np.stack([s[:shortest] for s in sweeps]) / source.units[index].scale


def _file_facts(source: AbfSource, dac: int) -> dict[str, Any]:
    header = source.header
    if header.abfVersion["major"] == 1:
        h = header._headerV1
        path = h.sDACFilePath[dac]
    else:
        h = header._dacSection
        path = header._stringsSection._indexedStrings[h.lDACFilePathIndex[dac]]
    return {
        "path": str(path).strip("\0 "),
        "only": h.lDACFileEpisodeNum[dac],
        "channel": max(h.nDACFileADCNum[dac], 0),
        "scale": h.fDACFileScale[dac],
        "offset": h.fDACFileOffset[dac],
    }


def _played(
    source: AbfSource, dac: int, stimulus: np.ndarray, facts: dict[str, Any]
) -> np.ndarray:
    """Draw what reached the cell: one file sample per sample, 1/64 held at both ends."""
    n_sweeps, n_samples = len(source.lengths), int(source.lengths[0])
    # 0 plays all sweeps (the last one again where the file is short), n plays only that one
    only = int(facts["only"])
    picked = np.full(n_sweeps, only - 1) if only > 0 else np.arange(n_sweeps)
    picked = np.minimum(picked, len(stimulus) - 1)
    off = max(n_samples // _OFF_SHARE, 1)
    last = min(n_samples - off, stimulus.shape[1])
    waveforms = np.full((n_sweeps, n_samples), source.holding[dac])
    waveforms[:, off:last] = stimulus[picked, off:last] * facts["scale"] + facts["offset"]
    return waveforms * source.command_units[dac].scale
