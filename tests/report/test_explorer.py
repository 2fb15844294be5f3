"""The explorer: what is in the page, and what a browser makes of it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import shutil
from importlib import resources

import numpy as np
import pandas as pd
import pytest

from cleo_like.atlas import build
from cleo_like.core.errors import ExistingFileError
from cleo_like.report.explorer import explore
from cleo_like.report.explorer.data import MISSING, packed, thumbnail
from tests.atlas.conftest import FEATURES, lab_of

EVIL = "</script><script>document.title='evil'</script>"


@pytest.fixture
def atlas(rng):
    cells = lab_of(rng, "first", {"Pvalb": 60, "Sst": 60, "IT": 60})
    cells.loc[3, "tau"] = np.nan
    cells.loc[5, "cell_id"] = EVIL
    cells["region"] = ['" onload="alert(1)'] * 90 + ["VISp"] * 90
    cells["dandiset"] = "000020"
    return build(cells, label="subclass", embedding="pca", lab="lab")


def told_of(page):
    return json.loads(re.search(r'id="told">(.*?)</script>', page).group(1))


def test_the_page_holds_everything_and_escapes_it(atlas, tmp_path):
    page = explore(atlas, tmp_path / "m.html").read_text("utf-8")
    assert EVIL not in page
    told = told_of(page)
    assert told["n"] == 180
    assert told["hash"] == atlas.hash
    assert [f["missing"] for f in told["features"] if f["name"] == "tau"] == [1]
    assert not re.search(r'(src|href)="(https?:)?//', page)
    with pytest.raises(ExistingFileError):
        explore(atlas, tmp_path / "m.html")
    title = explore(atlas, tmp_path / "t.html", title="<b>x</b>").read_text("utf-8")
    assert "<title>&lt;b&gt;x&lt;/b&gt;</title>" in title


def test_values_come_back_from_the_bytes(atlas):
    made = packed(atlas, None, ())
    blob = gzip.decompress(base64.b64decode(made.packed))
    where, size = made.told["parts"]["features"]
    ints = np.frombuffer(blob, "<i2", size, where).reshape(len(atlas.features), -1)
    for k, f in enumerate(made.told["features"]):
        value = f["low"] + (ints[k] + 2048) / 4095 * (f["high"] - f["low"])
        value = 10**value if f["log"] else value
        good = ints[k] != MISSING
        np.testing.assert_allclose(value[good], atlas.values[good, k], rtol=2e-3)
        assert np.isnan(atlas.values[~good, k]).all()
    assert packed(atlas, None, ()).packed == made.packed


def read_csv(page):
    text = page.evaluate("explorer.csv()")
    head = [line for line in text.splitlines() if line.startswith("# ")]
    return pd.read_csv(io.StringIO(text), skiprows=len(head), dtype={"dandiset": str}), head


@pytest.mark.slow
def test_the_csv_has_the_values_of_the_table_and_all_its_citations(rng, tmp_path, browser):
    cells = lab_of(rng, "first", {"Pvalb": 30, "Sst": 30})
    cells["dandiset"] = [f"{k // 4:06d}" for k in range(60)]
    cells["citation"] = [f"Author {k // 2}, a title" for k in range(60)]  # two of each dandiset
    cells.loc[3, "tau"] = np.nan
    atlas = build(cells, label="subclass", embedding="pca", lab="lab")
    log: list[str] = []
    page = opened(browser, explore(atlas, tmp_path / "m.html"), log)
    told, head = read_csv(page)
    np.testing.assert_array_equal(told[list(atlas.features)], atlas.values)  # to the last bit
    assert told["cell_id"].tolist() == cells["cell_id"].tolist()
    assert told["dandiset"].tolist() == cells["dandiset"].tolist()
    page.evaluate("explorer.lassoed([0, 59])")
    page.wait_for_function("explorer.shown().length === 2")
    told, head = read_csv(page)
    cites = [line for line in head if line.startswith("# cite")]
    assert cites == [
        "# cite DANDI:000000: Author 0, a title | Author 1, a title",
        "# cite DANDI:000014: Author 28, a title | Author 29, a title",
    ]
    assert told["cell_id"].tolist() == [cells["cell_id"][0], cells["cell_id"][59]]
    assert log == []


@pytest.mark.slow
def test_the_csv_of_a_large_map(rng, tmp_path, browser):
    """Above 100,000 values to a millionth of the range; columns and labs with many words."""
    n = 18_000
    cells = lab_of(rng, "first", {"Pvalb": n // 2, "Sst": n // 2})
    more = {"rheobase_i": rng.lognormal(4, 0.5, n), "latency": rng.lognormal(-2, 0.5, n)}
    cells = cells.assign(**more, lab=[f"lab {k % 500}" for k in range(n)])
    atlas = build(cells, features=[*FEATURES, *more], harmonise="none", embedding="pca")
    log: list[str] = []
    page = opened(browser, explore(atlas, tmp_path / "m.html"), log, "#canvas")
    told, head = read_csv(page)
    assert sum(line.startswith("# cite lab ") for line in head) == 500
    assert "# columns of the map that are not in the page: lab, donor" in head
    for k, name in enumerate(atlas.features):
        # six digits (5e-6), and 20 bits of the range
        np.testing.assert_allclose(told[name], atlas.values[:, k], rtol=8e-6)
    assert log == []


def test_thumbnails_keep_spikes():
    trace = np.full(20000, -70.0)
    trace[7000] = 30
    small = thumbnail(trace)
    assert (small.max(), small.min(), small.size) == (127, -127, 128)
    assert thumbnail(np.full(9, 3.0)).tolist() == [0] * 128
    assert set(thumbnail(np.array([np.nan, 1.0]))) == {-128}


def test_the_vendored_script_is_the_one_that_was_built():
    assets = resources.files("cleo_like.report.explorer") / "assets"
    script = (assets / "regl-scatterplot.js").read_bytes()
    digest = "ae19ac7a9f21432c889aeb604016f2eb4c28856fab2d1c8888c675e00fffa961"
    assert hashlib.sha256(script).hexdigest() == digest
    assert "MIT" in (assets / "LICENSE-regl-scatterplot.txt").read_text("utf-8")


@pytest.fixture
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium")
    options = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with playwright.sync_playwright() as p:
        started = p.chromium.launch(executable_path=chromium, args=options)
        yield started
        started.close()


def opened(browser, path, log, fragment=""):
    page = browser.new_context(offline=True, viewport={"width": 1300, "height": 900}).new_page()
    page.on("console", lambda m: log.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: log.append(str(e)))
    page.on(
        "request",
        lambda r: (
            log.append(r.url) if not r.url.startswith(("file:", "blob:", "data:")) else None
        ),
    )
    page.goto(f"file://{path}{fragment}")
    page.wait_for_function("document.documentElement.dataset.ready", timeout=60_000)
    return page


@pytest.mark.slow
@pytest.mark.parametrize("fragment", ["", "#canvas"])
def test_in_a_browser_without_a_network(atlas, tmp_path, browser, fragment):
    path = explore(atlas, tmp_path / "m.html")
    log: list[str] = []
    page = opened(browser, path, log, fragment)
    assert page.evaluate("document.documentElement.dataset.ready") == (
        "canvas" if fragment else "webgl"
    )
    assert page.title().startswith("Atlas")
    # a range by its fields (keyboard), and what remains
    page.select_option("#range", label="tau (s)")
    page.fill("#ranges input >> nth=1", "0.01")
    page.keyboard.press("Tab")
    page.wait_for_function("explorer.shown().length < 180")
    expected = int((atlas.values[:, list(atlas.features).index("tau")] <= 0.01).sum())
    assert abs(page.evaluate("explorer.shown().length") - expected) <= 1
    page.click("#clear")
    page.wait_for_function("explorer.shown().length === 180")
    # brushing an axis filters the map
    box = page.locator("#axes").bounding_box()
    x = box["x"] + box["width"] / 8
    page.mouse.move(x, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(x, box["y"] + 110, steps=4)
    page.mouse.up()
    page.wait_for_function("explorer.shown().length < 180")
    assert page.evaluate("explorer.ranges.size") == 1
    page.click("#clear")
    # a lasso filters axes, table and CSV
    page.evaluate("explorer.lassoed([1, 2, 3])")
    page.wait_for_function("document.querySelectorAll('#rows tr').length === 3")
    csv = page.evaluate("explorer.csv()").splitlines()
    assert csv[0].startswith("# 3 of 180 cells")
    assert any(line.startswith("# cite DANDI:000020") for line in csv)
    assert sum(not line.startswith("#") for line in csv) == 4
    page.click("#clear")
    # neighbours, as the map has them
    page.evaluate("explorer.look(0)")
    near = page.evaluate("explorer.neighbours(0).map(n => n[0])")
    _, index = atlas.neighbours.nearest(atlas.scaled[:1], 16)
    assert len(set(near) & set(index[0])) >= 12
    # markup in names stays text
    page.evaluate("explorer.look(5)")
    assert page.inner_text("#cell-title") == EVIL
    assert page.locator("[onload]").count() == 0
    # missing is said
    page.evaluate("explorer.look(3)")
    assert page.locator("#facts .missing").first.inner_text() == "missing"
    # the keyboard alone: into the map, from cell to cell, colour, theme
    page.focus("#scatter")
    before = page.evaluate("explorer.looked()")
    went = set()
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
        went.add(page.evaluate("explorer.looked()"))
    assert went - {before}
    page.focus("#theme")
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert log == []


CONTRAST = """() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const back = e => { while (e) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)|transparent/.test(c)) return c; e = e.parentElement; } return 'rgb(255,255,255)'; };
  const bad = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || ['SCRIPT', 'STYLE'].includes(e.tagName)) continue;
    const a = light(getComputedStyle(e).color), b = light(back(e));
    if ((Math.max(a, b) + .05) / (Math.min(a, b) + .05) < 4.5) bad.push(e.tagName + ' ' + e.textContent.slice(0, 30));
  }
  const unnamed = [...document.querySelectorAll('button, select, input, canvas[role]')].filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length));
  return [bad, unnamed.map(e => e.outerHTML.slice(0, 80))];
}"""


@pytest.mark.slow
def test_contrast_and_names(atlas, tmp_path, browser):
    page = opened(browser, explore(atlas, tmp_path / "m.html"), [])
    page.evaluate("explorer.look(3)")
    page.select_option("#range", label="tau (s)")
    for _ in range(2):
        assert page.evaluate(CONTRAST) == [[], []]
        page.click("#theme")
        page.wait_for_timeout(200)


@pytest.mark.slow
def test_size_of_ten_thousand_cells(rng):
    cells = pd.concat([lab_of(rng, "first", {"Pvalb": 1000, "Sst": 1000})], ignore_index=True)
    atlas = build(cells, label="subclass", embedding="pca")
    traces = {c: [rng.normal(size=200).cumsum() for _ in range(3)] for c in cells["cell_id"]}
    made = packed(atlas, traces, ("a", "b", "c"))
    assert len(made.packed) / len(cells) * 10_000 < 6.1e6
