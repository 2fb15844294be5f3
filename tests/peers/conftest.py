"""The peers' environment: packages that cannot share ours (ipfx, Cleo)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def peers_python() -> Path:
    """Interpreter of the peers' environment; the test skips where it is missing."""
    python = ROOT / ".venv-peers" / "bin" / "python"
    if not python.exists():
        pytest.skip("the peers' environment is missing; `make peers` builds it")
    return python


@pytest.fixture
def ask_peer(peers_python, tmp_path):
    """Run a script in the peers' environment; it prints one JSON value on its last line."""

    def ask(script: str, *arguments: object) -> Any:
        file = tmp_path / "peer_script.py"
        file.write_text(script)
        done = subprocess.run(
            [str(peers_python), str(file), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != 0:
            pytest.fail(f"the peer script failed:\n{done.stderr[-3000:]}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    return ask
