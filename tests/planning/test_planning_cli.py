"""check and design on the command line."""

from __future__ import annotations

import json

from click.testing import CliRunner

from cleo_like import from_image, read_protocol, write
from cleo_like.cli import main


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def stimulus(tmp_path):
    import numpy as np

    grey = np.random.default_rng(0).uniform(0, 1, (3, 16))
    path = tmp_path / "photo.abf"
    write(from_image(grey, "300 ms", "10 kHz"), path)
    return path


def test_check_says_every_row_and_exits_with_1_where_one_is_red(tmp_path):
    path = stimulus(tmp_path)
    page = tmp_path / "check.html"
    good = run(
        "check",
        path,
        "--cell",
        "narrow_fs",
        "--rig",
        "multiclamp_700b",
        "--lowpass",
        "2kHz",
        "-o",
        page,
    )
    assert good.exit_code == 0, good.output
    assert "fidelity" in good.output
    assert "<table" in page.read_text("utf-8")
    bad = run(
        "check", "long_square amplitudes=5nA duration=50ms rate=20kHz", "--cell", "rs", "--json"
    )
    assert bad.exit_code == 1
    assert json.loads(bad.output)["verdict"] == "red"
    again = run("check", path, "--cell", "rs", "-o", page)
    assert again.exit_code == 1
    assert "--overwrite" in again.output


def test_design_writes_a_stimulus(tmp_path):
    path, out = stimulus(tmp_path), tmp_path / "designed.abf"
    done = run(
        "design", path, "--cell", "passive", "--peak", "25pA", "--noise", "0.1mV", "-o", out
    )
    assert done.exit_code == 0, done.output
    assert "designed" in done.output
    assert abs(read_protocol(out).waveforms).max() <= 25.2e-12
    assert run("design", path, "--cell", "passive", "-o", out).exit_code == 1


def test_wrong_options_are_told(tmp_path):
    path = stimulus(tmp_path)
    for arguments, words in (
        (("check", path, "--cell", "rs", "--rig", "multiclamp"), "multiclamp_700b"),
        (("check", path, "--cell", "rs", "--rs", "15Mohm"), "--rs is of a real rig"),
        (("check", path, "--cell", "rss"), "did you mean"),
        (("design", path, "--cell", "passive", "--peak", "25", "-o", tmp_path / "x.abf"), "pA"),
        (
            ("serve", "--cell", "rs", "--mode", "voltage_clamp", "--rig", "multiclamp_700b"),
            "holding",
        ),
        (("serve", "--cell", "rs", "--rate", "20"), "Hz"),
    ):
        result = run(*arguments)
        assert result.exit_code != 0
        assert words in result.output, result.output
        assert "Traceback" not in result.output
