"""What is told of placed cells: landmarks of their neighbours, distances, a still picture."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from cleo_like.atlas import (
    Landmark,
    against_real,
    build,
    landmark_shares,
    place,
    simulated_atlas,
)
from cleo_like.atlas.evaluate import batch_panel
from cleo_like.cli import main
from cleo_like.core.errors import UnknownNameError
from cleo_like.report.plots.atlas import atlas_figure
from tests.atlas.conftest import lab_of

NARROW = Landmark(name="narrow", rule=(("ap_1_width_0_long_square", "<=", 5e-4),))
NOBODY = Landmark(name="nobody", rule=(("tau", ">=", 10.0),))


@pytest.fixture
def atlas(first):
    return build(first, label="subclass", embedding="pca", landmarks=[NARROW, NOBODY])


def test_shares_of_landmarks(atlas, rng):
    cells = lab_of(rng, "first", {"Pvalb": 10, "IT": 10})
    told = landmark_shares(place(atlas, cells), cells).set_index("landmark")
    assert told.loc["narrow", "cells"] == NARROW.holds(cells)[0].sum()
    assert told.loc["narrow", "share"] > 0.8
    members = len(atlas.landmark("narrow").members)
    assert told.loc["narrow", ["members", "chance"]].tolist() == [members, members / 180]
    assert told.loc["narrow", "among_members"] > 0.7
    assert told.loc["nobody", "cells"] == 0
    assert np.isnan(told.loc["nobody", "share"])


def test_a_picture_of_the_map(atlas, first, second, tmp_path):
    placed = place(atlas, second.assign(lab="first").head(20))
    figure = atlas_figure(atlas, placed=placed)
    legend = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    assert {"IT (60)", "Pvalb (60)", "Sst (60)"} < set(legend)
    assert sum(int(t.split("(")[1][:-1]) for t in legend if t[0] in "po") == 20
    assert "narrow" in [t.get_text() for t in figure.axes[0].texts]
    holes = first.copy()
    holes.loc[:4, "tau"] = np.nan
    by_value = atlas_figure(build(holes, embedding="pca"), colour="tau")
    assert by_value.axes[1].get_ylabel() == "tau (s)"
    assert by_value.axes[0].get_legend().get_texts()[0].get_text() == "missing (5)"
    with pytest.raises(UnknownNameError, match="'taw'"):
        atlas_figure(atlas, colour="taw")
    atlas.save(tmp_path / "m.npz")
    pd.DataFrame(second).to_csv(tmp_path / "c.csv", index=False)
    words = [
        "place",
        "m.npz",
        "c.csv",
        "-o",
        "p.csv",
        "--per-feature",
        "f.csv",
        "--figure",
        "p.png",
    ]
    words = [str(tmp_path / w) if "." in w else w for w in words]
    done = CliRunner().invoke(main, ["atlas", *words, "--colour", "tau"])
    assert done.exit_code == 0, done.output
    assert "landmark narrow" in done.output
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert set(pd.read_csv(tmp_path / "f.csv")["feature"]) == set(atlas.features)
    again = CliRunner().invoke(main, ["atlas", *words])
    assert again.exit_code == 1


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
