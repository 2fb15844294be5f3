"""Devices that are a model of something in the cell: one synapse from a cell to itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.base.device import InterfaceDevice
from cleo_like.base.groups import ByGroup
from cleo_like.core.errors import InputError
from cleo_like.utilities import brian_safe_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import NeuronGroup, Synapses, Unit
    from jaxtyping import Int


class RenamedSynapses:
    """Synapses whose variables answer to the names the model was written with.

    A model's variable that the neurons have too is renamed in the Synapses (Brian2 would
    refuse it); through this view ``syn.Ca`` is still the model's.
    """

    def __init__(self, synapses: Synapses, names: Mapping[str, str]) -> None:
        object.__setattr__(self, "_synapses", synapses)
        object.__setattr__(self, "_names", names)

    @property
    def names(self) -> Mapping[str, str]:
        """Names of the model with those in the Synapses, where they differ."""
        names: Mapping[str, str] = self._names
        return names

    def __getattr__(self, name: str) -> Any:
        """Read a variable by the model's name."""
        return getattr(self._synapses, self._names.get(name, name))

    def __setattr__(self, name: str, value: object) -> None:
        """Set a variable by the model's name."""
        setattr(self._synapses, self._names.get(name, name), value)


@attrs.define(eq=False, slots=False)
class SynapseDevice(InterfaceDevice):
    """A device modelled by Brian2 `Synapses`, one per cell that has it.

    Subclasses set `model` (Brian2 equations; variables of the neuron end in ``_pre`` or
    ``_post``) and `on_pre` (what a spike of the cell does). Injection keywords:

    * ``p_expression``: part of the cells that express the device, a probability from 0 to
      1, for all or for each cell (default 1);
    * ``i_targets``: indices of the cells that express it, instead;
    * ``rho_rel``: expression level of each (default 1), if the model has a ``rho_rel``;
    * ``<variable>_var_name``: name in the neurons of a variable in `required_vars`.

    Parameters
    ----------
    extra_namespace : dict
        Further names for the equations.
    name : str
        Name of the device (default: name of the class).
    save_history : bool
        Whether the device keeps its history.
    """

    extra_namespace: dict = attrs.field(factory=dict, repr=False)
    """Further names for the equations."""
    model: str = attrs.field(init=False, default="", repr=False)
    """Brian2 equations of the device."""
    on_pre: str = attrs.field(init=False, default="", repr=False)
    """Statements run at a spike of the cell."""
    synapses: dict[Any, Any] = attrs.field(init=False, factory=ByGroup, repr=False)
    """Synapses by the name of the neuron group, or by the group."""
    source_ngs: dict[Any, Any] = attrs.field(init=False, factory=ByGroup, repr=False)
    """Neuron groups by name."""
    required_vars: list[tuple[str, Any]] = attrs.field(init=False, factory=list, repr=False)
    """Variables the neurons must have, with their units."""
    per_ng_unit_replacements: list[tuple[str, str]] = attrs.field(
        init=False, factory=list, repr=False
    )
    """Texts of the model replaced, for each group, by the unit of a variable."""
    method: str | None = attrs.field(init=False, default=None, repr=False)
    """Integration method (None leaves the choice to Brian2)."""
    _views: dict[str, RenamedSynapses] = attrs.field(init=False, factory=dict, repr=False)

    @property
    def params(self) -> dict[str, Any]:
        """Parameters for the equations: the fields of the subclass with their values."""
        base = {f.name for f in attrs.fields(SynapseDevice)}
        return {
            f.name: getattr(self, f.name)
            for f in attrs.fields(type(self))
            if f.name not in base and not f.name.startswith("_")
        }

    def init_syn_vars(self, syn: Synapses) -> None:
        """Set the variables of the model to their values at rest; also run by `reset`.

        Parameters
        ----------
        syn : brian2.Synapses
            Its variables answer to the names that the model has.
        """

    def modify_model_and_params_for_ng(
        self, neuron_group: NeuronGroup, injct_params: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """Adapt model and parameters to one group.

        Parameters
        ----------
        neuron_group : brian2.NeuronGroup
            The group.
        injct_params : dict
            Injection keywords; those named ``<variable>_var_name`` are used here.

        Returns
        -------
        tuple of (str, dict)
            Equations and namespace for this group.
        """
        model = self.model
        for name, unit in self.required_vars:
            own = injct_params.get(f"{name}_var_name", name)
            _check_variable(neuron_group, own, unit, self.name, name)
            model = re.sub(rf"\b{re.escape(name)}_(pre|post)\b", rf"{own}_\1", model)
        for text, unit_name in self.per_ng_unit_replacements:
            model = model.replace(text, unit_name)
        return model, {k: v for k, v in self.params.items() if v is not None}

    def connect_to_neuron_group(self, neuron_group: NeuronGroup, **kwparams: Any) -> None:
        """Give the device to cells of a group.

        Parameters
        ----------
        neuron_group : brian2.NeuronGroup or brian2.Subgroup
            The group.
        **kwparams
            ``p_expression`` or ``i_targets``, ``rho_rel``, ``<variable>_var_name``.
        """
        if neuron_group.name in self.source_ngs:
            msg = (
                f"{self.name!r} is already injected into {neuron_group.name}; "
                f"name all its cells in one injection"
            )
            raise InputError(msg)
        targets = self.choose_targets(neuron_group, kwparams)
        rho_rel = expression_levels(kwparams.get("rho_rel", 1.0), len(targets))
        if len(targets):
            self._make_synapses(neuron_group, targets, rho_rel, kwparams)
        self.source_ngs[neuron_group.name] = neuron_group

    def choose_targets(
        self, neuron_group: NeuronGroup, kwparams: Mapping[str, Any]
    ) -> Int[np.ndarray, "n_targets"]:
        """Give the indices of the cells that get the device, in rising order."""
        n = len(neuron_group)
        if "i_targets" in kwparams and "p_expression" in kwparams:
            msg = "give i_targets or p_expression, not both"
            raise InputError(msg)
        if kwparams.get("i_targets") is not None:
            return target_indices(kwparams["i_targets"], n, neuron_group.name)
        p = kwparams.get("p_expression", 1.0)
        chance = np.asarray(p if not isinstance(p, str) else np.nan, dtype=float)
        if chance.shape not in ((), (n,)) or not ((chance >= 0) & (chance <= 1)).all():
            msg = (
                f"p_expression must be a probability from 0 to 1, or one for each of the "
                f"{n} cells, got {p}"
            )
            raise InputError(msg)
        return np.flatnonzero(self.rng.random(n) < chance)

    def _make_synapses(
        self,
        group: NeuronGroup,
        targets: np.ndarray,
        rho_rel: np.ndarray,
        kwparams: dict[str, Any],
    ) -> None:
        from brian2 import Synapses

        model, namespace = self.modify_model_and_params_for_ng(group, kwparams)
        names = _renames(model, group)
        model, on_pre = _renamed(model, names), _renamed(self.on_pre, names)
        syn = Synapses(
            group,
            group,
            model=model,
            on_pre=on_pre or None,
            namespace={**namespace, **self.extra_namespace},
            **({} if self.method is None else {"method": self.method}),
            name=f"syn_{brian_safe_name(self.name)}_{group.name}",
        )
        syn.connect(i=targets, j=targets)
        view = RenamedSynapses(syn, names)
        self.init_syn_vars(view)
        if "rho_rel" in syn.variables:
            syn.rho_rel = rho_rel
        self.synapses[group.name] = syn
        self._views[group.name] = view
        self.brian_objects.add(syn)

    def view(self, group_name: str) -> RenamedSynapses:
        """Give the synapses of a group under the model's own variable names."""
        return self._views[group_name]

    def reset(self, **kwargs: object) -> None:
        """Set all variables back to rest."""
        del kwargs
        for view in self._views.values():
            self.init_syn_vars(view)


def target_indices(i_targets: Any, n: int, name: str) -> Int[np.ndarray, "n_targets"]:
    """Check indices of cells."""
    array = np.asarray(i_targets)
    if array.size == 0:
        return np.zeros(0, dtype=int)
    good = array.ndim == 1 and array.dtype.kind in "iu"
    if not good or array.min() < 0 or array.max() >= n:
        msg = f"i_targets must be whole numbers from 0 to {n - 1} ({name}), got {i_targets}"
        raise InputError(msg)
    if len(np.unique(array)) != len(array):
        msg = f"i_targets names a cell of {name} twice: {i_targets}"
        raise InputError(msg)
    return array.astype(int)


def expression_levels(rho_rel: Any, n: int) -> np.ndarray:
    """Check relative expression levels: one for all, or one for each of n cells."""
    levels = np.asarray(rho_rel, dtype=float)
    if levels.shape not in ((), (n,)) or not (np.isfinite(levels) & (levels >= 0)).all():
        msg = f"rho_rel must be 0 or more, one for all or for each of {n} cells, got {rho_rel}"
        raise InputError(msg)
    return np.broadcast_to(levels, (n,)).copy()


def _check_variable(
    group: NeuronGroup, name: str, unit: Unit, device: str, wanted: str
) -> None:
    variable = group.variables.get(name)
    if variable is None:
        msg = (
            f"{device!r} needs the variable {wanted!r} in {group.name}, which has no {name!r}; "
            f"add it to the model, or say {wanted}_var_name='...' when injecting"
        )
        raise InputError(msg)
    if variable.dim is not unit.dim:
        msg = f"{name!r} of {group.name} must be in {unit}, which {device!r} needs"
        raise InputError(msg)


def _renames(model: str, group: NeuronGroup) -> dict[str, str]:
    """Name the variables of a model that the neurons have too, with names that are free."""
    from brian2 import Equations

    own = Equations(model).names
    taken = set(group.variables) | set(own)
    names = {}
    for name in sorted(set(own) & set(group.variables)):
        new = f"{name}_syn"
        while new in taken:
            new += "_"
        taken.add(new)
        names[name] = new
    return names


def _renamed(code: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        code = re.sub(rf"\b(d?){re.escape(old)}(?=\s*/\s*dt\b)", rf"\1{new}", code)
        code = re.sub(rf"\b{re.escape(old)}\b", new, code)
    return code
