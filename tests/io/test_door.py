"""The one door: registry, electrodes, descriptions, units as files write them, light import."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import attrs
import numpy as np
import pytest

from cleo_like import Cell, Protocol, Provenance, Recording, Sweep
from cleo_like.core import FileFormatError, InputError, UnknownNameError
from cleo_like.io import Reader, describe, load, read, read_protocol, write
from cleo_like.io.findings.plausibility import unit_findings
from cleo_like.io.text_units import parse_unit


def test_importing_io_loads_no_format_library():
    code = (
        "import sys, cleo_like.io; "
        "print(sorted({m.partition('.')[0] for m in sys.modules} & "
        "{'pynwb', 'hdmf', 'h5py', 'pyabf', 'neo', 'pandas', 'scipy', 'matplotlib', 'brian2'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


class _Point:
    """An entry point of another package."""

    def __init__(self, reader):
        self.reader = reader

    def load(self):
        return self.reader


@pytest.fixture
def other_package(monkeypatch):
    """Another package's reader: every .wcp file holds one sweep of -60 mV."""
    sweep = Sweep(response=np.full(10, -0.06), rate=1e4)
    found = Recording(sweeps=[sweep], cell=Cell(id="w"), provenance=Provenance(source="w"))
    ours = Reader(name="WCP", suffixes=(".wcp", ".abf"), read_all=lambda _: [found])

    def entry_points(*, group):
        assert group == "cleo_like.readers"
        return [_Point(ours)]

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    return found


def test_another_package_may_bring_a_reader(other_package, tmp_path):
    (tmp_path / "x.wcp").write_bytes(b"data")
    assert read(tmp_path / "x.wcp") is other_package
    assert "WCP, 4e-06 MB" in str(describe(tmp_path / "x.wcp"))
    with pytest.raises(FileFormatError, match="holds no command"):
        read_protocol(tmp_path / "x.wcp")


def test_another_package_cannot_take_our_suffix(other_package, tmp_path):
    (tmp_path / "x.abf").write_bytes(b"data")
    with pytest.raises(FileFormatError, match="not an ABF file"):
        read(tmp_path / "x.abf")


def test_suffixes_in_capitals(recording, tmp_path):
    path = write(recording, tmp_path / "c.ABF")
    assert read(path).cell == recording.cell


def test_the_electrode_by_its_name(recording, tmp_path):
    path = write(recording, tmp_path / "c.abf")
    assert read(path, electrode="pipette 1").cell == recording.cell
    with pytest.raises(UnknownNameError, match="unknown electrode 'pipette'; did you mean"):
        read(path, electrode="pipette")


def test_only_recordings_and_protocols_are_written(tmp_path):
    with pytest.raises(InputError, match="Traces or an ImagingExperiment to write, got list"):
        write([1, 2], tmp_path / "x.abf")


@pytest.mark.parametrize("suffix", ["abf", "atf", "nwb"])
def test_a_description_tells_what_is_there(recording, tmp_path, suffix):
    text = str(describe(write(recording, tmp_path / f"c.{suffix}")))
    version = {"abf": "ABF 1.8.3.0", "atf": "ATF 1.0", "nwb": "NWB 2."}[suffix]
    assert text.startswith(f"c.{suffix}: {version}")
    for line in (
        "Recording of c/1: 9 sweeps, 1000 ms at 20 kHz",
        "Cell c/1: Mus musculus, VISp",
        "electrode: pipette 1",
        "session: 2025-03-01T09:30:00.250000+01:00",
        "family: long_square; from: these tests",
        "epoch step: 250..750 ms",
        "GroundTruth of rs: 9 sweeps, 36 spikes",
        "seed 7",
        "finding: made for a test",
    ):
        assert line in text
    assert ("sidecar: yes" in text) == (suffix != "nwb")


@pytest.mark.parametrize(
    ("text", "si", "scale"),
    [
        ("mV", "V", 1e-3), ("pA", "A", 1e-12), ("nA  ", "A", 1e-9), ("V\0\0", "V", 1.0),
        ("µA", "A", 1e-6), ("μV", "V", 1e-6), ("uA", "A", 1e-6), ("A", "A", 1.0),
        ("", "?", 1.0), ("?", "?", 1.0), ("AU", "?", 1.0), ("mA/V", "?", 1.0), ("dV", "?", 1.0),
    ],
)  # fmt: skip
def test_units_as_files_write_them(text, si, scale):
    unit = parse_unit(text)
    assert (unit.si, unit.scale) == (si, scale)


def _one(mode="current_clamp", **changes):
    fields = {"response": np.full(100, -0.07), "command": np.full(100, 1e-10), "rate": 2e4}
    return Sweep(**(fields | changes), mode=mode)


@pytest.mark.parametrize(
    ("sweep", "text"),
    [
        (_one(response=np.full(100, -70.0)), "mV stored as V"),
        (_one(response=np.full(100, 0.03)), "the baseline is 30 mV"),
        (_one(response=np.full(100, -0.121)), "no membrane rests (-120..-10 mV)"),
        (_one(response=np.full(100, -0.0012)), "the baseline is -1.2 mV"),
        (_one(response=np.full(100, -0.009)), "the baseline is -9 mV"),
        (_one(response=np.zeros(100)), "the baseline is 0 mV"),
        (_one(response=np.full(100, -0.0012), command=None), "the baseline is -1.2 mV"),
        (_one(response=np.full(100, -0.0012), command=np.zeros(100)), "-1.2 mV"),
        (_one(response=np.full(100, 1e-11)), "may be swapped"),
        (_one(command=np.full(100, 1e2)), "pA or nA stored as A"),
        (
            _one("voltage_clamp", response=np.full(100, 50.0), command=None),
            "currents reach 50 A",
        ),
        (
            _one("voltage_clamp", response=np.zeros(100), command=np.full(100, -70.0)),
            "commands",
        ),
    ],
)
def test_doubts_about_units(sweep, text):
    (finding,) = unit_findings([sweep])
    assert text in finding
    assert finding.endswith("nothing was changed")


@pytest.mark.parametrize(
    "sweep",
    [
        _one(),
        _one(command=None),
        _one(response=np.full(100, -0.011)),
        _one(response=np.full(100, -0.119)),
        _one(response=np.full(100, 0.0009), command=None),
        _one(response=np.full(100, -0.0009), command=np.zeros(100)),
        _one("voltage_clamp", response=np.full(100, 1e-9), command=np.full(100, -0.07)),
        _one("unknown", response=np.full(100, -70.0)),
        _one(response=np.full(100, np.nan)),
        _one(response=np.zeros(0), command=np.zeros(0)),
    ],
)
def test_no_doubt_where_none_is_due(sweep):
    assert unit_findings([sweep]) == ()


@pytest.mark.parametrize("noise", [0.0, 2e-12])
def test_the_baseline_is_taken_at_rest(rng, noise):
    """A step that lifts the cell to +20 mV is no doubt; rest before or after it counts."""
    before, without = (
        np.r_[np.zeros(50), np.full(150, 2e-10)],
        np.r_[np.full(150, 2e-10), np.zeros(50)],
    )
    for command in (before, without):
        response = np.where(command > 0, 0.02, -0.07)
        noisy = command + noise * rng.standard_normal(200)
        assert unit_findings([_one(response=response, command=noisy)]) == ()
        (finding,) = unit_findings([_one(response=response / 58, command=noisy)])
        assert "the baseline is -1.2 mV" in finding
    spiking = np.where(np.arange(200) % 4 == 0, -0.06, 0.01)  # a quarter of the time at rest
    assert unit_findings([_one(response=spiking, command=None, rate=200)]) == ()


@pytest.mark.parametrize(
    "word", ["Juxtacellular pipette", "extracellular", "cell-attached", "LFP"]
)
def test_electrodes_outside_of_cells_have_no_resting_potential(word):
    sweep = _one(response=np.full(100, 0.004))
    assert unit_findings([sweep], about=f"name, {word}") == ()
    assert unit_findings([attrs.evolve(sweep, stimulus=word)]) == ()
    assert len(unit_findings([sweep], about="whole cell")) == 1


def test_models_may_rest_where_they_like(tmp_path, recording):
    """Hodgkin and Huxley counted from a rest of 0 mV; from a rig this is a finding."""
    at_zero = [attrs.evolve(s, response=s.response + 0.07) for s in recording.sweeps]
    made = attrs.evolve(recording, sweeps=at_zero)
    measured = attrs.evolve(
        made, truth=None, provenance=attrs.evolve(made.provenance, source="x.abf")
    )
    for suffix in ("nwb", "abf", "atf"):
        assert not any(
            "baseline" in f for f in read(write(made, tmp_path / f"a.{suffix}")).findings
        )
        assert any(
            "baseline" in f for f in read(write(measured, tmp_path / f"b.{suffix}")).findings
        )


def test_one_doubt_for_many_sweeps():
    sweeps = [
        attrs.evolve(_one(response=np.full(9, -70.0), command=None), number=n) for n in range(9)
    ]
    (finding,) = unit_findings(sweeps)
    assert "(9 sweeps: 0, 1, 2, 3, 4 ... 8)" in finding


def test_every_protocol_family_keeps_its_name(tmp_path):
    from cleo_like.core.protocol import FAMILIES

    for family in FAMILIES:
        protocol = Protocol(waveforms=np.full((1, 128), 1e-11), rate=1e4, family=family)
        for suffix in ("abf", "atf"):
            path = write(protocol, tmp_path / f"{family}.{suffix}")
            (tmp_path / f"{family}.{suffix}.json").unlink()
            assert read_protocol(path).family == family


def test_reader_for_lists_what_it_knows():
    from pathlib import Path

    with pytest.raises(UnknownNameError, match=r"Known: '.abf', '.atf', .*'.nwb'"):
        load.reader_for(Path("x.xyz"))
