"""Old module paths that documents and scripts name."""

import importlib
import subprocess
import sys

import pytest

from cleo_like._moved import PLACES


@pytest.mark.parametrize(("old", "new"), PLACES.items())
def test_an_old_path_gives_the_very_module(old, new):
    there = importlib.import_module(f"cleo_like.{new}")
    assert importlib.import_module(f"cleo_like.{old}") is there
    assert there.__spec__.name == f"cleo_like.{new}"


def test_modules_below_an_old_path_are_not_loaded_twice():
    old = importlib.import_module("cleo_like.engine.updaters.choice")
    assert old is importlib.import_module("cleo_like.engine.integrators.choice")


def test_a_path_that_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"cleo_like\.engine\.nowhere"):
        importlib.import_module("cleo_like.engine.nowhere")


def test_the_import_loads_nothing_beside_the_package():
    code = "import sys; before = set(sys.modules); import cleo_like; print(*sorted(set(sys.modules) - before))"
    new = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    light = {"cleo_like", "importlib", "__future__", "warnings"}
    assert {name.partition(".")[0] for name in new} <= light
    assert "importlib.abc" not in new  # costs 0.1 s
