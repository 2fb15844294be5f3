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
import importlib.util
import os
import platform
import shlex
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
    "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros",
    # every operation is rounded (no fused a*b + c), and whole numbers wrap: as numpy does
    "-ffp-contract=off", "-fwrapv",
)  # fmt: skip
HEADER = Path(__file__).with_name("kernel.h")


class CompilerError(CleoLikeError, RuntimeError):
    """There is no working C++ compiler, or it refused a generated program."""


class CacheWarning(UserWarning):
    """Compiled kernels cannot be kept between processes."""


@attrs.frozen
class Compiler:
    """A C++ compiler, identified well enough to key a cache with.

    Attributes
    ----------
    command : tuple of str
        Program and leading arguments: ("/usr/bin/g++",) or ("/usr/bin/ccache", "g++").
    identity : str
        Path, size and age of every program in the command, and its other words.
    """

    command: tuple[str, ...]
    identity: str

    @property
    def path(self) -> str:
        """The command as one text."""
        return shlex.join(self.command)


def find_compiler() -> Compiler | None:
    """Give the C++ compiler: the command in CXX, or else the first of g++, clang++, c++, zig.

    Zig is the one that ``pip install cleo_like[compiler]`` brings (package ``ziglang``), for
    machines without any other.

    Returns
    -------
    Compiler or None
        None without CXX and without any of the four.

    Raises
    ------
    CompilerError
        CXX is set to a command that does not exist.

    Examples
    --------
    >>> compiler = find_compiler()
    >>> compiler is None or Path(compiler.command[0]).is_absolute()
    True
    """
    return _find(os.environ.get("CXX", "").strip(), os.environ.get("PATH"))


@functools.cache
def _find(given: str, _path: str | None) -> Compiler | None:
    if given:
        return _given(given)
    found = (shutil.which(name) for name in ("g++", "clang++", "c++"))
    first = next((_identified((path,)) for path in found if path is not None), None)
    return first or zig()


def zig() -> Compiler | None:
    """Give the C++ compiler in the package ``ziglang``, or None where it is not installed."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        return None
    program = Path(found.origin).with_name("zig.exe" if os.name == "nt" else "zig")
    if not program.exists():
        return None
    return Compiler((str(program), "c++"), _identified((str(program),)).identity + " c++")


def _given(text: str) -> Compiler:
    """Give the command in CXX: a path (blanks and all), or words as a shell reads them."""
    try:
        words = [text] if shutil.which(text) else shlex.split(text)
    except ValueError as error:
        msg = f"CXX={text!r} cannot be read as a command ({error})"
        raise CompilerError(msg) from error
    program = shutil.which(words[0]) if words else None
    if program is None:
        msg = (
            f"CXX={text!r}: there is no program {words[0] if words else text!r}; correct CXX, "
            "or unset it to use g++ or clang++"
        )
        raise CompilerError(msg)
    return _identified((program, *words[1:]))


def _identified(command: tuple[str, ...]) -> Compiler:
    parts = []
    for word in command:  # a wrapper (ccache, distcc) and the compiler that it wraps
        path = None if word.startswith("-") else shutil.which(word)
        if path is None:
            parts.append(word)
        else:
            real = Path(path).resolve()
            stat = real.stat()
            parts.append(f"{real}:{stat.st_size}:{stat.st_mtime_ns}")
    return Compiler(command, " ".join(parts))


def cache_folder() -> Path:
    """Folder of compiled kernels: CLEO_LIKE_CACHE, or ``cleo_like`` in the user's cache."""
    given = os.environ.get("CLEO_LIKE_CACHE")
    if given:
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("cleo_like", appauthor=False)


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
        msg = (
            "no C++ compiler found (looked for CXX, g++, clang++, c++, ziglang); install one, "
            "or pip install 'cleo_like[compiler]'"
        )
        raise CompilerError(msg)
    name = digest(source, _header(), " ".join(FLAGS), compiler.identity, machine()) + ".so"
    library = writable_cache() / name
    if _is_whole(library):
        return library
    try:
        with atomic_path(library) as partial:
            _compile(compiler, source, partial)
            _seal(partial)
    except (OSError, CompilerError) as error:
        if not (isinstance(error, OSError) or _is_full(library.parent)):
            raise
        library = _temporary_folder(library.parent, error) / name
        try:
            _compile(compiler, source, library)
            _seal(library)
        except OSError as second:
            msg = f"there is no room for a compiled kernel: {second}"
            raise CompilerError(msg) from second
    return library


_NEEDED = 4 * 1024 * 1024
"""Free bytes without which a compiler that failed may have failed for want of room."""


def _is_full(folder: Path) -> bool:
    """Whether there is too little room for a library (some 100 kB) and what it is made of."""
    return shutil.disk_usage(folder).free < _NEEDED


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
    command = [
        *compiler.command,
        *FLAGS,
        f"-I{HEADER.parent}",
        "-x",
        "c++",
        "-",
        "-o",
        str(target),
    ]
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
        return _temporary_folder(wanted, error)


@functools.cache
def _folder_of_this_process() -> Path:
    import atexit

    try:
        folder = Path(tempfile.mkdtemp(prefix="cleo_like_"))
    except OSError as error:
        msg = f"there is no folder for compiled kernels: {error}"
        raise CompilerError(msg) from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _temporary_folder(wanted: Path, error: Exception) -> Path:
    folder = _folder_of_this_process()
    warnings.warn(
        f"the cache folder {wanted} cannot be written ({error}); compiled kernels are "
        f"kept in {folder} for this process only. Make room, or set CLEO_LIKE_CACHE to a "
        "folder of yours",
        CacheWarning,
        stacklevel=5,
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
