"""A population that is imaged, left alone and held at a set point in closed loop."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.ioproc import LatencyIOProcessor, RecordOnlyProcessor, pi_ctrl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleo_like.base import CLSimulator
    from cleo_like.core import Traces
    from cleo_like.core.units import Quantity

N = 250
LENGTH = 30.0  # s
RATE = 30.0  # frames/s
CHANGE, DISTURBED = 10.0, 20.0  # s
TARGETS = (0.4, 0.8)  # dF/F
LATENCY = 0.02  # s
GAIN, INTEGRAL_GAIN = 40.0, 250.0  # pA, and pA/s, for a mean dF/F of 1
NEURONS = """
dv/dt = (-70*mV - v + 100*Mohm*(drive + control - w))/(20*ms) + 4*mV*sqrt(2/(20*ms))*xi : volt
dw/dt = -w/(200*ms) : amp
drive = offset + slow*sin(2*pi*0.2*Hz*t) + push*int(t >= disturbed) : amp
offset : amp
control : amp
"""


@attrs.frozen(kw_only=True, eq=False)
class LoopRun:
    """One population twice: left alone, and controlled; the same noise and disturbance.

    Parameters
    ----------
    alone, held : Traces
        What the scope saw.
    target : array, shape (n_frames,)
        Set point of the mean dF/F.
    signal_times, signal : array, shape (n,)
        Control current (A), and when it began (s).
    cpu : float
        CPU time of both runs (s).
    """

    alone: Traces
    held: Traces
    target: np.ndarray
    signal_times: np.ndarray
    signal: np.ndarray
    cpu: float


def set_point(seconds: Any) -> Any:
    """Give the mean dF/F that the controller aims at."""
    return np.where(np.asarray(seconds) < CHANGE, *TARGETS)


class HoldFluorescence(LatencyIOProcessor):
    """Steers the mean dF/F of a scope with a current, by proportional-integral control."""

    def __init__(self) -> None:
        from brian2 import Hz, second

        super().__init__(1 / (RATE * Hz))
        self._latency_of_ours = LATENCY * second
        self.reset()

    def reset(self, **kwargs: object) -> None:
        """Forget the integral."""
        super().reset(**kwargs)
        self._integral = 0.0

    def process(
        self, state_dict: dict[str, Any], t_samp: Quantity
    ) -> tuple[dict[str, Any], Any]:
        """Compare the mean with the set point; the answer comes out after the latency."""
        signal, self._integral = pi_ctrl(
            float(state_dict["Scope"].mean()),
            float(set_point(t_samp)),
            self._integral,
            1 / RATE,
            GAIN,
            INTEGRAL_GAIN,
        )
        return {"current": signal}, t_samp + self._latency_of_ours


def run_loop(seed: int) -> LoopRun:
    """Image the population alone, then with the controller."""
    from brian2 import Hz, second

    start = time.process_time()
    with _without_compiler():
        sim = _population(seed)
        scope: Any = sim.recorders["Scope"]
        current: Any = sim.stimulators["current"]
        sim.set_io_processor(RecordOnlyProcessor(1 / (RATE * Hz)))
        sim.run(LENGTH * second)
        alone = scope.traces()
        sim.reset()
        sim.set_io_processor(HoldFluorescence())
        sim.run(LENGTH * second)
        held = scope.traces()
    return LoopRun(
        alone=alone,
        held=held,
        target=set_point(held.times),
        signal_times=np.array(current.history.times),
        signal=np.array(current.history.values) * 1e-12,
        cpu=time.process_time() - start,
    )


@contextmanager
def _without_compiler() -> Iterator[None]:
    """Let Brian2 use numpy: compiling would take longer than this run."""
    from brian2 import prefs

    before = prefs.codegen.target
    prefs.codegen.target = "numpy"
    try:
        yield
    finally:
        prefs.codegen.target = before


def _population(seed: int) -> CLSimulator:
    """Put noisy, adapting integrators into a slab of tissue, with a scope above."""
    from brian2 import Network, NeuronGroup, ms, mV, pA, second, um

    from cleo_like.base import CLSimulator
    from cleo_like.coords import assign_coords_rand_rect_prism
    from cleo_like.imaging import Optics, Scope, calibrated
    from cleo_like.stimulators import StateVariableSetter

    rng = np.random.default_rng(seed)
    cells = NeuronGroup(
        N, NEURONS, threshold="v > -52*mV", reset="v = -60*mV; w += 10*pA",
        method="euler", dt=0.5 * ms, name="population*",
        namespace={"slow": 12 * pA, "push": 25 * pA, "disturbed": DISTURBED * second},
    )  # fmt: skip
    cells.v, cells.offset = -70 * mV, rng.normal(95, 18, N) * pA
    assign_coords_rand_rect_prism(cells, (-200, 200), (-200, 200), (150, 210), unit=um, rng=rng)
    scope = Scope(
        calibrated.jgcamp8m(rand_seed=seed), 400 * um, 180 * um, soma_radius=7 * um,
        optics=Optics(neuropil=0.02), rand_seed=seed,
    )  # fmt: skip
    current = StateVariableSetter(name="current", variable_to_ctrl="control", unit=pA)
    sim = CLSimulator(Network(cells), seed=seed)
    return sim.inject(scope, cells).inject(current, cells)
