"""One sweep: what was commanded and what came back."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import (
    array_eq,
    read_only,
    samples_by_mode,
    si_mapping,
    si_number,
    texts,
    whole_number,
)
from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.units import si
from cleo_like.core.units.table import show_range
from cleo_like.core.window import chosen_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from jaxtyping import Float

    from cleo_like.core.units import Quantity
    from cleo_like.core.window import WindowLike


RATE_TOLERANCE = 1e-6
"""Relative. A digitiser's crystal is true to 1e-5 at best, so a smaller difference is rounding
(time stamps, 1 / interval) and no other clock; over 10 s at 50 kHz it is half a sample."""

SLOWEST_RATE = 200.0
"""Hz: below it no step response of a cell can be followed (membranes take 5 to 50 ms), and
the number is rather one of kHz."""


class ClampMode(StrEnum):
    """What the amplifier holds: current, voltage, or nothing that is known."""

    CURRENT = "current_clamp"
    VOLTAGE = "voltage_clamp"
    UNKNOWN = "unknown"

    @property
    def command_unit(self) -> str:
        """SI unit of the command ("?" where the mode is unknown)."""
        return {"current_clamp": "A", "voltage_clamp": "V"}.get(self.value, "?")

    @property
    def response_unit(self) -> str:
        """SI unit of the response ("?" where the mode is unknown)."""
        return {"current_clamp": "V", "voltage_clamp": "A"}.get(self.value, "?")


def clamp_mode(value: object) -> ClampMode:
    """Convert the name of a clamp mode, or say which there are."""
    if isinstance(value, str) and value in {str(mode) for mode in ClampMode}:
        return ClampMode(value)
    raise unknown_name("clamp mode", str(value), map(str, ClampMode))


@attrs.frozen(kw_only=True)
class Sweep:
    """One sweep of a patch recording.

    Arrays and numbers are SI (V, A, s, Hz); quantities (Brian2, ``quantities``, pint,
    astropy), and lists of them, are converted and must have the unit of the clamp mode.
    Samples that were not recorded (NaN tail) are trimmed by the reader, which says so in
    `notes`.

    Parameters
    ----------
    response : array, shape (n_samples,)
        Membrane potential (V) in current clamp, current (A) in voltage clamp.
    command : array, shape (n_samples,), optional
        Commanded current (A) or potential (V); None when the file does not tell.
    rate : float
        Sampling rate (Hz).
    number : int
        Number of the sweep in its recording, as the file counts it.
    mode : ClampMode or str
        "current_clamp" (default), "voltage_clamp" or "unknown".
    start_time : float
        Start of the sweep (s) from the start of the recording.
    stimulus : str, optional
        Name of the stimulus, as the file gives it.
    settings : mapping
        Amplifier settings of this sweep in SI (gain, bridge_balance,
        capacitance_compensation, bias_current ...); what is missing is unknown.
    notes : tuple of str
        What a reader found or changed ("NaN tail of 120 samples trimmed").

    Examples
    --------
    >>> Sweep(response=np.full(200, -0.07), command=np.zeros(200), rate=20_000.0, number=3)
    Sweep 3: current_clamp, 200 samples at 20 kHz (10 ms), -70..-70 mV, command 0..0 pA
    """

    # before what is converted by it
    mode: ClampMode = attrs.field(default=ClampMode.CURRENT, converter=clamp_mode)
    response: Float[np.ndarray, "n_samples"] = attrs.field(
        converter=samples_by_mode("response", "response"), eq=array_eq
    )
    command: Float[np.ndarray, "n_samples"] | None = attrs.field(
        default=None,
        converter=samples_by_mode("command", "command", optional=True),
        eq=array_eq,
    )
    rate: float = attrs.field(converter=si_number("Hz", "rate"))
    number: int = attrs.field(default=0, converter=whole_number("number"))
    start_time: float = attrs.field(default=0.0, converter=si_number("s", "start_time"))
    stimulus: str | None = None
    settings: Mapping[str, Any] = attrs.field(factory=dict, converter=si_mapping)
    notes: tuple[str, ...] = attrs.field(default=(), converter=texts)

    def __attrs_post_init__(self) -> None:
        """Check shapes and rate."""
        if self.response.ndim != 1:
            msg = f"response must be 1-D (n_samples,), got shape {self.response.shape}"
            raise InputError(msg)
        if self.command is not None and self.command.shape != self.response.shape:
            msg = (
                f"command must have the shape of the response {self.response.shape}, "
                f"got {self.command.shape} in sweep {self.number}"
            )
            raise InputError(msg)
        if not (np.isfinite(self.rate) and self.rate > 0):
            msg = f"rate must be a positive number of Hz, got {self.rate}"
            raise InputError(msg)
        if not np.isfinite(self.start_time):
            msg = f"start_time must be a finite number of s, got {self.start_time}"
            raise InputError(msg)

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.response.shape[0]

    @property
    def duration(self) -> float:
        """Length (s): n_samples / rate."""
        return self.n_samples / self.rate

    @property
    def time(self) -> Float[np.ndarray, "n_samples"]:
        """Time of each sample (s) from the start of the sweep."""
        return read_only(np.arange(self.n_samples) / self.rate)

    def __len__(self) -> int:
        """Count the samples."""
        return self.n_samples

    def between(
        self,
        start: Quantity | None = None,
        end: Quantity | None = None,
        *,
        window: WindowLike | None = None,
        stop: Quantity | None = None,
    ) -> Sweep:
        """Cut a stretch out: the samples at times from `start` to before `end`.

        Parameters
        ----------
        start, end : quantity
            From the start of the sweep.
        window : Window or pair of quantities, optional
            Instead of the two: ``cl.match(recording).window``, ``recording.window("step")``.
        stop : quantity, optional
            Older name of `end`.

        Returns
        -------
        Sweep
            With its own `start_time` in the recording.

        Raises
        ------
        InputError
            Nothing of the sweep lies between them.

        Examples
        --------
        >>> Sweep(response=np.zeros(200), rate=2e4).between("2 ms", "5 ms").n_samples
        60
        """
        low, high = self._limits(start, end if end is not None else stop, window)
        # the first sample at or after each time; a time on a sample, but for rounding, is that
        a, b = (int(np.ceil(round(t * self.rate, 6))) for t in (low, high))
        a, b = max(a, 0), min(b, self.n_samples)
        if a >= b:
            msg = (
                f"nothing of sweep {self.number} ({self.duration:g} s) lies between "
                f"{low:g} s and {high:g} s"
            )
            raise InputError(msg)
        return attrs.evolve(
            self, response=self.response[a:b], start_time=self.start_time + a / self.rate,
            command=None if self.command is None else self.command[a:b],
        )  # fmt: skip

    def _limits(
        self, start: Quantity | None, end: Quantity | None, window: WindowLike | None
    ) -> tuple[float, float]:
        """Give two times (s), which may lie outside the sweep."""
        if window is None and start is not None and end is not None:
            return si(start, "s", "start"), si(end, "s", "end")
        found = chosen_window(start, end, window)
        if found is None:
            msg = "say what to cut out: start and end, as in between('0.1 s', '0.3 s')"
            raise InputError(msg)
        return found.start, found.end

    def plot(self, ax: Any = None, *, spikes: np.ndarray | None = None) -> np.ndarray:
        """Draw the response, the command below it; see `cleo_like.core.views.sweeps`.

        Parameters
        ----------
        ax : axes or two axes, optional
            Where to draw the response, and the command; a new figure where not given.
        spikes : array, optional
            Times (s) of spikes to be marked.

        Returns
        -------
        array of Axes
        """
        from cleo_like.core.views.sweeps import plot_sweep

        return plot_sweep(self, ax, spikes=spikes)

    def to_pandas(self) -> pd.DataFrame:
        """Give a DataFrame with a row for each sample, in mV, pA and s."""
        from cleo_like.core.views.exchange import sweeps_frame

        return sweeps_frame([self])

    def _repr_html_(self) -> str:
        from cleo_like.core.views.sweeps import sweep_card

        return sweep_card(self)

    def __repr__(self) -> str:
        """One line in mV, pA and ms."""
        command = (
            "no command"
            if self.command is None
            else f"command {show_range(self.command, self.mode.command_unit)}"
        )
        return (
            f"Sweep {self.number}: {self.mode}, {self.n_samples} samples at "
            f"{self.rate / 1e3:g} kHz ({self.duration * 1e3:.6g} ms), "
            f"{show_range(self.response, self.mode.response_unit)}, {command}"
        )


def same_rate(left: float, right: float) -> bool:
    """Whether two rates (Hz) differ by no more than rounding.

    Examples
    --------
    >>> same_rate(20_000.0, 19_999.999999999996), same_rate(20_000.0, 20_001.0)
    (True, False)
    """
    return abs(left - right) <= RATE_TOLERANCE * max(abs(left), abs(right))


def with_common_rates(sweeps: Iterable[Sweep]) -> tuple[Sweep, ...]:
    """Give sweeps whose rates differ by rounding one rate, a whole number where there is one.

    Parameters
    ----------
    sweeps : iterable of Sweep
        Of one recording.

    Returns
    -------
    tuple of Sweep
        The same objects where nothing is to be done.
    """
    if isinstance(sweeps, Sweep):
        sweeps = (sweeps,)
    sweeps = tuple(sweeps)
    given: tuple[object, ...] = sweeps
    strange = next((s for s in given if not isinstance(s, Sweep)), None)
    if strange is not None:
        msg = (
            "sweeps must be Sweeps, Sweep(response=..., rate=...), "
            f"got {type(strange).__name__}: {strange!r:.60}"
        )
        raise InputError(msg)
    rates = dict.fromkeys(sweep.rate for sweep in sweeps)
    if len(rates) < 2:
        return sweeps
    shared: list[float] = []
    for rate in sorted(rates, key=lambda rate: (rate != round(rate), list(rates).index(rate))):
        if not any(same_rate(rate, other) for other in shared):
            shared.append(rate)
    common = {rate: next(r for r in shared if same_rate(rate, r)) for rate in rates}
    return tuple(
        sweep
        if sweep.rate == common[sweep.rate]
        else attrs.evolve(sweep, rate=common[sweep.rate])
        for sweep in sweeps
    )
