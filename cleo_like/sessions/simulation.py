"""A plan becomes a session: schedule, drive, spikes, fluorescence, events, pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.ophys.experiment import ImagingExperiment
from cleo_like.core.ophys.plane import ImagingPlane, Motion, Subject
from cleo_like.core.ophys.traces import ImagingTruth, Traces
from cleo_like.core.provenance import Provenance
from cleo_like.sessions.events import detected
from cleo_like.sessions.experiment import InSilicoExperiment
from cleo_like.sessions.plan import SessionPlan
from cleo_like.sessions.plane.fluorescence import fluorescence_of, motion_of
from cleo_like.sessions.plane.somata import place_somata, projection
from cleo_like.sessions.session import InSilicoSession
from cleo_like.sessions.tables.presentations import presentations_of
from cleo_like.sessions.visual.drive import VisualDrive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cleo_like.core.ophys.masks import RoiMasks
    from cleo_like.sessions.plane.fluorescence import Fluorescence
    from cleo_like.sessions.plane.optical_plane import OpticalPlane
    from cleo_like.sessions.visual.task import Schedule

_SHARES = {"spikes": 0.55, "fluorescence": 0.2, "events": 0.25}
"""About how much of the time of a plane each part takes."""


def simulate_session(
    plan: SessionPlan | str = "short",
    *,
    progress: Callable[[str, float], Any] | None = None,
    **changes: Any,
) -> InSilicoSession:
    """Simulate a session: schedule, spikes in Brian2, fluorescence, events, tables.

    Parameters
    ----------
    plan : SessionPlan or str
        A plan, or one of `preset_names`.
    progress : callable, optional
        Told what is done now, and which share of everything is done.
    **changes
        Fields of the plan that are replaced (``seed=3``).

    Returns
    -------
    InSilicoSession
        Its experiments, with tables and truth.

    Raises
    ------
    InputError
        The user's functions give something else than was asked for; cells do not fit.

    Examples
    --------
    >>> simulate_session("short", seed=3)
    InSilicoSession: 1 experiment, 30 cells, 160 flashes, 140 s
    """
    plan = SessionPlan.preset(plan) if isinstance(plan, str) else plan
    if not isinstance(plan, SessionPlan):
        msg = f"plan must be a SessionPlan or the name of a preset, got {plan!r:.60}"
        raise InputError(msg)
    plan = attrs.evolve(plan, **changes)
    tell = progress if progress is not None else (lambda *_: None)
    streams = np.random.SeedSequence(plan.seed).spawn(1 + len(plan.planes))
    schedule = plan.task.schedule(len(plan.images), np.random.default_rng(streams[0]))
    shared = _Shared(plan, schedule)
    experiments = {}
    for k, plane in enumerate(plan.planes):
        at, of = k / len(plan.planes), 1 / len(plan.planes)
        experiment = _plane(
            shared, k, plane, streams[k + 1],
            lambda what, part, at=at, of=of: tell(what, at + of * part),
        )  # fmt: skip
        experiments[experiment.ophys_experiment_id] = experiment
    tell("done", 1.0)
    return InSilicoSession(plan=plan, schedule=schedule, experiments=experiments)


class _Shared:
    """What all planes of a session have in common."""

    def __init__(self, plan: SessionPlan, schedule: Schedule) -> None:
        self.plan, self.schedule = plan, schedule
        self.presentations = presentations_of(schedule, plan.images)
        found = plan.images.templates()
        self.templates = {
            name: np.stack(list(found[name])).astype(
                np.float32 if name == "unwarped" else np.uint8
            )
            for name in ("unwarped", "warped")
        }
        self.subject = Subject(
            id=plan.animal.mouse_id, sex=plan.animal.sex, genotype=plan.animal.full_genotype,
            age=None if plan.animal.age_in_days is None else f"P{plan.animal.age_in_days:g}D",
            species=None, description="simulated; stands for no animal",
        )  # fmt: skip
        self.provenance = Provenance.of_simulation(
            "brian2", parameters={"session": plan.to_dict()}, seed=plan.seed,
            created=plan.animal.date_of_acquisition,
        )  # fmt: skip


def _plane(
    shared: _Shared,
    k: int,
    plane: OpticalPlane,
    stream: np.random.SeedSequence,
    tell: Callable[[str, float], Any],
) -> InSilicoExperiment:
    """Simulate one plane."""
    plan, schedule = shared.plan, shared.schedule
    rngs = [np.random.default_rng(s) for s in stream.spawn(6)]
    name = f"plane {k + 1} of {len(plan.planes)}"
    drive = _drive(plane, plan, schedule, rngs[0])
    spikes = _spikes(plane, drive, int(rngs[1].integers(2**31)), name, tell)
    tell(f"{name}: fluorescence", _SHARES["spikes"])
    centres, masks = place_somata(plane, rngs[2])
    first = k / (plane.rate * len(plan.planes))
    times = np.arange(first, schedule.duration, 1 / plane.rate)
    seen = fluorescence_of(
        spikes, times, plane, centres, rngs[3], planes_together=len(plan.planes)
    )
    motion = motion_of(len(times), rngs[4], rate=plane.rate)
    tell(f"{name}: events", _SHARES["spikes"] + _SHARES["fluorescence"])
    events = detected(seen.dff, plane.rate, plane.model)
    mean = projection(plane, centres, masks, seen.f0, rngs[5])
    data = ImagingExperiment(
        id=str(plan.ophys_experiment_ids[k]), plane=_imaging_plane(plan, plane, k),
        motion=Motion(times=times, shifts=motion),
        traces=_traces(
            shared, k, seen, events, times=times, masks=masks, centres=centres
        ),
        images={"mean": mean, "max": _brightest(mean, masks, seen)},
        presentations=shared.presentations, templates=shared.templates, subject=shared.subject,
        truth=ImagingTruth(spike_times=spikes, fluorescence=seen.true_dff),
        truth_arrays={
            "drive": drive.response, "contamination": seen.contamination, "f0": seen.f0,
            "noise": seen.noise, "gain": seen.factors.gain, "duration": seen.factors.duration,
        },
        session_id=str(plan.ophys_session_id), session_start=plan.animal.date_of_acquisition,
        provenance=shared.provenance, notes=seen.notes,
    )  # fmt: skip
    return InSilicoExperiment(data=data, metadata=_metadata(shared, plane, k))


def _drive(
    plane: OpticalPlane, plan: SessionPlan, schedule: Schedule, rng: np.random.Generator
) -> VisualDrive:
    response = np.asarray(plane.receptive_fields(plan.images, plane.n_cells, rng), float)
    wanted = (plane.n_cells, len(plan.images))
    if response.shape != wanted:
        msg = (
            f"receptive_fields must give the drive (n_cells, n_images) = {wanted}, got an "
            f"array of shape {response.shape}"
        )
        raise InputError(msg)
    step, shown = schedule.shown()
    return VisualDrive(response=response, shown=shown, step=step, duration=schedule.duration)


def _spikes(
    plane: OpticalPlane,
    drive: VisualDrive,
    seed: int,
    name: str,
    tell: Callable[[str, float], Any],
) -> tuple[np.ndarray, ...]:
    total, done = max(drive.n_cells * drive.duration, 1e-9), [0.0]

    def report(seconds: float) -> None:
        done[0] += seconds
        tell(f"{name}: spikes", _SHARES["spikes"] * min(done[0] / total, 1.0))

    tell(f"{name}: spikes", 0.0)
    found = tuple(np.asarray(times, float) for times in plane.cells(drive, seed, report))
    if len(found) != plane.n_cells or any(times.ndim != 1 for times in found):
        msg = f"cells must give one array of spike times for each of {plane.n_cells} cells"
        raise InputError(msg)
    for k, times in enumerate(found):
        if not (np.isfinite(times).all() and (np.diff(times) >= 0).all()):
            raise InputError(f"spike times of cell {k} must be finite and sorted")
        if times.size and not 0 <= times[0] <= times[-1] <= drive.duration:
            msg = f"cell {k} has spikes outside the session of {drive.duration:g} s"
            raise InputError(msg)
    return found


def _imaging_plane(plan: SessionPlan, plane: OpticalPlane, k: int) -> ImagingPlane:
    excitation, emission = plane.wavelengths
    display = plane.model.evidence.get("display", plane.model.name)
    return ImagingPlane(
        name=f"imaging_plane_{k + 1}" if len(plan.planes) > 1 else "imaging_plane",
        description=f"simulated plane in {plane.structure}, {plane.depth * 1e6:.4g} um deep",
        location=plane.structure, depth=plane.depth, rate=plane.rate, indicator=str(display),
        excitation=excitation, emission=emission, pixel_size=(plane.pixel, plane.pixel),
        device=plan.equipment_name, device_description="simulated two-photon microscope",
        manufacturer="cleo_like",
    )  # fmt: skip


def _traces(
    shared: _Shared,
    k: int,
    seen: Fluorescence,
    events: tuple[np.ndarray, np.ndarray, np.ndarray],
    *,
    times: np.ndarray,
    masks: RoiMasks,
    centres: np.ndarray,
) -> Mapping[str, Traces]:
    """Put the traces of a plane on one table of ROIs."""
    plan, plane = shared.plan, shared.plan.planes[k]
    n = plane.n_cells
    found, lambdas, noise = events
    before = sum(p.n_cells for p in plan.planes[:k])
    number = 5000 * plan.number + before + np.arange(n)
    rois = {
        # below 2**31: tools keep them in 32 bits
        "cell_specimen_id": 1_000_000_000 + number,
        "cell_roi_id": 1_500_000_000 + number,
        "event_lambda": lambdas,
        "noise_std": noise,
    }
    positions = np.column_stack(
        [centres[:, 1] * plane.pixel, centres[:, 0] * plane.pixel, np.full(n, plane.depth)]
    )
    quantities = {
        "dff": (seen.dff, "dF/F, (F - F0)/F0 with F0 a running median"),
        "fluorescence": (seen.demixed, "counts of the ROI, soma and neuropil"),
        "neuropil": (seen.neuropil, "counts of the neuropil around the ROI"),
        "corrected": (seen.corrected, "counts of the ROI without neuropil"),
        "events": (found, "jumps of dF/F by L0 deconvolution"),
    }
    return {
        name: Traces(
            fluorescence=values.astype(np.float32), times=times, rois=rois, masks=masks,
            positions=positions, quantity=quantity, provenance=shared.provenance,
        )
        for name, (values, quantity) in quantities.items()
    }  # fmt: skip


def _brightest(mean: np.ndarray, masks: RoiMasks, seen: Fluorescence) -> np.ndarray:
    """Add to the mean picture what the brightest moment of each cell has more."""
    highest = np.nan_to_num(np.nanmax(seen.true_dff, axis=1, initial=0.0))
    more = mean.astype(float)
    roi = np.repeat(np.arange(len(masks)), masks.counts)
    np.add.at(more, (masks.y, masks.x), (seen.f0 * highest)[roi])
    return more.astype(np.float32)


def _metadata(shared: _Shared, plane: OpticalPlane, k: int) -> dict[str, Any]:
    plan, animal = shared.plan, shared.plan.animal
    excitation, emission = plane.wavelengths
    return {
        "equipment_name": plan.equipment_name,
        "sex": animal.sex,
        "age_in_days": animal.age_in_days,
        "stimulus_frame_rate": plan.task.refresh,
        "stimulus_frames": shared.schedule.n_frames,
        "session_type": plan.kind,
        "date_of_acquisition": animal.date_of_acquisition,
        "reporter_line": animal.reporter_line,
        "cre_line": plane.cre_line,
        "driver_line": animal.driver_line,
        "full_genotype": animal.full_genotype,
        "mouse_id": animal.mouse_id,
        "project_code": "InSilico",
        "behavior_session_id": plan.behavior_session_id,
        "ophys_session_id": plan.ophys_session_id,
        "ophys_experiment_id": plan.ophys_experiment_ids[k],
        "ophys_container_id": plan.ophys_experiment_ids[k] + 500_000_000,
        "indicator": str(plane.model.evidence.get("display", plane.model.name)),
        "emission_lambda": emission * 1e9,
        "excitation_lambda": excitation * 1e9,
        "field_of_view_height": plane.shape[0],
        "field_of_view_width": plane.shape[1],
        "imaging_depth": round(plane.depth * 1e6),
        "targeted_structure": plane.structure,
        "imaging_plane_group": 0,
        "imaging_plane_group_count": 1,
        "ophys_frame_rate": plane.rate,
        "image_set": plan.images.name,
        "image_names": list(plan.images.names),
        "passive": plan.task.passive,
    }
