"""Plane, microscope, animal, raw and corrected movie of any maker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.cell import SEXES
from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.core.ophys.plane import ImagingPlane, Motion, Subject
from cleo_like.io.nwb.ophys.names import numbered
from cleo_like.io.nwb.ophys.reader.clock import scaling_of, times_of
from cleo_like.io.nwb.ophys.reader.contents import MOVIES, PLANES, Thing, plane_name
from cleo_like.io.nwb.ophys.reader.movie import NwbFrames, TiffFrames, frames_in
from cleo_like.io.nwb.source import hdf5
from cleo_like.io.nwb.source.kinds import known

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.core.ophys.frames import FrameSource
    from cleo_like.io.nwb.ophys.reader.contents import Contents

_METRES = {
    "": 1.0, "m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0,
    "mm": 1e-3, "millimeter": 1e-3, "millimeters": 1e-3,
    "um": 1e-6, "µm": 1e-6, "micron": 1e-6, "microns": 1e-6, "micrometer": 1e-6,
    "micrometers": 1e-6, "nm": 1e-9,
}  # fmt: skip
_DEFAULT_SPACING = 0.01
"""A pixel this large (m) is the placeholder of the NWB tutorial, no microscope's."""
_TIFFS = (".tif", ".tiff", ".btf", ".tf8")


def plane_of(found: Contents, name: str | None, notes: list[str]) -> ImagingPlane:
    """Read what is known of an imaging plane."""
    group = hdf5.optional_or_none(found.file, *PLANES, name) if name is not None else None
    if group is None:
        return ImagingPlane() if name is None else ImagingPlane(name=name)
    device = hdf5.optional_or_none(group, "device")
    model = hdf5.optional_or_none(device, "model")
    channels = [hdf5.optional_or_none(group, n) for n in hdf5.members(group)]
    emissions = [hdf5.number(c, "emission_lambda") for c in channels if hasattr(c, "keys")]
    told = hdf5.target_name(group, "device", "general", "devices")
    maker = hdf5.attribute_or_none(device, "manufacturer")
    if maker is None:
        maker = hdf5.attribute_or_none(model, "manufacturer")
    return ImagingPlane(
        name=str(name),
        description=known(hdf5.text(group, "description")),
        location=known(hdf5.text(group, "location")),
        depth=_allen_depth(found),
        rate=_positive(hdf5.number(group, "imaging_rate")),
        indicator=known(hdf5.text(group, "indicator")),
        excitation=_wavelength(hdf5.number(group, "excitation_lambda")),
        emission=_wavelength(next((e for e in emissions if e is not None), None)),
        pixel_size=_pixel_size(group, notes),
        origin=_origin(group),
        device=told if told else "Microscope",
        device_description=known(hdf5.attribute_or_none(device, "description")),
        manufacturer=known(maker),
        model=known(hdf5.attribute_or_none(model, "model_number")),
        serial_number=known(hdf5.attribute_or_none(device, "serial_number")),
    )


def _positive(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) and value > 0 else None


def _wavelength(nm: float | None) -> float | None:
    """Convert from nm; some files have metres, although the standard says nm."""
    value = _positive(nm)
    if value is None:
        return None
    return value if value < 1e-5 else value * 1e-9


def _numbers(group: Any, name: str) -> np.ndarray | None:
    dataset = hdf5.optional_or_none(group, name)
    try:
        return None if dataset is None else np.asarray(dataset[()], dtype=float).ravel()
    except (TypeError, *hdf5.READ_ERRORS):
        return None


def _metres(group: Any, name: str) -> float | None:
    unit = hdf5.attribute_or_none(hdf5.optional_or_none(group, name), "unit")
    return _METRES.get(str(unit).lower() if unit is not None else "")


def _pixel_size(group: Any, notes: list[str]) -> tuple[float, float] | None:
    spacing, scale = _numbers(group, "grid_spacing"), _metres(group, "grid_spacing")
    if spacing is None:
        return None
    sizes = spacing[:2] * (scale if scale is not None else np.nan)
    if len(sizes) < 2 or not (np.isfinite(sizes) & (sizes > 0)).all():
        notes.append(f"grid_spacing {spacing.tolist()} left out: two lengths were expected")
        return None
    if (sizes >= _DEFAULT_SPACING).all():
        notes.append(
            f"grid_spacing says pixels of {sizes[0] * 1e3:g} mm, a placeholder: unknown"
        )
        return None
    return float(sizes[1]), float(sizes[0])


def _origin(group: Any) -> tuple[float, float, float] | None:
    place, scale = _numbers(group, "origin_coords"), _metres(group, "origin_coords")
    if place is None or scale is None or len(place) != 3:
        return None
    return tuple((place * scale).tolist())


def _allen_depth(found: Contents) -> float | None:
    """Depth (m) as the AllenSDK keeps it."""
    metadata = hdf5.optional_or_none(found.file, "general", "metadata")
    depth = hdf5.number(metadata, "imaging_depth") if metadata is not None else None
    return None if depth is None else depth * 1e-6


def subject_of_file(file: Any) -> Subject | None:
    """Read the animal; None where the file has none."""
    group = hdf5.optional_or_none(file, "general", "subject")
    if group is None:
        return None
    texts = {
        name: known(hdf5.text(group, name))
        for name in ("species", "age", "genotype", "strain", "description", "subject_id")
    }
    sex = known(hdf5.text(group, "sex"))
    letter = None if sex is None else sex[:1].upper()
    name = texts.pop("subject_id")
    return Subject(
        id=name if name is not None else "unknown",
        sex=letter if letter in SEXES else None,
        **texts,
    )


def movie_of(found: Contents, path: Path, name: str | None, notes: list[str]) -> Any:
    """Give the raw movie of a plane, of which nothing is read yet; None where there is none."""
    for thing in found.of(*MOVIES):
        in_place = not thing.path.startswith("processing") or thing.kind in MOVIES
        if in_place and plane_name(thing.group) == name:
            made = _frames(found, path, thing, notes, _pixel_size_of(found, name))
            if made is not None:
                return made
    return None


def _pixel_size_of(found: Contents, name: str | None) -> tuple[float, float] | None:
    group = hdf5.optional_or_none(found.file, *PLANES, name) if name is not None else None
    return None if group is None else _pixel_size(group, [])


def _frames(
    found: Contents,
    path: Path,
    thing: Thing,
    notes: list[str],
    pixel_size: tuple[float, float] | None,
) -> FrameSource | None:
    try:
        external = hdf5.optional(thing.group, "external_file")
        if external is not None and external.size:
            return _external(path, thing, notes, pixel_size)
        return _embedded(found, path, thing, notes, pixel_size)
    except (FileFormatError, InputError) as error:
        notes.append(f"the movie {thing.path} left out: {error}")
        return None


def _embedded(
    found: Contents,
    path: Path,
    thing: Thing,
    notes: list[str],
    pixel_size: tuple[float, float] | None,
) -> NwbFrames:
    data = hdf5.member(thing.group, "data")
    if len(data.shape) != 3 or data.dtype.kind not in "iufb":
        msg = f"expected frames of numbers (frame, x, y), got {data.dtype} of {data.shape}"
        raise FileFormatError(msg)
    n, first, second = (int(size) for size in data.shape)
    times, said = times_of(thing.group, n)
    notes += said
    turned = found.order == "xy"
    scale, offset = scaling_of(data)
    return NwbFrames(
        path=str(path),
        dataset=str(data.name),
        size=(len(times), *((second, first) if turned else (first, second))),
        stored=data.dtype,
        times=times,
        pixel_size=pixel_size,
        transposed=turned,
        scale=scale,
        offset=offset,
    )


def _external(
    path: Path, thing: Thing, notes: list[str], pixel_size: tuple[float, float] | None
) -> TiffFrames:
    """Give a movie in files beside; what the NWB file says of them is checked."""
    names = [hdf5.as_text(n) for n in hdf5.member(thing.group, "external_file")[:]]
    files = [path.parent / name.replace("\\", "/") for name in names]
    for name, file in zip(names, files, strict=True):
        if file.suffix.lower() not in _TIFFS:
            msg = f"it is in {name!r}, which is no TIFF"
            raise FileFormatError(msg)
        if not file.is_file():
            msg = f"it is in {name!r}, which is missing beside the NWB file"
            raise FileFormatError(msg)
    shapes = [frames_in(file) for file in files]
    if len({shape[1:] for shape in shapes}) > 1:
        msg = f"its files have frames of different sizes: {[s[1:] for s in shapes]}"
        raise FileFormatError(msg)
    n = sum(shape[0] for shape in shapes)
    times, said = times_of(thing.group, n)
    notes += said
    if len(times) < n:
        msg = f"its files hold {n} frames for {len(times)} times"
        raise FileFormatError(msg)
    return TiffFrames(
        files=tuple((str(f), s[0]) for f, s in zip(files, shapes, strict=True)),
        size=shapes[0][1:],
        times=times,
        pixel_size=pixel_size,
    )


def motion_of(
    found: Contents, path: Path, name: str | None, index: int, notes: list[str]
) -> Motion | None:
    """Read the displacement of each frame, and give the corrected movie."""
    try:
        for stack in found.of("CorrectedImageStack"):
            original = hdf5.optional_or_none(stack.group, "original")
            of_plane = None if original is None else plane_name(original)
            if of_plane in {None, name} and (of_plane is not None or len(found.planes) == 1):
                shifts = hdf5.member(stack.group, "xy_translation")
                corrected = hdf5.optional(stack.group, "corrected")
                return _motion(found, path, shifts, corrected, notes)
        return _loose_motion(found, path, index, notes)
    except (FileFormatError, InputError, *hdf5.READ_ERRORS) as error:
        notes.append(f"the motion left out: {error}")
        return None


def _motion(
    found: Contents,
    path: Path,
    shifts: Any,
    corrected: Any,
    notes: list[str],
) -> Motion:
    data = np.asarray(hdf5.member(shifts, "data")[:], dtype=float)
    times, said = times_of(shifts, len(data))
    notes += said
    frames = None
    if corrected is not None:
        place = hdf5.path_of(corrected).lstrip("/")
        thing = Thing(path=place, kind="ImageSeries", group=corrected)
        frames = _frames(found, path, thing, notes, None)
    return Motion(times=times, shifts=data[: len(times)], corrected=frames)


def _loose_motion(found: Contents, path: Path, index: int, notes: list[str]) -> Motion | None:
    """Read series that lie in the module itself: ours, and those of the AllenSDK."""
    series = {t.name: t for t in found.of("TimeSeries", "ImageSeries")}
    own = series.get(numbered("xy_translation", index))
    if own is not None:
        corrected = series.get(numbered("corrected", index))
        frames = None if corrected is None else corrected.group
        return _motion(found, path, own.group, frames, notes)
    both = [series.get(f"ophys_motion_correction_{axis}") for axis in "xy"]
    if None in both:
        return None
    columns = [np.asarray(hdf5.member(t.group, "data")[:], float) for t in both if t]
    times, said = times_of(both[0].group if both[0] else None, len(columns[0]))
    notes += said
    return Motion(times=times, shifts=np.stack(columns, axis=1)[: len(times)])
