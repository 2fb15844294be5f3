"""Which channel of a file is a cell: by unit, range, name, and answer to the command.

A file's first channel in mV or V may be a copy of the stimulus or a trigger. A membrane has a
resting level and stays within a fraction of a volt, and those do not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cleo_like.io.findings.plausibility import REST

if TYPE_CHECKING:
    from collections.abc import Sequence

REACH = (-0.3, 0.2)
"""V: a membrane and the artefacts of its electrode stay within (1 sample in 1000 aside)."""
ANSWER = 0.3
"""Correlation within sweeps from which on a channel answers to a command. Noise of a held cell
over a thousand samples and more reaches 0.1."""
COPY = 0.999
"""Correlation of a channel that is the command itself: a membrane's time constant alone (10 ms
in a step of 500 ms) brings it below."""

ENOUGH = 20_000
"""Samples that are looked at: enough for a median and for one sample in 1000."""

_AUXILIARY = re.compile(
    r"stim|ttl|trig|monitor|(?<![a-z])mon(?![a-z])|cmd|command|(?<![a-z])(ao|dac|lfp|fp|led)\b"
    r"|field|laser|light|opto|shutter|sync|digital|aux|temp|photo|camera|frame|clock|lever|lick",
    re.IGNORECASE,
)


def is_auxiliary(name: str) -> bool:
    """Whether a channel is called what no electrode in a cell is called.

    Examples
    --------
    >>> [is_auxiliary(n) for n in ("Stim", "TTL in", "Vm", "IN 0", "_Ipatch", "10_Vm")]
    [True, True, False, False, False, False]
    """
    return _AUXILIARY.search(name) is not None


def is_potential(values: np.ndarray) -> bool:
    """Whether these volts can be those of a membrane.

    Parameters
    ----------
    values : array
        Of one channel, all sweeps one after the other (V).

    Examples
    --------
    >>> is_potential(np.full(100, -0.07)), is_potential(np.tile([0.0, 5.0], 50))
    (True, False)
    """
    known = _thinned(values)
    if not len(known):
        return False
    low, middle, high = np.percentile(known, [0.1, 50, 99.9])
    return bool(REST[0] <= middle <= REST[1] and REACH[0] <= low and high <= REACH[1])


def reach(values: np.ndarray) -> float:
    """Largest size of the values of a channel, 1 sample in 1000 aside."""
    known = np.abs(_thinned(values))
    return float(np.percentile(known, 99.9)) if len(known) else np.inf


def correlation(sweeps: Sequence[np.ndarray], command: np.ndarray | None) -> float:
    """Correlation of a channel with a command within sweeps; 0 where the command is flat.

    What differs between sweeps only (drift, a ladder of holding levels) does not count.

    Parameters
    ----------
    sweeps : sequence of array, shape (n_samples,) each
        Of one channel.
    command : array, shape (n_sweeps, n_samples), or None
        In any unit.
    """
    if command is None or len({len(s) for s in sweeps}) != 1:
        return 0.0
    step = max(1, command.size // (10 * ENOUGH))
    x = command[:, ::step]
    y = np.stack([s[::step] for s in sweeps])
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    power = float((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / np.sqrt(power)) if power > 0 and np.isfinite(power) else 0.0


def _thinned(values: np.ndarray) -> np.ndarray:
    """Finite samples, evenly taken."""
    few = values[:: max(1, len(values) // ENOUGH)]
    return few[np.isfinite(few)]
