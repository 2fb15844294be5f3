"""The verb as a user types it, and what wrong input says."""

import sys

import numpy as np
import pytest
from click.testing import CliRunner

from cleo_like.cli import main
from cleo_like.core import Cell, Provenance, Recording, Sweep
from cleo_like.groundtruth import recording_conditions
from cleo_like.groundtruth.advise import Conditions, _far, advise
from cleo_like.io import write

SMALL = """
seeds = 1
[[block]]
name = "noise"
conditions = ["rate", "filter", "noise"]
together = [{ rate = 20, filter = 5 }]
[block.factors]
cell = ["passive"]
noise = [0.3]
"""
PROGRAM = "import sys; open(sys.argv[2], 'w').write('input_resistance\\n200\\n')"


def run(*words, code=0):
    result = CliRunner().invoke(main, ["groundtruth", *map(str, words)])
    assert result.exit_code == code, result.output
    return result.output


def test_run_add_and_report(tmp_path):
    cases, folder = tmp_path / "cases.toml", tmp_path / "study"
    cases.write_text(SMALL)
    said = run("run", "--cases", cases, "--extractor", "native", "--folder", folder)
    assert "1 recordings" in said
    assert "data:image" in (folder / "groundtruth.html").read_text()
    before = {p: p.stat().st_mtime_ns for p in (folder / "outcomes").rglob("*.json")}
    script = tmp_path / "mine.py"
    script.write_text(PROGRAM)
    command = f"{sys.executable} {script} {{input}} {{output}}"
    run("add", "mine", "--command", command, "--format", "csv", "--folder", folder)
    after = {p: p.stat().st_mtime_ns for p in (folder / "outcomes").rglob("*.json")}
    assert set(before) < set(after)
    assert all(after[p] == t for p, t in before.items())  # only the new one ran
    scores = (folder / "scores.csv").read_text()
    assert "mine,input_resistance" in scores
    page = tmp_path / "page.html"
    assert "page in" in run("report", "--folder", folder, "-o", page)
    assert "exists already" in run("report", "--folder", folder, "-o", page, code=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--extractor", "nativ"), "unknown extractor"),
        (("run", "--cases", "none.toml"), "no cases file"),
        (("report", "--folder", "nowhere"), "holds no study"),
        (
            ("add", "x", "--command", "a {input} {output}", "--folder", "nowhere"),
            "holds no study",
        ),
        (("advise", "none.abf"), "none.abf"),
    ],
)
def test_what_wrong_input_says(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    assert said in run(*words, code=1)
    assert not list(tmp_path.glob("groundtruth/outcomes"))


def rc_recording(noise, access, rate=50e3, corner=5e3):
    from scipy.signal import bessel, sosfilt

    t = np.arange(round(0.9 * rate)) / rate
    on = (t >= 0.25) & (t < 0.75)
    rng = np.random.default_rng(3)
    sos = bessel(4, corner, fs=rate, output="sos", norm="mag")
    sweeps = []
    for k, a in enumerate([-80e-12, -40e-12, -20e-12]):
        v = -0.07 + a * (2e8 * np.where(on, 1 - np.exp(-(t - 0.25) / 0.02), 0) + access * on)
        white = sosfilt(sos, rng.standard_normal(t.size))
        v += noise * white / white.std()
        sweeps.append(Sweep(response=v, command=a * on, rate=rate, number=k))
    return Recording(sweeps=sweeps, cell=Cell(id="rc"), provenance=Provenance(source="x"))


@pytest.mark.parametrize("noise", [1e-4, 1e-3])
@pytest.mark.parametrize("access", [0.0, 15e6])
def test_the_conditions_of_a_recording_are_measured(noise, access):
    found = recording_conditions(rc_recording(noise, access))
    assert found.noise == pytest.approx(noise * 1e3, rel=0.1)
    assert found.rate == 50
    assert found.filter == pytest.approx(5, rel=0.2)
    assert found.access == pytest.approx(access * 1e-6, abs=1.0 if noise < 5e-4 else 8.0)


def test_advice_for_a_file(tmp_path):
    write(rc_recording(1e-3, 0.0), tmp_path / "rc.abf")
    said = run("advise", tmp_path / "rc.abf")
    assert "nearest condition of the study: rate 50, filter 10, noise 1" in said
    assert "but the filter is 5" in said.replace("4.9", "5")
    table = advise(tmp_path / "rc.abf").table.set_index("feature")
    assert table.loc["sag", "extractor"] != "efel"  # whose minimum is that of the noise
    assert table.loc["upstroke", "trust"] != "trust"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"filter": 6.7}, ()), ({"filter": 6.6}, ("filter is 6.6 kHz, not 10",)),
        ({"rate": 34.0}, ()), ({"rate": 33.0}, ("rate is 33 kHz, not 50",)),
        ({"noise": 0.44}, ()), ({"noise": 0.46}, ("noise is 0.46 mV, not 0.3",)),
        ({"filter": np.nan, "noise": np.nan}, ()),
    ],
)  # fmt: skip
def test_a_recording_unlike_any_of_the_study_is_told(values, said):
    like = {"noise": 0.3, "rate": 50.0, "filter": 10.0, "access": 0.0} | values
    told = _far(Conditions(**like), "rate 50, filter 10, noise 0.3")
    assert len(told) == len(said)
    assert all(part in one for part, one in zip(said, told, strict=True))


def test_what_cannot_be_measured_has_a_reason():
    t = np.arange(2000) / 20e3
    quiet = Recording(
        sweeps=[Sweep(response=np.full(t.size, -0.07), command=np.zeros(t.size), rate=20e3)],
        cell=Cell(id="c"), provenance=Provenance(source="x"),
    )  # fmt: skip
    found = recording_conditions(quiet)
    assert found.reasons["access"] == "there is no step"
    assert "converter" in found.reasons["filter"]
    assert "unknown: there is no step" in found.text()
