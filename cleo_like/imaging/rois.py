"""All cells of a scope: those of one injection, and of all of them as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


@attrs.frozen(kw_only=True, eq=False)
class Injection:
    """Cells of one plane.

    Parameters
    ----------
    neuron_group : brian2.NeuronGroup
        Their group.
    i_targets : array of int, shape (n,)
        Their indices.
    sigma_noise, rho_rel, photons, pixels : array, shape (n,)
        Noise of dF/F at rest, expression level, photons per frame at rest, pixels.
    focus_depth : quantity, optional
        Depth of the plane.
    focus_coords : quantity, shape (n, 3)
        Places on the plane; without one, of the cells (NaN where unknown).
    """

    neuron_group: Any
    i_targets: np.ndarray
    sigma_noise: np.ndarray
    rho_rel: np.ndarray
    photons: np.ndarray
    pixels: np.ndarray
    focus_depth: Any = None
    focus_coords: Any = None


def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Join arrays; none give an empty one."""
    return np.concatenate(arrays) if len(arrays) else np.zeros(0)


class Rois:
    """Regions of interest in the order of injection, as arrays.

    Parameters
    ----------
    injections : sequence of Injection
        The planes.

    Attributes
    ----------
    groups : list
        Neuron groups, each once.
    targets, plane : array of int, shape (n,)
        Neuron of each ROI in its group, and number of its injection.
    sigma_noise, rho_rel, photons, pixels : array, shape (n,)
        As in `Injection`.
    """

    def __init__(self, injections: Sequence[Injection]) -> None:
        names_of = [getattr(i.neuron_group, "name", "") for i in injections]
        named = dict(zip(names_of, (i.neuron_group for i in injections), strict=True))
        self.groups: list[Any] = list(named.values())
        self.targets = joined([i.i_targets for i in injections]).astype(int)
        self.sigma_noise = joined([i.sigma_noise for i in injections])
        self.rho_rel = joined([i.rho_rel for i in injections])
        self.photons = joined([i.photons for i in injections])
        self.pixels = joined([i.pixels for i in injections])
        sizes = [len(i.i_targets) for i in injections]
        self.plane = np.repeat(np.arange(len(sizes)), sizes)
        names = list(named)
        group = np.array([names.index(name) for name in names_of], dtype=int)
        by_group = np.argsort(np.repeat(group, sizes), kind="stable")
        self._place = np.argsort(by_group)

    def __len__(self) -> int:
        """Count the ROIs."""
        return len(self.targets)

    def in_order(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """Put rows that come group by group into the order of injection."""
        if len(arrays) == 1:  # the planes of one group are in order
            return arrays[0]
        return joined(arrays)[self._place] if len(arrays) else np.zeros((0, 0))
