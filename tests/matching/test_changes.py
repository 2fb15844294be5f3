"""Edges and stretches that vary, at the border between them."""

from __future__ import annotations

import numpy as np
import pytest

from cleo_like.matching.command.changes import find_changes


@pytest.mark.parametrize("rate", [2e3, 20e3, 50e3])
def test_a_transition_within_a_millisecond_is_an_edge(rate):
    """One millisecond (5 samples at least), and what the search itself smears: no ramp yet."""
    longest = max(5, round(1e-3 * rate)) + 8
    for samples, is_edge in ((longest, True), (longest + 1, False)):
        rise = np.linspace(0.0, 100.0, samples + 1)
        found = find_changes(np.r_[np.zeros(2000), rise, np.full(2000, 100.0)], rate, 0.0)
        assert (found.edges.size == 1) is is_edge
        assert (len(found.varying) == 1) is not is_edge
        if not is_edge:
            (start, stop) = found.varying[0]
            assert 1998 <= start <= 2002
            assert abs(stop - (2000 + samples)) <= 3


@pytest.mark.parametrize("rate", [20e3, 50e3])
def test_ramps_a_millisecond_apart_are_one_stretch(rate):
    slew = round(1e-3 * rate)
    rise = np.linspace(0, 50, 4 * slew + 1)
    for apart, count in ((slew // 2, 1), (3 * slew, 2)):
        x = np.r_[np.zeros(2000), rise, np.full(apart, 50.0), 50 + rise, np.full(2000, 100.0)]
        assert len(find_changes(x, rate, 0.0).varying) == count


def test_a_step_below_the_floor_is_none():
    x = np.repeat([0.0, 1.0], 3000)
    assert find_changes(x, 20e3, 1.01).edges.size == 0
    assert find_changes(x, 20e3, 0.99).edges.tolist() == [3000]
