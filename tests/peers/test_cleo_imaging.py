"""Our imaging against Cleo's own, in the peers' environment: the same numbers."""

import json

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms, um

from cleo_like import imaging
from cleo_like.base import CLSimulator
from cleo_like.coords import assign_xyz
from cleo_like.ioproc import RecordOnlyProcessor

pytestmark = pytest.mark.peer

INDICATORS = {
    "gcamp3": ("gcamp3", True), "gcamp6f": ("gcamp6f", True), "gcamp6s": ("gcamp6s", True),
    "gcamp6rs06": ("gcamp6_rs06", False), "gcamp6rs09": ("gcamp6_rs09", False),
    "jgcamp7f": ("jgcamp7f", False), "jgcamp7s": ("jgcamp7s", False),
    "jgcamp7b": ("jgcamp7b", False), "jgcamp7c": ("jgcamp7c", False), "ogb1": ("ogb_1", False),
}  # fmt: skip

NETWORK = """
def network(b2, rng):
    n = 4
    counts = [0, 1, 5, 30]
    cells = np.repeat(np.arange(n), counts)
    steps = np.concatenate([rng.choice(9000, c, replace=False) for c in counts])
    source = b2.SpikeGeneratorGroup(n, cells, steps * 0.1 * b2.ms)
    group = b2.NeuronGroup(n, "v : 1", threshold="v > 0.5", reset="v = 0", name="cells")
    drive = b2.Synapses(source, group, on_pre="v = 1")
    drive.connect(j="i")
    return source, group, drive
"""

THEIRS = (
    """
import json, sys
import brian2 as b2, cleo, numpy as np
b2.prefs.codegen.target = "numpy"
"""
    + NETWORK
    + """
result = {}
for name, kernel in json.loads(sys.argv[1]):
    source, group, drive = network(b2, np.random.default_rng(1))
    cleo.coords.assign_xyz(group, 0, 0, 0)
    sim = cleo.CLSimulator(b2.Network(source, group, drive))
    sensor = getattr(cleo.imaging, name)(doub_exp_conv=kernel, sigma_noise=0)
    scope = cleo.imaging.Scope(sensor, img_width=500 * b2.um)
    sim.inject(scope, group)
    scope.inject_sensor_for_targets()
    sim.set_io_processor(cleo.ioproc.RecordOnlyProcessor(sample_period=20 * b2.ms))
    sim.run(1 * b2.second)
    fields = ("K_d", "n_H", "dFF_max", "sigma_noise", "dFF_1AP")
    default = getattr(cleo.imaging, name)(doub_exp_conv=kernel)
    numbers = [getattr(default, f) for f in fields]
    result[name] = {
        "dff": np.array(scope.dFF).tolist(),
        "numbers": [None if x is None else float(x) for x in numbers],
    }
print(json.dumps(result))
"""
)


@pytest.fixture(scope="module")
def numpy_target():
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


def ours(name, kernel, **kwargs):
    namespace = {"np": np}
    exec(NETWORK, namespace)
    source, group, drive = namespace["network"](b2, np.random.default_rng(1))
    sim = CLSimulator(b2.Network(source, group, drive))
    make = getattr(imaging, name)
    scope = imaging.Scope(make(doub_exp_conv=kernel, sigma_noise=0, **kwargs), 500 * um)
    sim.inject(scope, group)
    sim.set_io_processor(RecordOnlyProcessor(20 * ms))
    sim.run(1 * b2.second)
    return scope.dFF


@pytest.mark.slow  # a minute and a half of Cleo
def test_every_indicator_gives_cleos_traces(ask_peer, numpy_target):
    """Same step, same method: equal to 1e-9 of the peak; both of our evaluations agree."""
    theirs = ask_peer(THEIRS, json.dumps(list(INDICATORS.values())))
    for name, (their_name, kernel) in INDICATORS.items():
        expected = np.array(theirs[their_name]["dff"])
        peak = expected.max()
        assert peak > 0.01
        clock = ours(name, kernel, evaluation="clock", method="euler")
        assert np.abs(clock - expected).max() < 1e-9 * peak, name
        event = ours(name, kernel)
        assert np.abs(event - expected).max() < 3e-3 * peak, name  # Euler's own error
        sensor = getattr(imaging, name)()
        mine = [sensor.K_d, sensor.n_H, sensor.dFF_max, sensor.sigma_noise, sensor.dFF_1AP]
        for value, wanted in zip(mine, theirs[their_name]["numbers"], strict=True):
            assert (value is None) == (wanted is None), name
            assert wanted is None or float(value) == pytest.approx(wanted, rel=1e-9), name


PLANE = """
import json, sys
import brian2 as b2, cleo, numpy as np
group = b2.NeuronGroup(300, "v : 1")
places = np.random.default_rng(3).uniform(-60, 60, (300, 3))
cleo.coords.assign_xyz(group, *places.T, unit=b2.um)
found = {}
for location in ("cytoplasm", "membrane"):
    i, factor, at = cleo.imaging.target_neurons_in_plane(
        group, 40 * b2.um, 200 * b2.um, [0, 0, -60] * b2.um, (0, 0, 1), 12 * b2.um, location)
    found[location] = [np.asarray(i).tolist(), np.asarray(factor).tolist()]
print(json.dumps(found))
"""


@pytest.mark.slow
def test_a_plane_finds_cleos_cells_with_cleos_noise(ask_peer):
    """In a field of view without an edge among the cells, where Cleo's projection is right."""
    theirs = ask_peer(PLANE)
    group = b2.NeuronGroup(300, "v : 1")
    assign_xyz(group, *np.random.default_rng(3).uniform(-60, 60, (300, 3)).T, unit=um)
    for location, (indices, factors) in theirs.items():
        found, factor, _ = imaging.target_neurons_in_plane(
            group, 40 * um, 200 * um, [0, 0, -60] * um, (0, 0, 1), 12 * um, location
        )
        assert len(indices) > 20
        assert found.tolist() == indices
        assert np.allclose(factor, factors, rtol=1e-9)
