"""A current in time that draws itself on any sample grid; what `shapes` makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import frozen_mapping, si_number
from cleo_like.core.errors import InputError
from cleo_like.core.units import number, si
from cleo_like.stimuli.waveforms.grid import sample_rate, whole_samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jaxtyping import Float

    from cleo_like.core.units import Quantity

    Draw = Callable[[Float[np.ndarray, "n_samples"], float], Float[np.ndarray, "n_samples"]]


@attrs.frozen(kw_only=True)
class Shape:
    """A current in time, zero before 0 and from `duration` on.

    Use the functions of `cleo_like.stimuli.waveforms.shapes` to make one.

    Parameters
    ----------
    name : str
        What it is, for messages.
    duration : float
        Length (s).
    draw : callable
        ``draw(time, rate)`` gives the current (A) at sample times (s) in [0, duration).
    parameters : mapping
        Arguments it was made with (SI).

    Examples
    --------
    >>> from cleo_like.stimuli import shapes
    >>> late = shapes.square("5 pA", "1 ms").delayed("1 ms")
    >>> both = shapes.square("10 pA", "2 ms") + late
    >>> both.samples("1 kHz") * 1e12
    array([10., 15.])
    """

    name: str
    duration: float = attrs.field(converter=si_number("s", "duration"))
    draw: Draw = attrs.field(repr=False)
    parameters: Mapping[str, Any] = attrs.field(factory=dict, converter=frozen_mapping)

    def samples(self, rate: Quantity) -> Float[np.ndarray, "n_samples"]:
        """Draw the shape on a sample grid.

        Parameters
        ----------
        rate : quantity or str
            Sampling rate; must divide the duration.

        Returns
        -------
        array, shape (n_samples,)
            Current (A) at times 0, 1/rate, 2/rate ...
        """
        hertz = sample_rate(rate)
        count = whole_samples(self.duration, hertz, f"{self.name} duration")
        return self.draw(np.arange(count) / hertz, hertz)

    def delayed(self, delay: Quantity) -> Shape:
        """Give the same shape after a pause at zero.

        Parameters
        ----------
        delay : quantity or str
            Time of zero current in front.
        """
        pause = at_least_zero(delay, "delay")

        def draw(time: np.ndarray, rate: float) -> np.ndarray:
            lead = whole_samples(pause, rate, f"delay of {self.name}", least=0)
            rest = time.size - lead
            return np.concatenate([np.zeros(lead), self.draw(np.arange(rest) / rate, rate)])

        return Shape(
            name=self.name,
            duration=pause + self.duration,
            draw=draw,
            parameters={**self.parameters, "delay": pause},
        )

    def __add__(self, other: Shape) -> Shape:
        """Add two shapes; the shorter one is followed by zero."""
        return sum_of(self, other)

    def __mul__(self, factor: float) -> Shape:
        """Scale the current by a pure number."""
        scale = number(factor, "the factor of a shape")
        return attrs.evolve(
            self,
            draw=lambda time, rate: scale * self.draw(time, rate),
            parameters={**self.parameters, "factor": scale},
        )

    __rmul__ = __mul__

    def __neg__(self) -> Shape:
        """Turn the sign of the current."""
        return -1.0 * self


def sum_of(*parts: Shape) -> Shape:
    """Add any number of shapes; shorter ones are followed by zero.

    Parameters
    ----------
    *parts : Shape
        One or more.

    Returns
    -------
    Shape
        As long as the longest part.

    Raises
    ------
    InputError
        No shape was given.
    """
    if not parts:
        msg = "sum_of needs at least one shape, got none"
        raise InputError(msg)

    def draw(time: np.ndarray, rate: float) -> np.ndarray:
        total = np.zeros(time.size)
        for part in parts:
            drawn = part.samples(f"{rate!r} Hz")
            total[: drawn.size] += drawn
        return total

    return Shape(
        name="sum of " + ", ".join(part.name for part in parts),
        duration=max(part.duration for part in parts),
        draw=draw,
        parameters={"parts": [{"name": p.name, **p.parameters} for p in parts]},
    )


def length_of(value: object, name: str = "duration") -> float:
    """Convert a duration that must be above 0 s."""
    length = si(value, "s", name)
    if length <= 0:
        msg = f"{name} must be above 0 s, got {length:g} s"
        raise InputError(msg)
    return length


def at_least_zero(value: object, name: str, unit: str = "s") -> float:
    """Convert a quantity that must not be negative."""
    number = si(value, unit, name)
    if number < 0:
        msg = f"{name} must be 0 {unit} or more, got {number:g} {unit}"
        raise InputError(msg)
    return number


def below_nyquist(frequency: float, rate: float, name: str) -> None:
    """Refuse a frequency that the sampling rate cannot carry."""
    if frequency > rate / 2:
        msg = (
            f"{name} {frequency:g} Hz cannot be drawn at {rate:g} Hz; it must be at most "
            f"half the rate ({rate / 2:g} Hz)"
        )
        raise InputError(msg)
