"""The noun for fluorescence."""

import attrs
import numpy as np
import pytest
import quantities as pq

from cleo_like.core.errors import InputError
from cleo_like.core.ophys.masks import RoiMasks
from cleo_like.core.ophys.traces import ImagingTruth, Traces


def make(**kwargs):
    values = {"fluorescence": np.arange(6.0).reshape(2, 3), "times": [0.0, 0.1, 0.2]}
    return Traces(**{**values, **kwargs})


def test_traces_count_and_describe_themselves():
    traces = make(rois={"neuron": [4, 7]}, positions=np.array([[0, 0, 1], [0, 1, 1]]) * pq.um)
    assert (traces.n_rois, traces.n_frames) == (2, 3)
    assert traces.rate == pytest.approx(10)
    assert traces.positions[0, 2] == pytest.approx(1e-6)
    assert repr(traces) == "Traces: 2 ROIs, 3 frames at 10 Hz (0.3 s)"
    assert np.isnan(make(fluorescence=[[1.0]], times=[0.0]).rate)


def test_traces_are_frozen_and_compare_by_value():
    traces = make(rois={"neuron": [4, 7]}, truth=ImagingTruth(spike_times=[[0.1], []]))
    assert traces == make(rois={"neuron": [4, 7]}, truth=ImagingTruth(spike_times=[[0.1], []]))
    assert traces != make(rois={"neuron": [4, 8]}, truth=traces.truth)
    with pytest.raises(ValueError, match="read-only"):
        traces.fluorescence[0, 0] = 1
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        traces.times = 0
    assert "1 spikes" in repr(traces.truth)


def test_wrong_traces_are_refused():
    with pytest.raises(InputError, match=r"one time per frame, got \(2, 3\)"):
        make(times=[0.0, 0.1])
    with pytest.raises(InputError, match="times of frames must rise"):
        make(times=[0.0, 0.2, 0.1])
    with pytest.raises(InputError, match="neuron must have one row for each of 2 ROIs, got 3"):
        make(rois={"neuron": [1, 2, 3]})


def test_traces_carry_masks():
    masks = RoiMasks.from_pixels((4, 5), [([1], [1]), ([2, 3], [4, 4])])
    assert make(masks=masks) != make()
    with pytest.raises(InputError, match="masks must have one row for each of 2 ROIs, got 1"):
        make(masks=masks.select([0]))
