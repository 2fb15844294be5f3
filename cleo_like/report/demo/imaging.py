"""The imaging part: a recording of 30 s, and a closed loop that holds its fluorescence."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.report.demo.closed_loop import (
    CHANGE,
    DISTURBED,
    LATENCY,
    RATE,
    TARGETS,
    run_loop,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.core import Traces
    from cleo_like.report.demo.closed_loop import LoopRun
    from cleo_like.report.page import Page

_SETTLED = 3.0  # s after a change from which the error counts


def imaging_part(page: Page, seed: int, say: Callable[[str], Any]) -> None:
    """Image a population, hold its fluorescence, and put both on a page.

    Parameters
    ----------
    page : Page
        Grows by the sections of this part.
    seed : int
        Seed of network, noise and cells.
    say : callable
        Told, line by line, what is being done.
    """
    from cleo_like.report.plots.imaging import imaging_figure
    from cleo_like.report.plots.loop import loop_figure

    say("imaging    a population for 30 s, alone and in closed loop ...")
    run = run_loop(seed)
    rows = _errors(run)
    for row in rows:
        say(
            f"loop       {row['time (s)']} s: error {row['rms error, held']:.3f} dF/F held, "
            f"{row['rms error, alone']:.3f} alone"
        )
    page.add_heading("A population under the microscope")
    page.add_text(_about(run.alone))
    page.add_figure(
        imaging_figure(run.alone),
        caption="Imaged cells, their dF/F, and single cells with their true spikes (ticks).",
        dpi=110,
    )
    page.add_heading("The same population in closed loop")
    page.add_text(
        f"At each frame ({RATE:g} per second) a proportional-integral controller compares the "
        f"mean dF/F of all imaged cells with a set point, {TARGETS[0]} and from {CHANGE:g} s "
        f"on {TARGETS[1]}, and {LATENCY * 1e3:g} ms later changes a current into all cells. "
        f"Noise, slow drive, and the stronger drive from {DISTURBED:g} s on are the same as "
        "above."
    )
    page.add_figure(
        loop_figure(
            run.held, run.alone, target=run.target, signal=(run.signal_times, run.signal)
        ),
        caption="Mean dF/F with and without control, the control current, and firing rates.",
        dpi=110,
    )
    page.add_table(
        rows,
        caption=(
            f"Root mean square difference of the mean dF/F from the set point, from "
            f"{_SETTLED:g} s after each change on."
        ),
        digits=3,
    )


def _about(traces: Traces) -> str:
    truth = traces.truth
    spikes = [] if truth is None or truth.spike_times is None else truth.spike_times
    rate = sum(map(len, spikes)) / max(len(spikes), 1) / (traces.n_frames / traces.rate)
    noise = np.median(traces.rois["sigma_noise"])
    return (
        f"{traces.n_rois} of the cells are in focus, with jGCaMP8m whose kinetics and "
        f"cell-to-cell differences were fitted to paired recordings. A frame is the mean over "
        f"its exposure of {traces.exposure * 1e3:.3g} ms; its noise is that of the counted "
        f"photons and of left-over neuropil (median {noise:.2g} dF/F at rest). The cells fire "
        f"{rate:.2g} spikes per second."
    )


def _errors(run: LoopRun) -> list[dict[str, Any]]:
    """Give the error of the mean dF/F in each part of the run, held and alone."""
    edges = (0.0, CHANGE, DISTURBED, float(run.held.times[-1]) + 1 / RATE)
    rows = []
    for start, stop in itertools.pairwise(edges):
        part = (run.held.times >= start + _SETTLED) & (run.held.times < stop)
        held, alone = (
            float(np.sqrt(np.mean((t.fluorescence.mean(axis=0) - run.target)[part] ** 2)))
            for t in (run.held, run.alone)
        )
        rows.append(
            {
                "time (s)": f"{start + _SETTLED:.0f} to {stop:.0f}",
                "set point": float(run.target[part][0]),
                "rms error, held": held,
                "rms error, alone": alone,
            }
        )
    return rows
