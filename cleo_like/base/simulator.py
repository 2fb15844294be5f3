"""The simulator: a Brian2 network with devices in it and a controller around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleo_like.base.device import (
    InterfaceDevice,
    NeoExportable,
    Recorder,
    Stimulator,
    check_is_device,
)
from cleo_like.base.loop import Loop, loop_operation, on_kernels
from cleo_like.base.processor import IOProcessor
from cleo_like.base.quantities import quantity
from cleo_like.base.snapshot import Snapshot, keeper_of
from cleo_like.core.errors import CleoLikeError, InputError, UnsupportedError, unknown_name
from cleo_like.engine.brian2_internals import default_clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brian2 import Network

    from cleo_like.core.units import Quantity


def in_standalone() -> bool:
    """Whether Brian2 builds a program of its own instead of running in this process."""
    import brian2

    return not isinstance(brian2.get_device(), brian2.devices.RuntimeDevice)


class CLSimulator(NeoExportable):
    """A network, the devices injected into it, and a controller that closes the loop.

    Parameters
    ----------
    network : brian2.Network
        The network; it must hold the groups that devices are injected into.
    resettable : bool
        Whether `reset` is wanted. If so, the state at the start of the first run is kept
        (in a temporary file when it is large). False saves that.
    seed : int, optional
        Seed of Brian2's random numbers, set at the first run and at the first one after
        `reset`, so that a run repeats itself. Devices have numbers of their own.

    Examples
    --------
    >>> import brian2 as b2
    >>> from cleo_like.recorders import GroundTruthSpikeRecorder
    >>> from cleo_like.ioproc import RecordOnlyProcessor
    >>> b2.prefs.codegen.target = "numpy"
    >>> group = b2.NeuronGroup(2, "v = 2*int(i == 1) : 1", threshold="v > 1")
    >>> sim = CLSimulator(b2.Network(group))
    >>> spikes = GroundTruthSpikeRecorder()
    >>> _ = sim.inject(spikes, group)
    >>> sim.set_io_processor(RecordOnlyProcessor(sample_period=1 * b2.ms))
    >>> sim.run(5 * b2.ms)
    >>> sim.get_state()
    {'GroundTruthSpikeRecorder': array([ 0, 10])}
    """

    def __init__(
        self, network: Network, *, resettable: bool = True, seed: int | None = None
    ) -> None:
        from brian2 import Network

        if not isinstance(network, Network):
            msg = f"CLSimulator needs a brian2.Network, got {type(network).__name__}"
            raise InputError(msg)
        self.network = network
        self.resettable = resettable
        self.seed = seed
        self._seeded = False
        self.io_processor: IOProcessor | None = None
        self.recorders: dict[str, Recorder] = {}
        self.stimulators: dict[str, Stimulator] = {}
        self.devices: set[InterfaceDevice] = set()
        self._operation: Any = None
        self._keeper: Any = None
        self._start = network.t_
        self._snapshot = Snapshot(network)
        self._changed = True

    def __repr__(self) -> str:
        """One line: devices and controller."""
        names = ", ".join(sorted(d.name for d in self.devices))
        processor = type(self.io_processor).__name__ if self.io_processor else "none"
        return f"CLSimulator: devices {names or 'none'}; processor {processor}"

    def _repr_html_(self) -> str:
        from cleo_like.core.views.devices import simulator_card

        devices = sorted(self.devices, key=lambda device: device.name)
        return simulator_card(repr(self), [(d.name, repr(d)) for d in devices])

    def inject(
        self, device: InterfaceDevice, *neuron_groups: Any, **kwparams: Any
    ) -> CLSimulator:
        """Put a device into the network, connected to one or more groups.

        Parameters
        ----------
        device : InterfaceDevice
            A device of a name not yet taken. It may be injected again into other groups.
        *neuron_groups : brian2.NeuronGroup or brian2.Subgroup
            Groups of the network.
        **kwparams
            Injection keywords of the device.

        Returns
        -------
        CLSimulator
            Itself, so that calls can be chained.

        Raises
        ------
        InputError
            No group, a group outside the network, a name that is taken, a device that
            belongs to another simulator. Nothing is left behind in the network then.
        """
        if hasattr(device, "as_device"):  # a frozen noun, such as a PatchPipette
            device = device.as_device()
        self._check_injection(device, neuron_groups)
        first = device.sim is None
        before = set(device.brian_objects)
        try:
            device.sim = self
            if first:
                device.init_for_simulator(self)
            for group in neuron_groups:
                device.connect_to_neuron_group(group, **kwparams)
        except BaseException:
            device.brian_objects.intersection_update(before)
            if first:
                device.sim = None
            raise
        self._register(device)
        return self

    def _check_injection(self, device: Any, groups: tuple[Any, ...]) -> None:
        check_is_device(device)
        if device.sim is not None and device.sim is not self:
            msg = f"{device.name!r} is already injected into another simulator"
            raise InputError(msg)
        if not groups:
            msg = f"inject({device.name}) needs at least one neuron group"
            raise InputError(msg)
        for other in self.devices:
            if other is not device and other.name == device.name:
                msg = (
                    f"a device named {device.name!r} is already injected; give this one "
                    f"a name of its own: {type(device).__name__}(..., name='...')"
                )
                raise InputError(msg)
        members = {obj.name for obj in self.network.objects}
        for group in groups:
            whole = getattr(group, "source", group)  # of a subgroup
            if getattr(whole, "name", None) not in members:
                name = getattr(group, "name", repr(group))
                msg = f"{name} is not in the network; add it before injecting {device.name!r}"
                raise InputError(msg)

    def _register(self, device: InterfaceDevice) -> None:
        """Add a connected device to network and tables."""
        new = [o for o in device.brian_objects if o not in self.network.objects]
        if new:
            self.network.add(*new)
        if isinstance(device, Recorder):
            self.recorders[device.name] = device
        if isinstance(device, Stimulator):
            self.stimulators[device.name] = device
        self.devices.add(device)
        self._note_change()

    def _note_change(self) -> None:
        """Have a new snapshot taken before the next run, whoever starts it."""
        self._changed = True
        if self._keeper is None:
            self._keeper = keeper_of(self)
            self.network.add(self._keeper)
        self._keeper.active = True

    def _remove(self, device: InterfaceDevice) -> None:
        """Take a device out of network and tables."""
        self.network.remove(*[o for o in device.brian_objects if o in self.network.objects])
        self.recorders.pop(device.name, None)
        self.stimulators.pop(device.name, None)
        self.devices.discard(device)
        device.sim = None
        self._note_change()

    def get_state(self) -> dict[str, Any]:
        """Measure with every recorder now.

        Returns
        -------
        dict
            Names of recorders with their states.
        """
        return {name: recorder.get_state() for name, recorder in self.recorders.items()}

    def update_stimulators(self, stim_values: Mapping[str, Any]) -> None:
        """Give new values to stimulators.

        Parameters
        ----------
        stim_values : mapping
            Names of stimulators with values.

        Raises
        ------
        UnknownNameError
            A name that no stimulator has; the message suggests near ones.
        """
        for name, value in stim_values.items():
            stimulator = self.stimulators.get(name)
            if stimulator is None:
                raise unknown_name("stimulator", name, self.stimulators)
            stimulator.update(value)

    def set_io_processor(
        self, io_processor: IOProcessor, communication_period: Any = None
    ) -> None:
        """Set the controller.

        Parameters
        ----------
        io_processor : IOProcessor
            Samples, decides, answers.
        communication_period : quantity, optional
            How often the controller is asked: a whole number of time steps. By default
            every step; longer costs less, and quantises sample times and latencies.

        Raises
        ------
        UnsupportedError
            In a standalone build, where Brian2 would silently never call it.
        """
        if not isinstance(io_processor, IOProcessor):
            kind = type(io_processor).__name__
            msg = f"set_io_processor needs an IOProcessor, got {kind}"
            raise InputError(msg)
        if in_standalone():
            raise UnsupportedError(_NO_LOOP)
        period = (
            None
            if communication_period is None
            else float(quantity(communication_period, "s", "communication_period"))
        )
        if self._operation is not None:
            self.network.remove(self._operation)
        if self._keeper is None:
            self._note_change()
        io_processor.enter(self)
        self.io_processor = io_processor
        self._operation = loop_operation(Loop(self, self.fastest_clock(), period))
        self.network.add(self._operation)

    def fastest_clock(self) -> Any:
        """Give the clock of the groups, the one with the shortest step if there are several."""
        own = {id(self._operation), id(self._keeper)}
        clocks = [
            o.clock
            for o in self.network.objects
            if id(o) not in own and not hasattr(o, "simulator")  # of another simulator
            and getattr(o, "clock", None) is not None
        ]  # fmt: skip
        if clocks:
            return min(clocks, key=lambda c: float(c.dt_))
        return default_clock()

    def run(self, duration: Quantity, **kwargs: Any) -> None:
        """Run the network.

        Parameters
        ----------
        duration : quantity
            How long.
        **kwargs
            Passed to `brian2.Network.run` (report, namespace, profile ...). Its ``level``
            is counted as there, from this method: 1, the default, is its caller.
        """
        from brian2.core.base import BrianObjectException

        self._prepare_devices()
        if self.io_processor is not None and in_standalone():
            raise UnsupportedError(_NO_LOOP)
        if self._keeper is None:
            self._note_change()
        self.begin()
        if self._operation is not None:
            self._operation.loop.start()
        level = kwargs.pop("level", 1)
        compiled = None
        if self._operation is not None or any(device.compiled for device in self.devices):
            compiled = on_kernels(self.network, level, kwargs)
        if compiled is not None:
            compiled.run(duration)
            return
        try:
            self.network.run(duration, level=level, **kwargs)
        except BrianObjectException as error:
            if isinstance(error.__cause__, CleoLikeError):
                raise error.__cause__ from None  # Brian2's wrapping says less
            raise

    def _prepare_devices(self) -> None:
        for device in list(self.devices):
            device.prepare()
        for device in self.devices:  # what prepare() made
            if any(o not in self.network.objects for o in device.brian_objects):
                self._register(device)

    def begin(self) -> None:
        """Do what precedes the first run since a change; also where `network.run` starts it."""
        waiting = sorted(d.name for d in self.devices if not d.is_prepared)
        if waiting:
            msg = (
                f"{', '.join(waiting)}: the sensor is not in the cells yet; call "
                f"inject_sensor_for_targets() before network.run, or use sim.run, which does it"
            )
            raise InputError(msg)
        if self.resettable and self._changed and not in_standalone():
            self._snapshot.take()
            self._changed = False
        self._set_seed()
        if self._keeper is not None:
            self._keeper.active = False

    def _set_seed(self) -> None:
        """Set Brian2's seed, once."""
        from brian2 import get_device

        if self.seed is not None and not self._seeded:
            get_device().seed(self.seed)
            self._seeded = True

    def reset(self, **kwargs: Any) -> None:
        """Go back to the state before the first run since the last injection.

        Parameters
        ----------
        **kwargs
            Passed to the `reset` of every device and of the controller.
        """
        if in_standalone():
            msg = "reset() does not exist in a standalone build; build and run again"
            raise UnsupportedError(msg)
        if not self.resettable:
            msg = "this simulator was made with resettable=False, so it kept no state"
            raise InputError(msg)
        self._go_back()
        self._seeded = False
        for device in self.devices:
            device.restart_random()
            device.reset(**kwargs)
        if self.io_processor is not None:
            self.io_processor.forget()  # whatever a controller's own reset() leaves out
            self.io_processor._base_reset()  # noqa: SLF001 - Cleo's second hook
            self.io_processor.reset(**kwargs)
        if self._keeper is not None:
            self._keeper.active = True  # sets the seed anew

    def _go_back(self) -> None:
        """Restore the snapshot; a device injected since has seen no run, so all is as then."""
        if self._keeper is None and self.network.t_ != self._start:
            msg = (
                "the network was run before anything was injected, and no state was kept; "
                "inject devices first, or run with sim.run"
            )
            raise InputError(msg)
        if not self._changed:
            self._snapshot.restore()

    def to_neo(self) -> Any:
        """Give a `neo.Block` with one segment: the data of every device that exports any."""
        from cleo_like.utilities.neo import add_to_neo_segment, neo_module

        neo = neo_module()
        block = neo.Block(name="cleo_like", description="closed-loop simulation")
        segment = neo.Segment(name="run")
        block.segments.append(segment)
        for device in sorted(self.devices, key=lambda d: d.name):
            if isinstance(device, NeoExportable):
                data = device.to_neo()  # one object or a list
                objects = data if isinstance(data, (list, tuple)) else [data]
                add_to_neo_segment(segment, *objects)
        return block


_NO_LOOP = (
    "a closed loop cannot run in a standalone build: Brian2 leaves out, without a word, "
    "everything that calls Python between time steps. Use set_device('runtime'), or record "
    "in open loop: inject the devices, set no IO processor, and read them after the run"
)
