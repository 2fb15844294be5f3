"""A folder or a pattern stands for its files."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import cleo_like as cl
from cleo_like.cli import main
from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.io import files_in


@pytest.fixture
def folder(tmp_path):
    """Two recordings, one of them deeper, one damaged, and what is none."""
    t = np.arange(4000) / 10e3
    on = ((t >= 0.1) & (t < 0.3)).astype(float)
    for name in ("b.abf", "day 2/a.nwb"):
        sweeps = [
            cl.Sweep(
                response=-0.07 + 2e8 * a * on * (1 - np.exp(-np.clip(t - 0.1, 0, 1) / 0.01)),
                command=a * on, rate=10e3, number=k, start_time=k * 1.0,
            )
            for k, a in enumerate([-40e-12, -20e-12])
        ]  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        cell = cl.Cell(id=path.stem)
        cl.write(
            cl.Recording(sweeps=sweeps, cell=cell, provenance=cl.Provenance(source="x")), path
        )
    (tmp_path / "notes.txt").write_text("no recording")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "c.abf").write_bytes(b"ABF2")
    return tmp_path


def names(paths):
    return [path.name for path in paths]


def test_the_files_of_a_folder_in_order_without_hidden_ones(folder):
    assert names(files_in(folder)) == ["b.abf", "a.nwb"]


def test_patterns_files_and_folders_together_give_each_file_once(folder):
    places = [folder / "b.abf", str(folder / "*.abf"), folder, folder / "not there.abf"]
    assert names(files_in(places)) == ["b.abf", "a.nwb", "not there.abf"]
    assert names(files_in(str(folder / "**" / "*.nwb"))) == ["a.nwb"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder):
    odd = folder / "cell[1].abf"
    odd.write_bytes(b"")
    assert files_in(odd) == [odd]


def test_nothing_is_said(folder):
    with pytest.raises(FileFormatError, match=r"no file is like .*\*\.wcp"):
        files_in(folder / "*.wcp")
    (folder / "empty").mkdir()
    with pytest.raises(FileFormatError, match=r"has no file ending in \.abf, \.atf, .*\.nwb"):
        files_in(folder / "empty")
    with pytest.raises(InputError, match="got int: 3"):
        files_in([3])


def test_read_all_and_extract_take_a_folder(folder):
    assert [r.cell.id for r in cl.read_all(folder)] == ["b", "a"]
    table = cl.extract(folder, progress=False)
    assert table["cell_id"].tolist() == ["b", "a"]
    assert table["input_resistance"].to_numpy() == pytest.approx([200, 200], rel=0.02)


def test_a_damaged_file_in_a_folder_is_a_row_and_the_others_go_on(folder):
    (folder / "broken.abf").write_bytes(b"ABF2" + bytes(100))
    table = cl.extract(folder, progress=False)
    assert table["status"].tolist() == ["ok", "failed", "ok"]
    done = CliRunner().invoke(main, ["info", str(folder)])
    assert done.exit_code == 1
    assert "broken.abf" in done.output
    assert "a.nwb" in done.output
    with pytest.raises(FileFormatError, match=r"broken\.abf"):
        cl.read_all(folder)


def test_the_command_line_takes_folders(folder):
    out = folder / "out.csv"
    done = CliRunner().invoke(main, ["features", str(folder), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "2 of 2 cells measured" in done.output
    done = CliRunner().invoke(main, ["info", str(folder / "*.wcp")])
    assert done.exit_code == 1
    assert "no file is like" in done.output


def test_a_link_to_a_folder_above_gives_nothing_twice(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "c.abf").touch()
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert files_in(f"{tmp_path}/**/*.abf") == [tmp_path / "a" / "c.abf"]
    assert files_in(tmp_path) == [tmp_path / "a" / "c.abf"]
