"""Build, freeze, place: the same bits, however asked."""

from __future__ import annotations

import subprocess
import sys
import warnings

import attrs
import numpy as np
import pandas as pd
import pytest

from cleo_like.atlas import Atlas, adapt, build, place
from cleo_like.atlas.frozen.embed import embed
from cleo_like.core.errors import (
    ExistingFileError,
    FileFormatError,
    InputError,
    UnknownNameError,
)
from tests.atlas.conftest import lab_of


def balanced(truth, told):
    truth, told = np.asarray(truth), np.asarray(told)
    return np.mean([(told[truth == kind] == kind).mean() for kind in np.unique(truth)])


@pytest.fixture
def atlas(first):
    return build(first, label="subclass", embedding="pca")


def test_same_table_and_seed_same_map(first, atlas):
    again = build(first, label="subclass", embedding="pca")
    assert again.hash == atlas.hash
    assert build(first[::-1], label="subclass", embedding="pca").hash != atlas.hash


def test_a_cell_alone_is_placed_as_in_a_batch(atlas, rng):
    cells = lab_of(rng, "first", {"Pvalb": 20, "Sst": 20, "IT": 20}, spread=0.3)
    cells.loc[3, "tau"] = np.nan  # filled
    cells.loc[7, ["tau", "v_baseline", "input_resistance"]] = np.nan  # not placed
    together = place(atlas, cells)
    alone = pd.concat([place(atlas, cells.iloc[[k]]).table for k in range(len(cells))])
    pd.testing.assert_frame_equal(
        together.table, alone.reset_index(drop=True), check_exact=True, check_dtype=False
    )
    assert together.table.loc[3, "filled"] == "tau"
    assert "not placed" in together.table.loc[7, "note"]
    assert np.isnan(together.table.loc[7, "x"])
    assert together.table.loc[7, "outside"] is None


def test_cells_of_the_map_land_on_themselves(first, atlas):
    placed = place(atlas, first)
    np.testing.assert_allclose(placed.table[["x", "y"]], atlas.xy, atol=1e-9)
    assert placed.neighbours(5)["cell_id"].iloc[0] == first["cell_id"][5]


def test_saved_and_read_again(atlas, first, tmp_path):
    path = atlas.save(tmp_path / "a.npz")
    back = Atlas.load(path)
    assert back.hash == atlas.hash
    pd.testing.assert_frame_equal(
        place(back, first).table, place(atlas, first).table, check_exact=True
    )
    with pytest.raises(ExistingFileError):
        atlas.save(path)
    first_bytes = path.read_bytes()
    assert atlas.save(path, overwrite=True).read_bytes() == first_bytes


def test_placing_needs_no_package_of_maps(atlas, tmp_path):
    path = atlas.save(tmp_path / "a.npz")
    code = (
        "import sys; sys.modules.update(umap=None, sklearn=None, openTSNE=None)\n"
        "import pandas as pd; from cleo_like.atlas import Atlas, place\n"
        f"a = Atlas.load({str(path)!r})\n"
        "print(len(place(a, pd.DataFrame({'tau': [.01], 'v_baseline': [-70.]}))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "1", done.stderr


@pytest.mark.parametrize("damage", ["cut", "text", "changed"])
def test_a_damaged_map_is_refused(atlas, tmp_path, damage):
    path = atlas.save(tmp_path / "a.npz")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "text":
        path.write_text("no map")
    else:
        attrs.evolve(atlas, name="other").save(path, overwrite=True)
        with np.load(path) as file:
            arrays = dict(file)
        arrays["xy"] = arrays["xy"] + 1
        with path.open("wb") as file:
            np.savez(file, **arrays)
    with pytest.raises(FileFormatError, match=r"a\.npz"):
        Atlas.load(path)
    with pytest.raises(FileFormatError, match="no map at"):
        Atlas.load(tmp_path / "none.npz")


def test_another_lab_needs_its_own_scale(atlas, second):
    with pytest.warns(UserWarning, match="no scale for 'second'"):
        raw = place(atlas, second)
    fitted = place(adapt(atlas, second), second)
    truth = second["subclass"]
    assert balanced(truth, fitted.table["label"]) > 0.93
    assert balanced(truth, raw.table["label"]) < 0.75  # the offset looks like another kind
    assert "kinds of 'subclass'" in adapt(atlas, second).labs["second"].basis


def test_the_labels_of_a_new_lab_only_say_which_cells_are_known(atlas, second, rng):
    swapped = second.assign(subclass=rng.permutation(second["subclass"]))
    one, two = adapt(atlas, second), adapt(atlas, swapped)
    np.testing.assert_array_equal(one.labs["second"].centre, two.labs["second"].centre)
    np.testing.assert_array_equal(one.labs["second"].matrix, two.labs["second"].matrix)


def test_a_scale_on_all_cells_is_said(atlas, second):
    with pytest.warns(UserWarning, match="rests on all its 130 cells"):
        told = adapt(atlas, second.drop(columns="subclass"))
    assert told.labs["second"].basis == "130 cells (all)"
    assert told.hash != atlas.hash
    np.testing.assert_array_equal(told.xy, atlas.xy)


@pytest.mark.parametrize(("n", "works"), [(19, False), (20, True)])
def test_least_cells_of_a_scale(atlas, second, n, works):
    some = second.iloc[:n]
    if works:
        assert adapt(atlas, some).labs["second"].cells == 20
    else:
        with pytest.raises(InputError, match="19 known cells; its scale needs 20"):
            adapt(atlas, some)


def test_small_labs_of_a_map_share_the_common_scale(first, rng):
    few = lab_of(rng, "few", {"Sst": 19})
    many = lab_of(rng, "many", {"Sst": 20})
    made = build(pd.concat([first, few, many]), label="subclass", embedding="pca")
    assert "too few" in made.labs["few"].basis
    assert made.labs["many"].basis == "20 cells of shared kinds"
    assert "first" in made.labs[""].basis


def test_the_shape_of_a_spike_counts_once(first):
    twice = first.assign(
        ap_mean_width_0_long_square=first["ap_1_width_0_long_square"],
    )
    names = ["tau", "v_baseline", "ap_1_width_0_long_square", "ap_mean_width_0_long_square"]
    both = build(twice, features=names, embedding="pca")
    once = build(twice, features=names[:-1], embedding="pca")
    distance, _ = both.neighbours.nearest(both.scaled, 5)
    expected, _ = once.neighbours.nearest(once.scaled, 5)
    np.testing.assert_allclose(distance, expected, rtol=1e-9)
    assert both.about["shared_weights"] == names[2:]


def test_missing_values_are_filled_and_flagged(first):
    holes = first.copy()
    holes.loc[::10, "tau"] = np.nan
    holes.loc[4, ["tau", "v_baseline", "input_resistance"]] = np.nan
    made = build(holes, features=FEATURES4, label="subclass", embedding="pca")
    assert made.imputed.sum() == 18
    assert made.about["dropped"] == [first["cell_id"][4]]
    assert np.isfinite(made.scaled).all()
    assert np.isnan(made.values[0, 1])
    truth = build(first, features=FEATURES4, label="subclass", embedding="pca").scaled[0, 1]
    assert abs(made.scaled[0, 1] - truth) < 1.5


FEATURES4 = ["input_resistance", "tau", "v_baseline", "ap_1_width_0_long_square"]


def test_wrong_asks(first, atlas):
    with pytest.raises(UnknownNameError, match="embedding 'umapp'"):
        build(first, embedding="umapp")
    with pytest.raises(UnknownNameError, match="harmonise 'harmony'"):
        build(first, embedding="pca", harmonise="harmony")
    with pytest.raises(InputError, match="no column 'kind'"):
        build(first, embedding="pca", label="kind")
    with pytest.raises(InputError, match="needs labels"):
        build(first, embedding="pca", metric="supervised")
    with pytest.raises(InputError, match="none of the map's features"):
        place(atlas, pd.DataFrame({"x": [1.0]}))
    with pytest.raises(InputError, match="expected a FeatureTable"):
        place(atlas, [1, 2])
    with pytest.raises(InputError, match="tau must be numbers, got 'fast'"):
        place(atlas, pd.DataFrame({"tau": ["fast"]}))
    with pytest.raises(InputError, match="at least 4 cells"):
        embed(np.zeros((3, 2)), "pca", 0)


def test_text_and_extreme_values_do_not_rule(atlas, first):
    wild = first.iloc[[0, 1]].copy()
    wild.loc[0, "input_resistance"] = 1e12
    wild.loc[1, "input_resistance"] = -5.0  # no logarithm: missing, not small
    placed = place(atlas, wild)
    assert np.abs(placed.scaled).max() <= 4
    assert placed.table["filled"].tolist() == ["", "input_resistance"]
    assert placed.table["outside"].iloc[0]


def test_shares_are_calibrated(rng):
    counts = {"Pvalb": 150, "Sst": 150, "IT": 150}
    pair = ["tau", "v_baseline"]
    made = build(
        lab_of(rng, "first", counts, spread=0.4),
        features=pair,
        label="subclass",
        embedding="pca",
    )
    cells = lab_of(rng, "first", dict.fromkeys(counts, 300), spread=0.4)
    placed = place(made, cells)
    right = placed.table["label"].to_numpy() == cells["subclass"].to_numpy()
    sure = placed.table["share"].to_numpy()
    for low, high in ((0.3, 0.6), (0.6, 0.8), (0.8, 1.01)):
        some = (sure >= low) & (sure < high)
        assert some.sum() > 20
        assert right[some].mean() == pytest.approx(sure[some].mean(), abs=0.12)
    np.testing.assert_allclose(placed.shares.sum(axis=1), 1)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["umap", "published", "opentsne"])
def test_maps_for_looking_are_the_same_with_the_same_seed(first, method):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, two = (build(first, label="subclass", embedding=method, seed=3) for _ in range(2))
    assert one.hash == two.hash
    assert np.isfinite(one.xy).all()


def test_a_supervised_metric_turns_away_from_noise(rng):
    cells = lab_of(rng, "a", {"Pvalb": 60, "Sst": 60})
    noise = {f"resonance_q{k}": rng.normal(1, 0.3, len(cells)) for k in range(20)}
    cells = cells.assign(**noise)
    names = [*FEATURES4[:1], *noise]
    half = rng.permutation(len(cells)) < 60
    scores = []
    for metric in (None, "supervised"):
        made = build(
            cells[half], features=names, label="subclass", embedding="pca", metric=metric
        )
        told = place(made, cells[~half]).table["label"]
        scores.append(balanced(cells["subclass"][~half], told))
    assert scores[1] > scores[0] + 0.05
