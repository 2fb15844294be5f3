"""Known posteriors, known ranks, known copies: what a map says against what is true."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cleo_like.atlas import Atlas, batch_panel, build, label_transfer, place
from cleo_like.atlas.calibration import Calibration, cross_fitted, fitted
from cleo_like.core.errors import InputError
from tests.atlas.conftest import FEATURES, lab_of

FOUR = (*FEATURES[:2], "rheobase_i", "ap_1_width_0_long_square")


def gaussian(rng, counts, apart, dimensions=4):
    """Two kinds, unit spread, `apart` along the first feature: the posterior is known."""
    z = rng.normal(size=(sum(counts), dimensions))
    kinds = np.repeat([0, 1], counts)
    z[:, 0] += apart * (kinds - 0.5)
    table = pd.DataFrame(np.exp(0.3 * z), columns=list(FOUR[:dimensions]))
    table = table.assign(subclass=np.array(["A", "B"])[kinds], lab="one")
    return table, 1 / (1 + np.exp(-apart * z[:, 0])), kinds


def calibration_error(p, truth):
    groups = np.minimum((p * 10).astype(int), 9)
    gaps = [
        (groups == g).mean() * abs(p[groups == g].mean() - truth[groups == g].mean())
        for g in np.unique(groups)
    ]
    return sum(gaps)


@pytest.mark.parametrize(
    ("counts", "error"),
    [((1000, 1000), 0.04), ((400, 100), 0.07), ((1000, 30), 0.10)],  # were .03, .11, .27
)
@pytest.mark.parametrize("apart", [1, 2, 3])
def test_shares_are_the_posterior_of_kinds_that_are_equally_common(rng, counts, apart, error):
    made = build(gaussian(rng, counts, apart)[0], label="subclass", embedding="pca")
    new, posterior, kinds = gaussian(rng, (1000, 1000), apart)
    placed = place(made, new)
    p = placed.shares["B"].to_numpy()
    assert calibration_error(p, kinds) < error
    assert abs(np.mean(p - posterior)) < 0.06
    best = ((posterior > 0.5) == kinds).mean()
    assert ((p > 0.5) == kinds).mean() > best - 0.12
    winner = np.where(p > 0.5, "B", "A")
    assert (placed.table["label"] == winner).all()  # the kind is the one with the largest share
    np.testing.assert_allclose(placed.table["share"], np.maximum(p, 1 - p))


def test_a_kind_without_a_vote_is_not_impossible():
    told = Calibration(floor=0.1).apply(np.array([[1.0, 0.0], [0.5, 0.5], [np.nan, np.nan]]))
    np.testing.assert_allclose(told[:2], [[1.1 / 1.2, 0.1 / 1.2], [0.5, 0.5]])
    assert np.isnan(told[2]).all()


def test_what_was_put_in_is_fitted(rng):
    """Kinds drawn from p ~ exp(b) (s + f)^a: the fit finds p again."""
    shares = rng.dirichlet([0.5, 0.5, 0.5], 20_000)
    truth = Calibration(sharpness=1.5, floor=0.1, biases=(0.3, 0.0, -0.3))
    p = truth.apply(shares)
    kinds = (rng.random(len(p))[:, None] > np.cumsum(p, axis=1)).sum(axis=1)
    found = fitted(shares, kinds)
    prior = np.bincount(kinds) / len(kinds)  # every kind weighs the same in the fit
    balanced = p / prior
    balanced /= balanced.sum(axis=1, keepdims=True)
    assert np.abs(found.apply(shares) - balanced).max() < 0.04


def test_biases_are_learnt_from_twenty_cells_on(rng):
    shares = rng.dirichlet([1, 1, 1], 219)
    kinds = np.repeat([0, 1, 2], [180, 20, 19])
    biases = fitted(shares, kinds).biases
    assert biases[2] == 0
    assert biases[0] != 0
    assert biases[1] != 0
    assert fitted(shares, np.zeros(219, int)) == Calibration()


def test_a_donor_does_not_calibrate_itself(rng):
    shares = rng.dirichlet([1, 1], 400)
    kinds = rng.integers(0, 2, 400)
    donors = np.repeat(np.arange(80), 5)
    told = cross_fitted(shares, kinds, donors)
    other = kinds.copy()
    other[donors == 7] = 1 - other[donors == 7]
    again = cross_fitted(shares, other, donors)
    np.testing.assert_array_equal(told[donors == 7], again[donors == 7])
    assert not np.array_equal(told, again)


def test_a_map_keeps_its_calibration(rng, tmp_path):
    table, _, _ = gaussian(rng, (200, 60), 1)
    made = build(table, label="subclass", embedding="pca")
    assert made.calibration.floor > 0
    back = Atlas.load(made.save(tmp_path / "m.npz"))
    assert back.calibration == made.calibration
    pd.testing.assert_frame_equal(place(back, table).shares, place(made, table).shares)


@pytest.mark.parametrize(("dimensions", "cells"), [(2, 400), (4, 400), (4, 2000)])
def test_percentiles_of_cells_that_belong_are_uniform(rng, dimensions, cells):
    ranks = []
    for _ in range(4):
        half = (cells // 2, cells // 2)
        known, _, _ = gaussian(rng, half, 2, dimensions)
        made = build(known, features=FOUR[:dimensions], embedding="pca")
        new, _, _ = gaussian(rng, (500, 500), 2, dimensions)
        ranks.append(place(made, new).table["percentile"])
    ranks = np.sort(np.concatenate(ranks))
    gap = np.abs(ranks - np.arange(len(ranks)) / len(ranks)).max()
    assert gap < 0.06  # .2 when known cells had a part in how dense their neighbours lie
    assert 0.03 < np.mean(ranks > 0.95) < 0.075


def test_copies_under_other_names_do_not_name_each_other(rng):
    """Kinds at random: a cell is named rightly only by its own copy."""
    one = lab_of(rng, "one", {"IT": 150})
    one["subclass"] = rng.permutation(["A", "B", "C"] * 50)
    copies = one.assign(cell_id="copy " + one["cell_id"], donor="other " + one["donor"])
    both = pd.concat([one, copies], ignore_index=True)
    panel = batch_panel(build(both, label="subclass", embedding="pca"))
    assert panel.by_donor.value < 0.45
    assert panel.random.value > 0.6
    half = rng.random(150) < 0.5
    found = label_transfer(one, copies[half].assign(lab="two"), label="subclass")
    assert found.copies == half.sum()
    assert found.score.value < 0.55
    nearly = copies.assign(tau=copies["tau"] * (1 + 1e-12))
    assert label_transfer(one, nearly.assign(lab="two"), label="subclass").copies == 0


def test_a_feature_without_values_is_said(rng):
    cells = lab_of(rng, "one", {"IT": 30, "Sst": 30}).assign(tau=np.nan)
    with pytest.raises(InputError, match="tau has no positive value in all 60 cells"):
        build(cells, features=FEATURES, label="subclass", embedding="pca")
    other = lab_of(rng, "two", {"IT": 30, "Sst": 30})
    made = build(
        pd.concat([cells, other]), features=FEATURES, label="subclass", embedding="pca"
    )
    assert batch_panel(made).left_out["two"].value > 0.9  # by the others, without tau


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.convert_dtypes().assign(donor=pd.array([pd.NA] * len(t), dtype="string")),
        lambda t: t.assign(when=pd.Timestamp("2020-01-01")),
        lambda t: t.assign(kinds=[["a"]] * len(t)),
        lambda t: t.assign(subclass=t["subclass"].map({"IT": 1.0, "Sst": 2.0})),
    ],
)
def test_columns_of_any_kind_are_carried(rng, tmp_path, change):
    cells = change(lab_of(rng, "one", {"IT": 30, "Sst": 30}))
    made = build(cells, label="subclass", embedding="pca")
    assert made.classes in (("IT", "Sst"), ("1", "2"))
    assert Atlas.load(made.save(tmp_path / "m.npz")).hash == made.hash
