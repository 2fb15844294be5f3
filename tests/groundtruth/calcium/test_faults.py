"""Methods with one planted fault each: it shows in its own column and nowhere else."""

import os

import numpy as np
import pytest

from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.groundtruth import Method, parse_cases, run_study
from cleo_like.groundtruth.calcium.methods import calcium_function, read_answer
from cleo_like.groundtruth.calcium.tables import BEST, MEANS, SCORES
from cleo_like.groundtruth.store import Store

TEXT = """
modality = "calcium"
seeds = 2
[[block]]
name = "small"
[block.fixed]
cells = 5
duration = 40
frame_rate = 20
[block.factors]
indicator = ["gcamp6f", "jgcamp8m"]
"""


def perfect(dff, rate, known, truth):
    return {
        "rate": truth.counts * rate, "events": truth.counts.astype(float),
        "noise": np.array(truth.noise_sd),
    }  # fmt: skip


def late(*given):
    found = perfect(*given)
    moved = {k: np.pad(found[k], ((0, 0), (1, 0)))[:, :-1] for k in ("rate", "events")}
    moved["events"][:, -1] += found["events"][:, -1]  # which has no later frame
    return found | moved


def constant(*given):
    found = perfect(*given)
    return found | {"rate": np.full_like(found["rate"], 0.7)}


def some_nan(*given):
    found = perfect(*given)
    found["rate"] = found["rate"].astype(float)
    found["rate"][0, 17] = np.nan
    return found


def wrong_unit(*given):
    found = perfect(*given)
    return found | {"rate": found["rate"] / 1000}


def wrong_noise(*given):
    found = perfect(*given)
    return found | {"noise": 2 * found["noise"]}


def one_event_too_many(*given):
    found = perfect(*given)
    for row, counts in enumerate(found["events"]):
        gaps = np.diff(np.flatnonzero(counts))
        at = np.flatnonzero(counts)[gaps.argmax()] + gaps.max() // 2
        found["events"][row, at] = 1.0
    return found


def half_of_the_events(*given):
    found = perfect(*given)
    found["events"][:, found["events"].shape[1] // 2 :] = 0
    return found


def raises(*_):
    raise ValueError("no")


def prints(*given):
    print("look at me")  # noqa: T201
    return perfect(*given)


def exits(*_):
    os._exit(3)


FAULTS = {
    late: {"lag"},
    constant: {"constant"},
    some_nan: {"missing"},
    wrong_unit: {"unit"},
    wrong_noise: {"noise"},
    one_event_too_many: {"false events"},
    half_of_the_events: {"missed events"},
    raises: {"failed", "missing"},
    prints: {"printed"},
    exits: {"crashed", "missing"},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    methods = [
        Method(name=f.__name__, run=f, knows_truth=True, read=read_answer, isolated=f is exits)
        for f in FAULTS
    ]
    found = run_study(parse_cases(TEXT), ["truth", *methods], folder=folder, progress=False)
    return found, folder


def test_the_perfect_method_scores_one_everywhere(study):
    rows = study[0].scores[study[0].scores["extractor"] == "truth"]
    assert set(rows["score"]) == set(SCORES)
    for row in rows.itertuples():
        assert row.value == pytest.approx(BEST[row.score], abs=1e-9), row.score
        assert row.low == pytest.approx(row.value)
    assert "truth" not in set(study[0].findings["extractor"])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_each_fault_shows_in_its_own_column(study, fault):
    rows = study[0].findings[study[0].findings["extractor"] == fault.__name__]
    assert set(rows["column"]) == FAULTS[fault]
    assert rows["where"].nunique() == 2  # both indicators


def test_nan_and_failure_are_never_right(study):
    table = study[0].scores.set_index(["extractor", "score"])["value"]
    for name in ("raises", "exits", "constant"):
        assert all(table.loc[(name, s)].eq(0).all() for s in MEANS if s.startswith("corr"))
    for score in MEANS:
        if score.startswith("corr"):
            assert table.loc[("some_nan", score)].to_numpy() == pytest.approx(0.8, abs=1e-6)


def test_nothing_runs_again_and_a_new_method_runs_alone(study):
    found, folder = study
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*.json")}
    store, case = Store(folder), found.plan.cases[0]
    recorded = store.recording_file(case).stat().st_mtime_ns

    def mine(dff, rate):
        return np.maximum(dff, 0)

    again = run_study(found.plan, ["truth", calcium_function(mine)], folder=folder,
                      progress=False)  # fmt: skip
    after = {p: p.stat().st_mtime_ns for p in folder.rglob("*.json")}
    assert all(after[p] == t for p, t in before.items())
    assert len(after) == len(before) + len(found.plan.cases)
    assert store.recording_file(case).stat().st_mtime_ns == recorded
    same = again.scores[again.scores["extractor"] == "truth"].reset_index(drop=True)
    old = found.scores[found.scores["extractor"] == "truth"].reset_index(drop=True)
    assert same.equals(old)
    assert set(again.recommendations["best"]) == {"mine"}


def test_two_of_one_name_and_patch_extractors_are_refused(tmp_path):
    plan = parse_cases(TEXT)
    with pytest.raises(InputError, match="same name"):
        run_study(plan, ["dff", "dff"], folder=tmp_path, progress=False)
    with pytest.raises(UnknownNameError, match="unknown method 'native'"):
        run_study(plan, ["native"], folder=tmp_path, progress=False)
    assert not list(tmp_path.iterdir())
