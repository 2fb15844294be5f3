"""What is installed here: the first thing an error report needs."""

from __future__ import annotations

import platform
import re
import sys
from importlib import metadata


def version_table() -> dict[str, str]:
    """Versions of Python, of the system, and of every package this one can use.

    Returns
    -------
    dict of str to str
        What to version; "not installed" where an optional package is missing; the compiler
        of simulations, or what runs in its place.

    Examples
    --------
    >>> "brian2" in version_table()
    True
    """
    from cleo_like.core.provenance import versions
    from cleo_like.engine.toolchain import find_compiler

    compiler = find_compiler()
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "C++ compiler": compiler.path if compiler else "none: Brian2 runs on its own",
        **versions(_requirements()),
    }


def show_versions() -> None:
    """Print `version_table`, one line each; paste it into an error report.

    Examples
    --------
    >>> show_versions()  # doctest: +ELLIPSIS
    python ...
    """
    table = version_table()
    width = max(map(len, table))
    sys.stdout.writelines(f"{what:{width}}  {version}\n" for what, version in table.items())


def _requirements() -> list[str]:
    """Names of all packages in this package's metadata, extras included, each once."""
    # by hand: `packaging` comes with matplotlib, which may be left out
    found = (re.match(r"[\w.-]+", line) for line in metadata.requires("cleo_like") or [])
    return sorted({name[0] for name in found if name is not None})
