"""From the parts of a movie to its frames and its truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from cleo_like.core.ophys.masks import RoiMasks
from cleo_like.core.provenance import Provenance
from cleo_like.imaging.movie.extract import surroundings
from cleo_like.imaging.movie.field import footprints
from cleo_like.imaging.movie.field.scene import Objects, populate
from cleo_like.imaging.movie.field.textures import (
    Nodes,
    between,
    common_factor,
    neuropil_picture,
    neuropil_signals,
    nodes_over,
    transmission,
)
from cleo_like.imaging.movie.kernels import Backend, kernels
from cleo_like.imaging.movie.kernels.tables import make_tables, stream
from cleo_like.imaging.movie.motion import STILL, move
from cleo_like.imaging.movie.render.frame import Counting, FrameMaker, Light
from cleo_like.imaging.movie.render.movie import Movie
from cleo_like.imaging.movie.render.truth import MovieTruth
from cleo_like.imaging.plane import focus_weight

if TYPE_CHECKING:
    from cleo_like.imaging.movie.activity import Activity
    from cleo_like.imaging.movie.model import MovieModel
    from cleo_like.imaging.movie.motion import Trajectory

_NODES_PER_REACH = 1.0
_DEEP = 65  # heights at which the light of objects is known when the tissue moves in depth
_MOST = 20.0
"""Bound on the gain in light of an object that comes into focus: its picture is that of its
place at rest, from which pixels fainter than `LEAST` are missing."""


@attrs.frozen(kw_only=True, eq=False)
class Request:
    """What a movie is asked to be.

    Parameters
    ----------
    n_frames : int
        Frames.
    start : float
        Time of the first (s).
    places : array, shape (n, 3), optional
        Of the cells: x and y from the middle, height above the focus of plane 0 (m).
    plane, seed, threads : int
        Plane of the volume, seed, threads.
    backend : str
        Of the inner loops.
    """

    n_frames: int
    start: float
    places: np.ndarray | None
    plane: int
    seed: int
    threads: int
    backend: Backend


class _Canvas(NamedTuple):
    """The field with a margin for motion, and its pictures at rest."""

    shape: tuple[int, int]
    margin: int
    shade: np.ndarray
    neuropil: np.ndarray
    occluded: np.ndarray
    nodes: Nodes
    seed: int


def build(model: MovieModel, activity: Activity, request: Request) -> Movie:
    """Prepare a movie.

    Parameters
    ----------
    model : MovieModel
        Parts.
    activity : Activity
        Of the population.
    request : Request
        Length, places, seed.
    """
    scan, optics, seed = model.scan, model.optics, request.seed
    line_time = scan.line_time(optics.frame_rate)
    motion = STILL if model.motion is None else model.motion
    trajectory = move(motion, scan, optics, request.n_frames, seed=seed, plane=request.plane)
    margin = int(np.ceil(trajectory.largest + abs(scan.line_phase))) + 2
    objects = populate(
        model.scene,
        scan,
        optics,
        request.places,
        activity.n,
        resting=activity.resting,
        margin=margin,
        plane=request.plane,
        seed=seed,
    )
    canvas = _canvas(model, objects, margin, seed)
    times = request.start + scan.times(optics.frame_rate, request.n_frames, request.plane)
    rows = np.clip(objects.places[:, 0] - margin, 0, scan.rows - 1)
    delays = (rows + 0.5) * line_time
    light = _light(
        model, activity, objects, canvas, trajectory=trajectory, times=times, delays=delays
    )
    dark = 0.0 if model.detector is None else model.detector.dark_rate * scan.dwell_time(optics)
    counting = _counting(model, times, line_time, seed)
    maker = FrameMaker(
        kernels=kernels(request.backend),
        shape=(scan.rows, scan.columns),
        margin=margin,
        light=light,
        trajectory=trajectory,
        phase=(np.arange(scan.rows) + 0.5) * line_time * optics.frame_rate,
        line_phase=scan.line_phase,
        dark=dark,
        counting=counting,
        seed=seed,
        plane=request.plane,
    )
    truth = _truth(model, activity, objects, canvas, maker=maker, times=times, delays=delays)
    parameters = attrs.asdict(model) | {
        "plane": request.plane,
        "cells": activity.n,
        "places": request.places,
    }
    return Movie(
        maker,
        np.float32 if model.detector is None else model.detector.dtype,
        times,
        optics.pixel_size,
        truth=truth,
        provenance=Provenance.of_simulation("scipy", parameters=parameters, seed=seed),
        notes=activity.notes,
        threads=request.threads,
    )


def _canvas(model: MovieModel, objects: Objects, margin: int, seed: int) -> _Canvas:
    scan, pixel = model.scan, model.optics.pixel_size
    shape = (scan.rows + 2 * margin, scan.columns + 2 * margin)
    shade = np.ones(shape)
    if model.illumination is not None:
        shade = transmission(model.illumination, shape, pixel, seed)
    picture, occluded, spacing = np.zeros(shape), np.ones(shape), float(max(shape))
    if model.neuropil is not None:
        level = model.neuropil.level * scan.photons(model.optics)
        picture = level * neuropil_picture(model.neuropil, shape, pixel, seed) * shade
        spacing = _NODES_PER_REACH * model.neuropil.reach / pixel
        seen = stream(seed, "coefficients").uniform(
            model.neuropil.coefficient_low, model.neuropil.coefficient_high, len(objects)
        )
        for patch, share in zip(objects.patches, seen, strict=True):
            there, inside = _overlap(patch, shape)
            occluded[there] *= 1 - (1 - share) * patch.occupied[inside]
    return _Canvas(shape, margin, shade, picture, occluded, nodes_over(shape, spacing), seed)


def _overlap(patch: footprints.Patch, shape: tuple[int, int]) -> tuple[Any, Any]:
    """Where a patch is on a canvas, and which part of it is there."""
    there, inside = [], []
    for first, n, size in zip((patch.row, patch.column), patch.light.shape, shape, strict=True):
        low, high = max(first, 0), max(min(first + n, size), 0)
        there.append(slice(min(low, high), high))
        inside.append(slice(min(low, high) - first, high - first))
    return tuple(there), tuple(inside)


def _light(
    model: MovieModel,
    activity: Activity,
    objects: Objects,
    canvas: _Canvas,
    *,
    trajectory: Trajectory,
    times: np.ndarray,
    delays: np.ndarray,
) -> Light:
    seed = canvas.seed
    n, dt = activity.n, 1 / model.scan.volume_rate(model.optics.frame_rate)
    dff = activity.dff(times, delays[:n])
    common = np.ones(len(times))
    if model.illumination is not None:
        common = common_factor(model.illumination, len(times), dt, seed)
    since = times - times[0] if len(times) else times
    signals = np.ones((len(times), len(canvas.nodes.places)), np.float32)
    if model.neuropil is not None:
        signals = neuropil_signals(
            model.neuropil,
            canvas.nodes,
            objects.places[:n, :2],
            dff,
            dt=dt,
            pixel_size=model.optics.pixel_size,
            seed=seed,
        )
    signals *= (common * model.bleaching.neuropil(since)).astype(np.float32)[:, None]
    moves = np.ptp(trajectory.z) > 0 if len(trajectory.z) else False
    heights, focus = _depths(objects, model, trajectory) if moves else (None, None)
    return Light(
        static=(canvas.neuropil * canvas.occluded).astype(np.float32),
        nodes=canvas.nodes,
        signals=signals,
        **_pixels(objects, canvas),
        rest=model.scan.photons(model.optics) * objects.brightness,
        parent=np.maximum(objects.parent, 0),
        share=np.where(objects.parent < 0, 0.0, objects.share),
        dff=dff,
        left=common * model.bleaching.soma(since),
        heights=heights,
        focus=focus,
        z=trajectory.z,
    )


def _pixels(objects: Objects, canvas: _Canvas) -> dict[str, np.ndarray]:
    """Put objects pixel by pixel: those that share a pixel one after the other."""
    where, cells, weights = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros(0)]
    for i, patch in enumerate(objects.patches):
        there, inside = _overlap(patch, canvas.shape)
        y, x = np.nonzero(patch.light[inside] >= footprints.LEAST)
        y, x = y + there[0].start, x + there[1].start
        where.append(y * canvas.shape[1] + x)
        cells.append(np.full(len(y), i))
        weights.append(patch.light[y - patch.row, x - patch.column] * canvas.shade[y, x])
    pixel, cell, weight = map(np.concatenate, (where, cells, weights))
    order = np.lexsort((cell, pixel))
    touched, start = np.unique(pixel[order], return_index=True)
    return {
        "touched": touched,
        "start": np.append(start, len(pixel)),
        "cell": cell[order],
        "weight": weight[order],
    }


def _depths(
    objects: Objects, model: MovieModel, trajectory: Trajectory
) -> tuple[np.ndarray, np.ndarray]:
    """Heights of the tissue, and the light of each object there, relative to no motion."""
    heights = np.linspace(trajectory.z.min(), trajectory.z.max(), _DEEP)
    sigma = model.optics.axial_sigma
    there = np.array(
        [
            _focus(objects, i, np.append(heights, 0.0) + objects.places[i, 2], sigma)
            for i in range(len(objects))
        ]
    ).reshape(len(objects), _DEEP + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = there[:, :-1] / there[:, -1:]
    return heights, np.minimum(np.nan_to_num(relative, nan=1.0, posinf=_MOST), _MOST)


def _focus(objects: Objects, i: int, z: np.ndarray, sigma: float) -> np.ndarray:
    """Light of an object at heights, in that of the same in focus."""
    radius = float(objects.radius[i])
    if objects.kind[i] in ("dendrite", "blob"):
        width = 2 * radius
        in_focus = footprints.thin(0.0, width, sigma)
        return np.array([footprints.thin(h, width, sigma) for h in z]) / in_focus
    return focus_weight(z, radius, sigma, "cytoplasm")


def _counting(
    model: MovieModel, times: np.ndarray, line_time: float, seed: int
) -> Counting | None:
    detector = model.detector
    if detector is None:
        return None
    offset, gain = detector.drifts(times, seed)
    return Counting(
        detector=detector,
        tables=make_tables(detector.height_cv),
        read_noise=model.optics.read_noise * detector.gain,
        gain=detector.gain * gain,
        offset=offset,
        starts=times,
        line_time=line_time,
    )


def _truth(
    model: MovieModel,
    activity: Activity,
    objects: Objects,
    canvas: _Canvas,
    *,
    maker: FrameMaker,
    times: np.ndarray,
    delays: np.ndarray,
) -> MovieTruth:
    light, counting = maker.light, maker.counting
    masks = _masks(objects, canvas, maker.shape)
    inner = (slice(canvas.margin, -canvas.margin),) * 2
    inside = (canvas.neuropil * canvas.occluded)[inner].ravel()
    # as those see it who subtract the neuropil: against the pixels around the mask
    around = surroundings(masks, masks) @ inside
    with np.errstate(divide="ignore", invalid="ignore"):
        around[around == 0] = np.nan
        coefficient = _means(masks, inside) / around
    own = _means(masks, canvas.shade[inner].ravel(), twice=True)
    at = objects.places[:, :2]
    unknown = np.full(len(times), np.nan)
    left = model.bleaching
    since = times - times[0] if len(times) else times
    soma_left = left.soma(since)
    return MovieTruth(
        masks=masks,
        kind=objects.kind,
        parent=objects.parent,
        places=objects.places - [canvas.margin, canvas.margin, 0],
        radius=objects.radius,
        focus=np.array(
            [
                _focus(objects, i, objects.places[i, 2:], model.optics.axial_sigma)[0]
                for i in range(len(objects))
            ]
        ).reshape(-1),
        F0=light.rest * own,
        coefficient=coefficient,
        cell_dff=light.dff,
        share=light.share,
        signals=light.signals,
        node_weights=around[:, None] * _node_weights(at, canvas),
        delays=delays,
        times=times,
        motion=maker.trajectory,
        depth_focus=(light.heights, light.focus),
        line_phase=model.scan.line_phase,
        soma_left=soma_left,
        neuropil_left=left.neuropil(since),
        common=light.left / soma_left,
        photons=model.scan.photons(model.optics),
        dark_counts=float(maker.dark),
        gain=unknown if counting is None else counting.gain,
        offset=unknown if counting is None else counting.offset,
        transfer_slope=np.nan if model.detector is None else model.detector.transfer_slope,
        spike_times=_spikes(activity),
    )


def _means(masks: RoiMasks, image: np.ndarray, *, twice: bool = False) -> np.ndarray:
    """Mean of a flat picture over each mask by its weights; `twice`: times the weight."""
    weights = masks.to_matrix()
    seen = weights.multiply(weights) if twice else weights
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(seen @ image) / np.asarray(weights.sum(axis=1))


def _spikes(activity: Activity) -> tuple[np.ndarray, ...] | None:
    if activity.traces is None:
        return activity.spikes
    truth = activity.traces.truth
    return None if truth is None else truth.spike_times


def _masks(objects: Objects, canvas: _Canvas, shape: tuple[int, int]) -> RoiMasks:
    pixels = []
    for i, patch in enumerate(objects.patches):
        picture = patch.occupied if objects.kind[i] == "dark" else patch.light
        y, x = np.nonzero(picture >= footprints.LEAST)
        weight = picture[y, x]
        y, x = y + patch.row - canvas.margin, x + patch.column - canvas.margin
        inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
        pixels.append((y[inside], x[inside], weight[inside]))
    return RoiMasks.from_pixels(shape, pixels)


def _node_weights(places: np.ndarray, canvas: _Canvas) -> np.ndarray:
    """Share of each node in the signal at each place, shape (n, nodes)."""
    size = canvas.nodes.shape
    weights = np.zeros((len(places), *size))
    each = np.arange(len(places))
    parts = []
    for axis in (0, 1):
        line = canvas.nodes.places.reshape(*size, 2)
        nodes = line[:, 0, 0] if axis == 0 else line[0, :, 1]
        at = np.clip(places[:, axis], 0, canvas.shape[axis] - 1)
        parts.append(between(at, nodes))
    (row, down), (column, across) = parts
    for r, part_r in ((row, 1 - down), (row + 1, down)):
        for c, part_c in ((column, 1 - across), (column + 1, across)):
            weights[each, r, c] += part_r * part_c
    return weights.reshape(len(places), size[0] * size[1])
