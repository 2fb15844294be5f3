"""A command drawn as a few long plateaus is cut by its changes, as the search would cut it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleo_like.matching.command import plateaus
from cleo_like.matching.command.noise import quantile_of
from cleo_like.matching.command.plateaus import find_plateaus

RATE = 20e3
LONG = 400  # samples of the shortest plateau that is taken as it is


@st.composite
def drawn(draw):
    """Levels that are whole pA, of plateaus of 20 ms and more."""
    count = draw(st.integers(1, 6))
    lengths = draw(st.lists(st.integers(LONG, 9000), min_size=count, max_size=count))
    levels = draw(st.lists(st.integers(-400, 400), min_size=count, max_size=count))
    scale = draw(st.sampled_from([1.0, 1e-12, 0.1]))
    return np.repeat(np.array(levels) * scale, lengths)


def searched(command, monkeypatch, **how):
    with monkeypatch.context() as changed:
        changed.setattr(plateaus, "_drawn", lambda *_: None)
        return find_plateaus(command, RATE, **how)


@given(drawn())
def test_it_is_cut_as_by_the_search(command):
    with pytest.MonkeyPatch.context() as changed:
        right = searched(command, changed)
    found = find_plateaus(command, RATE)
    for name in ("edges", "levels", "samples"):
        np.testing.assert_array_equal(getattr(found, name), getattr(right, name))
    for name in ("varying", "noise", "slow", "transients", "trouble", "clean", "quantum"):
        assert getattr(found, name) == getattr(right, name), name


@pytest.mark.parametrize(
    ("shortest", "flat"), [(LONG, True), (LONG - 1, False)], ids=["20 ms", "less"]
)
def test_from_which_length_on(shortest, flat):
    command = np.repeat([0.0, 50.0, 0.0], [4000, shortest, 4000])
    assert find_plateaus(command, RATE).flat is flat


def test_what_was_recorded_is_searched():
    command = np.repeat([0.0, 50.0, 0.0], 4000)
    assert find_plateaus(command, RATE).flat
    flips = command.copy()
    flips[500:8000:500] += 1.0
    assert not find_plateaus(flips, RATE).flat
    assert not find_plateaus(command + np.linspace(0, 1e-9, command.size), RATE).flat


@given(drawn(), st.floats(0, 1))
def test_quantiles_of_few_levels_are_those_of_numpy(command, q):
    assert quantile_of(command, q) == np.quantile(command, q)
