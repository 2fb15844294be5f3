"""Each verb as a user types it, and what wrong input says."""

import pytest
from click.testing import CliRunner
from PIL import Image

from cleo_like.cli import main
from cleo_like.features import FeatureTable
from cleo_like.io import read, read_protocol


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gradient = Image.linear_gradient("L").resize((24, 18))
    gradient.save("photo.png")
    return tmp_path


def run(*words):
    return CliRunner().invoke(main, list(words))


def ok(*words):
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.output


IMAGE = ("stimulus", "image", "photo.png", "--sweep-duration", "100 ms", "--sample-rate",
         "10 kHz", "--rows", "4")  # fmt: skip


@pytest.mark.parametrize("suffix", ["abf", "atf", "nwb"])
def test_stimulus_files_load_back_as_protocols(here, suffix):
    ok(*IMAGE, "-o", f"photo.{suffix}")
    protocol = read_protocol(here / f"photo.{suffix}")
    assert (protocol.family, protocol.n_sweeps) == ("picture", 4)
    assert protocol.picture.shape[0] == 4


@pytest.mark.parametrize(
    ("verb", "options", "family"),
    [
        ("long-square", ["--amplitudes=-100:100:50pA", "--rate", "20kHz"], "long_square"),
        ("ramp", ["--rate", "10kHz"], "ramp"),
        ("chirp", ["--amplitude", "20pA", "--rate", "10kHz"], "chirp"),
        ("sag-ladder", ["--rate", "10kHz"], "sag_ladder"),
        ("noise", ["--sd", "20pA", "--tau", "3ms", "--seed", "1", "--rate", "10kHz"], "noise"),
    ],
)
def test_standard_stimuli(here, verb, options, family):
    ok("stimulus", verb, *options, "-o", "s.abf")
    found = read_protocol(here / "s.abf")
    assert family in (found.name, found.family)


def test_simulate_relief_and_info(here):
    ok(*IMAGE, "-o", "photo.abf")
    out = ok("simulate", "--cell", "passive", "--protocol", "photo.abf", "-o", "rec",
             "--noise", "0.1mV", "--lowpass", "2kHz", "--seed", "3")  # fmt: skip
    assert "Recording of passive: 4 sweeps" in out
    (nwb,) = (here / "rec").rglob("*.nwb")
    assert nwb.parent.name == "sub-passive"
    for path in (here / "rec" / "passive.abf", nwb):
        assert read(path).provenance.seed == 3
        assert "r 0." in ok("relief", str(path), "-o", "relief.png", "--overwrite")
        assert "protocol: Protocol photo: 4 sweeps" in ok("info", str(path))
    assert (here / "relief.png").stat().st_size > 10_000


def test_a_protocol_may_be_one_line(here):
    out = ok("simulate", "--cell", "passive", "-o", "rec", "--format", "abf", "--protocol",
             "long_square amplitudes=-10,10pA duration=0.1s before=50ms after=50ms rate=10kHz")  # fmt: skip
    assert "2 sweeps, 200 ms at 10 kHz" in out
    assert sorted(p.name for p in (here / "rec").iterdir()) == [
        "passive.abf",
        "passive.abf.json",
    ]


def test_cells_lists_the_library():
    out = ok("cells")
    assert "narrow_fs" in out
    assert "Golomb" in out


def test_match_features_and_qc(here):
    ok("simulate", "--cell", "passive", "-o", "rec", "--format", "abf", "--seed", "1",
       "--noise", "0.02mV", "--protocol", "long_square amplitudes=-60:-20:20pA rate=20kHz")  # fmt: skip
    assert "Match long_square: 3 of 3 sweeps 0.5..1.5 s" in ok("match", "rec/passive.abf")
    for table in ("t.csv", "t.parquet"):
        ok("features", "rec/passive.abf", "-o", table, "--figures", table.replace(".", "-"))
        row = FeatureTable.read(here / table).frame.iloc[0]
        assert row["steady_state_input_resistance"] == pytest.approx(200.0, rel=0.01)
        assert row["tau"] == pytest.approx(0.020, rel=0.05)
        assert "1 of 1 cells in range" in ok("qc", table)
    assert (here / "t-csv" / "passive.png").stat().st_size > 10_000
    assert "3 of 3 long squares pass" in ok("qc", "rec/passive.abf", "-o", "v.csv")
    assert "verdict" in (here / "v.csv").read_text()


def test_every_verb_has_help_with_an_example():
    for verb in ("stimulus", "simulate", "relief", "info", "match", "features", "qc", "demo"):
        assert "cleo-like" in ok(verb, "--help")
    assert "Step of each sweep" in ok("stimulus", "long-square", "--help")


WRONG = [
    (("simulate", "--cell", "nars", "--protocol", "ramp", "-o", "r"), "did you mean 'rs'"),
    (("simulate", "--cell", "rs", "--protocol", "rmap", "-o", "r"), "did you mean 'ramp'"),
    (("simulate", "--cell", "rs", "--protocol", "gone.abf", "-o", "r"), "gone.abf"),
    (("simulate", "--cell", "rs", "--protocol", "ramp", "-o", "r", "--noise", "1"), "did you mean '1 mV'?"),
    (("stimulus", "image", "gone.png", "--sweep-duration", "1s", "--sample-rate", "10kHz",
      "-o", "x.abf"), "gone.png"),
    (("stimulus", "long-square", "--amplitudes", "100", "-o", "x.abf"),
     "did you mean '100 pA'?"),
    (("stimulus", "long-square", "--amplitudes", "1pA", "-o", "x.abc"), ".abf"),
    (("relief", "gone.abf"), "gone.abf"),
]  # fmt: skip


@pytest.mark.usefixtures("here")
def test_a_file_of_no_known_kind_is_named_with_the_reason():
    lines = run("info", "photo.png").output.splitlines()
    assert lines[0].startswith("photo.png: unknown kind of file, photo.png with the suffix")
    assert lines[1] == "Error: could not read photo.png"


@pytest.mark.parametrize(("words", "message"), WRONG)
@pytest.mark.usefixtures("here")
def test_wrong_input_is_one_clear_line(words, message):
    result = run(*words)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_wrong_command_writes_nothing(here):
    run("stimulus", "long-square", "--amplitudes", "100", "-o", "x.abf")
    assert sorted(p.name for p in here.iterdir()) == ["photo.png"]


def test_versions_name_what_an_error_report_needs():
    lines = dict(line.split(maxsplit=1) for line in ok("--versions").splitlines())
    assert lines["brian2"][0].isdigit()
    assert {"python", "system", "cleo_like", "numpy", "pynwb"} <= set(lines)


def test_every_option_of_a_stimulus_says_what_it_is():
    """Also those whose docstring points to another function."""
    from cleo_like.cli.stimulus import stimulus

    for verb, command in stimulus.commands.items():
        for option in [p for p in command.params if p.param_type_name == "option"]:
            text = option.help or ""
            assert text.split("[default")[0].strip(), (verb, option.name)
            assert "As in `" not in text, (verb, option.name)
