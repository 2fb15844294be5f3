"""No writer leaves a half-written file, whatever interrupts it."""

from __future__ import annotations

import errno
import resource
from contextlib import contextmanager

import numpy as np
import pytest

from cleo_like.core import UnknownNameError
from cleo_like.io import read, sidecar_path, write
from cleo_like.io.abf import arrays as abf_arrays

SUFFIXES = (".abf", ".atf", ".nwb")


@contextmanager
def file_size_limit():
    """Let the system refuse to write beyond 64 kB, as a full disk does.

    No fixture: between the phases of a test coverage writes its own file, and the limit would
    cut that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_system_refuses_to_write(recording, tmp_path, suffix):
    with file_size_limit(), pytest.raises(OSError, match=r"."):
        write(recording, tmp_path / f"c{suffix}")
    assert list(tmp_path.iterdir()) == []


FAILURES = [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]


@pytest.mark.parametrize("failure", FAILURES, ids=["disk full", "Ctrl-C"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_interruption_leaves_the_old_file(recording, tmp_path, monkeypatch, suffix, failure):
    path = write(recording, tmp_path / f"c{suffix}")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def fail(*_, **__):
        raise failure

    if suffix == ".abf":
        monkeypatch.setattr(abf_arrays, "_write_blocks", fail)
    elif suffix == ".atf":
        monkeypatch.setattr(np, "savetxt", fail)
    else:
        import pynwb

        monkeypatch.setattr(pynwb.NWBHDF5IO, "write", fail)
    with pytest.raises(type(failure)):
        write(recording, path, overwrite=True)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("failure", FAILURES, ids=["disk full", "Ctrl-C"])
def test_a_failing_sidecar_takes_its_file_with_it(recording, tmp_path, monkeypatch, failure):
    from pathlib import Path

    def fail(*_, **__):
        raise failure

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(type(failure)):
        write(recording, tmp_path / "c.abf")
    assert list(tmp_path.iterdir()) == []


def test_a_death_between_the_two_renames_is_noticed(recording, tmp_path):
    """The new file is there, the old sidecar still: their hashes differ."""
    path = write(recording, tmp_path / "c.abf")
    old = sidecar_path(path).read_bytes()
    import attrs

    write(attrs.evolve(recording, findings=("second",)), path, overwrite=True)
    raw = bytearray(path.read_bytes())
    raw[6200] ^= 1  # another recording
    path.write_bytes(bytes(raw))
    sidecar_path(path).write_bytes(old)
    assert any("hash differs" in f for f in read(path).findings)


def test_an_unknown_suffix_suggests_the_known(recording, tmp_path):
    with pytest.raises(UnknownNameError, match=r"'.abg'; did you mean .*'.abf'"):
        write(recording, tmp_path / "c.abg")
    (tmp_path / "c.nwc").write_bytes(b"x")
    with pytest.raises(UnknownNameError, match=r"'.nwc'; did you mean .*'.nwb'"):
        read(tmp_path / "c.nwc")
