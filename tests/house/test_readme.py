"""What the README and the start page show runs, and prints what they say."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"(?:```python|```\{code-block\} python)\n(.*?)```", re.S)


@pytest.mark.parametrize(
    "page", ["README.md", "docs/start.md", "docs/guide/cells.md", "docs/guide/imaging.md"]
)
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((ROOT / page).read_text("utf-8"))
    assert blocks
    exec("\n".join(blocks), {})
    promised = re.search(r"# what the simulator knows: (.*)", "\n".join(blocks))
    if promised:
        assert promised[1] in capsys.readouterr().out
