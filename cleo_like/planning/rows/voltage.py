"""The row of voltage clamp: how far the membrane is from the command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.planning.report import Row, graded, not_judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core import Protocol

_ERROR = 2e-3, 5e-3
"""Series-resistance error (V) of a plateau: 5 mV shifts an activation curve by its slope."""


def error_row(protocol: Protocol, recordings: Sequence[Any]) -> Row:
    """Compare membrane and command at the end of every plateau.

    Parameters
    ----------
    protocol : Protocol
        In voltage clamp.
    recordings : sequence of Recording
        With the true potential.
    """
    plateaus = [e for e in protocol.epochs if e.levels is not None]
    if not plateaus:
        return not_judged("voltage_error", "no plateau in the command")
    worst, where = 0.0, ""
    for recording in recordings:
        true = np.stack([np.asarray(v) for v in recording.truth.voltage])
        for epoch in plateaus:
            sample = epoch.stop - 1
            error = np.abs(true[:, sample] - protocol.waveforms[:, sample])
            if error.max() > worst:
                worst, where = float(error.max()), f"{recording.cell.id}, {epoch.name}"
    return graded(
        "voltage_error", worst * 1e3, _ERROR[0] * 1e3, _ERROR[1] * 1e3, unit="mV",
        text=f"the membrane is {worst * 1e3:.3g} mV off the command at the end ({where})",
        limit=f"{_ERROR[0] * 1e3:g} mV (red {_ERROR[1] * 1e3:g})",
        source="I x Rs x (1 - correction)", advice="more correction, or a better access",
    )  # fmt: skip
