"""Rows that are measured or were before, saved on the way and on the way out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.features.table import FeatureTable, Record, check_table

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.features.tasks.task import Task

_SAVE_EVERY = 30.0  # s


class Done:
    """Rows that are there, by source; saved on the way and on the way out."""

    def __init__(self, tasks: list[Task], path: Path | None) -> None:
        if path is not None:
            check_table(path, overwrite=True)  # what cannot be written is said before any work
        self._path = path
        self._count = len(tasks)
        self._before: FeatureTable | None = None
        self._rows: dict[int, np.ndarray] = {}  # of the table from before, by task
        self._other = np.zeros(0, dtype=int)
        self._records: dict[int, list[Record]] = {}
        self._saved = time.monotonic()
        if path is not None and path.is_file():
            self._recall(tasks, FeatureTable.read(path))
        self.missing = [k for k in range(len(tasks)) if k not in self._rows]

    def _recall(self, tasks: list[Task], table: FeatureTable) -> None:
        self._before = table
        names = ("content_hash", "extractor", "settings")
        rows: dict[tuple[Any, ...], list[int]] = {}
        for row, key in enumerate(zip(*(table[name] for name in names), strict=True)):
            rows.setdefault(key, []).append(row)
        used = np.zeros(len(table), dtype=bool)
        for k, task in enumerate(tasks):
            found = rows.get(task.key)
            if found is not None and task.content_hash != "missing":
                self._rows[k] = np.array(found)
                used[found] = True
        self._other = np.flatnonzero(~used)

    def __enter__(self) -> Done:
        return self

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self._save(self._path)

    def put(self, position: int, records: list[Record]) -> None:
        """Keep the rows of the task at a position."""
        self._records[position] = records
        if self._path is not None and time.monotonic() - self._saved > _SAVE_EVERY:
            self._save(self._path)
            self._saved = time.monotonic()

    def _save(self, path: Path) -> None:
        table = self.table()
        if (
            self._before is not None and self._other.size
        ):  # rows of other sources stay in the file
            table = FeatureTable.join([self._before.take(self._other), table])
        if len(table):
            table.write(path, overwrite=True)

    def table(self) -> FeatureTable:
        """Give the rows in the order of the tasks: two tables are joined, however many rows."""
        new = sorted(self._records)
        records = [r for k in new for r in self._records[k]]
        if self._before is None or not self._rows:
            return FeatureTable.from_records(records)
        old = sorted(self._rows)
        recalled = self._before.take(np.concatenate([self._rows[k] for k in old]))
        measured = FeatureTable.from_records(records)
        parts = [(old, [self._rows[k].size for k in old], recalled)]
        parts.insert(
            0 if new and new[0] < old[0] else 1,
            (new, [len(self._records[k]) for k in new], measured),
        )
        place = np.concatenate([np.repeat(ks, sizes) for ks, sizes, _ in parts]).astype(int)
        joined = FeatureTable.join([table for _, _, table in parts])
        return joined.take(np.argsort(place, kind="stable"))
