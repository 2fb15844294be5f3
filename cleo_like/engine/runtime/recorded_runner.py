"""A group advanced by stretches whose StateMonitors are filled, stretch by stretch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.engine.runtime.group_runner import Together
from cleo_like.engine.runtime.monitors import recorders_of

if TYPE_CHECKING:
    from cleo_like.engine.runtime.program import Recorder


class Recorded(Together):
    """As `Together`, with StateMonitors: after a stretch they hold every step before its end.

    That is what Brian2's own loop shows to Python between two steps.
    """

    _recorders: tuple[Recorder, ...] = ()

    def advance(self, start: int, stop: int) -> None:
        """Run steps [start, stop), and record them."""
        found, commit = recorders_of(self.program.plan, start, stop)
        self._recorders = tuple(found)
        super().advance(start, stop)
        commit()

    def _make_room(self, n_steps: int) -> None:
        super()._make_room(n_steps)
        self._one = self.program.kernel.bind(self._arguments)
        self._call = self._all_chunks

    def _all_chunks(self) -> None:
        """Run chunk after chunk: each has lanes and columns of its own in the recorders."""
        arguments, layout = self._arguments, self.program.kernel.layout
        end = len(arguments.results) - len(arguments.buffers)
        for first in range(0, self.n, layout.width):
            size = min(layout.width, self.n - first)
            arguments.head[:2] = first, size
            arguments.results[end - len(self._recorders) : end] = 0  # samples written
            arguments.recorders.clear()
            for recorder in self._recorders:
                arguments.record(layout, (first, size), recorder)
            self._one()
