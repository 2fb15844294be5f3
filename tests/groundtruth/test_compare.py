"""Best, equal, worse, missing: each border with a case on either side."""

import numpy as np
import pandas as pd
import pytest

from cleo_like.groundtruth import summary
from cleo_like.groundtruth.scores.compare import comparison


def row(extractor, bias, half, **more):
    return {
        "block": "b", "condition": "c", "extractor": extractor, "feature": "tau",
        "reference": "400 kHz", "definition": "", "bias": bias, "bias_low": bias - half,
        "bias_high": bias + half, "between_cells": 100.0, "missing": 0.0, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("mine", "other", "half", "verdict"),
    [
        (3.0, 1.1, 0.1, "equal"),  # 1.9 % of the spread
        (3.2, 1.1, 0.1, "worse"),  # 2.1 %
        (-3.2, 1.1, 0.1, "worse"),  # the sign does not matter
        (13.0, 1.0, 5.9, "worse"),
        (13.0, 1.0, 6.1, "equal"),  # the intervals overlap
        (1.0, -13.0, 0.1, "better"),
        (np.nan, 1.0, 0.1, "missing"),
    ],
)
def test_verdicts(mine, other, half, verdict):
    table = comparison(pd.DataFrame([row("native", mine, half), row("efel", other, half)]))
    assert table["verdict"].tolist() == [verdict]


@pytest.mark.parametrize(("mine", "much"), [(11.2, 1), (10.8, 0)])
def test_much_worse_is_beyond_a_tenth_of_the_spread(mine, much):
    table = comparison(pd.DataFrame([row("native", mine, 0.1), row("efel", 1.0, 0.1)]))
    assert summary(table) == {"cells": 1, "best_or_equal": 0.0, "much_worse": much}


def test_another_definition_is_not_compared():
    rows = [row("native", 1.0, 0.1), row("efel", 0.0, 0.1, definition="at base")]
    assert comparison(pd.DataFrame(rows)).empty
