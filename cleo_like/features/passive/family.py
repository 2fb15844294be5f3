"""Which sweeps tell of the membrane, and the circuit that they give together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.features.passive.joint.bins import binned
from cleo_like.features.passive.joint.circuit import circuit_of
from cleo_like.features.passive.joint.command import command_of
from cleo_like.features.passive.joint.fit import Delay, Problem
from cleo_like.features.passive.joint.response import Geometry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.core.window import Window
    from cleo_like.features.passive.joint.bins import Bins
    from cleo_like.features.passive.joint.circuit import Circuit
    from cleo_like.features.passive.joint.command import Command
    from cleo_like.features.stack import SweepStack

NO_STEP = 0.5  # pA: a recorded step of 0 pA, not a step
NO_ANSWER = "the potential does not answer the current"
FIRING = "the cell fires before the steps: no level from which they could be measured"
CLIPPED = "the potential is clipped in every sweep with a hyperpolarising step"
NO_REST = "only"  # how the reason begins that tells the time at rest
NO_SWEEP = "no subthreshold sweep with a hyperpolarising step"
_REST = 5e-3  # s at the first level without which the level of a sweep is not known
_MASK = 3e-4  # s after each edge that are left out at first
_LONGEST_MASK = 1.2e-3  # s, or a fifth of tau: a longer artefact is no longer told apart
_FITS = 4  # with ever more left out
_MARGIN = 1.3  # times the end of the artefact
_SURE = 3.5  # standard errors
_FLOOR = 5e-4  # of the final response: what the artefact may leave
_UNDECLARED = Delay(expected=3e-5, error=2e-4, most=1e-3, earliest=2e-2)
"""Filters of 3 kHz and more are late by 0.1 ms at most (4-pole Bessel: 0.336 over its
corner), and files differ in whether the first sample of a step is at its new level already."""


@attrs.frozen(kw_only=True, eq=False)
class Family:
    """Sweeps that tell of the membrane.

    Parameters
    ----------
    stack : SweepStack
        All sweeps of the recording.
    rows : array of int
        Those that are used.
    whole : array of bool, shape (n_rows,)
        Used to the end of their step; the others only before it.
    start, stop : int
        The step (samples).
    commands : Command
        Of all sweeps.
    bins : Bins
        Potentials of the rows.
    pulses : tuple of (start, stop)
        Hyperpolarising pulses before the step (samples).
    spiking : array of int
        Rows that are not used because of a spike before the end of what is used.
    clipped : array of int
        Rows that are not used because the potential stands still in the step.
    """

    stack: SweepStack
    rows: np.ndarray
    whole: np.ndarray
    start: int
    stop: int
    commands: Command
    bins: Bins
    pulses: tuple[tuple[int, int], ...]
    spiking: np.ndarray
    clipped: np.ndarray

    @property
    def down(self) -> np.ndarray:
        """Places (not rows) of the sweeps with a hyperpolarising step."""
        step = self.commands.levels[self.rows, -1] - self.commands.levels[self.rows, 0]
        return np.flatnonzero(self.whole & (step < -NO_STEP))

    def alone(self, row: int) -> Family:
        """Give a family of one sweep, used to the end of its step."""
        rows, whole = np.array([row]), np.ones(1, dtype=bool)
        bins = _binned(self.stack, rows, self.commands, whole, self.start, self.stop)
        return attrs.evolve(self, rows=rows, whole=whole, bins=bins)

    def problem(self, mask: float) -> Problem:
        """Make the problem, without the first `mask` seconds after each edge."""
        rate = self.stack.rate
        geometry = Geometry.of(self.bins, self.commands.take(self.rows), rate)
        early = (self.bins.part > 0) & (self.bins.since < mask * rate - 1e-6)
        known = _UNDECLARED
        error = float(np.hypot(known.error, 0.5 / rate))
        return Problem(self.bins.without(early), geometry, attrs.evolve(known, error=error))


@attrs.frozen(kw_only=True)
class Found:
    """The circuit of a family."""

    family: Family
    problem: Problem
    circuit: Circuit
    mask: float

    @property
    def masked_more(self) -> bool:
        """Whether an artefact made it leave out more than usual after the edges."""
        return self.mask > _MASK


def family_of(
    stack: SweepStack, step: Window, sweeps: Mapping[str, np.ndarray], lowest: float
) -> Family | str:
    """Choose the sweeps, or say why there is nothing to choose.

    Parameters
    ----------
    stack : SweepStack
        All sweeps.
    step : Window
        The step.
    sweeps : mapping of str to array
        ``stim_amp`` (pA) and ``avg_rate`` (Hz) of each sweep.
    lowest : float
        Most negative step (pA) that is used.
    """
    start, stop = stack.bounds(step)
    command = command_of(stack, start, stop)
    if command.trouble:
        return command.trouble
    start, stop, command = _the_step(command, start, stop)
    quiet, amplitude = sweeps["avg_rate"] == 0, sweeps["stim_amp"]
    down = steps_down(amplitude, quiet, lowest)
    whole = np.zeros(stack.n_sweeps, dtype=bool)
    whole[down] = True
    whole |= quiet & (np.abs(amplitude) <= NO_STEP)
    before = command.levels[:, :-1] - command.levels[:, :1]
    pulses = _pulses(command, before.min(axis=0, initial=0.0))
    rows = np.arange(stack.n_sweeps) if pulses else np.flatnonzero(whole)
    if down.size == 0 and not pulses:
        return NO_SWEEP
    if command.edges[0] - command.first < _REST * stack.rate:
        ms = (command.edges[0] - command.first) / stack.rate * 1e3
        return f"{NO_REST} {ms:.3g} ms at rest before the first change of the current"
    bins = _binned(stack, rows, command, whole[rows], start, stop)
    keep = ~bins.spiking & ~bins.clipped & (bins.weight.sum(axis=1) > 0)
    if down.size and 2 * (bins.spiking & np.isin(rows, down)).sum() > down.size:
        return FIRING
    if not keep.any():
        return CLIPPED if bins.clipped.any() else FIRING
    if down.size and not np.isin(down, rows[keep]).any() and bins.clipped.any():
        return CLIPPED
    return Family(
        stack=stack, rows=rows[keep], whole=whole[rows][keep], start=start, stop=stop,
        commands=command, bins=bins.take(np.flatnonzero(keep)), pulses=pulses,
        spiking=rows[bins.spiking], clipped=rows[bins.clipped],
    )  # fmt: skip


def _binned(
    stack: SweepStack, rows: np.ndarray, command: Command, whole: np.ndarray, *step: int
) -> Bins:
    start, stop = step
    return binned(stack, rows, command.take(rows), start=start, stop=stop, until_start=~whole)


def _the_step(command: Command, start: int, stop: int) -> tuple[int, int, Command]:
    """Let the last plateau be the one in the middle of the window."""
    middle = (start + stop) // 2
    later = command.edges > middle
    if later.any():
        stop = min(stop, int(command.edges[later][0]))
    edges, levels = command.edges[~later], command.levels[:, : (~later).sum() + 1]
    if edges.size == 0 or edges[-1] < start - 1:  # no sweep shows it
        edges, levels = np.append(edges, start), np.column_stack((levels, levels[:, -1]))
    command = attrs.evolve(command, edges=edges, levels=levels)
    return int(edges[-1]), stop, command


def _pulses(command: Command, lowest: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Stretches before the step in which some sweep is below its first level."""
    cuts = np.concatenate(([command.first], command.edges))
    return tuple(
        (int(cuts[k]), int(cuts[k + 1])) for k in np.flatnonzero(lowest < -NO_STEP).tolist()
    )


def rebinned(family: Family) -> Family:
    """Give the family with its potentials binned by its commands as they are."""
    bins = _binned(
        family.stack, family.rows, family.commands, family.whole, family.start, family.stop
    )
    return attrs.evolve(family, bins=bins)


def steps_down(amplitude: np.ndarray, quiet: np.ndarray, lowest: float) -> np.ndarray:
    """Hyperpolarising sweeps down to a limit; where all exceed it, the smallest of them."""
    down = quiet & (amplitude < -NO_STEP)
    rows = np.flatnonzero(down & (amplitude >= lowest - 1e-6))
    if rows.size == 0 and down.any():
        return np.flatnonzero(down & (amplitude == amplitude[down].max()))
    return rows


def solved(family: Family) -> Found | str:
    """Fit the family; where edges leave an artefact, without more of the time after them."""
    mask, end = _MASK, 0.0
    if not np.ptp(family.bins.mean, axis=1).any():
        return NO_ANSWER  # a channel that was off
    for _ in range(_FITS):
        problem = family.problem(mask)
        circuit = circuit_of(problem)
        end = _artefact(problem, circuit)
        if end <= mask * (1 + 1e-9):
            return Found(family=family, problem=problem, circuit=circuit, mask=mask)
        mask = _MARGIN * end
        tau = circuit.values["tau"]
        if mask > max(_LONGEST_MASK, tau / 5 if np.isfinite(tau) else 0.0):
            break
    return f"an artefact lasts {end * 1e3:.2g} ms or longer after the edges of the current"


def _artefact(problem: Problem, circuit: Circuit) -> float:
    """Time (s) after the edges at which the potential has come to the fitted response.

    What is left in the first bins is averaged over all edges and sweeps, along the jump
    of the current; two bins in a row must be near 0.
    """
    bins, fit = problem.bins, circuit.fit
    jumps = np.diff(problem.geometry.currents, axis=1, prepend=0.0)[:, bins.part]
    known = bins.widths * bins.valid * (bins.part > 0) * (jumps != 0)
    since, place = np.unique(bins.since, return_inverse=True)
    near = since <= 2 * _LONGEST_MASK * problem.geometry.rate

    def by_time(x: np.ndarray) -> np.ndarray:
        return np.bincount(place, (x * known).sum(axis=0), minlength=since.size)[near]

    total = np.maximum(by_time(np.ones_like(jumps)), 1e-300)
    left = np.abs(by_time(np.sign(jumps) * fit.residual) / total)
    final = 1e-3 * abs(circuit.values["resistance"]) * by_time(np.abs(jumps)) / total
    bad = left > np.maximum(_SURE * np.sqrt(fit.variance / total), _FLOOR * final)
    ends = np.append(since[near][1:], since[near][-1:])  # a bin ends where the next begins
    good = np.flatnonzero(~bad & ~np.append(bad[1:], False))
    first = int(good[0]) if good.size else bad.size - 1
    return float(ends[first - 1] / problem.geometry.rate) if first else 0.0
