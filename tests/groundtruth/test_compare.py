"""Best, equal, worse, missing: each border with a case on either side."""

import numpy as np
import pandas as pd
import pytest

from cleo_like.groundtruth import summary
from cleo_like.groundtruth.scores.bootstrap import median_difference, median_interval
from cleo_like.groundtruth.scores.compare import recommendations
from cleo_like.groundtruth.scores.paired import F1, comparison

GROUPS = [("b", "c", {f"k{n}" for n in range(40)})]
NOBODY = pd.DataFrame()
SPREAD = 0.00996  # s: of tau between real cells


def errors(extractor, values, *, definition="", feature="tau"):
    """One row a recording, each of another cell; NaN: no value."""
    return pd.DataFrame([
        {
            "key": f"k{n}", "cell": f"cell {n}", "seed": 0, "extractor": extractor,
            "feature": feature, "reference": "400 kHz", "definition": definition,
            "error": e, "true": 0.02,
        }
        for n, e in enumerate(values)
    ])  # fmt: skip


def compared(mine, other, **more):
    both = [errors("native", mine), errors("efel", other, **more)]
    return comparison(GROUPS, pd.concat(both, ignore_index=True), NOBODY)


@pytest.mark.parametrize(
    ("mine", "other", "verdict"),
    [
        (1.19, 1.0, "equal"),  # 1.9 % of the spread of 9.96
        (1.21, 1.0, "worse"),  # 2.1 %
        (-1.21, 1.0, "worse"),  # the sign does not matter
        (1.0, -13.0, "better"),
        (np.nan, 1.0, "missing"),
    ],
)
def test_verdicts(mine, other, verdict):
    table = compared(np.full(9, mine) * 1e-3, np.full(9, other) * 1e-3)
    assert table["verdict"].tolist() == [verdict]


@pytest.mark.parametrize(("mine", "much"), [(2.02, 1), (1.98, 0)])
def test_much_worse_is_beyond_a_tenth_of_the_spread(mine, much):
    found = summary(compared(np.full(9, mine) * 1e-3, np.full(9, 1.0) * 1e-3))
    assert found["much_worse"] == much
    assert (found["cells"], found["best_or_equal"], found["overlapping"]) == (1, 0.0, 0.0)


def test_both_are_compared_on_the_recordings_that_both_answered():
    """The other fails where it is hard: that makes it no better, and is counted apart."""
    hard = np.arange(12) % 2 == 1
    mine = np.where(hard, 8e-3, 1e-3)
    other = np.where(hard, np.nan, 2e-3)
    table = compared(mine, other)
    assert table["verdict"].tolist() == ["better"]
    row = table.iloc[0]
    assert (row["bias"], row["other_bias"]) == (1e-3, 2e-3)
    assert (row["recordings"], row["both"]) == (12, 6)
    assert (row["only_own"], row["only_other"]) == (6, 0)
    turned = compared(other, mine).iloc[0]
    assert (turned["verdict"], turned["only_other"]) == ("worse", 6)
    assert summary(compared(other, mine))["partly_missing"] == 1


def test_recordings_that_no_row_tells_of_are_not_shared():
    """A failed extractor has no rows at all."""
    mine = errors("native", np.full(8, 1e-3))
    other = errors("ipfx", np.full(8, 1e-3)).iloc[:3]
    row = comparison(GROUPS, pd.concat([mine, other]), NOBODY).iloc[0]
    assert (row["both"], row["only_own"], row["recordings"]) == (3, 5, 8)


def test_without_a_common_recording_nothing_is_compared():
    gone = np.full(4, np.nan)
    mine, other = np.append(gone, np.full(4, 1e-3)), np.append(np.full(4, 9e-3), gone)
    table = compared(mine, other)
    assert table["verdict"].tolist() == ["apart"]
    assert summary(table)["cells"] == 0


def test_drawn_alike_a_small_difference_is_seen():
    """Cells differ by 5 ms, extractors by 0.5: the intervals overlap, that of pairs does not."""
    base = np.linspace(1e-3, 6e-3, 25)
    row = compared(base + 0.5e-3, base).iloc[0]
    assert row["verdict"] == "worse"
    assert row["overlap"]
    found = summary(compared(base + 0.5e-3, base))
    assert (found["best_or_equal"], found["overlapping"]) == (0.0, 1.0)


def test_the_difference_of_medians_has_the_interval_of_its_samples():
    """Against bootstrap samples that are written out."""
    rng = np.random.default_rng(4)
    own, other = rng.normal(2, 1, 15), rng.normal(1, 1, 15)
    cells, one = np.arange(15), np.zeros(15)
    more, low, high = median_difference(own, other, cells, one)
    assert more == pytest.approx(abs(np.median(own)) - abs(np.median(other)))
    draws = rng.integers(0, 15, (4000, 15))
    drawn = np.abs(np.median(own[draws], axis=1)) - np.abs(np.median(other[draws], axis=1))
    assert [low, high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.25)
    assert median_interval(own, cells, one)[0] == pytest.approx(np.median(own))


def test_another_definition_is_not_compared():
    assert compared(np.full(3, 1e-3), np.zeros(3), definition="at base").empty


@pytest.mark.parametrize(
    ("mine", "other", "verdict"),
    [
        ((10, 0, 0), (10, 1, 0), "better"),
        ((10, 0, 0), (10, 0, 0), "equal"),
        ((10, 1, 0), (10, 0, 0), "worse"),
    ],
)
def test_detection_is_compared_by_f1(mine, other, verdict):
    names = ("hits_1ms", "false_1ms", "missed_1ms")
    rows = [
        {"key": f"k{n}", "cell": f"c{n}", "seed": 0, "extractor": who}
        | dict(zip(names, counts, strict=True))
        for n in range(6)
        for who, counts in (("native", mine), ("efel", other))
    ]
    table = comparison(GROUPS, NOBODY, pd.DataFrame(rows))
    assert table["verdict"].tolist() == [verdict]
    assert table["feature"].tolist() == [F1]
    assert table["both"].tolist() == [6]


def test_one_that_fails_on_every_tenth_recording_is_not_recommended():
    """Failed recordings have no rows: they count as missing all the same."""
    row = {
        "block": "b", "condition": "c", "feature": "tau", "reference": "400 kHz",
        "definition": "", "missing": 0.0, "spread": 0.0, "between_cells": SPREAD,
    }  # fmt: skip
    rows = [
        row | {"extractor": "native", "bias": 2e-3, "recordings": 20},
        row | {"extractor": "ipfx", "bias": 1e-3, "recordings": 18},
    ]
    assert recommendations(pd.DataFrame(rows))["extractor"].tolist() == ["native"]
    rows[1]["recordings"] = 19
    assert recommendations(pd.DataFrame(rows))["extractor"].tolist() == ["ipfx"]
