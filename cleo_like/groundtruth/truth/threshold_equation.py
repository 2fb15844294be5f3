"""Where a cell fires by itself: the threshold equation, along its own potential.

Platkiewicz & Brette 2010 (PLoS Comput Biol 6:e1000850): sodium channels activate at once, all
slower gates stand still. Then the current into the membrane is a function of the potential
alone, and a spike begins where its slope turns positive: where the sodium current that a rise
opens outweighs all other conductances. With the activation exp((V - Va) / ka) that is their
threshold, Va - ka log(gNa h (ENa - Va) / (ka g)), g the sum of the other conductances and h the
sodium inactivation. Here the slope is taken of the model's own equations, which needs neither
the exponential nor a formula for each model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.cells.dynamics import Dynamics
from cleo_like.core.errors import UnsupportedError

if TYPE_CHECKING:
    from cleo_like.cells import CellModel

EQUATION = "threshold equation"
"""Name of this truth beside `exact.REFERENCES`; no extractor means it by its threshold."""
VALUES = ("threshold_v", "threshold_t")
FAST = 0.5e-3
"""s: a gate that is faster at every potential of `_AROUND` follows the potential at once."""
_AROUND = np.arange(-65e-3, -39e-3, 1e-3)  # V: where spikes begin
_TABLE = np.arange(-0.2, 0.15, 1e-5)  # V: rates of the gates are interpolated between these
_BEFORE = 10e-3  # s before a peak in which most spikes begin: looked at first
_MOVE = 1e-6  # V, of the derivative
_BLOCK = 50  # samples that are solved at once


@attrs.frozen(eq=False)
class Gates:
    """The gates of a model: each relaxes to a value that the potential sets.

    Parameters
    ----------
    dynamics : Dynamics
        Compiled equations.
    parameters : mapping of str to float
        Of the cell (SI).

    Raises
    ------
    UnsupportedError
        A state is no gate: its rate is not linear in itself, or depends on other states.
    """

    dynamics: Dynamics
    parameters: dict[str, Any]
    _opening: np.ndarray = attrs.field(init=False)
    _relaxing: np.ndarray = attrs.field(init=False)
    fast: np.ndarray = attrs.field(init=False)
    """Which states follow the potential at once."""

    def __attrs_post_init__(self) -> None:
        """Tabulate the rates, after a look whether every state is a gate."""
        for k, name in enumerate(self.dynamics.states):
            if k != self.dynamics.v and not self._is_gate(k):
                msg = f"{name} of {self.dynamics.model.name} is no gate of the potential alone"
                raise UnsupportedError(msg)
        zero, one = self._rates_at(0.0, _TABLE), self._rates_at(1.0, _TABLE)
        object.__setattr__(self, "_opening", zero)
        object.__setattr__(self, "_relaxing", zero - one)
        with np.errstate(divide="ignore"):
            taus = 1 / (self._rates_at(0.0, _AROUND) - self._rates_at(1.0, _AROUND))
        fast = taus.max(axis=1) < FAST
        fast[self.dynamics.v] = False
        object.__setattr__(self, "fast", fast)

    @classmethod
    def of(cls, model: CellModel) -> Gates:
        """Give the gates of a model."""
        return cls(Dynamics(model), dict(model.values(None)))

    def _rates_at(
        self, value: float, v: np.ndarray, own: int | None = None, at: float = 0.0
    ) -> np.ndarray:
        """Rates of all states, every gate at one value but one of them."""
        x = np.full((len(self.dynamics.states), v.size), value)
        if own is not None:
            x[own] = at
        x[self.dynamics.v] = v
        return self.dynamics.rates(x, 0.0, self.parameters)

    def _is_gate(self, k: int) -> bool:
        """Whether a rate is linear in its own state, and no other state moves it."""
        zero, half, one = (self._rates_at(0.3, _AROUND, k, x)[k] for x in (0.0, 0.5, 1.0))
        other = self._rates_at(0.6, _AROUND, k, 0.0)[k]
        size = 1e-9 * (np.abs(zero).max() + np.abs(one).max())
        alike = np.abs(other - zero).max() <= size
        return bool(alike and np.abs(half - (zero + one) / 2).max() <= size)

    def along(self, v: np.ndarray, rate: float) -> np.ndarray:
        """Give all states along potentials, from the steady state at their first sample.

        Parameters
        ----------
        v : array, shape (n_sweeps, n_samples)
            Potential (V).
        rate : float
            Hz.

        Returns
        -------
        array, shape (n_states, n_sweeps, n_samples)
            Fast gates at their steady values.
        """
        fast, out = self.fast, np.empty((len(self.dynamics.states), *v.shape))
        for k in range(len(out)):
            if k == self.dynamics.v:
                out[k] = v
                continue
            opening = np.interp(v, _TABLE, self._opening[k])
            relaxing = np.interp(v, _TABLE, self._relaxing[k])
            out[k] = opening / relaxing
            if not fast[k]:
                out[k] = _relaxed(out[k], relaxing, rate)
        return out

    def slope(self, states: np.ndarray) -> np.ndarray:
        """Give d(dV/dt)/dV (1/s), slow gates held, fast ones at their steady values."""
        up, down = (self._driven(states, sign * _MOVE) for sign in (1, -1))
        return np.asarray((up - down) / (2 * _MOVE))

    def _driven(self, states: np.ndarray, by: float) -> np.ndarray:
        v, fast = self.dynamics.v, self.fast
        x = np.array(states)
        x[v] += by
        if fast.any():
            zero, one = x.copy(), x.copy()
            zero[fast], one[fast] = 0.0, 1.0
            opening = self.dynamics.rates(zero, 0.0, self.parameters)[fast]
            relaxing = opening - self.dynamics.rates(one, 0.0, self.parameters)[fast]
            x[fast] = opening / relaxing
        return self.dynamics.rates(x, 0.0, self.parameters)[v]


def _relaxed(target: np.ndarray, relaxing: np.ndarray, rate: float) -> np.ndarray:
    """Solve dx/dt = relaxing (target - x) from x = target, along the last axis.

    Between two samples both are at their mean. Blocks of samples are solved at once: inside
    a block x is the decayed start plus a sum.
    """
    n = target.shape[1]
    r = 0.5 * (relaxing[:, 1:] + relaxing[:, :-1])
    goal = 0.5 * (target[:, 1:] + target[:, :-1])
    keep = np.exp(-r / rate)
    blocks = -(-(n - 1) // _BLOCK)
    pad = ((0, 0), (0, blocks * _BLOCK - (n - 1)))
    shape = (len(target), blocks, _BLOCK)
    keep = np.pad(keep, pad, constant_values=1.0).reshape(shape)
    goal = np.pad(goal, pad).reshape(shape)
    decay = np.cumprod(keep, axis=2)
    added = decay * np.cumsum(goal * (1 - keep) / decay, axis=2)
    starts = np.empty((len(target), blocks))
    x = target[:, 0]
    for k in range(blocks):
        starts[:, k] = x
        x = x * decay[:, k, -1] + added[:, k, -1]
    inside = (starts[:, :, None] * decay + added).reshape(len(target), -1)[:, : n - 1]
    return np.concatenate([target[:, :1], inside], axis=1)


def equation_thresholds(
    model: CellModel, voltage: np.ndarray, rate: float, sweep: np.ndarray, peak: np.ndarray
) -> dict[str, np.ndarray]:
    """Find where each spike crosses the threshold of the threshold equation.

    Parameters
    ----------
    model : CellModel
        The cell; its gates must depend on the potential alone.
    voltage : array, shape (n_sweeps, n_samples)
        Its own potential (V), from rest on.
    rate : float
        Hz.
    sweep, peak : array, shape (n_spikes,)
        Where the spikes are; time of the peak (s).

    Returns
    -------
    dict of str to array, shape (n_spikes,)
        ``threshold_v`` (mV) and ``threshold_t`` (s); NaN where the slope is never negative
        between the peak before and this one, or never positive.

    Raises
    ------
    UnsupportedError
        See `Gates`.
    """
    out = {name: np.full(sweep.size, np.nan) for name in VALUES}
    if sweep.size == 0:
        return out
    gates = Gates.of(model)
    rows, place = np.unique(sweep, return_inverse=True)
    states = gates.along(voltage[rows], rate)
    for j in range(rows.size):
        mine = np.flatnonzero(place == j)
        for before, k in zip([-1, *mine[:-1].tolist()], mine.tolist(), strict=True):
            since = 0.0 if before < 0 else peak[before]
            for first in (max(since, peak[k] - _BEFORE), since):
                a, b = max(0, int(first * rate)), int(peak[k] * rate) + 1
                found = _crossing(gates.slope(states[:, j, a:b]))
                if found is not None:
                    v = np.interp(found, np.arange(b - a), voltage[rows[j], a:b])
                    out["threshold_v"][k], out["threshold_t"][k] = 1e3 * v, (a + found) / rate
                    break
    return out


def _crossing(slope: np.ndarray) -> float | None:
    """Give where the slope last turns positive before it is largest, between samples."""
    if not slope.size:
        return None
    top = int(slope.argmax())
    below = np.flatnonzero(slope[:top] < 0)
    if slope[top] <= 0 or not below.size:
        return None
    k = int(below[-1])
    return k + float(slope[k] / (slope[k] - slope[k + 1]))
