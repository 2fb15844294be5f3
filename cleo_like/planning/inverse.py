"""The inverse of a membrane: the current that makes the potential follow a target; its room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.protocol import Epoch
from cleo_like.planning.response import LinearResponse, padded_size
from cleo_like.stimuli.design import gaussian_sd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from cleo_like.core import Protocol
    from cleo_like.stimuli.design import Dac

_ROOM = 1.0
"""Rest (s) on both sides while a design is made: twice the reach of a 2 Hz filter."""
_SMALL = 0.02
"""Part of the peak below which a current beside the target is left out."""
_REACH = 0.3
"""Longest current (s) beside the target: what follows it cannot change it any more."""
_CUT = 64
"""Clampex plays holding instead of the first and last 1/64 of a sweep."""
_REGULAR = 1e-3
"""Part of the largest impedance below which the inverse does not grow."""
_STEPS = 24
"""Halvings of the search for a cut-off: its logarithm to 1e-6."""


@attrs.frozen(kw_only=True, eq=False)
class Inverse:
    """One way from a target (A at steady state, around 0) to a current.

    For cells with the normalised impedances z_k = Z_k(f) / Z_k(0), the current I that
    minimises sum |X - z_k I|^2 has the spectrum X mean(z_k*) / mean |z_k|^2.

    Parameters
    ----------
    name : str
        "RC" or "impedance".
    detail : str
        What it assumes, in words.
    responses : sequence of LinearResponse
        Of the cells.
    """

    name: str
    detail: str
    responses: Sequence[LinearResponse]
    _kept: dict[tuple[int, float], tuple[np.ndarray, np.ndarray]] = attrs.field(
        init=False, factory=dict, repr=False
    )

    @classmethod
    def rc(cls, tau: float) -> Inverse:
        """Give the inverse of a passive membrane with a time constant (s)."""
        return cls(
            name="RC", detail=f"tau {tau * 1e3:.3g} ms", responses=[LinearResponse.rc(1.0, tau)]
        )

    @classmethod
    def impedance(cls, responses: Sequence[LinearResponse]) -> Inverse:
        """Give the inverse of measured impedances."""
        several = f" of {len(responses)} cells" if len(responses) > 1 else ""
        return cls(name="impedance", detail=f"measured impedance{several}", responses=responses)

    def _moments(self, size: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
        """Give mean(z_k*) and mean |z_k|^2 at the frequencies of a transform."""
        if (size, rate) not in self._kept:
            f = np.fft.rfftfreq(size, 1 / rate)
            first, second = np.zeros(f.size, complex), np.zeros(f.size)
            for response in self.responses:
                z = response.at(f) / response.resistance
                first += z.conj()
                second += np.abs(z) ** 2
            n = len(self.responses)
            self._kept[size, rate] = first / n, second / n
        return self._kept[size, rate]

    def shape(self, target: np.ndarray, cutoff: float, rate: float) -> np.ndarray:
        """Give the current of a target behind a Gaussian low-pass (A).

        Parameters
        ----------
        target : array, shape (n_sweeps, n_samples)
            A, around 0.
        cutoff : float
            -3 dB (Hz).
        rate : float
            Hz.
        """
        n = target.shape[1]
        size = padded_size(n, rate)
        first, second = self._moments(size, rate)
        f = np.fft.rfftfreq(size, 1 / rate)
        smooth = np.exp(-2 * (np.pi * f * gaussian_sd(cutoff)) ** 2)
        gain = smooth * first / (second + _REGULAR**2 * second.max())
        spectrum = np.fft.rfft(target, size, axis=1) * gain
        return np.asarray(np.fft.irfft(spectrum, size, axis=1)[:, :n])

    def bounded(
        self, target: np.ndarray, cutoff: float, rate: float, peak: float
    ) -> np.ndarray:
        """Give the current within +-peak whose response is closest to the target (A).

        Least squares with bounds, by accelerated projected gradients (Beck & Teboulle 2009,
        SIAM J Imaging Sci 2:183), from the clipped answer of `shape`. A low-pass that keeps
        the peak everywhere wastes it almost everywhere; this does not.

        Parameters
        ----------
        target : array, shape (n_sweeps, n_samples)
            A, around 0.
        cutoff : float
            -3 dB of the first guess (Hz).
        rate : float
            Hz.
        peak : float
            Largest current (A).
        """
        n = target.shape[1]
        size = padded_size(n, rate)
        first, second = self._moments(size, rate)
        wanted = np.fft.rfft(target, size, axis=1) * first
        pace = 1 / float(second.max())
        start = self.shape(target, cutoff, rate)
        current = ahead = np.clip(start, -peak, peak)
        momentum = 1.0
        for _ in range(_ITERATIONS):
            spectrum = np.fft.rfft(ahead, size, axis=1) * second - wanted
            slope = np.fft.irfft(spectrum, size, axis=1)[:, :n]
            following = np.clip(ahead - pace * slope, -peak, peak)
            faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = following + (momentum - 1) / faster * (following - current)
            current, momentum = following, faster
        return np.asarray(current)


_ITERATIONS = 40
"""Of the bounded search: more change the correlation of a picture by less than 5e-4."""


def cutoff_for(
    inverse: Inverse,
    target: Float[np.ndarray, "n_sweeps n_samples"],
    rate: float,
    peak: float,
    span: tuple[float, float],
) -> float | None:
    """Find the highest cut-off (Hz) at which THIS target stays within a peak (A).

    None where not even the lowest of `span` does.
    """

    def reaches(cutoff: float) -> float:
        return float(np.abs(inverse.shape(target, cutoff, rate)).max())

    low, high = span
    if reaches(high) <= peak:
        return high
    if reaches(low) > peak:
        return None
    for _ in range(_STEPS):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if reaches(middle) <= peak else (low, middle)
    return low


def padded(protocol: Protocol) -> tuple[Protocol, int]:
    """Add rest on both sides; gives the protocol and the samples in front."""
    pad = round(_ROOM * protocol.rate)
    waveforms = np.pad(
        protocol.waveforms, ((0, 0), (pad, pad)), constant_values=protocol.holding
    )
    epochs = tuple(moved(epoch, pad) for epoch in protocol.epochs)
    return attrs.evolve(protocol, waveforms=waveforms, epochs=epochs), pad


def moved(epoch: Epoch, by: int) -> Epoch:
    """Shift an epoch by samples; its levels are no more."""
    return Epoch(name=epoch.name, start=epoch.start + by, stop=epoch.stop + by)


def trimmed(
    wide: Protocol, current: np.ndarray, target: Protocol, pad: int, dac: Dac | None
) -> Protocol:
    """Cut a designed current (A, around holding) to the target and what it needs beside it.

    Every sweep keeps holding in its first and last 1/64.
    """
    n = target.n_samples
    drawn = np.flatnonzero((wide.waveforms != wide.holding).any(axis=0))
    reach = round(_REACH * wide.rate)
    near = slice(max(0, int(drawn[0]) - reach), int(drawn[-1]) + reach)
    large = (np.abs(current) > _SMALL * np.abs(current).max()).any(axis=0)
    active = np.flatnonzero(large[near]) + near.start
    first, last = int(active[0]), int(active[-1]) + 1
    begin, end = min(pad, first), max(pad + n, last)
    rest = -(-(end - begin) // (_CUT - 2))
    begin, end = min(begin, first - rest), max(end, last + rest)
    begin, end = max(begin, 0), min(end, wide.n_samples)
    kept = np.zeros((target.n_sweeps, end - begin))
    kept[:, first - begin : last - begin] = current[:, first:last]
    waveforms, holding = target.holding + kept, target.holding
    if dac is not None:
        waveforms = dac.quantise(waveforms)
        holding = float(dac.quantise(np.array(holding)))
    shift = pad - begin
    return attrs.evolve(
        target,
        waveforms=waveforms,
        holding=holding,
        epochs=_epochs(target, shift, first - begin, last - begin),
        family=target.family if target.family in _KEEP else "arbitrary",
        parameters=dict(target.parameters) | {"design_shift": shift},
    )


_KEEP = ("picture", "noise", "arbitrary")
"""Families that a filtered command still belongs to."""


def _epochs(target: Protocol, shift: int, first: int, last: int) -> tuple[Epoch, ...]:
    found = [moved(epoch, shift) for epoch in target.epochs]
    if not found:
        return ()
    if first < found[0].start:
        found.insert(0, Epoch(name="lead_in", start=first, stop=found[0].start))
    if last > found[-1].stop:
        found.append(Epoch(name="lead_out", start=found[-1].stop, stop=last))
    return tuple(found)
