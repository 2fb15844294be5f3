"""Published tables on the command line, from import to places, as somebody else would."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from click.testing import CliRunner

from cleo_like.atlas import Atlas, import_table
from cleo_like.atlas.tables.mapping import unit_factor
from cleo_like.cli import main
from cleo_like.core.errors import FileFormatError
from tests.atlas import published

FOUR = {"Pvalb": 90, "Sst": 120, "Vip": 60, "Lamp5": 45}
OTHER = {"Pvalb": 60, "Sst": 30, "Vip": 25, "Lamp5": 40}


def run(*words, code=0):
    told = CliRunner().invoke(main, ["atlas", *map(str, words)])
    assert told.exit_code == code, told.output
    return told.output


def accuracy(output):
    return float(re.search(r"balanced accuracy (\d\.\d+)", output)[1])


@pytest.fixture
def tables(rng, tmp_path):
    """One lab in the style of the viewer, one in that of motor cortex, colder."""
    a = published.visp(published.cells(rng, FOUR), tmp_path)
    b = published.m1(published.cells(rng, OTHER, warm=1.5, rest=6), tmp_path)
    out = tmp_path / "visp.csv", tmp_path / "m1.csv"
    for files, mapping, path in ((a, "visp_viewer", out[0]), (b, "m1_patchseq", out[1])):
        run("import", *files, "--mapping", mapping, "-o", path)
    return out


@pytest.mark.parametrize("back", [False, True])
def test_kinds_carry_over_from_one_style_to_another(tables, tmp_path, back):
    source, target = tables[::-1] if back else tables
    built = run("build", source, "-o", tmp_path / "map.npz", "--embedding", "pca")
    assert "kinds (subclass): Lamp5" in built  # nobody had to ask for them
    told = run("place", tmp_path / "map.npz", target, "-o", tmp_path / "placed.csv")
    assert "cells (kinds of 'subclass' that the map has)" in told
    assert accuracy(told) > 0.88
    placed = pd.read_csv(tmp_path / "placed.csv")
    assert placed["label"].isin(["Pvalb", "Sst", "Vip", "Lamp5"]).mean() > 0.97
    assert placed["outside"].mean() < 0.15
    lacking = ("rebound", "isi_cv") if back else ("ap_upstroke", "fi_fit_slope")
    assert all(name in placed["filled"].iloc[1] for name in lacking)


def test_two_cells_of_a_rare_kind_do_not_take_over(tables, tmp_path):
    run("build", tables[0], "-o", tmp_path / "map.npz", "--embedding", "pca")
    assert "Sst Chodl interneuron" in Atlas.load(tmp_path / "map.npz").classes
    run("place", tmp_path / "map.npz", tables[1], "-o", tmp_path / "placed.csv")
    labels = pd.read_csv(tmp_path / "placed.csv")["label"]
    assert (labels == "Sst Chodl interneuron").sum() <= 3


def test_labs_that_call_a_cell_differently(rng, tmp_path):
    """One lab's features have the data set's spec_id, the others' its cell_name."""
    known = {"Pvalb": 50, "Sst": 60, "Vip": 30, "Lamp5": 70}
    few = {"Pvalb": 8, "Sst": 10, "Vip": 8, "Lamp5": 12}
    a, one = published.l1(published.cells(rng, known), tmp_path, "aibs", by_id=True)
    b, two = published.l1(
        published.cells(rng, few, warm=1.3), tmp_path, "tamas", by_id=False, excel=True
    )
    c, three = published.l1(
        published.cells(rng, few, rest=5), tmp_path, "mansvelder", by_id=False
    )
    dataset = tmp_path / "human_l1_dataset.csv"
    pd.concat([one, two, three]).to_csv(dataset, index=False)
    run("import", a, dataset, "--mapping", "human_l1", "-o", tmp_path / "one.csv")
    told = run("import", b, c, dataset, "--mapping", "human_l1", "-o", tmp_path / "two.csv")
    assert "76 cells" in told
    cells = pd.read_csv(tmp_path / "two.csv")
    assert cells["subclass"].notna().all()
    assert set(cells["lab"]) == {"tamas_features_E", "mansvelder_features_E"}
    assert cells["ap_width"].between(1e-4, 3e-3).all()  # the decimal comma was understood
    run("build", tmp_path / "one.csv", "-o", tmp_path / "map.npz", "--embedding", "pca")
    told = run("place", tmp_path / "map.npz", tmp_path / "two.csv", "-o", tmp_path / "p.csv")
    assert accuracy(told) > 0.85
    assert "scale of tamas_features_E: 38 cells" in told


def test_small_labs_share_a_scale(rng, tmp_path):
    a = published.visp(published.cells(rng, FOUR), tmp_path)
    run("import", *a, "--mapping", "visp_viewer", "-o", tmp_path / "a.csv")
    run("build", tmp_path / "a.csv", "-o", tmp_path / "map.npz", "--embedding", "pca")
    some = pd.read_csv(tmp_path / "a.csv").head(30)
    for n, words in ((20, "of several small labs"), (19, "common")):
        table = some.head(n).assign(lab=["x"] * 12 + ["y"] * (n - 12))
        table["cell_id"] = [f"new {k}" for k in range(n)]
        table.drop(columns="subclass").to_csv(tmp_path / f"{n}.csv", index=False)
        told = run("place", tmp_path / "map.npz", tmp_path / f"{n}.csv")
        assert told.count(words) >= 2


def test_a_table_without_a_lab_is_not_taken_for_that_of_the_map(tables, tmp_path):
    bare = [tmp_path / "ours.csv", tmp_path / "theirs.csv"]
    for path, new in zip(tables, bare, strict=True):
        pd.read_csv(path).drop(columns=["lab", "mapping"]).to_csv(new, index=False)
    run("build", bare[0], "-o", tmp_path / "map.npz", "--embedding", "pca")
    told = run("place", tmp_path / "map.npz", bare[1], "-o", tmp_path / "p.csv")
    assert "scale of theirs: 1" in told
    assert accuracy(told) > 0.88
    again = pd.read_csv(bare[1]).assign(lab="ours")  # and where a table lies, it is said
    again.to_csv(tmp_path / "lie.csv", index=False)
    told = run("place", tmp_path / "map.npz", tmp_path / "lie.csv", "-o", tmp_path / "q.csv")
    assert "these cells lie elsewhere in" in told


def test_labels_in_other_words_are_no_stumbling_block(tables, tmp_path):
    run("build", tables[0], "-o", tmp_path / "map.npz", "--embedding", "pca")
    other = pd.read_csv(tables[1])
    other["subclass"] = other["subclass"].str.upper()
    other.to_csv(tmp_path / "upper.csv", index=False)
    told = run("place", tmp_path / "map.npz", tmp_path / "upper.csv", "-o", tmp_path / "p.csv")
    assert "rests on all its 155 cells" in told
    run("place", tmp_path / "map.npz", tmp_path / "upper.csv", "--label", "subclass", code=1)


def test_tables_of_different_cells_are_said(tables, tmp_path, rng):
    files = published.m1(published.cells(rng, OTHER), tmp_path)
    meta = pd.read_csv(files[1], sep="\t")
    meta["Cell"] = "other_" + meta["Cell"]
    with pytest.raises(FileFormatError, match="none of the cells"):
        import_table([files[0], meta], "m1_patchseq")


def test_units_between_labs_are_checked_where_a_map_is_made_and_used(tables, tmp_path):
    wrong = pd.read_csv(tables[1])
    wrong["input_resistance"] /= 1000  # GOhm
    wrong["sag"] += 1  # a ratio
    wrong.to_csv(tmp_path / "wrong.csv", index=False)
    told = run(
        "build",
        tables[0],
        tmp_path / "wrong.csv",
        "-o",
        tmp_path / "m.npz",
        "--embedding",
        "pca",
    )
    assert "GOhm for MOhm?" in told
    assert "sag: 100 % outside" in told
    run("build", tables[0], "-o", tmp_path / "map.npz", "--embedding", "pca")
    told = run("place", tmp_path / "map.npz", tmp_path / "wrong.csv", "-o", tmp_path / "p.csv")
    assert "GOhm for MOhm?" in told
    fine = run("build", *tables, "-o", tmp_path / "n.npz", "--embedding", "pca")
    assert "warning" not in fine


def test_words_among_numbers_and_spellings(rng):
    table = pd.DataFrame(
        {"CELL id": range(20), "ap Width (ms)": ["fast", *rng.lognormal(-0.5, 0.2, 19)]}
    )
    with (
        pytest.warns(UserWarning, match="1 values are no number, e.g. 'fast'"),
        pytest.warns(UserWarning, match="1 cells without any value are left out"),
    ):
        cells = import_table(table, "visp_viewer")
    assert len(cells) == 19
    for a, b in (("M\u2126", "M\u03a9"), ("\u00b5V", "\u03bcV"), ("kohms", "kOhm")):
        assert unit_factor(a, b) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            "build one.csv -o b.npz --seed -1 --embedding pca",
            "seed must be a whole number from 0",
        ),
        ("build none.csv -o b.npz", "no table at"),
        ("build one.csv -o b.npz --features nope", "no column 'nope'"),
        ("build one.csv -o b.txt --embedding pca", "written as .npz"),
        ("place map.npz one.csv --label nope", "no column 'nope'"),
        ("place one.csv one.csv", "is no map of this package"),
        ("explore map.npz -o page.pdf", "written as .html"),
        ("report none.npz", "no map at"),
        ("import one.csv --mapping latin.toml -o o.csv", "as text in UTF-8"),
        ("import one.csv --mapping nope -o o.csv", "visp_viewer"),
        ("fetch 000020 --cache c --registry latin.toml", "as text in UTF-8"),
        ("fetch 20 --cache c", "six digits"),
        ("extract --cache empty -o e.csv", "has no manifest"),
    ],
)
def test_wrong_words_are_said(rng, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    cells = published.cells(rng, {"Sst": 20, "Pvalb": 20})
    files = published.m1(cells, tmp_path)
    run("import", *files, "--mapping", "m1_patchseq", "-o", "one.csv")
    run("build", "one.csv", "-o", "map.npz", "--embedding", "pca")
    (tmp_path / "latin.toml").write_bytes("# d\xe9j\xe0".encode("latin-1"))
    told = CliRunner().invoke(main, ["atlas", *words.split()])
    assert told.exit_code == 1
    assert isinstance(told.exception, SystemExit)
    assert says in " ".join(told.output.split())


@pytest.mark.parametrize("words", ["--limit 0", "--limit -3", "--stream-above -1"])
def test_numbers_that_count_nothing(words):
    told = CliRunner().invoke(
        main, ["atlas", "fetch", "000020", "--cache", "c", *words.split()]
    )
    assert told.exit_code == 2
    assert "is not in the range" in told.output
