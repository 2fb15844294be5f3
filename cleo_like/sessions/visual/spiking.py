"""Spikes of driven cells, simulated in Brian2: a population of rates, or cells of currents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_default, si_required
from cleo_like.core.errors import InputError
from cleo_like.sessions.visual.brian_run import NOISE_STEP, UncoupledRun
from cleo_like.sessions.visual.drive import FRONT, FrontEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.cells import CellModel
    from cleo_like.sessions.visual.drive import VisualDrive


@attrs.frozen(kw_only=True)
class RateCells:
    """Cells that fire at random at a rate: their own baseline, and their own peak when driven.

    Parameters
    ----------
    peak, baseline : quantity
        Medians: rate at full, rested drive, and without any.
    peak_sd, baseline_sd : float
        Standard deviations of their natural logarithms over cells.
    front : FrontEnd
        Between drive and cells.
    dt : quantity
        Time step; at most one spike in each.

    Notes
    -----
    Rates of pyramidal cells over cells are log-normal with most below 1 Hz (Buzsaki &
    Mizuseki 2014, Nat. Rev. Neurosci. 15:264); the medians are chosen here.

    Examples
    --------
    >>> RateCells(peak="12 Hz").peak
    12.0
    """

    peak: float = attrs.field(
        default=si_default("15 Hz", "Hz"), converter=si_required("Hz", "peak")
    )
    baseline: float = attrs.field(
        default=si_default("0.1 Hz", "Hz"), converter=si_required("Hz", "baseline")
    )
    peak_sd: float = attrs.field(default=0.5, converter=float)
    baseline_sd: float = attrs.field(default=0.8, converter=float)
    front: FrontEnd = attrs.field(factory=FrontEnd)
    dt: float = attrs.field(default=si_default("1 ms", "s"), converter=si_required("s", "dt"))

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        if min(self.peak, self.baseline, self.peak_sd, self.baseline_sd) < 0 or self.dt <= 0:
            raise InputError("rates and their spreads must not be negative, dt above 0 s")
        if self.peak * self.dt > 0.2:
            msg = f"dt {self.dt} s is too long for {self.peak} Hz: make rate*dt 0.2 at most"
            raise InputError(msg)

    def __call__(
        self,
        drive: VisualDrive,
        seed: int,
        report: Callable[[float], None] | None = None,
    ) -> tuple[np.ndarray, ...]:
        """Simulate the spikes (s) of each cell.

        Parameters
        ----------
        drive : VisualDrive
            What drives the cells.
        seed : int
            Of rates, gain and spikes.
        report : callable, optional
            Told the simulated cell-seconds as they pass.
        """
        from brian2 import Equations, Hz

        rng = np.random.default_rng(seed)
        n = drive.n_cells
        equations = Equations(
            FRONT + "vis_rate = vis_gain(t)*vis_baseline + vis_peak*vis_now : Hz\n"
            "vis_baseline : Hz (constant)\nvis_peak : Hz (constant)"
        )
        start = {
            "vis_supply": 1,
            "vis_baseline": self.baseline
            * np.exp(self.baseline_sd * rng.standard_normal(n))
            * Hz,
            "vis_peak": self.peak * np.exp(self.peak_sd * rng.standard_normal(n)) * Hz,
        }
        run = UncoupledRun(
            n=n, equations=equations, names=self.front.names(drive, rng), start=start,
            duration=drive.duration, dt=self.dt,
            options={"threshold": "rand() < vis_rate*dt", "method": "euler"},
        )  # fmt: skip
        return run.spikes(seed, report)


@attrs.frozen(kw_only=True)
class CurrentCells:
    """Cells of the library, or of one's own, driven by a current with noise.

    Parameters
    ----------
    model : str or CellModel
        A name of the library ("rs", "adex_adapting", ...), or a model.
    hold : float
        Current without drive, in units of the cell's rheobase.
    amplitude : float
        Current at full, rested drive, in the same units.
    noise : float
        Standard deviation of the noise current, in the same units.
    noise_tau : quantity
        Its time constant.
    front : FrontEnd
        Between drive and cells.
    dt : quantity, optional
        Time step; None is the model's own.

    Examples
    --------
    >>> CurrentCells(model="adex_adapting").hold
    0.5
    """

    model: str | CellModel = "adex_adapting"
    hold: float = attrs.field(default=0.5, converter=float)
    amplitude: float = attrs.field(default=2.0, converter=float)
    noise: float = attrs.field(default=0.3, converter=float)
    noise_tau: float = attrs.field(
        default=si_default("5 ms", "s"), converter=si_required("s", "noise_tau")
    )
    front: FrontEnd = attrs.field(factory=FrontEnd)
    dt: float | None = attrs.field(
        default=None, converter=attrs.converters.optional(si_required("s", "dt"))
    )

    def __call__(
        self,
        drive: VisualDrive,
        seed: int,
        report: Callable[[float], None] | None = None,
    ) -> tuple[np.ndarray, ...]:
        """Simulate the spikes (s) of each cell; arguments are those of `RateCells`."""
        from brian2 import Equations, amp

        from cleo_like.cells import get_cell, rheobase

        model = get_cell(self.model) if isinstance(self.model, str) else self.model
        dt = model.dt if self.dt is None else self.dt
        unit = rheobase(model)
        if not np.isfinite(unit):
            msg = f"{model.name!r} has no rheobase, so that a current cannot make it fire"
            raise InputError(msg)
        rng = np.random.default_rng(seed)
        names = self.front.names(drive, rng) | {
            "vis_hold": self.hold * unit * amp,
            "vis_scale": self.amplitude * unit * amp,
        }
        equations = model.brian_equations()
        current = f"{model.current} = vis_hold + vis_scale*vis_now + vis_noise : amp"
        if model.current in equations.names:
            msg = (
                f"the equations of {model.name!r} declare {model.current!r}; leave it "
                "undeclared, so that the session can set it"
            )
            raise InputError(msg)
        keep = np.exp(-NOISE_STEP / self.noise_tau)
        kick = np.sqrt(1 - keep**2) * self.noise * unit
        names |= {"vis_keep": keep, "vis_kick": kick * amp}
        run = UncoupledRun(
            n=drive.n_cells,
            equations=equations + Equations(f"{FRONT}{current}\nvis_noise : amp"),
            names=names,
            start={"vis_supply": 1, **_rest(model)},
            duration=drive.duration,
            dt=dt,
            options=_spiking(model),
            noise="vis_noise = vis_keep*vis_noise + vis_kick*randn()",
        )
        return run.spikes(seed, report)


def _rest(model: CellModel) -> dict[str, Any]:
    from cleo_like.cells import Dynamics

    dynamics = Dynamics(model)
    rest = dynamics.rest()[:, 0]
    if not np.isfinite(rest).all():
        rest = dynamics.start(dict(model.parameters), 1)[:, 0]
    values: dict[str, Any] = dict(model.parameters)
    return values | dict(zip(dynamics.states, rest, strict=True))


def _spiking(model: CellModel) -> dict[str, Any]:
    from brian2 import second

    method = {"rk4": "rk4", "staggered": "rk4", "rush_larsen": "exponential_euler"}
    options: dict[str, Any] = {"method": method.get(model.method, model.method)}
    if model.threshold is not None:
        rest = model.refractory
        refractory = False if rest is None else rest
        if isinstance(refractory, float):
            refractory = refractory * second
        return options | {
            "threshold": model.threshold, "reset": model.reset, "refractory": refractory,
        }  # fmt: skip
    level = model.spike_level
    text = level if isinstance(level, str) else f"{level!r}*volt"
    above = f"{model.voltage} > {text}"
    # the usual way to count a spike of a conductance-based cell once
    return options | {"threshold": above, "refractory": above}
