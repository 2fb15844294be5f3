"""Damaged NWB files are read or refused, within 500 MB and 20 s each.

Two kinds of damage: of bytes, and of what a maker of files can get wrong (units, rates, links,
shapes, tables). HDF5 keeps no check sums of uncompressed samples, so that a flipped bit in one
is a value like any other; all else must be found.
"""

from __future__ import annotations

import functools

import attrs
import h5py
import numpy as np
import pynwb
import pytest

from cleo_like.core import FileFormatError
from cleo_like.io import read, read_all, write
from cleo_like.io.nwb.source.texts import Texts, _attributes, _texts_of
from tests.io.fuzz import fuzz, mutant, mutants
from tests.io.nwb.nwb_maker import PAIRINGS, RATE, Maker, build
from tests.io.nwb.nwb_mutants import edited

METADATA = 65_536  # bytes at the start of these files in which HDF5 keeps what is no sample


@pytest.fixture
def seeds(tmp_path, recording, monkeypatch):
    """Own and foreign files, small: without the copy of the schema, which nobody reads."""
    plain = functools.partialmethod(pynwb.NWBHDF5IO.write, cache_spec=False)
    monkeypatch.setattr(pynwb.NWBHDF5IO, "write", plain)
    short = [
        attrs.evolve(s, response=s.response[:600], command=s.command[:600])
        for s in recording.sweeps[:3]
    ]
    own = attrs.evolve(recording, sweeps=short, protocol=None, truth=None)
    made = {"own": write(own, tmp_path / "own.nwb").read_bytes()}
    for pairing in PAIRINGS:
        electrodes = ("e1", "e2") if "table" in pairing else ("e1",)
        path = build(tmp_path / "x.nwb", pairing, electrodes, n_sweeps=3)
        made[pairing] = path.read_bytes()
    maker = Maker(n_samples=300)
    maker.time = lambda k: {"timestamps": 0.5 * k + np.arange(300) / RATE}
    for k in range(2):
        maker.file.add_acquisition(maker.response(maker.electrodes[0], k))
        maker.file.add_stimulus(maker.stimulus(maker.electrodes[0], k))
    made["time stamps"] = maker.save(tmp_path / "s.nwb").read_bytes()
    return made


KINDS = {"bytes": functools.partial(mutant, head=METADATA), "edits": edited}


def test_edits_are_made_again_from_their_label(seeds):
    one, two = (list(mutants(seeds, 12, seed=3, damage=edited)) for _ in range(2))
    assert [label for label, _ in one] == [label for label, _ in two]
    assert len({label.split(": ")[1] for label, _ in one}) == 12


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused(kind, seeds):
    report = fuzz(seeds, suffix=".nwb", count=30, seed=1, damage=KINDS[kind])
    assert not report.faults, str(report)
    assert report.counts["read"] > 5
    assert report.counts["refused"] > 5 or kind == "edits"  # which harm one series or none


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_damaged_files_are_read_or_refused(kind, seeds):
    report = fuzz(seeds, suffix=".nwb", count=2000, seed=2, damage=KINDS[kind])
    assert not report.faults, str(report)


def _contents(recordings):
    return [
        (
            s.number,
            s.rate,
            s.start_time,
            s.mode,
            s.stimulus,
            s.response.tobytes(),
            None if s.command is None else s.command.tobytes(),
        )
        for recording in recordings
        for s in recording.sweeps
    ]


def _words(recordings):
    return [*(f for r in recordings for f in r.findings)] + [
        note for r in recordings for s in r.sweeps for note in s.notes
    ]


@pytest.mark.parametrize("count", [40, pytest.param(600, marks=pytest.mark.slow)])
def test_no_edit_changes_a_value_without_a_word(seeds, tmp_path, count):
    """But for edits of the samples themselves, which make another recording.

    One in a hundred may be such an edit by another name: a conversion as float32, both
    sides of a pair deleted.
    """
    path = tmp_path / "m.nwb"
    before = {}
    for name, raw in seeds.items():
        path.write_bytes(raw)
        found = read_all(path)
        before[name] = (_contents(found), set(_words(found)))
    changed, silent = 0, []
    for label, raw in mutants(seeds, count, seed=7, damage=edited):
        path.write_bytes(raw)
        try:
            found = read_all(path)
        except FileFormatError:
            continue
        values, words = before[label.split(" seed=")[0]]
        if _contents(found) != values and "values in" not in label:
            changed += 1
            silent += [] if set(_words(found)) - words else [label]
    assert changed > count / 5
    assert len(silent) <= count // 100, silent


@pytest.mark.parametrize("fill", ["zeros", "ones, then zeros"])
def test_a_heap_without_an_end_is_found_before_hdf5_walks_it(seeds, tmp_path, fill):
    """HDF5 2.0 never comes back from a heap of texts of which the end is zeros."""
    raw = bytearray(seeds["start times"])
    path = tmp_path / "x.nwb"
    path.write_bytes(raw)
    assert Texts(path).endless_heap() is None
    place = raw.index(b"GCOL")
    size = int.from_bytes(raw[place + 8 : place + 16], "little")
    half = place + size // 2
    raw[half : place + size] = bytes(size - size // 2)
    if fill != "zeros":  # sizes of 2**64 - 1, which HDF5 rounds up to 0
        raw[half - 160 : half] = b"\xff" * 160
    path.write_bytes(raw)
    assert Texts(path).endless_heap() == place
    with pytest.raises(FileFormatError, match=f"texts that it keeps from byte {place} on"):
        read(path)


def test_a_text_that_says_to_be_longer_than_it_is_is_not_followed(seeds, tmp_path):
    """HDF5 2.0 copies as many bytes as it is told, from beyond its memory: it crashes."""
    path = tmp_path / "x.nwb"
    path.write_bytes(seeds["start times"])
    with h5py.File(path) as file:
        header = h5py.h5o.get_info(file["acquisition/e1__2/data"].id).addr
        session = file["session_start_time"].id.get_offset()
    raw = bytearray(seeds["start times"])
    data = bytes(raw)
    places = [p for at, size in _attributes(data, header) for p in _texts_of(data, at, size)]
    assert [raw[p : p + 4] for p in places] == [b"\x05\0\0\0"]  # "volts"
    raw[places[0] + 2] = 1  # 65541 bytes long
    path.write_bytes(raw)
    back = read(path)
    assert back.n_sweeps == 2
    assert any("'e1__2' left out: the attributes of" in f for f in back.findings)
    raw[places[0] + 2] = 0
    raw[session + 2] = 1
    path.write_bytes(raw)
    assert read(path).session_start is None
