"""How well a potential follows a target: predicted for many cells, and recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.planning.response import padded_size
from cleo_like.stimuli import relief
from cleo_like.stimuli.images.similarity import correlation, linear_fit, ssim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core import Protocol, Recording
    from cleo_like.planning.response import LinearResponse


@attrs.frozen(kw_only=True)
class Fidelity:
    """Agreement of a potential with its target, without any delay.

    Parameters
    ----------
    correlation : float
        Pearson's r over all pixels of a picture, or all samples of another target.
    ssim : float
        Structural similarity; NaN where the target is no picture.
    """

    correlation: float
    ssim: float = float("nan")

    def __repr__(self) -> str:
        """One line."""
        text = f"r {self.correlation:.4f}"
        return text if np.isnan(self.ssim) else f"{text}, SSIM {self.ssim:.4f}"


@attrs.frozen(kw_only=True, eq=False)
class Goal:
    """What the potential shall look like.

    Parameters
    ----------
    deviation : array, shape (n_sweeps, n_samples)
        Wanted potential over input resistance, around holding (A).
    window : slice
        Samples in which it counts.
    picture : array, shape (rows, columns), optional
        Grey values that are drawn there.
    rate : float
        Hz.
    """

    deviation: np.ndarray
    window: slice
    picture: np.ndarray | None
    rate: float

    @classmethod
    def of(cls, protocol: Protocol) -> Goal:
        """Read the goal out of a protocol."""
        deviation = protocol.waveforms - protocol.holding
        if protocol.picture is not None:
            epoch = protocol.epoch("picture")
            window = slice(epoch.start, epoch.stop)
        else:
            moving = np.flatnonzero((deviation != 0).any(axis=0))
            window = slice(int(moving[0]), int(moving[-1]) + 1) if moving.size else slice(0, 0)
        return cls(
            deviation=deviation, window=window, picture=protocol.picture, rate=protocol.rate
        )

    def judge(self, potential: np.ndarray) -> Fidelity:
        """Compare potentials (any offset and scale) with the goal."""
        if self.picture is None:
            wanted, got = self.deviation[:, self.window], potential[:, self.window]
            return Fidelity(correlation=correlation(wanted, got))
        window = float(self.window.start), float(self.window.stop)
        return self._of(columns_of(potential, window, self.picture.shape[1]))

    def predicted(
        self, responses: Sequence[LinearResponse], current: np.ndarray
    ) -> list[Fidelity]:
        """Judge what linear responses make of a current (A, around holding).

        Pictures are compared on a coarser grid, of averages over about a millisecond.
        """
        every = 1 if self.picture is None else max(1, int(self.rate // _COARSE))
        coarse = padded_size(current.shape[1], self.rate) // every
        size = coarse * every
        bins = coarse // 2 + 1
        f = np.fft.rfftfreq(size, 1 / self.rate)[:bins]
        spectrum = np.fft.rfft(current, size, axis=1)[:, :bins] / every
        spectrum *= np.exp(1j * np.pi * f * (every - 1) / self.rate)  # middle of the average
        window = self.window.start / every, self.window.stop / every
        found = []
        for response in responses:
            potential = np.fft.irfft(spectrum * response.at(f), coarse, axis=1)
            if self.picture is None:
                found.append(self.judge(potential[:, : current.shape[1]]))
            else:
                found.append(self._of(columns_of(potential, window, self.picture.shape[1])))
        return found

    def _of(self, drawn: np.ndarray) -> Fidelity:
        picture = np.asarray(self.picture)
        return Fidelity(
            correlation=correlation(picture, drawn),
            ssim=ssim(picture, linear_fit(drawn, picture)),
        )


_COARSE = 1000.0
"""Samples per second (Hz) of a prediction: columns of a picture are longer than 1 ms."""


def columns_of(rows: np.ndarray, window: tuple[float, float], count: int) -> np.ndarray:
    """Average samples over columns of equal length, whole or not, within a window."""
    total = np.pad(np.cumsum(rows, axis=1), ((0, 0), (1, 0)))
    edges = np.linspace(*window, count + 1)
    at = np.stack([np.interp(edges, np.arange(total.shape[1]), line) for line in total])
    return np.asarray(np.diff(at, axis=1))


def recorded(recording: Recording, protocol: Protocol, target: Protocol) -> Fidelity:
    """Judge a recording of a (designed) protocol by its target.

    Parameters
    ----------
    recording : Recording
        Of `protocol`.
    protocol, target : Protocol
        What was played, and what the potential shall look like: `protocol` may have longer
        rests.
    """
    if target.picture is not None:
        found = relief(recording, protocol)
        return Fidelity(correlation=found.correlation, ssim=found.ssim)
    goal = Goal.of(target)
    shift = shift_of(protocol)
    potential = recording.stacked().response.astype(float)
    window = slice(goal.window.start + shift, goal.window.stop + shift)
    rest = potential[:, : max(1, goal.window.start + shift)].mean(axis=1, keepdims=True)
    return Fidelity(
        correlation=correlation(goal.deviation[:, goal.window], potential[:, window] - rest)
    )


def shift_of(protocol: Protocol) -> int:
    """Give the samples by which a designed protocol begins before its target."""
    made: Any = protocol.parameters.get("design", {})
    return int(made.get("shift", 0))
