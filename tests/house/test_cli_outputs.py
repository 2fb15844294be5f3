"""What the command line writes, refuses to write, and leaves behind when it is stopped."""

import importlib.util
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cleo_like import Cell, Protocol, Provenance, Recording, Sweep, patch, stimuli, write
from cleo_like import io as cl_io
from cleo_like.cli import main
from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.features import FeatureTable
from cleo_like.features.extract import extract
from cleo_like.io import read
from cleo_like.io.save import check_fits

SHORT = "long_square amplitudes=-40,-20pA duration=0.2s before=0.1s after=0.1s rate=10kHz"
extraction = importlib.import_module("cleo_like.features.tasks.runner")
COMMAND = [sys.executable, "-c", "from cleo_like.cli import main; main()"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    result = CliRunner().invoke(main, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), (
        result.exception
    )
    return result


def ok(*words):
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words):
    """One line that begins with Error, exit code 1, no traceback."""
    result = run(*words)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    return line


def files(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file()
    }


@pytest.fixture
def recorded(here):
    """Two files of an RC cell: one that can be measured, one that cannot."""
    t = np.arange(8000) / 2e4
    on = (t >= 0.1) & (t < 0.3)
    rise = np.where(on, 1 - np.exp(-(t - 0.1) / 0.01), 0)
    made = [("steps", (-4e-11, -2e-11, 2e-11)), ("constant", (0.0, 0.0, 0.0))]
    for name, currents in made:
        sweeps = [
            Sweep(response=-0.07 + 1e8 * a * rise, command=a * on, rate=2e4, number=k)
            for k, a in enumerate(currents)
        ]
        recording = Recording(
            sweeps=sweeps, cell=Cell(id=name), provenance=Provenance(source="x")
        )
        write(recording, f"{name}.abf")
    (here / "broken.abf").write_bytes(b"ABF2" + bytes(3000))
    return here


@pytest.mark.slow  # thousands of sweeps
@pytest.mark.parametrize(
    ("kind", "sweeps", "message"),
    [
        ("atf", 2047, None),  # two columns each, and one of time: 4095 of 4096
        ("atf", 2048, "2048 sweeps of 2 channels need 4096 columns"),
        ("nwb", 2048, None),
    ],
)
def test_what_a_format_cannot_hold_is_said_before_the_simulation(
    here, monkeypatch, kind, sweeps, message
):
    started = []

    def record(*_, **__):
        started.append(1)
        raise InputError("stop here")

    monkeypatch.setattr("cleo_like.patch.record", record)
    cl_io.write(Protocol(waveforms=np.zeros((sweeps, 20)), rate=1e4, family="noise"), "p.nwb")
    said = refused(
        "simulate", "--cell", "rs", "--protocol", "p.nwb", "--format", kind, "-o", "r"
    )
    assert (message or "stop here") in said
    assert bool(started) == (message is None)
    assert not (here / "r").exists()


@pytest.mark.parametrize(
    ("samples", "gap", "message"),
    [
        (1_032_258, 0.0, None),
        (1_032_259, 0.0, "at most 1032258 samples per sweep"),
        (1000, 107.274e3, None),  # 2 channels at 10 kHz: starts up to 2^31 - 1 samples
        (1000, 107.375e3, "the last sweep would start at 21475"),
    ],
)
def test_lengths_and_starts_of_abf_are_checked_before_any_work(samples, gap, message):
    waveforms = np.broadcast_to(0.0, (2, samples))
    steps = Protocol(waveforms=waveforms, rate=1e4, family="noise", gap=gap)
    if message is None:
        assert check_fits(steps, ["abf", "nwb"]) is None
    else:
        with pytest.raises(FileFormatError, match=message):
            check_fits(steps, ["abf"])
        assert check_fits(steps, ["nwb"]) is None


def test_a_rerun_of_simulate_replaces_all_files_or_none(here):
    line = ("simulate", "--cell", "passive", "--protocol", SHORT, "-o", "rec")
    ok(*line, "--seed", "1", "--noise", "0.1mV")
    first = files(here)
    assert sorted(Path(name).suffix for name in first) == [".abf", ".json", ".nwb"]
    assert "give --overwrite to replace it" in refused(*line, "--seed", "2")
    assert files(here) == first
    ok(*line, "--seed", "2", "--noise", "0.1mV", "--overwrite")
    second = files(here)
    assert sorted(second) == sorted(first)
    for name in second:
        if not name.endswith(".json"):
            assert read(here / name).provenance.seed == 2
    # one of the two is there: it stays, and the other does not come beside it
    next((here / "rec").rglob("*.nwb")).unlink()
    refused(*line)
    assert not list((here / "rec").rglob("*.nwb"))


def test_every_verb_that_writes_refuses_an_existing_file(recorded):
    Image.linear_gradient("L").resize((8, 6)).save("photo.png")
    image = ("stimulus", "image", "photo.png", "--sweep-duration", "100ms", "--sample-rate",
             "10kHz", "--rows", "2")  # fmt: skip
    lines = [
        (*image, "-o", "photo.abf"),
        ("stimulus", "ramp", "--rate", "10kHz", "-o", "ramp.atf"),
        ("simulate", "--cell", "passive", "--protocol", "photo.abf", "-o", "rec"),
        ("relief", "rec/passive.abf", "-o", "relief.png"),
        ("features", "steps.abf", "-o", "table.csv"),
        ("qc", "steps.abf", "-o", "verdicts.csv"),
    ]
    for line in lines:
        ok(*line)
    before = files(recorded)
    for line in lines:
        assert "exists already" in refused(*line)
        assert files(recorded) == before
    for line in lines[:2] + lines[4:]:
        ok(*line, "--overwrite")
    ok(*lines[4], "--resume")
    assert sorted(files(recorded)) == sorted(before)


def test_demo_wants_an_empty_folder(recorded):
    assert "is not empty" in refused("demo", "-o", ".")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("features", "steps.abf", "-o", "t.txt"), "written as .csv or .parquet"),
        (("features", "steps.abf", "-o", "folder.csv"), "is a folder"),
        (("features", "steps.abf", "-o", "steps.abf/t.csv"), "is a file"),
        (("features", "steps.abf", "-o", "t.csv", "--figures", "steps.abf"), "is a file"),
        (("features", "steps.abf", "-o", "t.csv", "--extractor", "nativ"), "did you mean"),
        (("features", "steps.abf", "-o", "t.csv", "--jobs", "0"), "n_jobs must be 1 or more"),
        (("qc", "steps.abf", "-o", "v.parquet"), "verdicts are written as .csv"),
        (("qc", "steps.abf", "-o", "folder.csv"), "is a folder"),
        (("relief", "steps.abf", "-o", "x.abc"), "unknown kind of figure '.abc'"),
        (("simulate", "--cell", "rs", "--protocol", "ramp", "-o", "steps.abf"), "is a file"),
        (("simulate", "--cell", "rss", "--protocol", "ramp", "-o", "r"), "did you mean 'rs'"),
        (("stimulus", "ramp", "-o", "folder.csv"), "unknown file suffix '.csv'"),
        (("stimulus", "ramp", "-o", "steps.abf/x.abf"), "is a file"),
    ],
)
def test_outputs_that_cannot_be_written_fail_before_the_work(
    recorded, monkeypatch, words, message
):
    (recorded / "folder.csv").mkdir()
    before = files(recorded)

    def work(*_, **__):
        raise AssertionError("the work was done first")

    for module, name in [(cl_io, "read"), (cl_io, "read_all"), (patch, "record"),
                         (stimuli, "parse_protocol"), (extraction, "run_task")]:  # fmt: skip
        monkeypatch.setattr(module, name, work)
    assert message in refused(*words)
    assert files(recorded) == before


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("pyarrow", ("-o", "t.parquet")),
        ("efel", ("-o", "t.csv", "--extractor", "efel")),
    ],
)
def test_a_missing_package_is_said_before_the_work(recorded, monkeypatch, package, words):
    monkeypatch.setitem(sys.modules, package, None)
    found = importlib.util.find_spec

    def without(name, *rest):
        return None if name == package else found(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    line = refused("features", "steps.abf", *words)
    assert f"pip install {package}" in line
    assert not list(recorded.glob("t.*"))


def test_a_missing_peer_environment_is_said_before_the_work(recorded, monkeypatch):
    monkeypatch.setenv("CLEO_LIKE_PEERS", str(recorded / "nowhere"))
    line = refused("features", "steps.abf", "-o", "t.csv", "--extractor", "ipfx")
    assert "make peers" in line
    assert not (recorded / "t.csv").exists()


def test_features_tells_by_its_exit_code_whether_anything_was_measured(recorded):
    mixed = run("features", "broken.abf", "steps.abf", "constant.abf", "-o", "a.csv")
    assert mixed.exit_code == 0
    assert "1 of 3 cells measured" in mixed.output
    none = run("features", "broken.abf", "constant.abf", "-o", "b.csv")
    assert none.exit_code == 1
    assert "0 of 2 cells measured" in none.output
    assert none.output.splitlines()[-1] == "Error: no cell was measured; the table says why"
    assert len(FeatureTable.read("b.csv")) == 2


@pytest.mark.parametrize("verb", ["info", "match", "qc"])
def test_the_others_go_on_after_a_bad_file(recorded, verb):
    result = run(verb, "broken.abf", "steps.abf", "gone.abf", "constant.abf")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "steps" in result.output
    assert result.output.index("broken.abf:") < result.output.index("steps")
    assert result.output.splitlines()[-1] == "Error: could not read broken.abf, gone.abf"
    assert run(verb, "broken.abf").exit_code == 1  # a single bad file counts as well
    assert run(verb, "steps.abf").exit_code == 0


def test_figures_of_files_of_one_name_do_not_replace_each_other(recorded):
    for folder in ("a", "b"):
        (recorded / folder).mkdir()
        (recorded / folder / "cell.abf").write_bytes((recorded / "steps.abf").read_bytes())
    ok("features", "a/cell.abf", "b/cell.abf", "-o", "t.csv", "--figures", "figures")
    assert sorted(p.name for p in (recorded / "figures").iterdir()) == [
        "a-cell.abf.png", "b-cell.abf.png",
    ]  # fmt: skip


def test_figures_come_from_the_pass_that_measures(recorded, monkeypatch):
    from cleo_like.io import load

    read, seen = load.read_all, []
    monkeypatch.setattr(load, "read_all", lambda path: seen.append(path) or read(path))
    ok("features", "steps.abf", "-o", "t.csv", "--figures", "figures")
    assert len(seen) == 1
    assert (recorded / "figures" / "steps.png").stat().st_size > 10_000


def test_a_table_and_its_reasons_appear_together(recorded, monkeypatch):
    table = extract("steps.abf", progress=False)
    table.write("t.csv")
    before = files(recorded)
    with pytest.raises(FileExistsError):
        table.write("t.csv")
    import pandas as pd

    monkeypatch.setattr(pd.DataFrame, "to_csv", _fail_at_reasons(pd.DataFrame.to_csv))
    with pytest.raises(OSError, match="No space"):
        table.write("t.csv", overwrite=True)
    assert files(recorded) == before


def _fail_at_reasons(to_csv):
    def write_one(frame, path, **options):
        if ".reasons" in str(path):
            raise OSError(28, "No space left on device")
        return to_csv(frame, path, **options)

    return write_one


def test_a_full_disk_is_one_line(recorded, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device", "t.csv")

    monkeypatch.setattr(FeatureTable, "write", fail)
    line = refused("features", "steps.abf", "-o", "t.csv")
    assert line == "Error: No space left on device (t.csv)"


@pytest.mark.parametrize(
    "how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "a queue's kill"]
)
def test_stopping_a_simulation_leaves_nothing_half_written(here, how):
    words = ["simulate", "--cell", "passive", "--protocol",
             "long_square amplitudes=-100:100:1pA rate=50kHz", "-o", "rec", "--backend", "brian2"]  # fmt: skip
    done = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    time.sleep(4)
    assert done.poll() is None
    done.send_signal(how)
    _, told = done.communicate(timeout=60)
    assert done.returncode != 0
    assert "Traceback" not in told
    assert files(here) == {}


def verbs(group=main, words=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from verbs(command, (*words, name))
        yield (*words, name), command


@pytest.mark.parametrize("words", [w for w, _ in verbs()], ids=" ".join)
def test_every_verb_has_help(words):
    text = ok(*words, "--help")
    assert text.startswith("Usage: ")
    command = dict(verbs())[words]
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name == "overwrite":
            return
    assert "--output" not in text, "what writes a file has --overwrite"


EXAMPLES = sorted(
    {
        line.strip()
        for _, command in [((), main), *verbs()]
        for line in (command.help or "").splitlines()
        if line.strip().startswith("cleo-like ")
    }
)


@pytest.mark.slow
def test_the_examples_of_the_help_run(here):
    """In the order of work: stimuli, recordings, then what reads them."""
    Image.linear_gradient("L").resize((24, 18)).save("photo.jpg")
    Image.linear_gradient("L").resize((24, 18)).save("cat.png")
    order = (
        "stimulus",
        "cells",
        "simulate",
        "relief",
        "info",
        "match",
        "features",
        "qc",
        "demo",
    )
    own = [line for line in EXAMPLES if line.split()[1] in order]  # others: with their rooms
    lines = sorted(own, key=lambda line: order.index(line.split()[1]))
    assert len(lines) > 12
    for line in lines:
        words = shlex.split(line)[1:]
        if words[0] == "demo" or "ipfx" in words:  # a test of their own
            continue
        if words[:2] == ["simulate", "--cell"] and "steps.atf" in words:
            ok("stimulus", "long-square", "--amplitudes=-40:-20:20pA", "--rate", "20kHz",
               "-o", "steps.atf", "--overwrite")  # fmt: skip
        if "recordings/rs-2.abf" in words:
            (here / "recordings/rs-2.abf").write_bytes(
                (here / "recordings/rs.abf").read_bytes()
            )
            (here / "recordings/rs-2.abf.json").write_bytes(
                (here / "recordings/rs.abf.json").read_bytes()
            )
        expanded = [
            str(found) for word in words
            for found in (sorted(here.glob(word)) if "*" in word else [word])
        ]  # fmt: skip
        writes = "--overwrite" in ok(*[w for w in words[:2] if w in main.commands or w in ("image", "long-square", "chirp")], "--help")  # fmt: skip
        ok(*expanded, *(["--overwrite"] if writes and "--help" not in expanded else []))


def test_the_advice_of_the_errors_exists():
    """What an error says to install is a dependency; what it says to type is an option."""
    package = Path(__file__).parents[2] / "cleo_like"
    text = "\n".join(p.read_text("utf-8") for p in package.rglob("*.py"))
    project = (package.parent / "pyproject.toml").read_text("utf-8")
    for extra in re.findall(r'needed\("\w+", "(\w+)"\)', text):  # which writes the advice
        assert re.search(rf"^{extra} = \[", project, re.M), extra
    for name in re.findall(r"pip install '?([\w-]+(?:\[[a-z]+\])?)(?![\w\[-])", text):
        extra = re.fullmatch(r"cleo_like\[([a-z]+)\]", name)
        wanted = rf'"{re.escape(name)}\W' if extra is None else rf"^{extra[1]} = \["
        assert re.search(wanted, project, re.M), f"pip install {name}"
    targets = (package.parent / "Makefile").read_text("utf-8")
    for target in re.findall(r"'make ([a-z-]+)'", text):
        assert re.search(rf"^{target}:", targets, re.M), f"make {target}"
