"""Where tasks run: in this process, in processes of its own, or in a given executor."""

from __future__ import annotations

from collections import deque
from concurrent.futures import BrokenExecutor
from typing import TYPE_CHECKING, Any

from cleo_like.features.tasks.task import failed, run_task
from cleo_like.utilities.processes import process_pool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from cleo_like.features.table import Record
    from cleo_like.features.tasks.task import Task

_IN_FLIGHT = 4  # tasks per worker that wait or run


class Runner:
    """Gives tasks to this process, to processes of its own, or to a given executor."""

    def __init__(self, executor: Executor, n_jobs: int, retries: int) -> None:
        self._own = executor is None and n_jobs > 1
        self._executor = executor
        self._n_jobs = n_jobs
        self._retries = retries

    def __enter__(self) -> Runner:
        if self._own:
            self._executor = process_pool(self._n_jobs)
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def run(self, tasks: list[tuple[int, Task]]) -> Iterator[tuple[int, list[Record]]]:
        """Give the records of each task, in the order of the tasks."""
        if self._executor is None:
            yield from ((k, run_task(task)) for k, task in tasks)
            return
        waiting = iter(tasks)
        flying: deque[tuple[int, Task, Any]] = deque()
        depth = _IN_FLIGHT * _workers(self._executor, self._n_jobs)
        while True:
            for k, task in waiting:
                flying.append((k, task, self._submit(task)))
                if len(flying) >= depth:
                    break
            if not flying:
                return
            k, task, future = flying.popleft()
            yield k, self._outcome(task, future)

    def _submit(self, task: Task) -> Any:
        try:
            return self._executor.submit(run_task, task)
        except BrokenExecutor:
            if not self._own:
                raise
            self._executor.shutdown(wait=False)
            self._executor = process_pool(self._n_jobs)
            return self._executor.submit(run_task, task)

    def _outcome(self, task: Task, future: Any) -> list[Record]:
        """Wait for a task; a worker that died gets it (that is, another gets it) again."""
        for _ in range(self._retries):
            error = future.exception()
            if error is None:
                return future.result()
            future = self._submit(task)
        error = future.exception()
        if error is None:
            return future.result()
        return [failed(task.about, error)]


def _workers(executor: Executor, n_jobs: int) -> int:
    return int(getattr(executor, "_max_workers", None) or max(n_jobs, 8))
