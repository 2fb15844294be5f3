"""Simulated cells on their own map, and beside others."""

from __future__ import annotations

import numpy as np
import pytest

from cleo_like.atlas import against_real, build, place, simulated_atlas
from cleo_like.atlas.evaluate import batch_panel
from tests.atlas.conftest import lab_of


def test_the_map_of_the_package_tells_its_kinds_apart():
    atlas = simulated_atlas()
    assert len(atlas) >= 60
    assert batch_panel(atlas).by_donor.value > 0.7
    assert atlas.hash == simulated_atlas().hash


def test_how_far_in_units_of_a_type(first, rng):
    atlas = build(first, label="subclass", embedding="pca")
    cell = lab_of(rng, "first", {"Sst": 1}, spread=0.0)
    shifted = cell.assign(v_baseline=cell["v_baseline"] + 40)
    told = against_real(atlas, shifted, temperature=25).set_index("feature")
    assert told.loc["v_baseline", "distance"] == pytest.approx(40 / 1.5, rel=0.35)
    assert np.abs(told.loc["tau", "distance"]) < 3
    assert told.loc["tau", "unit"] == "s"
    assert "at 34 C about 0.62 times" in told.loc["ap_1_width_0_long_square", "note"]
    assert told["nearest_cells"].str.contains("first-").all()
    assert place(atlas, cell).table.loc[0, "label"] == "Sst"
