"""State updaters registered with Brian2 (usable on every Brian2 target).

``shared_rk4``
    the classic Runge-Kutta method of order 4, subexpressions evaluated once per stage
``rush_larsen``
    an exponential step for every state, all from the old values
``staggered``
    the same exponential steps, the potential first and its gates with the new potential:
    second order at the same cost
``exponential_rk4``
    Runge-Kutta of order 4 with an exact linear part: for an electrode or an amplifier that is
    too fast for `shared_rk4`

`register` makes the names known to Brian2; `choose` says which one suits equations.
"""

from cleo_like.engine.integrators.choice import Choice, choose
from cleo_like.engine.integrators.coloring import two_colours
from cleo_like.engine.integrators.exponential import (
    halves_of,
    rush_larsen_statements,
    staggered_statements,
)
from cleo_like.engine.integrators.exponential_rk4 import (
    Linear,
    LinearPart,
    coefficients_of,
    exponential_rk4_statements,
    linear_part,
)
from cleo_like.engine.integrators.registry import METHODS, NAME, register
from cleo_like.engine.integrators.rk4 import rk4_statements

__all__ = [
    "METHODS",
    "NAME",
    "Choice",
    "Linear",
    "LinearPart",
    "choose",
    "coefficients_of",
    "exponential_rk4_statements",
    "halves_of",
    "linear_part",
    "register",
    "rk4_statements",
    "rush_larsen_statements",
    "staggered_statements",
    "two_colours",
]
