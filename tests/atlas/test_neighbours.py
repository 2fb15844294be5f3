"""Exact neighbours and filled values: against all distances, and alone as in a batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.atlas import build, place
from cleo_like.atlas.frozen.votes import RARE, vote_shares
from cleo_like.atlas.missing import filled
from cleo_like.atlas.neighbours import Neighbours
from tests.atlas.conftest import lab_of


def brute(points, rows, k, groups):
    d = np.sqrt(((points[rows][:, None] - points[None]) ** 2).sum(axis=2))
    for n, row in enumerate(rows):
        d[n, row] = np.inf
        if groups[row] >= 0:
            d[n, groups == groups[row]] = np.inf
    return np.sort(d, axis=1)[:, :k]


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 5))
def test_the_nearest_of_others(seed, donors, d):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(60, d)) * rng.uniform(0.1, 10, d)
    groups = rng.integers(-1, donors, 60)
    distance, index = Neighbours(points).nearest_others(np.arange(60), 7, groups)
    np.testing.assert_allclose(distance, brute(points, np.arange(60), 7, groups), rtol=1e-9)
    assert ((index >= 0) == np.isfinite(distance)).all()


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_a_row_is_filled_alone_as_among_many(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(300, 4))
    queries = rng.normal(size=(40, 4))
    queries[:20, 2] = np.nan  # twenty with one pattern: by a tree
    queries[20:, :][rng.random((20, 4)) < 0.3] = np.nan
    together, missing, possible = filled(points, queries, 5)
    assert (possible == ~np.isnan(queries).all(axis=1)).all()
    assert (missing == np.isnan(queries)).all()
    for k in range(40):
        np.testing.assert_array_equal(filled(points, queries[[k]], 5)[0][0], together[k])
    known = [0, 1, 3]
    near = np.argsort(((points[:, known] - queries[0, known]) ** 2).sum(axis=1))[:5]
    assert together[0, 2] == pytest.approx(points[near, 2].mean(), rel=1e-12)


def test_points_with_holes_fill_too(rng):
    points = rng.normal(size=(40, 3))
    points[rng.random((40, 3)) < 0.6] = np.nan
    out, _, possible = filled(points, np.array([[0.0, np.nan, np.nan], [np.nan] * 3]), 3)
    assert np.isfinite(out[0]).all()
    assert possible.tolist() == [True, False]


@pytest.mark.parametrize(
    ("size", "wins"), [(RARE - 1, False), (14 * RARE - 1, False), (14 * RARE + 1, True)]
)
def test_one_of_a_rare_kind_does_not_outvote(size, wins):
    """One cell of a kind of one, among 14 of another kind: it wins over very common ones only."""
    kinds = np.array([[1] + [0] * 14])
    shares = vote_shares(np.ones((1, 15)), kinds, np.array([size, 1]))
    assert (shares[0, 1] > shares[0, 0]) == wins
    assert shares.sum() == pytest.approx(1)


def test_alone_as_in_a_batch_on_a_large_map(rng):
    """4,000 cells, a third without a kind, some values missing: one cell and 500 agree bit for bit."""
    counts = {"Pvalb": 1300, "Sst": 1400, "IT": 1300}
    cells = lab_of(rng, "first", counts)
    cells.loc[::3, "subclass"] = None
    atlas = build(cells, label="subclass", embedding="pca")
    new = lab_of(rng, "first", {"Pvalb": 200, "Sst": 200, "IT": 100})
    new.loc[::7, "tau"] = np.nan
    together = place(atlas, new).table
    some = rng.integers(0, 500, 30)
    alone = pd.concat([place(atlas, new.iloc[[k]]).table for k in some], ignore_index=True)
    pd.testing.assert_frame_equal(
        together.iloc[some].reset_index(drop=True), alone, check_exact=True
    )
    assert set(together["filled"]) == {"", "tau"}
