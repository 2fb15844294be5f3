"""The C++ compiler and the cache of compiled kernels.

A kernel is kept under the hash of its source, the flags, the compiler and the processor.
Files are written under a temporary name and then renamed, so that several processes may
start on an empty cache at the same time.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import attrs

from cleo_like.core.errors import CleoLikeError
from cleo_like.core.files import atomic_path

FLAGS = (
    "-std=c++17", "-O3", "-march=native", "-fPIC", "-shared",
    # what vectorising needs of -ffast-math; NaN, infinity and the order of sums stay
    "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros", "-ffp-contract=fast",
)  # fmt: skip
HEADER = Path(__file__).with_name("kernel.h")


class CompilerError(CleoLikeError, RuntimeError):
    """There is no working C++ compiler, or it refused a generated program."""


class CacheWarning(UserWarning):
    """Compiled kernels cannot be kept between processes."""


@attrs.frozen
class Compiler:
    """A C++ compiler, identified well enough to key a cache with."""

    path: str
    identity: str


@functools.cache
def find_compiler() -> Compiler | None:
    """Give the first C++ compiler of CXX, g++, clang++, c++; None without one.

    Examples
    --------
    >>> compiler = find_compiler()
    >>> compiler is None or Path(compiler.path).is_absolute()
    True
    """
    for name in (os.environ.get("CXX"), "g++", "clang++", "c++"):
        path = shutil.which(name) if name else None
        if path is not None:
            real = Path(path).resolve()
            stat = real.stat()
            return Compiler(path, f"{real}:{stat.st_size}:{stat.st_mtime_ns}")
    return None


def cache_folder() -> Path:
    """Folder of compiled kernels: CLEO_LIKE_CACHE, or ``cleo_like`` in the user's cache."""
    given = os.environ.get("CLEO_LIKE_CACHE")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cleo_like"


@functools.cache
def machine() -> str:
    """Text that differs between processors with different instructions."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        wanted = ("model name", "flags", "Features", "CPU part")
        first = cpuinfo.read_text(errors="replace").split("\n\n", 1)[0]
        return "\n".join(line for line in first.splitlines() if line.startswith(wanted))
    return f"{platform.machine()} {platform.processor()}"


@functools.cache
def _header() -> str:
    return HEADER.read_text()


def digest(*texts: str) -> str:
    """Hash of texts, as used in the names of cached files."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]


def compile_source(source: str) -> Path:
    """Compile a C++ source, or find it in the cache.

    Parameters
    ----------
    source : str
        C++ text that includes ``kernel.h``.

    Returns
    -------
    Path
        The shared library.

    Raises
    ------
    CompilerError
        No compiler, or its complaint.
    """
    compiler = find_compiler()
    if compiler is None:
        msg = "no C++ compiler found (looked for CXX, g++, clang++, c++); install g++ or clang"
        raise CompilerError(msg)
    name = digest(source, _header(), " ".join(FLAGS), compiler.identity, machine()) + ".so"
    library = writable_cache() / name
    if not _is_whole(library):
        with atomic_path(library) as partial:
            _compile(compiler, source, partial)
            _seal(partial)
    return library


def _seal(library: Path) -> None:
    """Append a hash to a library: loading a damaged one would end the process."""
    content = library.read_bytes()
    library.write_bytes(content + hashlib.sha256(content).digest())


def _is_whole(library: Path) -> bool:
    """Whether a library of the cache is as it was when it was written."""
    try:
        content = library.read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content[:-32]).digest() == content[-32:]


def _compile(compiler: Compiler, source: str, target: Path) -> None:
    command = [compiler.path, *FLAGS, f"-I{HEADER.parent}", "-x", "c++", "-", "-o", str(target)]
    try:
        done = subprocess.run(
            command, input=source.encode(), capture_output=True, check=False, timeout=300
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"the C++ compiler {compiler.path} cannot be used: {error}"
        raise CompilerError(msg) from error
    written = target.exists() and target.stat().st_size > 0
    if done.returncode != 0 or not written:
        words = done.stderr.decode(errors="replace")
        complaint = "\n".join(words.strip().splitlines()[:5])
        msg = f"{compiler.path} failed with code {done.returncode}:\n{complaint}"
        raise CompilerError(msg)


@functools.cache
def _usable_folder(wanted: Path) -> Path:
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            return wanted
    except OSError as error:
        folder = Path(tempfile.mkdtemp(prefix="cleo_like_"))
        warnings.warn(
            f"the cache folder {wanted} cannot be written ({error}); compiled kernels are "
            f"kept in {folder} for this process only. Set CLEO_LIKE_CACHE to a folder of yours",
            CacheWarning,
            stacklevel=4,
        )
        return folder


def writable_cache() -> Path:
    """Give the cache folder, or a temporary one (with a warning) if it cannot be written."""
    return _usable_folder(cache_folder())


@functools.cache
def load(library: Path) -> ctypes.CDLL:
    """Load a compiled kernel once per process.

    Raises
    ------
    CompilerError
        What the compiler wrote is no library of this machine.
    """
    try:
        return ctypes.CDLL(str(library))
    except OSError as error:
        msg = f"the compiled kernel {library} cannot be loaded: {error}"
        raise CompilerError(msg) from error


def keep_text(name: str, text: str) -> None:
    """Keep a text in the cache; a cache that vanished is no error."""
    with contextlib.suppress(OSError), atomic_path(writable_cache() / name) as partial:
        partial.write_text(text, encoding="utf-8")


def kept_text(name: str) -> str | None:
    """Give a text of the cache, None where there is none that can be read."""
    path = writable_cache() / name
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
