"""`cleo-like report`: a folder of recordings as pages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import cleo_like as cl
from cleo_like.cli import main
from cleo_like.core.errors import ExistingFileError
from cleo_like.report.folder import folder_report


def recording(name, amplitudes):
    """A cell of 200 MOhm and 10 ms."""
    t = np.arange(6000) / 10e3
    on = ((t >= 0.1) & (t < 0.5)).astype(float)
    rng = np.random.default_rng(1)
    sweeps = [
        cl.Sweep(
            response=-0.07 + 2e8 * a * on * (1 - np.exp(-np.clip(t - 0.1, 0, 1) / 0.01))
            + rng.normal(0, 1e-4, t.size),
            command=a * on, rate=10e3, number=k, start_time=k * 1.0,
        )
        for k, a in enumerate(np.array(amplitudes) * 1e-12)
    ]  # fmt: skip
    cell = cl.Cell(id=name)
    return cl.Recording(sweeps=sweeps, cell=cell, provenance=cl.Provenance(source="x"))


@pytest.fixture
def folder(tmp_path):
    """Two cells with one file name, one without steps, a damaged file."""
    for place in ("day1", "day2"):
        (tmp_path / "in" / place).mkdir(parents=True)
        cl.write(recording("cell", [-60, -40, -20]), tmp_path / "in" / place / "cell.abf")
    cl.write(recording("<b>rest", [0, 0]), tmp_path / "in" / "rest.nwb")
    (tmp_path / "in" / "broken.abf").write_bytes(b"ABF2" + bytes(200))
    return tmp_path / "in"


def test_a_row_and_a_page_for_each_cell_and_reasons_for_the_others(folder, tmp_path):
    index = folder_report(folder, tmp_path / "out", progress=False)
    page = index.read_text("utf-8")
    assert "2 of 4 cells of 4 files measured" in page
    assert sorted(p.name for p in (tmp_path / "out" / "cells").iterdir()) == [
        "broken.html", "day1-cell.abf.html", "day2-cell.abf.html", "rest.html",
    ]  # fmt: skip
    for name in ("day1-cell.abf", "day2-cell.abf", "rest"):
        assert f'src="thumbnails/{name}.png"' in page
        assert (tmp_path / "out" / "thumbnails" / f"{name}.png").stat().st_size > 200
    assert "<b>rest" not in page
    assert "&lt;b&gt;rest" in page
    assert "broken.abf" in page
    cell = (tmp_path / "out" / "cells" / "day1-cell.abf.html").read_text("utf-8")
    assert "data:image/png;base64," in cell
    assert "no subthreshold" in cell or "why it is missing" in cell
    table = pd.read_csv(tmp_path / "out" / "features.csv")
    assert table["input_resistance"].dropna().to_numpy() == pytest.approx([200, 200], rel=0.02)
    verdicts = pd.read_csv(tmp_path / "out" / "verdicts.csv")
    assert set(verdicts["cell_id"]) == {"cell"}
    assert not list(tmp_path.glob(".out-*"))


def test_a_folder_that_is_no_report_is_never_replaced(folder, tmp_path):
    with pytest.raises(ExistingFileError, match="is no report of this kind"):
        folder_report(folder, folder, overwrite=True, progress=False)
    assert (folder / "broken.abf").is_file()


def test_a_report_is_replaced_only_when_asked_for(folder, tmp_path):
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["report", str(folder / "day1"), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert f"open {out / 'index.html'}" in done.output
    done = CliRunner().invoke(main, ["report", str(folder), "-o", str(out)])
    assert done.exit_code == 1
    assert "is a report already" in done.output
    done = CliRunner().invoke(main, ["report", str(folder), "-o", str(out), "--overwrite"])
    assert done.exit_code == 0, done.output
    assert "4 files" in (out / "index.html").read_text("utf-8")


def test_nothing_is_left_when_it_fails(folder, tmp_path, monkeypatch):
    def no_disk(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cleo_like.report.folder._write_index", no_disk)
    with pytest.raises(OSError, match="No space"):
        folder_report(folder / "day1", tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out-*"))


def test_excel_has_reasons_and_units(folder, tmp_path):
    pytest.importorskip("openpyxl")
    folder_report(folder / "day1", tmp_path / "out", progress=False)
    book = pd.read_excel(tmp_path / "out" / "features.xlsx", sheet_name=None)
    assert list(book) == ["features", "why missing", "units"]
    assert book["features"]["input_resistance"][0] == pytest.approx(200, rel=0.02)


def test_a_report_without_a_measured_cell_fails_the_command(folder, tmp_path):
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "x.abf").write_bytes(b"ABF2" + bytes(50))
    found = CliRunner().invoke(main, ["report", str(bad), "-o", str(tmp_path / "r")])
    assert found.exit_code == 1
    assert "no cell was measured" in found.output
    assert (tmp_path / "r" / "index.html").is_file()
    found = CliRunner().invoke(main, ["report", str(folder), "-o", str(tmp_path / "s")])
    assert found.exit_code == 0
