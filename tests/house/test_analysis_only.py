"""Without Brian2 and without matplotlib: the analysis works, and the rest says what is missing."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import cleo_like as cl

SCRIPT = """
import json, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"brian2", "matplotlib", "mpl_toolkits", "packaging"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import cleo_like as cl
from click.testing import CliRunner
from cleo_like.cli import main

def said(call):
    try:
        call()
    except cl.core.errors.MissingPackageError as error:
        return str(error)
    return "nothing"

import cleo_like.core.errors
recording = cl.read("rc.abf")
out = {
    "tau": float(cl.extract("rc.abf", progress=False)["tau"][0]),
    "family": cl.match(recording).family,
    "quality": repr(cl.quality(recording)),
    "card": recording._repr_html_(),
    "plot": said(recording.plot),
    "record": said(lambda: cl.record("rs", recording.protocol)),
}
versions = CliRunner().invoke(main, ["--versions"])
out["versions"] = [versions.exit_code, versions.output]
for words in (["features", "rc.abf", "-o", "t.csv"], ["info", "rc.abf"], ["qc", "rc.abf"],
              ["convert", "rc.abf", "rc.nwb"], ["cells"], ["demo", "-o", "d"]):
    result = CliRunner().invoke(main, words)
    out[words[0]] = [result.exit_code, result.output[-300:]]
print(json.dumps(out))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analysis")
    t = np.arange(8000) / 20e3
    on = (t >= 0.1) & (t < 0.3)
    sweeps = [
        cl.Sweep(response=-0.07 + 2e8 * a * np.where(on, 1 - np.exp(-(t - 0.1) / 0.02), 0),
                 command=a * on, rate=20e3, number=k, start_time=0.4 * k)
        for k, a in enumerate((-60e-12, -40e-12, -20e-12))
    ]  # fmt: skip
    made = cl.Recording(
        sweeps=sweeps, cell=cl.Cell(id="rc"), provenance=cl.Provenance(source="test")
    )
    cl.write(made, folder / "rc.abf")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1500:]
    return json.loads(done.stdout.splitlines()[-1])


def test_versions_are_said_without_what_matplotlib_brings(found):
    """`packaging` is a dependency of matplotlib alone."""
    code, text = found["versions"]
    assert code == 0, text
    assert "brian2 " in text


def test_analysis_works(found):
    assert found["tau"] == pytest.approx(0.02, rel=0.01)
    assert found["family"] == "long_square"
    assert "CellQC rc" in found["quality"]
    for verb in ("features", "info", "qc", "convert"):
        assert found[verb][0] == 0, found[verb]


def test_what_is_missing_is_said(found):
    assert found["plot"].endswith("pip install matplotlib")
    assert found["record"].endswith("pip install brian2")
    assert "Recording of rc" in found["card"]
    assert "<img" not in found["card"]
    assert found["cells"] == [
        1, "Error: cleo-like cells needs the package brian2, which is not installed: "
        "pip install brian2\n",
    ]  # fmt: skip
    assert "matplotlib" in found["demo"][1] or "brian2" in found["demo"][1]


def test_answers_carry_their_units():
    least = cl.rheobase("rs", "0.2 s", resolution="5 pA")
    protocol = cl.long_square([least], rate="10 kHz")
    assert protocol.epoch("step").levels[0] == least > 0
    known = cl.known_answers("passive")
    assert cl.core.si(known.time_constant, "s", "tau") == pytest.approx(0.02)
    with pytest.raises(ValueError, match="must be in"):
        cl.long_square([known.time_constant])
    with pytest.raises(KeyError, match="did you mean 'rs'"):
        cl.rheobase("rss")
    with pytest.raises(ValueError, match="CellModel or the name"):
        cl.known_answers(3)


def test_the_list_of_an_analysis_only_installation_is_what_the_package_declares():
    """In pyproject's group and on the page: everything but Brian2 and matplotlib."""
    import re
    import tomllib
    from pathlib import Path

    root = Path(__file__).parents[2]
    told = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))

    def name(line):
        return re.match(r"[\w-]+", line)[0]

    wanted = {name(line) for line in told["project"]["dependencies"]} - {"brian2", "matplotlib"}
    group = told["dependency-groups"]["analysis"]
    assert {name(line) for line in group} == wanted
    declared = {line.partition(";")[0].strip() for line in told["project"]["dependencies"]}
    assert set(group) <= declared  # the same bounds
    page = (root / "docs/install.md").read_text("utf-8")
    (line,) = re.findall(r"^\$ pip install (attrs .*)$", page, re.M)
    assert set(line.split()) == wanted


def test_every_extra_is_on_the_install_page():
    import re
    import tomllib
    from pathlib import Path

    root = Path(__file__).parents[2]
    extras = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    (table,) = re.findall(
        r"\| extra \|.*?\n\n", (root / "docs/install.md").read_text("utf-8"), re.S
    )
    named = {
        n
        for row in table.strip().splitlines()[2:]
        for n in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert named == set(extras)
    everything = set(re.findall(r"[\w]+", extras["all"][0].split("[")[1]))
    assert everything == set(extras) - {"all"}
