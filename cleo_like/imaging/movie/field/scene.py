"""What is in the field: somata of the population, other cells, dendrites and blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import si_default, si_required, whole_number
from cleo_like.core.errors import InputError
from cleo_like.imaging.movie.field import footprints
from cleo_like.imaging.movie.kernels.tables import stream
from cleo_like.imaging.movie.parts import check_numbers

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from cleo_like.imaging.movie.field.footprints import Patch
    from cleo_like.imaging.movie.parts import Scan
    from cleo_like.imaging.optics import Optics

KINDS = ("soma", "nuclear", "overexpressing", "dark", "dendrite", "blob")
"""Classes of objects: cells of the population first; no other is a soma that responds."""
_TRIES = 4000


@attrs.frozen(kw_only=True)
class Scene:
    """Cells and processes in and around the focus; numbers of others are per cell given.

    Parameters
    ----------
    soma_radius : quantity
        Median radius of a soma (default 6.5 um).
    radius_spread : float
        Standard deviation of its logarithm.
    elongation : float
        Standard deviation of the logarithm of the ratio of a soma's axes.
    nucleus : float
        Radius of the nucleus, in that of the soma.
    nuclear_level : float
        Light of the nucleus, in that of the cytoplasm.
    depth : quantity
        Cells without a place lie up to this far above and below the focus (default 15 um).
    expression : float
        Standard deviation of the logarithm of a cell's light.
    resting : float, optional
        Standard deviation of the logarithm of the light at rest while that of a response
        stays the same: the spread of dF/F that comes out of F0. By default that of the
        indicator for spikes, and none for traces, whose dF/F has its spread already.
    attenuation : quantity
        Depth over which the laser loses 1/e (default 150 um); light is its square.
    nuclear, dark : float
        Cells with a filled nucleus (bright, hardly responding), and cells without
        indicator, for each cell given.
    overexpressing : int
        Very bright cells that do not respond.
    dendrites, blobs : float
        Pieces of dendrite (10-50 um) and blobs (2-8 um) that share the activity of a cell,
        for each cell given.
    process_level : float
        Median light of dendrites and blobs, in that of a soma in focus.

    Notes
    -----
    Radius and nucleus: those that simulators of cortical volumes use (5.9 to 6.5 um; .72).
    """

    soma_radius: float = attrs.field(
        default=si_default("6.5 um", "m"), converter=si_required("m", "soma_radius")
    )
    radius_spread: float = 0.1
    elongation: float = 0.1
    nucleus: float = 0.72
    nuclear_level: float = 0.1
    depth: float = attrs.field(
        default=si_default("15 um", "m"), converter=si_required("m", "depth")
    )
    expression: float = 0.4
    resting: float | None = None
    attenuation: float = attrs.field(
        default=si_default("150 um", "m"), converter=si_required("m", "attenuation")
    )
    nuclear: float = 0.03
    dark: float = 0.1
    overexpressing: int = attrs.field(default=0, converter=whole_number("overexpressing", 0))
    dendrites: float = 0.2
    blobs: float = 0.4
    process_level: float = 1.0

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        check_numbers(
            self,
            positive=("soma_radius", "attenuation"),
            not_negative=(
                "radius_spread", "elongation", "depth", "expression", "nuclear", "dark",
                "dendrites", "blobs", "process_level",
            ),
            shares=("nucleus", "nuclear_level"),
        )  # fmt: skip
        if self.resting is not None and not self.resting >= 0:
            msg = f"resting must be 0 or more, got {self.resting:g}"
            raise InputError(msg)


@attrs.frozen(kw_only=True, eq=False)
class Objects:
    """All objects of a field, those of the population first.

    Parameters
    ----------
    kind : array of str, shape (n,)
        One of `KINDS`.
    parent : array of int, shape (n,)
        Cell whose activity it has; -1 is none.
    places : array, shape (n, 3)
        Row and column on the canvas (pixels), height above the focus (m).
    radius : array, shape (n,)
        Of a soma, or half the width of a process (m).
    brightness : array, shape (n,)
        Light at rest of a pixel in focus, in that of the median cell.
    resting : array, shape (n,)
        Divides dF/F: its light at rest, relative to that of a response.
    share : array, shape (n,)
        Factor on the dF/F of the parent.
    patches : tuple of Patch
        Pictures.
    """

    kind: np.ndarray
    parent: Int[np.ndarray, "n"]
    places: Float[np.ndarray, "n 3"]
    radius: Float[np.ndarray, "n"]
    brightness: Float[np.ndarray, "n"]
    resting: Float[np.ndarray, "n"]
    share: Float[np.ndarray, "n"]
    patches: tuple[Patch, ...]

    def __len__(self) -> int:
        """Count the objects."""
        return len(self.kind)


def populate(
    scene: Scene,
    scan: Scan,
    optics: Optics,
    places: Float[np.ndarray, "n 3"] | None,
    n: int,
    *,
    resting: np.ndarray,
    margin: int,
    plane: int,
    seed: int,
) -> Objects:
    """Place all objects, and draw their light.

    Parameters
    ----------
    scene, scan, optics : Scene, Scan, Optics
        Parts of the movie.
    places : array, shape (n, 3), optional
        Of the cells: x and y from the middle of the frame, height above the focus (m).
    n : int
        Number of cells.
    resting : array, shape (n,)
        Their light at rest, relative to that of a response.
    margin : int
        Canvas around the frame (pixels).
    plane : int
        Which plane of the volume is in focus.
    seed : int
        Of the movie.

    Raises
    ------
    InputError
        Cells outside the frame, or more than find room.
    """
    rng = stream(seed, "scene")
    others = [
        ("nuclear", round(scene.nuclear * n)),
        ("overexpressing", scene.overexpressing),
        ("dark", round(scene.dark * n)),
    ]
    somata = n + sum(count for _, count in others)
    size = np.array([scan.rows, scan.columns]) * optics.pixel_size
    radius = scene.soma_radius * np.exp(scene.radius_spread * rng.standard_normal(somata))
    below = (scan.planes - 1) * scan.plane_spacing
    given = np.zeros((0, 3)) if places is None else places
    if len(given) not in (0, n):
        msg = f"there are {n} cells and {len(given)} places"
        raise InputError(msg)
    middle = _somata(scene, np.append(size, below), given, radius, rng)
    kinds = ["soma"] * n + [name for name, count in others for _ in range(count)]
    processes = ["dendrite"] * round(scene.dendrites * n) + ["blob"] * round(scene.blobs * n)
    spread = rng.uniform(-0.5, 0.5, (len(processes), 2)) * size
    depth = rng.uniform(-1, 1, len(processes)) * min(scene.depth, 2 * optics.axial_sigma)
    depth -= rng.integers(0, scan.planes, len(processes)) * scan.plane_spacing
    everything = np.concatenate([middle, np.column_stack([spread, depth])])
    everything[:, 2] += plane * scan.plane_spacing
    kind = np.array(kinds + processes, dtype=str)
    width = rng.uniform(1e-6, 4e-6, len(processes))  # half of 2 to 8 um
    width[: processes.count("dendrite")] = 0.75e-6
    parent = np.where(kind == "soma", np.arange(len(kind)), -1)
    if n:
        parent[somata:] = rng.integers(0, n, len(processes))
    light = _light(scene, kind, everything[:, 2], rng)
    share = np.select(
        [kind == "soma", np.isin(kind, ["dendrite", "blob"])],
        [1.0, rng.uniform(0.5, 1.0, len(kind))],
        0.0,
    )
    rest = np.ones(len(kind))
    rest[:n] = resting
    places_px = everything / [optics.pixel_size, optics.pixel_size, 1]
    places_px[:, :2] += (np.array([scan.rows, scan.columns]) - 1) / 2 + margin
    radii = np.concatenate([radius, width])
    patches = _patches(scene, optics, kind, places=places_px, radius=radii, rng=rng)
    _check_inside(places_px[:n, :2], radii[:n], scan, optics.pixel_size, margin)
    return Objects(
        kind=kind,
        parent=parent,
        places=places_px,
        radius=radii,
        brightness=light * rest,
        resting=rest,
        share=share,
        patches=patches,
    )


def _somata(
    scene: Scene,
    size: np.ndarray,
    places: np.ndarray,
    radius: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Rows, columns and heights (m, from the middle): those given, and others in between."""
    found = places[:, [1, 0, 2]]
    low = np.array([-size[0] / 2, -size[1] / 2, -scene.depth - size[2]])
    high = np.array([size[0] / 2, size[1] / 2, scene.depth])
    while len(found) < len(radius):
        tried = rng.uniform(low, high, (_TRIES, 3))
        for place in tried:
            gap = np.linalg.norm(found - place, axis=1)
            if not (gap < 0.95 * (radius[: len(found)] + radius[len(found)])).any():
                found = np.concatenate([found, place[None]])
                break
        else:
            msg = (
                f"{len(radius)} cells do not find room in {size[0] * 1e6:.0f} x "
                f"{size[1] * 1e6:.0f} x {1e6 * (high - low)[2]:.0f} um; {len(found)} do: give "
                "fewer cells, a larger field, or more depth"
            )
            raise InputError(msg)
    return found


def _light(
    scene: Scene, kind: np.ndarray, z: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Light of a pixel in focus, in that of the median cell: expression and depth."""
    drawn = np.exp(scene.expression * rng.standard_normal(len(kind)))
    level = np.ones(len(kind))
    level[kind == "nuclear"] = 1.5
    level[kind == "overexpressing"] = 4.0
    level[kind == "dark"] = 0.0
    level[np.isin(kind, ["dendrite", "blob"])] = scene.process_level
    # below the focus is deeper in the tissue
    return np.asarray(level * drawn * np.exp(2 * z / scene.attenuation))


def _patches(
    scene: Scene,
    optics: Optics,
    kind: np.ndarray,
    *,
    places: np.ndarray,
    radius: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Patch, ...]:
    ratio = np.exp(np.abs(scene.elongation * rng.standard_normal(len(kind))))
    angle = rng.uniform(0, np.pi, len(kind))
    lens: dict[str, Any] = {"pixel_size": optics.pixel_size, "axial_sigma": optics.axial_sigma}
    patches = []
    for i, name in enumerate(kind):
        row, column, z = places[i]
        if name == "blob":
            patches.append(footprints.blob(row, column, z, 2 * radius[i], **lens))
        elif name == "dendrite":
            points = _curve(row, column, angle[i], optics.pixel_size, rng)
            patches.append(footprints.line(points, z, 2 * radius[i], **lens))
        else:
            level = scene.nuclear_level if name in ("soma", "dark") else 1.0
            patches.append(
                footprints.soma(
                    (row, column, z),
                    radius[i],
                    nucleus=scene.nucleus,
                    nuclear_level=level,
                    shape=(ratio[i], angle[i]),
                    **lens,
                )
            )
    return tuple(patches)


def _curve(
    row: float, column: float, angle: float, pixel_size: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw a piece of dendrite, 10 to 50 um, that bends: points half a pixel apart."""
    step = 0.5
    n = max(int(rng.uniform(10e-6, 50e-6) / pixel_size / step), 2)
    bend = rng.standard_normal(n) * 0.2 * np.sqrt(step * pixel_size / 1e-6)
    way = angle + np.cumsum(bend)
    path = step * np.cumsum(np.column_stack([np.sin(way), np.cos(way)]), axis=0)
    return np.asarray(path - path.mean(axis=0) + [row, column])


def _check_inside(
    places: np.ndarray, radius: np.ndarray, scan: Scan, pixel_size: float, margin: int
) -> None:
    """Refuse cells of the population that do not touch the frame, if only by their edge."""
    first = margin - 0.5 - radius / pixel_size
    last = np.array([scan.rows, scan.columns]) + margin - 0.5 + (radius / pixel_size)[:, None]
    beyond = (places < first[:, None]) | (places > last)
    outside = np.flatnonzero(beyond.any(axis=1)).tolist()
    if outside:
        some = ", ".join(map(str, outside[:8])) + (", ..." if len(outside) > 8 else "")
        msg = (
            f"{len(outside)} of {len(places)} cells lie outside the frame of {scan.rows} x "
            f"{scan.columns} pixels (cells {some}): leave them out, take a larger frame or "
            "pixel_size, or shift places (x, y from the middle of the frame)"
        )
        raise InputError(msg)
