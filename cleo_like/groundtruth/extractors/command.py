"""Any program as an extractor: a recording goes in as a file, a table comes out as CSV."""

from __future__ import annotations

import csv
import functools
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core import Cell, Provenance, Recording, Sweep
from cleo_like.core.errors import FileFormatError, InputError, UnsupportedError, unknown_name
from cleo_like.features.registry import Extracted
from cleo_like.groundtruth.extractors.method import TIMEOUT, Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.core.window import Window
    from cleo_like.features.stack import SweepStack

FORMATS = ("abf", "nwb", "csv")
"""Files that a program can be given; csv: time (s), then potential (mV) and current (pA) of
each sweep."""
_LONG = {"level", "name", "value"}


def command_method(
    name: str,
    command: str,
    *,
    file_format: str = "abf",
    definitions: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Method:
    """Make an extractor of a command line.

    Parameters
    ----------
    name : str
        In tables.
    command : str
        With ``{input}`` (the recording), ``{output}`` (the CSV to write) and, where wanted,
        ``{start}`` and ``{end}`` of the step in seconds.
    file_format : str
        One of `FORMATS`.
    definitions : mapping of str to str, optional
        What it means by a feature, where that is not the native definition.
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

    Examples
    --------
    >>> command_method("mine", "measure {input} {output}").name
    'mine'
    """
    check_command(command)
    if file_format not in FORMATS:
        raise unknown_name("format", file_format, FORMATS)
    run = functools.partial(
        _run, command=command, file_format=file_format, timeout=float(timeout)
    )
    return Method(
        name=name, run=run, definitions=dict(definitions or {}), isolated=False,
        timeout=float(timeout), settings=f"{command} {file_format}",
    )  # fmt: skip


def check_command(command: str) -> None:
    """Refuse a command that names no input or no output."""
    if "{input}" not in command or "{output}" not in command:
        msg = f"the command needs {{input}} and {{output}}, got {command!r}"
        raise InputError(msg)


def _run(
    stack: SweepStack, step: Window, *, command: str, file_format: str, timeout: float
) -> Extracted:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"cell.{file_format}"
        _write(stack, source)
        places = {"start": repr(step.start), "end": repr(step.end)}
        return read_table(run_program(command, source, places, timeout), stack.n_sweeps)


def run_program(command: str, source: Path, places: Mapping[str, Any], timeout: float) -> str:
    """Run a program on a file and give the text of the CSV that it writes.

    Parameters
    ----------
    command : str
        With ``{input}``, ``{output}`` and the names of `places`.
    source : Path
        Its input; it runs in the folder of it.
    places : mapping of str to value
        What else can be in the command.
    timeout : float
        Seconds.

    Raises
    ------
    CleoLikeError
        There is no such program, it failed, or it wrote no file.
    TimeoutError
        It took too long.
    ChildProcessError
        A signal ended it: it crashed.
    """
    folder, target = source.parent, source.with_name("answer.csv")
    try:
        words = [
            word.format(input=source, output=target, **places) for word in shlex.split(command)
        ]
    except KeyError as error:
        names = ", ".join(f"{{{n}}}" for n in ("input", "output", *places))
        raise InputError(f"the command has {{{error.args[0]}}}; there are {names}") from error
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=timeout, check=False, cwd=folder
        )
    except FileNotFoundError as error:
        msg = f"there is no program {words[0]!r}"
        raise UnsupportedError(msg) from error
    except subprocess.TimeoutExpired as error:
        msg = f"no answer within {timeout:g} s"
        raise TimeoutError(msg) from error
    tail = (done.stderr or done.stdout).strip()[-300:]
    if done.returncode < 0:
        msg = f"{words[0]} was ended by signal {-done.returncode}: {tail}"
        raise ChildProcessError(msg)
    if done.returncode:
        msg = f"{words[0]} ended with {done.returncode}: {tail}"
        raise InputError(msg)
    if not target.is_file():
        msg = f"{words[0]} wrote no file; it must write the CSV that {{output}} names"
        raise FileFormatError(msg)
    return target.read_text("utf-8")


def _write(stack: SweepStack, path: Path) -> None:
    if path.suffix == ".csv":
        names = [f"{q}_{k}" for k in range(stack.n_sweeps) for q in ("v_mV", "i_pA")]
        t = np.arange(stack.n_samples)[:, None] / stack.rate
        both = np.stack([stack.voltage_mv, stack.current_pa], axis=1)
        rows = np.hstack([t, both.reshape(-1, stack.n_samples).T])
        head = ",".join(["time_s", *names])
        np.savetxt(path, rows, delimiter=",", header=head, comments="", fmt="%.9g")
        return
    from cleo_like.io import write

    starts = np.arange(stack.n_sweeps) * stack.n_samples / stack.rate
    sweeps = [
        Sweep(
            response=stack.voltage_mv[k] * 1e-3, command=stack.current_pa[k] * 1e-12,
            rate=stack.rate, number=k, start_time=starts[k],
        )
        for k in range(stack.n_sweeps)
    ]  # fmt: skip
    write(
        Recording(
            sweeps=sweeps, cell=Cell(id="cell"), provenance=Provenance(source="groundtruth"),
            session_start="2026-01-01T00:00:00+00:00",
        ),
        path,
    )  # fmt: skip


def read_table(text: str, n_sweeps: int) -> Extracted:
    r"""Read the CSV of a program.

    Long form: columns ``level`` (cell, sweep or spike), ``sweep`` (from 0), ``spike`` (number
    in its sweep), ``name``, ``value`` and, where known, ``uncertainty``. Wide form: one row a
    spike (columns ``sweep`` and ``peak_t``, in seconds), one a sweep (``sweep``), or one for
    the cell.

    Parameters
    ----------
    text : str
        The file.
    n_sweeps : int
        Sweeps of the recording.

    Raises
    ------
    FileFormatError
        A column or a number that cannot be read; the message says which.

    Examples
    --------
    >>> read_table("input_resistance,tau\n200,0.02\n", 3).values
    {'input_resistance': 200.0, 'tau': 0.02}
    """
    rows = list(csv.DictReader(text.splitlines()))
    if not rows:
        return Extracted(values={})
    names = [str(n) for n in rows[0]]
    if set(names) >= _LONG:
        return _long(rows, n_sweeps)
    if "sweep" not in names:
        return Extracted(values={n: number_of(rows[0][n], n) for n in names})
    table = {n: np.array([number_of(row[n], n) for row in rows]) for n in names}
    if "peak_t" in names:
        return Extracted(values={}, spikes=table)
    sweeps = {n: np.full(n_sweeps, np.nan) for n in names if n != "sweep"}
    where = [_place(row, n_sweeps) for row in rows]
    del table["sweep"]
    for n, column in table.items():
        sweeps[n][where] = column
    return Extracted(values={}, sweeps=sweeps)


def _long(rows: list[dict[str, Any]], n_sweeps: int) -> Extracted:
    values: dict[str, float] = {}
    errors: dict[str, float] = {}
    sweeps: dict[str, np.ndarray] = {}
    spikes: dict[tuple[int, int], dict[str, float]] = {}
    for row in rows:
        name, level = str(row["name"]), row["level"]
        value = number_of(row["value"], name)
        if level == "cell":
            values[name] = value
            if row.get("uncertainty"):
                errors[name] = number_of(row["uncertainty"], name)
        elif level == "sweep":
            sweeps.setdefault(name, np.full(n_sweeps, np.nan))[_place(row, n_sweeps)] = value
        elif level == "spike":
            at = (_place(row, n_sweeps), int(number_of(row.get("spike"), "spike")))
            spikes.setdefault(at, {})[name] = value
        else:
            msg = f"level is cell, sweep or spike, got {level!r}"
            raise FileFormatError(msg)
    columns = None
    if spikes:
        keys = sorted(spikes)
        names = sorted({n for one in spikes.values() for n in one})
        columns = {n: np.array([spikes[k].get(n, np.nan) for k in keys]) for n in names}
        columns["sweep"] = np.array([k[0] for k in keys])
    return Extracted(values=values, uncertainty=errors, sweeps=sweeps or None, spikes=columns)


def _place(row: dict[str, Any], n_sweeps: int) -> int:
    k = number_of(row.get("sweep"), "sweep")
    if not (0 <= k < n_sweeps and k == int(k)):
        msg = f"sweep {k:g} is not there: sweeps count from 0 to {n_sweeps - 1}"
        raise FileFormatError(msg)
    return int(k)


def number_of(text: Any, name: str) -> float:
    """Read a number of a table; empty and "nan" are NaN."""
    if text is None or str(text).strip().lower() in {"", "nan", "na"}:
        return float("nan")
    try:
        return float(text)
    except ValueError as error:
        msg = f"{name} is {text!r}, which is no number"
        raise FileFormatError(msg) from error
