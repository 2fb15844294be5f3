"""`cleo-like.toml`, `--config`, `--log`, and completion."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import cleo_like as cl
from cleo_like.cli import main
from cleo_like.cli.config import Settings, found_settings, read_settings
from cleo_like.core.errors import CleoLikeError

TEXT = """
[protocols]
short = "long_square amplitudes=-40,-20pA duration=0.1s before=50ms after=50ms rate=10kHz"
drawn = "steps.atf"
[channels]
"*.abf" = "Vm"
[limits.spikes]
min_peak = "-25 mV"
[limits.quality]
noise = "0.1 mV"
series_resistance = [1e6, 10e6]
[log]
file = "logs/run.log"
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "cleo-like.toml").write_text(TEXT)
    inside = tmp_path / "day 1" / "slice 2"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    return inside


def run(*words):
    return CliRunner().invoke(main, [str(w) for w in words])


def rc(path):
    t = np.arange(8000) / 20e3
    on = (t >= 0.1) & (t < 0.3)
    sweeps = [
        cl.Sweep(response=-0.07 + 2e8 * a * np.where(on, 1 - np.exp(-(t - 0.1) / 0.02), 0),
                 command=a * on, rate=20e3, number=k, start_time=0.4 * k)
        for k, a in enumerate((-40e-12, -20e-12))
    ]  # fmt: skip
    made = cl.Recording(
        sweeps=sweeps, cell=cl.Cell(id="rc"), provenance=cl.Provenance(source="test")
    )
    return cl.write(made, path)


def test_the_nearest_file_above_counts(here):
    found = found_settings(here)
    assert found.path == here.parents[1] / "cleo-like.toml"
    assert found.parameters().min_peak == -25.0
    assert found.criteria("allen").noise == pytest.approx(1e-4)
    assert found.criteria("allen").drift == pytest.approx(1e-3)  # the preset's
    assert found.criteria("own").series_resistance == (1e6, 10e6)
    (here / "cleo-like.toml").write_text("[protocols]\n")
    assert found_settings(here).spikes == {}


def test_none_anywhere_is_no_error(tmp_path):
    assert found_settings(tmp_path) == Settings()


def test_protocols_channels_and_limits_of_a_run(here):
    result = run("simulate", "--cell", "passive", "--protocol", "short", "-o", "out")
    assert result.exit_code == 0, result.output
    assert cl.read(next(here.glob("out/*.abf"))).n_sweeps == 2
    rc(here / "rc.abf")
    assert run("features", "rc.abf", "-o", "t.csv").exit_code == 0
    row = pd.read_csv("t.csv").iloc[0]
    assert '"electrode": {"*.abf": "Vm"}' in row["settings"]
    assert '"min_peak": -25.0' in row["settings"]
    (here.parents[1] / "cleo-like.toml").write_text('[channels]\n"r*.abf" = "IN 7"\n')
    result = run("match", "rc.abf")
    assert result.exit_code == 1
    assert "unknown electrode 'IN 7'" in result.output
    assert run("match", next(here.glob("out/*.abf"))).exit_code == 0  # another name


def test_limits_of_quality_are_used(here):
    path = rc(here / "rc.abf")
    sweeps = cl.read(path)
    noisy = np.random.default_rng(1).normal(0, 3e-4, sweeps[0].n_samples)
    import attrs

    made = attrs.evolve(
        sweeps, sweeps=[attrs.evolve(s, response=s.response + noisy) for s in sweeps]
    )
    cl.write(made, here / "n.abf")
    strict = run("qc", "n.abf").output
    assert "noise" in strict
    (here.parents[1] / "cleo-like.toml").write_text("[limits.quality]\nnoise = '1 mV'\n")
    assert run("qc", "n.abf").output.count("noise") < strict.count("noise")


def test_a_file_may_be_named(here, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('[protocols]\nmine = "ramp duration=0.2s rate=10kHz"\n')
    words = (
        "simulate",
        "--cell",
        "passive",
        "--protocol",
        "mine",
        "-o",
        "o",
        "--format",
        "abf",
    )
    assert run("--config", other, *words).exit_code == 0
    result = run("--config", tmp_path / "none.toml", "cells")
    assert result.exit_code == 1
    assert "there is no settings file" in result.output


def test_the_log_tells_what_ran_and_how_it_ended(here):
    rc(here / "rc.abf")
    run("info", "rc.abf")
    run("info", "none.abf")
    text = (here.parents[1] / "logs" / "run.log").read_text()
    assert "info rc.abf" in text
    assert "2 sweeps" in text
    assert text.count("ended after") == 1
    assert "failed: could not read none.abf after" in text
    run("--log", "own.log", "cells")
    assert "narrow_fs" in (here / "own.log").read_text()
    result = run("--log", here, "cells")
    assert result.exit_code == 1
    assert "cannot write the log" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[protocol]\n", "did you mean 'protocols'"),
        ("[limits.spike]\n", "did you mean 'spikes'"),
        ("[limits.spikes]\nmin_peek = 1\n", "did you mean 'min_peak'"),
        ("[limits.spikes]\nmin_peak = '3 pA'\n", "limits.spikes"),
        ("[limits.quality]\nnoise = 'much'\n", "limits.quality"),
        ("[channels]\nabf = 3\n", "must be a text in quotes"),
        ("channels = 3\n", "must be a table"),
        ("[log]\nfle = 'x'\n", "did you mean 'file'"),
        ("a = = b", "is no TOML"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(here, text, words):
    path = here / "cleo-like.toml"
    path.write_text(text)
    with pytest.raises(CleoLikeError, match=words):
        read_settings(path)
    result = run("cells")
    assert result.exit_code == 1
    assert "cleo-like.toml" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    result = CliRunner().invoke(
        main, prog_name="cleo-like", env={"_CLEO_LIKE_COMPLETE": f"{shell}_source"}
    )
    assert "_CLEO_LIKE_COMPLETE" in result.output
