"""Responses against brain_observatory_utilities and events against oasis-deconv.

Run it from the repository::

    python benchmarks/bench_responses.py [--cells 100] [--flashes 4800] [--quick]

Theirs runs in the peers' environment (``make peers``) as a process that is timed in turn with
ours: pairs of CPU times give one ratio each, and the median is shown. Theirs takes one cell
in a call; it is timed on one cell and multiplied by their number. Before anything is timed, the
values must be equal where theirs are right (inside the window: at its edges they are clamped).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from cleo_like.responses import (
    ar1_events,
    event_triggered,
    event_triggered_response,
    filtered_events,
    l0_events,
)

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
WINDOW = {"t_start": -0.5, "t_end": 1.5}

WORKER = """
data_path, out_path = sys.argv[1], sys.argv[2]
import time
one = pd.DataFrame({"timestamps": data["t"], "dff": data["dff"][0]})
def cut(how, form):
    return general.event_triggered_response(
        one, "timestamps", "dff", data["starts"], t_start=-0.5, t_end=1.5,
        output_sampling_rate=30.0, output_format=form, interpolate=how)
np.savez(out_path, wide=cut(True, "wide").to_numpy())
print("ready", flush=True)
for line in sys.stdin:
    how, form = line.split()
    begin = time.process_time()
    cut(how == "True", form)
    print(time.process_time() - begin, flush=True)
"""


def cpu(function):
    begin = time.process_time()
    function()
    return time.process_time() - begin


def session(n_cells, n_flashes, rate=10.73):
    rng = np.random.default_rng(0)
    starts = 310.01 + 0.75 * np.arange(n_flashes)
    t = np.arange(round((starts[-1] + 310) * rate)) / rate
    return t, rng.normal(size=(n_cells, t.size)), starts


def start_peer(python, t, dff, starts, folder):
    from tests.peers.bou import START

    n = starts.size
    np.savez(
        folder / "in.npz", t=t, dff=dff[:1], events=dff[:1], filtered=dff[:1], ids=[1], rois=[1],
        valid=[True], starts=starts, is_change=np.zeros(n, bool), omitted=np.zeros(n, bool),
        rate=10.73,
    )  # fmt: skip
    (folder / "peer.py").write_text(START + WORKER)
    peer = subprocess.Popen(
        [python, str(folder / "peer.py"), str(folder / "in.npz"), str(folder / "out.npz")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in peer.stdout:
        if line.strip() == "ready":
            return peer
    raise SystemExit("the peer did not start; is brain_observatory_utilities in .venv-peers?")


def timed(peer, what):
    peer.stdin.write(what + "\n")
    peer.stdin.flush()
    return float(peer.stdout.readline())


def against_brain_observatory(n_cells, n_flashes, repeats):
    python = ROOT / ".venv-peers" / "bin" / "python"
    if not python.exists():
        print("brain_observatory_utilities: skipped, `make peers` builds its environment")
        return
    t, dff, starts = session(n_cells, n_flashes)
    many = pd.DataFrame(
        {
            "timestamps": np.tile(t, n_cells),
            "dff": dff.reshape(-1),
            "cell": np.repeat(np.arange(n_cells), t.size),
        }
    )

    def arrays(how):
        event_triggered(
            dff,
            starts,
            t,
            window=(-0.5, 1.5),
            sampling_rate=30.0 if how else None,
            interpolate=how,
        )

    def tables(how, form):
        event_triggered_response(
            many, "timestamps", "dff", starts, **WINDOW, output_sampling_rate=30.0,
            output_format=form, interpolate=how, by="cell",
        )  # fmt: skip

    with tempfile.TemporaryDirectory() as place:
        peer = start_peer(str(python), t, dff, starts, Path(place))
        theirs = np.load(Path(place) / "out.npz")["wide"]
        ours = event_triggered(dff[:1], starts, t, window=(-0.5, 1.5), sampling_rate=30.0)
        inner = (ours.time > -0.5 + 1 / 10.73) & (ours.time < 1.5 - 1 / 10.73)
        worst = np.abs(ours.values[0].T - theirs)[inner].max()
        print(f"equal inside the window to {worst:.1e} ({n_cells} cells x {n_flashes} events)")
        print("call                       theirs (s)   ours (s)   ratio")
        for how in (True, False):
            for form, call in {
                "wide -> array": lambda how=how: arrays(how),
                "wide -> wide": lambda how=how: tables(how, "wide"),
                "tidy -> tidy": lambda how=how: tables(how, "tidy"),
            }.items():
                pairs = [
                    (n_cells * timed(peer, f"{how} {form[:4]}"), cpu(call))
                    for _ in range(repeats)
                ]
                ratio = np.median([a / b for a, b in pairs])
                a, b = np.median(pairs, axis=0)
                name = f"{'interpolated' if how else 'nearest'} {form}"
                print(f"{name:26s} {a:10.1f} {b:10.2f} {ratio:7.0f}")
        peer.stdin.close()
        peer.wait()


def events(n_cells, minutes, rate):
    from scipy.signal import lfilter

    rng = np.random.default_rng(1)
    n = round(minutes * 60 * rate)
    spikes = rng.poisson(0.3 / rate, (n_cells, n))
    y = lfilter([1.0], [1, -np.exp(-1 / (0.5 * rate))], spikes, axis=1)
    y += 0.2 * rng.normal(size=y.shape)
    print(f"events, {n_cells} cells x {n} frames: CPU ms per cell")
    for name, call in {
        "filtered_events": lambda: filtered_events(y, rate),
        "ar1_events": lambda: ar1_events(y, rate),
        "l0_events": lambda: l0_events(y, rate),
    }.items():
        print(f"{name:20s} {1e3 * cpu(call) / n_cells:8.1f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--flashes", type=int, default=4800)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.cells, options.flashes, options.repeats = 10, 480, 1
    against_brain_observatory(options.cells, options.flashes, options.repeats)
    events(options.cells // 5, 5 if options.quick else 30, 10.73)


if __name__ == "__main__":
    main()
