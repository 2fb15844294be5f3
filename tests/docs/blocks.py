"""The code of a page: its blocks, which of them are run, and why the others are not."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from pathlib import Path

_FENCE = re.compile(
    r"^(?P<mark>`{3,})(?P<words>[^\n`]*)\n(?P<body>.*?)^(?P=mark)\s*$", re.S | re.M
)
_SKIP = re.compile(r"<!-- not run: (.+?) -->\s*$")
_PYTHON = {"python", "{code-block} python", "{code-cell} python"}
_SHELL = {"console", "bash", "{code-block} console"}
OF_OTHERS = ("pip ", "make ", "eval ", "python -m pip ")
"""Commands that belong to the machine, not to this package."""


@attrs.frozen(kw_only=True)
class Block:
    """One block of a page.

    Parameters
    ----------
    kind : str
        "python" or "shell".
    body : str
        The code.
    line : int
        Where it begins.
    skipped : str or None
        Why it is not run.
    raises : bool
        Whether the page shows an error.
    """

    kind: str
    body: str
    line: int
    skipped: str | None
    raises: bool


def blocks_of(path: Path) -> list[Block]:
    """Give the Python and shell blocks of a page, in order."""
    text = path.read_text("utf-8")
    found = []
    for match in _FENCE.finditer(text):
        words = match["words"].strip()
        kind = "python" if words in _PYTHON else "shell" if words in _SHELL else None
        if kind is None:
            continue
        options = "".join(re.findall(r"^:tags:.*\n", match["body"], re.M))
        skip = _SKIP.search(text[: match.start()].rstrip())
        found.append(
            Block(
                kind=kind,
                body=re.sub(r"^:\w+:.*\n", "", match["body"], flags=re.M),
                line=text.count("\n", 0, match.start()) + 2,
                skipped=skip[1] if skip else None,
                raises="raises-exception" in options,
            )
        )
    return found


def commands_of(block: Block) -> list[list[str]]:
    """Give the commands of this package in a shell block; what is none of anybody's is refused."""
    joined = block.body.replace("\\\n", " ")
    out = []
    for raw in joined.splitlines():
        line = raw.removeprefix("$ ").strip()
        if line.startswith("cleo-like "):
            out.append(shlex.split(line, comments=True)[1:])
        elif line.startswith(("$ ", "#", *OF_OTHERS)) or not raw.startswith("$ "):
            continue
        else:
            msg = f"line {block.line}: what is this command? {line}"
            raise AssertionError(msg)
    return out
