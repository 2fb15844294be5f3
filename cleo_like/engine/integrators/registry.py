"""Brian2's names for the updaters of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import UnsupportedError, unknown_name
from cleo_like.engine.integrators.exponential import (
    rush_larsen_statements,
    staggered_statements,
)
from cleo_like.engine.integrators.exponential_rk4 import exponential_rk4_statements
from cleo_like.engine.integrators.rk4 import rk4_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from brian2 import Equations

NAME = "shared_rk4"
METHODS = (NAME, "rush_larsen", "staggered", "exponential_rk4")
"""Names of the updaters."""

# writer, and its options with their defaults
_WRITERS: dict[str, tuple[Callable[..., str], dict[str, Any]]] = {
    NAME: (rk4_statements, {"previous": None}),
    "rush_larsen": (rush_larsen_statements, {"previous": None}),
    "staggered": (staggered_statements, {"previous": None, "first": None}),
    "exponential_rk4": (exponential_rk4_statements, {"previous": None, "linear": None}),
}


def register(name: str = NAME) -> str:
    """Make all updaters known to Brian2 (once) and give back the name asked for.

    Parameters
    ----------
    name : str
        One of `METHODS`.

    Returns
    -------
    str
        The same name, for ``method=register("staggered")``.

    Raises
    ------
    UnknownNameError
        There is no such method; the message suggests near names.

    Examples
    --------
    >>> from brian2 import Network, NeuronGroup, ms
    >>> group = NeuronGroup(1, "dx/dt = -x/(10*ms) : 1", method=register())
    >>> group.x = 1
    >>> Network(group).run(10 * ms)
    >>> f"{group.x[0]:.9f}"
    '0.367879441'
    """
    from brian2.stateupdaters.base import StateUpdateMethod

    if name not in METHODS:
        raise unknown_name("integration method", name, METHODS)
    for method, (write, options) in _WRITERS.items():
        if method not in StateUpdateMethod.stateupdaters:
            StateUpdateMethod.register(method, _updater(write, options))
    return name


def _updater(write: Callable[..., str], defaults: Mapping[str, Any]) -> Any:
    """Wrap a writer of statements; made lazily, because the base class lives in Brian2."""
    from brian2.stateupdaters.base import (
        StateUpdateMethod,
        UnsupportedEquationsException,
        extract_method_options,
    )

    class Updater(StateUpdateMethod):
        def __call__(
            self, equations: Equations, variables: Any = None, method_options: Any = None
        ) -> str:
            del variables  # Brian2 passes them; these methods need the equations only
            options = extract_method_options(method_options, dict(defaults))
            try:
                return write(equations, **options)
            except UnsupportedError as error:
                raise UnsupportedEquationsException(str(error)) from error

    return Updater()
