"""The synapses of an event-driven sensor, which has none: the same names, read and set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.base.quantities import quantity
from cleo_like.core.errors import InputError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.imaging.sensors.block import EventBlock

_CALCIUM = ("Ca", "CaB", "b")


class SensorView:
    """Variables of an event-driven sensor in one group, now, as Brian2's Synapses show them.

    ``view.Ca``, ``view.dFF[3]``, ``view.rho_rel = 2``, ``view.Ca[0] = 1*umolar``: calcium and
    expression can be set, the rest follows. ``i`` and ``j`` are the cells, ``N`` counts them.

    Parameters
    ----------
    block : EventBlock
        What is evaluated.
    now : callable
        Gives the time (s).
    name : str
        Name of the sensor and its group.
    """

    _names = ("Ca", "CaB", "b", "dFF", "rho_rel", "exc_factor", "i", "j", "N")

    def __init__(self, block: EventBlock, now: Callable[[], float], name: str) -> None:
        object.__setattr__(self, "_block", block)
        object.__setattr__(self, "_now", now)
        object.__setattr__(self, "name", name)

    def __len__(self) -> int:
        """Count the cells."""
        return len(self._block.targets)

    def __repr__(self) -> str:
        """Name and number."""
        return f"<{self.name}: {len(self)} cells, from spikes>"

    def __dir__(self) -> list[str]:
        """List the variables."""
        return sorted([*self._names, "name"])

    def __getattr__(self, name: str) -> Any:
        """Give a variable; with a trailing underscore it has no unit (SI)."""
        bare = name.removesuffix("_")
        if bare not in self._names:
            raise self._unknown(name)
        return len(self) if bare == "N" else Variable(self, name)

    def values(self, name: str) -> Any:
        """Read a variable now (a copy)."""
        from brian2 import Quantity, mmolar

        bare = name.removesuffix("_")
        values = self._read(bare)
        return Quantity(values, dim=mmolar.dim) if name in _CALCIUM else values

    def __setattr__(self, name: str, value: object) -> None:
        """Set calcium or expression of all cells."""
        bare = name.removesuffix("_")
        if bare not in {"Ca", "rho_rel"}:
            if bare in self._names:
                msg = f"{name} of {self.name} follows from Ca and rho_rel; set one of these"
                raise InputError(msg)
            raise self._unknown(name)
        if name == "Ca":
            value = quantity(value, "M", name)
        array = np.asarray(value, dtype=float)
        if array.shape not in ((), (1,), (len(self),)) or not (array >= 0).all():
            msg = (
                f"{bare} of {self.name} must be 0 or more, one or {len(self)} values, "
                f"got {value}"
            )
            raise InputError(msg)
        self._write(bare, np.broadcast_to(array, len(self)).copy())

    def _read(self, name: str) -> np.ndarray:
        block = self._block
        if name in {"i", "j"}:
            return np.array(block.targets)
        if name == "rho_rel":
            return np.array(block.rho_rel)
        if name == "exc_factor":
            return np.full(len(self), getattr(block.cells, "gain", 1.0))
        dff, calcium = block.read(self._now())
        if name in {"dFF", "Ca"}:
            return np.array(dff if name == "dFF" else calcium)
        bound = getattr(block.cells, "bound", None)
        if bound is None:
            raise self._unknown(name)
        return np.array(bound() - (block.cells.kinetics.rest if name == "b" else 0.0))

    def _write(self, name: str, values: np.ndarray) -> None:
        if name == "rho_rel":
            self._block.set_rho_rel(values)
            return
        if not hasattr(self._block.cells, "set_calcium"):
            msg = f"{self.name} has no concentration of calcium: it is a fit to recordings"
            raise UnsupportedError(msg)
        self._block.read(self._now())  # spikes until now act on the calcium before
        self._block.cells.set_calcium(values)

    def _unknown(self, name: str) -> Exception:
        if name in {"variables", "equations", "clock", "source", "target", "state"}:
            msg = (
                f"{self.name} is computed from spikes and is no Brian2 Synapses; for a monitor "
                f"of it make the sensor with evaluation='clock'"
            )
            return UnsupportedError(msg)
        msg = f"{self.name} has no {name!r}; it has {', '.join(self._names)}"
        return AttributeError(msg)


class Variable(np.lib.mixins.NDArrayOperatorsMixin):
    """A variable of a `SensorView`: an array of its present values that can be assigned to."""

    def __init__(self, view: SensorView, name: str) -> None:
        self._view, self._name = view, name

    def __getitem__(self, key: object) -> Any:
        """Give present values (a copy, with a unit where there is one)."""
        return self._view.values(self._name)[key]

    def __setitem__(self, key: object, value: object) -> None:
        """Set some of the cells."""
        whole = self._view.values(self._name)
        whole[key] = value
        setattr(self._view, self._name, whole)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Give present values without unit (SI)."""
        del copy
        return np.array(self._view.values(self._name), dtype=dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Compute with present values."""
        values = [x[:] if isinstance(x, Variable) else x for x in inputs]
        return getattr(ufunc, method)(*values, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """Take shape, mean() and so on from present values."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self[:], name)

    def __len__(self) -> int:
        """Count the cells."""
        return len(self._view)

    def __repr__(self) -> str:
        """Name and present values."""
        return f"<{self._view.name}.{self._name}: {self[:]!r}>"
