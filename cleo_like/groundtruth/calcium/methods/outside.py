"""Methods of others: oasis (peers' environment), CASCADE where installed, programs."""

from __future__ import annotations

import csv
import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import FileFormatError, UnsupportedError
from cleo_like.features.adapters.ipfx import PeerError, peers_python, running_worker
from cleo_like.groundtruth.calcium.methods.answer import read_answer
from cleo_like.groundtruth.extractors.command import check_command, number_of, run_program
from cleo_like.groundtruth.extractors.method import TIMEOUT, Method

if TYPE_CHECKING:
    from cleo_like.groundtruth.calcium.known import Known

Answer = dict[str, np.ndarray]
_WORKER = Path(__file__).with_name("oasis_worker.py")
_LEAST = 0.5
CASCADE_MODEL = "Global_EXC_30Hz_smoothing25ms"
CASCADE_RATE = 30.0
"""Hz at which the traces were that `CASCADE_MODEL` learnt from."""
_NEAR = 0.05  # of that: frames are taken as they are
CASCADE_TRAINED = tuple(f"DS{k:02d}" for k in range(3, 21))
"""Sets that the weights of `CASCADE_MODEL` were trained on."""
FORMATS = ("csv", "npz")
"""Files that a program can be given. csv: a column ``time_s`` and one a cell; npz: ``dff``,
``rate``, ``tau``."""


def need_oasis() -> None:
    """Refuse where the peers' environment or oasis in it is missing."""
    root = peers_python().parents[1]
    if not any(root.glob("[Ll]ib/**/site-packages/oasis")):
        msg = "oasis-deconv is not in the peers' environment; 'make peers' installs it"
        raise UnsupportedError(msg)


def oasis(dff: np.ndarray, rate: float, known: Known, *, told: bool = False) -> Answer:
    """Deconvolve with oasis-deconv, its own settings.

    Parameters
    ----------
    dff : array, shape (n_cells, n_frames)
        Traces.
    rate : float
        Hz.
    known : Known
        The indicator.
    told : bool
        Whether it is told the decay; otherwise it estimates that.
    """
    with tempfile.TemporaryDirectory() as folder:
        job, target = Path(folder) / "job.npz", Path(folder) / "answer.npz"
        np.savez(job, dff=dff, rate=rate, tau=known.tau if told else -1.0)
        running_worker(_WORKER).ask(job, target)
        with np.load(target) as z:
            if "failed" in z:
                raise PeerError(f"oasis failed: {z['failed']}")
            jumps = z["events"]
    return {
        "rate": jumps / known.peak * rate,
        "events": np.where(np.isnan(jumps), np.nan, jumps * (jumps > _LEAST * known.peak)),
    }


def cascade(dff: np.ndarray, rate: float, known: Known) -> Answer:  # noqa: ARG001
    """Predict with CASCADE's general model (its weights must be in its own folder).

    A model of CASCADE is for one frame rate: traces of another are brought to it by
    interpolation, and what comes back to theirs.
    """
    from cascade2p import cascade as package

    n = dff.shape[1]
    count = round(n * CASCADE_RATE / rate)
    own, its = (np.arange(0.5, m) / r for m, r in ((n, rate), (count, CASCADE_RATE)))
    given = dff if abs(rate / CASCADE_RATE - 1) < _NEAR else _moved(dff, own, its)
    found = np.asarray(package.predict(CASCADE_MODEL, given.astype(np.float32)), dtype=float)
    if given is not dff:
        found = _moved(found, its, own)
    return {"rate": found * (rate if given is dff else CASCADE_RATE)}


def _moved(rows: np.ndarray, times: np.ndarray, to: np.ndarray) -> np.ndarray:
    return np.array([np.interp(to, times, row) for row in rows])


def need_cascade() -> None:
    """Refuse where CASCADE is not installed."""
    from importlib.util import find_spec

    if find_spec("cascade2p") is None:
        msg = "CASCADE (cascade2p) is not installed here"
        raise UnsupportedError(msg)


def calcium_command(
    name: str, command: str, *, file_format: str = "csv", timeout: float = TIMEOUT
) -> Method:
    """Make a method of a command line.

    Parameters
    ----------
    name : str
        In tables.
    command : str
        With ``{input}`` (the traces), ``{output}`` (the CSV to write) and, where wanted,
        ``{rate}`` (Hz), ``{tau}`` (s) and ``{indicator}``.
    file_format : str
        "csv" or "npz".
    timeout : float
        Seconds for one recording.

    Returns
    -------
    Method
        A failing program, a hang and a table that cannot be read are outcomes, no errors.

    Raises
    ------
    InputError
        The command names no input or no output.
    UnknownNameError
        A format that there is none of.

    Examples
    --------
    >>> calcium_command("mine", "infer {input} {output} {rate}").name
    'mine'
    """
    from cleo_like.core.errors import unknown_name

    check_command(command)
    if file_format not in FORMATS:
        raise unknown_name("format", file_format, FORMATS)
    run = functools.partial(
        _run, command=command, file_format=file_format, timeout=float(timeout)
    )
    return Method(
        name=name, run=run, isolated=False, timeout=float(timeout), read=read_answer,
        settings=f"{command} {file_format}",
    )  # fmt: skip


def _run(
    dff: np.ndarray, rate: float, known: Known, *, command: str, file_format: str,
    timeout: float,
) -> Answer:  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"traces.{file_format}"
        if file_format == "npz":
            np.savez(source, dff=dff, rate=rate, tau=known.tau)
        else:
            _write(dff, rate, source)
        places = {"rate": repr(rate), "tau": repr(known.tau), "indicator": known.indicator}
        return read_traces(run_program(command, source, places, timeout), *dff.shape)


def _write(dff: np.ndarray, rate: float, path: Path) -> None:
    ends = np.arange(1, dff.shape[1] + 1)[:, None] / rate
    head = ",".join(["time_s", *(f"dff_{k}" for k in range(len(dff)))])
    rows = np.hstack([ends, dff.T])
    np.savetxt(path, rows, delimiter=",", header=head, comments="", fmt="%.9g")


def read_traces(text: str, n_cells: int, n_frames: int) -> Answer:
    r"""Read the CSV of a program: a row a frame, columns ``rate_0``, ``event_0`` and so on.

    Parameters
    ----------
    text : str
        Columns ``rate_K`` (spikes/s) or ``trace_K`` (other units) of each cell K from 0;
        ``event_K`` and ``noise_K`` (the same in every row) where it has them.
    n_cells, n_frames : int
        Of the traces.

    Raises
    ------
    FileFormatError
        Cells or frames are missing, or a number cannot be read; the message says which.

    Examples
    --------
    >>> read_traces("time_s,rate_0\n0.1,2\n0.2,0\n", 1, 2)
    {'rate': array([[2., 0.]])}
    """
    rows = list(csv.reader(text.splitlines()))
    names = rows[0] if rows else []
    if len(rows) - 1 != n_frames:
        msg = f"the CSV has {max(len(rows) - 1, 0)} rows below its names, expected {n_frames}"
        raise FileFormatError(msg)
    out: Answer = {}
    for kind in ("rate", "trace", "event", "noise"):
        wanted = [f"{kind}_{k}" for k in range(n_cells)]
        there = [w for w in wanted if w in names]
        if not there:
            continue
        if len(there) < n_cells:
            missing = next(w for w in wanted if w not in names)
            raise FileFormatError(f"the CSV has no column {missing!r}")
        columns = [_column(rows, names.index(w), w) for w in wanted]
        if kind == "noise":
            out[kind] = np.array([column[0] for column in columns])
        else:
            out["events" if kind == "event" else kind] = np.array(columns)
    if not {"rate", "trace"} & set(out):
        msg = "the CSV needs columns rate_0, rate_1, ... (spikes/s) or trace_0, trace_1, ..."
        raise FileFormatError(msg)
    return out


def _column(rows: list[list[Any]], place: int, name: str) -> list[float]:
    return [number_of(row[place] if place < len(row) else None, name) for row in rows[1:]]
