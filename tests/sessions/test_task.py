"""The task keeps the Allen Institute's rules; the table of flashes says what was shown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.core.errors import InputError, UnitError
from cleo_like.sessions import ImageChangeTask, ImageSet
from cleo_like.sessions.tables.presentations import (
    END_TIME,
    STOP_TIME,
    in_columns,
    presentations_of,
)

SEED = ("start_time", "stop_time", "duration", "image_name", "image_index", "is_change", "omitted",
        "start_frame", "end_frame")  # fmt: skip
"""Columns that the published notebook prints, without image_set, which it drops."""


def drawn(seed=0, n_images=8, **settings):
    return ImageChangeTask(**settings).schedule(n_images, np.random.default_rng(seed))


@given(seed=st.integers(0, 10_000), n=st.integers(2, 9))
@settings(max_examples=25)
def test_rules_hold_for_every_seed(seed, n):
    s = drawn(seed, n, duration="10 min")
    assert len(s) == 800
    assert s.omitted.sum() == 40  # 5 %, to one flash
    assert not (s.omitted & s.is_change).any()
    assert not (s.omitted[:-1] & s.is_change[1:]).any()
    assert not (s.omitted[:-1] & s.omitted[1:]).any()
    changed = np.flatnonzero(np.diff(s.image)) + 1
    assert np.array_equal(changed, np.flatnonzero(s.is_change))
    # 3 s after a change, then 2.25 s to 8.25 s: 7 flashes at least
    assert np.diff(changed).min() >= 7
    assert np.array_equal(np.diff(s.start_frame), np.full(799, 45))


def test_a_change_is_as_likely_at_each_flash_of_its_window():
    s = drawn(1, duration="100 h", grey_before="0 s", grey_after="0 s")
    waits = np.diff(np.flatnonzero(s.is_change | s.is_sham_change)) - 4
    assert waits.min() == 3
    assert waits.max() == 11
    for wait in range(3, 8):
        hazard = (waits == wait).sum() / (waits >= wait).sum()
        # a window that is cut by drawing again raises the hazard towards its end
        expected = 0.3 / (1 - 0.7 ** (12 - wait))
        assert hazard == pytest.approx(expected, abs=0.01)
    assert s.is_sham_change.sum() / (s.is_change | s.is_sham_change).sum() == pytest.approx(
        0.125, abs=0.005
    )


def test_one_seed_one_schedule():
    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


@pytest.mark.parametrize("settings", [
    {"flash": "750 ms"}, {"duration": "0.7 s"}, {"omissions": 1.0}, {"omissions": -0.1},
    {"window": (0, 4)}, {"window": (5, 4)}, {"change_probability": 0.0}, {"refresh": "1 Hz"},
    {"grey_before": "-1 s"}, {"flash": "249 ms", "cadence": "250 ms"},
])  # fmt: skip
def test_impossible_tasks_are_refused(settings):
    with pytest.raises(InputError):
        ImageChangeTask(**settings)


def test_a_time_needs_a_unit():
    with pytest.raises(UnitError, match="no unit"):
        ImageChangeTask(duration=60)


def test_omissions_that_do_not_fit_are_refused():
    assert drawn(0, duration="10 min", omissions=0.2).omitted.mean() == 0.2
    with pytest.raises(InputError, match="do not fit"):
        drawn(0, duration="10 min", omissions=0.6)


def test_one_picture_never_changes():
    s = drawn(0, n_images=1, duration="2 min")
    assert s.is_change.sum() == 0
    assert s.is_sham_change.any()


def test_the_screen_shows_the_flashes():
    s = drawn(0, duration="30 s", grey_before="5 s", grey_after="1 s")
    step, image = s.shown()
    times = (np.arange(len(image)) + 0.5) * step
    assert len(image) * step == pytest.approx(s.duration)
    for start, picture, omitted in zip(s.start_frame / 60, s.image, s.omitted, strict=True):
        during = image[(times > start) & (times < start + 0.25)]
        assert set(during) == ({-1} if omitted else {picture})
        assert set(image[(times > start + 0.25) & (times < start + 0.75)]) == {-1}
    assert set(image[times < 5]) == {-1}


def test_columns_of_both_generations():
    images = ImageSet.natural_like(3, seed=0)
    s = drawn(0, 3, duration="60 s")
    table = presentations_of(s, images)
    old, new = in_columns(table, "stop_time"), in_columns(table, "end_time")
    assert tuple(old.columns) == STOP_TIME
    assert tuple(old.drop(columns=["image_set"]).columns) == SEED
    assert tuple(new.columns) == END_TIME
    assert old.index.name == new.index.name == "stimulus_presentations_id"
    assert len(old) == 80
    assert len(new) == 82
    assert old["start_time"].iloc[0] == 300.0
    assert (old["duration"] - 0.25).abs().max() < 1e-9
    gone = old[old["omitted"]]
    assert set(gone["image_name"]) == {"omitted"}
    assert gone["end_frame"].isna().all()
    assert old["is_change"].dtype == bool
    assert new["is_change"].dtype == "boolean"
    assert new["is_change"].isna().sum() == 2
    assert new["stimulus_block_name"].tolist()[0] == "initial_gray_screen_5min"
    assert new["end_time"].iloc[-1] == s.duration
    task = new[new["stimulus_block_name"].str.contains("change_detection")]
    since = task["flashes_since_change"].to_numpy()
    assert (since[task["is_change"].to_numpy(dtype=bool)] == 0).all()
    same = task["omitted"].to_numpy(dtype=bool)
    assert (np.diff(since)[same[1:]] == 0).all()
    with pytest.raises(InputError, match="stop_time"):
        in_columns(table, "stop")
