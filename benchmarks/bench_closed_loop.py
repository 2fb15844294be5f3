"""Cost of the closed loop, against Cleo in the same run: CPU per sample and per time step.

100 LIF neurons, dt 0.1 ms, sampling every 1 ms with a trivial controller; best of 3 runs.

    python benchmarks/bench_closed_loop.py [--seconds 1] [--target cython] [--memory]

``--memory`` runs ten minutes at 1 kHz instead (dt 1 ms) and prints how memory grows.
"""

from __future__ import annotations

import argparse

from cleo_pair import have_cleo, run

SCRIPT = """
class Trivial(cleo.ioproc.LatencyIOProcessor):
    def process(self, state_dict, t_samp):
        signals = {"setter": 0.1} if arguments["setter"] else {}
        return signals, t_samp + 3*ms

def measure(case):
    arguments["setter"] = "setter" in case
    group = network(100)
    sim = cleo.CLSimulator(b2.Network(group))
    if "spikes" in case:
        sim.inject(cleo.recorders.GroundTruthSpikeRecorder(name="spikes"), group)
    if "setter" in case:
        setter = cleo.stimulators.StateVariableSetter(
            name="setter", variable_to_ctrl="I", unit=nA)
        sim.inject(setter, group)
    if "voltage" in case:
        sim.inject(cleo.recorders.VoltageRecorder(name="voltage"), group)
    if "scope" in case:
        scope = cleo.imaging.Scope(cleo.imaging.gcamp6f(), img_width=500*um, focus_depth=100*um)
        sim.inject(scope, group)
        scope.inject_sensor_for_targets()
    if "bare" not in case:
        sim.set_io_processor(Trivial(sample_period=1*ms))
    return timed(sim, arguments["seconds"]*second)

print(json.dumps({case: measure(case) for case in arguments["cases"]}))
"""
MEMORY = """
class Trivial(cleo.ioproc.LatencyIOProcessor):
    def process(self, state_dict, t_samp):
        return {"setter": 0.1}, t_samp + 3*ms

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6

b2.defaultclock.dt = 1*ms
group = network(100)
sim = cleo.CLSimulator(b2.Network(group))
sim.inject(cleo.recorders.GroundTruthSpikeRecorder(name="spikes"), group)
sim.inject(cleo.stimulators.StateVariableSetter(
    name="setter", variable_to_ctrl="I", unit=nA), group)
sim.set_io_processor(Trivial(sample_period=1*ms))
sim.run(1*second)
start = resident()
rows = []
for _ in range(6):
    before = cpu()
    sim.run(100*second)
    rows.append([resident() - start, (cpu() - before) / 1e5])
print(json.dumps(rows))
"""
CASES = ["bare", "loop", "loop + spikes + setter", "loop + voltage", "loop + scope, 100 ROIs"]


def memory(target: str) -> None:
    rows = run(MEMORY, ours=True, target=target, arguments={})
    print("1 kHz, spikes of 100 neurons and one signal in the histories")
    for k, (megabytes, seconds) in enumerate(rows, start=1):
        print(f"{100 * k} s: +{megabytes:.0f} MB, {seconds * 1e6:.0f} us per sample")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--target", default="cython", choices=["cython", "numpy"])
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    if options.memory:
        memory(options.target)
        return
    arguments = {"seconds": options.seconds, "cases": CASES, "repeats": 3}
    ours = run(SCRIPT, ours=True, target=options.target, arguments=arguments)
    theirs = None
    if have_cleo():
        theirs = run(SCRIPT, ours=False, target=options.target, arguments=arguments)
    samples, steps = options.seconds * 1e3, options.seconds * 1e4
    print(f"{'case':28}{'ms/sample':>11}{'us/step':>9}{'Cleo ms':>10}{'ratio':>8}{'net':>8}")
    for case in CASES:
        line = f"{case:28}{ours[case] / samples * 1e3:11.3f}{ours[case] / steps * 1e6:9.1f}"
        if theirs is not None:
            net = (theirs[case] - theirs["bare"]) / max(ours[case] - ours["bare"], 1e-9)
            line += f"{theirs[case] / samples * 1e3:10.2f}{theirs[case] / ours[case]:8.1f}"
            line += f"{net:8.1f}" if case != "bare" else ""
        print(line)


if __name__ == "__main__":
    main()
