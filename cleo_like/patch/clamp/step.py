"""The function of a dynamic clamp, and what it may answer."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable


def step_function(value: object) -> Callable[[float, float], float]:
    """Give a function of time and potential, or say what is wrong with it."""
    if not callable(value):
        msg = (
            "step must be a function step(t, v) -> i of a time (s) and a potential (V) that "
            f"gives a current (A), or a conductance such as Leak('5 nS'); got {value!r}"
        )
        raise InputError(msg)
    if inspect.isroutine(value):  # not a conductance, nor a function of numba
        _check_arguments(value)
    return value


def _check_arguments(step: Callable[..., object]) -> None:
    try:
        shape = inspect.signature(step)
    except ValueError:  # a function of C that does not tell
        return
    try:
        shape.bind(0.0, 0.0)
    except TypeError as error:
        msg = (
            "step must take a time (s) and a potential (V), step(t, v) -> i; got one with the "
            f"arguments {shape}"
        )
        raise InputError(msg) from error


def current_of(answer: Any) -> float:
    """Give the current (A) that a step answered.

    Raises
    ------
    InputError
        It is no number.
    """
    try:
        return float(answer)
    except (TypeError, ValueError) as error:
        msg = f"step(t, v) gave {answer!r}; it must give a current (A), a number"
        raise InputError(msg) from error


def no_number(amps: list[float], t: float, volts: list[float]) -> str:
    """Say when and at which potential an answer was not finite."""
    return (
        f"step(t, v) gave {amps} A at {t * 1e3:g} ms and {[v * 1e3 for v in volts]} mV; it "
        "must give a finite current (A)"
    )
