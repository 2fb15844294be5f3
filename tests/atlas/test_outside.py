"""Cells that belong nowhere, and the limit of each lab."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cleo_like.atlas import adapt, build, place
from tests.atlas.conftest import lab_of


def auroc(inside, outside):
    """Chance that a cell from outside is stranger than one from inside."""
    inside, outside = np.asarray(inside), np.asarray(outside)
    return (outside[:, None] > inside[None]).mean()


@pytest.fixture
def interneurons(rng):
    return lab_of(rng, "first", {"Pvalb": 100, "Sst": 100})


@pytest.fixture
def other_lab(rng):
    return lab_of(rng, "second", {"Pvalb": 150, "Sst": 150, "IT": 300}, factor=2.2, offset=9)


def test_another_kind_is_outside_when_known_cells_set_the_scale(interneurons, other_lab):
    atlas = adapt(build(interneurons, label="subclass", embedding="pca"), other_lab)
    table = place(atlas, other_lab).table
    known = (other_lab["subclass"] != "IT").to_numpy()
    assert auroc(table["strangeness"][known], table["strangeness"][~known]) > 0.95
    assert 0.0 < table["outside"][known].mean() <= 0.10
    assert table["outside"][~known].mean() > 0.8
    with pytest.warns(UserWarning, match="rests on all"):
        blind = adapt(atlas, other_lab.drop(columns="subclass"))
    hidden = place(blind, other_lab).table
    assert hidden["outside"][~known].mean() < table["outside"][~known].mean()


def test_the_limit_of_a_lab_holds_for_its_other_cells(interneurons, other_lab):
    known = other_lab[other_lab["subclass"] != "IT"].reset_index(drop=True)
    half = np.arange(len(known)) % 2 == 0
    atlas = adapt(build(interneurons, label="subclass", embedding="pca"), known[half])
    rate = place(atlas, known[~half]).table["outside"].mean()
    assert rate <= 0.10


def test_features_shuffled_between_cells_are_strange(interneurons, rng):
    atlas = build(interneurons, label="subclass", embedding="pca")
    cells = lab_of(rng, "first", {"Pvalb": 150, "Sst": 150})
    mixed = cells.copy()
    for name in atlas.features:
        mixed[name] = rng.permutation(mixed[name])
    one, two = place(atlas, cells).table, place(atlas, mixed).table
    swapped = [  # a cell that got all its values from one kind is no stranger
        len({cells["subclass"].iloc[int(np.flatnonzero(cells[f] == mixed[f].iloc[k])[0])]
             for f in atlas.features}) > 1
        for k in range(len(cells))
    ]  # fmt: skip
    assert auroc(one["strangeness"], two["strangeness"][swapped]) > 0.85
    assert pd.Series(one["outside"]).mean() < 0.12


def test_few_known_cells_take_the_limit_of_all(interneurons, other_lab):
    base = build(interneurons, label="subclass", embedding="pca")
    for n, own in ((39, False), (40, True)):
        known = other_lab[other_lab["subclass"] == "Sst"].iloc[:n]
        assert ("second" in adapt(base, known).usual) == own
