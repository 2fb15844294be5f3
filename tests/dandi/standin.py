"""A local archive that speaks the part of DANDI's API which the real client asks for.

python -m tests.dandi.standin FOLDER     serves FOLDER/DANDISET/sub-x/file.nwb
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

MODIFIED = "2026-01-01T00:00:00.000000Z"


def uuid_of(text):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


class StandIn:
    """Dandisets in folders; what goes wrong is set by path: `faults[path] = [fault, ...]`."""

    def __init__(self, folder, *, page=50, chunk=1 << 16, delay=0.0, metadata_in_list=True):
        self.folder, self.page, self.chunk, self.delay = Path(folder), page, chunk, delay
        self.metadata_in_list = metadata_in_list
        self.log: list[tuple[str, str, str]] = []  # method, path, range
        self.sent: dict[str, int] = {}
        self.faults: dict[str, list] = {}
        self.subjects: dict[str, dict] = {}
        self.names: dict[str, str] = {}  # path on disk -> path in the archive
        self.digests: dict[str, str] = {}
        self.modified: dict[str, str] = {}
        self._files: dict[str, list] = {}
        self._known: dict = {}

    def files(self, dandiset):
        out = []
        for path in sorted((self.folder / dandiset).rglob("*.nwb")):
            stat = path.stat()
            if path not in self._known or self._known[path][0] != (stat.st_size, stat.st_mtime):
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                self._known[path] = ((stat.st_size, stat.st_mtime), digest)
            name = path.relative_to(self.folder / dandiset).as_posix()
            out.append((path, self.names.get(name, name), stat.st_size, self._known[path][1]))
        return out

    def dandisets(self):
        return sorted(p.name for p in self.folder.iterdir() if re.fullmatch(r"\d{6}", p.name))

    def version(self, dandiset):
        files = self.files(dandiset)
        return {
            "version": "draft", "name": f"Dandiset {dandiset}", "asset_count": len(files),
            "size": sum(f[2] for f in files), "created": MODIFIED,
            "modified": self.modified.get(dandiset, MODIFIED), "status": "Valid",
        }  # fmt: skip

    def dandiset(self, dandiset):
        return {
            "identifier": dandiset, "created": MODIFIED, "modified": MODIFIED, "contact_person": "N N",
            "embargo_status": "OPEN", "most_recent_published_version": None,
            "draft_version": self.version(dandiset),
        }  # fmt: skip

    def metadata(self, dandiset):
        return {
            "identifier": f"DANDI:{dandiset}", "name": f"Dandiset {dandiset}", "description": "Cells.",
            "license": ["spdx:CC-BY-4.0"], "citation": f"Somebody (2026) Dandiset {dandiset}",
            "keywords": ["cortex"], "assetsSummary": {"variableMeasured": ["ProcessingModule"]},
        }  # fmt: skip

    def asset(self, dandiset, row):
        _, name, size, digest = row
        subject = {
            "identifier": name.split("/")[0].removeprefix("sub-"), "species": {"name": "House mouse"},
            "age": {"value": "P30D"}, "sex": {"name": "Male"}, **self.subjects.get(name, {}),
        }  # fmt: skip
        return {
            "path": name, "contentSize": size, "digest": {"dandi:sha2-256": self.digests.get(name, digest)},
            "wasAttributedTo": [subject], "wasGeneratedBy": [{"identifier": "session"}],
            "variableMeasured": [{"value": "CurrentClampSeries"}],
        }  # fmt: skip

    def rows(self, dandiset, *, metadata):
        out = []
        for row in self.files(dandiset):
            told = {
                "asset_id": uuid_of(f"{dandiset}/{row[1]}"), "blob": uuid_of(row[3]), "zarr": None,
                "path": row[1], "size": row[2], "created": MODIFIED, "modified": MODIFIED,
            }  # fmt: skip
            out.append(told | ({"metadata": self.asset(dandiset, row)} if metadata else {}))
        return out

    def find(self, asset_id):
        for dandiset in self.dandisets():
            for row in self.files(dandiset):
                if uuid_of(f"{dandiset}/{row[1]}") == asset_id:
                    return dandiset, row
        return None

    def serve(self, port=0):
        server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.server = server
        self.root = f"http://127.0.0.1:{server.server_port}"
        self.api = f"{self.root}/api"
        return self

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def _handler(archive):  # noqa: C901
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, *, body):  # noqa: PLR0911
            url = urlparse(self.path)
            path, query = url.path, parse_qs(url.query)
            archive.log.append((self.command, path, self.headers.get("Range", "")))
            if re.fullmatch(r"/api/(server-)?info/?", path):
                return self.json(self.info())
            if path == "/api/dandisets/":
                return self.paged(
                    [archive.dandiset(d) for d in archive.dandisets()], query, path
                )
            found = re.fullmatch(
                r"/api/dandisets/(\d{6})/(versions/draft/)?(info/|assets/)?", path
            )
            if found and found[1] in archive.dandisets():
                if found[3] == "assets/":
                    metadata = archive.metadata_in_list and "metadata" in query
                    return self.paged(archive.rows(found[1], metadata=metadata), query, path)
                if found[3] == "info/":
                    return self.json(
                        archive.version(found[1]) | {"metadata": archive.metadata(found[1])}
                    )
                return self.json(
                    archive.metadata(found[1]) if found[2] else archive.dandiset(found[1])
                )
            found = re.fullmatch(r"/api/assets/([0-9a-f-]+)/(download/)?", path)
            if found and archive.find(found[1]):
                dandiset, row = archive.find(found[1])
                if not found[2]:
                    return self.json(archive.asset(dandiset, row))
                return self.redirect(f"{archive.root}/blob/{found[1]}")
            found = re.fullmatch(r"/blob/([0-9a-f-]+)", path)
            if found and archive.find(found[1]):
                return self.blob(archive.find(found[1])[1], body=body)
            return self.json({"detail": "Not found."}, 404)

        def info(self):
            return {
                "version": "0.1", "schema_version": "0.6.9", "allowed_schema_versions": ["0.6.9"],
                "schema_url": "", "cli-minimal-version": "0.60.0", "cli-bad-versions": [],
                "services": {"api": {"url": archive.api}, "webui": {"url": archive.root},
                             "jupyterhub": {"url": archive.root}},
            }  # fmt: skip

        def json(self, value, status=200):
            out = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(out)

        def paged(self, rows, query, path):
            page = int(query.get("page", ["1"])[0])
            size = int(query.get("page_size", [archive.page])[0])
            rest = "&".join(f"{k}={v[0]}" for k, v in query.items() if k != "page")
            more = page * size < len(rows)
            following = f"{archive.root}{path}?{rest}&page={page + 1}".replace("?&", "?")
            self.json(
                {
                    "count": len(rows), "next": following if more else None, "previous": None,
                    "results": rows[(page - 1) * size : page * size],
                }
            )  # fmt: skip

        def redirect(self, where):
            self.send_response(302)
            self.send_header("Location", where)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def blob(self, row, *, body):  # noqa: C901
            path, name, size, _ = row
            fault = archive.faults.get(name, [])
            fault = fault.pop(0) if fault else None
            if isinstance(fault, tuple):  # status, headers
                self.send_response(fault[0])
                for key, value in fault[1].items():
                    self.send_header(key, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None
            if fault == "timeout":
                time.sleep(1.5)
                self.close_connection = True
                return None
            first, last = 0, size - 1
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if asked:
                first, last = int(asked[1]), min(int(asked[2] or last), last)
                if first > last:
                    return self.json({}, 416)
            data = path.read_bytes()[first : last + 1]
            if fault == "flipped":
                data = bytes([data[0] ^ 255]) + data[1:]
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Accept-Ranges", "bytes")
            if asked:
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.end_headers()
            if not body:
                return None
            if fault == "truncated":
                data = data[: len(data) // 2]
                self.close_connection = True
            for k in range(0, len(data), archive.chunk):
                if archive.delay:
                    time.sleep(archive.delay)
                try:
                    self.wfile.write(data[k : k + archive.chunk])
                except OSError:
                    return None
                archive.sent[name] = archive.sent.get(name, 0) + len(
                    data[k : k + archive.chunk]
                )
            return None

    return Handler


if __name__ == "__main__":
    made = StandIn(sys.argv[1]).serve(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(made.api, flush=True)  # noqa: T201
    threading.Event().wait()
