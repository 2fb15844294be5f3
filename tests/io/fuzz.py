"""Damaged files: mutants of any bytes, and a reader that must read or refuse each of them.

`mutants` knows no format. `fuzz` hands them to a worker process that may take so much memory
and so much time for each; a fault is an error that is not the package's own, an empty sweep,
too much memory, or no answer. Every mutant is made again from its label::

    report = fuzz({"a": Path("a.abf").read_bytes()}, suffix=".abf", count=100, seed=1)
    assert not report.faults, str(report)
"""

from __future__ import annotations

import json
import selectors
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BLOCK = 512
_INTEGERS = (0, 1, -1, 2, 3, 7, 127, 255, 256, 32767, -32768, 65539, 10**9, 2**31 - 1, -(2**31))
_FLOATS = (0.0, -1.0, 1e-38, 1e38, -1e38, float("nan"), float("inf"), 1e-3, 1e9)
_WORDS = (
    b"nan",
    b"inf",
    b"1e400",
    b"-",
    b"",
    b"x",
    b"1,5",
    b"999999999999",
    b"\t",
    b"\xb5",
    b"\r",
)


@dataclass
class Report:
    """What became of the mutants."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Counts, then the first faults."""
        return "\n".join([str(dict(self.counts)), *self.faults[:20]])


Damage = Callable[[bytes, np.random.Generator], tuple[str, bytes]]


def mutant(raw: bytes, rng: np.random.Generator, *, head: int = 8192) -> tuple[str, bytes]:
    """Damage a file once or twice, and say how.

    Parameters
    ----------
    raw : bytes
        A file that can be read.
    rng : Generator
        Decides how and where.
    head : int
        Most of the damage is done to so many bytes at the start, where headers lie.
    """
    data, said = bytearray(raw), []
    for _ in range(int(rng.integers(1, 3))):
        damage = _DAMAGES[int(rng.integers(len(_DAMAGES)))]
        if len(data) > 16:
            said.append(damage(data, rng, head))
    return "; ".join(said), bytes(data)


def mutants(
    seeds: Mapping[str, bytes], count: int, seed: int, damage: Damage = mutant
) -> Iterator[tuple[str, bytes]]:
    """Give `count` mutants, the seeds in turn, each with a label that makes it again."""
    names = list(seeds)
    for k in range(count):
        name = names[k % len(names)]
        how, data = damage(seeds[name], np.random.default_rng([seed, k]))
        yield f"{name} seed={seed} k={k}: {how}", data


def _place(data: bytearray, rng: np.random.Generator, head: int, size: int) -> int:
    """Choose an even byte: three times of four in the head."""
    most = min(head, len(data)) if rng.random() < 0.75 else len(data)
    return 2 * int(rng.integers(max((most - size) // 2, 1)))


def _flip(data: bytearray, rng: np.random.Generator, head: int) -> str:
    places = [
        _place(data, rng, head, 2) + int(rng.integers(2)) for _ in range(rng.integers(1, 9))
    ]
    for place in places:
        data[place] ^= 1 << int(rng.integers(8))
    return f"bits of {places} flipped"


def _extreme(data: bytearray, rng: np.random.Generator, head: int) -> str:
    form = "hiqfB"[int(rng.integers(5))]
    place = _place(data, rng, head, struct.calcsize(form))
    pool = _FLOATS if form == "f" else _INTEGERS
    value = pool[int(rng.integers(len(pool)))]
    size = struct.calcsize(form)
    if form != "f":
        value = int(value) % 2 ** (8 * size)
    raw = struct.pack("<f", value) if form == "f" else value.to_bytes(size, "little")
    data[place : place + size] = raw
    return f"{form} at {place} = {value}"


def _cut(data: bytearray, rng: np.random.Generator, head: int) -> str:
    size = _place(data, rng, head, 2) + int(rng.integers(2))
    del data[size:]
    return f"cut to {size} bytes"


def _swap(data: bytearray, rng: np.random.Generator, head: int) -> str:
    blocks = len(data) // BLOCK
    if blocks < 2:
        return "nothing swapped"
    one, two = (int(b) * BLOCK for b in rng.integers(blocks, size=2))
    first = bytes(data[one : one + BLOCK])
    data[one : one + BLOCK] = data[two : two + BLOCK]
    data[two : two + BLOCK] = first
    return f"blocks at {one} and {two} swapped"


def _blank(data: bytearray, rng: np.random.Generator, head: int) -> str:
    place, size = _place(data, rng, head, 2), int(rng.integers(1, 600))
    fill = (0, 255)[int(rng.integers(2))]
    size = min(size, len(data) - place)
    data[place : place + size] = bytes([fill]) * size
    return f"{size} bytes at {place} = {fill}"


def _move(data: bytearray, rng: np.random.Generator, head: int) -> str:
    place, size = _place(data, rng, head, 2), int(rng.integers(1, 40))
    if rng.random() < 0.5:
        del data[place : place + size]
        return f"{size} bytes at {place} deleted"
    data[place:place] = rng.bytes(size)
    return f"{size} bytes at {place} put in"


def _word(data: bytearray, rng: np.random.Generator, head: int) -> str:
    place, size = _place(data, rng, head, 2), int(rng.integers(1, 9))
    word = _WORDS[int(rng.integers(len(_WORDS)))]
    data[place : place + size] = word
    return f"{size} bytes at {place} = {word!r}"


_DAMAGES: tuple[Callable[[bytearray, np.random.Generator, int], str], ...] = (
    _flip, _extreme, _extreme, _extreme, _cut, _swap, _blank, _move, _word,
)  # fmt: skip

_WORKER = """
import json, resource, sys, time, traceback, warnings
warnings.simplefilter("ignore")
import numpy as np
import cleo_like
from cleo_like import io
from cleo_like.core import CleoLikeError
from cleo_like.io.load import existing
from cleo_like.io.readers import reader_for

def use(path):
    empty = [r for r in io.read_all(path) if any(s.n_samples == 0 for s in r.sweeps)]
    if empty:
        raise ValueError("an empty sweep was read")
    str(io.describe(path))
    try:
        io.read_protocol(path)
    except CleoLikeError:
        pass

def outcome(path):
    try:
        use(path)
    except CleoLikeError as error:
        return "refused", type(error).__name__
    except MemoryError:
        return "FAULT", "more memory than allowed"
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return "FAULT", f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
    return "read", ""

outcome(sys.argv[1])  # load what reading needs, before memory is counted
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
limit = used + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(json.dumps(["ready", ""]), flush=True)
for line in sys.stdin:
    print(json.dumps(outcome(line.strip())), flush=True)
"""


class _Worker:
    """A process that reads one file after the other."""

    def __init__(self, sample: Path, memory: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(sample), str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        if self.answer(120) is None:
            raise RuntimeError("the worker did not start")

    def answer(self, seconds: float) -> list[str] | None:
        """Wait for one line; None where none comes in time, or the process died."""
        if not self.selector.select(seconds):
            return None
        line = self.process.stdout.readline()
        return json.loads(line) if line.strip() else None

    def read(self, path: Path, seconds: float) -> list[str] | None:
        """Let the process read a file."""
        try:
            self.process.stdin.write(f"{path}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        return self.answer(seconds)

    def stop(self) -> str:
        """End the process, and say how it ended by itself."""
        status = self.process.poll()
        self.process.kill()
        self.process.wait()
        self.selector.close()
        self.process.stdin.close()
        self.process.stdout.close()
        return "no answer in time" if status is None else f"the process died ({status})"


def fuzz(
    seeds: Mapping[str, bytes],
    *,
    suffix: str,
    count: int,
    seed: int,
    seconds: float = 20.0,
    megabytes: int = 500,
    damage: Damage = mutant,
) -> Report:
    """Read `count` mutants of some files.

    Parameters
    ----------
    seeds : mapping of str to bytes
        Name and content of files that can be read.
    suffix : str
        Of the files; it chooses the reader.
    count, seed : int
        How many, and which.
    seconds : float
        For one file.
    megabytes : int
        Of memory that reading may take beyond what the imported packages hold.
    damage : callable
        (bytes, Generator) -> words and bytes.
    """
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        sample, path = Path(folder, f"sample{suffix}"), Path(folder, f"mutant{suffix}")
        sample.write_bytes(next(iter(seeds.values())))
        worker = _Worker(sample, megabytes * 2**20)
        try:
            for label, data in mutants(seeds, count, seed, damage):
                path.write_bytes(data)
                answer = worker.read(path, seconds)
                if answer is None:
                    answer = ["FAULT", worker.stop()]
                    worker = _Worker(sample, megabytes * 2**20)
                report.counts[answer[0]] += 1
                if answer[0] == "FAULT":
                    report.faults.append(f"{label} -> {answer[1]}")
        finally:
            worker.stop()
    return report
