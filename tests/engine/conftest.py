"""Brian2's own loop as oracle: the same script on the sweep device and on the runtime device."""

import gc
from contextlib import contextmanager

import attrs
import numpy as np
import pytest
from brian2 import NeuronGroup, SpikeMonitor, StateMonitor, prefs, set_device
from brian2.core.variables import ArrayVariable, Constant
from brian2.devices.device import reset_device

from cleo_like.engine.device import register


@contextmanager
def on_device(name, **options):
    """Make `name` Brian2's device for a while; the oracle runs on numpy (nothing to compile)."""
    target = prefs.codegen.target
    prefs.codegen.target = "numpy"
    set_device(register() if name == "sweeps" else name, **options)
    try:
        yield
    finally:
        reset_device()
        prefs.codegen.target = target


@contextmanager
def names_in_order():
    """Let names tell the order in which objects were made.

    Brian2 gives an object the lowest free number; one that is collected in between would free
    a number below that of the object before.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def contents(network):
    """Everything that a user can see after a run, in an order that does not need names."""
    found = {"network t": float(network.t_)}
    for kind in (NeuronGroup, StateMonitor, SpikeMonitor):
        ours = sorted(
            (x for x in network.objects if type(x) is kind), key=lambda x: (len(x.name), x.name)
        )
        for number, x in enumerate(ours):
            for name, variable in sorted(x.variables.items()):
                if name.startswith("_") or not isinstance(variable, (ArrayVariable, Constant)):
                    continue
                owner = getattr(variable.owner, "name", None)  # a proxy
                if owner in {x.name, x.clock.name}:
                    value = np.array(variable.get_value())
                    found[f"{kind.__name__} {number} {name}"] = value
    return found


@attrs.frozen
class Twin:
    """Both answers to one script."""

    ours: dict
    brian2: dict

    def assert_same(self, rtol=1e-9, atol=1e-12):
        """Whole numbers, flags, spike trains and times exactly; the rest to rounding."""
        assert sorted(self.ours) == sorted(self.brian2)
        for name, expected in self.brian2.items():
            got = np.asarray(self.ours[name])
            assert got.dtype == np.asarray(expected).dtype, name
            np.testing.assert_equal(got.shape, np.shape(expected), err_msg=name)
            if got.dtype.kind == "f" and not name.endswith(" t"):
                np.testing.assert_allclose(
                    got, expected, rtol=rtol, atol=atol, err_msg=name, equal_nan=True
                )
            else:
                np.testing.assert_array_equal(got, expected, err_msg=name)


@pytest.fixture
def device():
    """Context manager that switches Brian2's device."""
    return on_device


@pytest.fixture
def twin():
    """Run a script (a function that gives its network) on both devices."""

    def run(script, **options):
        with on_device("sweeps", **options), names_in_order():
            ours = contents(script())
        with on_device("runtime"), names_in_order():
            return Twin(ours, contents(script()))

    return run
