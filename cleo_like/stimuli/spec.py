"""Protocols as one line of text, for the command line.

A line is the name of a family and its arguments, separated by spaces or by commas::

    long_square amplitudes=-100:300:50pA duration=1s rate=50kHz
    long_square:amplitudes=-50,50,100pA,test_pulse=-25pA
    noise sd=20pA tau=3ms seed=7 repeats=10
    picture photo.jpg sweep_duration=1s sample_rate=10kHz amplitude=-10,10pA rows=48

Arguments are those of the functions in `cleo_like.stimuli`. Lists are ``a,b,c`` or
``first:last:step`` (the last included), with the unit at the end; ``none`` is not given.
Words with spaces are put in quotes.
"""

from __future__ import annotations

import inspect
import re
import shlex
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.stimuli import families, voltage
from cleo_like.stimuli.images import encode as image

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.core.protocol import Protocol

FAMILY_MAKERS: dict[str, Callable[..., Protocol]] = {
    "chirp": families.chirp,
    "long_square": families.long_square,
    "noise": families.noise,
    "picture": image.from_image,
    "pulse_train": families.pulse_train,
    "ramp": families.ramp,
    "sag_ladder": families.sag_ladder,
    "short_square": families.short_square,
    "sine": families.sine,
    "voltage_steps": voltage.voltage_steps,
}
"""Name in the text -> the function that makes the protocol."""

_LISTS = ("amplitudes", "amplitude", "levels", "percentiles")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_VALUES = re.compile(rf"\s*({_NUMBER})\s*([^\d\s,:;.+-][^\s,:;]*)?\s*([,:]|$)")
_NEXT_ARGUMENT = re.compile(r"[,;]\s*(?=[A-Za-z_]\w*\s*=)")


def parse_protocol(text: str) -> Protocol:
    """Make a protocol from one line of text.

    Parameters
    ----------
    text : str
        Family and arguments; the description of this module shows the form.

    Returns
    -------
    Protocol
        What the function of that name makes.

    Raises
    ------
    UnknownNameError
        No such family or argument; the message suggests near ones.
    InputError
        A missing argument, or one that cannot be read.

    Examples
    --------
    >>> parse_protocol("long_square amplitudes=-100:300:50pA rate=20kHz")
    Protocol long_square: 9 sweeps of 2000 ms at 20 kHz, -100..300 pA, gap 0 ms
    >>> parse_protocol("ramp slpoe=25pA/s")
    Traceback (most recent call last):
    ...
    cleo_like.core.errors.UnknownNameError: unknown argument of ramp 'slpoe'; did you mean \
'slope'? Known: 'after', 'before', 'duration', 'gap', 'holding', 'rate', 'repeats', 'slope', \
'test_pulse'
    """
    if not isinstance(text, str):
        msg = f"a protocol is read from text ('ramp slope=25pA/s'), got {type(text).__name__}"
        raise InputError(msg)
    name, items = _split(text)
    if name not in FAMILY_MAKERS:
        raise unknown_name("stimulus family", name, FAMILY_MAKERS)
    maker = FAMILY_MAKERS[name]
    parameters = inspect.signature(maker).parameters
    legal = [key for key in parameters if key != "dac"]
    given: dict[str, Any] = {}
    for item in items:
        key, equals, value = item.partition("=")
        key = key.strip()
        if not equals and name == "picture" and "picture" not in given:
            key, value = "picture", key
        elif not equals:
            msg = f"expected argument=value after {name!r}, got {item!r}"
            raise InputError(msg)
        if key not in legal:
            raise unknown_name(f"argument of {name}", key, legal)
        if key in given:
            msg = f"argument {key!r} of {name} is given twice"
            raise InputError(msg)
        given[key] = _value(key, value.strip(), str(parameters[key].annotation))
    missing = [
        key
        for key, parameter in parameters.items()
        if parameter.default is parameter.empty and key not in given
    ]
    if missing:
        msg = f"{name} needs {', '.join(f'{key}=...' for key in missing)}"
        raise InputError(msg)
    return maker(**given)


def _split(text: str) -> tuple[str, list[str]]:
    """Give the family and the pieces "argument=value"."""
    head = re.match(r"\s*([A-Za-z_]\w*)\s*(?::|\s|$)", text)
    if head is None:
        msg = (
            f"cannot read the protocol {text!r}; write for example "
            "'long_square amplitudes=-100:300:50pA duration=1s'"
        )
        raise InputError(msg)
    try:
        words = shlex.split(text[head.end() :])
    except ValueError as error:
        msg = f"cannot read the protocol {text!r}: {error}"
        raise InputError(msg) from error
    return head[1], [
        piece for word in words for piece in _NEXT_ARGUMENT.split(word.strip(",;")) if piece
    ]


def _value(key: str, text: str, annotation: str) -> Any:
    """Read a value as the type its argument is annotated with."""
    if text.lower() == "none":
        return None
    kind = annotation.removesuffix(" | None")
    if kind == "bool":
        return _boolean(key, text)
    if kind in ("int", "float"):
        try:
            return int(text) if kind == "int" else float(text)
        except ValueError as error:
            what = "a whole number" if kind == "int" else "a number"
            msg = f"{key}={text!r} must be {what}"
            raise InputError(msg) from error
    if key not in _LISTS:
        return text
    values = _list(key, text)
    return tuple(map(float, values)) if key == "percentiles" else values


def _boolean(key: str, text: str) -> bool:
    known = {"yes": True, "true": True, "no": False, "false": False}
    if text.lower() not in known:
        msg = f"{key}={text!r} must be yes or no"
        raise InputError(msg)
    return known[text.lower()]


_MOST_LEVELS = 10_000
"""Of a range: more are a slip of the unit, and would fill the memory as sweeps."""


def _list(key: str, text: str) -> list[str]:
    """Read "a,b,c unit" or "first:last:step unit"; the unit of the last goes for all."""
    numbers, units, separators, at = [], [], set(), 0
    while at < len(text):
        found = _VALUES.match(text, at)
        if found is None:
            msg = f"{key}={text!r}: cannot read {text[at:]!r} as a number with a unit"
            raise InputError(msg)
        numbers.append(float(found[1]))
        units.append(found[2])
        separators.add(found[3])
        at = found.end()
    if not numbers:
        msg = f"{key}= has no value; write for example {key}=100pA or {key}=-100:300:50pA"
        raise InputError(msg)
    unit = units[-1] if units[-1] is not None else ""
    if ":" not in separators:
        return [
            f"{n:.15g} {u if u is not None else unit}"
            for n, u in zip(numbers, units, strict=True)
        ]
    if len(numbers) != 3 or "," in separators or any(u not in (None, unit) for u in units):
        msg = f"{key}={text!r}: a range is first:last:step with one unit, as -100:300:50pA"
        raise InputError(msg)
    return [f"{value:.15g} {unit}" for value in _range(key, *numbers)]


def _range(key: str, first: float, last: float, step: float) -> list[float]:
    if step == 0 or (last - first) / step < 0:
        msg = f"{key}: a step of {step:g} does not lead from {first:g} to {last:g}"
        raise InputError(msg)
    count = int((last - first) / step + 1e-9) + 1
    if count > _MOST_LEVELS:
        msg = (
            f"{key}: {first:g} to {last:g} in steps of {step:g} are {count} levels, at most "
            f"{_MOST_LEVELS}; give a larger step"
        )
        raise InputError(msg)
    return [float(value) for value in np.round(first + step * np.arange(count), 9)]
