"""The parts of a microscope and its tissue together, and the movie that they make."""

from __future__ import annotations

from typing import Any

import attrs

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.imaging.movie.detector import Photomultiplier
from cleo_like.imaging.movie.field.scene import Scene
from cleo_like.imaging.movie.motion import TissueMotion
from cleo_like.imaging.movie.parts import Bleaching, Illumination, Neuropil, Scan
from cleo_like.imaging.optics import Optics


def _kind(part: type) -> Any:
    def check(_: object, field: attrs.Attribute, value: Any) -> None:
        if not isinstance(value, part):
            msg = f"{field.name} must be {part.__name__}(...), got {value!r}"
            raise InputError(msg)

    return check


def _maybe(part: type) -> Any:
    return attrs.validators.optional(_kind(part))


@attrs.frozen(kw_only=True)
class MovieModel:
    """All parts of a simulated movie; what is None is left out.

    Parameters
    ----------
    optics : Optics
        Frame rate, pixel size, brightness, resolution and read noise. Its neuropil must be
        0: a movie has neuropil of its own.
    scan : Scan
        Rows, columns, planes, timing.
    scene : Scene
        Cells and processes.
    neuropil : Neuropil, optional
        Light between the cells.
    illumination : Illumination, optional
        Vignetting, vessels, laser.
    motion : TissueMotion, optional
        Motion of the tissue.
    bleaching : Bleaching
        Loss of light; none by default.
    detector : Photomultiplier, optional
        Without one, frames are the expected photons (float32, no noise).
    """

    optics: Optics = attrs.field(factory=Optics, validator=_kind(Optics))
    scan: Scan = attrs.field(factory=Scan, validator=_kind(Scan))
    scene: Scene = attrs.field(factory=Scene, validator=_kind(Scene))
    neuropil: Neuropil | None = attrs.field(factory=Neuropil, validator=_maybe(Neuropil))
    illumination: Illumination | None = attrs.field(
        factory=Illumination, validator=_maybe(Illumination)
    )
    motion: TissueMotion | None = attrs.field(
        factory=TissueMotion, validator=_maybe(TissueMotion)
    )
    bleaching: Bleaching = attrs.field(factory=Bleaching, validator=_kind(Bleaching))
    detector: Photomultiplier | None = attrs.field(
        factory=Photomultiplier, validator=_maybe(Photomultiplier)
    )

    def __attrs_post_init__(self) -> None:
        """Check parts against one another."""
        self.scan.line_time(self.optics.frame_rate)
        if self.optics.neuropil > 0:
            msg = (
                "Optics(neuropil=...) is what is left in traces after its subtraction; a movie "
                "has the light itself: neuropil=Neuropil(level=...)"
            )
            raise InputError(msg)


def _small_field() -> MovieModel:
    return MovieModel(
        optics=Optics(pixel_size="1.4 um", brightness="45 MHz", dwell_time="100 ns"),
        scan=Scan(rows=128, columns=128),
        scene=Scene(
            expression=0.5, depth="20 um", nuclear_level=0.6, dendrites=0.4, blobs=0.6,
        ),
        neuropil=Neuropil(
            level=0.75, texture=0.12, texture_size="3 um", patches=0.2, patches_size="50 um",
            activity=0.04, unseen=0.03, shared=0.01,
        ),
        illumination=Illumination(vignetting=0.2, flicker=0.005, haemodynamics=0.008),
        motion=TissueMotion(slow_axis="1.6 um", fast_axis="0.5 um"),
        bleaching=Bleaching(
            soma_shares=0.03, soma_times="40 s", neuropil_shares=0.03, neuropil_times="60 s"
        ),
        detector=Photomultiplier(
            gain=2000, height_cv=0.5, resampling=(0.097, -0.021), dtype="uint16"
        ),
    )  # fmt: skip


def _raw_resonant() -> MovieModel:
    return MovieModel(
        scan=Scan(rows=512, columns=512, line_phase=1.5),
        detector=Photomultiplier(
            gain=300, offset=100, row_correlation=0.19, top=4095, dtype="uint16"
        ),
    )


def _resonant_512() -> MovieModel:
    return MovieModel(
        optics=Optics(brightness="25 MHz"),
        motion=TissueMotion(nonrigid="0.3 um", axial="1 um"),
    )


_PRESETS = {
    "resonant_512": _resonant_512,
    "small_field": _small_field,
    "raw_resonant": _raw_resonant,
}


def movie_preset_names() -> tuple[str, ...]:
    """Give the names of the movies with ready parts.

    Returns
    -------
    tuple of str
        What `movie_preset` takes.

    Examples
    --------
    >>> movie_preset_names()
    ('resonant_512', 'small_field', 'raw_resonant')
    """
    return tuple(_PRESETS)


def movie_preset(name: str, **parts: Any) -> MovieModel:
    """Give the parts of a movie by name.

    Parameters
    ----------
    name : str
        "resonant_512" (512 x 512 at 30 Hz, about 6 photons per pixel, motion in blocks and
        in depth), "small_field" (128 x 128, the statistics of a public movie of a mouse) or
        "raw_resonant" (12 bits, amplifier bandwidth and line phase not corrected).
    **parts
        Parts to be otherwise: fields of `MovieModel`.

    Returns
    -------
    MovieModel
        All parts.

    Raises
    ------
    UnknownNameError
        No such preset, or no such part.

    Examples
    --------
    >>> movie_preset("small_field", motion=None).scan.rows
    128
    """
    if name not in _PRESETS:
        raise unknown_name("movie", str(name), _PRESETS)
    return changed(_PRESETS[name](), parts)


def changed(model: MovieModel, parts: dict[str, Any]) -> MovieModel:
    """Give a model with other parts."""
    known = [field.name for field in attrs.fields(MovieModel)]
    for name in parts:
        if name not in known:
            raise unknown_name("part of a movie", name, known)
    return attrs.evolve(model, **parts)
