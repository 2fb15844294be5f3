"""The answers: one verdict per sweep, one match per recording; each with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.window import Window

if TYPE_CHECKING:
    from cleo_like.core import Epoch

LONG_SQUARE = "long_square"
SHORT_SQUARE = "short_square"
PULSE_TRAIN = "pulse_train"
ARBITRARY = "arbitrary"
PICTURE = "picture"
NONE = "none"


@attrs.frozen(kw_only=True)
class SweepVerdict:
    """What one sweep is, and why.

    Parameters
    ----------
    index : int
        Position of the sweep in its recording.
    number : int
        Number of the sweep as the file counts it.
    family : str
        A name of `cleo_like.core.protocol.FAMILIES`, or "none".
    reason : str
        Why, in words.
    epochs : tuple of Epoch
        Half-open sample ranges in order: "holding", "test_pulse", "pre_pulse", "step",
        "post_pulse", or the name of a waveform family; `levels` has one value.
    step : Epoch or None
        The epoch of the family itself (also among `epochs`).
    amplitude : float
        Level of the step less holding (unit of the command, A); NaN without a step.
    holding : float
        Level outside all pulses; NaN when unknown.
    noise : float
        Standard deviation of the recorded command about its levels; 0 if it is exact.
    complete : bool
        Whether the sweep holds the whole step and can be analysed.
    """

    index: int
    number: int
    family: str
    reason: str
    epochs: tuple[Epoch, ...] = ()
    step: Epoch | None = None
    amplitude: float = np.nan
    holding: float = np.nan
    noise: float = np.nan
    complete: bool = True

    @property
    def is_long_square(self) -> bool:
        """Whether the sweep is a whole long square (0 pA members of a ladder included)."""
        return self.family == LONG_SQUARE and self.complete

    def __repr__(self) -> str:
        """One line: number, family, amplitude, reason."""
        size = "" if np.isnan(self.amplitude) else f" {self.amplitude * 1e12:.4g} pA"
        return f"Sweep {self.number}: {self.family}{size} ({self.reason})"


@attrs.frozen(kw_only=True)
class Match:
    """What a recording is.

    Parameters
    ----------
    family : str
        Family of most of the sweeps that have a stimulus; "none" when no sweep has one.
    reason : str
        Why, in words.
    sweeps : tuple of SweepVerdict
        One for every sweep of the recording, in order.
    rate : float
        Samples per second (Hz) to which the sample ranges below belong.
    step : Epoch or None
        The epoch of the family, common to its sweeps.
    baseline : tuple of int or None
        The last interval at holding before the pulse of the family, half-open samples.
    members : tuple of int
        Positions of the sweeps that share this epoch and are complete.
    varying : tuple of Epoch
        Every epoch whose level varies across the members; the family is one of them.
    constant : tuple of Epoch
        Test pulses, pre-pulses and post-pulses: pulses alike in all members.
    found : str
        Family that the commands themselves show.
    disagreement : str or None
        How the commands differ from what the file says of its own protocol.
    """

    family: str
    reason: str
    sweeps: tuple[SweepVerdict, ...]
    rate: float = np.nan
    step: Epoch | None = None
    baseline: tuple[int, int] | None = None
    members: tuple[int, ...] = ()
    varying: tuple[Epoch, ...] = ()
    constant: tuple[Epoch, ...] = ()
    found: str = NONE
    disagreement: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether the commands are what the file says they are, if it says so."""
        return self.disagreement is None

    @property
    def window(self) -> Window | None:
        """Start and end of the step (s) from the start of the sweep; ``window=`` takes it."""
        if self.step is None:
            return None
        return Window(start=self.step.start / self.rate, end=self.step.stop / self.rate)

    @property
    def baseline_window(self) -> Window | None:
        """Start and end (s) of the last interval at holding before the pulse."""
        if self.baseline is None:
            return None
        first, last = self.baseline
        return Window(start=first / self.rate, end=last / self.rate)

    @property
    def long_square_sweeps(self) -> tuple[int, ...]:
        """Positions of the long squares that share `window`; empty for other families."""
        if self.family != LONG_SQUARE:
            return ()
        return self.members

    @property
    def amplitudes(self) -> np.ndarray:
        """Amplitudes (A, relative to holding) of the members."""
        return np.array([self.sweeps[k].amplitude for k in self.members])

    def __repr__(self) -> str:
        """One line: family, members, window."""
        shown = "" if self.window is None else " {:.6g}..{:.6g} s".format(*self.window)
        return (
            f"Match {self.family}: {len(self.members)} of {len(self.sweeps)} sweeps"
            f"{shown} ({self.reason})"
        )
