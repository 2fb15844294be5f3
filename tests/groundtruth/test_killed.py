"""A study that is killed goes on where it was, to the same tables byte for byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

CASES = """
title = "Killed"
seed = 4
seeds = 3
[[block]]
name = "noise"
[block.fixed]
protocol = "one_step"
[block.factors]
cell = ["passive", "rs", "narrow_fs", "sag"]
noise = [0.1, 1]
rate = [20, 50]
"""
ALL = 2 * 4 * 4 * 3  # answers of two extractors


def command(folder, *more):
    given = ("run", "--cases", str(folder.with_suffix(".toml")), "--folder", str(folder))
    chosen = ("--extractor", "native", "--extractor", "efel")
    return [sys.executable, "-m", "cleo_like", "groundtruth", *given, *chosen, *more]


def started(folder, *more):
    folder.with_suffix(".toml").write_text(CASES)
    return subprocess.Popen(
        command(folder, *more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def answers(folder):
    return len(list(folder.glob("outcomes/*/*.json")))


def wait_for(folder, n, run):
    until = time.monotonic() + 300
    while answers(folder) < n and run.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    assert run.poll() is None, "it ended before it could be killed"


def children(pid):
    """Processes below one, by the parents that the system tells."""
    out = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in out.stdout.splitlines()[1:]]
    found = [pid]
    for one in found:
        found += [child for child, parent in pairs if parent == one]
    return found[1:]


def runs(pid):
    out = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)  # noqa: PLW1510
    return bool(out.stdout.strip()) and not out.stdout.startswith("Z")


def tables(folder):
    """CSV files but that of CPU times."""
    return {p.name: p.read_bytes() for p in folder.glob("*.csv") if p.name != "costs.csv"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "study"
    assert started(folder, "-j", "2").wait(timeout=600) == 0
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL and ps")
def test_a_killed_run_goes_on_to_the_same_tables(whole, tmp_path):
    folder = tmp_path / "study"
    for n in (10, 50):
        run = started(folder, "-j", "2")
        wait_for(folder, n, run)
        below = children(run.pid)
        assert len(below) >= 2
        run.kill()
        run.wait()
        until = time.monotonic() + 30
        while any(runs(pid) for pid in below) and time.monotonic() < until:
            time.sleep(0.2)
        assert not any(runs(pid) for pid in below), "processes outlive the run"
        assert n <= answers(folder) < answers(whole)
    assert started(folder, "-j", "2").wait(timeout=600) == 0
    assert answers(folder) == answers(whole) >= ALL
    assert tables(folder) == tables(whole)
    assert "outcomes.csv" in tables(whole)
    assert len(tables(whole)["errors.csv"]) > 10_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL and ps")
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_loses_a_worker_gives_the_same_tables(whole, tmp_path):
    distributed = pytest.importorskip("distributed")
    folder = tmp_path / "study"
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, dashboard_address=None
    ) as cluster:
        run = started(folder, "--dask", cluster.scheduler_address)
        wait_for(folder, 10, run)
        os.kill(next(iter(cluster.workers.values())).process.pid, signal.SIGKILL)
        assert run.wait(timeout=600) == 0
    assert tables(folder) == tables(whole)
