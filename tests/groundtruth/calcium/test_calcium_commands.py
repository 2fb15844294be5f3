"""The verbs for spike inference as a user types them, and what wrong input says."""

import sys

import pytest
from click.testing import CliRunner

from cleo_like.cli import main
from cleo_like.core.errors import InputError
from cleo_like.groundtruth import add_command, added_methods
from cleo_like.groundtruth.advise import reference_scores
from tests.groundtruth.calcium.test_methods import PROGRAM

SMALL = """
modality = "calcium"
seeds = 1
[[block]]
name = "regimes"
[block.fixed]
cells = 3
duration = 20
[block.factors]
regime = ["poisson", "bursty"]
"""


def run(*words, code=0):
    result = CliRunner().invoke(main, ["groundtruth", *map(str, words)])
    assert result.exit_code == code, result.output
    return result.output


def test_run_add_and_report(tmp_path):
    cases, folder = tmp_path / "cases.toml", tmp_path / "study"
    cases.write_text(SMALL)
    few = ("--extractor", "dff", "--extractor", "suite2p", "--extractor", "wiener")
    said = run("run", "--cases", cases, *few, "--folder", folder)
    assert "CalciumStudy of 2 recordings and dff, suite2p, wiener" in said
    page = (folder / "groundtruth.html").read_text()
    assert "data:image" in page
    assert "Correlation with the true rate" in page
    before = {p: p.stat().st_mtime_ns for p in (folder / "outcomes").rglob("*.json")}
    script = tmp_path / "mine.py"
    script.write_text(PROGRAM)
    run("add", "mine", "--command", f"{sys.executable} {script} {{input}} {{output}}",
        "--folder", folder)  # fmt: skip
    after = {p: p.stat().st_mtime_ns for p in (folder / "outcomes").rglob("*.json")}
    assert all(after[p] == t for p, t in before.items())
    assert len(after) == len(before) + 2
    assert ",mine,corr_100," in (folder / "scores.csv").read_text()
    assert "page in" in run("report", "--folder", folder, "-o", tmp_path / "page.html")
    with pytest.raises(InputError, match="a study of spike inference"):
        reference_scores(folder)
    again = run("add", "dff", "--command", "a {input} {output}", "--folder", folder, code=1)
    assert "take another name" in again


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--calcium", "--extractor", "nnlss"), "unknown method 'nnlss'"),
        (("run", "--extractor", "nnls"), "unknown extractor"),
        (("calcium-ranking", "--data", "nowhere"), "not found in nowhere"),
        (("calcium-ranking", "--extractor", "l1"), "unknown method 'l1'"),
    ],
)
def test_what_wrong_input_says(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    assert said in run(*words, code=1)
    assert not list(tmp_path.glob("groundtruth/outcomes"))


def test_programs_belong_to_their_kind_of_study(tmp_path):
    tmp_path.mkdir(exist_ok=True)
    add_command(tmp_path, "one", "a {input} {output}")
    add_command(tmp_path, "two", "b {input} {output}", modality="calcium", file_format="npz")
    assert [m.name for m in added_methods(tmp_path)] == ["one"]
    assert [m.name for m in added_methods(tmp_path, "calcium")] == ["two"]
    with pytest.raises(InputError, match="no definitions"):
        add_command(tmp_path, "three", "b {input} {output}", modality="calcium",
                    definitions={"tau": "x"})  # fmt: skip
