"""Sensors: what fluoresces in the cell. A GECI is three parts and a Hill function."""

from __future__ import annotations

import functools
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import attrs
import numpy as np

from cleo_like.base.groups import ByGroup, present_values
from cleo_like.base.quantities import quantity_field
from cleo_like.base.synapse_device import (
    SynapseDevice,
    expression_levels,
    target_indices,
)
from cleo_like.core.errors import InputError
from cleo_like.imaging.events import (
    EventDriven,
    Kinetics,
    dff_of_spikes,
    hill,
    response_to_one_spike,
)
from cleo_like.imaging.sensors.block import ClockBlock, EventBlock, targets_of
from cleo_like.imaging.sensors.parts import (
    CalBindingActivationModel,
    CalciumModel,
    DoubExpCalBindingActivation,
    DynamicCalcium,
    ExcitationModel,
    LightExcitation,
    NullBindingActivation,
    NullExcitation,
    PreexistingCalcium,
    not_negative,
    positive_number,
)
from cleo_like.imaging.sensors.shown import ShowsSensor, time_worth_drawing
from cleo_like.imaging.sensors.view import SensorView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import NeuronGroup, Synapses

    from cleo_like.imaging.events.single_spike import SingleSpike
    from cleo_like.imaging.rois import Rois


@attrs.define(eq=False, slots=False, repr=False)
class Sensor(ShowsSensor, SynapseDevice):
    """Something that fluoresces.

    Parameters
    ----------
    sigma_noise : float
        Standard deviation of the noise of dF/F for a cell in focus.
    dFF_1AP : float, optional
        Fluorescence change for one action potential; only for a scope's SNR cut.
    location : str
        Where it is expressed: "cytoplasm" or "membrane".
    extra_namespace : dict
        Further names for the equations.
    name : str
        Name of the device (default: name of the class).
    save_history : bool
        Whether the device keeps its history.
    """

    sigma_noise: float = attrs.field(kw_only=True, validator=not_negative)
    """Standard deviation of the noise of dF/F."""
    dFF_1AP: float | None = attrs.field(kw_only=True)  # noqa: N815 - Cleo's name
    """Fluorescence change for one action potential."""
    location: str = attrs.field(
        kw_only=True,
        default="cytoplasm",
        validator=attrs.validators.in_(("cytoplasm", "membrane")),
    )
    """Where the sensor is expressed."""
    blocks: dict[Any, Any] = attrs.field(init=False, factory=ByGroup, repr=False)
    """What is evaluated for each group, by its name."""

    @property
    def snr(self) -> float | None:
        """Signal-to-noise ratio for one action potential (None where it is unknown)."""
        return None if self.dFF_1AP is None else self.dFF_1AP / self.sigma_noise

    @property
    def exc_spectrum(self) -> list[tuple[Any, float]]:
        """Excitation spectrum (empty where none is known)."""
        return list(getattr(getattr(self, "exc_model", None), "spectrum", None) or [])

    @property
    def resting_brightness(self) -> float:
        """Fluorescence at rest in the units of dF/F's denominator (1 for (F-F0)/F0)."""
        return 1.0

    @abstractmethod
    def make_block(
        self,
        group: NeuronGroup,
        targets: np.ndarray,
        rho_rel: np.ndarray,
        kwparams: dict[str, Any],
    ) -> Any:
        """Make what evaluates the sensor in cells of one group."""

    def frame_noise(self, rois: Rois) -> Any:
        """Give what makes the noise of frames for cells in order; None: it is white."""
        del rois

    def choose_targets(self, neuron_group: NeuronGroup, kwparams: Any) -> np.ndarray:
        """Give the cells that have the sensor; a cell may be in several planes."""
        if kwparams.get("i_targets") is None:
            return super().choose_targets(neuron_group, kwparams)
        wanted = np.asarray(kwparams["i_targets"])
        target_indices(np.unique(wanted), len(neuron_group), neuron_group.name)
        return wanted.astype(int)

    def connect_to_neuron_group(self, neuron_group: NeuronGroup, **kwparams: Any) -> None:
        """Give the sensor to cells of a group (keywords as for `SynapseDevice`)."""
        if neuron_group.name in self.source_ngs:
            msg = (
                f"{self.name!r} is already injected into {neuron_group.name}; add all planes "
                f"before inject_sensor_for_targets() or the first run, or use another scope "
                f"with another sensor"
            )
            raise InputError(msg)
        targets = self.choose_targets(neuron_group, kwparams)
        rho_rel = expression_levels(kwparams.get("rho_rel", 1.0), len(targets))
        name = neuron_group.name
        block = self.make_block(neuron_group, targets, rho_rel, kwparams)
        self.blocks[name] = block
        if isinstance(block, EventBlock):
            self.synapses[name] = SensorView(block, lambda: self.now, f"{self.name}_{name}")
        self.source_ngs[name] = neuron_group

    def get_state(self) -> ByGroup:
        """Give dF/F without noise, now.

        Returns
        -------
        dict
            Names of neuron groups with arrays of shape (n_targets,), in the order of the
            targets; the groups themselves find theirs too.
        """
        return ByGroup({n: self.blocks[n].read(self.now)[0] for n in self.source_ngs})

    def store_state(self) -> dict[str, Any]:
        """Give the cells of all groups."""
        blocks = {name: block.store_state() for name, block in self.blocks.items()}
        return super().store_state() | {"blocks": blocks}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `store_state` gave."""
        super().restore_state(state)
        for name, block in state["blocks"].items():
            self.blocks[name].restore_state(block)

    def reset(self, **kwargs: object) -> None:
        """Go back to rest."""
        super().reset(**kwargs)
        for block in self.blocks.values():
            block.reset()


_EVENT_PARTS = (
    (DynamicCalcium,),
    (NullBindingActivation, DoubExpCalBindingActivation),
    (NullExcitation, LightExcitation),
)
Evaluation: TypeAlias = Literal["auto", "event", "clock"]
EVALUATIONS: tuple[Evaluation, ...] = get_args(Evaluation)


@attrs.define(eq=False, slots=False, repr=False)
class GECI(Sensor):
    r"""A calcium indicator: calcium, its binding, its excitation, and a Hill function.

    :math:`dFF = e\, \rho\, dFF_{max} [H(CaB) - H(Ca_{rest})]` with
    :math:`H(c) = 1/(1 + (K_d/c)^{n_H})`: Cleo's definition, in units of the fluorescence
    without calcium. `resting_brightness` converts it to (F - F0)/F0.

    Parameters
    ----------
    cal_model, bind_act_model, exc_model : parts
        A `CalciumModel`, a `CalBindingActivationModel` and an `ExcitationModel`.
    K_d : quantity
        Dissociation constant (molar).
    n_H, dFF_max : float
        Hill coefficient, and dF/F at saturation.
    evaluation : str
        "event": from spikes, at spikes and frames only; possible for the parts of this
        package with dynamic calcium. "clock": as Brian2 equations at every time step;
        possible for any parts. "auto" (default): event where possible. Both give the same:
        as in any Brian2 synapse, a spike at time t acts at the end of its step, t + dt.
    method : str
        Brian2's integration method in clock-driven evaluation (default "rk4"; Cleo lets
        Brian2 choose "euler").
    sigma_noise, dFF_1AP, location, extra_namespace, name, save_history
        As for `Sensor`.

    Notes
    -----
    Source: Song et al. 2021.
    """

    cal_model: CalciumModel = attrs.field(kw_only=True)
    """How calcium comes about."""
    bind_act_model: CalBindingActivationModel = attrs.field(kw_only=True)
    """How the indicator follows it."""
    exc_model: ExcitationModel = attrs.field(kw_only=True)
    """How light scales the signal."""
    K_d: Any = attrs.field(
        kw_only=True, converter=quantity_field("M", "K_d"), validator=positive_number
    )
    """Dissociation constant (molar)."""
    n_H: float = attrs.field(kw_only=True, validator=positive_number)  # noqa: N815
    """Hill coefficient."""
    dFF_max: float = attrs.field(kw_only=True, validator=positive_number)  # noqa: N815
    """Fluorescence change at saturation."""
    evaluation: Evaluation = attrs.field(
        kw_only=True, default="auto", validator=attrs.validators.in_(EVALUATIONS)
    )
    """How the model is evaluated."""
    method: str | None = attrs.field(kw_only=True, default="rk4")
    """Integration method in clock-driven evaluation."""
    fluor_model: str = attrs.field(
        init=False,
        repr=False,
        default=(
            "dFF = exc_factor*rho_rel*dFF_max*(1/(1 + (K_d/CaB)**n_H)"
            " - 1/(1 + (K_d/Ca_rest)**n_H)) : 1\n"
            "rho_rel : 1"
        ),
    )
    """Equations of fluorescence: a Hill function (Song et al. 2021)."""

    def __attrs_post_init__(self) -> None:
        """Join the equations of the parts."""
        parts = (self.cal_model, self.bind_act_model, self.exc_model)
        self.model = "\n".join([*(p.model for p in parts), self.fluor_model])
        self.on_pre = self.cal_model.on_pre
        if isinstance(self.cal_model, PreexistingCalcium):
            from brian2 import molar

            self.required_vars = [("Ca", molar)]
        if self.evaluation == "event" and not self.event_driven_possible:
            msg = (
                f"evaluation='event' needs calcium that spikes make; {self.name!r} has "
                f"{type(self.cal_model).__name__} with {type(self.bind_act_model).__name__}: "
                f"use evaluation='clock'"
            )
            raise InputError(msg)

    @property
    def event_driven_possible(self) -> bool:
        """Whether the parts can be evaluated from spikes alone."""
        parts = (self.cal_model, self.bind_act_model, self.exc_model)
        known = zip(parts, _EVENT_PARTS, strict=True)
        return not self.extra_namespace and all(type(p) in kinds for p, kinds in known)

    @property
    def is_event_driven(self) -> bool:
        """Whether this sensor is evaluated from spikes alone."""
        return self.evaluation != "clock" and self.event_driven_possible

    @property
    def Ca_rest(self) -> Any:  # noqa: N802 - the symbol
        """Resting concentration (molar), where dF/F is 0."""
        from brian2 import nmolar

        for part in (self.cal_model, self.bind_act_model):
            if hasattr(part, "Ca_rest"):
                return part.Ca_rest
        return self.extra_namespace.get("Ca_rest", 50 * nmolar)

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the model and its parts."""
        own = {"K_d": self.K_d, "n_H": self.n_H, "dFF_max": self.dFF_max}
        rest = {"Ca_rest": self.Ca_rest}
        parts = (self.cal_model, self.bind_act_model, self.exc_model)
        return own | rest | {k: v for part in parts for k, v in part.params().items()}

    def init_syn_vars(self, syn: Synapses) -> None:
        """Set the variables of all parts to rest; also run by `reset`.

        Parameters
        ----------
        syn : brian2.Synapses
            The synapses of one group.
        """
        for part in (self.cal_model, self.bind_act_model, self.exc_model):
            part.init_syn_vars(syn)

    @property
    def excitation(self) -> float:
        """Factor of a constant excitation on dF/F."""
        return self.exc_model.factor if isinstance(self.exc_model, LightExcitation) else 1.0

    @property
    def resting_brightness(self) -> float:
        """Fluorescence at rest over that without calcium: (F - F0)/F0 = dFF over this."""
        return 1 + self.dFF_max * float(hill(float(self.Ca_rest), float(self.K_d), self.n_H))

    def single_spike(self) -> SingleSpike:
        """Give peak, rise and decay of the model's own response to one spike.

        `dFF_1AP`, which a scope's SNR cut uses, is a number from recordings and need not
        agree with it; nor do Cleo's kinetics with recordings (docs: guide/indicators).

        Examples
        --------
        >>> from cleo_like.imaging import gcamp6s
        >>> one = gcamp6s().single_spike()
        >>> round(one.peak, 3), round(one.half_decay, 1), gcamp6s().dFF_1AP
        (0.384, 1.9, 0.133)
        """
        return response_to_one_spike(self.kinetics())

    def answer_to_one_spike(self, times: np.ndarray) -> np.ndarray | None:
        """Give dF/F at times (s) from one spike; None where the neurons make the calcium."""
        if not self.event_driven_possible:
            return None
        after = np.maximum(np.asarray(times, dtype=float), 0.0)
        one = np.zeros(1)
        (dff,), _ = dff_of_spikes(self.kinetics(), one.astype(int), one, after, 1)
        return np.where(np.asarray(times) < 0, 0.0, dff)

    def _lasts(self) -> float:
        if not self.event_driven_possible:
            return super()._lasts()
        one = self.single_spike()
        return time_worth_drawing(one.time_to_peak, one.half_decay)

    def steady_curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Give calcium (uM) and the dF/F that it makes when it stays, by the Hill function."""
        rest, half = float(self.Ca_rest), float(self.K_d)
        calcium = np.linspace(min(rest, half) / 2, 4 * half, 500)
        bottom = hill(rest, half, self.n_H)
        gain = self.excitation * self.dFF_max
        return calcium * 1e3, gain * (hill(calcium, half, self.n_H) - bottom)

    def kinetics(self) -> Kinetics:
        """Give the parameters of an event-driven model as SI floats.

        Raises
        ------
        InputError
            The model needs more than spikes.
        """
        cal, binding = self.cal_model, self.bind_act_model
        if not self.event_driven_possible or not isinstance(cal, DynamicCalcium):
            msg = f"{self.name!r} cannot be computed from spikes alone"
            raise InputError(msg)
        kernel = {}
        if isinstance(binding, DoubExpCalBindingActivation):
            kernel = {k: float(getattr(binding, k)) for k in ("A", "tau_on", "tau_off")}
        return Kinetics(
            rest=float(cal.Ca_rest),
            K_d=float(self.K_d),
            B_T=float(cal.B_T),
            influx=float(cal.dCa_T),
            gamma=float(cal.gamma),
            kappa_S=float(cal.kappa_S),
            n_H=float(self.n_H),
            dFF_max=float(self.dFF_max),
            gain=self.excitation,
            **kernel,
        )

    def make_block(
        self,
        group: NeuronGroup,
        targets: np.ndarray,
        rho_rel: np.ndarray,
        kwparams: dict[str, Any],
    ) -> Any:
        """Make the evaluation for cells of one group: event- or clock-driven."""
        if self.is_event_driven:
            cells = functools.partial(EventDriven, self.kinetics(), len(targets))
            block = EventBlock(cells, group, targets, rho_rel)
            self.brian_objects.add(block.monitor)
            return block
        if len(targets):
            self._make_synapses(group, targets, rho_rel, kwparams)
        syn = self.synapses.get(group.name)
        return ClockBlock(self._reader(group, syn, kwparams), syn, len(targets))

    def _reader(self, group: NeuronGroup, syn: Synapses, kwparams: dict[str, Any]) -> Any:
        """Give a function that reads (dF/F, Ca) from the synapses, without code generation."""
        known = (DynamicCalcium, PreexistingCalcium), *_EVENT_PARTS[1:]
        parts = (self.cal_model, self.bind_act_model, self.exc_model)
        plain = all(type(p) in kinds for p, kinds in zip(parts, known, strict=True))
        if syn is None or not plain or self.extra_namespace:
            return None
        names = self.view(group.name).names
        k_d, n_h, rest = float(self.K_d), self.n_H, float(self.Ca_rest)
        gain, bottom = self.excitation * self.dFF_max, hill(rest, k_d, n_h)
        pre = isinstance(self.cal_model, PreexistingCalcium)
        calcium_name = kwparams.get("Ca_var_name", "Ca") if pre else names.get("Ca", "Ca")
        bound_name = (
            names.get("b", "b")
            if isinstance(self.bind_act_model, DoubExpCalBindingActivation)
            else None
        )

        def read() -> tuple[np.ndarray, np.ndarray]:
            calcium = present_values(group if pre else syn, calcium_name)
            calcium = calcium[targets_of(syn, group)] if pre else np.array(calcium)
            bound = calcium
            if bound_name is not None:
                bound = rest + present_values(syn, bound_name)
            rho = present_values(syn, names.get("rho_rel", "rho_rel"))
            return gain * rho * (hill(bound, k_d, n_h) - bottom), calcium

        return read
