"""A controller in another process, or in another language, for `CLSimulator`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.base.quantities import seconds, time_quantity
from cleo_like.core.errors import InputError
from cleo_like.core.units import si
from cleo_like.ioproc import LatencyIOProcessor
from cleo_like.remote.link import Link, RemoteError
from cleo_like.remote.message import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleo_like.core.units import Quantity


class ExternalProcessor(LatencyIOProcessor):
    """Sends every sample to a controller in another process, and takes its signals.

    The controller is a ZeroMQ REP socket: it receives STATE (named arrays of the recorders,
    and ``time s 1``) and answers CONTROL (named arrays of the stimulators). Simulated time
    waits for it.

    Parameters
    ----------
    endpoint : str
        Where the controller listens: "tcp://127.0.0.1:5556".
    sample_period : quantity
        Time between samples (default 1 ms).
    latency : quantity or "measured"
        From a sample to the signals for it. "measured" is the time that the controller really
        took, unless it answers with an array ``latency s 1``; a fixed one repeats itself.
    timeout : float
        Seconds to wait for an answer.
    **kwargs
        As for `LatencyIOProcessor`.

    Attributes
    ----------
    latencies : list of float
        Time that each answer took (s).

    Raises
    ------
    RemoteError
        The controller does not answer, or answers with an error.
    """

    _link: Link | None = None

    def __init__(
        self,
        endpoint: str,
        sample_period: Quantity | None = None,
        *,
        latency: Quantity = "measured",
        timeout: float = 10.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(sample_period, **kwargs)
        self.endpoint, self.timeout = endpoint, timeout
        self._fixed = None if latency == "measured" else si(latency, "s", "latency")
        if self._fixed is not None and self._fixed < 0:
            msg = f"latency must be 0 s or more, or 'measured', got {self._fixed:g} s"
            raise InputError(msg)
        self.latencies: list[float] = []

    def process(
        self, state_dict: dict[str, Any], t_samp: Quantity
    ) -> tuple[dict[str, Any], Any]:
        """Ask the controller."""
        if self._link is None:
            self._link = Link(self.endpoint, self.timeout)
        start = seconds(t_samp, "t_samp")
        arrays = dict(_arrays(state_dict))
        began = time.perf_counter()
        answer = self._link.ask(Kind.STATE, {"time": ("s", np.array([start]))} | arrays)
        took = time.perf_counter() - began
        self.latencies.append(took)
        if answer.kind is not Kind.CONTROL:
            msg = f"the controller at {self.endpoint} answered {answer.kind.name}, not CONTROL"
            raise RemoteError(msg)
        signals = {name: _signal(array) for name, (_, array) in answer.arrays.items()}
        told = signals.pop("latency", took)
        delay = self._fixed if self._fixed is not None else float(told)
        return signals, time_quantity(start + delay)

    def reset(self, **kwargs: Any) -> None:
        """Forget samples, answers and latencies."""
        super().reset(**kwargs)
        self.latencies.clear()

    def close(self) -> None:
        """Close the connection."""
        if self._link is not None:
            self._link.close()
            self._link = None


def _signal(array: np.ndarray) -> Any:
    return float(array.reshape(())) if array.size == 1 else np.array(array)


def _arrays(state: dict[str, Any]) -> Iterator[tuple[str, tuple[str, np.ndarray]]]:
    """Give the states of all recorders as named arrays of SI; of nested ones, one by one."""
    for name, value in state.items():
        label = "_".join(str(name).split())
        if isinstance(value, dict):
            for inner, (unit, array) in _arrays(value):
                yield f"{label}.{inner}", (unit, array)
        elif isinstance(value, (tuple, list)) and any(np.ndim(v) for v in value):
            for k, part in enumerate(value):
                yield f"{label}.{k}", _with_unit(part)
        elif value is not None:
            yield label, _with_unit(value)


def _with_unit(value: object) -> tuple[str, np.ndarray]:
    dimension = getattr(value, "dim", None)
    array = np.atleast_1d(np.asarray(value, dtype=float))
    if dimension is None or getattr(dimension, "is_dimensionless", False):
        return "1", array
    return _UNITS.get(repr(dimension), "SI"), array


_UNITS = {
    "metre ** 2 * kilogram * second ** -3 * amp ** -1": "V", "amp": "A", "second ** -1": "Hz",
    "second": "s",
}  # fmt: skip
"""Names of units by Brian2's dimension."""
