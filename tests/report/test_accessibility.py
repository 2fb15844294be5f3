"""Pages that anybody can read: axe-core finds nothing serious, and prose fits a small screen.

axe-core is not shipped: `npm install axe-core` somewhere, and CLEO_LIKE_AXE=.../axe.min.js.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from cleo_like.report import Page
from cleo_like.report.page import Link

WIDE = """() => {
  const width = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth > width) found.push("the page");
  for (const e of document.querySelectorAll("p, li, h1, h2, h3, figcaption, .caption"))
    if (e.getBoundingClientRect().right > width + 1) found.push(e.textContent.slice(0, 40));
  return found;
}"""
RUN = """axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations
  .filter(v => ["serious", "critical"].includes(v.impact))
  .map(v => v.id + ": " + v.nodes[0].html.slice(0, 200)))"""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium")
    with playwright.sync_playwright() as p:
        started = p.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page with every part, the page of a folder, the explorer, and that of a study."""
    import cleo_like.atlas as at
    from cleo_like.report.demo.closing import groundtruth_part, provenance_part
    from cleo_like.report.explorer import explore

    folder = tmp_path_factory.mktemp("pages")
    figure = Figure(figsize=(12.5, 5))
    figure.subplots().imshow(np.eye(3))
    page = Page("A page", contents=True)
    page.add_heading("Numbers").add_text("A sentence. " * 30)
    page.add_table(
        [{f"column {k}": k / 7 for k in range(12)}], caption="A wide table", digits=2
    )
    page.add_list(["one", "two"]).add_links([Link(text="a file", href="a.abf")])
    page.add_heading("Figure").add_figure(figure, caption="Three dots.", alt="three dots")
    page.add_code("a = 1\n" + "b = " + "2 + " * 60 + "2")
    groundtruth_part(page, folder, lambda _: None, overwrite=False)
    provenance_part(page, 1, None)
    page.save(folder / "index.html")
    explore(at.simulated_atlas(), folder / "atlas.html", title="Simulated populations")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "groundtruth.html", "atlas.html"])
def test_axe_finds_nothing_serious(browser, pages, name, scheme, width):
    axe = os.environ.get("CLEO_LIKE_AXE")
    if axe is None:
        pytest.skip("CLEO_LIKE_AXE does not name axe.min.js")
    size = {"width": width, "height": 900}
    page = browser.new_context(color_scheme=scheme, viewport=size).new_page()
    page.goto((pages / name).as_uri())
    page.evaluate(Path(axe).read_text("utf-8"))
    assert page.evaluate(RUN) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index.html", "groundtruth.html"])
def test_prose_fits_a_small_screen(browser, pages, name):
    page = browser.new_context(viewport={"width": 400, "height": 800}).new_page()
    page.goto((pages / name).as_uri())
    assert page.evaluate(WIDE) == []


def test_a_sentence_in_a_table_is_not_narrower_than_a_phone():
    row = {"name": "tau", "meaning": "a sentence of more than thirty letters", "value": 1.0}
    text = Page("t").add_table([row, {"value": None}]).html()
    assert 'class="long">a sentence' in text
    assert 'class="long">tau' not in text
    assert 'class="unknown number">' in text


def test_nothing_is_minus_nothing():
    text = Page("t").add_table([{"error": -0.0}, {"error": -0.04}, {"error": -0.06}], digits=1)
    assert ">0.0<" in text.html()
    assert ">-0.0<" not in text.html()
    assert ">-0.1<" in text.html()


def test_contents_lead_to_the_sections():
    page = Page("t", contents=True).add_heading("One").add_heading("part", level=3)
    text = page.add_heading("Two").html()
    assert text.count('<li><a href="#') == 2
    assert 'href="#one-1"' in text
    assert 'id="one-1"' in text
    assert "<nav" not in Page("t").add_heading("One").html()


def test_digits_are_fixed_where_asked_for():
    rows = [{"a": 1.0, "b": 2}, {"a": 22.46, "b": None}]
    text = Page("t").add_table(rows, digits=1).html()
    assert ">1.0<" in text
    assert ">22.5<" in text
    assert ">2<" in text
    assert ">1<" in Page("t").add_table(rows).html()


def test_code_stays_as_it_is():
    assert "if a &lt; b:\n    c()</code>" in Page("t").add_code("if a < b:\n    c()").html()
