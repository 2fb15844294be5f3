"""The rows of a recorded picture: cut out of the sweeps and averaged over columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.sweep import ClampMode

if TYPE_CHECKING:
    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording


@attrs.frozen(eq=False)
class RecordedRows:
    """The picture part of one recording, ready to be averaged at any delay.

    Parameters
    ----------
    total : array, shape (rows, n_samples + 1)
        Running sum of `rows`, with a zero in front (V).
    rows : array, shape (rows, n_samples)
        Potentials from the start of the picture on, less `offset` (V).
    offset : float
        Taken away so that running sums keep their precision (V).
    rate : float
        Sampling rate of the recording (Hz).
    drawn : float
        Samples of a row; not whole where protocol and recording differ in rate.
    """

    total: np.ndarray
    rows: np.ndarray
    offset: float
    rate: float
    drawn: float

    @classmethod
    def of(cls, recording: Recording, protocol: Protocol) -> RecordedRows:
        """Cut the picture out of a recording, or say why it cannot be done."""
        response, rate = _responses(recording, protocol)
        window = protocol.epoch("picture")
        first = round(window.start * rate / protocol.rate)
        drawn = (window.stop - window.start) * rate / protocol.rate
        kept = response[:, first:].astype(np.float64)
        finite = np.isfinite(kept)
        usable = kept.shape[1] if finite.all() else int(np.argmin(finite.all(axis=0)))
        if usable < drawn:
            row = int(np.argmin(finite.sum(axis=1)))
            msg = (
                f"sweep {recording.sweeps[row].number} of {recording.cell.id} has numbers up "
                f"to sample {first + usable}, but the picture ends at sample {first + drawn:g}"
            )
            raise InputError(msg)
        offset = float(kept[0, 0])
        kept = kept[:, :usable] - offset
        total = np.pad(np.cumsum(kept, axis=1), ((0, 0), (1, 0)))
        return cls(total, kept, offset, rate, drawn)

    @property
    def room(self) -> float:
        """Longest delay that the sweeps leave after the picture (s)."""
        return (self.rows.shape[1] - self.drawn) / self.rate

    def columns(self, count: int, lag: float) -> np.ndarray:
        """Average the samples of each column, shifted back by a delay."""
        edges = np.arange(count + 1) * (self.drawn / count) + lag * self.rate
        whole = np.minimum(edges.astype(int), self.rows.shape[1] - 1)
        at_edges = self.total[:, whole] + self.rows[:, whole] * (edges - whole)
        return np.asarray(self.offset + np.diff(at_edges, axis=1) * (count / self.drawn))

    def above(self, level: float) -> np.ndarray:
        """Tell which rows rise above a level (V) while they are drawn, shape (rows,)."""
        drawn = self.rows[:, : int(self.drawn)]
        return np.asarray((drawn > level - self.offset).any(axis=1))


def _responses(recording: Recording, protocol: Protocol) -> tuple[np.ndarray, float]:
    """Give the potentials (one sweep per row) and their rate, or say why there are none."""
    if any(sweep.mode is ClampMode.VOLTAGE for sweep in recording.sweeps):
        msg = f"the recording of {recording.cell.id} is in voltage clamp: no potential"
        raise InputError(msg)
    if recording.n_sweeps != protocol.n_sweeps:
        msg = (
            f"the recording of {recording.cell.id} has {recording.n_sweeps} sweeps but the "
            f"picture has {protocol.n_sweeps} rows; give one sweep per row, in order"
        )
        raise InputError(msg)
    stacked = recording.stacked()
    return stacked.response, stacked.rate
