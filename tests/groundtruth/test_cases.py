"""Cases files, designs, and what wrong input says."""

import numpy as np
import pytest

from cleo_like.core.errors import FileFormatError, InputError, UnknownNameError
from cleo_like.groundtruth import load_cases, parse_cases
from cleo_like.groundtruth.cases.design import full, model_matrix, screening

BLOCK = "[[block]]\nname = 'b'\n"


def test_the_shipped_studies():
    quick = load_cases("quick")
    assert len({c.key for c in quick.cases}) <= 300
    screen = next(b for b in quick.blocks if b.name == "screen")
    assert screen.design.estimable
    assert screen.design.efficiency > 0.9
    assert len(quick.cases) == len(load_cases("quick").cases)
    assert [c.key for c in quick.cases] == [c.key for c in load_cases("quick").cases]


@pytest.mark.slow
def test_the_full_study_has_eight_seeds_and_every_kind_of_cell():
    plan = load_cases("full")
    assert min(len({c.seed for c in b.cases}) for b in plan.blocks) >= 8
    cells = {str(c.factors["cell"]) for c in plan.cases}
    assert cells >= {
        "passive", "rs", "broad_rs", "narrow_fs", "long_latency", "stuttering", "lts", "sag",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("levels", "runs", "least"),
    [([2] * 11, 12, 0.9), ([2] * 8, 12, 0.93), ([3] * 4, 9, 0.97), ([2] * 3, 4, 0.99)],
)
def test_designs_that_are_known_to_exist_are_found(levels, runs, least):
    """Plackett-Burman 12 (full: a local optimum is near), L9, the half fraction."""
    found = screening(levels, runs, seed=3)
    assert found.efficiency > least
    assert found.efficiency <= 1 + 1e-9
    assert found.estimable


def test_effects_come_back_from_a_screening_design():
    levels = [4, 2, 3, 3, 2]
    design = screening(levels, 24, seed=1)
    x = model_matrix(design.runs, levels)
    effects = np.arange(x.shape[1]) - 3.0
    solved, *_ = np.linalg.lstsq(x, x @ effects, rcond=None)
    np.testing.assert_allclose(solved, effects, atol=1e-9)


def test_too_few_runs():
    with pytest.raises(InputError, match="needs runs = 6 or more, got 5"):
        screening([4, 3], 5)
    assert len(screening([4, 3], 6).runs) == 6
    assert len(full([4, 3]).runs) == 12


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("[[block", FileFormatError, "no TOML"),
        ("title = 'x'", InputError, r"no \[\[block\]\]"),
        (BLOCK + "[block.factors]\nnoize = [1]", UnknownNameError, "noize.*noise"),
        (BLOCK + "[block.factors]\ncell = ['rss']", UnknownNameError, "rss.*rs"),
        (BLOCK + "[block.factors]\nnoise = 1", InputError, "list of levels"),
        (BLOCK + "[block.factors]\nnoise = [-1]", InputError, "0 to 10 mV"),
        (BLOCK + "[block.factors]\nnoise = ['1 mV']", InputError, "a number in mV"),
        (BLOCK + "[block.factors]\nmember = [0.5]", InputError, "whole number"),
        (BLOCK + "seeds = 0", InputError, "1 or more"),
        (BLOCK + "sedes = 1", UnknownNameError, "sedes.*seeds"),
        (BLOCK + "design = 'orthogonal'", UnknownNameError, "orthogonal"),
        (BLOCK + "conditions = ['rate']", UnknownNameError, "rate"),
        (BLOCK + "together = {rate = 1}", InputError, "list of tables"),
        (BLOCK + BLOCK, InputError, "same name"),
        ("modality = 'imaging'\n" + BLOCK, InputError, 'write modality = "patch"'),
    ],
)
def test_wrong_files(text, error, said):
    with pytest.raises(error, match=said):
        parse_cases(text)


def test_no_file(tmp_path):
    with pytest.raises(FileFormatError, match=r"no cases file.*quick, full"):
        load_cases(tmp_path / "none.toml")


def test_the_key_knows_all_factors_and_the_seed():
    two = parse_cases(BLOCK + "seeds = 2\n[block.factors]\nnoise = [0, 1]")
    assert len({c.key for c in two.cases}) == 4
    assert len({c.cell_key for c in two.cases}) == 1  # the rig does not touch the cell
    other = parse_cases("seed = 2\n" + BLOCK)
    assert other.cases[0].key != parse_cases(BLOCK).cases[0].key


def test_factors_that_change_together():
    plan = parse_cases(BLOCK + "together = [{rate = 50, filter = 10}, {rate = 20, filter = 5}]")
    assert [(c.number("rate"), c.number("filter")) for c in plan.cases[::2]] == [
        (50, 10),
        (20, 5),
    ]
