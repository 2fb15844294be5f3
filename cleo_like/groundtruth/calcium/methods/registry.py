"""Methods by name, each with the settings that it is scored with."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import InputError, UnsupportedError, unknown_name
from cleo_like.core.plugins import BROKEN, offered
from cleo_like.core.provenance import to_json, versions
from cleo_like.groundtruth.calcium.methods import decays, kernels, outside, plain
from cleo_like.groundtruth.calcium.methods.answer import read_answer
from cleo_like.groundtruth.extractors.method import PERFECT, Method

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from cleo_like.groundtruth.calcium.chain import Imaged
    from cleo_like.groundtruth.calcium.known import Known

GROUP = "cleo_like.calcium_methods"
"""Entry point group under which other packages offer a method: see `answer`."""
WRONG = 2.5
"""Factor on the decay of a method that is told a wrong one."""

_OWN: dict[str, Callable[..., Any]] = {
    "l0": decays.l0,
    "l0_auto": functools.partial(decays.l0, tau=None),
    "l0_wrong": functools.partial(decays.l0, tau=WRONG),
    "ar1": decays.ar1,
    "ar1_auto": functools.partial(decays.ar1, tau=None),
    "ar1_wrong": functools.partial(decays.ar1, tau=WRONG),
    "suite2p": decays.suite2p,
    "suite2p_default": functools.partial(decays.suite2p, tau="default"),
    "wiener": kernels.wiener,
    "wiener_wrong": functools.partial(kernels.wiener, tau=WRONG),
    "nnls": kernels.nnls,
    "richardson_lucy": kernels.richardson_lucy,
    "template": kernels.template,
    "threshold": plain.threshold,
    "difference": plain.difference,
    "dff": plain.dff,
}
_PEERS: dict[str, tuple[Callable[..., Any], Callable[[], None], tuple[str, ...]]] = {
    "oasis": (outside.oasis, outside.need_oasis, ()),
    "oasis_tau": (functools.partial(outside.oasis, told=True), outside.need_oasis, ()),
    "cascade": (outside.cascade, outside.need_cascade, outside.CASCADE_TRAINED),
}
CALCIUM = (*_OWN, *_PEERS)
"""Methods that every study can have; "truth" is the perfect one, to test the scores."""
MEANING = {
    "l0": "fewest jumps of an exponential; decay of the indicator",
    "l0_auto": "the same; decay measured from the trace",
    "l0_wrong": f"the same; decay {WRONG:g} times that of the indicator",
    "ar1": "sparse non-negative deconvolution; decay of the indicator",
    "ar1_auto": "the same; decay measured from the trace",
    "ar1_wrong": f"the same; decay {WRONG:g} times that of the indicator",
    "suite2p": "suite2p's formula (baseline off, non-negative, no penalty); decay of the "
    "indicator",
    "suite2p_default": "the same; decay 1 s, the program's default",
    "wiener": "linear, by the indicator's kernel and the noise",
    "wiener_wrong": f"the same; kernel stretched {WRONG:g} times",
    "nnls": "non-negative least squares by the indicator's kernel",
    "richardson_lucy": "Richardson-Lucy by the indicator's kernel, 50 steps",
    "template": "scale of the sliding kernel; events by detection criterion 4",
    "threshold": "rises of the smoothed trace beyond 3 SD",
    "difference": "first difference, rectified",
    "dff": "the smoothed trace itself",
    "oasis": "oasis-deconv, decay and noise estimated by it",
    "oasis_tau": "oasis-deconv, told the decay of the indicator",
    "cascade": f"CASCADE, {outside.CASCADE_MODEL}",
}


def calcium_method(name: str) -> Method:
    """Look a method up.

    Parameters
    ----------
    name : str
        One of `CALCIUM`, "truth", or an entry point of another package.

    Returns
    -------
    Method
        With its settings.

    Raises
    ------
    UnknownNameError
        There is none of that name.
    UnsupportedError
        It needs something that is not installed.

    Examples
    --------
    >>> calcium_method("suite2p_default").name
    'suite2p_default'
    """
    if name == PERFECT:
        return Method(
            name=PERFECT, run=perfect, isolated=False, settings="1", knows_truth=True,
            read=read_answer,
        )  # fmt: skip
    if name in _OWN:
        return Method(
            name=name, run=_OWN[name], isolated=False, read=read_answer,
            settings=to_json([versions(("cleo_like",)), MEANING[name]]),
        )  # fmt: skip
    if name in _PEERS:
        run, need, trained = _PEERS[name]
        need()
        return Method(
            name=name, run=run, isolated=False, read=read_answer, trained_on=trained,
            settings=MEANING[name],
        )  # fmt: skip
    points = {point.name: point for point in offered(GROUP)}
    if name in points:
        try:
            return calcium_function(points[name].load(), name=name)
        except BROKEN as error:
            msg = f"the method {name!r}, of another package, does not work: {error}"
            raise UnsupportedError(msg) from error
    raise unknown_name("method", name, {*CALCIUM, PERFECT, *points})


def calcium_method_of(method: Any) -> Method:
    """Give the method that is meant by a name, a function, or a method itself."""
    if isinstance(method, Method):
        return method
    return calcium_method(method) if isinstance(method, str) else calcium_function(method)


def calcium_function(function: Any, *, name: str | None = None, settings: str = "") -> Method:
    """Make a method of a function.

    Parameters
    ----------
    function : callable
        ``(dff, frame_rate)`` or ``(dff, frame_rate, known)`` -> array (a trace in any unit),
        or a mapping with ``rate`` or ``trace``, ``events`` and ``noise``; arrays have the
        shape (n_cells, n_frames), ``noise`` (n_cells,). An attribute ``trained_on``
        (``("DS09", ...)``) names data that it must not be scored on.
    name : str, optional
        For the tables (default: the function's own).
    settings : str
        What changes its results; a new text makes it run again.

    Returns
    -------
    Method
        It runs in a process of its own.
    """
    if not callable(function):
        msg = f"a method is a function of (dff, frame_rate), got {type(function).__name__}"
        raise InputError(msg)
    return Method(
        name=name if name is not None else str(getattr(function, "__name__", "method")),
        run=functools.partial(_called, function), read=read_answer,
        settings=settings or str(getattr(function, "__version__", "")),
        trained_on=tuple(getattr(function, "trained_on", ())),
    )  # fmt: skip


def _called(function: Any, dff: np.ndarray, rate: float, known: Known) -> Any:
    given: tuple[Any, ...] = (dff, rate, known)
    try:
        inspect.signature(function).bind(*given)
    except TypeError:
        given = given[:2]
    return function(*given)


def perfect(dff: np.ndarray, rate: float, known: Known, truth: Imaged) -> dict[str, Any]:  # noqa: ARG001
    """Answer with the truth: the method that must score 1."""
    return {
        "rate": truth.counts * rate, "events": truth.counts.astype(float),
        "noise": truth.noise_sd,
    }  # fmt: skip
