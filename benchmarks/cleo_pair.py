"""One script, two packages: run it here with cleo_like and in the peers' environment with Cleo.

The text of the script is the same but for the import, which is what a Cleo user changes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / ".venv-peers" / "bin" / "python"

HEAD = """
import json, resource, sys
import brian2 as b2
from brian2 import ms, mV, nA, second, um
{imports}
b2.prefs.codegen.target = sys.argv[1]
arguments = json.loads(sys.argv[2])

def cpu():  # compilers are done by then
    import time
    return time.process_time()

def network(n):
    group = b2.NeuronGroup(
        n, "dv/dt = (drive - v)/(100*ms) : 1\\ndrive : 1\\nI : amp",
        threshold="v > 1", reset="v = 0", method="euler")
    group.drive = "1.1 + 0.2*i/N"
    cleo.coords.assign_xyz(group, 0, 0, 100, unit=um)
    return group

def timed(sim, duration):
    sim.run(2*ms)  # compiles, and pays what each run costs
    def once(length):
        start = cpu()
        sim.run(length)
        return cpu() - start
    fixed = min(once(2*ms) for _ in range(3))
    return min(once(duration) for _ in range(arguments.get("repeats", 1))) - fixed
"""
OURS = """
from types import SimpleNamespace
from cleo_like import coords, imaging, ioproc, recorders, stimulators
from cleo_like.base import CLSimulator
cleo = SimpleNamespace(
    coords=coords, imaging=imaging, ioproc=ioproc, recorders=recorders,
    stimulators=stimulators, CLSimulator=CLSimulator)
"""
THEIRS = "import cleo"


def run(script: str, *, ours: bool, target: str, arguments: dict) -> dict:
    """Run a script with one of the packages; it prints one JSON value on its last line."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.py"
        file.write_text(HEAD.format(imports=OURS if ours else THEIRS) + script)
        python = sys.executable if ours else str(PEERS)
        done = subprocess.run(
            [python, str(file), target, json.dumps(arguments)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def have_cleo() -> bool:
    """Whether the peers' environment is there."""
    if PEERS.exists():
        return True
    print("the peers' environment is missing (make peers): only this package is measured")
    return False
