"""The verbs of the atlas and `convert`, from the command line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from cleo_like.cli import main
from cleo_like.io import read, write
from tests.atlas.conftest import lab_of
from tests.dandi.conftest import cell
from tests.dandi.standin import StandIn


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def cells(rng, tmp_path):
    table = lab_of(rng, "first", {"Pvalb": 40, "Sst": 40, "IT": 40})
    table.to_csv(tmp_path / "cells.csv", index=False)
    return tmp_path / "cells.csv"


def test_build_place_explore_report(cells, rng, tmp_path):
    built = run(
        "atlas",
        "build",
        cells,
        "-o",
        tmp_path / "m.npz",
        "--label",
        "subclass",
        "--embedding",
        "pca",
    )
    assert "120 cells, 4 features" in built
    other = lab_of(rng, "second", {"Pvalb": 30, "Sst": 30}, factor=2, offset=8)
    other.to_csv(tmp_path / "other.csv", index=False)
    placed = run(
        "atlas", "place", tmp_path / "m.npz", tmp_path / "other.csv", "-o", tmp_path / "p.csv"
    )
    assert "Placement of 60 of 60 cells" in placed
    told = pd.read_csv(tmp_path / "p.csv")
    assert (told["label"] == other["subclass"]).mean() > 0.9
    assert "page in" in run("atlas", "explore", tmp_path / "m.npz", "-o", tmp_path / "m.html")
    report = run("atlas", "report", tmp_path / "m.npz")
    assert "by donor" in report
    assert "warning: a random split" in report
    again = run("atlas", "build", cells, "-o", tmp_path / "m.npz", "--embedding", "pca", code=1)
    assert "exists already" in again
    assert "no map of this package" in run("atlas", "place", cells, cells, code=1)


def test_import_says_what_is_not_there(tmp_path):
    table = pd.DataFrame(
        {"Cell ID": [1, 2], "AP width (ms)": [0.5, 0.6], "Sag ratio": [0.1, 0.2]}
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    said = run(
        "atlas",
        "import",
        tmp_path / "t.csv",
        "--mapping",
        "visp_viewer",
        "-o",
        tmp_path / "o.csv",
    )
    assert "2 cells" in said
    assert "not in the table: ap_amplitude" in said
    assert "unknown mapping" in run(
        "atlas",
        "import",
        tmp_path / "t.csv",
        "--mapping",
        "none",
        "-o",
        tmp_path / "x.csv",
        code=1,
    )


def test_fetch_and_extract(tmp_path):
    pytest.importorskip("dandi")
    for k, name in enumerate("abc"):
        write(
            cell(name, seed=k, resistance=(1 + k) * 1e8),
            tmp_path / "archive" / "000900" / f"sub-{name}" / f"sub-{name}_icephys.nwb",
        )
    broken = tmp_path / "archive" / "000900" / "sub-z" / "sub-z_icephys.nwb"
    broken.parent.mkdir()
    broken.write_bytes(b"no NWB" * 100)
    server = StandIn(tmp_path / "archive").serve()
    cache = tmp_path / "cache"
    try:
        said = run("atlas", "fetch", "000900", "--cache", cache, "--api", server.api)
        assert "4 of 4 files are there" in said
        server.log.clear()
        assert "(0.0 MB came now)" in run(
            "atlas", "fetch", "000900", "--cache", cache, "--api", server.api
        )
        assert sum("dandisets" in path for _, path, _ in server.log) == 1
    finally:
        server.close()
    said = run("atlas", "extract", "--cache", cache, "-o", tmp_path / "cells.csv")
    assert "3 of 4 cells measured" in said
    table = pd.read_csv(tmp_path / "cells.csv", dtype={"dandiset": str}).set_index("cell_id")
    assert table.loc["b", "dandiset"] == "000900"
    assert table.loc["b", "licence"] == "spdx:CC-BY-4.0"
    assert table.loc["b", "input_resistance"] == pytest.approx(200, rel=0.01)
    verdicts = pd.read_csv(tmp_path / "cells.verdicts.csv")
    assert verdicts["used"].sum() == 9
    assert verdicts["reason"].str.contains("cannot be read as NWB").sum() == 1
    first = (tmp_path / "cells.csv").read_bytes()
    run("atlas", "extract", "--cache", cache, "-o", tmp_path / "cells.csv", "--overwrite")
    assert (tmp_path / "cells.csv").read_bytes() == first
    assert "no manifest" in run(
        "atlas", "extract", "--cache", tmp_path / "x", "-o", tmp_path / "y.csv", code=1
    )
    assert "nothing to measure" in run("atlas", "extract", "-o", tmp_path / "y.csv", code=1)


def test_convert_there_and_back(tmp_path):
    write(cell("a"), tmp_path / "a.nwb")
    run("convert", tmp_path / "a.nwb", tmp_path / "a.abf")
    said = run("convert", tmp_path / "a.abf", tmp_path / "b.nwb")
    assert "3 sweeps" in said
    one, two = read(tmp_path / "a.nwb"), read(tmp_path / "b.nwb")
    for x, y in zip(one.sweeps, two.sweeps, strict=True):
        assert np.abs(x.response - y.response).max() < 1e-5
        np.testing.assert_allclose(x.command, y.command, atol=1e-13)
    assert "exists already" in run("convert", tmp_path / "a.nwb", tmp_path / "a.abf", code=1)
    assert "missing" in run("convert", tmp_path / "none.abf", tmp_path / "c.nwb", code=1)
    assert "unknown file suffix" in run(
        "convert", tmp_path / "a.nwb", tmp_path / "c.doc", code=1
    )
