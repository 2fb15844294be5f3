"""Frames of a scope as `Traces` or Neo signals: ROI table, places, and the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.ophys.traces import ImagingTruth, Traces
from cleo_like.core.provenance import Provenance

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity
    from cleo_like.imaging.frame_log import FrameLog


def frames_of(log: FrameLog) -> Traces:
    """Give frames as `Traces` without truth: also those that were assigned by hand.

    Raises
    ------
    InputError
        There are no frames.
    """
    if len(log.times) == 0:
        msg = (
            f"{log.name!r} took no frame: set an IO processor that samples it, or ask for "
            f"traces(rate=...) after the run, which computes frames from the spikes"
        )
        raise InputError(msg)
    return Traces(
        fluorescence=log.seen.T,
        times=log.times,
        rois=log.rois,
        positions=log.positions,
        quantity=f"dF/F of {log.sensor}; {_DIVIDED}{log.resting_brightness:.6g}",
        exposure=log.exposure,
    )


def traces_of(log: FrameLog) -> Traces:
    """Give frames as `Traces`, with the truth.

    Raises
    ------
    InputError
        There are no frames, or they were assigned by hand, so that there is no truth to them.
    """
    seen = frames_of(log)
    if log.clean is None or log.calcium is None:
        msg = f"the frames of {log.name!r} were assigned by hand, so there is no truth to them"
        raise InputError(msg)
    return attrs.evolve(
        seen,
        truth=ImagingTruth(
            spike_times=log.spike_times, fluorescence=log.clean.T, calcium=log.calcium.T
        ),
        provenance=Provenance.of_simulation(
            "brian2",
            parameters={
                "sensor": log.sensor,
                "scope": log.settings,
                "network seed": log.network_seed,
            },
            seed=log.seed,
        ),
    )


_DIVIDED = "(F - F0)/F0 is this divided by "


def resting_brightness(traces: Traces) -> float:
    """Give what dF/F of traces is divided by to be (F - F0)/F0: Cleo's definition differs."""
    number = traces.quantity.partition(_DIVIDED)[2]
    return float(number) if number else 1.0


def neo_of(log: FrameLog) -> Any:
    """Give frames as a Neo signal, annotated as Cleo does."""
    from cleo_like.utilities.neo import signal_to_neo

    return signal_to_neo(
        log.times,
        log.seen,
        "dimensionless",
        name=log.name,
        description="dF/F of each ROI of a two-photon microscope",
        array_annotations={} if log.n == 0 else _per_roi(log),
        sensor=log.sensor,
        scope_direction=np.array(log.direction),
        scope_location=_um(log.location),
        focus_depth=None if log.focus_depth is None else _um(log.focus_depth),
        img_width=_um(log.img_width),
    )


def _per_roi(log: FrameLog) -> dict[str, Any]:
    places = dict(zip("xyz", _um(log.focus_coords).T, strict=True))
    if np.isnan(places["x"]).all():
        places = {}  # cells without coordinates
    return {
        **places,
        "dFF_1AP": log.dff_1ap,
        "i_roi": np.arange(log.n),
        "i_neuron": log.rois["neuron"],
    }


def _um(length: Quantity) -> Any:
    """Convert a length (m) to micrometres as Neo takes them."""
    import quantities as pq

    return np.asarray(length) * 1e6 * pq.um
