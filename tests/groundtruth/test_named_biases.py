"""Biases that were measured elsewhere, found again by the whole study."""

import pytest

from cleo_like.groundtruth import parse_cases, run_study

pytestmark = pytest.mark.slow

PLAN = """
seeds = 4
[[block]]
name = "one step"
conditions = ["noise"]
fixed = { cell = "passive", protocol = "one_step" }
[block.factors]
noise = [0.1, 0.3, 1]

[[block]]
name = "access"
seeds = 1
conditions = ["access_error"]
fixed = { cell = "passive" }
[block.factors]
access_error = [0, 10, 20]

[[block]]
name = "sag"
seeds = 2
conditions = ["noise"]
fixed = { cell = "sag" }
[block.factors]
noise = [0, 1]
"""


@pytest.fixture(scope="module")
def bias(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    methods = ["native", "compat", "efel"]
    study = run_study(parse_cases(PLAN), methods, folder=folder, progress=False)
    rows = study.scores[study.scores["reference"] != "400 kHz"]
    rows = rows.set_index(["block", "condition", "extractor", "feature"])
    return lambda *key: float(rows.loc[key, "bias"])


@pytest.mark.parametrize(("noise", "value"), [("0.1", 221), ("0.3", 262), ("1", 406)])
def test_one_small_step_gives_ipfx_the_minimum_of_the_noise(bias, noise, value):
    found = 200 + bias("one step", f"noise {noise}", "compat", "input_resistance")
    assert found == pytest.approx(value, rel=0.06)
    assert abs(bias("one step", f"noise {noise}", "native", "input_resistance")) < 3


@pytest.mark.parametrize("error", [10, 20])
def test_the_bridge_adds_its_error(bias, error):
    found = bias("access", f"access_error {error}", "efel", "input_resistance")
    assert found == pytest.approx(error, abs=0.3)


def test_efel_takes_the_minimum_of_the_noise_for_sag(bias):
    assert abs(bias("sag", "noise 0", "efel", "sag")) < 0.005
    assert 0.04 < bias("sag", "noise 1", "efel", "sag") < 0.15
    assert abs(bias("sag", "noise 1", "native", "sag")) < 0.01
