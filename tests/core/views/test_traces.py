"""Traces are indexed, drawn, shown in a notebook and handed to other packages."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

import cleo_like as cl
from cleo_like.core.errors import InputError, PlaceError

mpl.use("Agg")


@pytest.fixture
def traces():
    """Three ROIs, the k-th between 0 and k + 1."""
    times = np.arange(100) / 10
    values = np.arange(1.0, 4.0)[:, None] * (np.sin(times) ** 2)
    images = np.zeros((3, 4, 5))
    images[np.arange(3), np.arange(3), 2] = 1
    return cl.Traces(
        fluorescence=values,
        times=times,
        rois={"cell_roi_id": np.array([11, 12, 13])},
        masks=cl.RoiMasks.from_images(images),
        truth=cl.ImagingTruth(spike_times=[[1.0], [], [2.0, 3.0]], fluorescence=values),
    )


def test_one_roi_or_some_with_all_that_belongs_to_them(traces):
    assert len(traces) == 3
    assert np.array_equal(traces[-1], traces.fluorescence[2])
    some = traces[[2, 0]]
    assert some.rois["cell_roi_id"].tolist() == [13, 11]
    assert [len(times) for times in some.truth.spike_times] == [2, 1]
    assert np.array_equal(some.truth.fluorescence, some.fluorescence)
    assert some.masks.centroids[:, 0].tolist() == [2, 0]
    with pytest.raises(PlaceError, match="have 3 ROIs"):
        traces[3]


def test_they_are_drawn_above_each_other_with_spikes(traces):
    ax = traces.plot()
    assert ax.get_xlabel() == "time (s)"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["11", "12", "13"]
    lines = [line for line in ax.lines if line.get_marker() == "None"]
    step = 2.0 * np.max(np.sin(traces.times) ** 2)  # the median range is that of the second
    assert lines[2].get_ydata().min() == pytest.approx(-2 * step, abs=0.01)
    spikes = [line.get_xdata().tolist() for line in ax.lines if line.get_marker() == "|"]
    assert spikes == [[1.0], [2.0, 3.0]]


def test_of_many_some_are_drawn_and_that_is_said():
    many = cl.Traces(fluorescence=np.ones((50, 4)), times=np.arange(4.0))
    ax = many.plot(most=5)
    assert len(ax.lines) == 5
    assert "(5 of 50)" in ax.get_title(loc="left")
    with pytest.raises(InputError, match="most must be 1 or more"):
        many.plot(most=0)


def test_other_packages(traces):
    frame = traces.to_pandas()
    assert frame.columns.tolist() == [11, 12, 13]
    assert frame.index.name == "time_s"
    assert frame[12].to_numpy() == pytest.approx(traces[1])
    pytest.importorskip("xarray")
    array = traces.to_xarray()
    assert float(array.sel(roi=13).isel(time=7)) == traces[2][7]
    pytest.importorskip("pynapple")
    assert traces.to_pynapple().d == pytest.approx(traces.fluorescence.T)


def test_a_notebook_shows_them(traces):
    page = traces._repr_html_()
    assert "data:image/png" in page
    assert "3 spikes" in page
