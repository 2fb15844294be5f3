"""Recordings of a scope as `Traces`: ROI table, places, and the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.provenance import Provenance, now, versions
from cleo_like.core.traces import ImagingTruth, Traces
from cleo_like.imaging.events import frames_of_cells
from cleo_like.imaging.sensors.block import EventBlock

if TYPE_CHECKING:
    from cleo_like.imaging.scope import Scope


def frames_taken(scope: Scope) -> Traces:
    """Give the frames that were taken during the run."""
    if len(scope.history) == 0:
        msg = (
            f"{scope.name!r} took no frame: set an IO processor that samples it, or ask for "
            f"traces(rate=...) after the run, which computes frames from the spikes"
        )
        raise InputError(msg)
    scope.history.check(scope.name)
    if len(scope._clean) != len(scope.history):  # noqa: SLF001
        msg = (
            f"the frames of {scope.name!r} were assigned by hand, so there is no truth to them"
        )
        raise InputError(msg)
    shape = (len(scope.history), scope.n)
    seen, clean, calcium = (
        np.asarray(h.values, dtype=float).reshape(shape).T
        for h in (scope.history, scope._clean, scope._calcium)  # noqa: SLF001
    )
    return _traces(scope, scope.history.times, seen, clean, calcium)


def frames_from_spikes(scope: Scope, rate: float) -> Traces:
    """Compute frames over the whole run from the recorded spikes."""
    scope.prepare()
    if scope.sim is None:
        msg = f"{scope.name!r} is in no simulator"
        raise InputError(msg)
    end = float(scope.sim.network.t_)
    times = np.arange(int(np.floor(end * rate + 1e-9)) + 1) / rate
    inner = _moments(times, scope.exposure)
    parts = [_of_group(scope, g, inner) for g in scope.rois.groups]
    clean = scope.rois.in_order([p[0] for p in parts])
    calcium = scope.rois.in_order([p[1] for p in parts])
    per_frame = len(inner) // max(len(times), 1)
    clean = clean.reshape(scope.n, len(times), per_frame).mean(axis=2)
    calcium = calcium.reshape(scope.n, len(times), per_frame).mean(axis=2)
    seen = np.empty_like(clean)
    for k, time in enumerate(times):
        seen[:, k] = scope.with_noise(clean[:, k], float(time))
    return _traces(scope, times, seen, clean, calcium)


def frames_as_neo(scope: Scope) -> Any:
    """Give the frames as a Neo signal, annotated as Cleo does."""
    from cleo_like.utilities.neo import signal_to_neo

    scope.history.check(scope.name)
    values = np.asarray(scope.dFF, dtype=float)
    known = {} if scope.n == 0 else _per_roi(scope)
    return signal_to_neo(
        scope.history.times,
        values,
        "dimensionless",
        name=scope.name,
        description="dF/F of each ROI of a two-photon microscope",
        array_annotations=known,
        sensor=scope.sensor.name,
        scope_direction=np.array(scope.direction),
        scope_location=_um(scope.location),
        focus_depth=None if scope.focus_depth is None else _um(scope.focus_depth),
        img_width=_um(scope.img_width),
    )


def _per_roi(scope: Scope) -> dict[str, Any]:
    places = dict(zip("xyz", _um(scope.focus_coords).T, strict=True))
    if np.isnan(places["x"]).all():
        places = {}  # cells without coordinates
    return {
        **places,
        "dFF_1AP": scope.dFF_1AP,
        "i_roi": np.arange(scope.n),
        "i_neuron": scope.rois.targets,
    }


def _um(length: Any) -> Any:
    """Convert a length to micrometres as Neo takes them."""
    import quantities as pq

    return np.asarray(length) * 1e6 * pq.um


def _moments(times: np.ndarray, exposure: float) -> np.ndarray:
    """Give the moments whose mean is each frame, as a flat rising array."""
    if exposure == 0:
        return times
    if len(times) > 1 and exposure > times[1] - times[0] + 1e-12:
        msg = (
            f"an exposure of {exposure * 1e3:g} ms is longer than the time between frames, "
            f"{(times[1] - times[0]) * 1e3:g} ms"
        )
        raise InputError(msg)
    count = max(1, int(np.ceil(exposure / 5e-3 - 1e-6)))
    parts = exposure * (np.arange(count) + 0.5) / count - exposure
    return np.maximum(times[:, None] + parts, 0.0).ravel()


def _of_group(scope: Scope, group: Any, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    block = scope.sensor.blocks[group.name]
    if not isinstance(block, EventBlock):
        msg = "traces(rate=...) needs an event-driven sensor (evaluation='event')"
        raise InputError(msg)
    rois, spikes = block.all_spikes()
    acting = spikes + float(group.clock.dt_)
    dff, calcium = frames_of_cells(block.cells_at_rest(), rois, acting, times)
    return block.rho_rel[:, None] * dff, calcium


def _spike_times(scope: Scope) -> list[np.ndarray] | None:
    """Give the spike times of every ROI; None where the sensor does not follow spikes."""
    blocks = [scope.sensor.blocks[g.name] for g in scope.rois.groups]
    if not all(isinstance(b, EventBlock) for b in blocks):
        return None
    per_group = []
    for block in blocks:
        rois, times = block.all_spikes()
        order = np.argsort(rois, kind="stable")
        edges = np.searchsorted(rois[order], np.arange(1, len(block.targets)))
        lists = np.empty(len(block.targets), dtype=object)
        for k, part in enumerate(np.split(times[order], edges) if len(lists) else []):
            lists[k] = part
        per_group.append(lists)
    return list(scope.rois.in_order(per_group))


def _traces(
    scope: Scope, times: np.ndarray, seen: np.ndarray, clean: np.ndarray, calcium: np.ndarray
) -> Traces:
    injections, plane = scope.injections, scope.rois.plane
    depth = [np.nan if i.focus_depth is None else float(i.focus_depth) for i in injections]
    rois = {
        "group": np.array([i.neuron_group.name for i in injections], dtype=str)[plane],
        "neuron": scope.rois.targets,
        "plane": plane,
        "focus_depth": np.array(depth)[plane],
        "sigma_noise": scope.rois.sigma_noise,
        "rho_rel": scope.rois.rho_rel,
    }
    return Traces(
        fluorescence=seen,
        times=times,
        rois=rois,
        positions=_positions(scope),
        quantity=f"dF/F of {scope.sensor.name}; (F - F0)/F0 is this divided by "
        f"{scope.sensor.resting_brightness:.6g}",
        exposure=scope.exposure,
        truth=ImagingTruth(
            spike_times=_spike_times(scope), fluorescence=clean, calcium=calcium
        ),
        provenance=Provenance(
            source="simulation",
            software=versions(["brian2"]),
            parameters={
                "sensor": scope.sensor.name,
                "scope": repr(scope),
                "network seed": None if scope.sim is None else scope.sim.seed,
            },
            seed=scope.rand_seed,
            created=now(),
        ),
    )


def _positions(scope: Scope) -> np.ndarray | None:
    """Give the places of the cells (m); None where a group has no coordinates."""
    from cleo_like.coords import coords_from_ng

    if not all("x" in i.neuron_group.variables for i in scope.injections):
        return None
    places = [np.asarray(coords_from_ng(i.neuron_group))[i.i_targets] for i in scope.injections]
    return np.concatenate(places) if places else None
