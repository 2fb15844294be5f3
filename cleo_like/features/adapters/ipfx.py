"""ipfx in its own environment: arrays and answers travel as files, and so do its crashes.

ipfx needs packages that exclude ours, so a worker process of that environment is kept running
(its import takes seconds) and is started again when it dies.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import CleoLikeError, UnsupportedError
from cleo_like.features.long_square.cell import CellFeatures
from cleo_like.features.spikes.table import SpikeTable

if TYPE_CHECKING:
    from cleo_like.core.window import Window
    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.features.stack import SweepStack

VARIABLE = "CLEO_LIKE_PEERS"
"""Environment variable with the folder of the peers' environment."""

_TIMEOUT = 600.0  # s for one cell
_WORKER = Path(__file__).with_name("ipfx_worker.py")
_SPIKE_OPTIONS = (
    "filter", "dv_cutoff", "max_interval", "min_height", "min_peak", "thresh_frac",
    "reject_at_stim_start_interval",
)  # fmt: skip
_VALUES = (
    "v_baseline", "rheobase_i", "fi_fit_slope", "sag", "vm_for_sag", "input_resistance", "tau",
)  # fmt: skip
_TRAIN = (
    "avg_rate", "latency", "first_isi", "mean_isi", "median_isi", "isi_cv", "adapt", "stim_amp",
    "v_baseline", "sag", "peak_deflect_v", "peak_deflect_index",
)  # fmt: skip


class PeerError(CleoLikeError):
    """A program in another environment failed or died."""


def peers_python() -> Path:
    """Find the Python of the peers' environment.

    Raises
    ------
    UnsupportedError
        It is not there; ``make peers`` builds it.
    """
    given = os.environ.get(VARIABLE)
    root = Path(given) if given else Path(__file__).resolve().parents[3] / ".venv-peers"
    for name in ("bin/python", "Scripts/python.exe"):
        if (root / name).is_file():
            return root / name
    msg = (
        "ipfx and oasis live in an environment of their own: build it with 'make peers' or "
        f"set {VARIABLE}"
    )
    raise UnsupportedError(msg)


class Worker:
    """One running process of the peers' environment.

    Parameters
    ----------
    python : Path
        Of `peers_python`.
    script : Path
        What it runs: each line it reads is a job and the file for its answer (JSON), each
        line it writes says "done".
    """

    def __init__(self, python: Path, script: Path = _WORKER) -> None:
        self._name = script.stem.removesuffix("_worker")
        self._process = subprocess.Popen(
            [str(python), "-I", str(script)],  # -I: its own folder has an ipfx.py too
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, job: Path, answer: Path) -> None:
        """Let it do one job; raises `PeerError` when it dies or takes too long."""
        process = self._process
        if process.stdin is None or process.stdout is None:
            msg = f"the {self._name} worker has no pipes"
            raise PeerError(msg)
        watch = threading.Timer(_TIMEOUT, process.kill)
        watch.start()
        try:
            process.stdin.write(json.dumps([str(job), str(answer)]) + "\n")
            process.stdin.flush()
            reply = process.stdout.readline()
        except BrokenPipeError:
            reply = ""
        finally:
            watch.cancel()
        if reply.strip() != "done":
            self.close()
            msg = f"the {self._name} process died (exit code {process.returncode})"
            raise PeerError(msg)

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:  # it died with a job in the pipe
                    continue
        self._process.kill()
        self._process.wait()


_running: dict[tuple[int, Path, Path], Worker] = {}


def running_worker(script: Path = _WORKER) -> Worker:
    """Give this process's worker, a new one where the last has died.

    Parameters
    ----------
    script : Path
        See `Worker`.
    """
    key = (os.getpid(), peers_python(), script)  # a forked process must not share the pipes
    worker = _running.get(key)
    if worker is None or not worker.alive:
        worker = _running[key] = Worker(key[1], script)
        atexit.register(worker.close)
    return worker


def ask_ipfx(
    stack: SweepStack, step: Window, parameters: ExtractionParameters
) -> dict[str, Any]:
    """Let ipfx measure all sweeps and the cell.

    Returns
    -------
    dict
        ``sweeps``: for each ``spikes`` (columns) and ``train``, or ``error``; ``cell``:
        ``values`` and ``errors``. Units are ipfx's.

    Raises
    ------
    PeerError
        The worker died, or could not start the job.
    """
    limits = parameters.of_ipfx
    options = {
        "start": step.start,
        "end": step.end,
        "spikes": {name: getattr(limits, name) for name in _SPIKE_OPTIONS},
        "train": {
            "baseline_interval": parameters.baseline_interval,
            "sag_baseline_interval": parameters.sag_baseline_interval,
        },
        "subthresh_min_amp": parameters.subthresh_min_amp,
    }
    with tempfile.TemporaryDirectory() as folder:
        job, answer = Path(folder) / "job.npz", Path(folder) / "answer.json"
        np.savez(
            job,
            v=stack.voltage_mv,
            i=stack.current_pa,
            rate=np.array(stack.rate),
            options=np.array(json.dumps(options)),
        )
        try:
            running_worker().ask(job, answer)
        except PeerError:  # it may have died of something else than this job
            running_worker().ask(job, answer)
        found: dict[str, Any] = json.loads(answer.read_text())
    if "failed" in found:
        msg = f"ipfx could not begin: {found['failed']}"
        raise PeerError(msg)
    return found


def ipfx_cell(
    stack: SweepStack, step: Window, parameters: ExtractionParameters
) -> CellFeatures:
    """Measure a cell with ipfx and give it the shape of our own result."""
    found = ask_ipfx(stack, step, parameters)
    excluded = {
        number: f"ipfx: {sweep['error']}"
        for number, sweep in zip(stack.numbers, found["sweeps"], strict=True)
        if "error" in sweep
    }
    if len(excluded) == stack.n_sweeps:
        raise PeerError(next(iter(excluded.values())))
    values = {name: _number(found["cell"]["values"].get(name)) for name in _VALUES}
    errors = "; ".join(f"ipfx: {why}" for why in found["cell"]["errors"].values())
    reasons = {
        name: errors if errors else "ipfx gives no value"
        for name, value in values.items()
        if np.isnan(value)
    }
    sweeps = _sweeps(found["sweeps"])
    command = stack.current_pa[:, stack.index(step.start) + 1]
    sweeps["stim_amp"] = np.where(np.isnan(sweeps["stim_amp"]), command, sweeps["stim_amp"])
    return CellFeatures(
        stack=stack,
        window=step,
        parameters=parameters,
        spikes=_spikes(found["sweeps"], parameters.of_ipfx.cutoff(stack.rate)),
        sweeps=sweeps,
        values=values,
        uncertainty={},
        reasons=reasons,
        excluded=excluded,
        notes=(errors,) if errors else (),
    )


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)


def _sweeps(found: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    rows = [sweep.get("train", {}) for sweep in found]
    out = {name: np.array([_number(row.get(name)) for row in rows]) for name in _TRAIN}
    out["n_spikes"] = np.array([_count(sweep) for sweep in found])
    return out


def _count(sweep: dict[str, Any]) -> int:
    return len(sweep.get("spikes", {}).get("peak_index", ()))


def _spikes(found: list[dict[str, Any]], cutoff: float | None) -> SpikeTable:
    names = list(dict.fromkeys(n for sweep in found for n in sweep.get("spikes", {})))
    counts = [_count(sweep) for sweep in found]
    columns: dict[str, np.ndarray] = {"sweep": np.repeat(np.arange(len(found)), counts)}
    for name in names or ["threshold_t"]:
        values = [x for sweep in found for x in sweep.get("spikes", {}).get(name, ())]
        if name == "isi_type":
            columns[name] = np.array(values, dtype=str)
        else:
            columns[name] = np.array([_number(x) for x in values])
    return SpikeTable(columns=columns, n_sweeps=len(found), cutoff=cutoff)
