"""Samples that were not measured: infinite, no numbers, or a tail that was never recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core.sweep import Sweep

_ABOUT = "not measured"


def measured(sweep: Sweep) -> Sweep:
    """Take infinite samples for not measured (NaN), trim a NaN tail, and note what was found.

    A sweep without any number stays as long as it is.

    Examples
    --------
    >>> from cleo_like.core import Sweep
    >>> found = measured(Sweep(response=np.array([-0.07, np.inf, -0.07, np.nan]), rate=1e4))
    >>> found.response, found.notes
    (array([-0.07,   nan, -0.07]), ('2 of 4 samples not measured, 1 of them a tail: trimmed',))
    """
    bad = ~np.isfinite(sweep.response)
    if not bad.any():
        return sweep
    good = np.flatnonzero(~bad)
    length = int(good[-1]) + 1 if len(good) else sweep.n_samples
    note = f"{int(bad.sum())} of {len(bad)} samples {_ABOUT}"
    if length < len(bad):
        note += f", {len(bad) - length} of them a tail: trimmed"
    return attrs.evolve(
        sweep,
        response=np.where(bad, np.nan, sweep.response)[:length],
        command=None if sweep.command is None else sweep.command[:length],
        notes=(*sweep.notes, note),
    )


def sample_findings(sweeps: Sequence[Sweep]) -> tuple[str, ...]:
    """Say in which sweeps samples are missing, of the response or of the command."""
    found = []
    missing = [s.number for s in sweeps if any(_ABOUT in note for note in s.notes)]
    if missing:
        found.append(
            f"samples are infinite or no numbers, so {_ABOUT}, in {_listed(missing)}: see notes"
        )
    odd = [s.number for s in sweeps if s.command is not None and _odd(s.command)]
    if odd:
        found.append(f"the command is infinite or no number in {_listed(odd)}")
    return tuple(found)


def _odd(command: np.ndarray) -> bool:
    return not bool(np.isfinite(command).all())


def _listed(numbers: Sequence[int]) -> str:
    more = " ..." if len(numbers) > 9 else ""
    return f"{len(numbers)} sweep(s) ({', '.join(map(str, numbers[:9]))}{more})"
