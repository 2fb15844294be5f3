"""Put a stimulus between rests, and a test pulse in front: what all families share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.protocol import Epoch, Protocol, levels_from_epochs
from cleo_like.core.sweep import ClampMode
from cleo_like.core.units import si, si_array
from cleo_like.stimuli.waveforms.grid import sample_rate, whole_samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core.units import Quantity
    from cleo_like.stimuli.waveforms.shape import Shape


@attrs.frozen
class Timing:
    """The rest around a stimulus, and what happens between sweeps (SI).

    Parameters
    ----------
    before, after : float
        Rest at holding on both sides (s).
    rate : float
        Sampling rate (Hz).
    holding : float
        Current outside the stimulus (A).
    gap : float
        Pause between sweeps (s).
    """

    before: float
    after: float
    rate: float
    holding: float
    gap: float

    @classmethod
    def of(
        cls, before: Quantity, after: Quantity, rate: Quantity, holding: Quantity, gap: Quantity
    ) -> Timing:
        """Convert the arguments of a family."""
        return cls(
            before=si(before, "s", "before"),
            after=si(after, "s", "after"),
            rate=sample_rate(rate),
            holding=si(holding, "A", "holding"),
            gap=si(gap, "s", "gap"),
        )

    @property
    def lead(self) -> int:
        """Samples before the stimulus."""
        return whole_samples(self.before, self.rate, "before", least=0)

    def length(self, stimulus: int) -> int:
        """Give the samples of a sweep whose stimulus has that many."""
        return self.lead + stimulus + whole_samples(self.after, self.rate, "after", least=0)

    def steps(self, levels: np.ndarray, duration: Quantity) -> list[Epoch]:
        """Give the epoch of one step per sweep, at holding + levels (A)."""
        stop = self.lead + whole_samples(si(duration, "s", "duration"), self.rate)
        return [Epoch(name="step", start=self.lead, stop=stop, levels=self.holding + levels)]


def amplitude_list(amplitudes: Quantity) -> np.ndarray:
    """Convert one current or a list of them to an array (A), shape (n_sweeps,)."""
    levels = np.atleast_1d(si_array(amplitudes, "A", "amplitudes"))
    if levels.ndim != 1 or levels.size == 0:
        msg = f"amplitudes must be one list of currents, got shape {levels.shape}"
        raise InputError(msg)
    return levels


def from_epochs(
    family: str, epochs: Sequence[Epoch], timing: Timing, **parameters: Any
) -> Protocol:
    """Make a protocol of epochs that all have levels."""
    levels = epochs[0].levels
    n_sweeps = 1 if levels is None else levels.size
    n_samples = timing.length(epochs[-1].stop - timing.lead)
    return _protocol(
        family,
        levels_from_epochs(epochs, n_sweeps, n_samples, timing.holding),
        epochs,
        timing,
        parameters,
    )


def from_shape(family: str, shape: Shape, repeats: int, timing: Timing) -> Protocol:
    """Make equal sweeps of one shape; its epoch is called like the family."""
    repeats = whole_number("repeats", 1)(repeats)
    current = shape.samples(f"{timing.rate!r} Hz")
    stop = timing.lead + current.size
    waveforms = np.full((repeats, timing.length(current.size)), timing.holding)
    waveforms[:, timing.lead : stop] += current
    epochs = [Epoch(name=family, start=timing.lead, stop=stop)]
    return _protocol(
        family, waveforms, epochs, timing, {**shape.parameters, "repeats": repeats}
    )


def _protocol(
    family: str,
    waveforms: np.ndarray,
    epochs: Sequence[Epoch],
    timing: Timing,
    parameters: dict[str, Any],
) -> Protocol:
    return Protocol(
        waveforms=waveforms,
        rate=timing.rate,
        family=family,
        epochs=tuple(epochs),
        holding=timing.holding,
        gap=timing.gap,
        parameters={**parameters, **attrs.asdict(timing)},
    )


def finished(
    protocol: Protocol, test_pulse: Quantity, *, source: str, name: str | None = None
) -> Protocol:
    """Add name, source and, where one is wanted, the test pulse."""
    named = attrs.evolve(
        protocol, source=source, name=name if name is not None else protocol.family
    )
    return named if test_pulse is None else with_test_pulse(named, test_pulse)


def with_test_pulse(
    protocol: Protocol,
    amplitude: Quantity | None = None,
    *,
    duration: Quantity = "10 ms",
    before: Quantity = "40 ms",
    after: Quantity = "450 ms",
) -> Protocol:
    """Put a test pulse in front of every sweep of a protocol.

    Parameters
    ----------
    protocol : Protocol
        Its epochs move by the length of the front.
    amplitude : quantity or str, optional
        Pulse relative to holding (default -25 pA, in voltage clamp -5 mV).
    duration, before, after : quantity or str
        Length of the pulse and of the rest before and after it.

    Returns
    -------
    Protocol
        With the epoch "test_pulse" as its first.

    Notes
    -----
    Source: the front of 40 ms, 10 ms at -25 pA and 450 ms follows the sweeps of the Allen
    Cell Types Database; extractors made for them expect a pulse before the stimulus.

    Examples
    --------
    >>> from cleo_like.stimuli import long_square
    >>> with_test_pulse(long_square(["50 pA"], before="100 ms")).epochs
    (Epoch test_pulse [2000, 2500), Epoch step [30000, 80000))
    """
    if not hasattr(protocol, "epochs"):
        msg = f"a test pulse goes before a Protocol, got {type(protocol).__name__}"
        raise InputError(msg)
    if any(epoch.name == "test_pulse" for epoch in protocol.epochs):
        msg = f"protocol {protocol.name!r} has a test pulse already"
        raise InputError(msg)
    unit = protocol.mode.command_unit
    if protocol.mode is ClampMode.UNKNOWN:
        msg = f"the clamp mode of protocol {protocol.name!r} is unknown; give mode="
        raise InputError(msg)
    if amplitude is None:
        amplitude = "-25 pA" if unit == "A" else "-5 mV"
    rate = protocol.rate
    start = whole_samples(si(before, "s", "before"), rate, "before", least=0)
    stop = start + whole_samples(si(duration, "s", "duration"), rate)
    front = stop + whole_samples(si(after, "s", "after"), rate, "after", least=0)
    height = si(amplitude, unit, "amplitude")
    level = protocol.holding + height
    pulse = Epoch(
        name="test_pulse",
        start=start,
        stop=stop,
        levels=np.full(protocol.n_sweeps, level),
        unit=unit,
    )
    added = levels_from_epochs([pulse], protocol.n_sweeps, front, protocol.holding)
    moved = [
        attrs.evolve(e, start=e.start + front, stop=e.stop + front) for e in protocol.epochs
    ]
    return attrs.evolve(
        protocol,
        waveforms=np.concatenate([added, protocol.waveforms], axis=1),
        epochs=(pulse, *moved),
        parameters={
            **protocol.parameters,
            "test_pulse": {
                "amplitude": level - protocol.holding,
                "duration": si(duration, "s", "duration"),
            },
        },
    )
