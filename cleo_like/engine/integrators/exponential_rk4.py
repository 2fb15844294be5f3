r"""Runge-Kutta of order 4 with an exact linear part: for states too fast for `rk4`.

The rates are ``y' = L y + B u + e N(y, gates)`` with constant matrices L and B, a command u
that is constant within the step, and one state (the membrane potential) that holds all that
is not linear. The linear part is advanced by matrix exponentials, however fast it is; gates
take the classic weights on the same stages. Without a linear part it is `rk4`.

With E = exp(hL), E2 = exp(hL/2), Q = (h/2) phi_1(hL/2) and N1, N2, N3, N4 = N at y, a, b, c::

    a = E2 y + Q N1          b = E2 y + Q N2          c = E2 a + Q (2 N3 - N1)
    y + = E y + h (phi_1 - 3 phi_2 + 4 phi_3) N1 + h (2 phi_2 - 4 phi_3) (N2 + N3)
          + h (4 phi_3 - phi_2) N4

Source: Cox & Matthews 2002, J Comput Phys 176:430.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.engine.integrators.equations import refuse_noise
from cleo_like.engine.integrators.rk4 import (
    STAGES,
    identifiers,
    per_step_subexpressions,
    rename,
    rk4_statements,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from brian2 import Equations
    from jaxtyping import Float

_PREFIX = "etd"


@attrs.frozen(kw_only=True)
class LinearPart:
    """Which states are linear, and which of their coefficients there are.

    Attributes
    ----------
    states : tuple of str
        All states of the linear part; those that only follow others (filters) come last.
    driven : str
        The one whose rate has more than a linear part: the membrane potential.
    command : str, optional
        Variable that drives the linear part, constant within a step.
    coefficients : tuple of str
        Names of the coefficients that are not zero by structure. They are variables of the
        group, "etd_<matrix>_<row>[_<column>]"; `coefficients_of` gives their values.
    seen : tuple of str
        Those of `states` that the rates of the driven state and of the gates look at.

    Notes
    -----
    Matrices: L; H and E over half a step and a whole one; Q, S, T, U for N at half a step
    and with the first, the middle and the last weight; K and R for the command over half a
    step and a whole one.
    """

    states: tuple[str, ...]
    driven: str
    command: str | None
    coefficients: tuple[str, ...]
    seen: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Whether there is such a coefficient."""
        return name in self.coefficients


def linear_part(
    equations: Equations,
    states: Iterable[str],
    driven: str,
    matrices: Linear,
    command: str | None = None,
) -> LinearPart:
    """Find out which coefficients a linear part has.

    Parameters
    ----------
    equations : brian2.Equations
        The model.
    states : iterable of str
        In the order of the rows of the matrices; followers last.
    driven : str
        The state with the rest of the model in its rate.
    matrices : Linear
        Matrices of all traces.
    command : str, optional
        Variable that B multiplies.
    """
    states = tuple(states)
    reach, driving = matrices.structure()
    n, v = len(states), states.index(driven)
    names = [_name("L", v, k) for k in range(n) if matrices.rates[:, v, k].any()]
    names += [_name(m, i, k) for m in "HE" for i in range(n) for k in range(n) if reach[i, k]]
    names += [_name(m, i) for m in "QSTU" for i in range(n) if reach[i, v]]
    if command is not None:
        names += [_name(m, i) for m in "KR" for i in range(n) if driving[i]]
    return LinearPart(
        states=states,
        driven=driven,
        command=command,
        coefficients=tuple(names),
        seen=_seen(equations, states, driven, np.asarray(matrices.rates[:, v].any(axis=0))),
    )


def _seen(
    equations: Equations, states: tuple[str, ...], driven: str, in_row: np.ndarray
) -> tuple[str, ...]:
    """Names of linear states in the rates of gates and of the driven state, or in its row."""
    used: set[str] = set()
    others = [x for x in equations.diff_eq_names if x not in states]
    for x in [*others, driven]:
        used |= set(identifiers(equations[x].expr.code))
    for name, code in reversed(per_step_subexpressions(equations)):
        if name in used:
            used |= set(identifiers(code))
    return tuple(x for x, k in zip(states, in_row, strict=True) if x in used or k)


@attrs.frozen(eq=False)
class Linear:
    """Matrices of the linear part of many traces.

    Attributes
    ----------
    rates : array, shape (n_traces, n_states, n_states)
        L (per s). The driven state's row may leave out any part of its rate.
    drive : array, shape (n_traces, n_states)
        B: rates per unit of the command.
    scale : array, shape (n_states,)
        Size of a typical value of each state: balances the exponential.
    """

    rates: Float[np.ndarray, "n_traces n_states n_states"]
    drive: Float[np.ndarray, "n_traces n_states"]
    scale: Float[np.ndarray, "n_states"]

    def structure(self) -> tuple[np.ndarray, np.ndarray]:
        """Say which entries of exp(hL), and of its product with B, are not zero for any h."""
        n = len(self.scale)
        direct = (self.rates != 0).any(axis=0) | np.eye(n, dtype=bool)
        reach = np.linalg.matrix_power(direct.astype(np.int64), n) > 0
        return reach, reach @ (self.drive != 0).any(axis=0)

    def distinct(self) -> tuple[Linear, np.ndarray]:
        """Give each kind of trace once, since exponentials are dear, and the kind of each."""
        flat = np.concatenate([self.rates.reshape(len(self.rates), -1), self.drive], axis=1)
        _, first, which = np.unique(flat, axis=0, return_index=True, return_inverse=True)
        kept = attrs.evolve(self, rates=self.rates[first], drive=self.drive[first])
        return kept, which.reshape(-1)


def coefficients_of(
    part: LinearPart, matrices: Linear, dt: float
) -> dict[str, Float[np.ndarray, "n_traces"]]:
    """Compute the coefficients of a step.

    Parameters
    ----------
    part : LinearPart
        Which ones.
    matrices : Linear
        Of all traces.
    dt : float
        Step (s).

    Raises
    ------
    InputError
        A coefficient is not finite: the linear part runs away within a step.
    """
    kinds, which = matrices.distinct()
    v = part.states.index(part.driven)
    full = _weights(kinds, v, dt)
    half = _weights(kinds, v, dt / 2)
    _, p1, p2, p3 = full["N"]
    values = {
        "L": kinds.rates, "H": half["E"], "E": full["E"],
        "Q": half["N"][1], "K": half["R"], "R": full["R"],
        "S": p1 - 3 * p2 + 4 * p3, "T": 2 * p2 - 4 * p3, "U": 4 * p3 - p2,
    }  # fmt: skip
    found = {}
    for name in part.coefficients:
        _, matrix, *index = name.split("_")
        found[name] = values[matrix][(slice(None), *map(int, index))][which]
        if not np.isfinite(found[name]).all():
            msg = "the linear part grows beyond all bounds within a step; is it stable?"
            raise InputError(msg)
    return found


def _weights(matrices: Linear, v: int, h: float) -> dict[str, Any]:
    """Give exp(hL), h phi_k(hL) e_v for k = 1, 2, 3, and h phi_1(hL) B.

    All come from one exponential of an augmented matrix: L may be singular. Higham 2008,
    Functions of Matrices, theorem 10.19 (Al-Mohy & Higham 2011, SIAM J Sci Comput 33:488).
    """
    n, scale = len(matrices.scale), matrices.scale
    big = np.zeros((len(matrices.rates), n + 4, n + 4))
    big[:, :n, :n] = h * matrices.rates * scale / scale[:, np.newaxis]
    # the columns of phi_k e_v: N enters the first of a chain of integrators
    big[:, v, n] = 1.0
    big[:, n, n + 1] = big[:, n + 1, n + 2] = 1.0
    push = h * matrices.drive / scale
    # a column this large would cost the others their digits
    size = np.maximum(np.abs(push).max(axis=1, keepdims=True), 1.0)
    big[:, :n, n + 3] = push / size
    grown = exponentials(big)
    back = scale[:, np.newaxis] / scale
    rows = h * scale / scale[v]
    return {
        "E": grown[:, :n, :n] * back,
        "N": [None, *(rows * grown[:, :n, n + k] for k in range(3))],
        "R": grown[:, :n, n + 3] * scale * size,
    }


_TERMS = 18
"""Terms of the series: for a norm of 1 what is left out is 1/19!, 8e-18."""


def exponentials(
    matrices: Float[np.ndarray, "n_traces n n"],
) -> Float[np.ndarray, "n_traces n n"]:
    """Give the exponential of each matrix: Taylor's series of a part of it, squared up.

    `scipy.linalg.expm` does the same one by one, and on matrices this small its threads cost
    a hundred times more than the arithmetic.

    Examples
    --------
    >>> exponentials(np.array([[[0.0, 2.0], [0.0, 0.0]]])).tolist()
    [[[1.0, 2.0], [0.0, 1.0]]]
    """
    norm = np.abs(matrices).sum(axis=1).max(axis=1, initial=0.0)
    halved = np.ceil(np.log2(np.maximum(norm, 1.0))).astype(int)
    part = matrices / 2.0 ** halved[:, np.newaxis, np.newaxis]
    one = np.eye(matrices.shape[1])
    grown = np.broadcast_to(one, matrices.shape).copy()
    for k in range(_TERMS, 0, -1):
        grown = one + part @ grown / k
    for k in range(halved.max(initial=0)):
        left = halved > k
        grown[left] = grown[left] @ grown[left]
    return grown


def _name(matrix: str, *index: int) -> str:
    return "_".join((_PREFIX, matrix, *map(str, index)))


def exponential_rk4_statements(
    equations: Equations,
    *,
    previous: Mapping[str, str] | None = None,
    linear: LinearPart | None = None,
) -> str:
    """Write one exponential RK4 step of Brian2 equations as Brian2 abstract code.

    Parameters
    ----------
    equations : brian2.Equations
        Deterministic equations, which declare the coefficients of the linear part.
    previous : mapping of str to str, optional
        Variables that keep a state variable's value from before the step.
    linear : LinearPart, optional
        The linear part; None: the classic method.

    Returns
    -------
    str
        Abstract code.

    Raises
    ------
    UnsupportedError
        The equations contain noise terms (``xi``).
    """
    if linear is None:
        return rk4_statements(equations, previous=previous)
    refuse_noise(equations, "exponential_rk4")
    return "\n".join(_Writer(equations, linear).lines(previous or {}))


class _Writer:
    """One step, stage by stage."""

    def __init__(self, equations: Equations, linear: LinearPart) -> None:
        self.equations, self.linear = equations, linear
        self.gates = sorted(set(equations.diff_eq_names) - set(linear.states))
        self.needed = per_step_subexpressions(equations)
        self.index = {x: k for k, x in enumerate(linear.states)}
        self.v = self.index[linear.driven]

    def lines(self, previous: Mapping[str, str]) -> list[str]:
        """Write all statements."""
        states, lines = self.linear.states, []
        lines += self._rates(1)
        # a: the states that the next stages, or c, look at
        lines += [f"_x2_{x} = {self._grown('H', '', x)} + {self._n('Q', x, '_n1')}"
                  f"{self._commanded('K', x)}" for x in self._upstream()]  # fmt: skip
        lines += self._rates(2)
        lines += [f"_x3_{x} = _x2_{x} + {self._n('Q', x, '(_n2 - _n1)')}"
                  for x in self.linear.seen]  # fmt: skip
        lines += self._rates(3)
        lines += [f"_x4_{x} = {self._grown('H', '_x2_', x)} + "
                  f"{self._n('Q', x, '(2*_n3 - _n1)')}{self._commanded('K', x)}"
                  for x in self.linear.seen]  # fmt: skip
        lines += self._rates(4)
        lines.append("_n23 = _n2 + _n3")
        for x in states:
            weights = [self._n(m, x, n) for m, n in zip("STU", _ENDS, strict=True)]
            grown = " + ".join([self._grown("E", "", x), *weights])
            lines.append(f"_new_{x} = {grown}{self._commanded('R', x)}")
        # gates before the potentials: on the numpy target `x` changes in place
        lines += [f"_d_{x} = (_k1_{x} + 2*_k2_{x} + 2*_k3_{x} + _k4_{x})/6" for x in self.gates]
        lines += [f"_d_{x} = _new_{x} - {x}" for x in states if x in previous.values()]
        lines += [f"{x} = {x} + _d_{x}" for x in self.gates]
        lines += [f"{x} = _new_{x}" for x in states]
        lines += [f"{kept} = {x} - _d_{x}" for kept, x in previous.items()]
        return lines

    def _rates(self, stage: int) -> list[str]:
        """Evaluate the gates' rates and N at a stage."""
        _, weight, time = STAGES[stage - 1]
        names = {name: f"_s{stage}_{name}" for name, _ in self.needed} | {"t": time}
        lines: list[str] = []
        if stage > 1:
            names |= {x: f"_x{stage}_{x}" for x in (*self.gates, *self.linear.seen)}
            lines += [f"_x{stage}_{x} = {x} + {weight}*_k{stage - 1}_{x}" for x in self.gates]
        lines += [f"{names[name]} = {rename(code, names)}" for name, code in self.needed]
        for x in self.gates:
            rate = rename(self.equations[x].expr.code.strip(), names)
            lines.append(f"_k{stage}_{x} = dt*({rate})")
        rate = rename(self.equations[self.linear.driven].expr.code.strip(), names)
        for k, x in enumerate(self.linear.states):
            name = _name("L", self.v, k)
            if self.linear.has(name):
                rate += f" - {name}*{names.get(x, x)}"
        lines.append(f"_n{stage} = {rate}")
        return lines

    def _upstream(self) -> list[str]:
        """Give the states whose value at a enters c, and those that are seen."""
        wanted = set(self.linear.seen)
        for x in self.linear.seen:
            row = self.index[x]
            wanted |= {y for y, k in self.index.items() if self.linear.has(_name("H", row, k))}
        return [x for x in self.linear.states if x in wanted]

    def _grown(self, matrix: str, prefix: str, x: str) -> str:
        row = self.index[x]
        terms = [
            f"{_name(matrix, row, k)}*{prefix}{y}"
            for k, y in enumerate(self.linear.states)
            if self.linear.has(_name(matrix, row, k))
        ]
        return " + ".join(terms)

    def _n(self, matrix: str, x: str, value: str) -> str:
        name = _name(matrix, self.index[x])
        return f"{name}*{value}" if self.linear.has(name) else "0.0"

    def _commanded(self, matrix: str, x: str) -> str:
        name = _name(matrix, self.index[x])
        return f" + {name}*{self.linear.command}" if self.linear.has(name) else ""


_ENDS = ("_n1", "_n23", "_n4")
