"""Processes of a pool, and what threads and daemons may not do by themselves."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from cleo_like.groundtruth import of_function
from cleo_like.groundtruth.extractors.guard import Guard
from cleo_like.utilities.processes import process_pool

POOL = """
import os, sys, time
from {module} import {name} as pool
if __name__ == "__main__":
    with pool(2) as workers:
        waiting = [workers.submit(os.getpid) for _ in range(2)]
        print({{w.result() for w in waiting}}.pop(), flush=True)
        time.sleep(60)
"""


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    out = subprocess.run(  # noqa: PLW1510
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
    )
    return bool(out.stdout.strip()) and not out.stdout.startswith("Z")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL and ps")
@pytest.mark.parametrize(
    ("module", "name", "stays"),
    [
        ("cleo_like.utilities.processes", "process_pool", False),
        ("concurrent.futures", "ProcessPoolExecutor", True),
    ],
)
def test_a_pool_ends_with_its_parent(tmp_path, module, name, stays):
    script = tmp_path / "run.py"
    script.write_text(POOL.format(module=module, name=name))
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True
    ) as run:
        worker = int(run.stdout.readline())
        run.kill()
    until = time.monotonic() + (3 if stays else 20)
    while runs(worker) and time.monotonic() < until:
        time.sleep(0.1)
    assert runs(worker) == stays
    if stays:
        os.kill(worker, signal.SIGKILL)


def test_its_work_is_done():
    with process_pool(2) as pool:
        assert list(pool.map(abs, [-1, 2])) == [1, 2]


def asked(pipe):
    def mine(stack, step, parameters):
        return {"tau": 0.02}

    with Guard(of_function(mine)) as guard:
        pipe.send(guard.ask(None, None).values["tau"])


def test_a_daemon_may_ask_an_extractor():
    """Workers of Dask are daemons, which may have no processes of their own."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=asked, args=(there,), daemon=True)
    process.start()
    assert here.poll(60)
    assert here.recv() == pytest.approx(0.02)
    process.join()


def test_brian_is_imported_in_a_thread():
    code = (
        "import signal, threading\n"
        "from cleo_like.utilities.brian import import_brian2\n"
        "own = signal.signal\n"
        "t = threading.Thread(target=import_brian2); t.start(); t.join()\n"
        "import brian2; assert brian2.NeuronGroup and signal.signal is own\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
