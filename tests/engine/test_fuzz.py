"""Random scripts on both devices: the same answer, the same error, or a fall-back that says why."""

import warnings

import numpy as np
import pytest

from cleo_like.engine.device import FallbackWarning, NotFiniteWarning
from tests.engine.conftest import Twin, contents, on_device
from tests.engine.fuzz import Fuzzed, last_spikes
from tests.selection import some_slow

SEED = 20_261_128


def answer(script, name):
    """Contents after the run, or the error; and whether Brian2's own loop ran it."""
    with on_device(name), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            network = script()
        except Exception as error:  # noqa: BLE001  # compared with the other's
            return error.__cause__ or error, None
        told = [w for w in caught if issubclass(w.category, FallbackWarning)]
        assert not [w for w in caught if issubclass(w.category, NotFiniteWarning)]
        found = contents(network) | {"last spikes": last_spikes(network)}
        return found, [str(w.message) for w in told]


def same(script):
    """Compare; give the reasons for which Brian2's own loop ran it."""
    ours, reasons = answer(script, "sweeps")
    stock, _ = answer(script, "runtime")
    if "is ambiguous" in str(stock):  # numpy's target cannot do every `or`; the others can
        return ["no oracle"]
    if isinstance(stock, Exception) or isinstance(ours, Exception):
        assert type(ours) is type(stock), (ours, stock)
        return ["error"]
    limits = {"rtol": 0, "atol": 0} if script.exact else {"rtol": 1e-8, "atol": 1e-10}
    Twin(ours, stock).assert_same(**limits)
    return reasons


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "smooth"])
@pytest.mark.parametrize("number", some_slow(range(4), 2))
def test_random_scripts(number, exact):
    same(Fuzzed(seed=SEED + number, exact=exact))


@pytest.mark.slow
@pytest.mark.parametrize("exact", [True, False], ids=["exact", "smooth"])
def test_many_random_scripts(exact):
    reasons = [same(Fuzzed(seed=seed, exact=exact)) for seed in range(200)]
    compiled = sum(not r for r in reasons)
    assert compiled > 0.8 * len(reasons), [r for r in reasons if r]


def test_the_scripts_do_something():
    """Spikes, resets and more than one value of every variable: the comparison means something."""
    found = [answer(Fuzzed(seed=SEED + k, exact=True), "runtime")[0] for k in range(3)]
    assert sum(f["SpikeMonitor 0 N"] for f in found) > 100
    assert any(np.ptp(f["NeuronGroup 0 k"]) for f in found)
