"""What a method for calcium answers: rate or trace, events, noise; checked in one place.

A method is a function ``(dff, frame_rate, known)`` (or of the first two) that gives, for
traces of shape (n_cells, n_frames), a mapping of

* ``rate``: spikes per second in each frame, or ``trace``: the same in units that are not
  spikes; a bare array is a trace;
* ``events`` (optional): size of the event in each frame, 0 where there is none;
* ``noise`` (optional): SD of the noise of each cell in dF/F.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cleo_like.groundtruth.extractors.outcome import FAILED, OK, Outcome

FRAMES, CELLS = ("rate", "trace", "events"), ("noise",)


def read_answer(answer: Any, arguments: tuple[Any, ...]) -> Outcome:
    """Take the answer of a method apart; what is wrong with it is a failure with its reason.

    Parameters
    ----------
    answer : array or mapping of str to array
        See the module.
    arguments : tuple
        What the method was given: traces first.

    Examples
    --------
    >>> read_answer(np.zeros((1, 4)), (np.zeros((1, 5)), 10.0)).why
    'trace has the shape (1, 4), the traces have (1, 5)'
    """
    shape = np.shape(arguments[0])
    given = answer if isinstance(answer, Mapping) else {"trace": answer}
    arrays: dict[str, np.ndarray] = {}
    for name, value in given.items():
        if name not in (*FRAMES, *CELLS):
            known = ", ".join((*FRAMES, *CELLS))
            return _failed(f"there is no {name!r} in an answer; it may hold {known}")
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            return _failed(f"not numbers: {name} is of type {array.dtype}")
        wanted = shape if name in FRAMES else shape[:1]
        if array.shape != wanted:
            said = f"the traces have {shape}" if name in FRAMES else f"there are {wanted} cells"
            return _failed(f"{name} has the shape {array.shape}, {said}")
        arrays[name] = array.astype(float)
    if not {"rate", "trace"} & set(arrays):
        return _failed("it gave neither rate nor trace")
    return Outcome(status=OK, arrays=arrays)


def _failed(why: str) -> Outcome:
    return Outcome(status=FAILED, why=why)
