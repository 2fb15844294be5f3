"""Download by blob: checked, resumed where it stopped, never twice."""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import OutputError
from cleo_like.io.metadata.waiting import named_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from cleo_like.io.dandi.archive import Archive
    from cleo_like.io.dandi.asset import Asset

_ATTEMPTS = 5  # without a byte of progress
_LONGEST_WAIT = 120.0  # s
_TIMEOUT = (10.0, 60.0)  # s, to connect and between bytes
_CHUNK = 1 << 16
_RANGE = re.compile(r"bytes (?P<first>\d+)-\d+/(?P<whole>\d+|\*)")
_AGAIN = (408, 425, 429, 500, 502, 503, 504)


@attrs.frozen(kw_only=True)
class Fetched:
    """What became of a file.

    Parameters
    ----------
    asset : Asset
        The file.
    path : Path, optional
        Where it is; None when it could not be had.
    reason : str
        Why not.
    bytes : int
        How many came over the network now (0: it was there).
    """

    asset: Asset
    path: Path | None
    reason: str = ""
    bytes: int = 0


def blob_path(cache: Path, asset: Asset) -> Path:
    """Give the place of a blob in the cache; names of the archive never become paths.

    Examples
    --------
    >>> from pathlib import Path
    >>> from cleo_like.io.dandi import Asset
    >>> odd = Asset(dandiset="000001", asset_id="../x", blob="../../etc/passwd", path="a.nwb",
    ...     size=1, url="")
    >>> blob_path(Path("c"), odd).parts[:2]
    ('c', 'blobs')
    """
    name = asset.blob.lower()
    if not re.fullmatch(r"[0-9a-f][0-9a-f-]{7,63}", name):
        name = hashlib.sha256(name.encode()).hexdigest()
    return cache / "blobs" / name[:3] / f"{name}.nwb"


def fetch(
    archive: Archive, asset: Asset, *, sleep: Callable[[float], Any] = time.sleep
) -> Fetched:
    """Fetch one file into the cache.

    A download that was killed goes on where it stopped. Servers that are busy (429, 5xx) or
    silent are asked again, after the time that they name; what cannot be had is a reason, not
    an exception.

    Parameters
    ----------
    archive : Archive
        Where it is.
    asset : Asset
        Which file.
    sleep : callable
        Waits between attempts.
    """
    final = blob_path(archive.cache, asset)
    if final.is_file() and (not asset.size or final.stat().st_size == asset.size):
        return Fetched(asset=asset, path=final)
    part = final.with_suffix(".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        return _Download(archive, asset, part, final, sleep).run()
    except OSError as error:
        msg = f"cannot write to the cache {archive.cache}: {error.strerror or error}"
        raise OutputError(msg) from error


def fetch_all(archive: Archive, assets: Iterable[Asset]) -> Iterator[Fetched]:
    """Fetch files one after another; each is given as soon as it is there."""
    for asset in assets:
        yield fetch(archive, asset)


class _Download:
    """One file on its way: attempts, waits, and the bytes so far."""

    def __init__(
        self, archive: Archive, asset: Asset, part: Path, final: Path,
        sleep: Callable[[float], Any],
    ) -> None:  # fmt: skip
        self._session = archive.client.session
        self._asset, self._part, self._final, self._sleep = asset, part, final, sleep
        self._bytes = 0
        self._wrong = 0  # complete files whose digest was another
        self._furthest = self._size()  # bytes on the disk: less than before is no progress

    def run(self) -> Fetched:
        """Try until the file is whole and right, or there is no use."""
        idle, why = 0, ""
        while idle < _ATTEMPTS:
            if self._complete():
                verdict = self._checked()
                if verdict is None:
                    return Fetched(asset=self._asset, path=self._final, bytes=self._bytes)
                why = verdict
                if self._wrong > 1:
                    break
            why, wait, final = self._attempt(why)
            if final:
                break
            further = self._size() > self._furthest and self._wrong == 0
            self._furthest = max(self._furthest, self._size())
            idle = 0 if further else idle + (wait > 0)
            if wait > 0 and idle < _ATTEMPTS:
                self._sleep(min(wait, _LONGEST_WAIT))
        return Fetched(asset=self._asset, path=None, reason=why, bytes=self._bytes)

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _complete(self) -> bool:
        return bool(self._asset.size) and self._size() >= self._asset.size

    def _checked(self) -> str | None:
        """Rename a whole file with the right digest; throw away any other, and say why."""
        with self._part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        told = self._asset.sha256
        if self._size() == self._asset.size and told in (None, digest):
            self._part.replace(self._final)
            return None
        self._wrong += 1
        self._part.unlink()
        return f"wrong checksum: {digest[:12]}..., where the archive says {str(told)[:12]}..."

    def _attempt(self, before: str) -> tuple[str, float, bool]:
        """Ask for the rest. Gives why it ended, how long to wait, and whether it is final."""
        import requests
        import urllib3

        start = self._size()
        headers = {"Accept-Encoding": "identity"}  # the bytes themselves: they are counted
        headers |= {"Range": f"bytes={start}-"} if start else {}
        idle = 1.0
        try:
            with self._session.get(
                self._asset.url, headers=headers, stream=True, timeout=_TIMEOUT
            ) as answer:
                if answer.status_code in _AGAIN:
                    return f"the server answers {answer.status_code}", _named(answer), False
                if answer.status_code == 416:  # more bytes than the file has
                    self._part.unlink(missing_ok=True)
                    return "the part did not fit the file", idle, False
                if answer.status_code not in (200, 206):
                    return f"the server answers {answer.status_code}", 0.0, True
                whole = _whole_size(answer)
                if whole is not None and self._asset.size and whole != self._asset.size:
                    return self._another_file(whole), 0.0, True
                self._store(answer, _first_byte(answer, start))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return f"the download broke off ({type(error).__name__})", idle, False
        if not self._asset.size:
            self._asset = attrs.evolve(self._asset, size=self._size())
        if self._complete():
            return before, 0.0, False
        return f"only {self._size()} of {self._asset.size} bytes came", idle, False

    def _another_file(self, size: int) -> str:
        return (
            f"the archive has {size} bytes there, where its list says {self._asset.size}: the "
            "file was replaced since it was listed; list again"
        )

    def _store(self, answer: Any, start: int) -> None:
        """Write bytes as they come: what was received is on the disk when we are killed."""
        with self._part.open("r+b" if start else "wb", buffering=0) as file:
            file.seek(start)
            file.truncate()
            while chunk := answer.raw.read1(_CHUNK):  # what is there, without waiting for more
                file.write(chunk)
                self._bytes += len(chunk)


def _whole_size(answer: Any) -> int | None:
    """Size of the whole file as the answer tells it; None where it does not."""
    if answer.status_code == 206:
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
        return int(found["whole"]) if found is not None and found["whole"] != "*" else None
    told = answer.headers.get("Content-Length", "")
    return int(told) if told.isdigit() and "Content-Encoding" not in answer.headers else None


def _first_byte(answer: Any, asked: int) -> int:
    """Where in the file the answer begins: servers may send more than was asked for."""
    if answer.status_code != 206:
        return 0
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    return asked if found is None else min(int(found["first"]), asked)


def _named(answer: Any) -> float:
    """Read the time that a busy server names; 1 s where it names none."""
    told = named_wait(answer.headers.get("Retry-After"))
    return 1.0 if told is None else max(told, 0.1)
