"""Which channel of an ABF file is the response, and which is a recorded command.

An input and an output of the same number belong together. They make a clamp when one is a
potential and the other a current.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cleo_like.core.errors import FileFormatError
from cleo_like.core.sweep import ClampMode

if TYPE_CHECKING:
    from cleo_like.io.abf.source import AbfSource


@attrs.frozen(kw_only=True)
class Choice:
    """One cell of a file: its response, its output, its recorded command.

    `reason` says in words why these were chosen.
    """

    response: int
    dac: int | None
    recorded: int | None
    mode: ClampMode
    reason: str


def choose(source: AbfSource) -> tuple[list[Choice], tuple[str, ...]]:
    """Sort the channels of a file into cells.

    Returns
    -------
    choices : list of Choice
        One per cell.
    findings : tuple of str
        Channels that belong to no cell, and units that contradict each other.
    """
    responses, reason = _responses(source)
    taken = set(responses)
    choices = []
    for index in responses:
        mode, dac = _mode(source, index)
        recorded = _recorded(source, index, taken, mode)
        if recorded is not None:
            taken.add(recorded)
        choices.append(
            Choice(response=index, dac=dac, recorded=recorded, mode=mode, reason=reason)
        )
    return choices, _findings(source, choices, taken)


def _responses(source: AbfSource) -> tuple[list[int], str]:
    pairs = [i for i in range(source.n_channels) if _complementary(source, i)]
    driven = [i for i in pairs if source.enabled[i] and source.origin[i]]
    if driven:
        return driven, "its output has a waveform in the complementary unit"
    if pairs:
        wanted = {True: "V", False: "A"}.get(source.current_clamp)  # type: ignore[arg-type]
        best = [i for i in pairs if source.units[i].si == wanted] or pairs
        return best[:1], "the first channel whose output has the complementary unit"
    physical = [i for i in range(source.n_channels) if source.units[i].si != "?"]
    if physical:
        return physical[:1], "the first channel that is a potential or a current"
    listed = ", ".join(
        f"{n} ({u.text})" for n, u in zip(source.names, source.units, strict=True)
    )
    msg = (
        f"{source.path.name} has no channel of potential or current, expected units such as mV "
        f"or pA; it has: {listed}"
    )
    raise FileFormatError(msg)


def _complementary(source: AbfSource, index: int) -> bool:
    if index >= len(source.command_units):
        return False
    return {source.units[index].si, source.command_units[index].si} == {"V", "A"}


def _mode(source: AbfSource, index: int) -> tuple[ClampMode, int | None]:
    dac = index if index < len(source.command_units) else None
    if _complementary(source, index):
        potential = source.units[index].si == "V"
        return (ClampMode.CURRENT if potential else ClampMode.VOLTAGE), dac
    other = {"V": "A", "A": "V"}[source.units[index].si]
    if any(unit.si == other for unit in source.units):  # a recorded command settles it
        potential = source.units[index].si == "V"
        return (ClampMode.CURRENT if potential else ClampMode.VOLTAGE), None
    return ClampMode.UNKNOWN, dac


def _recorded(source: AbfSource, index: int, taken: set[int], mode: ClampMode) -> int | None:
    if mode is ClampMode.UNKNOWN:
        return None
    fitting = [
        i
        for i in range(source.n_channels)
        if i not in taken and source.units[i].si == mode.command_unit
    ]
    later = [i for i in fitting if i > index]
    found = [*later, *fitting]
    return found[0] if found else None


def _findings(source: AbfSource, choices: list[Choice], taken: set[int]) -> tuple[str, ...]:
    found = []
    for choice in choices:
        if choice.mode is ClampMode.UNKNOWN:
            found.append(_contradiction(source, choice))
        elif source.n_channels > 1:
            found.append(_chosen(source, choice))
    unused = [i for i in range(source.n_channels) if i not in taken]
    if unused:
        listed = ", ".join(f"{source.names[i]!r} ({source.units[i].text})" for i in unused)
        found.append(f"not used, no output or response goes with it: channel {listed}")
    return tuple(found)


def _chosen(source: AbfSource, choice: Choice) -> str:
    name, unit = source.names[choice.response], source.units[choice.response].text
    text = f"response: channel {name!r} ({unit}), {choice.reason}"
    if choice.recorded is None:
        return text
    name, unit = source.names[choice.recorded], source.units[choice.recorded].text
    return f"{text}; recorded command: channel {name!r} ({unit}), the complementary unit"


def _contradiction(source: AbfSource, choice: Choice) -> str:
    response = source.units[choice.response]
    if choice.dac is None:
        return (
            f"channel {source.names[choice.response]!r} ({response.text}) has no output, so "
            "the clamp mode is unknown"
        )
    command = source.command_units[choice.dac]
    if command.si == "?":
        return (
            f"output {source.command_names[choice.dac]!r} has the unit {command.text!r}, "
            "neither a potential nor a current, so the clamp mode is unknown"
        )
    return (
        f"response {source.names[choice.response]!r} ({response.text}) and command "
        f"{source.command_names[choice.dac]!r} ({command.text}) have the same kind of unit, so "
        "one of them is wrong and the clamp mode is unknown; if the command is right, the "
        f"response is a {'potential' if command.si == 'A' else 'current'} saved as "
        f"{response.text}. Nothing was changed"
    )
