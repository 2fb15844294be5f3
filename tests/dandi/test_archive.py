"""Lists, files, copies and faults of an archive, through the real client."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cleo_like.core.errors import FileFormatError, InputError, UnknownNameError
from cleo_like.io import read
from cleo_like.io.dandi import (
    Archive,
    distinct,
    fetch,
    fetch_all,
    read_registry,
    read_streamed,
)
from cleo_like.io.dandi.archive import wanted
from cleo_like.io.dandi.registry import Entry
from tests.dandi.standin import StandIn


@pytest.fixture
def archive(served, tmp_path):
    registry = {"000902": Entry(dandiset="000902", decision="exclude", reason="test")}
    return Archive(tmp_path / "cache", api=served.api, registry=registry)


def test_the_registry_is_cited_and_dated():
    registry = read_registry()
    assert len(registry) == 112
    assert all(e.source for e in registry.values())
    assert all(e.reason or e.note for e in registry.values() if e.decision == "exclude")
    assert registry["000020"].decision == "include"
    assert registry["000293"].superseded_by == "000297"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("dandiset,decision\n000001,maybe\n", FileFormatError),
        ("dandiset\n000001\n", FileFormatError),
        ("dandiset,decision\n000001,include\n000001,exclude\n", FileFormatError),
    ],
)
def test_a_wrong_registry_is_said(tmp_path, text, error):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(error, match=r"mine\.csv, line"):
        read_registry(path)
    with pytest.raises(FileFormatError, match="cannot read"):
        read_registry(tmp_path / "none.csv")
    with pytest.raises(UnknownNameError):
        Entry(dandiset="000001", decision="yes")


def test_dandisets_and_files(archive, served):
    found = archive.dandisets()
    assert [(d.id, d.assets, d.wanted) for d in found] == [
        ("000900", 4, True), ("000901", 2, True), ("000902", 1, False),
    ]  # fmt: skip
    assert [d.id for d in wanted(found)] == ["000900", "000901"]
    assets = archive.assets("000900")
    assert [a.path for a in assets] == [f"sub-{n}/sub-{n}_icephys.nwb" for n in "abcd"]
    one = assets[0]
    assert (one.species, one.taxon, one.age, one.sex, one.donor) == (
        "Mus musculus", "NCBITaxon:10090", "P30D", "M", "a",
    )  # fmt: skip
    assert one.licence == "spdx:CC-BY-4.0"
    assert "2026" in one.citation


def test_nothing_new_costs_one_request(archive, served, tmp_path):
    archive.assets("000900")
    again = Archive(tmp_path / "cache", api=served.api, registry={})
    again.client  # noqa: B018  (opened: one request for the run)
    served.log.clear()
    assert len(again.assets("000900")) == 4
    assert len(served.log) == 1
    served.modified["000900"] = "2026-02-02T00:00:00.000000Z"
    assert len(again.assets("000900")) == 4
    assert len(served.log) > 2


def test_a_server_that_adds_no_metadata_is_asked_for_each(three, tmp_path):
    server = StandIn(three, metadata_in_list=False).serve()
    try:
        found = Archive(tmp_path, api=server.api).assets("000901")
        assert [a.donor for a in found] == ["e", "z"]
    finally:
        server.close()


def test_copies_are_dropped_before_anything_is_counted(archive):
    both = [*archive.assets("000900"), *archive.assets("000901")]
    kept, dropped = distinct(both)
    assert (len(both), len(kept)) == (6, 5)
    assert list(dropped.values()) == ["a copy of 000900/sub-a/sub-a_icephys.nwb"]


def test_fetched_once_and_right(archive, served):
    assets = archive.assets("000900")
    first = list(fetch_all(archive, assets))
    assert [f.bytes for f in first] == [a.size for a in assets]
    for found, asset in zip(first, assets, strict=True):
        assert hashlib.sha256(found.path.read_bytes()).hexdigest() == asset.sha256
    assert read(first[0].path).cell.donor == "a"
    served.log.clear()
    assert [f.bytes for f in fetch_all(archive, assets)] == [0, 0, 0, 0]
    assert served.log == []


@pytest.mark.parametrize(
    ("faults", "waits", "works"),
    [
        ([(429, {"Retry-After": "3"})], [3.0], True),
        ([(500, {}), (503, {})], [1.0, 1.0], True),
        (["truncated"], [1.0], True),
        (["flipped"], [], True),
        (["flipped"] * 2, [], "wrong checksum"),
        ([(404, {})], [], "answers 404"),
        ([(403, {})], [], "answers 403"),
        ([(500, {})] * 9, [1.0] * 4, "answers 500"),
    ],
)
def test_faults_are_retried_or_reported(archive, served, faults, waits, works):
    asset = archive.assets("000900")[1]
    served.faults[asset.path] = list(faults)
    slept = []
    found = fetch(archive, asset, sleep=slept.append)
    assert slept == waits
    if works is True:
        assert hashlib.sha256(found.path.read_bytes()).hexdigest() == asset.sha256
    else:
        assert found.path is None
        assert works in found.reason
    assert fetch(archive, archive.assets("000900")[2]).path is not None  # the others go on


def test_a_truncated_body_goes_on_where_it_stopped(archive, served):
    asset = archive.assets("000900")[1]
    served.faults[asset.path] = ["truncated"]
    found = fetch(archive, asset, sleep=lambda _: None)
    ranges = [r for method, path, r in served.log if path.startswith("/blob/")]
    assert found.bytes == asset.size
    assert ranges[0] == ""
    assert int(ranges[1].removeprefix("bytes=").rstrip("-")) == asset.size // 2


def test_a_silent_server_is_a_reason(archive, served, monkeypatch):
    monkeypatch.setattr("cleo_like.io.dandi.download._TIMEOUT", (0.3, 0.3))
    asset = archive.assets("000900")[3]
    served.faults[asset.path] = ["timeout"] * 9
    found = fetch(archive, asset, sleep=lambda _: None)
    assert found.path is None
    assert "broke off" in found.reason


def test_names_never_leave_the_cache(three, tmp_path):
    server = StandIn(three).serve()
    server.names["sub-f/sub-f_icephys.nwb"] = "../../../<script>evil</script>.nwb"
    try:
        archive = Archive(tmp_path / "cache", api=server.api, registry={})
        (asset,) = archive.assets("000902")
        found = fetch(archive, asset)
        assert (tmp_path / "cache").resolve() in found.path.resolve().parents
        assert {p.name for p in tmp_path.iterdir()} == {"cache"}
    finally:
        server.close()


def test_killed_twice_nothing_is_fetched_twice(three, tmp_path):
    big = tmp_path / "archive" / "000900" / "sub-a" / "big.nwb"
    big.parent.mkdir(parents=True)
    big.write_bytes(os.urandom(3_000_000))
    server = StandIn(tmp_path / "archive", chunk=1 << 16, delay=0.02).serve()
    code = (
        "from cleo_like.io.dandi import Archive, fetch\n"
        f"a = Archive({str(tmp_path / 'cache')!r}, api={server.api!r}, registry={{}})\n"
        "print(fetch(a, a.assets('000900')[0]).path, flush=True)"
    )
    try:
        sizes = []
        for _ in range(2):
            child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
            started, before = time.monotonic(), sum(sizes[-1:])
            while time.monotonic() - started < 40:
                parts = list((tmp_path / "cache").rglob("*.part"))
                if parts and parts[0].stat().st_size > before + 300_000:
                    break
                time.sleep(0.01)
            child.send_signal(signal.SIGKILL)
            child.wait()
            sizes.append(parts[0].stat().st_size)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        ranges = [r for _, path, r in server.log if path.startswith("/blob/")]
        assert ranges == ["", f"bytes={sizes[0]}-", f"bytes={sizes[1]}-"]
        assert 0 < sizes[0] < sizes[1] < 3_000_000
        assert Path(done.stdout.strip()).read_bytes() == big.read_bytes()
    finally:
        server.close()


def test_streamed_as_from_the_disk(archive, served):
    asset = archive.assets("000900")[0]
    (streamed,) = read_streamed(asset)
    local = read(fetch(archive, asset).path)
    assert streamed.provenance.input_hash == local.provenance.input_hash
    for one, two in zip(streamed.sweeps, local.sweeps, strict=True):
        assert (one.response == two.response).all()
    assert streamed.cell.donor == "a"


def test_wrong_asks(archive, tmp_path):
    with pytest.raises(InputError, match="six digits"):
        archive.assets("../etc")
    with pytest.raises(FileFormatError, match="dandiset 000999"):
        archive.assets("000999")
    with pytest.raises(FileFormatError, match="does not answer"):
        Archive(tmp_path, api="http://127.0.0.1:9/api").client  # noqa: B018
