"""Answers frozen as JSON, and what differs from them.

These tests say that something changed, not that it is right: the oracles of each value are in
the tests of its room. They notice what nobody thought of: a reason that got lost, a finding of
another file, a sweep that moved to another family. After a change that is meant::

    CLEO_LIKE_FREEZE=1 python -m pytest tests/frozen

and read the difference of `answers/` line by line before it is committed.
"""

import json
import os
from collections import Counter
from pathlib import Path

import attrs
import numpy as np
import pytest

ANSWERS = Path(__file__).parent / "answers"
FREEZE = bool(os.environ.get("CLEO_LIKE_FREEZE"))
REL, ABS = 1e-5, 1e-15
"""Another processor rounds otherwise (a slope of equal rates too); a fit that stops on its
tolerance ends 1e-6 elsewhere."""


def plain(value):
    """Give what JSON can hold, with seven digits."""
    if attrs.has(type(value)):
        fields = [plain(getattr(value, f.name)) for f in attrs.fields(type(value))]
        while fields and fields[-1] in (None, [], "nan"):
            fields.pop()
        return fields
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.7g}") if np.isfinite(value) else str(float(value))
    return value if value is None else str(value)


def summary(column):
    """Count, mean and ends of the finite values of a column; each text with its count."""
    if np.asarray(column).dtype.kind not in "fiub":
        return plain(Counter(map(str, column)))
    x = np.asarray(column, dtype=float)
    x = x[np.isfinite(x)]
    ends = [x.mean(), x.min(), x.max()] if x.size else []
    return plain([x.size, *ends])


def differences(got, want, where=""):
    """Every place at which two answers differ."""
    if isinstance(got, dict) and isinstance(want, dict):
        out = [f"{where}.{k}: came or went" for k in got.keys() ^ want.keys()]
        for k in got.keys() & want.keys():
            out += differences(got[k], want[k], f"{where}.{k}")
        return out
    if isinstance(got, list) and isinstance(want, list) and len(got) == len(want):
        return [
            d for k in range(len(got)) for d in differences(got[k], want[k], f"{where}[{k}]")
        ]
    numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (got, want))
    same = got == pytest.approx(want, rel=REL, abs=ABS) if numbers else got == want
    return [] if same else [f"{where}: {want!r} became {got!r}"]


def shown(answer, depth=0):
    """JSON with one line for every list of plain things, so that a difference can be read."""
    nested = (
        [
            x
            for x in (answer.values() if isinstance(answer, dict) else answer)
            if isinstance(x, (dict, list)) and x
        ]
        if isinstance(answer, (dict, list))
        else []
    )
    if not nested and not isinstance(answer, dict):
        return json.dumps(answer, ensure_ascii=False)
    if isinstance(answer, list) and not any(
        isinstance(y, (dict, list)) and y for x in nested for y in x
    ):
        return json.dumps(answer, ensure_ascii=False)
    pad = " " * depth
    if isinstance(answer, dict):
        rows = [
            f"{json.dumps(k, ensure_ascii=False)}: {shown(v, depth + 1)}"
            for k, v in sorted(answer.items())
        ]
        return "{\n" + ",\n".join(f"{pad} {r}" for r in rows) + f"\n{pad}}}"
    return "[\n" + ",\n".join(f"{pad} {shown(v, depth + 1)}" for v in answer) + f"\n{pad}]"


def agrees(name, answer):
    """Compare with the frozen answer, or freeze it."""
    path = ANSWERS / f"{name}.json"
    answer = json.loads(json.dumps(answer))
    if FREEZE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown(answer) + "\n")
    found = differences(answer, json.loads(path.read_text()))
    assert not found, "\n".join(sorted(found)[:20])
