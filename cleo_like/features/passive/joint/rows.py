"""Weighted rows of the least squares: one for each sweep, or as few as the command needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from cleo_like.features.passive.joint.response import Geometry


@attrs.frozen(kw_only=True, eq=False)
class Rows:
    """Weighted potentials less their levels, and the currents that made them.

    Parameters
    ----------
    geometry : Geometry
        Bins and currents, one row for each row here.
    root, share : arrays, shape (n_rows, n_bins)
        Square root of the samples of each bin, and its share of all samples of the row.
    y : array, shape (n_rows, n_bins)
        Weighted potential (mV) less the level of the row.
    unexplained : float
        Sum of squares that no response of any shape can lower.
    """

    geometry: Geometry
    root: np.ndarray
    share: np.ndarray
    y: np.ndarray
    unexplained: float = 0.0

    @classmethod
    def of(cls, geometry: Geometry, mean: np.ndarray, weight: np.ndarray) -> Rows:
        """Weigh the potentials (mV) of all sweeps by the samples of each bin."""
        root, total = np.sqrt(weight), weight.sum(axis=1, keepdims=True)
        share = weight / np.where(total > 0, total, 1.0)
        y = _centred(mean[None], share, root)[0]
        return cls(geometry=geometry, root=root, share=share, y=y)

    def centred(self, x: np.ndarray) -> np.ndarray:
        """Take the weighted mean off each row and weigh (n, n_rows, n_bins)."""
        return _centred(x, self.share, self.root)

    def fewer(self) -> Rows:
        """Turn the rows of equal weights so that few of them hold all that the command does.

        Responses are linear in the jumps of the current, and a rotation keeps sums of squares:
        as many rows as there are edges say the same of any response as all sweeps do. What the
        others hold is noise.
        """
        jumps = np.diff(self.geometry.currents, axis=1)
        turned, unexplained = [], 0.0
        left = np.ones(len(jumps), dtype=bool)
        while left.any():
            first = int(left.argmax())
            same = left & (self.root == self.root[first]).all(axis=1)
            left &= ~same
            rotation, few = np.linalg.qr(jumps[same], mode="complete")
            y, n = rotation.T @ self.y[same], min(few.shape)
            unexplained += float((y[n:] ** 2).sum())
            weights = (x[[first] * n] for x in (self.root, self.share))
            turned.append((few[:n], y[:n], *weights))
        few, y, root, share = map(np.concatenate, zip(*turned, strict=True))
        currents = np.concatenate((np.zeros((len(few), 1)), few.cumsum(axis=1)), axis=1)
        geometry = attrs.evolve(self.geometry, currents=currents)
        return Rows(geometry=geometry, root=root, share=share, y=y, unexplained=unexplained)


def _centred(x: np.ndarray, share: np.ndarray, root: np.ndarray) -> np.ndarray:
    out: np.ndarray = x - np.einsum("psb,sb->ps", x, share)[:, :, None]
    out *= root
    return out
