"""A plan in TOML: what it changes, and what it is told about mistakes."""

import numpy as np
import pytest
from PIL import Image

from cleo_like.core.errors import FileFormatError, InputError, UnitError, UnknownNameError
from cleo_like.sessions import CurrentCells, SessionPlan, plan_of, preset_names, read_plan

WHOLE = """
preset = "short"
seed = 7
session_type = "OPHYS_1_images_C"
[task]
duration = "3 min"
omissions = 0.1
[images]
files = ["a.png", "b.png"]
name = "C"
[animal]
mouse_id = "m1"
sex = "F"
[plane]
indicator = "jgcamp8s"
n_cells = 11
[plane.receptive_fields]
untuned = 0.5
[[planes]]
depth = "100 um"
[[planes]]
structure = "VISl"
cells = {kind = "currents", model = "rs", front = {latency = "50 ms"}}
"""


def test_every_table_is_read(tmp_path):
    for name in "ab":
        Image.fromarray(
            np.random.default_rng(ord(name)).integers(0, 255, (30, 40), dtype=np.uint8)
        ).save(tmp_path / f"{name}.png")
    (tmp_path / "plan.toml").write_text(WHOLE)
    plan = read_plan(tmp_path / "plan.toml")
    assert plan.seed == 7
    assert plan.kind == "OPHYS_1_images_C"
    assert plan.task.duration == 180
    assert plan.task.omissions == 0.1
    assert plan.images.names == ("a", "b")
    assert plan.animal.sex == "F"
    assert [p.n_cells for p in plan.planes] == [11, 11]
    assert plan.planes[0].depth == pytest.approx(100e-6)
    assert plan.planes[1].structure == "VISl"
    assert plan.planes[1].receptive_fields.untuned == 0.5
    assert isinstance(plan.planes[1].cells, CurrentCells)
    assert plan.planes[1].cells.front.latency == pytest.approx(0.05)


def test_presets_are_plans():
    for name in preset_names():
        assert repr(SessionPlan.preset(name)) == repr(plan_of({"preset": name}))
    assert [len(SessionPlan.preset(n).planes) for n in preset_names()] == [1, 1, 1, 8]
    with pytest.raises(UnknownNameError, match="did you mean 'short'"):
        SessionPlan.preset("shrt")


@pytest.mark.parametrize(("table", "text"), [
    ({"sed": 1}, "did you mean 'seed'"),
    ({"task": {"omission": 0.1}}, r"\[task\] 'omission'; did you mean 'omissions'"),
    ({"plane": {"n_cell": 3}}, "did you mean 'n_cells'"),
    ({"planes": [{"deepth": "1 um"}]}, r"\[planes 1\] 'deepth'; did you mean 'depth'"),
    ({"plane": {"cells": {"kind": "rate"}}}, "did you mean 'rates'"),
    ({"plane": {"cells": {"peek": "3 Hz"}}}, "did you mean 'peak'"),
    ({"images": {"file": []}}, "did you mean 'files'"),
    ({"preset": "short2"}, "did you mean 'short'"),
    ({"plane": {"indicator": "jgcamp8"}}, "did you mean"),
])  # fmt: skip
def test_misspelt_names_get_a_suggestion(table, text):
    with pytest.raises(UnknownNameError, match=text):
        plan_of(table)


@pytest.mark.parametrize(("table", "text"), [
    ({"task": 3}, r"\[task\] must be a table"),
    ({"planes": {}}, "list of tables"),
    ({"seed": "x"}, "seed"),
    ({"task": {"omissions": "many"}}, r"\[task\]"),
    ({"task": {"flash": "1 s"}}, r"in \[task\]: a flash must be shorter"),
    ({"preset": 3}, "name in quotes"),
    ({"images": {"files": "a.png"}}, "list of names"),
    ({"images": {"files": ["missing.png"]}}, "missing.png"),
])  # fmt: skip
def test_values_that_do_not_fit_say_where(table, text):
    with pytest.raises(InputError, match=text):
        plan_of(table)


def test_a_number_without_unit_is_refused():
    with pytest.raises(UnitError, match=r"\[task\].*no unit"):
        plan_of({"task": {"duration": 30}})


def test_files_that_are_no_plan(tmp_path):
    with pytest.raises(InputError, match="no file"):
        read_plan(tmp_path / "none.toml")
    (tmp_path / "torn.toml").write_bytes(b"seed = \xff")
    with pytest.raises(FileFormatError, match="not TOML"):
        read_plan(tmp_path / "torn.toml")
    (tmp_path / "bad.toml").write_text("seed = = 3")
    with pytest.raises(FileFormatError, match="not TOML"):
        read_plan(tmp_path / "bad.toml")
