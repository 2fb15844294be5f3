"""What evaluates a sensor in the cells of one group: from spikes, or from Brian2 equations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.imaging.events import frames_of_cells
from cleo_like.imaging.sensors.exposure import moments

if TYPE_CHECKING:
    from collections.abc import Callable

    from brian2 import NeuronGroup, Synapses

SLACK = 1e-9  # s; a spike that acts at the time of a frame is in it
_NO_SPIKES = (np.zeros(0, dtype=int), np.zeros(0))


class EventBlock:
    """Spikes of a group, and the cells that follow them from event to event.

    Parameters
    ----------
    cells_at_rest : callable
        Makes the cells at time 0, as `EventDriven` or with its n, reset(), advance(), dff(),
        calcium() and time.
    group : brian2.NeuronGroup
        Whose spikes.
    targets, rho_rel : array, shape (n,)
        Neuron and expression level of each ROI.
    """

    _single: np.ndarray | None = None  # ROI of each neuron, where none has two

    def __init__(
        self,
        cells_at_rest: Callable[[], Any],
        group: NeuronGroup,
        targets: np.ndarray,
        rho_rel: np.ndarray,
    ) -> None:
        from brian2 import SpikeMonitor

        self.cells_at_rest = cells_at_rest
        self.group = group
        self.targets = targets
        self.exposure = 0.0
        self.set_rho_rel(rho_rel)
        self.monitor = SpikeMonitor(group, name=f"{group.name}_imaged_spikes*")
        self._order = np.argsort(targets, kind="stable")
        self._count = np.bincount(targets, minlength=len(group))
        self._start = np.cumsum(self._count) - self._count
        if self._count.max(initial=0) <= 1:
            self._single = np.full(len(group), -1)
            self._single[targets] = np.arange(len(targets))
        self.cells = cells_at_rest()
        self._seen = 0
        self._pending: tuple[np.ndarray, ...] = _NO_SPIKES

    def set_rho_rel(self, rho_rel: np.ndarray) -> None:
        """Set the expression level of each ROI."""
        self.rho_rel = rho_rel
        self._alike = bool((rho_rel == 1).all())

    def reset(self) -> None:
        """Go back to rest; spikes that the monitor has already are those of before."""
        self.cells.reset()
        self._seen = len(self.monitor.variables["i"].get_value())
        self._pending = _NO_SPIKES

    def store_state(self) -> tuple[Any, ...]:
        """Give the cells, the spikes that wait, how many were seen, and expression."""
        return self.cells.state(), self._pending, self._seen, self.rho_rel.copy()

    def restore_state(self, state: tuple[Any, ...]) -> None:
        """Go back to what `store_state` gave."""
        cells, self._pending, self._seen, rho_rel = state
        self.cells.set_state(cells)
        self.set_rho_rel(rho_rel.copy())

    def spikes(self, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Give ROIs and times of action (s) of spikes, in order; the first ones may be left."""
        who = np.asarray(self.monitor.variables["i"].get_value()[first:])
        when = np.asarray(self.monitor.variables["t"].get_value()[first:])
        return self._to_rois(who, when + float(self.group.clock.dt_))

    def all_spikes(self) -> tuple[np.ndarray, np.ndarray]:
        """Give ROIs and times (s) of all spikes as Brian2 recorded them (also standalone)."""
        who = np.asarray(self.monitor.i[:], dtype=int)
        return self._to_rois(who, np.asarray(self.monitor.t_[:]))

    def spikes_by_roi(self) -> np.ndarray:
        """Give the times (s) of all spikes of each ROI, as an array of arrays."""
        rois, times = self.all_spikes()
        order = np.argsort(rois, kind="stable")
        edges = np.searchsorted(rois[order], np.arange(1, len(self.targets)))
        lists = np.empty(len(self.targets), dtype=object)
        for k, part in enumerate(np.split(times[order], edges) if len(lists) else []):
            lists[k] = part
        return lists

    def frames(self, ends: np.ndarray, exposure: float) -> tuple[np.ndarray, np.ndarray]:
        """Compute all frames from all spikes, beside what the run itself reads.

        Parameters
        ----------
        ends : array, shape (n_frames,)
            End of each exposure (s), rising.
        exposure : float
            Its length (s).

        Returns
        -------
        tuple of array, shape (n, n_frames)
            dF/F without noise, and free calcium (mol/m^3).
        """
        rois, spikes = self.all_spikes()
        acting = spikes + float(self.group.clock.dt_)
        inner = moments(ends, exposure)
        found = frames_of_cells(self.cells_at_rest(), rois, acting, inner.ravel())
        dff, calcium = (a.reshape(len(a), *inner.shape).mean(axis=2) for a in found)
        return self.rho_rel[:, None] * dff, calcium

    def _to_rois(self, who: np.ndarray, when: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give every ROI that shows a neuron its spikes."""
        if self._single is not None:  # no neuron is in two planes
            rois = self._single[who]
            shown = rois >= 0
            return (rois, when) if shown.all() else (rois[shown], when[shown])
        counts = self._count[who]
        which = np.repeat(np.arange(len(who)), counts)
        if len(which) == 0:
            return which, np.zeros(0)
        nth = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self._order[self._start[who[which]] + nth], when[which]

    def read(self, now: float, exposure: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Give dF/F and calcium (mol/m^3) now, or their mean over the last exposure.

        The cells stay an exposure behind, so that frames may overlap and other readings
        between two frames take nothing from them.
        """
        self._collect()
        if self.exposure == 0:
            return self._at(max(now, self.cells.time))
        self._at(max(now - self.exposure, self.cells.time))
        behind, waiting = self.cells.state(), self._pending
        found = self._mean(now, min(exposure, now - self.cells.time))
        self.cells.set_state(behind)
        self._pending = waiting
        return found

    def _mean(self, now: float, length: float) -> tuple[np.ndarray, np.ndarray]:
        if length <= 0:
            return self._at(max(now, self.cells.time))
        frames = [self._at(float(m)) for m in moments(np.array([now]), length)[0]]
        dff, calcium = (np.mean(arrays, axis=0) for arrays in zip(*frames, strict=True))
        return dff, calcium

    def _collect(self) -> None:
        """Add the spikes since the last time to those that wait for their frame."""
        seen, waiting = self._seen, self._pending
        self._seen = len(self.monitor.variables["i"].get_value())
        if self._seen > seen:
            new = self.spikes(seen)
            both = zip(waiting, new, strict=True)
            self._pending = tuple(map(np.concatenate, both)) if len(waiting[0]) else new

    def _at(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Advance to a time with the spikes that act by then."""
        rois, times = self._pending
        if len(times) == 0:
            self.cells.advance(time)
        else:
            n = int(np.searchsorted(times, time + SLACK, side="right"))
            self.cells.advance(time, rois[:n], times[:n])
            self._pending = (rois[n:], times[n:])
        dff = self.cells.dff()
        return dff if self._alike else self.rho_rel * dff, self.cells.calcium()


class ClockBlock:
    """Synapses that Brian2 integrates; read when asked."""

    exposure = 0.0

    def __init__(self, reader: Callable | None, synapses: Synapses, n: int) -> None:
        self._reader = reader
        self.synapses = synapses
        self.n = n

    def reset(self) -> None:
        """Do nothing: the device resets its synapses."""

    def store_state(self) -> None:
        """Give nothing: Brian2 keeps its synapses itself."""

    def restore_state(self, state: None) -> None:
        """Do nothing."""

    def spikes_by_roi(self) -> None:
        """Give nothing: it does not follow spikes."""

    def frames(self, ends: np.ndarray, exposure: float) -> tuple[np.ndarray, np.ndarray]:
        """Refuse: what Brian2 integrates is seen during the run only."""
        del ends, exposure
        msg = "traces(rate=...) needs an event-driven sensor (evaluation='event')"
        raise InputError(msg)

    def read(self, now: float, exposure: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Give dF/F and calcium (mol/m^3; NaN where the model has none) now."""
        del now
        if exposure > 0:
            msg = (
                "an exposure needs event-driven evaluation; a clock-driven sensor is seen in "
                "an instant: use evaluation='event', or exposure=0*ms"
            )
            raise UnsupportedError(msg)
        if self.synapses is None:
            return np.zeros(self.n), np.zeros(self.n)
        if self._reader is not None:
            dff, calcium = self._reader()
            return dff, calcium
        seen = np.array(self.synapses.dFF[:])
        return seen, np.full(len(seen), np.nan)


def targets_of(syn: Synapses, group: NeuronGroup) -> np.ndarray:
    """Give the indices, within the group, of the cells that have a synapse."""
    # Brian2 counts from the start of the whole group; its `i` cannot be read in a subgroup
    whole = np.asarray(syn.variables["_synaptic_pre"].get_value())
    return whole - getattr(group, "start", 0)
