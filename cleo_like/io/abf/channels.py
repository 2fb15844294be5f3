"""Which channels of an ABF file are cells, what drives each, and what recorded its command.

An input and an output of the same number belong together; they make a clamp when one is a
potential and the other a current. Where the number leads to a channel that no membrane could
be (a copy of the stimulus, a trigger), or to none, the cell that answers to the command is
taken and the finding says so; where none does, the command is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cleo_like.core.errors import FileFormatError
from cleo_like.core.sweep import ClampMode
from cleo_like.io.abf.command import command_of, is_played
from cleo_like.io.findings.responses import (
    ANSWER,
    COPY,
    ENOUGH,
    correlation,
    is_auxiliary,
    is_potential,
    reach,
)

if TYPE_CHECKING:
    import numpy as np

    from cleo_like.io.abf.headers.outputs import Output
    from cleo_like.io.abf.source import AbfSource

_OTHER = {"V": "A", "A": "V"}
_LARGE = 0.3  # V


@attrs.frozen(kw_only=True)
class Choice:
    """One cell of a file.

    Parameters
    ----------
    response : int
        Index of its channel.
    output : Output or None
        What drives it.
    recorded : int or None
        Index of the channel that recorded its command.
    mode : ClampMode
        By the units.
    reason : str
        Why this channel, in words.
    doubt : str
        Why its output is not known, where it is not.
    driven : bool
        Whether its output played a waveform.
    """

    response: int
    output: Output | None
    recorded: int | None
    mode: ClampMode
    reason: str
    doubt: str = ""
    driven: bool = False


@attrs.frozen(kw_only=True, eq=False)
class Channels:
    """The channels of a file, with their samples at hand.

    Parameters
    ----------
    source : AbfSource
        The opened file.
    samples : array
        From `AbfSource.samples`.
    """

    source: AbfSource
    samples: np.ndarray

    def kind(self, index: int) -> str:
        """Give "V", "A", or "?" for neither."""
        return self.source.units[index].si

    def values(self, index: int) -> list[np.ndarray]:
        """Sweeps of one channel (SI)."""
        return self.source.channel(self.samples, index)

    def own(self, index: int) -> Output | None:
        """Give the output of the same number, if the two make a clamp."""
        output = self.source.output(self.source.numbers[index])
        return output if output is not None and self.clamps(index, output) else None

    def clamps(self, index: int, output: Output) -> bool:
        """Whether one is a potential and the other a current."""
        return _OTHER.get(self.kind(index)) == output.unit.si

    def played(self, index: int) -> bool:
        """Whether the channel's own output played a waveform."""
        own = self.own(index)
        return own is not None and is_played(self.source, own)

    def is_cell(self, index: int) -> bool:
        """Whether the channel can be a cell, by its unit, range and name."""
        if self.kind(index) not in _OTHER or is_auxiliary(self.source.names[index]):
            return False
        return self.kind(index) == "A" or is_potential(self.glance(index))

    def glance(self, index: int) -> np.ndarray:
        """Give as many samples as it takes to judge a range (SI)."""
        return self.source.glance(self.samples, index, ENOUGH)

    def answer(self, index: int, output: Output) -> float:
        """Size of the correlation of a channel with what an output played."""
        return abs(correlation(self.values(index), command_of(self.source, output).waveforms))


def choose(source: AbfSource, samples: np.ndarray) -> tuple[list[Choice], tuple[str, ...]]:
    """Sort the channels of a file into cells.

    Returns
    -------
    choices : list of Choice
        One per cell; those whose output played a waveform come first.
    findings : tuple of str
        What was chosen and what else there is, and units that contradict each other.
    """
    channels = Channels(source=source, samples=samples)
    clamped = [i for i in range(source.n_channels) if channels.kind(i) in _OTHER]
    if not clamped:
        listed = ", ".join(
            f"{n} ({u.text})" for n, u in zip(source.names, source.units, strict=True)
        )
        msg = (
            f"{source.path.name} has no channel of potential or current, expected units such "
            f"as mV or pA; it has: {listed}"
        )
        raise FileFormatError(msg)
    cells = {i for i in clamped if channels.is_cell(i)}
    found = _driven(channels, cells)
    found |= _further(channels, cells, found) if found else _undriven(channels, cells, clamped)
    choices = _with_recorded(channels, list(found.values()))
    return choices, _findings(channels, choices)


def choice_of(
    source: AbfSource, samples: np.ndarray, index: int, choices: list[Choice]
) -> Choice:
    """Make a cell of any channel that a user asks for.

    Parameters
    ----------
    source : AbfSource
        The opened file.
    samples : array
        From `AbfSource.samples`.
    index : int
        The channel.
    choices : list of Choice
        From `choose`.
    """
    for choice in choices:
        if choice.response == index:
            return choice
    channels = Channels(source=source, samples=samples)
    taken = {c.output.number for c in choices if c.output is not None and c.driven}
    own = channels.own(index)
    if own is not None and own.number in taken:
        own = None
    made = _choice(channels, index, own, "the channel that was asked for")
    return _with_recorded(channels, [made])[0]


def _driven(channels: Channels, cells: set[int]) -> dict[int, Choice]:
    """Find the cell of each output that played a waveform: by number, else by its answer."""
    source = channels.source
    played = [o for o in source.outputs if is_played(source, o) and o.unit.si in _OTHER]
    found: dict[int, Choice] = {}
    homeless = []
    for output in played:
        index = _of_number(source, output.number)
        if index is not None and index in cells and channels.clamps(index, output):
            reason = "its output has a waveform in the complementary unit"
            found[index] = _choice(channels, index, output, reason)
        else:
            homeless.append(output)
    for output in homeless:
        silent = [
            i
            for i in sorted(cells - found.keys())
            if channels.clamps(i, output) and not channels.played(i)
        ]
        own = _of_number(source, output.number)
        answers = {i: channels.answer(i, output) for i in silent}
        if answers and max(answers.values()) > ANSWER:
            index = max(answers, key=answers.__getitem__)
            reason = f"it answers to output {output.name!r}, which has another number"
            found[index] = _choice(channels, index, output, reason)
        elif own is not None and _may_be(channels, own, output, alone=not silent):
            index = _likeliest(channels, output, own)
            reason = "its output has a waveform in the complementary unit"
            found[index] = _choice(channels, index, output, reason)
    return found


def _may_be(channels: Channels, own: int, output: Output, *, alone: bool) -> bool:
    """Whether the input of an output's number is its cell, though it does not look like one.

    A cell that is lifted to 0 mV for most of the time has no resting baseline, and answers.
    """
    if not channels.clamps(own, output):
        return False
    return alone or ANSWER < channels.answer(own, output) < COPY


def _of_number(source: AbfSource, number: int) -> int | None:
    """Index of the input of that number; None when it was not recorded."""
    return source.numbers.index(number) if number in source.numbers else None


def _likeliest(channels: Channels, output: Output, own: int) -> int:
    """Of channels that look like no membrane, take the one that could best be one.

    Not called a stimulus, within a fraction of a volt, no copy of the command; then the one of
    the output's number.
    """

    def rank(index: int) -> tuple[bool, bool, bool, bool]:
        return (
            not is_auxiliary(channels.source.names[index]),
            reach(channels.glance(index)) < _LARGE,
            channels.answer(index, output) < COPY,
            index == own,
        )

    free = [
        i
        for i in range(channels.source.n_channels)
        if channels.clamps(i, output) and (i == own or not channels.played(i))
    ]
    return max(free, key=rank)


def _undriven(channels: Channels, cells: set[int], clamped: list[int]) -> dict[int, Choice]:
    """Find the cells of a file in which no output played: all channels of the clamped kind."""
    source = channels.source
    wanted = {True: "V", False: "A"}.get(source.current_clamp)  # type: ignore[arg-type]
    pools = (
        [i for i in clamped if i in cells and channels.own(i) is not None],
        [i for i in clamped if i in cells],
        [i for i in clamped if channels.own(i) is not None],
        clamped,
    )
    pool = next(p for p in pools if p)
    best = [i for i in pool if channels.kind(i) == wanted] or pool
    first = best[0]
    paired = channels.own(first) is not None
    reason = "its output has the complementary unit" if paired else "a potential or a current"
    same = [i for i in best if channels.kind(i) == channels.kind(first)]
    if pool is pools[2] or pool is pools[3]:
        same = same[:1]  # nothing looks like a cell: one, for the user to judge
    return {
        i: _choice(channels, i, channels.own(i), f"{reason}, none was driven") for i in same
    }


def _further(
    channels: Channels, cells: set[int], found: dict[int, Choice]
) -> dict[int, Choice]:
    """Find electrodes beside the driven ones, of the same kind, whose output was silent."""
    kinds = {channels.kind(i) for i in found}
    return {
        i: _choice(channels, i, channels.own(i), "a second electrode, whose output was silent")
        for i in sorted(cells - found.keys())
        if channels.kind(i) in kinds
        and (channels.kind(i) == "V" or channels.own(i) is not None)
    }


def _choice(channels: Channels, index: int, output: Output | None, reason: str) -> Choice:
    source = channels.source
    driven = output is not None and is_played(source, output)
    doubt = "" if driven else _doubt(channels, index)
    if output is None and not doubt:  # units that contradict each other are told by `_mode`
        output = source.output(source.numbers[index])
    return Choice(
        response=index,
        output=None if doubt else output,
        recorded=None,
        mode=_mode(channels, index, output),
        reason=reason,
        doubt=doubt,
        driven=driven,
    )


def _doubt(channels: Channels, index: int) -> str:
    """Say which output, of a number that was not recorded, may have driven a silent channel."""
    source = channels.source
    orphans = [
        repr(o.name)
        for o in source.outputs
        if is_played(source, o) and channels.clamps(index, o) and _is_orphan(channels, o)
    ]
    if not orphans:
        return ""
    return (
        f"output {', '.join(orphans)} played a waveform and no cell of its number was "
        f"recorded, so it is not known what drove channel {source.names[index]!r}"
    )


def _is_orphan(channels: Channels, output: Output) -> bool:
    index = _of_number(channels.source, output.number)
    return index is None or not channels.clamps(index, output) or not channels.is_cell(index)


def _mode(channels: Channels, index: int, output: Output | None) -> ClampMode:
    kind, source = channels.kind(index), channels.source
    if kind not in _OTHER:
        return ClampMode.UNKNOWN
    by_kind = ClampMode.CURRENT if kind == "V" else ClampMode.VOLTAGE
    paired = output is not None and channels.clamps(index, output)
    recorded = any(channels.kind(i) == _OTHER[kind] for i in range(source.n_channels))
    told = (
        source.current_clamp is (kind == "V") and source.output(source.numbers[index]) is None
    )
    return by_kind if paired or recorded or told else ClampMode.UNKNOWN


def _with_recorded(channels: Channels, choices: list[Choice]) -> list[Choice]:
    """Give each cell the channel that recorded its command: the next one of that unit."""
    taken = {c.response for c in choices}
    done = []
    for choice in choices:
        recorded = _recorded(channels, choice, taken)
        if recorded is not None:
            taken.add(recorded)
        done.append(attrs.evolve(choice, recorded=recorded))
    return done


def _recorded(channels: Channels, choice: Choice, taken: set[int]) -> int | None:
    if choice.mode is ClampMode.UNKNOWN:
        return None
    fitting = [
        i
        for i in range(channels.source.n_channels)
        if i not in taken and channels.kind(i) == choice.mode.command_unit
    ]
    later = [i for i in fitting if i > choice.response]
    ordered = [*later, *fitting]
    if len(fitting) > 1 and choice.driven and choice.output is not None:
        output = choice.output
        ordered.sort(key=lambda i: -round(channels.answer(i, output), 3))  # stable
    return ordered[0] if ordered else None


def _findings(channels: Channels, choices: list[Choice]) -> tuple[str, ...]:
    source = channels.source
    found = []
    for choice in choices:
        if choice.mode is ClampMode.UNKNOWN:
            found.append(_contradiction(source, choice))
        elif source.n_channels > 1 or "answers" in choice.reason:
            found.append(_chosen(source, choice))
    used = {c.response for c in choices} | {c.recorded for c in choices}
    unused = [i for i in range(source.n_channels) if i not in used]
    if unused:
        listed = ", ".join(f"{source.names[i]!r} ({source.units[i].text})" for i in unused)
        found.append(
            f"not used, no output or response goes with it: channel {listed}; "
            "electrode=... reads any channel by its name"
        )
    return tuple(found)


def _chosen(source: AbfSource, choice: Choice) -> str:
    name, unit = source.names[choice.response], source.units[choice.response].text
    text = f"response: channel {name!r} ({unit}), {choice.reason}"
    if choice.recorded is None:
        return text
    name, unit = source.names[choice.recorded], source.units[choice.recorded].text
    return f"{text}; recorded command: channel {name!r} ({unit}), the complementary unit"


def _contradiction(source: AbfSource, choice: Choice) -> str:
    response, name = source.units[choice.response], source.names[choice.response]
    if response.si not in _OTHER:
        return (
            f"channel {name!r} is in {response.text or 'no unit'}, neither a potential nor a "
            "current: its values are as the file has them, and there is no clamp mode"
        )
    output = choice.output
    if output is None:
        return f"channel {name!r} ({response.text}) has no output, so the clamp mode is unknown"
    if output.unit.si == "?":
        return (
            f"output {output.name!r} has the unit {output.unit.text!r}, neither a potential "
            "nor a current, so the clamp mode is unknown"
        )
    return (
        f"response {name!r} ({response.text}) and command {output.name!r} ({output.unit.text}) "
        "have the same kind of unit, so one of them is wrong and the clamp mode is unknown; if "
        "the command is right, the response is a "
        f"{'potential' if output.unit.si == 'A' else 'current'} saved as {response.text}. "
        "Nothing was changed"
    )
