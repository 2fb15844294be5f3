"""A pipette as a device: put on neurons of a group that is in a closed loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from cleo_like.base import Recorder, Stimulator
from cleo_like.core.errors import InputError, PlaceError
from cleo_like.core.units import si_array
from cleo_like.patch.pipette.circuit import COMMAND, OUTPUT
from cleo_like.patch.pipette.loop.group_circuit import GroupCircuit
from cleo_like.patch.pipette.noise import Load, RunningNoise, sampled_spectrum
from cleo_like.patch.pipette.readout import Readout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brian2 import NeuronGroup

    from cleo_like.core import Recording
    from cleo_like.patch.pipette.pipette import PatchPipette


_NO_LEAK = 1e13
"""Resistance (ohm) of a membrane whose leak is not known: next to none."""


@attrs.define(eq=False, slots=False, repr=False)
class InjectedPipette(Recorder, Stimulator):
    """A `PatchPipette` on neurons of a group: recorder and stimulator at once.

    The group is integrated by `exponential_rk4` from then on, with the pipette's circuit in the
    cells that have one; the group's own current stays as it is and adds to the pipette's.
    Several of them may be on one group, in different cells, if they are of one kind.

    Parameters
    ----------
    pipette : PatchPipette
        The rig.
    seed : int, optional
        Of its noise (default: a seed of the device's own, as `set_seed` tells).
    name : str
        Name of the device.
    save_history : bool
        Whether the commands are kept (`values`, `t`).

    Notes
    -----
    `update(command)` sets the command (A or V, the holding of the amplifier besides), one for
    all or one per target, in the order of the targets; before the first it is 0. It is rounded
    to the codes of the digitiser, and refused beyond its range. `get_state()` gives the newest
    sample, with noise, mains and codes, as `record` makes them. What `record` does not have in
    common: the digitiser's drift, which needs a sweep with an end, is left out, and the noise
    of a voltage clamp takes the cell for a capacitance without a leak.
    """

    compiled: ClassVar[bool] = True
    """Its simulator tries the compiled loop, also without a controller."""

    pipette: PatchPipette
    seed: int | None = attrs.field(default=None, kw_only=True)
    targets: np.ndarray = attrs.field(init=False, factory=lambda: np.zeros(0, dtype=int))
    """Neurons that have the pipette."""
    _circuit: Any = attrs.field(init=False, default=None, repr=False)
    _monitor: Any = attrs.field(init=False, default=None, repr=False)
    _noise: Any = attrs.field(init=False, default=None, repr=False)
    _ready: bool = attrs.field(init=False, default=False, repr=False)

    def connect_to_neuron_group(self, neuron_group: NeuronGroup, **kwparams: Any) -> None:
        """Put the pipette on neurons of a group.

        Parameters
        ----------
        neuron_group : brian2.NeuronGroup
            Its equations must read a current.
        **kwparams
            i_targets (list of int; default all), voltage ("v"), current ("I").
        """
        from brian2 import NeuronGroup, StateMonitor

        given = {"i_targets": None, "voltage": "v", "current": "I"} | kwparams
        if set(given) != {"i_targets", "voltage", "current"}:
            msg = f"{self.name!r} takes i_targets, voltage and current with inject()"
            raise InputError(msg)
        if self._circuit is not None:
            msg = f"{self.name!r} is on a group already; make another device of the pipette"
            raise InputError(msg)
        if not isinstance(neuron_group, NeuronGroup):
            msg = "a pipette goes on a whole NeuronGroup; name the cells by i_targets"
            raise InputError(msg)
        index = _indices(given["i_targets"], len(neuron_group))
        names = given["voltage"], given["current"]
        circuit = self._circuit_of(neuron_group, names)
        digitiser = self.pipette.digitiser
        if digitiser is not None:
            mode = self.pipette.mode
            units = (mode.command_unit, mode.response_unit)
            digitiser.check(1 / float(neuron_group.clock.dt_), units)
        circuit.join(self.name, self.pipette, index)
        self.targets, self._circuit = index, circuit
        self._monitor = StateMonitor(
            neuron_group, [OUTPUT, COMMAND, names[0]], record=index, when="end",
            name=f"{self.name}_monitor*",
        )  # fmt: skip
        self.brian_objects.add(self._monitor)
        self._command(0.0)  # the amplifier's holding

    def _circuit_of(self, group: NeuronGroup, names: tuple[str, str]) -> GroupCircuit:
        """Give the circuit of the pipettes that are in the group, or a new one."""
        for device in self.sim.devices if self.sim is not None else ():
            circuit = getattr(device, "_circuit", None)
            if isinstance(circuit, GroupCircuit) and circuit.group is group:
                return circuit
        return GroupCircuit(group, names, self.pipette)

    @property
    def is_prepared(self) -> bool:
        """Whether the circuit has its values."""
        return self._ready

    def prepare(self) -> None:
        """Compute what a step needs from the group's parameters as they are now."""
        self._circuit.prepare()
        if not self._ready and self._readout.glass.johnson_noise:
            own = self.seed if self.seed is not None else self._seed.generate_state(1).item()
            seeds = [(int(own), k) for k in range(len(self.targets))]
            self._noise = RunningNoise(self._spectra, self._readout.rate, seeds)
        self._ready = True

    def _spectra(self, n: int) -> np.ndarray:
        readout = self._readout
        parts, access = (readout.glass, readout.amplifier), readout.glass.access_resistance
        slopes = self._circuit.slope[self.targets]
        kinds, which = np.unique(slopes, return_inverse=True)
        found = [
            sampled_spectrum(
                n, readout.rate, parts, access, Load(capacitance=1 / slope, resistance=_NO_LEAK)
            )
            for slope in kinds.tolist()
        ]
        return np.array(found)[which.reshape(-1)]

    @property
    def _readout(self) -> Readout:
        rate = 1 / float(self._circuit.group.clock.dt_)
        return Readout(self.pipette, rate, np.zeros(1))

    def update(self, ctrl_signal: Any) -> None:
        """Set the command of all pipettes, or of each.

        Parameters
        ----------
        ctrl_signal : quantity, float or array, shape (n_targets,)
            A or V; plain numbers are SI.

        Raises
        ------
        InputError
            Not finite, another number of commands than targets, or beyond the digitiser's
            range.
        """
        if self._circuit is None:
            msg = f"{self.name!r} is not injected yet: it has no cell to command"
            raise InputError(msg)
        self.value = self._command(ctrl_signal)
        if self.save_history:
            self.history.append(self.now, self.value)

    def _command(self, signal: Any) -> np.ndarray:
        unit = self.pipette.mode.command_unit
        plain = np.asarray(signal).dtype.kind in "fiu" and not hasattr(signal, "dim")
        value = np.asarray(signal, float) if plain else si_array(signal, unit, "command")
        n = len(self.targets)
        if value.shape not in {(), (1,), (n,)} or not np.isfinite(value).all():
            msg = (
                f"the command of {self.name!r} is one finite number, or one for each of its "
                f"{n} targets, in {unit}; got {signal}"
            )
            raise InputError(msg)
        digitiser = self.pipette.digitiser
        if digitiser is not None and digitiser.command is not None:
            value = digitiser.command.quantise(value)
        value = np.broadcast_to(value, (n,)).astype(float)
        self._circuit.set_command(self.targets, value + self._added)
        return value

    @property
    def _added(self) -> float:
        """What the amplifier adds to a command (A or V)."""
        added = float(self._readout.amplifier.holding)
        if self.pipette.mode.command_unit == "V":
            # the reported potential is the true one plus the error
            added -= self._readout.glass.error
        return added

    def get_state(self) -> np.ndarray:
        """Give the newest sample (V or A) of each target; NaN before the first run.

        At the first step there is none yet: it is what the amplifier settled at, without noise.
        """
        if not self._ready:
            return np.full(len(self.targets), np.nan)
        n = len(self._monitor.t)
        if n == 0:
            settled = np.asarray(getattr(self._circuit.group, f"{OUTPUT}_")[:])[self.targets]
            return self._coded(settled[:, np.newaxis], 0)[:, 0]
        return self._sampled(n - 1, n)[0]

    def _sampled(self, start: int, stop: int) -> np.ndarray:
        """Make recorded samples of what the amplifier put out, shape (n, n_targets)."""
        response = np.array(self._values(OUTPUT)[start:stop].T, dtype=float)
        if stop == start:
            return response.T
        rate = self._readout.rate
        first = round(float(self._monitor.t_[start]) * rate)
        if self._noise is not None:
            response += self._noise.between(first, first + stop - start)
        return self._coded(response, first + 1).T

    def _coded(self, response: np.ndarray, first: int) -> np.ndarray:
        """Add to samples from a step on what does not depend on the cell, and digitise them."""
        readout, digitiser = self._readout, self.pipette.digitiser
        if self.pipette.mode.response_unit == "V":
            response = response + readout.glass.error
        if digitiser is None:
            return response
        at = np.full(len(response), first / readout.rate)
        response = attrs.evolve(digitiser, drift=0).disturbed(response, readout.rate, at)
        return digitiser.digitised(response, readout.gain)[0]

    def _values(self, name: str) -> np.ndarray:
        if self._monitor is None:
            msg = f"{self.name!r} is not injected yet: it has recorded nothing"
            raise InputError(msg)
        return np.asarray(self._monitor.variables[name].get_value())

    @property
    def times(self) -> np.ndarray:
        """Times of the samples (s): ends of the steps."""
        return self._values("t") + float(self._circuit.group.clock.dt_)

    @property
    def outputs(self) -> np.ndarray:
        """What was recorded (V or A), shape (n_samples, n_targets)."""
        return self._sampled(0, len(self._values("t")))

    @property
    def commands(self) -> np.ndarray:
        """What was commanded (A or V), shape (n_samples, n_targets)."""
        return self._values(COMMAND) - self._added

    @property
    def truth(self) -> np.ndarray:
        """Potential of the membrane (V), shape (n_samples, n_targets)."""
        return self._values(self._circuit.names[0])

    def recording(self, target: int = 0) -> Recording:
        """Give all that one pipette recorded as one sweep; `truth` has the potential.

        Parameters
        ----------
        target : int
            Which of the targets.
        """
        from cleo_like.core import Cell, Provenance, Recording, Sweep

        readout, group = self._readout, self._circuit.group
        sweep = Sweep(
            mode=self.pipette.mode,
            response=self.outputs[:, target].astype(np.float32),
            command=self.commands[:, target], rate=readout.rate,
            start_time=float(self._values("t")[0]) if len(self._values("t")) else 0.0,
            settings=readout.settings(),
        )  # fmt: skip
        name = f"{group.name}-{self.targets[target]}"
        return Recording(
            sweeps=[sweep],
            cell=Cell(id=name, source=f"neuron {self.targets[target]} of {group.name}"),
            provenance=Provenance(
                source="simulation", parameters={"electrode": self.pipette.description()}
            ),
            device=readout.device(),
        )

    def __len__(self) -> int:
        """Count the samples that were recorded."""
        return 0 if self._monitor is None else len(self._values("t"))

    def __getitem__(self, which: Any) -> np.ndarray:
        """Give what was recorded (V or A) at a sample, or at some: a value for each target."""
        if isinstance(which, (int, np.integer)) and not -len(self) <= which < len(self):
            raise PlaceError(f"{self.name!r} has {len(self)} samples, got [{which}]")
        return self.outputs[which]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Go over the samples."""
        return iter(self.outputs)

    def neo_unit(self) -> str:
        """Give the SI unit of what is recorded."""
        return self.pipette.mode.response_unit

    def __repr__(self) -> str:
        """One line: the rig, its cells, how much was recorded."""
        n, cells = len(self), len(self.targets)
        return (
            f"{type(self).__name__} {self.name!r}: {self.pipette.name}, {self.pipette.mode}, "
            f"{cells} cell{'s' if cells != 1 else ''}, {n} sample{'s' if n != 1 else ''}"
        )

    def plot(self, ax: Any = None, *, target: int = 0) -> Any:  # type: ignore[override]
        """Draw what one pipette recorded, and its command below.

        Parameters
        ----------
        ax : axes or two axes, optional
            Where to draw; a new figure where not given.
        target : int
            Which of the targets.

        Returns
        -------
        array of Axes
        """
        return self.recording(target).plot(ax)

    def _kept(self) -> tuple[np.ndarray, np.ndarray]:
        """Give times (s) and what was recorded (V or A), shape (n_samples, n_targets)."""
        return self.times, self.outputs

    def _repr_html_(self) -> str:
        from cleo_like.core.views.devices import device_card

        return device_card(
            repr(self), {"rig": repr(self.pipette)}, self.plot if len(self) else None
        )

    def to_neo(self) -> Any:
        """Give what was recorded as a Neo signal, one channel per target."""
        from cleo_like.utilities.neo import signal_to_neo

        return signal_to_neo(
            self.times, self.outputs, self.pipette.mode.response_unit, name=self.name,
            description=f"{self.pipette.name}, {self.pipette.mode}",
        )  # fmt: skip

    def reset(self, **kwargs: Any) -> None:
        """Forget the commands, and settle anew at the next run."""
        del kwargs
        self.history.clear()
        self._ready = False
        if self._circuit is not None:
            self._circuit.forget()
            self.value = self._circuit.command(self.targets) - self._added


def _indices(given: Any, n: int) -> np.ndarray:
    """Give the numbers of the targets (default: all)."""
    index = np.arange(n) if given is None else np.asarray(given)
    if index.ndim != 1 or index.dtype.kind not in "iu" or not (
        len(index) and 0 <= index.min() <= index.max() < n
    ) or len(set(index.tolist())) < len(index):  # fmt: skip
        msg = f"i_targets must be different whole numbers from 0 to {n - 1}, got {index}"
        raise InputError(msg)
    return index
