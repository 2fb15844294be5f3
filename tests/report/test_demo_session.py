"""The session part of the demonstration adds its figure to the page."""

from cleo_like.report.demo.session import session_part
from cleo_like.report.page import Page


def test_a_short_session_is_on_the_page(tmp_path):
    page, said = Page("demo"), []
    session_part(page, 1, said.append)
    page.save(tmp_path / "index.html")
    text = (tmp_path / "index.html").read_text("utf-8")
    assert "A session of flashed pictures" in text
    assert "data:image/" in text
    assert "160 flashes" in said[-1]
