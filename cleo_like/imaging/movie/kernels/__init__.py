"""The inner loops of a movie: by numba where it is installed, else numpy; the same bits."""

from __future__ import annotations

import functools
from importlib.util import find_spec
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

from cleo_like.core.errors import UnsupportedError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable

Backend = Literal["auto", "numba", "numpy"]
_NAMES = ("fill_canvas", "add_cells", "warp", "detect", "smear", "store")


def kernels(backend: Backend = "auto") -> Any:
    """Give the functions that make a frame.

    Parameters
    ----------
    backend : str
        "numba", "numpy", or "auto": numba where it is installed.

    Returns
    -------
    namespace
        `fill_canvas`, `add_cells`, `warp`, `detect`, `smear`, `store`, and `name`.
    """
    if backend not in ("auto", "numba", "numpy"):
        raise unknown_name("backend of movies", str(backend), ("auto", "numba", "numpy"))
    has_numba = find_spec("numba") is not None
    if backend == "numba" and not has_numba:
        msg = "numba is not installed: install cleo_like[movie], or say backend='numpy'"
        raise UnsupportedError(msg)
    return _compiled() if has_numba and backend != "numpy" else _plain()


@functools.cache
def _plain() -> Any:
    from cleo_like.imaging.movie.kernels import arrays

    return SimpleNamespace(name="numpy", **{name: getattr(arrays, name) for name in _NAMES})


@functools.cache
def _compiled() -> Any:
    import numba

    from cleo_like.imaging.movie.kernels import loops

    # nogil: frames of several threads are made at the same time
    compiled: Callable[..., Any] = numba.njit(nogil=True, cache=True)
    made = {name: compiled(getattr(loops, name)) for name in _NAMES}
    return SimpleNamespace(name="numba", **made)
