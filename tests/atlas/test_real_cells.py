"""The 119 real cells of 17 dandisets, and the motor cortex at two temperatures."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from cleo_like.atlas import PUBLISHED, adapt, build, place
from cleo_like.atlas.frozen.votes import left_out_shares
from cleo_like.qc import range_table
from tests.atlas.test_map import balanced

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def real(data_dir):
    return pd.read_csv(
        data_dir / "atlas" / "dandi_icephys_features_sample.csv", dtype={"dandiset": str}
    )


def test_119_cells_load_pass_and_map(real):
    verdicts = range_table(real)
    assert (verdicts["verdict"] == "fail").sum() == 0
    atlas = build(real, embedding="pca")
    assert (len(atlas), len(atlas.features)) == (119, 11)
    assert atlas.about["not_used"] == [c for c in PUBLISHED if c.startswith("ap_mean")]
    assert build(real, embedding="pca").hash == atlas.hash
    assert len(atlas.citations()) == 17


def test_one_real_cell_is_placed_as_all(real):
    atlas = build(real, embedding="pca")
    together = place(atlas, real).table
    alone = pd.concat(
        [place(atlas, real.iloc[[k]]).table for k in range(40)], ignore_index=True
    )
    pd.testing.assert_frame_equal(together.iloc[:40], alone, check_exact=True)


def motor_cortex(data_dir, which, lab):
    folder = data_dir / "atlas"
    values = pd.read_csv(folder / f"m1_patchseq{which}_ephys_features.csv")
    meta = pd.read_csv(folder / f"m1_patchseq{which}_meta_data.csv", sep="\t")
    both = values.merge(meta, left_on="cell id", right_on="Cell")
    names = {
        c: c.lower().split(" (")[0].replace(" ", "_").replace("@", "at").replace("+", "p")
        for c in values.columns[1:]
    }
    cells = both[list(names)].rename(columns=names)
    cells = cells.assign(
        cell_id=both["cell id"], subclass=both["RNA family"], donor=both["Mouse"], lab=lab
    )
    known = cells["subclass"].isin(["IT", "ET", "CT", "Sst", "Pvalb", "Vip", "Lamp5"])
    return cells[known].reset_index(drop=True), list(names.values())


def test_motor_cortex_by_mouse_and_by_temperature(data_dir):
    cold, features = motor_cortex(data_dir, "", "25 C")
    warm, _ = motor_cortex(data_dir, "_phys_temp", "34 C")
    atlas = build(cold, features=features, label="subclass", embedding="pca")
    assert (len(cold), len(warm), len(features)) == (1213, 174, 29)
    cells, kinds = atlas.labelled
    shares = left_out_shares(cells, kinds, atlas.donor_codes, len(atlas.classes))
    by_mouse = balanced(kinds, shares.argmax(axis=1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        placed = place(adapt(atlas, warm.drop(columns="subclass")), warm).table
    by_temperature = balanced(warm["subclass"], placed["label"])
    assert by_mouse >= 0.76  # 0.833 measured
    assert by_temperature >= 0.67  # 0.674 measured, labels of the warm cells never seen
    assert np.isfinite(placed["share"]).all()
