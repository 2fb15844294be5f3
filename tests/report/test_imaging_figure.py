"""Figures of imaging: the right values at the right places, with units on the axes."""

import numpy as np
import pytest

from cleo_like.core import ImagingTruth, InputError, Traces
from cleo_like.report import imaging_figure, loop_figure


def traces(n=12, frames=90, **changes):
    """Cell k has a bump of height k + 1 at 1 s, and one spike there."""
    times = np.arange(frames) / 30
    values = np.outer(np.arange(n) + 1.0, np.exp(-(((times - 1) / 0.1) ** 2)))
    known = {
        "fluorescence": values,
        "times": times,
        "positions": np.random.default_rng(0).uniform(0, 3e-4, (n, 3)),
        "truth": ImagingTruth(spike_times=[np.array([1.0])] * n),
    }
    return Traces(**{**known, **changes})


def axes_of(figure):
    found = [ax for sub in figure.subfigs for ax in sub.axes] if figure.subfigs else figure.axes
    return {ax.get_ylabel() or ax.get_xlabel(): ax for ax in found}


def test_cells_are_sorted_by_brightness_and_placed_in_micrometres():
    recording = traces()
    axes = axes_of(imaging_figure(recording))
    image = axes["cell, brightest first"].images[0].get_array()
    assert image[0].max() == pytest.approx(12)
    assert image[-1].max() == pytest.approx(1)
    points = axes["y (µm)"].collections[0].get_offsets()
    assert np.allclose(points, recording.positions[:, :2] * 1e6)


def test_single_cells_have_ticks_at_their_spikes():
    axes = axes_of(imaging_figure(traces()))["time (s)"]
    ticks = [line for line in axes.lines if line.get_marker() == "|"]
    assert len(ticks) == 6
    assert all(line.get_xdata().tolist() == [1.0] for line in ticks)
    shown = [t.get_text() for t in axes.get_yticklabels()]
    assert shown == [f"ROI {k}" for k in (5, 7, 8, 9, 10, 11)]  # brightest to median
    assert "dF/F" in axes.texts[0].get_text()


def test_a_recording_without_places_and_truth_is_drawn_too():
    figure = imaging_figure(traces(positions=None, truth=None, n=1))
    assert "y (µm)" not in axes_of(figure)
    with pytest.raises(InputError, match="at least two frames"):
        imaging_figure(traces(n=0, positions=None, truth=None))


def test_the_loop_shows_means_signal_and_rates():
    held, alone = traces(), traces(fluorescence=np.full((12, 90), 3.0))
    signal = np.array([0.0, 0.5]), np.array([0.0, 20e-12])
    figure = loop_figure(held, alone, target=np.full(90, 2.0), signal=signal)
    axes = axes_of(figure)
    lines = {line.get_label(): line.get_ydata() for line in axes["mean dF/F"].lines}
    assert lines["held"].max() == pytest.approx(6.5)
    assert (lines["alone"] == 3).all()
    assert (lines["set point"] == 2).all()
    assert axes["control (pA)"].lines[0].get_ydata().max() == pytest.approx(20)
    assert axes["rate (spikes/s)"].patches[0].get_data().values.max() == pytest.approx(2)
