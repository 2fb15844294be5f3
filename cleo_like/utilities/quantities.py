"""Arrays of quantities: what numpy's functions do, with units kept and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError, UnitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core.units import Quantity


def unit_safe_append(q1: Quantity, q2: Quantity, axis: int | None = None) -> Any:
    """Append one quantity to another.

    Parameters
    ----------
    q1, q2 : quantity or array
        Of one dimension.
    axis : int, optional
        As for `numpy.append`.

    Examples
    --------
    >>> from brian2 import ms, second
    >>> unit_safe_append([1, 2] * ms, 0.003 * second)
    array([1., 2., 3.]) * msecond
    """
    dim = _dimension(q1, q2)
    return _with(np.append(np.asarray(q1), np.asarray(q2), axis=axis), dim)


def unit_safe_cat(quantities: Sequence[Any]) -> Any:
    """Concatenate quantities of one dimension along their first axis."""
    if len(quantities) == 0:
        msg = "unit_safe_cat needs at least one quantity"
        raise InputError(msg)
    dim = _dimension(*quantities)
    return _with(np.concatenate([np.asarray(q) for q in quantities]), dim)


def unit_safe_allclose(q1: Quantity, q2: Quantity) -> bool:
    """Whether two quantities of one dimension are equal to 1e-5 of their size.

    Unlike `numpy.allclose`, nothing is added to that: 1 us and 2 us differ.
    """
    _dimension(q1, q2)
    return bool(np.allclose(np.asarray(q1), np.asarray(q2), rtol=1e-5, atol=0))


def unit_safe_round(q: Any, decimals: int) -> Any:
    """Round a quantity to decimals of the unit in which Brian2 shows it.

    Examples
    --------
    >>> from brian2 import ms
    >>> unit_safe_round(1.23456 * ms, 2)
    1.23 * msecond
    """
    if not hasattr(q, "get_best_unit"):
        return np.round(q, decimals)
    unit = q.get_best_unit()
    return np.round(np.asarray(q / unit), decimals) * unit


def _dimension(*quantities: Any) -> Any:
    """Give the one dimension of quantities."""
    from brian2 import get_dimensions

    dims = [get_dimensions(q) for q in quantities]
    if any(dim is not dims[0] for dim in dims):
        units = ", ".join(str(dim) for dim in dims)
        msg = f"quantities must have one dimension, got {units}"
        raise UnitError(msg)
    return dims[0]


def _with(values: np.ndarray, dim: Any) -> Any:
    from brian2.units.fundamentalunits import DIMENSIONLESS, Quantity

    return values if dim is DIMENSIONLESS else Quantity(values, dim=dim)
