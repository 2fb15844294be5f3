"""Run compiled kernels over Brian2's arrays: chunks, segments, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.engine.codegen.source import CHECK_EVERY, HEAD, OUTPUTS, Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cleo_like.engine.codegen.build import Kernel
    from cleo_like.engine.codegen.network import GroupPlan

_LANE_STEPS = 1_000_000
"""Lane-steps per call of the kernel (some 10 ms); between calls Ctrl-C is heard."""
_SPIKE_ROOM = 4096


@attrs.frozen(kw_only=True, eq=False)
class Recorder:
    """Where the samples of one recorded variable go.

    Attributes
    ----------
    out : array
        float64 (sample, column) or float32 (column, sample) through its strides: axis 0 is
        the sample, axis 1 the column.
    lanes : array of int or None
        Recorded trace of each column; None records all traces.
    """

    out: np.ndarray
    lanes: np.ndarray | None = None


@attrs.define(eq=False)
class Spikes:
    """Spikes of one monitor: trace, step, recorded variables."""

    trace: np.ndarray
    step: np.ndarray
    variables: dict[str, np.ndarray]


@attrs.frozen
class Lost:
    """The first value of a trace that was not finite: found within the last steps.

    `entered` is True where the value is NaN from the first step on: it was written from
    outside. `causes` are the parameters that are not finite in that trace.
    """

    trace: int
    step: int
    variable: str
    entered: bool = False
    causes: tuple[str, ...] = ()

    def describe(self, group: str, dt: float, advice: str = "try a smaller dt") -> str:
        """Say which variable of which trace was lost, when, and what to look at."""
        if self.entered:
            return (
                f"{self.variable} of {group!r} is NaN in trace {self.trace} at the start of "
                f"step {self.step} ({self.step * dt * 1e3:.3f} ms): what was written there is "
                "no number"
            )
        text = (
            f"the state {self.variable!r} of {group!r} is not finite in trace {self.trace} "
            f"{self.when(dt)}"
        )
        if self.causes:
            return f"{text}; not finite there either: {', '.join(self.causes)}"
        return f"{text}; {advice}"

    def when(self, dt: float) -> str:
        """Say between which times it happened, for a step of `dt` (s)."""
        first = max(self.step - CHECK_EVERY, 0)
        return f"between {first * dt * 1e3:.3f} and {(self.step + 1) * dt * 1e3:.3f} ms"


@attrs.frozen(eq=False)
class Outcome:
    """What a run gave besides the recorded samples."""

    spikes: list[Spikes]
    lost: Lost | None


@attrs.frozen(eq=False)
class Program:
    """A compiled group with its arrays and values bound."""

    kernel: Kernel
    plan: GroupPlan

    @property
    def n_traces(self) -> int:
        """Number of neurons of the group."""
        return len(self.plan.group)

    def run(
        self,
        start: int,
        stop: int,
        recorders: Sequence[Recorder],
        *,
        seed: int = 0,
        offset: int = 0,
        threads: int = 1,
        report: Callable[[int], None] | None = None,
        keep_going: Callable[[], bool] = lambda: True,
    ) -> Outcome:
        """Advance all traces from step `start` to step `stop`.

        Parameters
        ----------
        start, stop : int
            Steps of the group's clock.
        recorders : sequence of Recorder
            One per recorded variable, in the order of the layout.
        seed : int
            Seed of the noise terms.
        offset : int
            Number of the first trace for the noise streams.
        threads : int
            Chunks that run at the same time; the result does not depend on it.
        report : callable, optional
            Told the trace-steps done since the last call, from any thread.
        keep_going : callable, optional
            Asked between two segments; False ends the run.
        """
        common = Arguments.of(self)
        jobs = [
            _Chunk(self, common, first, recorders=recorders, seed=seed, offset=offset)
            for first in range(0, self.n_traces, self.kernel.layout.width)
        ]
        stopping: list[bool] = []

        def work(chunk: _Chunk) -> None:
            size = max(1, _LANE_STEPS // chunk.n)
            at = start
            while at < stop and not stopping and keep_going():
                end = min(at + size, stop)
                chunk.advance(at, end)
                if report is not None:
                    report(chunk.n * (end - at))
                at = end

        if threads <= 1 or len(jobs) == 1:
            for chunk in jobs:
                work(chunk)
        else:
            _in_threads(work, jobs, threads, stopping)
        return _joined(self.kernel.layout, jobs)


def _in_threads(
    work: Callable[[Any], None], jobs: list[Any], threads: int, stopping: list[bool]
) -> None:
    """Run jobs in threads; an interrupt lets the running segments end and is passed on."""
    with ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(work, job) for job in jobs]
        try:
            for future in waiting:
                future.result()
        except BaseException:
            stopping.append(True)
            for future in waiting:
                future.cancel()
            raise


@attrs.frozen(eq=False)
class Arguments:
    """All that a kernel works on; the arrays live as long as this does.

    `head` holds the numbers and addresses of the layout; `arrays`, `timed`, `fired` (who fired
    in the last step), `recorders` (out, lanes, columns) and `buffers` are what its addresses
    point at.
    """

    head: np.ndarray
    constants: np.ndarray
    results: np.ndarray
    arrays: list[np.ndarray]
    timed: list[np.ndarray]
    fired: np.ndarray
    recorders: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = attrs.field(factory=list)
    buffers: list[list[np.ndarray]] = attrs.field(factory=list)

    @classmethod
    def of(cls, program: Program) -> Arguments:
        """Look up every array and value of a group by name."""
        plan, layout = program.plan, program.kernel.layout
        head = np.zeros(layout.n_arguments, dtype=np.int64)
        constants = [_value(plan, name) for name, _ in layout.constants]
        arrays = [plan.group.variables[name].get_value() for name, _ in layout.arrays]
        for k, array in enumerate(arrays):
            head[HEAD + k] = array.ctypes.data
        timed = []
        for k, (name, _) in enumerate(layout.timed):
            found = plan.externals[name]
            values = np.ascontiguousarray(found.values, dtype=np.float64)
            timed.append(values)
            columns = values.shape[1] if values.ndim == 2 else 1
            at = layout.timed_at + 3 * k
            head[at : at + 3] = values.ctypes.data, len(values), columns
            constants += [found.dt, _upsampling(plan.dt, found.dt)]
        results = np.zeros(layout.n_outputs, dtype=np.int64)
        results[1] = -1
        fired = np.zeros(len(plan.group), dtype=np.int8)  # Brian2 forgets spikes between runs
        head[7] = fired.ctypes.data
        return cls(head, np.array(constants, dtype=np.float64), results, arrays, timed, fired)

    def copy(self) -> Arguments:
        """Give arguments for another chunk of the same group."""
        return attrs.evolve(
            self, head=self.head.copy(), results=self.results.copy(), recorders=[], buffers=[]
        )

    def record(self, layout: Layout, chunk: tuple[int, int], recorder: Recorder) -> None:
        """Add a recorder of the traces [first, first + n)."""
        (first, n), out, wanted = chunk, recorder.out, recorder.lanes
        if wanted is None:
            lanes, columns = _all_lanes(first, n)
        else:
            inside = (wanted >= first) & (wanted < first + n)
            columns = np.flatnonzero(inside).astype(np.int64)
            lanes = (wanted[columns] - first).astype(np.int32)
        at, size = layout.recorders_at + 8 * len(self.recorders), out.itemsize
        self.recorders.append((out, lanes, columns))
        self.head[at : at + 8] = (
            out.ctypes.data, out.strides[0] // size, out.strides[1] // size, size == 4,
            wanted is None, len(lanes), lanes.ctypes.data, columns.ctypes.data,
        )  # fmt: skip

    def make_room(self, layout: Layout, room: int) -> None:
        """Make buffers for `room` spikes of every monitor."""
        self.head[6] = room
        self.buffers.clear()
        at = layout.spikes_at
        for variables in layout.spikes:
            types = [np.int32, np.int64, *(_NUMPY[kind] for _, kind in variables)]
            self.buffers.append([np.empty(room, dtype=kind) for kind in types])
            for buffer in self.buffers[-1]:
                self.head[at] = buffer.ctypes.data
                at += 1

    def counters(self) -> np.ndarray:
        """Numbers of spikes in the buffers, one per monitor; a view."""
        return self.results[len(self.results) - len(self.buffers) :]


@lru_cache(maxsize=64)
def _all_lanes(first: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Lanes and columns of the traces [first, first + n): a loop asks at every sample."""
    return np.arange(n, dtype=np.int32), np.arange(first, first + n, dtype=np.int64)


def _value(plan: GroupPlan, name: str) -> float:
    """Give the value of a constant or of a shared parameter."""
    found = plan.externals.get(name)
    if found is None:
        found = plan.group.variables[name]
    return float(np.asarray(found.get_value()).item())


def _upsampling(group_dt: float, dt: float) -> float:
    """Brian2's factor for finding the sample at a time despite rounding."""
    return float(max(int(2 ** np.ceil(np.log2(8 / group_dt * dt))), 1))


class _Chunk:
    """As many neighbouring traces as a kernel has lanes, and their spikes so far."""

    def __init__(
        self,
        program: Program,
        common: Arguments,
        first: int,
        *,
        recorders: Sequence[Recorder],
        seed: int,
        offset: int,
    ) -> None:
        layout = program.kernel.layout
        self.program = program
        self.n = n = min(layout.width, program.n_traces - first)
        self.arguments = common.copy()
        room = max(_SPIKE_ROOM, 2 * n)
        self.arguments.head[:7] = first, n, 0, 0, seed, offset, room
        for recorder in recorders:
            self.arguments.record(layout, (first, n), recorder)
        self.arguments.make_room(layout, room)
        self.parts: list[list[list[np.ndarray]]] = [[] for _ in layout.spikes]
        self.call = program.kernel.bind(self.arguments)
        self._first_counter = len(self.arguments.results) - len(self.arguments.buffers)

    def advance(self, start: int, stop: int) -> None:
        """Run steps [start, stop), emptying the spike buffers as often as they fill."""
        head, results = self.arguments.head, self.arguments.results
        head[3] = stop
        while start < stop:
            head[2] = start
            self.call()
            found = results.tolist()  # numbers: a live cell comes here for a block
            start = found[0]
            if any(found[self._first_counter :]):
                self._take_spikes()

    def _take_spikes(self) -> None:
        counters = self.arguments.counters()
        for buffer, kept, count in zip(
            self.arguments.buffers, self.parts, counters, strict=True
        ):
            if count:
                kept.append([column[:count].copy() for column in buffer])
        counters[:] = 0

    @property
    def lost(self) -> Lost | None:
        return lost_in(self.program, self.arguments)


_NUMPY = {"double": np.float64, "int32_t": np.int32, "int64_t": np.int64, "char": np.bool_}


def in_order(columns: list[np.ndarray], names: list[str]) -> Spikes:
    """Sort columns (trace, step, then `names`) that come trace by trace into Brian2's order."""
    order = np.argsort(columns[1], kind="stable")
    trace, step, *rest = (column[order] for column in columns)
    return Spikes(trace, step, dict(zip(names, rest, strict=True)))


def lost_in(program: Program, arguments: Arguments) -> Lost | None:
    """Give what a kernel found that is not finite."""
    if arguments.results.item(1) < 0:
        return None
    _, trace, step, number = arguments.results[:OUTPUTS].tolist()
    layout = program.kernel.layout
    name = layout.checked[number]
    entered = bool(arguments.head[8]) and step == arguments.head[2]
    kept = {layout.arrays[k][0]: array for k, array in enumerate(arguments.arrays)}
    given = [n for n in layout.checked[layout.n_states :] if n not in layout.written]
    causes = tuple(f"{n} = {kept[n][trace]}" for n in given if not np.isfinite(kept[n][trace]))
    return Lost(trace, step, name, entered=entered, causes=causes)


def _joined(layout: Layout, jobs: list[_Chunk]) -> Outcome:
    """Put the spikes of all chunks in Brian2's order: by time, then by trace."""
    spikes = []
    for k, variables in enumerate(layout.spikes):
        pieces = [piece for job in jobs for piece in job.parts[k]]
        empty = [column[:0] for column in jobs[0].arguments.buffers[k]]
        columns = [np.concatenate(c) for c in zip(empty, *pieces, strict=True)]
        spikes.append(in_order(columns, [name for name, _ in variables]))
    found = [job.lost for job in jobs if job.lost is not None]
    first = min(found, key=lambda lost: lost.step) if found else None
    return Outcome(spikes, first)
