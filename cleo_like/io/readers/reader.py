"""What reads one file format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cleo_like.core.ophys.experiment import ImagingExperiment
    from cleo_like.core.ophys.frames import FrameSource
    from cleo_like.core.ophys.masks import RoiMasks
    from cleo_like.core.ophys.traces import Traces
    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording


@attrs.frozen(kw_only=True)
class Reader:
    """How one file format is read.

    Parameters
    ----------
    name : str
        "ABF".
    suffixes : tuple of str
        File name endings in lower case, with the dot.
    read_all : callable
        path -> list of Recording, one per cell.
    read_protocol : callable, optional
        path -> Protocol, for formats that can hold a stimulus alone.
    read_electrode : callable, optional
        path, name or None -> Recording, for formats whose every channel can be asked for;
        without it one of `read_all` is taken.
    version : callable, optional
        path -> version of the format in this file ("1.8.3.0").
    imaging : Imaging, optional
        How two-photon imaging is read, for formats that can hold it.
    read_movie : callable, optional
        path and options -> movie, for formats of frames.
    knows : callable, optional
        path -> whether a file is of this format, where others share the suffix (".dat"): those
        of a folder that it does not know are left out.
    """

    name: str
    suffixes: tuple[str, ...]
    read_all: Callable[[Path], list[Recording]]
    read_protocol: Callable[[Path], Protocol] | None = None
    read_electrode: Callable[[Path, str | None], Recording] | None = None
    version: Callable[[Path], str] | None = None
    imaging: Imaging | None = None
    read_movie: Callable[..., FrameSource] | None = None
    knows: Callable[[Path], bool] | None = None


@attrs.frozen(kw_only=True)
class Imaging:
    """How two-photon imaging of one file format is read.

    Parameters
    ----------
    only : callable
        path -> whether a file has imaging and no recording.
    read_traces, read_experiments, read_masks : callable
        path and the options of `read`, `read_experiments`, `read_masks`.
    describe : callable
        path -> lines that tell what is in it.
    """

    only: Callable[[Path], bool]
    read_traces: Callable[..., Traces]
    read_experiments: Callable[..., list[ImagingExperiment]]
    read_masks: Callable[..., RoiMasks]
    describe: Callable[[Path], list[str]]
