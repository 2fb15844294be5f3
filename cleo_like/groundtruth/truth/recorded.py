"""The truth of a simulated recording: of `record`, `experiment`, or a file of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.groundtruth.truth.exact import (
    RATE,
    RISE,
    Truth,
    exact_values,
    measured_clean,
    peak_time,
)

if TYPE_CHECKING:
    from cleo_like.core import GroundTruth, Recording
    from cleo_like.core.window import Window
    from cleo_like.features.stack import SweepStack


def true_times(recording: Recording) -> dict[str, np.ndarray]:
    """Give the peak of every true spike, of the noise-free potential where it was kept.

    Parameters
    ----------
    recording : Recording
        Simulated.

    Returns
    -------
    dict of str to array, shape (n_spikes,)
        ``sweep`` (place), ``t`` (s), ``height`` (V above the median of the sweep), and
        ``inside`` (all are).

    Raises
    ------
    InputError
        Its truth is not known.
    """
    truth = truth_of_simulated(recording)
    traces = truth.voltage if truth.voltage is not None else [s.response for s in recording]
    sweeps, times, heights = [], [], []
    for k, (crossings, v) in enumerate(zip(truth.spike_times, traces, strict=True)):
        rate, middle = recording.sweeps[k].rate, float(np.median(v))
        ends = np.append(crossings, np.inf)[1:]
        for crossing, following in zip(crossings, ends, strict=True):
            until = min(crossing + RISE, following)
            at = peak_time(np.asarray(v, dtype=float), crossing, until, rate)
            sweeps.append(k)
            times.append(at)
            heights.append(float(v[min(round(at * rate), v.size - 1)]) - middle)
    return {
        "sweep": np.array(sweeps, dtype=int), "t": np.array(times),
        "height": np.array(heights), "inside": np.ones(len(times), dtype=bool),
    }  # fmt: skip


def truth_of_simulated(recording: Recording) -> GroundTruth:
    """Give the truth of a recording, or say that it has none."""
    if recording.truth is None:
        msg = (
            f"the recording of {recording.cell.id} has no truth; scores need simulated ones "
            "(cl.record, cl.experiment, or files of these)"
        )
        raise InputError(msg)
    return recording.truth


def truth_of_long_squares(recording: Recording, stack: SweepStack, step: Window) -> Truth:
    """Find all answers of recorded long squares, at their rate.

    Parameters
    ----------
    recording : Recording
        These sweeps alone, of equal length, with the noise-free potential in the truth.
    stack : SweepStack
        Of the recording.
    step : Window
        The step.

    Raises
    ------
    InputError
        The noise-free potential was not kept.
    """
    known = truth_of_simulated(recording)
    if known.voltage is None:
        msg = (
            f"the recording of {recording.cell.id} has no noise-free potential; record it with "
            "keep_voltage=True"
        )
        raise InputError(msg)
    clean = attrs.evolve(stack, voltage_mv=np.stack(known.voltage) * 1e3)
    times = true_times(recording)
    inside = (times["t"] >= step.start) & (times["t"] < step.end)
    times = times | {"inside": inside}
    shapes, sweeps, values = measured_clean(clean, step)
    values = values | exact_values(clean, step, times, known.answers)
    return Truth(
        window=step, is_long_square=True, times=times, shapes={RATE: shapes},
        sweeps={RATE: sweeps}, cell={RATE: values},
    )  # fmt: skip
