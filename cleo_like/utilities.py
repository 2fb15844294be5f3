"""Small things a Cleo script touches: the seed, unit vectors, plot style."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float

_state: dict[str, np.random.SeedSequence] = {}


def set_seed(seed: int | None) -> None:
    """Fix the seed of every device and coordinate draw made after this call.

    A device keeps a Generator of its own, spawned from this seed when it is made, so
    that adding a device does not change the numbers of the ones before it. A device with
    a ``rand_seed`` is not affected. Brian2's own numbers follow ``brian2.seed``.

    Parameters
    ----------
    seed : int or None
        None goes back to unpredictable numbers.

    Examples
    --------
    >>> set_seed(3); a = new_generator().random()
    >>> set_seed(3); a == new_generator().random()
    True
    >>> set_seed(None)
    """
    _state.clear()
    if seed is not None:
        _state["root"] = np.random.SeedSequence(seed)


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


def normalize_coords(coords: Any) -> Float[np.ndarray, "... 3"]:
    """Scale vectors to length 1.

    Parameters
    ----------
    coords : array or quantity, shape (..., 3)
        Directions; the unit does not matter.

    Examples
    --------
    >>> normalize_coords((0, 0, 2))
    array([0., 0., 1.])
    """
    array = np.asarray(coords, dtype=float)
    length = np.linalg.norm(array, axis=-1, keepdims=True)
    if array.shape[-1:] != (3,) or not np.isfinite(length).all() or (length == 0).any():
        msg = f"a direction needs three numbers that are not all zero, got {coords}"
        raise InputError(msg)
    return array / length


def get_orth_vectors_for_V(  # noqa: N802 - Cleo's name
    V: Any,  # noqa: N803
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Give two unit vectors at right angles to a direction and to each other.

    Parameters
    ----------
    V : array, shape (3,)
        The direction.

    Returns
    -------
    tuple of array, shape (3,)
        With the direction they form a right-handed frame.

    Examples
    --------
    >>> a, b = get_orth_vectors_for_V((0, 0, 1))
    >>> [float(x) for x in np.cross(a, b)]
    [0.0, 0.0, 1.0]
    """
    unit = normalize_coords(V)
    helper = np.eye(3)[int(np.argmin(np.abs(unit)))]
    first = np.cross(helper, unit)
    first /= np.linalg.norm(first)
    return first, np.cross(unit, first)


def style_plots_for_docs(dark: bool = True) -> None:  # noqa: FBT001, FBT002 - Cleo's signature
    """Set matplotlib's look for documentation.

    Parameters
    ----------
    dark : bool
        Light lines on a dark ground (default), or dark on light.
    """
    import matplotlib.pyplot as plt

    plt.style.use("dark_background" if dark else "default")
    plt.rc("figure", dpi=100)
    plt.rc("axes.spines", top=False, right=False)


def style_plots_for_paper(fontscale: float = 5 / 6) -> None:
    """Set matplotlib's look for print.

    Parameters
    ----------
    fontscale : float
        Size of the text relative to matplotlib's default.
    """
    import matplotlib.pyplot as plt

    plt.style.use("default")
    plt.rc("font", size=10 * fontscale)
    plt.rc("figure", dpi=300)
    plt.rc("axes.spines", top=False, right=False)
    plt.rc("svg", fonttype="none")
