"""Seeds: one for a script, from which every device gets its own."""

from __future__ import annotations

import numpy as np

_state: dict[str, np.random.SeedSequence] = {}

rng = np.random.default_rng()
"""Random numbers for scripts; `set_seed` starts them anew. Devices have their own."""


def set_seed(rand_seed: int | None) -> None:
    """Fix the seed of `rng`, and of every device and coordinate draw made after this call.

    A device keeps a Generator of its own, spawned from this seed when it is made, so
    that adding a device does not change the numbers of the ones before it. A device with
    a ``rand_seed`` is not affected. Brian2's own numbers follow ``brian2.seed``.

    Parameters
    ----------
    rand_seed : int or None
        None goes back to unpredictable numbers.

    Examples
    --------
    >>> set_seed(3); a = new_generator().random()
    >>> set_seed(3); a == new_generator().random()
    True
    >>> set_seed(None)
    """
    _state.clear()
    if rand_seed is not None:
        _state["root"] = np.random.SeedSequence(rand_seed)
    # in place: scripts say `from cleo_like.utilities import rng`
    rng.bit_generator.state = np.random.default_rng(rand_seed).bit_generator.state


def new_seed() -> np.random.SeedSequence:
    """Give a seed for one device: spawned from `set_seed`'s, else from the system."""
    root = _state.get("root")
    return root.spawn(1)[0] if root is not None else np.random.SeedSequence()


def new_generator(seed: int | None = None) -> np.random.Generator:
    """Make the Generator of one device or one draw.

    Parameters
    ----------
    seed : int, optional
        A seed of its own; None takes the next of `set_seed`'s, else an unpredictable one.
    """
    return np.random.default_rng(seed if seed is not None else new_seed())
