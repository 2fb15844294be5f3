"""The command of each sweep as an ABF header describes it: holding, epoch table or file."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import CleoLikeError
from cleo_like.io.abf.headers.outputs import EPISODIC, EPOCH_TABLE, FILE, StimulusFile
from cleo_like.io.abf.source import open_abf
from cleo_like.io.abf.waveform import NotTold, draw, holding_of, off_samples
from cleo_like.io.atf.parse import read_table

if TYPE_CHECKING:
    from cleo_like.core.protocol import Epoch
    from cleo_like.io.abf.headers.outputs import Output
    from cleo_like.io.abf.source import AbfSource
    from cleo_like.io.text_units import TextUnit


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
        What stood in the way, or what else happened.
    """

    waveforms: np.ndarray | None
    epochs: tuple[Epoch, ...] = ()
    origin: str
    findings: tuple[str, ...] = ()

    def in_si(self, scale: float) -> Command:
        """Give the same command with waveforms and levels times `scale`."""
        if self.waveforms is None:
            return self
        epochs = tuple(
            e if e.levels is None else attrs.evolve(e, levels=np.asarray(e.levels) * scale)
            for e in self.epochs
        )
        return attrs.evolve(self, waveforms=self.waveforms * scale, epochs=epochs)


def unknown(reason: str, origin: str = "unknown") -> Command:
    """Make a command that is not known, for a reason."""
    return Command(
        waveforms=None, origin=origin, findings=(f"{reason}; the command is unknown",)
    )


def is_played(source: AbfSource, output: Output) -> bool:
    """Whether an output played a waveform: only episodic files have any."""
    return output.driven and source.run.mode == EPISODIC


def command_of(source: AbfSource, output: Output) -> Command:
    """Rebuild the command of one output.

    Parameters
    ----------
    source : AbfSource
        The opened file.
    output : Output
        One of its outputs.
    """
    if output.unit.si == "?":
        return unknown(
            f"output {output.name!r} has the unit {output.unit.text!r}, neither a potential "
            "nor a current"
        )
    try:
        command = (
            _played(source, output) if is_played(source, output) else _held(source, output)
        )
    except NotTold as reason:
        return unknown(str(reason), _origin(source, output))
    return attrs.evolve(command, findings=(*command.findings, *_remarks(output))).in_si(
        output.unit.scale
    )


def _origin(source: AbfSource, output: Output) -> str:
    if not is_played(source, output):
        return "holding level"
    return {EPOCH_TABLE: "epoch table", FILE: "stimulus file"}.get(output.origin, "unknown")


def _remarks(output: Output) -> tuple[str, ...]:
    found = []
    if output.train:
        found.append(
            "a conditioning train, which is not in the command, came before each sweep"
        )
    if output.leak_subtracted:
        found.append("leak subtraction (P/N) was on: the response may be a corrected one")
    return tuple(found)


def _held(source: AbfSource, output: Output) -> Command:
    if source.run.changes:
        raise NotTold(
            f"settings were changed by hand {source.run.changes} times during the recording"
        )
    levels = holding_of(output, source.outputs, source.n_sweeps)
    if len(set(source.lengths.tolist())) > 1:
        raise NotTold("sweeps differ in length, so the header does not give their command")
    shape = (source.n_sweeps, int(source.lengths[0]))
    waveforms = np.broadcast_to(levels[:, np.newaxis], shape)
    return Command(waveforms=waveforms, origin="holding level (no waveform enabled)")


def _played(source: AbfSource, output: Output) -> Command:
    n_samples = int(source.lengths[0])
    if len(set(source.lengths.tolist())) > 1:
        raise NotTold("sweeps differ in length, so the header does not give their command")
    recorded = source.run.samples
    if recorded > 0 and recorded != n_samples * source.n_channels:
        raise NotTold(
            f"the sweeps have {n_samples} samples and were recorded with "
            f"{recorded // source.n_channels}, so the times of the waveform are lost"
        )
    if source.run.changes:
        raise NotTold(
            f"settings were changed by hand {source.run.changes} times during the recording"
        )
    if output.origin == FILE:
        return _from_file(source, output)
    if output.origin != EPOCH_TABLE:
        raise NotTold(
            f"output {output.name!r} has an unknown waveform source ({output.origin})"
        )
    holding = holding_of(output, source.outputs, source.n_sweeps)
    off = off_samples(source.run, n_samples, source.n_channels)
    waveforms, epochs = draw(output, source.run, holding, (source.n_sweeps, n_samples), off)
    return Command(waveforms=waveforms, epochs=epochs, origin=f"epoch table of {output.name}")


def _from_file(source: AbfSource, output: Output) -> Command:
    facts = output.file if output.file is not None else StimulusFile(path="")
    name = PureWindowsPath(facts.path).name
    beside = _beside(source.path, name)
    origin = f"stimulus file {name}"
    if beside is None:
        return unknown(
            f"the command came from the stimulus file {facts.path!r}; put {name!r} beside "
            f"{source.path.name} to read it",
            origin,
        )
    try:
        stimulus, unit = _stimulus(beside, facts.channel)
    except CleoLikeError as error:
        return unknown(f"the stimulus file {name!r} cannot be read ({error})", origin)
    findings: tuple[str, ...] = ()
    if unit.si != "?" and (unit.si, unit.scale) != (output.unit.si, output.unit.scale):
        findings = (
            f"the stimulus file {name!r} is in {unit.text}, and played as {output.unit.text}",
        )
    waveforms = _drawn_from(source, output, facts, stimulus)
    return Command(waveforms=waveforms, origin=origin, findings=findings)


def _beside(path: Path, name: str) -> Path | None:
    """Find a file beside another; Windows, which wrote the name, does not mind its case."""
    if not name:
        return None
    named = [p for p in path.parent.iterdir() if p.name.lower() == name.lower() and p != path]
    exact = [p for p in named if p.name == name]
    return next(iter(p for p in exact or named if p.is_file()), None)


def _stimulus(path: Path, channel: int) -> tuple[np.ndarray, TextUnit]:
    """Load one channel of a stimulus file in its own unit, shape (n_sweeps, n_samples)."""
    if path.suffix.lower() == ".atf":
        table = read_table(path)
        index = _index(channel, tuple(range(len(table.names))))
        return table.values[index], table.units[index]
    source = open_abf(path)
    index = _index(channel, source.numbers)
    sweeps = source.channel(source.samples(), index)
    shortest = min(map(len, sweeps))
    unit = source.units[index]
    return np.stack([s[:shortest] for s in sweeps]) / unit.scale, unit


def _index(channel: int, numbers: tuple[int, ...]) -> int:
    """Find a channel of a stimulus file by its number; the only one needs none."""
    if channel in numbers:
        return numbers.index(channel)
    if len(numbers) == 1:
        return 0
    raise NotTold(f"channel {channel} of the stimulus file was played, and it has none")


def _drawn_from(
    source: AbfSource, output: Output, facts: StimulusFile, stimulus: np.ndarray
) -> np.ndarray:
    """Draw what reached the cell: one file sample per sample, 1/64 held at both ends."""
    n_sweeps, n_samples = source.n_sweeps, int(source.lengths[0])
    if facts.episode > len(stimulus):
        raise NotTold(
            f"sweep {facts.episode} of the stimulus file was played, which has {len(stimulus)}"
        )
    if source.run.alternates and output.number in (0, 1):
        raise NotTold("outputs that take turns with a stimulus file are not defined")
    if 0 < source.run.sweeps_per_run < n_sweeps:
        raise NotTold(
            f"the file has {n_sweeps} sweeps and its run was one of {source.run.sweeps_per_run}"
        )
    # 0 plays all sweeps (the last one again where the file is short), n plays only that one
    picked = np.arange(n_sweeps) + (facts.episode < 0)
    if facts.episode > 0:
        picked = np.full(n_sweeps, facts.episode - 1)
    picked = np.minimum(picked, len(stimulus) - 1)
    off = off_samples(source.run, n_samples, source.n_channels)
    last = max(min(n_samples - off, stimulus.shape[1]), off)
    holding = holding_of(output, source.outputs, n_sweeps)
    waveforms = np.repeat(holding[:, np.newaxis], n_samples, axis=1)
    if output.after_train is not None:
        waveforms[:, :off] = output.after_train
    waveforms[:, off:last] = stimulus[picked, off:last] * facts.scale + facts.offset
    return waveforms
