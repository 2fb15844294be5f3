"""Servers that do what servers do: downloads end right, or with a reason, and always end."""

from __future__ import annotations

import contextlib
import email.utils
import hashlib
import json
import socket
import struct
import threading
import time

import pandas as pd
import pytest
from click.testing import CliRunner

from cleo_like.atlas.gather import gather
from cleo_like.cli import main
from cleo_like.core.errors import FileFormatError, OutputError
from cleo_like.io import write
from cleo_like.io.dandi import Archive, Asset, fetch, read_streamed, write_manifest
from tests.dandi.conftest import cell
from tests.dandi.standin import StandIn

requests = pytest.importorskip("requests")
DATA = bytes(range(256)) * 400
SIZE = len(DATA)


class Bare:
    """As much of an archive as `fetch` asks for."""

    def __init__(self, cache):
        self.cache, self.client = cache, self
        self.session = requests.Session()


def start_of(request):
    lines = [line for line in request.split(b"\r\n") if line.lower().startswith(b"range")]
    return int(lines[0].split(b"=")[1].rstrip(b"-")) if lines else 0


def head(start, size=SIZE):
    first = b"HTTP/1.1 206 P\r\n" if start else b"HTTP/1.1 200 OK\r\n"
    ranged = b"Content-Range: bytes %d-%d/%d\r\n" % (start, size - 1, size) if start else b""
    return first + ranged + b"Content-Length: %d\r\n\r\n" % (size - start)


def stalls(client, start, turn):
    client.sendall(head(start) + DATA[start : start + 20_000])
    time.sleep(0.4 if turn < 2 else 0)
    if turn >= 2:
        client.sendall(DATA[start + 20_000 :])


def resets(client, start, turn):
    client.sendall(head(start) + DATA[start : start + 20_000])
    if turn < 2:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        client.sendall(DATA[start + 20_000 :])


def knows_no_ranges(client, start, turn):
    client.sendall(head(0) + (DATA if turn else DATA[:30_000]))


def never_gets_further(client, start, turn):
    client.sendall(head(0) + DATA[:30_000])


def sends_all_for_a_range(client, start, turn):
    whole = b"HTTP/1.1 206 P\r\nContent-Range: bytes 0-%d/%d\r\nContent-Length: %d\r\n\r\n"
    size = len(DATA)
    client.sendall(whole % (size - 1, size, size) + DATA if start else head(0) + DATA[:7000])


def in_chunks(client, start, turn):
    begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(DATA)
    client.sendall(begin + (DATA + b"\r\n0\r\n\r\n" if turn else DATA[:5000]))


def has_a_smaller_file(client, start, turn):
    size = 50_000
    client.sendall(head(start, size) + DATA[start:size])


def has_a_larger_file(client, start, turn):
    client.sendall(head(start, len(DATA) + 9) + DATA[start:] + bytes(9))


def sends_a_page(client, start, turn):
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")


def says_nothing(client, start, turn):
    pass


def speaks_something_else(client, start, turn):
    client.sendall(b"220 ready\r\n")


@pytest.mark.parametrize(
    ("server", "works"),
    [
        (stalls, True), (resets, True), (knows_no_ranges, True), (sends_all_for_a_range, True),
        (in_chunks, True), (never_gets_further, "broke off"), (has_a_smaller_file, "was replaced"),
        (has_a_larger_file, "was replaced"), (sends_a_page, "was replaced"),
        (says_nothing, "broke off"), (speaks_something_else, "broke off"),
    ],
)  # fmt: skip
def test_every_download_ends(tmp_path, monkeypatch, server, works):
    monkeypatch.setattr("cleo_like.io.dandi.download._TIMEOUT", (0.3, 0.3))
    listening = socket.create_server(("127.0.0.1", 0))
    turns = []

    def serve():
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                with contextlib.suppress(OSError):
                    server(client, start_of(client.recv(65536)), len(turns))
                turns.append(1)

    threading.Thread(target=serve, daemon=True).start()
    asset = Asset(
        dandiset="000001", asset_id="a", blob="a" * 32, path="x.nwb", size=len(DATA),
        url=f"http://127.0.0.1:{listening.getsockname()[1]}/x",
        sha256=hashlib.sha256(DATA).hexdigest(),
    )  # fmt: skip
    found = fetch(Bare(tmp_path), asset, sleep=lambda _: None)
    listening.close()
    if works is True:
        assert found.path.read_bytes() == DATA
    else:
        assert found.path is None
        assert works in found.reason
    assert len(turns) <= 8


@pytest.mark.parametrize(
    ("told", "low", "high"),
    [(None, 1, 1), ("0", 0.1, 0.1), ("7", 7, 7), ("soon", 1, 1), ("-5", 1, 1), ("999999", 120, 120),
     (30, 25, 30), (-30, 0.1, 0.1)],
)  # fmt: skip
def test_the_time_that_a_server_names(served, tmp_path, told, low, high):
    archive = Archive(tmp_path, api=served.api, registry={})
    asset = archive.assets("000900")[0]
    if isinstance(told, int):  # a date, so many seconds from now
        told = email.utils.formatdate(time.time() + told, usegmt=True)
    served.faults[asset.path] = [(429, {} if told is None else {"Retry-After": told})]
    slept = []
    assert fetch(archive, asset, sleep=slept.append).path is not None
    assert low <= slept[0] <= high


def test_a_file_that_was_replaced_is_there_once(tmp_path):
    folder = tmp_path / "archive"
    path = folder / "000900" / "sub-a" / "a.nwb"
    write(cell("a", seed=1), path)
    write(cell("b", seed=2), folder / "000900" / "sub-b" / "b.nwb")
    server = StandIn(folder).serve()
    try:
        cache = tmp_path / "cache"
        run = ["atlas", "fetch", "000900", "--cache", str(cache), "--api", server.api]
        assert CliRunner().invoke(main, run).exit_code == 0
        before = json.loads((cache / "manifest.json").read_text())
        (folder / "000900/sub-b/b.nwb").unlink()  # taken away
        path.unlink()
        write(cell("a", seed=3), folder / "000900" / "sub-a" / "a2.nwb")  # renamed and changed
        write(cell("c", seed=1), folder / "000901" / "sub-c" / "c.nwb")
        copy = folder / "000901" / "sub-d" / "d.nwb"
        copy.parent.mkdir(parents=True)
        copy.write_bytes((folder / "000900/sub-a/a2.nwb").read_bytes())
        server.modified["000900"] = "2026-05-05T00:00:00.000000Z"
        assert CliRunner().invoke(main, run).exit_code == 0
        run[2] = "000901"  # alone: its copy of a file of the other run is known all the same
        assert CliRunner().invoke(main, run).exit_code == 0
        after = json.loads((cache / "manifest.json").read_text())
        assert len(before) == 2
        assert [row["path"] for row in after] == ["sub-a/a2.nwb", "sub-c/c.nwb"]
    finally:
        server.close()


def test_a_cache_that_cannot_be_written_to_is_said(served, tmp_path):
    (tmp_path / "file").write_text("no folder")
    archive = Archive(tmp_path / "file" / "cache", api=served.api, registry={})
    with pytest.raises(OutputError, match="cannot write to the cache"):
        archive.assets("000900")
    good = Archive(tmp_path / "cache", api=served.api, registry={})
    (asset, *_) = good.assets("000900")
    with pytest.raises(OutputError, match="cannot write to the cache"):
        fetch(archive, asset)
    with pytest.raises(OutputError, match="cannot write to the cache"):
        write_manifest(archive, [asset], {})


def test_what_cannot_be_streamed_has_a_row_and_a_reason(served, tmp_path, monkeypatch):
    pytest.importorskip("remfile")
    monkeypatch.setattr("remfile.RemFile._num_request_retries", 0)
    archive = Archive(tmp_path / "cache", api=served.api, registry={})
    one, two = archive.assets("000900")[:2]
    fetch(archive, one)
    write_manifest(archive, [one, two], {})
    served.faults[two.path] = [(404, {})] * 9
    gather([], cache=tmp_path / "cache", output=tmp_path / "t.csv", progress=False)
    table = pd.read_csv(tmp_path / "t.csv")
    assert table["status"].tolist() == ["ok", "failed"]
    assert table["asset_path"].tolist() == [one.path, two.path]
    assert "cannot be streamed" in table["notes"][1]
    assert "404" in pd.read_csv(tmp_path / "t.verdicts.csv")["reason"].iloc[-1]
    served.faults[two.path] = [(500, {})] * 9
    with pytest.raises(FileFormatError, match="cannot be streamed"):
        read_streamed(two)
    served.faults[two.path] = []
    import attrs

    with pytest.raises(FileFormatError, match="was replaced since"):
        read_streamed(attrs.evolve(two, size=two.size + 1))
