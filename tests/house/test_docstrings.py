"""Docstrings of the public names: numpydoc's rules on summaries, parameters and returns."""

import importlib
import inspect

import pytest

ROOMS = (
    "cleo_like", "cleo_like.stimuli", "cleo_like.io", "cleo_like.patch", "cleo_like.features",
    "cleo_like.qc", "cleo_like.cells", "cleo_like.matching", "cleo_like.imaging",
    "cleo_like.imaging.calibrated", "cleo_like.imaging.movie", "cleo_like.base", "cleo_like.core", "cleo_like.planning",
    "cleo_like.atlas", "cleo_like.groundtruth", "cleo_like.report", "cleo_like.sessions",
    "cleo_like.responses",
)  # fmt: skip
RULES = ("PR01", "RT01", "RT03", "SS")
"""Undocumented parameter, no section Returns, no description in it, summary."""

# (name, rule) -> why it is left out
EXCEPTIONS = {
    ("FrameSource", "PR01"): "a typing.Protocol: nobody calls it",
    ("ClampMode", "PR01"): "an Enum: the parameters are those of enum's own call",
}


def public(room):
    """Functions and classes of a room, by name."""
    module = importlib.import_module(room)
    things = {name: getattr(module, name) for name in module.__all__}
    return {n: t for n, t in things.items() if inspect.isfunction(t) or inspect.isclass(t)}


def findings(name):
    """Rules that a docstring breaks, with numpydoc's messages."""
    validate = pytest.importorskip("numpydoc.validate").validate
    return {
        code: message for code, message in validate(name)["errors"] if code.startswith(RULES)
    }


@pytest.mark.parametrize("room", ROOMS)
def test_public_docstrings_are_complete(room):
    pytest.importorskip("numpydoc")
    found = [
        f"{room}.{name}: {code} {message}"
        for name in public(room)
        for code, message in findings(f"{room}.{name}").items()
        if (name, code) not in EXCEPTIONS
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("name", "code"), EXCEPTIONS)
def test_exceptions_are_needed(name, code):
    assert code in findings(f"cleo_like.{name}")
