"""What a session is to be: task, pictures, planes, animal, seed; and its identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import as_tuple, whole_number
from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.provenance import hash_of, to_json
from cleo_like.sessions.plane.optical_plane import OpticalPlane
from cleo_like.sessions.visual.images import ImageSet
from cleo_like.sessions.visual.task import ImageChangeTask

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_CELLS = 5000


@attrs.frozen(kw_only=True)
class Animal:
    """Whom the session stands for. Unknown is None.

    Parameters
    ----------
    mouse_id : str
        Identifier.
    sex : str, optional
        M, F, U or O.
    age_in_days : float, optional
        Age.
    full_genotype, reporter_line, driver_line : str, optional
        As the AllenSDK has them.
    date_of_acquisition : str
        ISO 8601 time with its zone. A simulation has none: it is made up, and always the
        same, so that one seed gives one file.
    """

    mouse_id: str = "in-silico"
    sex: str | None = "U"
    age_in_days: float | None = None
    full_genotype: str | None = None
    reporter_line: str | None = None
    driver_line: str | None = None
    date_of_acquisition: str = "2026-01-01T09:00:00+00:00"


@attrs.frozen(kw_only=True)
class SessionPlan:
    """Everything that a session follows from; the same plan gives the same session.

    Parameters
    ----------
    seed : int
        Of everything that is drawn, but the pictures.
    task : ImageChangeTask
        What is shown when.
    images : ImageSet
        The pictures.
    planes : sequence of OpticalPlane
        Imaged together; each becomes an experiment.
    animal : Animal
        Whom it stands for.
    session_type : str, optional
        Default: "OPHYS_1_images_A_passive", with the name of the set of pictures.
    equipment_name : str
        Of the microscope.

    Raises
    ------
    InputError
        No plane, or more cells than there are identifiers for.

    Examples
    --------
    >>> SessionPlan.preset("short")
    SessionPlan: 1 plane, 30 cells, 8 pictures, 140 s, seed 0
    """

    seed: int = attrs.field(default=0, converter=whole_number("seed", 0))
    task: ImageChangeTask = attrs.field(factory=ImageChangeTask)
    images: ImageSet = attrs.field(factory=ImageSet.natural_like)
    planes: tuple[OpticalPlane, ...] = attrs.field(
        factory=lambda: (OpticalPlane(),), converter=as_tuple
    )
    animal: Animal = attrs.field(factory=Animal)
    session_type: str | None = None
    equipment_name: str = "in-silico microscope"

    def __attrs_post_init__(self) -> None:
        """Check the parts."""
        for name, kind in (("task", ImageChangeTask), ("images", ImageSet), ("animal", Animal)):
            if not isinstance(getattr(self, name), kind):
                msg = f"{name} must be of {kind.__name__}(...), got {getattr(self, name)!r:.80}"
                raise InputError(msg)
        if not self.planes or not all(isinstance(p, OpticalPlane) for p in self.planes):
            raise InputError(f"planes must be one OpticalPlane or more, got {self.planes!r}")
        if self.n_cells > _MOST_CELLS:
            msg = f"a session has identifiers for {_MOST_CELLS} cells, got {self.n_cells}"
            raise InputError(msg)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> SessionPlan:
        """Give a plan by name.

        Parameters
        ----------
        name : str
            One of `preset_names`.
        **changes
            Fields that replace those of the preset.

        Returns
        -------
        SessionPlan

        Raises
        ------
        UnknownNameError
            No preset of that name.
        """
        if name not in PRESETS:
            raise unknown_name("session preset", name, PRESETS)
        return attrs.evolve(PRESETS[name](), **changes)

    @property
    def n_cells(self) -> int:
        """Cells of all planes."""
        return sum(plane.n_cells for plane in self.planes)

    def __repr__(self) -> str:
        """One line."""
        task = self.task
        planes = f"{len(self.planes)} plane{'s' if len(self.planes) > 1 else ''}"
        return (
            f"SessionPlan: {planes}, {self.n_cells} cells, {len(self.images)} pictures, "
            f"{task.grey_before + task.duration + task.grey_after:g} s, seed {self.seed}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the plan in plain types, for provenance; pictures by their hash."""
        plain: dict[str, Any] = attrs.asdict(self, recurse=True, value_serializer=_plain)
        plain["images"] = {
            "name": self.images.name, "names": list(self.images.names),
            "source": self.images.source, "hash": hash_of(np.asarray(self.images.pictures)),
            "screen": attrs.asdict(self.images.screen),
        }  # fmt: skip
        for made, plane in zip(plain["planes"], self.planes, strict=True):
            made["indicator"] = plane.model.name
            for name in ("cells", "receptive_fields"):
                made[name] = _told(getattr(plane, name))
        return plain

    @property
    def number(self) -> int:
        """A number that plans share by chance only, 0 to 99,999: identifiers follow from it."""
        digest = hash_of(to_json(self.to_dict()).encode()).removeprefix("sha256:")
        return int(digest[:12], 16) % 100_000

    @property
    def ophys_session_id(self) -> int:
        """Identifier of the session."""
        return 800_000_000 + 100 * self.number

    @property
    def behavior_session_id(self) -> int:
        """Identifier of what the animal did."""
        return self.ophys_session_id + 50

    @property
    def ophys_experiment_ids(self) -> tuple[int, ...]:
        """Identifiers of the planes."""
        return tuple(self.ophys_session_id + 1 + k for k in range(len(self.planes)))

    @property
    def kind(self) -> str:
        """What the tables call session_type."""
        if self.session_type is not None:
            return self.session_type
        return f"OPHYS_1_images_{self.images.name}{'_passive' if self.task.passive else ''}"


def _plain(_: Any, __: Any, value: Any) -> Any:
    return value if isinstance(value, (str, int, float, tuple, list, dict)) else _told(value)


def _told(value: Any) -> Any:
    """Describe a part: its settings, or a function's name."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if attrs.has(type(value)):
        kept = {f.name: _told(getattr(value, f.name)) for f in attrs.fields(type(value))}
        return {"kind": type(value).__name__, **kept}
    return getattr(value, "__qualname__", type(value).__name__)


def _short() -> SessionPlan:
    task = ImageChangeTask(duration="120 s", grey_before="10 s", grey_after="10 s")
    plane = OpticalPlane(n_cells=30, indicator="jgcamp8m", rate="15 Hz", shape=(256, 256))
    return SessionPlan(task=task, planes=(plane,))


def _half_hour() -> SessionPlan:
    task = ImageChangeTask(duration="20 min")
    return SessionPlan(task=task, planes=(OpticalPlane(n_cells=100),))


def _single() -> SessionPlan:
    plane = OpticalPlane(n_cells=100, rate="31 Hz", cre_line="Slc17a7-IRES2-Cre")
    return SessionPlan(planes=(plane,))


def _mesoscope() -> SessionPlan:
    planes = [
        OpticalPlane(n_cells=40, depth=depth, structure=area)
        for area in ("VISp", "VISl")
        for depth in ("75 um", "175 um", "275 um", "375 um")
    ]
    return SessionPlan(planes=planes)


PRESETS: dict[str, Callable[[], SessionPlan]] = {
    "short": _short,
    "half_hour": _half_hour,
    "single_plane": _single,
    "mesoscope": _mesoscope,
}
"""Plans by name: 2 minutes; 30 minutes, 100 cells; 70 minutes, 100 cells; eight planes."""


def preset_names() -> tuple[str, ...]:
    """Give the names of all presets.

    Returns
    -------
    tuple of str
        What `SessionPlan.preset` takes.

    Examples
    --------
    >>> preset_names()
    ('short', 'half_hour', 'single_plane', 'mesoscope')
    """
    return tuple(PRESETS)
