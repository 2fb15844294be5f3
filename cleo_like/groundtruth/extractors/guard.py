"""Calling the code of others: failure, a hang, a crash, printing and nonsense are results."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.features.registry import Extracted, check_rows
from cleo_like.features.stack import SweepStack
from cleo_like.groundtruth.extractors.outcome import (
    CRASHED,
    FAILED,
    OK,
    TIMED_OUT,
    Outcome,
)  # fmt: skip

if TYPE_CHECKING:
    from cleo_like.groundtruth.extractors.method import Method

_MOST_PRINTED = 2000
_LOOK = 2.0  # s between two looks whether the parent lives


class Guard:
    """Calls one extractor, in a process of its own where it asks for that.

    Parameters
    ----------
    method : Method
        The extractor.

    Examples
    --------
    >>> from cleo_like.groundtruth.extractors.method import Method
    >>> def broken(stack, step):
    ...     raise ValueError("no spikes")
    >>> with Guard(Method(name="broken", run=broken, isolated=False)) as guard:
    ...     guard.ask(None, None).why
    'ValueError: no spikes'
    """

    def __init__(self, method: Method) -> None:
        self.method = method
        self._process: Any = None
        self._pipe: Any = None

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, *arguments: Any, truth: Any = None) -> Outcome:
        """Let it measure one recording.

        Parameters
        ----------
        *arguments
            What its `Method.run` takes: sweeps and the step; or traces and their rate.
        truth : Truth, optional
            For the perfect extractor only.
        """
        if self.method.knows_truth:
            arguments += (truth,)
        if not self.method.isolated:
            return _called(self.method, arguments)
        if self._process is None or not self._process.is_alive():
            self._start()
        return self._remote(arguments)

    def close(self) -> None:
        """End its process."""
        if self._process is None:
            return
        self._pipe.close()
        self._process.kill()
        self._process.join()
        self._process = None

    def _start(self) -> None:
        self.close()
        kind = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
        context: Any = multiprocessing.get_context(kind)  # fork takes functions of any kind
        # a worker of Dask is a daemon, which may have no processes of its own; this one ends
        # with it whether it is one or not
        multiprocessing.current_process().daemon = False
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(self.method, other), daemon=True)
        self._process.start()
        other.close()

    def _remote(self, arguments: tuple[Any, ...]) -> Outcome:
        begun = time.monotonic()
        try:
            self._pipe.send(arguments)
            if not self._pipe.poll(self.method.timeout):
                self.close()
                why = f"no answer within {self.method.timeout:g} s"
                return Outcome(status=TIMED_OUT, why=why, seconds=self.method.timeout)
            return self._pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._process.join()
            code = self._process.exitcode
            self.close()
            spent = time.monotonic() - begun
            return Outcome(status=CRASHED, why=f"its process ended with {code}", seconds=spent)


def _serve(method: Method, pipe: Any) -> None:
    """Answer calls in the other process until the pipe closes."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)  # what a library in C prints does not reach the screen
        os.dup2(nowhere.fileno(), 2)
    parent = os.getppid()
    while True:
        try:
            # processes forked later hold the pipe open: a killed parent closes nothing
            while not pipe.poll(_LOOK):
                if os.getppid() != parent:
                    return
            arguments = pipe.recv()
        except EOFError:
            return
        pipe.send(_called(method, arguments))


class _Fault:
    """Keeps whatever the code of others raises, also of a class of its own."""

    error: Exception | None = None

    def __enter__(self) -> _Fault:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        if not isinstance(error, Exception):  # what ends a process is not held up
            return False
        self.error = error
        return True


def _called(method: Method, arguments: tuple[Any, ...]) -> Outcome:
    """Call it and read its answer; whatever it raises becomes an outcome."""
    said, fault = io.StringIO(), _Fault()
    begun = time.process_time()
    found = Outcome(status=FAILED)
    with fault, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        answer = method.run(*arguments)
        found = method.read(answer, arguments) if method.read else _read(answer, arguments)
    if isinstance(fault.error, TimeoutError):
        found = Outcome(status=TIMED_OUT, why=str(fault.error))
    elif isinstance(fault.error, ChildProcessError):
        found = Outcome(status=CRASHED, why=str(fault.error))
    elif fault.error is not None:
        why = f"{type(fault.error).__name__}: {fault.error}"
        found = Outcome(status=FAILED, why=why[:500])
    spent = time.process_time() - begun
    return attrs.evolve(found, printed=said.getvalue()[:_MOST_PRINTED], seconds=spent)


def _read(answer: Any, arguments: tuple[Any, ...]) -> Outcome:
    """Take an answer apart; a text where a number is expected is a failure with its name."""
    if not isinstance(answer, Extracted):
        if not isinstance(answer, Mapping):
            why = f"it gave a {type(answer).__name__}; give an Extracted or a mapping"
            return Outcome(status=FAILED, why=why)
        answer = Extracted(values=answer)
    if isinstance(arguments[0], SweepStack):
        check_rows(answer, arguments[0].n_sweeps)
    values, bad = _numbers(answer.values)
    spikes = {k: v for k, v in (answer.spikes or {}).items() if v.dtype.kind in "biuf"}
    sweeps = {k: v for k, v in (answer.sweeps or {}).items() if v.dtype.kind in "biuf"}
    texts = [k for k, v in (answer.spikes or {}).items() if k != "isi_type" and k not in spikes]
    texts += [k for k in (answer.sweeps or {}) if k not in sweeps] + bad
    if texts:
        why = f"not numbers: {', '.join(sorted(texts)[:8])}"
        return Outcome(status=FAILED, why=why)
    return Outcome(
        status=OK, values=values, uncertainty=_numbers(answer.uncertainty)[0],
        spikes={k: np.asarray(v, dtype=float) for k, v in spikes.items()},
        sweeps={k: np.asarray(v, dtype=float) for k, v in sweeps.items()},
    )  # fmt: skip


def _numbers(given: Mapping[str, Any]) -> tuple[dict[str, float], list[str]]:
    out, bad = {}, []
    for name, value in given.items():
        if isinstance(value, (str, bytes)) or value is None:
            bad.append(str(name))
            continue
        out[str(name)] = float(value)
    return out, bad
