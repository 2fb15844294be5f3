"""The right-hand side of a model as a numpy function: rest and linear response without a run.

Brian2's own parser reads the equations; the arithmetic is numpy's, vectorised over cells.
Noise terms (``xi``) are set to zero: rest is that of the drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells.reading import TIME
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import Equations
    from jaxtyping import Bool, Complex, Float

    from cleo_like.cells.model import CellModel


@attrs.frozen(eq=False)
class Dynamics:
    """Compiled right-hand side of a model.

    Parameters
    ----------
    model : CellModel
        The neuron.

    Examples
    --------
    >>> from cleo_like.cells import get_cell
    >>> d = Dynamics(get_cell("passive"))
    >>> d.states
    ('v',)
    >>> float(d.rest()[0, 0].round(6))
    -0.07
    """

    model: CellModel
    states: tuple[str, ...] = attrs.field(init=False)
    _code: tuple[tuple[str, Any], ...] = attrs.field(init=False)
    _namespace: Mapping[str, Any] = attrs.field(init=False)
    potentials: Bool[np.ndarray, "states"] = attrs.field(init=False)
    timed: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Compile each equation once, in the order in which it is needed."""
        from brian2 import volt
        from brian2.parsing.rendering import NumpyNodeRenderer

        eqs = self.model.brian_equations()
        renderer = NumpyNodeRenderer(auto_vectorise={})
        ordered = [e for e in eqs.ordered if e.type == "subexpression"]
        ordered += [eqs[x] for x in sorted(eqs.diff_eq_names)]
        code = tuple(
            (e.varname, compile(renderer.render_expr(e.expr.code.strip()), e.varname, "eval"))
            for e in ordered
        )
        object.__setattr__(self, "states", tuple(sorted(eqs.diff_eq_names)))
        object.__setattr__(self, "_code", code)
        object.__setattr__(
            self, "_namespace", brian_names(_identifiers(self.model, eqs), self.model.dt)
        )
        volts = np.array([eqs[x].dim is volt.dim for x in self.states])
        object.__setattr__(self, "potentials", volts)
        object.__setattr__(self, "timed", bool(TIME & eqs.identifiers))

    @property
    def v(self) -> int:
        """Index of the membrane potential among the states."""
        return self.states.index(self.model.voltage)

    def rates(
        self,
        x: Float[np.ndarray, "states *cells"],
        current: Float[np.ndarray, "cells"] | float,
        parameters: Mapping[str, Any],
    ) -> Float[np.ndarray, "states *cells"]:
        """Time derivative of all states (SI per s)."""
        values: dict[str, Any] = dict(self._namespace)
        values |= parameters
        values |= dict(zip(self.states, x, strict=True))
        values[self.model.current] = current
        derivatives = {}
        for name, code in self._code:
            value = eval(code, {"__builtins__": {}}, values)
            if name in self.states:
                derivatives[name] = value
            else:
                values[name] = value
        return np.stack([derivatives[s] + np.zeros(x.shape[1:]) for s in self.states])

    def jacobian(
        self,
        x: Float[np.ndarray, "states cells"],
        current: Float[np.ndarray, "cells"] | float,
        parameters: Mapping[str, Any],
    ) -> Float[np.ndarray, "cells states states"]:
        """Differentiate the rates by the states, by central differences."""
        n = len(self.states)
        scale = np.where(self.potentials[:, np.newaxis], 1e-3, np.maximum(np.abs(x), 1e-12))
        step = 1e-4 * scale
        # all states moved up and down in one evaluation: shape (states, 2 x states, cells)
        moved = np.repeat(x[:, np.newaxis], 2 * n, axis=1)
        each = np.arange(n)
        moved[each, each] += step
        moved[each, n + each] -= step
        rates = self.rates(moved, current, parameters)
        return np.moveaxis((rates[:, :n] - rates[:, n:]) / (2 * step), -1, 0)

    def start(self, parameters: Mapping[str, Any], n_cells: int) -> np.ndarray:
        """Give the initial values of the model, shape (states, cells)."""
        x = np.zeros((len(self.states), n_cells))
        x[self.potentials] = parameters.get("EL", -0.065)
        given = self.model.initial
        missing = [s for s, v in zip(self.states, self.potentials, strict=True)
                   if self.timed and not v and s not in given]  # fmt: skip
        if missing:
            msg = (
                f"the equations of {self.model.name!r} depend on time: there is no rest from "
                f"which to start; give initial= values for {', '.join(missing)}"
            )
            raise InputError(msg)
        for k, name in enumerate(self.states):
            if name in given:
                x[k] = self._value(given[name], x, parameters)
        return x

    def _value(self, value: object, x: np.ndarray, parameters: Mapping[str, Any]) -> np.ndarray:
        """Give an initial value: a number, or an expression of parameters and states."""
        if isinstance(value, str):
            scope = dict(self._namespace) | dict(parameters)
            scope |= dict(zip(self.states, x, strict=True))
            try:
                value = eval(value, {"__builtins__": {}}, scope)
            except (SyntaxError, NameError, TypeError) as error:
                msg = (
                    f"the initial value {value!r} of {self.model.name!r} is no number (SI) and "
                    f"no expression of its parameters and states: {error}"
                )
                raise InputError(msg) from error
        return np.asarray(value, dtype=float)

    def rest(
        self,
        current: Float[np.ndarray, "cells"] | float = 0.0,
        parameters: Mapping[str, Any] | None = None,
        n_cells: int = 1,
    ) -> Float[np.ndarray, "states cells"]:
        """Find the state that a cell settles in under a constant current.

        Implicit Euler steps that grow from 0.1 ms to 1e5 s follow the cell into its
        attractor and end as Newton's method. A column is NaN where there is no rest
        (a cell that fires at this current; equations that depend on time).

        Parameters
        ----------
        current : float or array, shape (cells,)
            Injected current (A).
        parameters : mapping, optional
            Values or arrays of shape (cells,); default: those of the model.
        n_cells : int
            Number of cells.
        """
        values = dict(self.model.parameters) | dict(parameters or {})
        x = self.start(values, n_cells)
        if self.timed:
            return np.full_like(x, np.nan)
        eye = np.eye(len(self.states))
        step = 1e-4
        with np.errstate(all="ignore"):
            while step < 1e5:
                f = self.rates(x, current, values)
                matrix = eye / step - self.jacobian(x, current, values)
                x = x + solve_each(matrix, f)
                step *= 1.25
            lost = ~self._settled(x, current, values)
        x[:, lost] = np.nan
        return x

    def _settled(
        self, x: np.ndarray, current: Any, parameters: Mapping[str, Any]
    ) -> np.ndarray:
        """Whether the state is a fixed point (dv/dt below 1 uV/s) and a stable one."""
        f = self.rates(x, current, parameters)
        moving = np.abs(f[self.potentials]).max(axis=0)
        still = np.all(np.isfinite(x), axis=0) & (moving < 1e-6)
        jacobian = self.jacobian(x, current, parameters)
        stable = np.zeros_like(still)
        stable[still] = np.linalg.eigvals(jacobian[still]).real.max(axis=1) < 0
        return stable

    def impedance(
        self,
        frequencies: Float[np.ndarray, "n_frequencies"],
        current: float = 0.0,
        parameters: Mapping[str, Any] | None = None,
    ) -> Complex[np.ndarray, "n_frequencies"]:
        """Small-signal impedance at rest (ohm) at given frequencies (Hz).

        Z(f) = e_v (2 pi i f - J)^-1 b with J the Jacobian at rest and b the derivative of
        the rates by the current.
        """
        values = dict(self.model.parameters) | dict(parameters or {})
        x = self.rest(current, values)
        if np.isnan(x).any():
            why = "its equations depend on time" if self.timed else "it fires there"
            msg = f"{self.model.name!r} has no rest at {current * 1e12:g} pA: {why}"
            raise InputError(msg)
        jacobian = self.jacobian(x, current, values)[0]
        step = 1e-12
        b = self.rates(x, current + step, values) - self.rates(x, current - step, values)
        b = b[:, 0] / (2 * step)
        omega = 2j * np.pi * np.asarray(frequencies, dtype=float)
        matrices = omega[:, np.newaxis, np.newaxis] * np.eye(len(x)) - jacobian
        column = np.broadcast_to(b.astype(complex)[:, np.newaxis], (len(omega), len(b), 1))
        return np.linalg.solve(matrices, column)[:, self.v, 0]


def solve_each(matrix: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Solve for each cell; a cell that has diverged stays NaN."""
    usable = np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(f).all(axis=0)
    step = np.full_like(f, np.nan)
    if usable.any():
        step[:, usable] = np.linalg.solve(matrix[usable], f.T[usable][..., None])[..., 0].T
    return step


def _identifiers(model: CellModel, eqs: Equations) -> set[str]:
    """Names in the equations and in the initial values."""
    from brian2.utils.stringtools import get_identifiers

    texts = [value for value in model.initial.values() if isinstance(value, str)]
    return set(eqs.identifiers).union(*map(get_identifiers, texts))


def brian_names(identifiers: set[str], dt: float) -> dict[str, Any]:
    """Names that Brian2 equations may use: units as floats, numpy functions, mean noise.

    The time is 0, and the cell has not fired.
    """
    from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, DEFAULT_UNITS
    from scipy.special import exprel

    special = {
        "exprel": exprel, "int": np.trunc, "int_": np.trunc, "clip": np.clip,
        "logical_and": np.logical_and, "logical_or": np.logical_or,
        "logical_not": np.logical_not, "t": 0.0, "t_in_timesteps": 0, "dt": dt,
        "lastspike": -1e4, "not_refractory": np.True_, "rand": lambda *_: 0.5,
        "randn": lambda *_: 0.0, "poisson": lambda rate, *_: rate,
    }  # fmt: skip
    names: dict[str, Any] = dict(special)
    for identifier in identifiers:
        if identifier in special:
            continue
        if identifier in DEFAULT_UNITS:
            names[identifier] = float(DEFAULT_UNITS[identifier])
        elif identifier in DEFAULT_CONSTANTS:
            names[identifier] = float(np.asarray(DEFAULT_CONSTANTS[identifier].value))
        elif identifier in DEFAULT_FUNCTIONS:
            names[identifier] = getattr(np, identifier, DEFAULT_FUNCTIONS[identifier].pyfunc)
        elif identifier.startswith("xi"):
            names[identifier] = 0.0
    return names
