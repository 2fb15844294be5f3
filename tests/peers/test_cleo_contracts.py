"""Rows of docs/coming_from_cleo.md that say "the same": one script, run in both packages."""

import importlib
import inspect

import brian2 as b2
import numpy as np
import pytest

pytestmark = pytest.mark.peer

MODULES = ("ioproc", "recorders", "stimulators", "coords", "utilities", "viz", "imaging")

NAMES = """
import inspect, json, types, cleo
result = {}
for module in ("", *%r):
    found = getattr(cleo, module) if module else cleo
    rows, start = {}, f"cleo.{module}" if module else "cleo"
    for name, value in vars(found).items():
        own = getattr(value, "__module__", None) or ""
        if name.startswith("_") or isinstance(value, types.ModuleType) or not own.startswith(start):
            continue
        rows[name] = [p.name for p in inspect.signature(value).parameters.values()
                      if p.kind is not p.VAR_KEYWORD]
    result[module] = rows
print(json.dumps(result))
""" % (MODULES,)  # noqa: UP031 - the script has braces

SCRIPT = """
def run(cleo, b2, np):
    from brian2 import ms, mV, um, mm, nA, Hz, second, nmolar
    from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, StateMonitor
    plain = lambda x: np.asarray(x, dtype=float).tolist()
    result = {}

    def spiking(n):
        group = NeuronGroup(
            n, "v : 1\\nI : amp", threshold="int(t/dt) %% 50 == 5 + i", reset="", name="cells")
        cleo.coords.assign_xyz(group, 0, 0, [200] * n, unit=um)
        return group

    # reset() of one's own, in all modes
    class Mine(cleo.ioproc.LatencyIOProcessor):
        def __init__(self, **kwargs):
            super().__init__(1*ms, **kwargs)
            self.n = 0
        def process(self, state, t):
            self.n += 1
            return {"I": float(self.n)}, t + 7.05*ms
        def reset(self):
            self.n = 0
    for mode in ({}, {"processing": "serial"}):
        group = spiking(2)
        sim = cleo.CLSimulator(Network(group))
        setter = cleo.stimulators.StateVariableSetter(
            name="I", variable_to_ctrl="I", unit=nA)
        sim.inject(setter, group)
        processor = Mine(**mode)
        sim.set_io_processor(processor)
        trials = []
        for trial in range(2):
            sim.run(30*ms)
            trials.append([processor.n, plain(np.ravel(setter.values)[-4:])])
            sim.reset()
        result[f"reset {mode}"] = trials

    # states by name, synapses by name, before and after a run; a run of the network itself
    group = spiking(3)
    net = Network(group)
    sim = cleo.CLSimulator(net)
    sensor = cleo.imaging.gcamp6f()
    sim.inject(sensor, group, i_targets=[2, 0], rho_rel=[1, 2])
    result["at rest"] = plain(sensor.get_state()["cells"])
    net.run(20*ms)
    synapses = sensor.synapses["cells"]
    result["states"] = plain(sensor.get_state()[group.name][:])
    for name in ("dFF", "rho_rel", "b"):
        result[f"synapses {name}"] = plain(getattr(synapses, name)[:])
    result["synapses Ca"] = plain(synapses.Ca[:] / nmolar)
    result["synapses i"] = plain(synapses.i[:])
    synapses.Ca[0] = 500*nmolar
    synapses.rho_rel = 0.5
    net.run(20*ms)
    result["set"] = plain(sensor.get_state()["cells"][:])
    sim.reset()
    result["reset"] = [float(net.t/ms), *plain(sensor.get_state()["cells"][:])]

    # planes, and cells by name next to them
    group = spiking(9)
    group.z[3:6] = 300*um
    group.z[6:] = 400*um
    scope = cleo.imaging.Scope(cleo.imaging.gcamp6f(), 500*um, 200*um)
    sim = cleo.CLSimulator(Network(group))
    sim.inject(scope, group)
    sim.inject(scope, group, focus_depth=295*um, rho_rel_generator=lambda n: np.full(n, 1.5))
    sim.inject(scope, group, focus_depth=None, i_targets=range(6, 8), sigma_noise=0.5)
    sim.inject(scope, group, focus_depth=None, i_targets=[8, 0], sigma_noise=np.array([.1, .2]))
    scope.inject_sensor_for_targets()
    result["targets"] = [plain(i) for i in scope.i_targets_per_injct]
    result["sigma"] = [plain(s) for s in scope.sigma_per_injct]
    result["rho"] = [plain(r) for r in scope.rho_rel_per_injct]
    result["places"] = [plain(np.asarray(c)) for c in scope.focus_coords_per_injct]
    result["all places"] = plain(np.asarray(scope.focus_coords))
    result["one spike"] = plain(scope.dFF_1AP)
    result["record"] = list(map(int, scope.i_targets_for_neuron_group(group)))
    monitor = SpikeMonitor(group, record=scope.i_targets_for_neuron_group(group))
    sim.set_io_processor(cleo.ioproc.RecordOnlyProcessor(sample_period=1*ms))
    sim.run(10*ms)
    result["frames"] = list(np.shape(scope.dFF))
    result["frame times"] = plain(scope.t/ms)
    signal = scope.to_neo()
    result["neo"] = [signal.name, list(signal.shape), sorted(signal.annotations.keys() - {
        "export_datetime", "nix_name"}), plain(signal.array_annotations["z"].rescale("um")),
        plain(signal.array_annotations["dFF_1AP"]), plain(signal.array_annotations["i_roi"])]
    try:
        sim.inject(scope, group, focus_depth=200*um, i_targets=range(3))
    except ValueError:
        result["refused"] = True

    # histories by hand
    scope = cleo.imaging.Scope(cleo.imaging.gcamp6f(), 500*um, 200*um)
    scope.t, scope.dFF = [1, 2]*ms, [[0, 1, 2], [2, 3, 4]]
    result["by hand"] = [list(scope.to_neo().shape), plain(scope.to_neo().times.rescale("ms"))]
    class Lamp(cleo.Stimulator):
        def connect_to_neuron_group(self, group):
            pass
    lamp = Lamp(name="lamp")
    lamp.t, lamp.values = [0, 1, 2]*ms, [1, 2, 3]
    result["lamp"] = [plain(lamp.to_neo().rescale("dimensionless")), lamp.to_neo().name]

    # recorders
    group = NeuronGroup(2, "dv/dt = 1/ms : 1", threshold="v > 100", reset="", method="euler")
    sim = cleo.CLSimulator(Network(group))
    voltage, rate = cleo.recorders.VoltageRecorder(), cleo.recorders.RateRecorder(0)
    sim.inject(voltage, group).inject(rate, group)
    result["no rate"] = float(rate.get_state())
    sim.run(1*ms)
    result["voltage"] = [list(voltage.mon.v.shape), plain(voltage.mon.v[1]),
                         plain(voltage.mon.t/ms)]

    # control
    estimate = cleo.ioproc.exp_firing_rate_estimate(np.array([1, 0]), 1*ms, 0, 20*ms)
    result["rate"] = plain(estimate/Hz)
    signal, error = cleo.ioproc.pi_ctrl(
        measurement=np.array([5.])*Hz, reference=10*Hz, integ_error=0, dt=1*ms, Kp=.005/Hz,
        Ki=.04/(Hz*second))
    result["control"] = [plain(signal), plain(error)]

    # coordinates
    group = NeuronGroup(8, "v : 1")
    cleo.coords.assign_coords_grid_rect_prism(group, (0, 1), (2, 3), (4, 5), (2, 2, 2))
    result["grid"] = sorted(plain(cleo.coords.coords_from_ng(group)/mm))
    part = NeuronGroup(3, "v : 1")
    cleo.coords.assign_xyz(part, [[0, 1, 2]], [[3, 4, 5]], [[6, 7, 8]])
    result["nested"] = plain(cleo.coords.coords_from_ng(part)/mm)
    both = cleo.coords.concat_coords(
        cleo.coords.coords_from_ng(part), cleo.coords.coords_from_xyz([1]*mm, [2]*mm, [3]*mm))
    result["both"] = plain(both/mm)

    # helpers
    u = cleo.utilities
    u.set_seed(7)
    result["rng"] = plain(u.rng.random(3))
    result["append"] = plain(u.unit_safe_append([1, 2]*ms, [3]*second))
    result["cat"] = plain(u.unit_safe_cat([[1]*mV, [2]*mV]))
    result["close"] = [bool(u.unit_safe_allclose(1*ms, x*ms)) for x in (1, 1.0000001, 2)]
    result["round"] = plain(u.unit_safe_round([1.2345, 2.3]*mV, 3))
    result["regular"] = [bool(u.times_are_regular(x)) for x in ([0, 1, 2], [0, 1, 3], [0])]
    result["safe"] = [u.brian_safe_name(n) for n in ("a b", "jGCaMP-7", "x.y")]
    result["rgb"] = [list(u.wavelength_to_rgb(w*b2.nmeter)) for w in (400, 473, 590, 640)]
    u.modify_model_with_eqs(part, "w : volt")
    part.w = 3*mV
    result["added"] = plain(part.w/mV)
    neo_signal = u.analog_signal([0, 1, 2]*ms, [1, 2, 3], "mV")
    result["analog"] = [type(neo_signal).__name__, plain(neo_signal.times.rescale("ms"))]
    result["plotted"] = len(cleo.viz.plot(sim=sim_with(cleo, group))[1].collections)
    return result

def sim_with(cleo, group):
    from brian2 import Network
    return cleo.CLSimulator(Network(group))
""".replace("%%", "%")

THEIRS = (
    "import json, warnings\nwarnings.simplefilter('ignore')\nimport matplotlib\n"
    "matplotlib.use('Agg')\nimport brian2 as b2, numpy as np, cleo\n"
    "b2.prefs.codegen.target = 'numpy'\n" + SCRIPT + "print(json.dumps(run(cleo, b2, np)))\n"
)


def same(mine, theirs, where=""):
    """Equal numbers to 5e-3 of the largest (Cleo integrates by Euler), all else exactly."""
    if isinstance(theirs, dict):
        assert mine.keys() >= theirs.keys()
        for key, value in theirs.items():
            same(mine[key], value, key)
    elif isinstance(theirs, list) and any(isinstance(x, (list, str)) for x in theirs):
        assert len(mine) == len(theirs), (where, mine, theirs)
        for a, b in zip(mine, theirs, strict=True):
            same(a, b, where)
    elif isinstance(theirs, list):
        scale = np.abs(theirs).max(initial=1e-12)
        assert np.shape(mine) == np.shape(theirs), (where, mine, theirs)
        assert np.allclose(mine, theirs, rtol=0, atol=5e-3 * scale), (where, mine, theirs)
    else:
        assert mine == theirs, (where, mine, theirs)


@pytest.fixture
def numpy_target():
    before, b2.prefs.codegen.target = b2.prefs.codegen.target, "numpy"
    yield
    b2.prefs.codegen.target = before


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_script_gives_what_cleo_gives(ask_peer, numpy_target):
    import matplotlib.pyplot as plt

    import cleo_like as cleo

    theirs = ask_peer(THEIRS)
    namespace: dict = {}
    exec(SCRIPT, namespace)
    mine = namespace["run"](cleo, b2, np)
    plt.close("all")
    assert len(theirs) > 40
    same(mine, theirs)


CHANGED = {
    # deliberate: what replaces them is in docs/coming_from_cleo.md
    ("", "VideoVisualizer"), ("viz", "VideoVisualizer"), ("imaging", "LightExcitation"),
}  # fmt: skip


def test_every_public_name_of_cleo_is_here_with_its_arguments(ask_peer):
    theirs = ask_peer(NAMES)
    assert sum(map(len, theirs.values())) > 60
    missing, differing = [], {}
    for module, rows in theirs.items():
        ours = importlib.import_module(f"cleo_like.{module}" if module else "cleo_like")
        for name, parameters in rows.items():
            found = getattr(ours, name, None)
            if found is None:
                missing.append((module, name))
            elif (module, name) not in CHANGED:
                known = inspect.signature(found).parameters
                catches = any(p.kind is p.VAR_KEYWORD for p in known.values())
                lost = [p for p in parameters if p not in known]
                order = [p for p in known if p in parameters]
                if (lost and not catches) or order != [p for p in parameters if p in known]:
                    differing[module, name] = (parameters, list(known))
    assert missing == []
    assert differing == {}
