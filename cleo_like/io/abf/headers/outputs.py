"""What an ABF header says of its analogue outputs (DAC): units, holding, epochs, user list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from cleo_like.io.text_units import TextUnit

EPOCH_TABLE, FILE = 1, 2
"""Sources of a waveform; 0 is none."""
STEP, RAMP, PULSES, TRIANGLES, COSINES, BIPHASIC = 1, 2, 3, 4, 5, 7
"""Kinds of epoch; 0 is off, 6 was a resistance test."""
EPISODIC, GAP_FREE, VARIABLE_LENGTH = 5, 3, 1
"""Operation modes that matter here. Only episodic files have waveforms."""


@attrs.frozen(kw_only=True)
class EpochRow:
    """One column of the waveform editor; levels in the output's unit, times in samples."""

    number: int
    kind: int
    level: float
    rise: float = 0.0
    duration: int
    growth: int = 0
    period: int = 0
    width: int = 0

    @property
    def letter(self) -> str:
        """A, B ... Z, AA, BB ... as the waveform editor names it."""
        return chr(ord("A") + self.number % 26) * (self.number // 26 + 1)


@attrs.frozen(kw_only=True)
class UserList:
    """Values that replace one parameter of the table, one per sweep.

    Parameters
    ----------
    parameter : int
        Axon's number of the parameter.
    text : str
        The values as written, between commas.
    repeats : bool
        Start again after the last value; otherwise the last one stays.
    """

    parameter: int
    text: str
    repeats: bool

    def values(self) -> tuple[float, ...] | None:
        """Give the numbers of the list, None where one of them is none."""
        try:
            numbers = tuple(map(float, self.text.replace(",", " ").split()))
        except ValueError:
            return None
        return numbers or None


@attrs.frozen(kw_only=True)
class StimulusFile:
    """Which part of which file an output played.

    `episode` is 0 for all sweeps, n for that sweep only, -1 to skip the first.
    """

    path: str
    episode: int = 0
    channel: int = 0
    scale: float = 1.0
    offset: float = 0.0


@attrs.frozen(kw_only=True)
class Output:
    """One analogue output.

    Parameters
    ----------
    number : int
        The socket; the input of the same number belongs to it.
    name, unit
        As the header gives them.
    holding : float
        Level between sweeps, in `unit`.
    enabled : bool
        Whether it played a waveform.
    origin : int
        Where the waveform came from (`EPOCH_TABLE`, `FILE`; 0 for nowhere).
    keeps_last : bool
        Between sweeps it stays at the level of the last epoch.
    epochs : tuple of EpochRow
        In order, those that are off left out.
    user_list : UserList, optional
        What varies from sweep to sweep.
    after_train : float, optional
        Level after a conditioning train, at which each sweep begins.
    train : bool
        Whether a conditioning train came before each sweep.
    leak_subtracted : bool
        Whether leak (P/N) was subtracted from the response.
    file : StimulusFile, optional
        Where `origin` is `FILE`.
    """

    number: int
    name: str
    unit: TextUnit
    holding: float = 0.0
    enabled: bool = False
    origin: int = 0
    keeps_last: bool = False
    epochs: tuple[EpochRow, ...] = ()
    user_list: UserList | None = None
    after_train: float | None = None
    train: bool = False
    leak_subtracted: bool = False
    file: StimulusFile | None = None

    @property
    def driven(self) -> bool:
        """Whether it played a waveform from somewhere."""
        return self.enabled and self.origin != 0


@attrs.frozen(kw_only=True)
class Run:
    """How the sweeps of a file follow each other.

    Parameters
    ----------
    mode : int
        Operation mode (5 episodic, 3 gap-free ...).
    sweeps_per_run : int
        Sweeps that the table describes; 0 where it is not told.
    first : int
        Sweep of the table with which the run began (1 or 0: the first).
    samples : int
        Samples of all channels in one sweep, as it was recorded; 0 where it is not told.
    active : int
        Number of the output that the waveform editor showed.
    alternates : bool
        Outputs 0 and 1 take turns.
    changes : int
        Settings (holding, gain) that were changed by hand while it recorded.
    dos_clampex : bool
        Made by Clampex for DOS, which held another share of a sweep.
    epoch_count : int or None
        Epochs per output that the numbers of a user list count with; None: not known.
    """

    mode: int
    sweeps_per_run: int = 0
    first: int = 0
    samples: int = 0
    active: int = 0
    alternates: bool = False
    changes: int = 0
    dos_clampex: bool = False
    epoch_count: int | None = 10
