"""What a scope has injected: planes, their cells, noise and expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.base.groups import is_same
from cleo_like.base.quantities import unit_of
from cleo_like.imaging.injection import assigned
from cleo_like.imaging.rois import Injection, Rois

if TYPE_CHECKING:
    from brian2 import NeuronGroup

    from cleo_like.imaging.sensors.sensor import Sensor


@attrs.define(eq=False, slots=False)
class Planes:
    """The injections of a scope, in their order, under Cleo's names.

    Lists ``..._per_injct`` may be assigned, all injections at once.
    """

    sensor: Sensor = attrs.field(init=False)
    injections: list[Injection] = attrs.field(init=False, factory=list, repr=False)
    """The planes, in the order of injection."""
    _rois: Rois | None = attrs.field(init=False, default=None, repr=False)

    @property
    def rois(self) -> Rois:
        """All cells of all planes, as arrays."""
        if self._rois is None:
            self._rois = Rois(self.injections)
        return self._rois

    @property
    def n(self) -> int:
        """Number of ROIs."""
        return len(self.rois)

    @property
    def neuron_groups(self) -> list[Any]:
        """Groups in the order of injection."""
        return [i.neuron_group for i in self.injections]

    @property
    def i_targets_per_injct(self) -> list[np.ndarray]:
        """Indices of the cells of each injection."""
        return [i.i_targets for i in self.injections]

    @i_targets_per_injct.setter
    def i_targets_per_injct(self, values: object) -> None:
        self._assign("i_targets", values)

    @property
    def sigma_per_injct(self) -> list[np.ndarray]:
        """Noise of the cells of each injection (of dF/F, at rest)."""
        return [i.sigma_noise for i in self.injections]

    @sigma_per_injct.setter
    def sigma_per_injct(self, values: object) -> None:
        self._assign("sigma_noise", values)

    @property
    def rho_rel_per_injct(self) -> list[np.ndarray]:
        """Relative expression levels of each injection."""
        return [i.rho_rel for i in self.injections]

    @rho_rel_per_injct.setter
    def rho_rel_per_injct(self, values: object) -> None:
        self._assign("rho_rel", values)

    @property
    def focus_coords_per_injct(self) -> list[Any]:
        """Places of the cells of each injection: on its plane, or where they are."""
        return [i.focus_coords for i in self.injections]

    @focus_coords_per_injct.setter
    def focus_coords_per_injct(self, values: object) -> None:
        self._assign("focus_coords", values)

    def _assign(self, field: str, values: object) -> None:
        self.injections = assigned(self, field, values)
        self._rois = None

    @property
    def focus_coords(self) -> Any:
        """Places of all cells on their planes (quantity, shape (n, 3))."""
        from cleo_like.coords import concat_coords

        places = self.focus_coords_per_injct
        return concat_coords(*places) if places else np.zeros((0, 3)) * unit_of("m")

    @property
    def sigma_noise(self) -> np.ndarray:
        """Noise of all cells (of dF/F, at rest), in the order of injection."""
        return self.rois.sigma_noise

    @property
    def dFF_1AP(self) -> np.ndarray:  # noqa: N802 - Cleo's name
        """Fluorescence change of all cells for one action potential (NaN if unknown)."""
        one = self.sensor.dFF_1AP
        return self.rois.rho_rel * (np.nan if one is None else one)

    def roi_table(self) -> dict[str, np.ndarray]:
        """Give what is known of each ROI as columns, each of shape (n,)."""
        depths = [i.focus_depth for i in self.injections]
        metres = np.array([np.nan if d is None else float(d) for d in depths])
        names = np.array(
            [getattr(i.neuron_group, "name", "") for i in self.injections], dtype=str
        )
        plane = self.rois.plane
        return {
            "group": np.array(names, dtype=str)[plane],
            "neuron": self.rois.targets,
            "plane": plane,
            "focus_depth": metres[plane],
            "sigma_noise": self.rois.sigma_noise,
            "rho_rel": self.rois.rho_rel,
        }

    def cell_places(self) -> np.ndarray | None:
        """Give the places of the cells (m, shape (n, 3)); None where a group has none."""
        from cleo_like.coords import coords_from_ng

        if not all("x" in getattr(i.neuron_group, "variables", ()) for i in self.injections):
            return None
        known = [
            np.asarray(coords_from_ng(i.neuron_group))[i.i_targets] for i in self.injections
        ]
        return np.concatenate(known) if known else None

    def i_targets_for_neuron_group(self, neuron_group: NeuronGroup) -> list[int]:
        """Give the cells of a group in all its planes, in the order of injection.

        A cell in two planes is in the list twice. Brian2's monitors take it as ``record=``.
        """
        cells = [i.i_targets for i in self.injections if is_same(i.neuron_group, neuron_group)]
        return [int(k) for some in cells for k in some]
