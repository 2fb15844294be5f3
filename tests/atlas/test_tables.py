"""Published tables by mapping files, labels carried between labs, the panel of labs and donors."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest

from cleo_like.atlas import batch_panel, build, import_table, label_transfer, read_mapping
from cleo_like.atlas.evaluate import balanced_accuracy, score
from cleo_like.atlas.evaluate.batch import enrichment
from cleo_like.atlas.neighbours import Neighbours
from cleo_like.atlas.tables import mapping_names
from cleo_like.atlas.tables.mapping import unit_factor
from cleo_like.core.errors import FileFormatError, InputError, UnitError, UnknownNameError
from tests.atlas.conftest import lab_of

VISP = """Cell ID,AP amplitude (mV),AP width (ms),Input resistance (MΩ),Sag ratio,Threshold I (long square) (picoamps)
601,53,0.88,222.9,0.013,30
602,60.8,0.54,0.0,0.035,110
603,71.4,0.44,176.5,0.21,0.0
"""
VISP_META = """Cell ID,Age (postnatal days),Anatomical Structure,Sex,T type subclass,tau,Latency
603,57,VISp,F,Sst interneuron,21.4,0.09188
601,55,VISpm,M,Vip interneuron,11.7,0.03444
999,55,VISpm,M,Vip interneuron,11.7,0.03444
"""


def test_every_mapping_of_the_package_is_sound():
    for name in mapping_names():
        mapping = read_mapping(name)
        assert mapping.columns
        assert "species" in mapping.texts


def test_units_offsets_zeros_and_words(tmp_path):
    (tmp_path / "ephys.csv").write_text(VISP, encoding="utf-8")
    (tmp_path / "meta.csv").write_text(VISP_META)
    cells = import_table([tmp_path / "ephys.csv", tmp_path / "meta.csv"], "visp_viewer")
    assert cells["cell_id"].tolist() == ["601", "602", "603"]
    one = cells.iloc[0]
    assert (one["ap_width"], one["tau"], one["latency"]) == pytest.approx(
        (8.8e-4, 0.0117, 0.03444)
    )
    assert (one["species"], one["region"], one["age"], one["sex"]) == (
        "Mus musculus",
        "VISpm",
        "P55D",
        "M",
    )
    assert cells["subclass"].tolist()[0::2] == ["Vip", "Sst"]
    assert pd.isna(cells["subclass"][1])  # not in the metadata
    assert cells["input_resistance"].isna().tolist() == [
        False,
        True,
        False,
    ]  # 0 is "not measured"
    assert cells["rheobase_i"].isna().tolist() == [False, False, True]
    assert cells["lab"].unique().tolist() == ["Allen VISp"]
    assert "ahp_depth" in cells.attrs["absent"]
    assert "peak minus threshold" in cells.attrs["definitions"]["ap_amplitude"]


def test_a_ratio_becomes_a_fraction(tmp_path):
    table = pd.DataFrame(
        {
            "cell id": ["a", "b"],
            "Sag ratio": [1.16, 1.05],
            "Afterhyperpolarization (mV)": [-9.9, -4],
        }
    )
    cells = import_table(table, "m1_patchseq")
    np.testing.assert_allclose(cells["sag"], [0.16, 0.05])
    np.testing.assert_allclose(cells["ahp_depth"], [9.9, 4])


@pytest.mark.parametrize(
    ("column", "factor", "says"),
    [("Input resistance (MΩ)", 1e-3, "GOhm"), ("AP width (ms)", 1e-3, "ms for s"), ("Sag ratio", 0, "")],
)  # fmt: skip
def test_a_wrong_unit_is_said(rng, column, factor, says):
    table = pd.DataFrame(
        {
            "Cell ID": range(20),
            "Input resistance (MΩ)": rng.lognormal(5, 0.3, 20),
            "AP width (ms)": rng.lognormal(-0.5, 0.2, 20),
            "Sag ratio": rng.uniform(0, 0.3, 20),
        }
    )
    if factor == 0:
        import_table(table, "visp_viewer")  # nothing to be said
        return
    table[column] *= factor
    with pytest.warns(UserWarning, match=says):
        import_table(table, "visp_viewer")


PLAIN = """[table]
name = "x"
key = ["id"]
[columns]
input_resistance = { from = ["r"], unit = "MOhm", definition = "ipfx" }
tau = { from = ["tau"], unit = "ms", definition = "ipfx" }
"""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, None),
        ({"tau": lambda x: x / 1000}, r"tau: the median is .* another unit \(ms for s\?\)"),
        (
            {"r": lambda x: np.where(x > 250, -999, x)},
            "values outside 1 to 3000 MOhm, e.g. -999",
        ),
        ({"r": lambda x: np.where(x > 250, 0, x)}, "e.g. 0: a code for"),
        ({"r": lambda x: np.where(x > 250, x / 1000, x)}, "or another unit"),
        ({"r": lambda x: np.where(x == x.max(), 3500, x)}, None),  # one large value is no code
        ({"id": lambda x: np.where(x == 3, np.nan, x)}, "1 rows without an id"),
        ({"id": lambda x: np.where(x == 3, 4, x)}, "1 cells have several rows with different"),
    ],
)
def test_what_looks_wrong_in_a_part_of_a_table(rng, tmp_path, change, says):
    table = pd.DataFrame(
        {"id": np.arange(40.0), "r": rng.uniform(60, 400, 40), "tau": rng.uniform(5, 40, 40)}
    )
    table = table.assign(**{name: f(table[name].to_numpy()) for name, f in change.items()})
    (tmp_path / "x.toml").write_text(PLAIN)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        import_table(table, tmp_path / "x.toml")
    said = [str(w.message) for w in found]
    assert len(said) == (says is not None)
    assert says is None or re.search(says, said[0])


def test_a_column_that_stands_twice_counts_once(tmp_path):
    table = pd.DataFrame([[1, 100.0, 20.0, 1], [2, 150.0, 22.0, 2]])
    table.columns = ["id", "r", "tau", "id"]
    (tmp_path / "x.toml").write_text(PLAIN)
    cells = import_table(table, tmp_path / "x.toml")
    assert cells["input_resistance"].tolist() == [100, 150]


def test_wrong_mappings_and_tables(tmp_path):
    with pytest.raises(UnknownNameError, match="visp_viewer"):
        read_mapping("visp_view")
    bad = tmp_path / "bad.toml"
    for text in (
        "[table]",
        "no toml at all",
        '[table]\nname="a"\nkey="id"\n[columns]\ntau={from="t", unit="mV"}',
    ):
        bad.write_text(text)
        with pytest.raises((FileFormatError, UnitError)):
            read_mapping(bad)
    with pytest.raises(FileFormatError, match="no column with ids"):
        import_table(pd.DataFrame({"x": [1]}), "visp_viewer")
    with pytest.raises(InputError, match="none of the columns"):
        import_table(pd.DataFrame({"Cell ID": [1], "x": [1]}), "visp_viewer")
    with pytest.raises(FileFormatError, match="no table at"):
        import_table(tmp_path / "none.csv", "visp_viewer")


@pytest.mark.parametrize(
    ("unit", "wanted", "factor"),
    [("mV", "mV", 1), ("V", "mV", 1e3), ("GOhm", "MOhm", 1e3), ("ms", "s", 1e-3), ("nA", "pA", 1e3), ("%", "1", 1e-2), ("mV/ms", "V/s", 1)],
)  # fmt: skip
def test_units(unit, wanted, factor):
    assert unit_factor(unit, wanted) == pytest.approx(factor, rel=1e-12)


def test_unknown_units():
    for pair in (("mV", "pA"), ("furlong", "s"), ("ms", "1")):
        with pytest.raises(UnitError):
            unit_factor(*pair)


def test_labels_carried_to_another_lab(first, second):
    found = label_transfer(first, second, label="subclass")
    assert found.score.value > 0.93
    assert found.score.low <= found.score.value <= found.score.high
    assert found.score.unit == "donors"
    assert found.by_donor.value > 0.95
    assert found.shared_donors == 0
    assert "warning: a random split" in str(found)
    supervised = label_transfer(first, second, label="subclass", metric="supervised")
    assert supervised.score.value > found.score.value - 0.02


def test_no_donor_is_on_both_sides(first, second):
    """Copies of the source's cells among the target's would name themselves."""
    copies = first.iloc[:15].assign(lab="second")
    found = label_transfer(first, pd.concat([second, copies]), label="subclass")
    donors = set(copies["donor"])
    assert found.shared_donors == len(donors) == 5
    assert not set(found.atlas.cells["donor"]) & donors


def test_too_few_kinds(first, second):
    with pytest.raises(InputError, match="share 1 kinds"):
        label_transfer(first, second[second["subclass"] == "Sst"], label="subclass")
    with pytest.raises(InputError, match="no column 'kind'"):
        label_transfer(first, second, label="kind")


def test_an_interval_over_donors_is_wider():
    truth, donors = ["a", "b"] * 100, [f"d{k // 40}" for k in range(200)]
    told = [t if int(d[1]) % 2 else "x" for t, d in zip(truth, donors, strict=True)]
    clustered, alone = score(truth, told, donors), score(truth, told)
    assert clustered.high - clustered.low > 2 * (alone.high - alone.low)
    assert clustered.value == alone.value == balanced_accuracy(truth, told)
    with pytest.raises(InputError):
        score([], [])


def test_the_panel_shows_labs_and_donors(first, second, rng):
    made = build(pd.concat([first, second]), label="subclass", embedding="pca")
    panel = batch_panel(made)
    assert panel.lab_before > panel.lab_after
    assert panel.lab_after < 1.35
    assert set(panel.left_out) == {"first", "second"}
    assert panel.left_out["second"].value > 0.9
    assert "times chance" in str(panel)
    points = rng.normal(size=(400, 3))
    assert enrichment(Neighbours(points), rng.integers(0, 4, 400)) == pytest.approx(1, abs=0.1)
    twice = np.concatenate([points, points + 1e-6])
    assert enrichment(Neighbours(twice), np.tile(np.arange(400), 2)) > 20
    assert np.isnan(enrichment(Neighbours(points), np.full(400, -1)))


def test_unknown_donors_are_nobodys(rng):
    cells = lab_of(rng, "a", {"Sst": 20, "IT": 20}).drop(columns="donor")
    assert np.isnan(batch_panel(build(cells, label="subclass", embedding="pca")).donor)
