"""The controller's interface: when to sample, what to do, what to send back."""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from cleo_like.base.quantities import quantity, time_quantity
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from cleo_like.base.simulation import Simulation
    from cleo_like.core.units import Quantity

TICK_SLACK = 1e-4
"""Part of one tick by which a time may miss a tick and still count as on it."""


class IOProcessor(ABC):
    """Takes samples of the recorders and gives signals for the stimulators.

    A controller of one's own usually derives from `cleo_like.ioproc.LatencyIOProcessor`,
    which needs `process` only.

    Parameters
    ----------
    sample_period : quantity
        Time between samples (default 1 ms). It need not be a multiple of the time step:
        samples are counted, each taken at the first step at or after its time.
    *args, **kwargs
        Those that the `__init__` of a subclass takes.
    """

    _tick: float | None = None  # s between two communications; None outside a simulator
    _period: float = 1e-3
    _simulator: weakref.ref[Simulation] | None = None
    latest_ctrl_signal: dict[str, Any]
    """The last signal for every stimulator."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Give every controller its state, also one whose `__init__` calls no other."""
        del args, kwargs
        processor = super().__new__(cls)
        processor.forget()
        return processor

    def __init__(self, sample_period: Quantity | None = None) -> None:
        self.sample_period = sample_period if sample_period is not None else "1 ms"

    @property
    def sample_period(self) -> Any:
        """Time between samples (quantity)."""
        return time_quantity(self._period)

    @sample_period.setter
    def sample_period(self, value: object) -> None:
        period = float(quantity(value, "s", "sample_period"))
        if not period > 0:
            msg = f"sample_period must be positive, got {value}"
            raise InputError(msg)
        self._period = period

    @property
    def sample_period_ms(self) -> float:
        """Time between samples in ms."""
        return self._period * 1e3

    def enter(self, simulator: Simulation) -> None:
        """Join a simulator; what is pending for another one is forgotten."""
        if self._simulator is not None and self._simulator() is not simulator:
            self.forget()
        self._simulator = weakref.ref(simulator)

    def start(self, tick: float) -> None:
        """Learn how often the simulator asks (s); called before every run."""
        if self._period < tick * (1 - TICK_SLACK):
            msg = (
                f"sample_period {self._period * 1e3:g} ms is shorter than the "
                f"{tick * 1e3:g} ms between two communications; lower the time step "
                f"(defaultclock.dt) or communication_period, or sample less often"
            )
            raise InputError(msg)
        self._tick = tick

    def next_tick(self, tick: int) -> int:
        """Give the next communication, after this one, that has anything to do.

        The loop leaves the others out. By default every communication has.

        Parameters
        ----------
        tick : int
            Number of the present communication.
        """
        return tick + 1

    @abstractmethod
    def is_sampling_now(self, t_now: Quantity) -> bool:
        """Whether a sample is due at this time (quantity)."""

    @abstractmethod
    def put_state(self, state_dict: dict[str, Any], t_samp: Quantity) -> None:
        """Take a sample: recorder names with their states, and the time (quantity)."""

    @abstractmethod
    def get_ctrl_signals(self, t_query: Quantity) -> dict[str, Any]:
        """Give the signals that are due at this time: stimulator names with values."""

    def has_due_signals(self, t_query: Quantity) -> bool:
        """Whether more signals are due at this time (several may be at once)."""
        del t_query
        return False

    def get_stim_values(self, t_query: Quantity) -> dict[str, Any]:
        """Give the values the stimulators shall have now; called every communication.

        Parameters
        ----------
        t_query : quantity
            Present time.

        Returns
        -------
        dict
            Signals that are due, and what `preprocess_ctrl_signals` makes of the latest.
        """
        signals = self.get_ctrl_signals(t_query)
        self.latest_ctrl_signal.update(signals)
        values = self.preprocess_ctrl_signals(self.latest_ctrl_signal, t_query)
        return {**signals, **values} if values else signals

    def preprocess_ctrl_signals(
        self, latest_ctrl_signals: Mapping[str, Any], t_query: Quantity
    ) -> dict[str, Any]:
        """Make waveforms between samples: override to turn signals into values.

        It is called at every communication (every time step by default), so a signal may
        be the parameter of a waveform (a frequency, say), computed here for each step.

        Parameters
        ----------
        latest_ctrl_signals : mapping
            The last signal for each stimulator.
        t_query : quantity
            Present time.

        Returns
        -------
        dict
            Stimulator names with the values they get; empty (default) leaves all as is.
        """
        del latest_ctrl_signals, t_query
        return {}

    def forget(self) -> None:
        """Forget samples and answers; `CLSimulator.reset` does it before it calls `reset`."""
        self.latest_ctrl_signal = {}

    def _base_reset(self) -> None:
        self.forget()

    def reset(self, **kwargs: Any) -> None:
        """Return to the state before the first sample; override to reset one's own.

        Samples and answers are forgotten by the simulator, whether or not an override
        calls this method.
        """
        del kwargs
        self._base_reset()

    def store_state(self) -> dict[str, Any]:
        """Give what `brian2.Network.store` keeps of the controller: no attribute of one's own.

        Override this and `restore_state` for a controller that has a memory and is used
        with `Network.restore`.
        """
        return {"latest": dict(self.latest_ctrl_signal)}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `store_state` gave."""
        self.latest_ctrl_signal = dict(state["latest"])
