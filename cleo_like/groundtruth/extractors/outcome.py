"""What came of asking an extractor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

OK, FAILED, TIMED_OUT, CRASHED = "ok", "failed", "timeout", "crashed"


@attrs.frozen(kw_only=True, eq=False)
class Outcome:
    """What came of one extractor and one recording.

    Parameters
    ----------
    status : str
        "ok", "failed", "timeout" or "crashed".
    why : str
        What it said, where it is not "ok".
    printed : str
        What it wrote on the screen (the beginning).
    seconds : float
        CPU time in the process that ran it, wall time where it was stopped.
    values, uncertainty : mapping of str to float
        Of the cell.
    spikes, sweeps : mapping of str to array
        See `features.registry.Extracted`.
    arrays : mapping of str to array
        Of a method for calcium: see `calcium.methods`.
    """

    status: str
    why: str = ""
    printed: str = ""
    seconds: float = 0.0
    values: Mapping[str, float] = attrs.field(factory=dict)
    uncertainty: Mapping[str, float] = attrs.field(factory=dict)
    spikes: Mapping[str, np.ndarray] = attrs.field(factory=dict)
    sweeps: Mapping[str, np.ndarray] = attrs.field(factory=dict)
    arrays: Mapping[str, np.ndarray] = attrs.field(factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """What is counted of every outcome: status, why, what was printed, seconds."""
        return {
            "status": self.status, "why": self.why, "printed": self.printed,
            "seconds": self.seconds,
        }  # fmt: skip
