"""Controllers: sampling, latency, and two building blocks of control."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping
from math import ceil, exp, floor
from typing import TYPE_CHECKING, Any

from cleo_like.base.history import History
from cleo_like.base.processor import TICK_SLACK, IOProcessor
from cleo_like.base.quantities import seconds, time_quantity
from cleo_like.core.errors import InputError, NotHereYetError
from cleo_like.core.units.dimensions import has_unit

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity

__all__ = [
    "IOProcessor",
    "LatencyIOProcessor",
    "RecordOnlyProcessor",
    "exp_firing_rate_estimate",
    "pi_ctrl",
]

_EVERY_TIME = (
    "preprocess_ctrl_signals", "is_sampling_now", "get_ctrl_signals", "get_stim_values",
    "has_due_signals", "put_state",
)  # fmt: skip
_ALONE = 1e-9  # s; tolerance outside a simulator, where no time step is known


_GONE = {
    "ProcessingBlock": "a method that process() calls",
    "Delay": "the time that process() returns: t_samp + 3*ms",
    "ConstantDelay": "the time that process() returns: t_samp + 3*ms",
    "GaussianDelay": "the time that process() returns, drawn there",
    "FiringRateEstimator": "exp_firing_rate_estimate",
    "PIController": "pi_ctrl",
}


def __getattr__(name: str) -> Any:
    if name in _GONE:
        msg = f"Cleo's {name}, which its 0.20 has no more, is here {_GONE[name]}"
        raise NotHereYetError(msg)
    msg = f"module 'cleo_like.ioproc' has no attribute {name!r}"
    raise AttributeError(msg)


class LatencyIOProcessor(IOProcessor):
    """A controller with latency: what it computes comes out later than the sample.

    Derive from it and write `process`.

    Parameters
    ----------
    sample_period : quantity
        Time between samples (default 1 ms); any, for example ``1/30*second``.
    sampling : str
        "fixed": at every period, come what may. "when idle": not while an answer is
        pending; a sample missed for that is taken as soon as the answer is out.
    processing : str
        "parallel": answers come out at the time `process` says. "serial": the
        computation of a sample starts only when the one before it is out.

    Examples
    --------
    >>> from brian2 import ms
    >>> class Double(LatencyIOProcessor):
    ...     def process(self, state_dict, t_samp):
    ...         return {"light": 2 * state_dict["probe"]}, t_samp + 3 * ms
    >>> double = Double(sample_period=1 * ms)
    >>> double.put_state({"probe": 4}, 0 * ms)
    >>> double.get_ctrl_signals(1 * ms), double.get_ctrl_signals(3 * ms)
    ({}, {'light': 8})
    """

    _always = False
    sampling = "fixed"
    processing = "parallel"

    def __init__(
        self,
        sample_period: Quantity | None = None,
        sampling: str = "fixed",
        processing: str = "parallel",
    ) -> None:
        super().__init__(sample_period)
        self.sampling = _one_of("sampling", sampling, ("fixed", "when idle"))
        self.processing = _one_of("processing", processing, ("parallel", "serial"))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Note whether a subclass has something to do at every communication."""
        super().__init_subclass__(**kwargs)
        cls._always = cls._always or any(name in cls.__dict__ for name in _EVERY_TIME)

    def forget(self) -> None:
        """Forget samples and pending answers."""
        super().forget()
        self.out_buffer: deque[tuple[dict[str, Any], Any]] = deque()
        """Answers not yet out, with their times, the first one first."""
        self._samples = History()
        self._missed = False

    def store_state(self) -> dict[str, Any]:
        """Give what `brian2.Network.store` keeps: samples taken, and answers pending."""
        pending = [(dict(signals), float(t_out)) for signals, t_out in self.out_buffer]
        own = {"pending": pending, "samples": self._samples.copy(), "missed": self._missed}
        return super().store_state() | own

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `store_state` gave."""
        super().restore_state(state)
        pending = [(dict(signals), time_quantity(t)) for signals, t in state["pending"]]
        self.out_buffer = deque(pending)
        self._samples, self._missed = state["samples"].copy(), state["missed"]

    @abstractmethod
    def process(
        self, state_dict: dict[str, Any], t_samp: Quantity
    ) -> tuple[dict[str, Any], Any]:
        """Decide: take a sample, give signals and the time at which they come out.

        Parameters
        ----------
        state_dict : dict
            Names of recorders with their states.
        t_samp : quantity
            Time of the sample.

        Returns
        -------
        tuple of (dict, quantity)
            Names of stimulators with signals, and a time not before the sample.
        """

    @property
    def t_samp(self) -> Any:
        """Times of all samples (quantity, shape (n,))."""
        from brian2 import second

        return self._samples.times * second

    @property
    def t_samp_ms(self) -> Any:
        """Times of all samples in ms."""
        return self._samples.times * 1e3

    def is_sampling_now(self, t_now: Quantity) -> bool:
        """Whether a sample is taken at this time."""
        now = seconds(t_now, "t_now")
        due = self._is_scheduled(now)
        if self.sampling == "fixed":
            return due
        if not self._is_idle(now):
            self._missed = self._missed or due
            return False
        return due or self._missed  # asking changes nothing; taking the sample does

    def _is_scheduled(self, now: float) -> bool:
        """Whether the time of a sample lies in the time step that ends now."""
        if self._tick is None:
            count = now / self._period
            return abs(count - round(count)) * self._period <= _ALONE
        per_tick = self._tick / self._period
        slack = TICK_SLACK * per_tick
        ticks = round(now / self._tick)
        return floor(ticks * per_tick + slack) > floor((ticks - 1) * per_tick + slack)

    def next_tick(self, tick: int) -> int:
        """Give the next communication with a sample or an answer in it."""
        if self._always or self.sampling != "fixed" or self._tick is None:
            return tick + 1
        per_tick = self._tick / self._period
        samples = floor(tick * per_tick + TICK_SLACK * per_tick) + 1
        following = ceil(samples / per_tick - TICK_SLACK)
        if self.out_buffer:
            out = ceil(float(self.out_buffer[0][1]) / self._tick - TICK_SLACK)
            following = min(following, out)
        return max(following, tick + 1)

    def _slack(self) -> float:
        return TICK_SLACK * self._tick if self._tick is not None else _ALONE

    def _is_idle(self, now: float) -> bool:
        latest = now + self._slack()
        return all(float(t_out) <= latest for _, t_out in self.out_buffer)

    def put_state(self, state_dict: dict[str, Any], t_samp: Quantity) -> None:
        """Take a sample, process it, and keep the answer until it is due."""
        start = seconds(t_samp, "t_samp")
        self._missed = False
        signals, t_out = self._checked(self.process(state_dict, t_samp))
        end = start + self._latency(t_out, start)
        if self.processing == "serial" and self.out_buffer:
            end += float(self.out_buffer[-1][1]) - start
        self._samples.append(start, 0.0)
        place = len(self.out_buffer)
        while place and float(self.out_buffer[place - 1][1]) > end:
            place -= 1  # a shorter latency overtakes
        # a controller may use its dict again before the answer is out
        own = {name: _copied(value) for name, value in signals.items()}
        self.out_buffer.insert(place, (own, time_quantity(end)))

    def _checked(self, answer: Any) -> tuple[dict[str, Any], Any]:
        """Refuse what is not signals with a time."""
        if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], Mapping):
            return answer
        msg = (
            f"{type(self).__name__}.process() must return two things: a dict of signals by "
            f"name of stimulator, and the time at which they come out; got {answer!r}"
        )
        raise InputError(msg)

    def _latency(self, t_out: Quantity, start: float) -> float:
        end = seconds(t_out, "the output time that process() returned")
        if end < start - self._slack():
            msg = (
                f"{type(self).__name__}.process() returned the output time {end * 1e3:g} ms "
                f"for a sample taken at {start * 1e3:g} ms: a latency of "
                f"{(end - start) * 1e3:g} ms; return t_samp plus a latency of 0 or more"
            )
            raise InputError(msg)
        return end - start

    def get_ctrl_signals(self, t_query: Quantity) -> dict[str, Any]:
        """Give the first answer that is due (empty when none is)."""
        if not self.has_due_signals(t_query):
            return {}
        return self.out_buffer.popleft()[0]

    def has_due_signals(self, t_query: Any) -> bool:
        """Whether an answer is due."""
        if not self.out_buffer:
            return False
        return float(self.out_buffer[0][1]) <= float(t_query) + self._slack()


class RecordOnlyProcessor(LatencyIOProcessor):
    """Samples all recorders and does nothing.

    Parameters
    ----------
    sample_period : quantity
        Time between samples (default 1 ms).
    **kwargs
        As for `LatencyIOProcessor`.
    """

    def __init__(self, sample_period: Quantity | None = None, **kwargs: Any) -> None:
        super().__init__(sample_period, **kwargs)

    def process(
        self, state_dict: dict[str, Any], t_samp: Quantity
    ) -> tuple[dict[str, Any], Any]:
        """Do nothing, at once."""
        del state_dict
        return {}, t_samp


def _copied(value: object) -> Any:
    """Copy what can be changed in place."""
    return copy.deepcopy(value) if hasattr(value, "__setitem__") else value


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        msg = f"{name} must be {' or '.join(map(repr, allowed))}, got {value!r}"
        raise InputError(msg)
    return value


def exp_firing_rate_estimate(
    spike_counts: Any, dt: Quantity, prev_rate: Any, tau: Quantity
) -> Any:
    r"""Estimate firing rates by exponential smoothing.

    :math:`r \leftarrow a r + (1 - a) n / dt` with :math:`a = e^{-dt/\tau}`, whose steady
    state for a regular train is its mean rate.

    Parameters
    ----------
    spike_counts : array of int, shape (n,)
        Spikes since the last call.
    dt : quantity
        Time since the last call.
    prev_rate : quantity, shape (n,), or 0
        Last estimate (Hz).
    tau : quantity
        Time constant.

    Returns
    -------
    quantity, shape (n,)
        New estimate (Hz).

    Examples
    --------
    >>> from brian2 import Hz, ms
    >>> rate = exp_firing_rate_estimate([1, 0], 1 * ms, [0, 10] * Hz, 20 * ms)
    >>> [round(float(r), 6) for r in rate]
    [48.770575, 9.512294]
    """
    import numpy as np

    step, time = seconds(dt, "dt"), seconds(tau, "tau")
    if not (step > 0 and time > 0):
        msg = f"dt and tau must be positive, got dt={dt}, tau={tau}"
        raise InputError(msg)
    from brian2 import Hz, second

    if not has_unit(prev_rate):
        if np.any(np.asarray(prev_rate, dtype=float)):  # nothing is nothing in any unit
            msg = f"prev_rate={prev_rate} has no unit; multiply it by Hz"
            raise InputError(msg)
        prev_rate = prev_rate * Hz
    keep = exp(-step / time)
    return prev_rate * keep + (1 - keep) / step * np.asarray(spike_counts) / second


def pi_ctrl(  # noqa: PLR0917 - Cleo's signature
    measurement: Any,
    reference: Quantity,
    integ_error: Any,
    dt: Quantity,
    Kp: Any,  # noqa: N803 - Cleo's names
    Ki: Any = None,  # noqa: N803
) -> tuple[Any, Any]:
    """Proportional-integral control: one step.

    Parameters
    ----------
    measurement, reference : quantity or float
        What is, and what shall be.
    integ_error : quantity or float
        Integral of the error so far (unit of the measurement times time).
    dt : quantity
        Time since the last step.
    Kp : quantity or float
        Proportional gain (signal per error).
    Ki : quantity, optional
        Integral gain (signal per error and time); None is 0.

    Returns
    -------
    tuple
        The control signal, and the new integral of the error.

    Examples
    --------
    >>> from brian2 import ms, second
    >>> pi_ctrl(2.0, 5.0, 0 * second, 1 * ms, Kp=2, Ki=100 / second)
    (6.3, 3. * msecond)
    """
    error = reference - measurement
    integ_error = integ_error + error * dt
    signal = Kp * error
    if Ki is not None:
        signal = signal + Ki * integ_error
    plain = not has_unit(signal) or getattr(signal, "is_dimensionless", False)
    return (float(signal) if plain and getattr(signal, "ndim", 0) == 0 else signal), integ_error
