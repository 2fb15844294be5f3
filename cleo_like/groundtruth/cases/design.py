"""Which combinations are run when all of them would be too many."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

_STARTS = 4
_PASSES = 30


@attrs.frozen(kw_only=True, eq=False)
class Design:
    """Runs as levels of factors, and what they let us estimate.

    Parameters
    ----------
    runs : array of int, shape (n_runs, n_factors)
        Number of the level of each factor.
    levels : tuple of int
        How many levels each factor has.
    """

    runs: np.ndarray
    levels: tuple[int, ...]

    @property
    def model(self) -> np.ndarray:
        """Model matrix of all main effects (sum to zero), shape (n_runs, n_effects)."""
        return model_matrix(self.runs, self.levels)

    @property
    def efficiency(self) -> float:
        """D-efficiency: 1 for an orthogonal design with equally frequent levels."""
        x = self.model
        ideal = model_matrix(_product(self.levels), self.levels)
        moments = np.linalg.slogdet(x.T @ x / len(x))[1]
        best = np.linalg.slogdet(ideal.T @ ideal / len(ideal))[1]
        return float(np.exp((moments - best) / x.shape[1]))

    @property
    def estimable(self) -> bool:
        """Whether all main effects can be told apart."""
        return bool(np.linalg.matrix_rank(self.model) == self.model.shape[1])


def full(levels: Sequence[int]) -> Design:
    """Give every combination.

    Parameters
    ----------
    levels : sequence of int
        How many levels each factor has.

    Examples
    --------
    >>> len(full([2, 3]).runs)
    6
    """
    grid = list(itertools.product(*map(range, levels)))
    return Design(
        runs=np.array(grid, dtype=int).reshape(len(grid), len(levels)), levels=tuple(levels)
    )


def screening(levels: Sequence[int], n_runs: int, seed: int = 0) -> Design:
    """Choose runs from which all main effects can be estimated (D-optimal).

    Coordinate exchange (Meyer & Nachtsheim 1995, Technometrics 37:60): each level of each
    run is replaced by the one that gives the largest determinant of the information matrix,
    until nothing changes; the best of four random starts is kept.

    Parameters
    ----------
    levels : sequence of int
        How many levels each factor has.
    n_runs : int
        Runs.
    seed : int
        Of the random starts.

    Returns
    -------
    Design
        Main effects are clear of each other; interactions are not: two factors that act
        only together bias the effects of others.

    Raises
    ------
    InputError
        Fewer runs than main effects; the message says how many are needed.

    Examples
    --------
    >>> found = screening([2] * 7, 8)
    >>> round(found.efficiency, 3), found.estimable
    (1.0, True)
    """
    need = 1 + sum(n - 1 for n in levels)
    if n_runs < need:
        msg = f"a screening design of these factors needs runs = {need} or more, got {n_runs}"
        raise InputError(msg)
    if n_runs >= int(np.prod(levels)):
        return full(levels)
    rng = np.random.default_rng(seed)
    best, score = None, -np.inf
    for _ in range(_STARTS):
        runs = _exchanged(_start(levels, n_runs, rng), levels)
        x = model_matrix(runs, levels)
        sign, found = np.linalg.slogdet(x.T @ x)
        if sign > 0 and found > score + 1e-9:
            best, score = runs, found
    if best is None:
        msg = f"no design of {n_runs} runs was found; ask for more runs"
        raise InputError(msg)
    return Design(runs=best[np.lexsort(best.T[::-1])], levels=tuple(levels))


def model_matrix(runs: np.ndarray, levels: Sequence[int]) -> np.ndarray:
    """Give mean and main effects as orthonormal contrasts, shape (n_runs, n_effects)."""
    columns = [np.ones((len(runs), 1))]
    columns += [_contrasts(n)[runs[:, k]] for k, n in enumerate(levels)]
    return np.hstack(columns)


def _contrasts(n: int) -> np.ndarray:
    """Helmert contrasts, scaled so that a balanced factor has the identity as moments."""
    out = np.zeros((n, n - 1))
    for k in range(1, n):
        out[:k, k - 1], out[k, k - 1] = -1.0, k
        out[:, k - 1] *= np.sqrt(n / (k * (k + 1)))
    return out


def _product(levels: Sequence[int]) -> np.ndarray:
    """Give runs in which every pair of levels is as frequent as in all combinations."""
    size = int(np.prod(levels))
    if size <= 20_000:
        return full(levels).runs
    rng = np.random.default_rng(0)  # the moments of a product design are known: the identity
    rows = [rng.permuted(np.arange(20_160) % n) for n in levels]
    return np.stack(rows, axis=1)


def _start(levels: Sequence[int], n_runs: int, rng: np.random.Generator) -> np.ndarray:
    columns = [rng.permutation(np.arange(n_runs) % n) for n in levels]
    return np.stack(columns, axis=1)


def _exchanged(runs: np.ndarray, levels: Sequence[int]) -> np.ndarray:
    """Improve one start until no single exchange helps."""
    codes = [_contrasts(n) for n in levels]
    first = np.cumsum([1, *(n - 1 for n in levels)])
    x = model_matrix(runs, levels)
    ridge = 1e-8 * np.eye(x.shape[1])
    for _ in range(_PASSES):
        changed = False
        for row in range(len(runs)):
            rest = np.linalg.inv(x.T @ x - np.outer(x[row], x[row]) + ridge)
            for k, code in enumerate(codes):
                trial = np.repeat(x[row][None], len(code), axis=0)
                trial[:, first[k] : first[k + 1]] = code
                gain = np.einsum("ij,jk,ik->i", trial, rest, trial)
                level = int(gain.argmax())
                if gain[level] > gain[runs[row, k]] * (1 + 1e-9) + 1e-12:
                    runs[row, k], changed = level, True
                    x[row] = trial[level]
        if not changed:
            break
    return runs
