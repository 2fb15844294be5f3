"""A pass over an archive of 200 files, killed twice, and the same table as if nothing happened."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import pandas as pd
import pytest

from cleo_like.cells import get_cell
from cleo_like.io import write
from cleo_like.patch import record
from cleo_like.stimuli import parse_protocol
from tests.dandi.conftest import cell
from tests.dandi.standin import StandIn

pytestmark = pytest.mark.slow
FILES = 200
LADDER = "long_square amplitudes=-80:320:80pA duration=0.5s before=0.2s after=0.1s rate=20kHz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, data_dir):
    """Four dandisets: passive and spiking cells, real recordings where they are at hand."""
    out = tmp_path_factory.mktemp("archive")
    spiking = parse_protocol(LADDER)
    real = sorted((data_dir / "nwb_icephys").glob("*.nwb"))
    for k in range(FILES):
        target = out / f"00090{k % 4}" / f"sub-{k:03d}" / f"sub-{k:03d}_icephys.nwb"
        target.parent.mkdir(parents=True)
        if k < len(real):
            shutil.copy(real[k], target)
        elif k < 20:
            write(record(get_cell("rs"), spiking, seed=k)[0], target)
        else:
            write(cell(f"{k:03d}", seed=k, resistance=(1 + k / 100) * 1e8), target)
    return out


OFTEN = """
from cleo_like.cli import main
from cleo_like.features.tasks import done
done._SAVE_EVERY = 0.5  # s: a fast machine measures all 200 before it saves once
main()
"""


def verb(*words):
    return [sys.executable, "-m", "cleo_like", "atlas", *map(str, words)]


def killed(command, done, *, after):
    """Run until `done()` has grown by `after`, then SIGKILL; tell whether it was still running."""
    before = done()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 600
    while child.poll() is None and done() < before + after and time.monotonic() < end:
        time.sleep(0.02)
    alive = child.poll() is None
    child.send_signal(signal.SIGKILL)
    child.wait()
    return alive


def test_killed_twice_it_is_the_same_table(folder, tmp_path):
    server = StandIn(folder, page=100).serve()
    cache, names = tmp_path / "cache", [f"00090{k}" for k in range(4)]
    fetch = verb("fetch", *names, "--cache", cache, "--api", server.api)
    blobs = lambda: len(list(cache.rglob("*.nwb")))  # noqa: E731
    try:
        assert killed(fetch, blobs, after=40)
        assert killed(fetch, blobs, after=60)
        subprocess.run(fetch, check=True, capture_output=True)
        assert blobs() == FILES
        size = sum(p.stat().st_size for p in folder.rglob("*.nwb"))
        # one file was on its way when the process died, each time: what lay in the system's
        # buffers was sent, but never received
        asked = Counter(path for _, path, _ in server.log if path.startswith("/blob"))
        assert sum(count > 1 for count in asked.values()) <= 2
        largest = max(p.stat().st_size for p in folder.rglob("*.nwb"))
        assert size <= sum(server.sent.values()) <= size + 2 * largest
        server.log.clear()
        server.sent.clear()
        subprocess.run(fetch, check=True, capture_output=True)
        assert sum(server.sent.values()) == 0
        for name in names:
            assert sum(f"/{name}/" in path for _, path, _ in server.log) <= 1
        assert not any(path.startswith(("/blob", "/api/assets")) for _, path, _ in server.log)
    finally:
        server.close()
    whole, resumed = tmp_path / "whole.csv", tmp_path / "resumed.csv"
    subprocess.run(
        verb("extract", "--cache", cache, "-o", whole), check=True, capture_output=True
    )
    part = tmp_path / "resumed.features.csv"
    lines = lambda: part.read_text("utf-8").count("\n") if part.is_file() else 0  # noqa: E731
    command = verb("extract", "--cache", cache, "-o", resumed)
    command[1:3] = ["-c", OFTEN]
    assert killed(command, lines, after=30)
    assert killed(command, lines, after=50)
    assert not resumed.exists()
    subprocess.run(command, check=True, capture_output=True)
    assert resumed.read_bytes() == whole.read_bytes()
    other = tmp_path / "resumed.verdicts.csv"
    assert other.read_bytes() == (tmp_path / "whole.verdicts.csv").read_bytes()
    table = pd.read_csv(whole)
    assert (table["status"] == "ok").sum() >= FILES - 10
    assert table["dandiset"].notna().all()
