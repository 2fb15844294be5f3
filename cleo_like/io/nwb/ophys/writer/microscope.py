"""Microscope, imaging plane, raw and corrected movie."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.ophys.frames import warn_of_orientation
from cleo_like.io.nwb.ophys.names import numbered, plain
from cleo_like.io.nwb.ophys.writer.chunks import movie_chunks, packed
from cleo_like.io.nwb.ophys.writer.clock import clock_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pynwb import NWBFile

    from cleo_like.core.ophys.experiment import ImagingExperiment
    from cleo_like.core.ophys.frames import FrameSource
    from cleo_like.core.ophys.plane import ImagingPlane

UNKNOWN = "unknown"
WHOLE_BRAIN = "root"
"""The Allen atlas' acronym of the whole brain: true of every region that is not known."""
_MICE = ("Mus musculus", "http://purl.obolibrary.org/obo/NCBITaxon_10090")


def _nm(wavelength: float | None) -> float:
    """Convert to nm as NWB has wavelengths; NaN is unknown."""
    return float("nan") if wavelength is None else round(wavelength * 1e9, 9)


def add_plane(nwbfile: NWBFile, plane: ImagingPlane, index: int, species: str | None) -> Any:
    """Add a plane with its microscope and optical channel.

    Parameters
    ----------
    nwbfile : NWBFile
        The file.
    plane : ImagingPlane
        What is known of it.
    index : int
        Number of the plane in the file; a name that is taken gets it behind.
    species : str, optional
        Of the subject: an unknown region of a mouse has a name that the archive knows.
    """
    from pynwb.ophys import OpticalChannel

    channel = OpticalChannel(
        name="OpticalChannel",
        description="Light of the indicator",
        emission_lambda=_nm(plane.emission),
    )
    name = plain(plane.name)
    if name in nwbfile.imaging_planes:
        name = numbered(name, index)
    unknown = WHOLE_BRAIN if species in _MICE else UNKNOWN
    spacing = {} if plane.pixel_size is None else {"grid_spacing": list(plane.pixel_size[::-1])}
    origin = {} if plane.origin is None else {"origin_coords": list(plane.origin)}
    rate = {} if plane.rate is None else {"imaging_rate": plane.rate}
    return nwbfile.create_imaging_plane(
        name=name,
        optical_channel=channel,
        description=_about(plane),
        device=_device(nwbfile, plane),
        excitation_lambda=_nm(plane.excitation),
        indicator=plane.indicator if plane.indicator else UNKNOWN,
        location=plane.location if plane.location else unknown,
        **spacing,
        **origin,
        **rate,
    )


def _about(plane: ImagingPlane) -> str:
    about = plane.description if plane.description else "Plane of a two-photon microscope"
    return about if plane.depth is None else f"{about}; depth {plane.depth * 1e6:.6g} um"


def _device(nwbfile: NWBFile, plane: ImagingPlane) -> Any:
    name = plain(plane.device)
    if name in nwbfile.devices:
        return nwbfile.devices[name]
    about = plane.device_description if plane.device_description else "Two-photon microscope"
    if plane.numerical_aperture is not None:
        about += f"; numerical aperture {plane.numerical_aperture:.4g}"
    given: dict[str, Any] = {}
    if plane.model is not None or plane.manufacturer is not None:
        model = plane.model if plane.model else UNKNOWN
        given["model"] = nwbfile.create_device_model(
            name=plain(f"{name} model"),
            manufacturer=plane.manufacturer if plane.manufacturer else UNKNOWN,
            model_number=model,
            description=f"Model {model} of the microscope {name}",
        )
    if plane.serial_number is not None:
        given["serial_number"] = plane.serial_number
    return nwbfile.create_device(name=name, description=about, **given)


def add_movie(
    nwbfile: NWBFile,
    experiment: ImagingExperiment,
    plane: Any,
    index: int,
    *,
    files: Sequence[tuple[Path, int]] = (),
    folder: Path | None = None,
) -> Any:
    """Add the raw movie, whole or as names of files beside; None where there is none.

    Parameters
    ----------
    nwbfile : NWBFile
        The file.
    experiment : ImagingExperiment
        Its movie is streamed.
    plane : pynwb.ophys.ImagingPlane
        From `add_plane`.
    index : int
        Number of the plane.
    files : sequence of (Path, int)
        Files that hold the movie, and the number of frames of each.
    folder : Path, optional
        Folder of the NWB file, from which the names of the files count.
    """
    from pynwb.ophys import TwoPhotonSeries

    movie = experiment.movie
    if movie is None:
        return None
    n, height, width = movie.shape
    given: dict[str, Any] = {}
    if files:
        starts = np.concatenate([[0], np.cumsum([frames for _, frames in files])[:-1]])
        given = {
            "external_file": [_relative(file, folder) for file, _ in files],
            "starting_frame": [int(start) for start in starts],
            "format": "external",
            "num_samples": n,
        }
    else:
        warn_of_orientation("movie", movie.shape)
        given = {"data": movie_chunks(movie)}
    size = movie.pixel_size if movie.pixel_size is not None else experiment.plane.pixel_size
    if size is not None:
        given["field_of_view"] = [width * size[1], height * size[0]]
    series = TwoPhotonSeries(
        name=numbered("TwoPhotonSeries", index),
        description=f"Raw frames of {plane.name}; stored as (frame, x, y)",
        imaging_plane=plane,
        unit="a.u.",
        dimension=[width, height],
        **given,
        **clock_of(movie.times),
    )
    nwbfile.add_acquisition(series)
    return series


def _relative(file: Path, folder: Path | None) -> str:
    return os.path.relpath(file, folder).replace(os.sep, "/")


def add_motion(module: Any, experiment: ImagingExperiment, original: Any, index: int) -> None:
    """Add the displacement of each frame, and the corrected movie.

    A corrected movie beside its raw one makes an entry of MotionCorrection; each alone lies
    in the module itself, as NWB's entry needs both.
    """
    from pynwb import TimeSeries

    motion = experiment.motion
    if motion is None:
        return
    both = motion.corrected is not None and original is not None
    shifts = TimeSeries(
        name="xy_translation" if both else numbered("xy_translation", index),
        description="Displacement (x, y) of each frame, in pixels",
        data=packed(motion.shifts),
        unit="pixels",
        **clock_of(motion.times),
    )
    if motion.corrected is None:
        module.add(shifts)
        return
    name = "corrected" if both else numbered("corrected", index)
    corrected = _corrected(motion.corrected, name)
    if not both:
        module.add([shifts, corrected])
        return
    _add_stack(module, index, corrected=corrected, original=original, xy_translation=shifts)


def _corrected(movie: FrameSource, name: str) -> Any:
    from pynwb.image import ImageSeries

    warn_of_orientation("corrected movie", movie.shape)
    return ImageSeries(
        name=name,
        description="Frames with the motion undone; stored as (frame, x, y)",
        data=movie_chunks(movie),
        unit="a.u.",
        format="raw",
        dimension=[movie.shape[2], movie.shape[1]],
        **clock_of(movie.times),
    )


def _add_stack(module: Any, index: int, **parts: Any) -> None:
    from pynwb.ophys import CorrectedImageStack, MotionCorrection

    if "MotionCorrection" not in module.data_interfaces:
        module.add(MotionCorrection(name="MotionCorrection"))
    stack = CorrectedImageStack(name=numbered("CorrectedImageStack", index), **parts)
    module["MotionCorrection"].add_corrected_image_stack(stack)
