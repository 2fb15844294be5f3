"""Time axes, nearest frames and offsets, each with its analytic answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleo_like.core.errors import InputError
from cleo_like.responses import get_time_array, index_of_nearest_value, slice_inds_and_offsets


def test_the_end_of_a_decimal_window_is_there():
    # (0.6 + 0.3) * 10 is 8.999...: int() would end at 0.5
    assert get_time_array(-0.3, 0.6, 10).tolist() == pytest.approx(np.arange(-3, 7) / 10)
    assert get_time_array(-0.3, 0.6, 10)[3] == 0.0
    assert get_time_array(-0.3, 0.6, 10, include_endpoint=False)[-1] == pytest.approx(0.5)


@pytest.mark.parametrize("endpoint", [True, False])
def test_an_end_between_two_steps_is_the_same_either_way(endpoint):
    found = get_time_array(0, 1, step_size=0.3, include_endpoint=endpoint)
    np.testing.assert_allclose(found, [0, 0.3, 0.6, 0.9])


@given(
    st.integers(-500, 500),
    st.integers(0, 500),
    st.sampled_from([7.0, 10.0, 10.7, 31.0, 1000.0]),
)
def test_whole_steps_are_counted(first, n, rate):
    found = get_time_array(first / rate, (first + n) / rate, rate)
    assert found.size == n + 1
    np.testing.assert_allclose(found, (first + np.arange(n + 1)) / rate, atol=1e-9)
    assert (
        get_time_array(first / rate, (first + n) / rate, rate, include_endpoint=False).size == n
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1), "either sampling_rate or step_size"),
        ((0, 1, 10, 0.1), "either sampling_rate or step_size"),
        ((0, 1, 0), "positive and finite, got 0"),
        ((0, 1, None, 0), "positive and finite, got 0"),
        ((1, 0, 10), "t_start <= t_end"),
        ((0, np.nan, 10), "t_start <= t_end"),
    ],
)
def test_wrong_axes(arguments, message):
    with pytest.raises(InputError, match=message):
        get_time_array(*arguments)


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=30, unique=True).map(sorted),
    st.lists(st.floats(-10, 110), max_size=20),
)
def test_nearest_is_nearest(frames, events):
    t, e = np.array(frames), np.array(events)
    found = index_of_nearest_value(t, e)
    best = np.abs(t[None] - e[:, None]).min(axis=1) if e.size else np.empty(0)
    np.testing.assert_allclose(np.abs(t[found] - e), best)


def test_an_event_after_the_last_frame_has_the_last_frame():
    assert index_of_nearest_value(np.arange(5.0), [99.0, -3.0]).tolist() == [4, 0]


def test_events_and_frames_that_are_none():
    with pytest.raises(InputError, match="1 values that are no number"):
        index_of_nearest_value(np.arange(5.0), [1.0, np.nan])
    with pytest.raises(InputError, match=r"frame 2 at 1 s does not"):
        index_of_nearest_value(np.array([0.0, 1, 1]), [1.0])
    with pytest.raises(InputError, match="one finite time for each frame"):
        index_of_nearest_value(np.array([]), [1.0])


@pytest.mark.parametrize("rate", [10.0, 10.73, 31.0])
def test_a_window_is_covered(rate):
    t = np.arange(1000) / rate
    at, start, end, time = slice_inds_and_offsets(t, [t[500]], [-0.5, 0.75])
    assert at[0] == 500
    assert start / rate <= -0.5 + 1e-9 < (start + 1) / rate
    assert (end - 1) / rate < 0.75 <= end / rate + 1e-9
    np.testing.assert_allclose(time, np.arange(start, end) / rate)


def test_offsets_of_whole_frames():
    t = np.arange(200) / 10
    assert slice_inds_and_offsets(t, [5.0], [-0.3, 0.6])[1:3] == (-3, 6)
    assert slice_inds_and_offsets(t, [5.0], [-0.3, 0.6], include_endpoint=True)[1:3] == (-3, 7)
    with pytest.raises(InputError, match="time_window"):
        slice_inds_and_offsets(t, [5.0], [0.6, -0.3])
