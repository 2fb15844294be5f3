"""A compiled group that plays a command as it arrives, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.engine.codegen.source import OUTPUTS
from cleo_like.engine.runtime.program import Arguments, Recorder, _Chunk, _joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.engine.runtime.program import Program, Spikes

_FOR_EVER = 2**62
"""Samples of the command, so that its end is never reached."""


class Stream:
    """One group, its command (a TimedArray) and its recorded variables, without an end.

    Parameters
    ----------
    program : Program
        A compiled group of one trace with one TimedArray and one StateMonitor.
    recorded : sequence of str
        Recorded variables, sorted.
    longest : int
        Samples of the longest block.
    per_sample : int
        Integration steps of a sample.
    """

    def __init__(
        self, program: Program, recorded: Sequence[str], longest: int, per_sample: int
    ) -> None:
        self._program, self._per_sample = program, per_sample
        self.samples = {name: np.zeros((1, longest), dtype=np.float32) for name in recorded}
        recorders = [Recorder(out=buffer.T) for buffer in self.samples.values()]
        self._chunk = _Chunk(
            program, Arguments.of(program), 0, recorders=recorders, seed=0, offset=0
        )
        self._command = np.zeros((longest, 1))
        self._address = self._command.ctypes.data
        self.position = 0

    def restart(self) -> None:
        """Count from 0 again (the caller sets the states)."""
        self.position = 0
        self._chunk.arguments.fired[:] = 0
        self._chunk.arguments.results[:] = 0
        self._chunk.arguments.results[1] = -1  # nothing is lost

    def play(self, command: np.ndarray) -> list[Spikes] | None:
        """Advance by one block; what it recorded is in `samples` up to its length.

        Parameters
        ----------
        command : array, shape (n,)
            Held for one sample each.

        Returns
        -------
        list of Spikes or None
            None: there was no spike.

        Raises
        ------
        InputError
            A state is not finite any more.
        """
        n, layout, chunk = len(command), self._program.kernel.layout, self._chunk
        head, results = chunk.arguments.head, chunk.arguments.results
        self._command[:n, 0] = command
        # sample k of the command is read at its absolute place: let the array begin before it
        at = layout.timed_at
        head[at] = self._address - 8 * self.position
        head[at + 1] = _FOR_EVER
        results[OUTPUTS : OUTPUTS + len(self.samples)] = 0
        start = self.position * self._per_sample
        chunk.advance(start, start + n * self._per_sample)
        self.position += n
        if results[1] < 0 and not any(chunk.parts):
            return None
        outcome = _joined(layout, [chunk])
        chunk.parts = [[] for _ in layout.spikes]
        if outcome.lost is not None:
            plan = self._program.plan
            advice = "start again with less command"
            raise InputError(outcome.lost.describe(plan.group.name, plan.dt, advice))
        return outcome.spikes
