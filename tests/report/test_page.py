"""The page: whole, escaped, and alone."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from cleo_like.core.errors import InputError
from cleo_like.report import Page, relief_page
from cleo_like.stimuli import relief

VOID = {"meta", "img", "br", "hr", "link"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that all that is opened is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.attributes, self.words = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data)


def cells(page):
    return re.findall(r"<td[^>]*>(.*?)</td>", page.html())


@pytest.fixture
def figure():
    made = Figure(figsize=(3, 2))
    made.subplots().plot([0, 1], [0, 1])
    return made


NASTY = st.text(st.sampled_from("<>&\"'/abc =\n\t{}$%;é漢"), max_size=40)


@given(title=NASTY, heading=NASTY, text=NASTY, name=NASTY, value=NASTY)
def test_no_text_becomes_markup(title, heading, text, name, value):
    page = Page(title)
    page.add_heading(heading).add_text(text).add_list([text]).add_table(
        [{name: value}], caption=text
    )
    found = Reader(page.html())
    plain = Reader(
        Page("t").add_heading("h").add_text("x" if text.strip() else "").add_list(["x"])
        .add_table([{"n": "v"}], caption="x" if text else "").html()
    )  # fmt: skip
    paragraphs = len([part for part in re.split(r"\n\s*\n", text) if part.strip()])
    assert [t for t in found.tags if t != "p"] == [t for t in plain.tags if t != "p"]
    assert found.tags.count("p") == paragraphs
    assert value in "".join(found.words)


def test_a_script_stays_text(figure):
    evil = '"><script>alert(1)</script>'
    page = Page(evil).add_heading(evil).add_text(evil).add_figure(figure, caption=evil)
    page.add_table(pd.DataFrame({evil: [evil]}))
    assert "script" not in Reader(page.html()).tags


def test_the_page_needs_nothing_from_outside(figure):
    text = Page("a").add_figure(figure, alt="a line").html()
    found = Reader(text)
    links = [v for k, v in found.attributes if k in ("src", "href", "srcset", "data")]
    assert all(link.startswith("data:image/png;base64,") for link in links)
    assert "url(" not in text
    assert "@import" not in text
    assert ("lang", "en") in found.attributes
    assert "width=device-width" in text


def test_a_figure_is_a_png_with_size_and_words(figure):
    page = Page("a").add_figure(figure, caption="below", alt="a rising line", dpi=100)
    text = page.html()
    data = base64.b64decode(re.search(r"base64,([^\"]+)", text)[1])
    assert data.startswith(b"\x89PNG")
    assert 'alt="a rising line"' in text
    assert 'width="300" height="200"' in text
    assert "<figcaption>below</figcaption>" in text
    assert 'alt="below"' in Page("a").add_figure(figure, caption="below").html()
    assert (
        text
        == Page("a").add_figure(figure, caption="below", alt="a rising line", dpi=100).html()
    )
    with pytest.raises(InputError, match="needs alt="):
        page.add_figure(figure)


def test_tables_show_numbers_and_what_is_unknown():
    rows = [
        {"cell": "a", "R (MOhm)": 201.23456, "n": 3, "ok": True},
        {"cell": "b", "R (MOhm)": float("nan"), "n": None, "ok": False},
        {"cell": "c", "R (MOhm)": np.float64(1e-7)},
    ]
    expected = ["a", "201.2", "3", "True", "b", "unknown", "unknown", "False"]
    expected += ["c", "1e-07", "unknown", "unknown"]
    assert cells(Page("t").add_table(rows)) == expected
    frame = Page("t").add_table(pd.DataFrame(rows)[["cell", "R (MOhm)"]])
    assert cells(frame) == ["a", "201.2", "b", "unknown", "c", "1e-07"]
    assert cells(Page("t").add_table(rows, columns=["n", "cell"]))[:2] == ["3", "a"]
    assert cells(Page("t").add_table({"tau (ms)": 20.0})) == ["tau (ms)", "20"]
    assert 'class="number"' in Page("t").add_table(rows).html()


def test_bad_tables_and_headings_are_refused():
    with pytest.raises(InputError, match="no column 'x'; it has: a"):
        Page("t").add_table([{"a": 1}], columns=["x"])
    with pytest.raises(InputError, match="must be a DataFrame"):
        Page("t").add_table([1, 2])
    with pytest.raises(InputError, match="level of a heading must be 2 or 3"):
        Page("t").add_heading("a", level=1)


def test_text_is_cut_into_paragraphs():
    assert Reader(Page("t").add_text("one\nstill one\n\ntwo").html()).tags.count("p") == 2


def test_saving_replaces_the_old_page_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "page.html"
    Page("first").save(path)
    assert "<h1>first</h1>" in path.read_text(encoding="utf-8")
    page = Page("second")

    def fail():
        raise KeyboardInterrupt

    monkeypatch.setattr(page, "html", fail)
    with pytest.raises(FileExistsError):
        page.save(path)
    with pytest.raises(KeyboardInterrupt):
        page.save(path, overwrite=True)
    assert "<h1>first</h1>" in path.read_text(encoding="utf-8")
    assert [p.name for p in path.parent.iterdir()] == ["page.html"]


def test_the_page_of_a_relief_has_its_numbers(drawn):
    found = relief(drawn)
    page = relief_page(found, drawn)
    text = page.html()
    Reader(text)
    assert text.count("<img ") == 2
    assert "ohmic &lt;1&gt;" in text
    assert f"{found.correlation:.4g}" in cells(page)
    assert "noise ceiling unknown: one recording, no repeats" in text
