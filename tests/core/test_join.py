"""Several recordings of a cell on one clock."""

import numpy as np
import pytest

import cleo_like as cl
from cleo_like.core.errors import InputError


def part(starts, began=None, length=0.5):
    sweeps = [
        cl.Sweep(response=np.full(round(length * 1e3), -0.07), rate=1e3, number=k, start_time=t)
        for k, t in enumerate(starts)
    ]
    return cl.Recording(
        sweeps=sweeps, cell=cl.Cell(id="c"), provenance=cl.Provenance(source="x"),
        session_start=began,
    )  # fmt: skip


def starts(found):
    return [s.start_time for s in found]


@pytest.mark.parametrize(
    ("pause", "expected"),
    [("0 s", [1, 3, 5, 5.5, 7.5]), ("0.25 s", [1, 3, 5, 5.75, 7.75])],
)
def test_parts_follow_each_other_where_no_time_is_told(pause, expected):
    """The first begins at its own times; its last sweep ends at 5.5 s."""
    found = cl.join_recordings([part([1, 3, 5]), part([7, 9])], pause=pause)
    got = starts(found)
    assert np.diff(got) == pytest.approx(np.diff(expected))


def test_the_sweep_that_ends_last_counts():
    found = cl.join_recordings([part([0, 9, 2]), part([0])])
    assert starts(found)[3] - starts(found)[0] == pytest.approx(9.5)


@pytest.mark.parametrize(("later", "offset"), [("30", 30.0), ("02", 5.5)])
def test_the_files_own_times_count_unless_parts_would_overlap(later, offset):
    one = part([0, 5], "2020-01-02T10:00:00+00:00")
    two = part([0], f"2020-01-02T10:00:{later}+00:00")
    found = cl.join_recordings([one, two])
    assert starts(found)[2] - starts(found)[0] == pytest.approx(offset)


def test_a_pause_is_no_step_back():
    with pytest.raises(InputError, match="pause must be 0 s or more"):
        cl.join_recordings([part([0]), part([0])], pause="-1 s")
