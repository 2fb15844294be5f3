"""A sidecar is believed only beside the file that it was written for."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from cleo_like.io import read, read_protocol, sidecar_path, write


@pytest.fixture(params=[".abf", ".atf"])
def written(request, recording, tmp_path):
    return write(recording, tmp_path / f"c{request.param}")


def test_it_belongs(written, recording):
    assert read(written).cell == recording.cell


def test_another_files_sidecar_is_ignored_and_said(written, recording):
    other = written.with_stem("other")
    shutil.copy(written, other)
    raw = bytearray(other.read_bytes())
    raw[-3] = ord("0") if raw[-3] != ord("0") else ord("1")
    other.write_bytes(bytes(raw))
    shutil.copy(sidecar_path(written), sidecar_path(other))
    back = read(other)
    assert back.cell.id == "other"
    assert back.truth is None
    assert any("written for another file (the hash differs)" in f for f in back.findings)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"kind": "cleo_like sidecar"}', '{"kind": "another program"}'],
)
def test_a_damaged_one_is_ignored_and_said(written, text):
    sidecar_path(written).write_text(text)
    back = read(written)
    assert back.cell.id == "c"
    assert any("ignored" in f and "c." in f for f in back.findings)


def test_facts_of_other_sweeps_are_ignored_and_said(written):
    beside = sidecar_path(written)
    content = json.loads(beside.read_text())
    content["facts"]["sweeps"] = content["facts"]["sweeps"][:-1]
    beside.write_text(json.dumps(content))
    back = read(written)
    assert back.cell.id == "c"
    assert any("8 sweeps do not belong to 9" in f for f in back.findings)


def test_damaged_arrays_are_ignored_and_said(picture, tmp_path):
    path = write(picture, tmp_path / "p.abf")
    beside = sidecar_path(path)
    content = json.loads(beside.read_text())
    packed = content["arrays"]["picture"]["zlib_base64"]
    content["arrays"]["picture"]["zlib_base64"] = packed[:40]
    beside.write_text(json.dumps(content))
    back = read_protocol(path)
    assert back.picture is None
    assert back.family == "picture"  # the comment in the file itself


def test_the_picture_is_compact(picture, tmp_path):
    import attrs

    grey = np.zeros((60, 400))
    grey[20:40] = 1.0
    big = attrs.evolve(picture, waveforms=np.repeat(grey * 1e-11, 5, axis=1), picture=grey)
    big = attrs.evolve(big, epochs=())
    path = write(big, tmp_path / "p.abf")
    assert sidecar_path(path).stat().st_size < 5000  # 192 kB as numbers
    assert np.array_equal(read_protocol(path).picture, grey)
