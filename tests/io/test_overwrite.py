"""An existing file is never replaced without being asked, a recording of a rig never."""

import json

import attrs
import h5py
import numpy as np
import pytest

from cleo_like.core import (
    ExistingFileError,
    InputError,
    OutputError,
    Protocol,
    UnknownNameError,
)
from cleo_like.io import read, sidecar_path, write, write_abf1, write_simulated
from cleo_like.io import save as save_module

SUFFIXES = (".abf", ".atf", ".nwb")


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_existing_file_stays(recording, tmp_path, suffix):
    path = write(recording, tmp_path / f"c{suffix}")
    before = files(tmp_path)
    for thing in (recording, Protocol(waveforms=np.zeros((1, 100)), rate=2e4, family="noise")):
        with pytest.raises(ExistingFileError, match="give overwrite=True to replace it"):
            write(thing, path)
    assert files(tmp_path) == before
    changed = attrs.evolve(recording, findings=("second",))
    assert "second" in read(write(changed, path, overwrite=True)).findings


def test_low_level_writing_obeys_too(tmp_path):
    path = write_abf1(tmp_path / "a.abf", np.ones((1, 10)), units="pA", rate="10 kHz")
    with pytest.raises(ExistingFileError):
        write_abf1(path, np.zeros((1, 10)), units="pA", rate="10 kHz")
    write_abf1(path, np.zeros((1, 10)), units="pA", rate="10 kHz", overwrite=True)


@pytest.mark.parametrize("suffix", [".abf", ".atf"])
def test_a_sidecar_is_a_file_too(recording, tmp_path, suffix):
    path = tmp_path / f"c{suffix}"
    sidecar_path(path).write_text('{"my": "notes"}')
    with pytest.raises(ExistingFileError, match=r"\.json exists already"):
        write(recording, path)
    with pytest.raises(OutputError, match="is no sidecar of this package"):
        write(recording, path, overwrite=True)
    assert json.loads(sidecar_path(path).read_text()) == {"my": "notes"}
    assert not path.exists()


def rig_abf2(path, _):
    path.write_bytes(b"ABF2" + bytes(6000))


def rig_abf1(path, made):
    data = bytearray(made.read_bytes())
    data[294:310] = b"Clampex".ljust(16)
    path.write_bytes(data)


def rig_atf(path, _):
    path.write_text('ATF\t1.0\n1\t2\n"Comment=mine"\n"Time (s)"\t"I (pA)"\n0\t1\n')


def rig_nwb(path, _):
    with h5py.File(path, "w") as file:
        file.create_group("processing/theirs")


def damaged_nwb(path, _):
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(40))


@pytest.mark.parametrize("make", [rig_abf2, rig_abf1, rig_atf, rig_nwb, damaged_nwb])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_recording_of_a_rig_is_never_replaced(recording, tmp_path, make, suffix):
    """Whatever its name: it is known by its first bytes."""
    made = write(recording, tmp_path / "made.abf")
    path = tmp_path / f"raw{suffix}"
    make(path, made)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="that cleo_like did not write; it is never replaced"):
        write(recording, path, overwrite=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_ones_own_file_is_known_without_its_sidecar(recording, tmp_path, suffix):
    path = write(recording, tmp_path / f"c{suffix}")
    sidecar_path(path).unlink(missing_ok=True)
    write(recording, path, overwrite=True)


def test_what_is_no_recording_may_be_replaced(recording, tmp_path):
    (tmp_path / "c.abf").write_text("notes")
    write(recording, tmp_path / "c.abf", overwrite=True)
    assert read(tmp_path / "c.abf").n_sweeps == recording.n_sweeps


def test_outputs_are_refused_before_the_work(recording, tmp_path, monkeypatch):
    (tmp_path / "a.abf").mkdir()
    (tmp_path / "file").write_text("x")
    monkeypatch.setitem(save_module._WRITERS, ".abf", None)  # would be called after
    for path, error in [
        ("a.abf", OutputError), ("file/a.abf", OutputError), ("a.xyz", UnknownNameError),
        ("noending", UnknownNameError),
    ]:  # fmt: skip
        with pytest.raises(error):
            write(recording, tmp_path / path)


def test_an_option_that_a_format_does_not_have(recording, tmp_path):
    with pytest.raises(UnknownNameError, match=r"unknown option of \.nwb 'sesion_id'; did you"):
        write(recording, tmp_path / "c.nwb", sesion_id="x")
    with pytest.raises(UnknownNameError, match=r"option of \.abf 'session_id'"):
        write(recording, tmp_path / "c.abf", session_id="x")
    with pytest.raises(InputError, match=r"expected a Recording, a Protocol, .*got list"):
        write([recording], tmp_path / "c.nwb")
    assert list(tmp_path.iterdir()) == []


def test_all_formats_of_a_simulation_or_none(recording, tmp_path, monkeypatch):
    folders = {"abf": tmp_path, "nwb": tmp_path, "atf": tmp_path}
    ((abf, nwb, atf),) = write_simulated([recording], folders)
    assert [p.suffix for p in (abf, nwb, atf)] == [".abf", ".nwb", ".atf"]
    before = files(tmp_path)
    assert len(before) == 5

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savetxt", fail)  # the last format
    changed = attrs.evolve(recording, findings=("second",))
    with pytest.raises(OSError, match="No space left"):
        write_simulated([changed], folders, overwrite=True)
    assert files(tmp_path) == before
    monkeypatch.undo()
    write_simulated([changed], folders, overwrite=True)


def test_one_recording_and_names_of_folders(recording, tmp_path):
    ((path,),) = write_simulated(recording, {"nwb": str(tmp_path / "out")})
    assert path.is_file()
    with pytest.raises(InputError, match=r"folders must be \{format: folder\} .*, got 'out'"):
        write_simulated(recording, "out")
