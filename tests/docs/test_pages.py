"""Every block of code in the documentation runs, or the page says why not."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import blocks_of, commands_of

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    p.relative_to(ROOT).as_posix()
    for p in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    if not {"_build", "auto_gallery", "notebooks"} & set(p.parts)
)
WITH_CODE = [page for page in PAGES if blocks_of(ROOT / page)]
OWN_PROCESS = {"docs/guide/engine.md"}
"""Pages that change what belongs to the whole process (Brian2's device)."""
SLOW = {
    "docs/guide/rig.md", "docs/guide/recording.md", "docs/guide/integration.md",
    "docs/guide/serving.md",
    "docs/guide/movies.md", "docs/guide/sessions.md", "docs/guide/ground_truth.md",
    "docs/guide/engine.md", "docs/guide/atlas.md", "docs/guide/planning.md",
    "docs/guide/indicators.md", "docs/guide/analysis.md", "docs/howto/folder.md",
}  # fmt: skip
"""Pages of more than five seconds."""


def page_params():
    return [
        pytest.param(page, marks=[pytest.mark.slow] if page in SLOW else [])
        for page in WITH_CODE
    ]


def alone(blocks, folder):
    """Run each Python block of a page in a process of its own."""
    for block in blocks:
        command = [sys.executable, "-c", block.body]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", page_params())
def test_the_code_of_a_page_runs(page, laboratory, tmp_path, monkeypatch, capsys):
    import matplotlib.pyplot as plt
    from click.testing import CliRunner

    from cleo_like.cli import main

    shutil.copytree(laboratory, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    blocks = blocks_of(ROOT / page)
    if page in OWN_PROCESS:
        alone(blocks, tmp_path)
        return
    namespace = {"__name__": page}
    for block in blocks:
        if block.skipped:
            continue
        if block.kind == "shell":
            for command in commands_of(block):
                result = CliRunner().invoke(main, command)
                # 1: something is red or could not be measured; 2: the line is wrong
                assert result.exit_code in (0, 1), f"{page}: {command}\n{result.output}"
                assert result.exception is None or isinstance(result.exception, SystemExit)
                assert "Error:" not in result.output, f"{page}: {command}\n{result.output}"
            continue
        code = compile("\n" * (block.line - 1) + block.body, str(ROOT / page), "exec")
        if block.raises:
            with pytest.raises((ValueError, OSError, AttributeError)):
                exec(code, namespace)
        else:
            exec(code, namespace)
    plt.close("all")
    promised = re.search(r"# what the simulator knows: (.*)", "\n".join(b.body for b in blocks))
    if promised:
        assert promised[1] in capsys.readouterr().out


def test_few_blocks_are_left_out():
    left = [(p, b.line, b.skipped) for p in WITH_CODE for b in blocks_of(ROOT / p) if b.skipped]
    every = sum(len(blocks_of(ROOT / p)) for p in WITH_CODE)
    assert len(left) <= 0.15 * every, left


def test_every_howto_is_short():
    """At most three lines of code, or one command, after the recording is there."""
    pages = sorted((ROOT / "docs/howto").glob("*.md"))
    assert len(pages) == 13  # twelve and their index
    for page in pages:
        if page.name == "index.md":
            continue
        blocks = [b for b in blocks_of(page) if not b.raises]
        assert any(b.kind == "shell" for b in blocks) or any(
            len(ast.parse(b.body).body) <= 3 for b in blocks[min(1, len(blocks) - 1) :]
        ), page


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs/gallery").glob("plot_*.py")), ids=lambda p: p.stem
)
def test_an_example_of_the_gallery_draws(path, tmp_path, monkeypatch):
    import runpy

    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    plt.close("all")
    found = runpy.run_path(str(path))
    figures = [v for v in found.values() if isinstance(v, mpl.figure.Figure)]
    assert figures or plt.get_fignums()  # a name, or pyplot: else the gallery has no picture
    plt.close("all")


def test_every_public_name_is_in_the_reference():
    """Modules of the reference, with all that they say is public."""
    import importlib

    import cleo_like as cl

    texts = [p.read_text("utf-8") for p in sorted((ROOT / "docs/api").glob("*.md"))]
    documented = set()
    for module, members in re.findall(
        r"automodule:: (\S+)\n   :members:(.*)", "\n".join(texts)
    ):
        names = members.replace(",", " ").split()
        found = importlib.import_module(module)
        documented |= set(names or getattr(found, "__all__", None) or vars(found))
    documented.add("NeoExportable")  # Cleo's base class, for those who derive from it
    assert sorted(set(cl._WHERE) - documented) == []


def test_every_page_is_linked_from_a_section():
    """No page that only the search finds."""
    trees = "\n".join(p.read_text("utf-8") for p in (ROOT / "docs").rglob("*.md"))
    for page in PAGES:
        if not page.startswith("docs/") or page in (
            "docs/index.md",
            "docs/guide/engine_table.md",
        ):
            continue
        assert re.search(
            rf"^(?:\S*/)?{Path(page).stem}$|{Path(page).parent.name}/index", trees, re.M
        )


@pytest.mark.parametrize("page", PAGES)
def test_links_within_the_repository_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text("utf-8"), flags=re.S)
    here = (ROOT / page).parent
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (here / target).exists(), target
    for target in re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`", text):
        base = ROOT / "docs" if target.startswith("/") else here
        stem = base / target.lstrip("/")
        found = [stem.with_name(stem.name + end) for end in (".md", ".ipynb")]
        assert any(path.exists() for path in found) or "auto_gallery" in target, target


def test_pictures_of_the_readme_are_not_heavy():
    names = re.findall(r"\((docs/images/[^)]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert len(names) >= 4
    assert all((ROOT / name).stat().st_size <= 200_000 for name in names)


def test_every_notebook_is_in_a_section():
    listed = (ROOT / "docs/tutorials.md").read_text("utf-8")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert listed.count(f"notebooks/{path.stem}\n") == 1


def test_what_the_readme_names_as_proof_is_there():
    text = (ROOT / "README.md").read_text("utf-8")
    named = re.findall(r"`((?:tests|benchmarks)/[\w/]+(?:\.py)?)`", text)
    assert len(named) >= 10
    assert [name for name in named if not (ROOT / name).exists()] == []
