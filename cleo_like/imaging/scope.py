"""The two-photon microscope: which cells, which sensor, what noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.base.device import NeoExportable, Recorder
from cleo_like.base.history import History
from cleo_like.base.quantities import (
    quantity,
    quantity_field,
    set_times_of,
    times_of,
)
from cleo_like.core.errors import InputError
from cleo_like.core.units import si
from cleo_like.imaging.checks import check_sensor, length, place, whole
from cleo_like.imaging.export import neo_of, traces_of
from cleo_like.imaging.figure import ShowsScope, draw_scope, settings_text
from cleo_like.imaging.frame_log import FrameLog, computed_frames, log_of
from cleo_like.imaging.injection import in_plane, without_plane
from cleo_like.imaging.optics import Detector, Optics
from cleo_like.imaging.plane import target_neurons_in_plane
from cleo_like.imaging.planes import Planes
from cleo_like.imaging.sensors.sensor import Sensor
from cleo_like.utilities import normalize_coords

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import NeuronGroup
    from matplotlib.axes import Axes

    from cleo_like.core.ophys.traces import Traces
    from cleo_like.core.units import Quantity
    from cleo_like.imaging.frame_log import Frames

_KEYWORDS = (
    "rho_rel_generator", "focus_depth", "soma_radius", "i_targets", "sigma_noise", "base_sigma",
)  # fmt: skip


def _is_sensor(instance: object, attribute: object, value: Any) -> None:
    del instance, attribute
    if not isinstance(value, Sensor):
        msg = f"a scope needs a sensor first, such as gcamp6f(), got {value!r}"
        raise InputError(msg)


@attrs.define(eq=False, slots=False, repr=False)
class Scope(ShowsScope, Planes, Recorder, NeoExportable):
    """A two-photon microscope.

    Injected into neuron groups with coordinates, it picks the cells that its focal plane
    cuts; injected again (with another ``focus_depth``, say) it adds a plane. Its sensor is
    put into the cells at the first run, or when `inject_sensor_for_targets` is called.

    Injection keywords:

    * ``focus_depth``: depth of this plane (default: the scope's; None: no plane);
    * ``soma_radius``: radius of the cells (default: the scope's);
    * ``rho_rel_generator``: function of n that gives n relative expression levels;
    * ``i_targets``, ``sigma_noise``: cells and their noise, for a scope without plane;
    * ``base_sigma``: noise of a cell in focus (default: the sensor's).

    Parameters
    ----------
    sensor : Sensor
        What fluoresces.
    img_width : quantity
        Diameter of the (circular) image.
    focus_depth : quantity, optional
        Distance of the focal plane; None images cells without asking where they are.
    location : quantity, shape (3,), optional
        Place of the objective (default: the origin).
    direction : array, shape (3,)
        Where it looks (default: down, +z).
    soma_radius : quantity
        Radius of the cells (default 10 um); smaller ones have fewer pixels.
    snr_cutoff : float
        Cells whose signal-to-noise ratio for one action potential is not above it are
        left out (only with a plane).
    rand_seed : int, optional
        Seed of the noise and of expression levels.
    optics : Optics, optional
        Photons instead of a constant Gaussian, a focus with a thickness instead of a sharp
        plane, and frames with an exposure instead of instants. None is Cleo's microscope.
    name : str
        Name of the device (default: name of the class).
    save_history : bool
        Whether the device keeps its history.

    Examples
    --------
    >>> import brian2 as b2
    >>> from cleo_like.base import CLSimulator
    >>> from cleo_like.coords import assign_xyz
    >>> from cleo_like.imaging import gcamp6f
    >>> from cleo_like.ioproc import RecordOnlyProcessor
    >>> b2.prefs.codegen.target = "numpy"
    >>> cells = b2.NeuronGroup(3, "v : 1", threshold="i == 1 and t < 0.1*ms", reset="")
    >>> assign_xyz(cells, 0, 0, [100, 104, 300], unit=b2.um)
    >>> sim = CLSimulator(b2.Network(cells))
    >>> scope = Scope(gcamp6f(sigma_noise=1e-9), 500*b2.um, 100*b2.um)
    >>> _ = sim.inject(scope, cells)
    >>> scope.n
    2
    >>> sim.set_io_processor(RecordOnlyProcessor(25 * b2.ms))
    >>> sim.run(100 * b2.ms)
    >>> abs(scope.dFF[:, 1]).round(3).tolist()
    [0.0, 0.073, 0.102, 0.105]
    """

    sensor: Sensor = attrs.field(kw_only=False, validator=_is_sensor)
    """What fluoresces."""
    img_width: Any = attrs.field(kw_only=False, converter=length("img_width"))
    """Diameter of the image."""
    focus_depth: Any = attrs.field(
        default=None, kw_only=False, converter=quantity_field("m", "focus_depth")
    )
    """Depth of the focal plane, or None."""
    location: Any = attrs.field(factory=lambda: ("0 um",) * 3, kw_only=False, converter=place)
    """Place of the objective."""
    direction: np.ndarray = attrs.field(
        default=(0, 0, 1), kw_only=False, converter=normalize_coords
    )
    """Unit vector in which the scope looks."""
    soma_radius: Any = attrs.field(
        default="10 um", kw_only=False, converter=length("soma_radius")
    )
    """Radius of the cells."""
    snr_cutoff: float = attrs.field(default=1, kw_only=False)
    """Cells not above it are left out."""
    rand_seed: int | None = attrs.field(
        default=None, kw_only=False, converter=attrs.converters.optional(whole)
    )
    """Seed of the scope's own random numbers."""
    optics: Optics | None = attrs.field(
        default=None,
        kw_only=True,
        validator=attrs.validators.optional(attrs.validators.instance_of(Optics)),
    )
    """Photons and point spread, or None for Cleo's microscope."""
    history: History = attrs.field(init=False, factory=History, repr=False)
    _clean: History = attrs.field(init=False, factory=History, repr=False)
    _calcium: History = attrs.field(init=False, factory=History, repr=False)
    _expressed: int = attrs.field(init=False, default=0, repr=False)
    _detector: Detector | None = attrs.field(init=False, default=None, repr=False)
    _frame_noise: Any = attrs.field(init=False, default=None, repr=False)

    # -- cells ---------------------------------------------------------------------------
    def target_neurons_in_plane(
        self,
        ng: NeuronGroup,
        focus_depth: Quantity | None = None,
        soma_radius: Quantity | None = None,
    ) -> tuple[np.ndarray, np.ndarray, Any]:
        """Find the neurons that the focal plane cuts, as the function of that name does.

        Parameters
        ----------
        ng : brian2.NeuronGroup
            Neurons with coordinates.
        focus_depth, soma_radius : quantity, optional
            Instead of the scope's.

        Returns
        -------
        tuple
            Indices, factors on the noise, and places on the plane.
        """
        depth = self.focus_depth if focus_depth is None else focus_depth
        if depth is None:
            msg = f"{self.name!r} has no focal plane; give focus_depth"
            raise InputError(msg)
        return target_neurons_in_plane(
            ng,
            depth,
            self.img_width,
            self.location,
            self.direction,
            self.soma_radius if soma_radius is None else soma_radius,
            self.sensor.location,
        )

    def connect_to_neuron_group(self, neuron_group: NeuronGroup, **kwparams: Any) -> None:
        """Add a plane (or all cells) of a group; see the class for the keywords."""
        unknown = sorted(set(kwparams) - set(_KEYWORDS))
        if unknown:
            msg = f"a scope knows the keywords {', '.join(_KEYWORDS)}; got {unknown}"
            raise InputError(msg)
        if self._expressed and neuron_group.name in self.sensor.source_ngs:
            msg = (
                f"{self.sensor.name!r} is already in the cells of {neuron_group.name}; inject "
                f"all planes before inject_sensor_for_targets() or the first run"
            )
            raise InputError(msg)
        check_sensor(self, neuron_group)
        depth = kwparams.get("focus_depth", self.focus_depth)  # None says: without a plane
        depth = None if depth is None else quantity(depth, "m", "focus_depth")
        given = [k for k in ("i_targets", "sigma_noise") if kwparams.get(k) is not None]
        if depth is None:
            injection = without_plane(self, neuron_group, kwparams)
        elif given:
            msg = (
                f"{' and '.join(given)} cannot be given with a focal plane, which finds them; "
                f"inject with focus_depth=None to name cells"
            )
            raise InputError(msg)
        else:
            injection = in_plane(self, neuron_group, depth, kwparams)
        self.injections.append(injection)
        self._rois = None

    @property
    def is_prepared(self) -> bool:
        """Whether the sensor is in the cells of all planes."""
        return self._expressed == len(self.injections)

    def prepare(self) -> None:
        """Put the sensor into the cells of all planes that do not have it yet."""
        if not self.is_prepared:
            self.inject_sensor_for_targets()

    def inject_sensor_for_targets(self, **kwparams: Any) -> None:
        """Put the sensor into the cells; it happens by itself at the first run.

        Parameters
        ----------
        **kwparams
            Injection keywords of the sensor.
        """
        if self.sim is None:
            msg = f"inject {self.name!r} into a simulator before its sensor"
            raise InputError(msg)
        new = self.injections[self._expressed :]
        for group in {id(i.neuron_group): i.neuron_group for i in new}.values():
            mine = [i for i in new if i.neuron_group is group]
            self.sim.inject(
                self.sensor,
                group,
                i_targets=np.concatenate([i.i_targets for i in mine]),
                rho_rel=np.concatenate([i.rho_rel for i in mine]),
                **kwparams,
            )
        self._expressed = len(self.injections)
        for block in self.sensor.blocks.values():
            block.exposure = self.exposure
        if self.optics is not None:
            rois = self.rois
            self._detector = Detector(self.optics, rois.photons, rois.pixels)
        elif new:
            self._frame_noise = self.sensor.frame_noise(self.rois)

    # -- frames --------------------------------------------------------------------------
    @property
    def exposure(self) -> float:
        """Time (s) before the time of a frame over which it is a mean; 0 is an instant."""
        return 0.0 if self.optics is None else self.optics.exposure_time

    def get_state(self) -> np.ndarray:
        """Take a frame now.

        Returns
        -------
        array, shape (n,)
            dF/F of all cells with noise, in the order of injection.
        """
        self.prepare()
        now = self.now
        clean, calcium = self._read(now)
        seen = self.with_noise(clean, now)
        if self.save_history:
            self.history.append(now, seen)
            self._clean.append(now, clean)
            self._calcium.append(now, calcium)
        return seen

    def _read(self, now: float) -> tuple[np.ndarray, np.ndarray]:
        """Read all blocks of the sensor and put the cells in the order of injection."""
        blocks, exposure = self.sensor.blocks, self.exposure
        frames = [blocks[group.name].read(now, exposure) for group in self.rois.groups]
        if len(frames) == 1:
            return frames[0]
        dff, calcium = ([frame[k] for frame in frames] for k in (0, 1))
        return self.rois.in_order(dff), self.rois.in_order(calcium)

    def with_noise(self, clean: np.ndarray, time: float) -> np.ndarray:
        """Add the noise of one frame to dF/F."""
        if self._frame_noise is not None:
            return clean + np.asarray(
                self._frame_noise.next(time, self.rois.sigma_noise, self.rng)
            )
        if self._detector is None:
            noise = self.rng.standard_normal(len(clean))
            noise *= self.rois.sigma_noise
            return clean + noise
        rest = self.sensor.resting_brightness * self.rois.rho_rel
        safe = np.where(rest > 0, rest, 1.0)
        return np.asarray(self._detector.observe(clean / safe, time, self.rng) * rest)

    @property
    def dFF(self) -> np.ndarray:  # noqa: N802 - Cleo's name
        """Frames so far, shape (n_frames, n); may be assigned."""
        values = self.history.values
        return values if len(values) else np.zeros((0, self.n))

    @dFF.setter
    def dFF(self, frames: Quantity) -> None:  # noqa: N802
        self.history.set_values(frames)

    @property
    def t(self) -> Any:
        """Times of the frames (quantity); may be assigned."""
        return times_of(self.history)

    @t.setter
    def t(self, times: Quantity) -> None:
        set_times_of(self.history, times)

    @property
    def t_ms(self) -> np.ndarray:
        """Times of the frames in ms."""
        return self.history.times * 1e3

    def store_state(self) -> dict[str, Any]:
        """Give the frames, and the neuropil and the slow noise that they ended with."""
        detector = None if self._detector is None else self._detector.state()
        noise = None if self._frame_noise is None else self._frame_noise.state()
        return super().store_state() | {"detector": detector, "frame_noise": noise}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `store_state` gave."""
        super().restore_state(state)
        if self._detector is not None and state["detector"] is not None:
            self._detector.set_state(state["detector"])
        if self._frame_noise is not None and state["frame_noise"] is not None:
            self._frame_noise.set_state(state["frame_noise"])

    def reset(self, **kwargs: object) -> None:
        """Forget all frames."""
        del kwargs
        for history in (self.history, self._clean, self._calcium):
            history.clear()
        for noise in (self._detector, self._frame_noise):
            if noise is not None:
                noise.reset()

    # -- data ----------------------------------------------------------------------------
    def traces(self, rate: Quantity | None = None) -> Traces:
        """Give the recording as `Traces`, with the truth.

        Parameters
        ----------
        rate : quantity, optional
            None: the frames that were taken in the run. Else frames at this rate over the
            whole run, computed now from the spikes: for runs without a controller, also
            standalone ones (event-driven sensors only).
        """
        return traces_of(self.frame_log(rate))

    def frame_log(self, rate: Quantity | None = None) -> FrameLog:
        """Give the frames with all that is known of them; `rate` as for `traces`."""
        if rate is None:
            self.history.check(self.name)
            known = len(self._clean) == len(self.history)
            clean, calcium = (
                self._frames(h) if known else None for h in (self._clean, self._calcium)
            )
            frames: Frames = self.history.times, self._frames(self.history), clean, calcium
        else:
            self.prepare()
            frames = computed_frames(self, si(rate, "Hz", "rate"))
        table = self._roi_table_with_factors()
        return log_of(self, frames, rois=table, settings=settings_text(self))

    def _frames(self, history: History) -> np.ndarray:
        """Give what a history holds, shape (n_frames, n)."""
        return (
            np.asarray(history.values, dtype=float) if len(history) else np.zeros((0, self.n))
        )

    def _roi_table_with_factors(self) -> dict[str, np.ndarray]:
        """Give the table of ROIs with the noise that each cell really has."""
        table = self.roi_table()
        if self._frame_noise is not None:
            table["sigma_noise"] = table["sigma_noise"] * self._frame_noise.factors
        return table

    def to_neo(self) -> Any:
        """Give the frames as a Neo signal with the places of the cells, under Cleo's names."""
        return neo_of(self.frame_log())

    def add_self_to_plot(self, ax: Axes, axis_scale_unit: Quantity, **kwargs: Any) -> list[Any]:
        """Draw planes, cells in focus and the light path; used by `cleo_like.viz.plot`.

        The keyword ``color`` is that of all of it.
        """
        return draw_scope(self, ax, axis_scale_unit, **kwargs)
