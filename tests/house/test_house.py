"""Tests that read the code: cheap import, docstrings, no machine paths, layers."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import cleo_like

PACKAGE = Path(cleo_like.__file__).parent
HEAVY = (
    "brian2", "pynwb", "matplotlib", "scipy", "pandas", "h5py", "pyabf", "PIL", "neo", "efel",
    "sympy", "tqdm", "jaxtyping", "quantities", "tifffile", "numba",
)  # fmt: skip


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(' '.join(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import cleo_like", "import cleo_like.core", "import cleo_like.cli"]
)
def test_importing_the_package_loads_nothing_heavy(statement):
    found = loaded_after(statement) & set(HEAVY)
    assert not found, (
        f"{statement} loads {found}: import them inside the functions that use them"
    )


def test_every_public_name_of_the_package_exists():
    for name in cleo_like.__all__:
        assert getattr(cleo_like, name) is not None
    with pytest.raises(AttributeError, match=r"no attribute 'nothing_like_it'$"):
        _ = cleo_like.nothing_like_it
    with pytest.raises(AttributeError, match="did you mean 'long_square' or"):
        _ = cleo_like.longsquare


def modules():
    names = [m.name for m in pkgutil.walk_packages([str(PACKAGE)], "cleo_like.")]
    return [n for n in names if not n.endswith("__main__")]


@pytest.mark.parametrize("name", modules())
def test_public_functions_are_documented(name):
    module = importlib.import_module(name)
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    assert ast.get_docstring(tree), f"{name} has no module docstring"
    for node in tree.body:
        public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_"
        if public:
            assert ast.get_docstring(node), f"{name}.{node.name} has no docstring"


def test_no_path_of_a_machine_is_in_the_package():
    for file in PACKAGE.rglob("*.py"):
        text = file.read_text("utf-8")
        for place in ('"/home', '"/root', '"/work', '"/tmp'):
            assert place not in text, f"{file} holds a path of one machine"


def _undocumented(tree):
    """Public methods of public classes without a docstring; what sets a property has none."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or node.name[0] == "_":
            continue
        for method in node.body:
            if not isinstance(method, ast.FunctionDef) or method.name[0] == "_":
                continue
            told = {ast.unparse(d).split(".")[-1] for d in method.decorator_list}
            if not told & {"setter", "overload"} and not ast.get_docstring(method):
                yield f"{node.name}.{method.name}"


def test_public_methods_are_documented():
    found = [
        f"{file.name}: {name}"
        for file in PACKAGE.rglob("*.py")
        for name in _undocumented(ast.parse(file.read_text("utf-8")))
    ]
    assert found == []


def test_the_package_asserts_nothing():
    """An assert is gone with ``python -O``: what may not be raises an error with words."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            assert not isinstance(node, ast.Assert), f"{file}: line {node.lineno}"
