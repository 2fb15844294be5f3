"""The long squares of a recording, as extractors are given them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cleo_like.core.errors import InputError
from cleo_like.core.recording import check_recording
from cleo_like.core.window import Window
from cleo_like.features.families.parts import Part, parts_of
from cleo_like.features.long_square.cell import CellFeatures, analyse
from cleo_like.features.parameters import DEFAULT, ExtractionParameters
from cleo_like.features.saturation import longest_flat
from cleo_like.features.stack import SweepStack
from cleo_like.matching.verdict import LONG_SQUARE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cleo_like.core.recording import Recording
    from cleo_like.matching import Match


def window_of(found: Match) -> Window:
    """Window and baseline that the matching found."""
    if found.window is None:
        msg = f"no step was found: {found.reason}"
        raise InputError(msg)
    start, end = found.window
    baseline = found.baseline_window
    pulses = tuple((e.start / found.rate, e.stop / found.rate) for e in found.constant)
    return Window(start=start, end=end, baseline=baseline, pulses=pulses)


def matched_stack(
    recording: Recording, parameters: ExtractionParameters
) -> tuple[SweepStack, Window, Match]:
    """Match a recording and take its long squares.

    Raises
    ------
    InputError
        It has no long squares; the message tells what it has.
    """
    return long_squares(parts_of(recording), parameters)


def long_squares(
    parts: Sequence[Part], parameters: ExtractionParameters
) -> tuple[SweepStack, Window, Match]:
    """Take the long squares of the parts of a recording.

    Parameters
    ----------
    parts : sequence of Part
        Of `parts_of`.
    parameters : ExtractionParameters
        Limits.

    Returns
    -------
    tuple
        Usable sweeps (reasons of the others in `excluded`), the step, and the match.

    Raises
    ------
    InputError
        None of the parts has any, or the amplifier is saturated in all of them.
    """
    own = next((part for part in parts if part.is_a(LONG_SQUARE)), None)
    if own is None:
        has = [f"{part.family} ({part.found.reason})" for part in parts]
        msg = f"no long squares: {', '.join(has)}"
        raise InputError(msg)
    recording, found = own.recording, own.found
    cut = {} if parameters.exact else _saturated(recording, found.members)
    members = [k for k in found.members if k not in cut]
    if not members:
        msg = f"the amplifier is saturated in every long square: {next(iter(cut.values()))}"
        raise InputError(msg)
    stack = SweepStack.from_recording(recording, positions=members, single=parameters.exact)
    reasons = {recording.sweeps[k].number: why for k, why in cut.items()}
    return attrs.evolve(stack, excluded={**stack.excluded, **reasons}), window_of(found), found


def _saturated(recording: Recording, positions: Iterable[int]) -> dict[int, str]:
    """Sweeps whose potential lies flat at an extreme: what it would have been is not known."""
    out = {}
    for k in positions:
        sweep = recording.sweeps[k]
        length, level = longest_flat(sweep.response, sweep.rate)
        if length:
            ms = length / sweep.rate * 1e3
            out[k] = f"saturated: flat for {ms:.3g} ms at {level * 1e3:.4g} mV"
    return out


def cell_features(
    recording: Recording, *, parameters: ExtractionParameters = DEFAULT
) -> CellFeatures:
    """Match a recording and measure its long squares, with all arrays for figures.

    Parameters
    ----------
    recording : Recording
        All its sweeps; those of other protocols are set aside.
    parameters : ExtractionParameters
        Limits.

    Returns
    -------
    CellFeatures
        Spikes, sweeps, cell values, reasons.

    Raises
    ------
    InputError
        There are no long squares.
    """
    check_recording(recording)
    stack, step, _ = matched_stack(recording, parameters)
    return analyse(stack, step, parameters)
