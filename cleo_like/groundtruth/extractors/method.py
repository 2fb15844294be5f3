"""One protocol for all extractors: sweeps and a step in, columns out."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.provenance import hash_of, to_json, versions
from cleo_like.features.parameters import DEFAULT, DEFINITIONS, GIGASEAL, IPFX
from cleo_like.features.registry import (
    Extracted,
    extractor_name,
    extractor_named,
    installed,
    of_cell,
)
from cleo_like.groundtruth.extractors import definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cleo_like.core.window import Window
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.stack import SweepStack
    from cleo_like.groundtruth.extractors.outcome import Outcome
    from cleo_like.groundtruth.truth.exact import Truth

OWN = ("native", "compat", "ipfx", "efel", "efel_default", "gigaseal")
"""Extractors that every study can have; "truth" is the perfect one, to test the scores."""
PERFECT = "truth"
TIMEOUT = 120.0
"""Seconds for one recording."""


@attrs.frozen(kw_only=True, eq=False)
class Method:
    """An extractor as the study knows it.

    Parameters
    ----------
    name : str
        In tables and on the page.
    run : callable
        ``(stack, window) -> Extracted`` or a mapping of name to value; of a method for
        calcium ``(dff, frame_rate, known)`` -> arrays (see `calcium.methods`).
    definitions : mapping of str to str
        What it means by a feature, where that is not what `definitions.NATIVE` says.
    reference : str, optional
        Own extractor that applies the same definitions; by default the method itself. It
        measures the noise-free trace for the truth of what is defined otherwise.
    isolated : bool
        Whether it runs in a process of its own, which may hang, print and crash.
    timeout : float
        Seconds for one recording.
    settings : str
        What changes the results beside the recording.
    knows_truth : bool
        Whether it is given the truth as last argument.
    read : callable, optional
        ``(answer, arguments) -> Outcome``, where the answer is not that of an extractor.
    trained_on : tuple of str
        Data sets (``"DS09"``) that it must not be scored on.
    """

    name: str
    run: Callable[..., Any]
    definitions: Mapping[str, str] = attrs.field(factory=dict)
    reference: str | None = None
    isolated: bool = True
    timeout: float = TIMEOUT
    settings: str = ""
    knows_truth: bool = False
    read: Callable[[Any, tuple[Any, ...]], Outcome] | None = None
    trained_on: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name of its folder: results of other settings are not mixed with these."""
        digest = hash_of(to_json([self.name, self.settings]).encode()).split(":")[-1]
        return f"{self.name}-{digest[:8]}"


def method_named(name: str) -> Method:
    """Look an extractor up.

    Parameters
    ----------
    name : str
        One of `OWN`, "truth", or an entry point of another package.

    Returns
    -------
    Method
        With its definitions.

    Raises
    ------
    UnknownNameError
        There is none of that name.
    UnsupportedError
        It needs something that is not installed.

    Examples
    --------
    >>> method_named("gigaseal").definitions["threshold_v"]
    'dV/dt falls to 20 % of the mean upstroke'
    """
    if name == PERFECT:
        return Method(name=PERFECT, run=perfect, isolated=False, settings="1", knows_truth=True)
    if name in _NATIVE:
        limits, own = _NATIVE[name]
        run = functools.partial(_measure, parameters=limits)
        return Method(
            name=name, run=run, definitions=own, isolated=False, settings=_version("cleo_like")
        )
    if name == "ipfx":
        extractor_named("ipfx")
        run = functools.partial(_registered, name="ipfx")
        return Method(
            name=name, run=run, definitions=definitions.IPFX, reference="compat",
            isolated=False, settings=_version("cleo_like"),
        )  # fmt: skip
    if name in {"efel", "efel_default"}:
        extractor_named("efel")
        run = functools.partial(_efel, setting="native" if name == "efel" else "default")
        return Method(
            name=name, run=run, definitions=definitions.EFEL, reference="efel",
            settings=_version("cleo_like", "efel"),
        )  # fmt: skip
    if name in installed():
        return of_function(extractor_named(name), name=name)
    raise unknown_name("extractor", name, {*OWN, PERFECT, *installed()})


def method_of(extractor: Any) -> Method:
    """Give the method that is meant by a name, a function, or a method itself."""
    if isinstance(extractor, Method):
        return extractor
    if isinstance(extractor, str):
        return method_named(extractor)
    if callable(extractor):
        return of_function(extractor)
    msg = f"an extractor is a name, a Method or a function, got {type(extractor).__name__}"
    raise InputError(msg)


def of_function(function: Any, *, name: str | None = None, settings: str = "") -> Method:
    """Make a method of an extractor of the registry's kind.

    Parameters
    ----------
    function : callable
        ``(stack, window, parameters) -> Extracted`` or a mapping. An attribute
        ``definitions`` (feature to text) tells what it defines otherwise.
    name : str, optional
        For the tables (default: the function's own).
    settings : str
        What changes its results; a new text makes it run again.

    Returns
    -------
    Method
        It runs in a process of its own.
    """
    return Method(
        name=name if name is not None else extractor_name(function),
        run=functools.partial(_called, function),
        definitions=dict(getattr(function, "definitions", {})),
        settings=settings or str(getattr(function, "__version__", "")),
    )


def _called(function: Any, stack: SweepStack, step: Window) -> Any:
    return function(stack, step, DEFAULT)


def _measure(stack: SweepStack, step: Window, *, parameters: ExtractionParameters) -> Extracted:
    from cleo_like.features.long_square.cell import analyse

    return of_cell(analyse(stack, step, parameters), stack)


def _registered(stack: SweepStack, step: Window, *, name: str) -> Any:
    return extractor_named(name)(stack, step, DEFAULT)


def _efel(stack: SweepStack, step: Window, *, setting: str) -> Extracted:
    from cleo_like.features.adapters.efel import efel_cell

    return of_cell(efel_cell(stack, step, DEFAULT, setting=setting), stack)


def perfect(stack: SweepStack, step: Window, truth: Truth) -> Extracted:  # noqa: ARG001
    """Answer with the truth at the recording's rate: the extractor that must score 1."""
    from cleo_like.groundtruth.truth.exact import RATE

    return Extracted(
        values=dict(truth.cell[RATE]),
        spikes=dict(truth.shapes[RATE]),
        sweeps=dict(truth.sweeps[RATE]),
    )


_NATIVE = {
    "native": (DEFAULT, {}),
    "compat": (IPFX, definitions.IPFX),
    "gigaseal": (GIGASEAL, definitions.GIGASEAL),
}


def _version(*packages: str) -> str:
    return to_json([versions(packages), DEFINITIONS])
