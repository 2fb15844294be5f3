"""Packages that offer readers and extractors: one that is broken does not break the rest."""

from importlib import metadata

import pytest

from cleo_like.core import plugins
from cleo_like.core.plugins import PluginWarning, loaded


class Point:
    def __init__(self, name, thing):
        self.name, self.thing, self.loads = name, thing, 0

    def load(self):
        self.loads += 1
        if isinstance(self.thing, Exception):
            raise self.thing
        return self.thing


@pytest.fixture
def offer(monkeypatch):
    monkeypatch.setattr(plugins, "_broken", set())

    def set_points(*points):
        monkeypatch.setattr(metadata, "entry_points", lambda *, group: list(points))

    return set_points


@pytest.mark.parametrize(
    "error",
    [ImportError("No module named foo"), SyntaxError("bad"), NameError("x"), KeyError("k")],
)
def test_a_broken_one_is_one_warning(offer, error, recwarn):
    bad = Point("bad", error)
    offer(bad, Point("good", 5))
    assert loaded("group", int) == [5]
    assert loaded("group", int) == [5]
    assert bad.loads == 1
    (warning,) = recwarn
    assert warning.category is PluginWarning
    assert "'bad' of another package (group) does not work" in str(warning.message)


def test_one_of_another_kind_is_left_out(offer):
    offer(Point("text", "five"))
    with pytest.warns(PluginWarning, match="it is a str, not a int"):
        assert loaded("group", int) == []
