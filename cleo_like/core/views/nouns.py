"""What the views ask of the nouns, which know the views (and so may not be known by them)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np


class ModeLike(Protocol):
    """A clamp mode: the units of command and response."""

    @property
    def command_unit(self) -> str:
        """SI unit of the command."""

    @property
    def response_unit(self) -> str:
        """SI unit of the response."""


class SweepLike(Protocol):
    """A `cleo_like.Sweep`."""

    @property
    def mode(self) -> ModeLike:
        """Clamp mode."""

    @property
    def response(self) -> np.ndarray:
        """Samples (SI)."""

    @property
    def command(self) -> np.ndarray | None:
        """Samples (SI)."""

    @property
    def rate(self) -> float:
        """Samples per second (Hz)."""

    @property
    def number(self) -> int:
        """As the file counts."""

    @property
    def start_time(self) -> float:
        """From the start of the recording (s)."""

    @property
    def stimulus(self) -> str | None:
        """Its name."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Of the amplifier (SI)."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader found."""

    @property
    def n_samples(self) -> int:
        """Number of samples."""

    @property
    def duration(self) -> float:
        """Length (s)."""

    @property
    def time(self) -> np.ndarray:
        """Time of each sample (s)."""


class EpochLike(Protocol):
    """A `cleo_like.Epoch`."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def start(self) -> int:
        """First sample."""

    @property
    def stop(self) -> int:
        """Sample after the last."""


class ProtocolLike(Protocol):
    """A `cleo_like.Protocol`."""

    @property
    def mode(self) -> ModeLike:
        """Clamp mode."""

    @property
    def waveforms(self) -> np.ndarray:
        """Commands (SI)."""

    @property
    def rate(self) -> float:
        """Samples per second (Hz)."""

    @property
    def family(self) -> str:
        """Its family."""

    @property
    def name(self) -> str:
        """Short name."""

    @property
    def source(self) -> str:
        """Where it comes from."""

    @property
    def holding(self) -> float:
        """Command at rest (SI)."""

    @property
    def picture(self) -> np.ndarray | None:
        """Grey values of a picture."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was made with."""

    @property
    def epochs(self) -> Sequence[EpochLike]:
        """Stretches of every sweep."""

    @property
    def n_sweeps(self) -> int:
        """Number of sweeps."""

    @property
    def duration(self) -> float:
        """Length of a sweep (s)."""

    @property
    def time(self) -> np.ndarray:
        """Time of each sample (s)."""

    @property
    def is_steps(self) -> bool:
        """Whether it consists of constant levels."""


class TruthLike(Protocol):
    """A `cleo_like.GroundTruth`."""

    @property
    def spike_times(self) -> tuple[np.ndarray, ...]:
        """Of each sweep (s)."""


class StackedLike(Protocol):
    """Sweeps of equal length."""

    @property
    def response(self) -> np.ndarray:
        """(n_sweeps, n_samples), SI."""

    @property
    def command(self) -> np.ndarray | None:
        """The same."""

    @property
    def rate(self) -> float:
        """Samples per second (Hz)."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the sweeps."""


class CellLike(Protocol):
    """A `cleo_like.Cell`."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def species(self) -> str | None:
        """Its species."""

    @property
    def region(self) -> str | None:
        """Its region."""

    @property
    def donor(self) -> str | None:
        """Its donor."""


class ProvenanceLike(Protocol):
    """A `cleo_like.Provenance`."""

    @property
    def source(self) -> str:
        """Where the data come from."""


class RecordingLike(Protocol):
    """A `cleo_like.Recording`."""

    @property
    def cell(self) -> CellLike:
        """The cell."""

    @property
    def provenance(self) -> ProvenanceLike:
        """Its origin."""

    @property
    def truth(self) -> TruthLike | None:
        """What a simulator knows."""

    @property
    def findings(self) -> tuple[str, ...]:
        """What a reader noticed."""

    @property
    def sweeps(self) -> Sequence[SweepLike]:
        """All sweeps."""

    @property
    def protocol(self) -> ProtocolLike | None:
        """What was commanded."""

    @property
    def protocols(self) -> Sequence[ProtocolLike]:
        """What was commanded, where several were played."""

    @property
    def n_sweeps(self) -> int:
        """Number of sweeps."""

    def stacked(self) -> StackedLike:
        """Give the sweeps as arrays."""

    def by_protocol(self) -> Mapping[str, Any]:
        """Give a recording of each protocol."""


class ImagingTruthLike(Protocol):
    """A `cleo_like.ImagingTruth`."""

    @property
    def spike_times(self) -> tuple[np.ndarray, ...] | None:
        """Of each ROI (s)."""


class TracesLike(Protocol):
    """A `cleo_like.Traces`."""

    @property
    def fluorescence(self) -> np.ndarray:
        """(n_rois, n_frames)."""

    @property
    def times(self) -> np.ndarray:
        """Of the frames (s)."""

    @property
    def rois(self) -> Mapping[str, np.ndarray]:
        """Table of the ROIs."""

    @property
    def quantity(self) -> str:
        """What the values are."""

    @property
    def truth(self) -> ImagingTruthLike | None:
        """What a simulator knows."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader found."""

    @property
    def n_rois(self) -> int:
        """Number of ROIs."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""
