"""The scorer against extractors whose faults are planted."""

import numpy as np
import pytest

from cleo_like.core.errors import InputError
from cleo_like.features.registry import Extracted
from cleo_like.groundtruth import Method, run_study
from cleo_like.groundtruth.extractors.method import method_named, perfect
from cleo_like.groundtruth.scores.bootstrap import median_interval, ratio_interval
from cleo_like.groundtruth.scores.features import wrong_unit
from cleo_like.groundtruth.scores.spikes import paired, ratios, spike_scores
from cleo_like.groundtruth.truth.exact import RATE
from tests.groundtruth.conftest import truth_with


def method(name, change, **more):
    """The perfect extractor with a change."""

    def run(stack, step, truth):
        found = perfect(stack, step, truth)
        parts = [dict(found.values), dict(found.spikes), dict(found.sweeps)]
        change(*parts)
        return Extracted(values=parts[0], spikes=parts[1], sweeps=parts[2])

    return Method(name=name, run=run, knows_truth=True, isolated=False, **more)


def resampled(values, spikes, sweeps):
    """10 kHz: slopes are chords, times are multiples of 0.1 ms."""
    spikes["upstroke"] = spikes["upstroke"] * 0.85


def swapped_sag(values, spikes, sweeps):
    values["sag"] = 1 - values["sag"]


def minimum(values, spikes, sweeps):
    values["v_baseline"] -= 3.0


def one_too_many(values, spikes, sweeps):
    for name, column in spikes.items():
        spikes[name] = np.append(column, column[-1])
    spikes["peak_t"] = spikes["peak_t"].copy()
    spikes["peak_t"][-1] += 0.02


def some_missing(values, spikes, sweeps):
    spikes["width"] = spikes["width"].copy()
    spikes["width"][0] = np.nan


FAULTS = {
    resampled: {("bias", "upstroke"), ("wrong", "upstroke")},
    swapped_sag: {("bias", "sag"), ("wrong", "sag")},
    minimum: {("bias", "v_baseline"), ("wrong", "v_baseline")},
    one_too_many: {("false spikes", "spikes")},
    some_missing: {("missing", "width")},
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_a_fault_shows_in_its_own_column_and_nowhere_else(made, fault):
    folder, plan = made
    right = method("right", lambda *_: None)
    study = run_study(plan, [method("toy", fault), right], folder=folder, progress=False)
    found = study.findings
    toy = found[found["extractor"] == "toy"]
    assert set(zip(toy["column"], toy["feature"], strict=True)) == FAULTS[fault]
    assert not (found["extractor"] == "right").any()


def test_all_five_faults_at_once(made):
    folder, plan = made

    def all_of_them(*parts):
        for fault in FAULTS:
            fault(*parts)

    toy = method("toy", all_of_them)
    study = run_study(
        plan, [toy, method("right", lambda *_: None)], folder=folder, progress=False
    )
    found = study.findings[study.findings["extractor"] == "toy"]
    expected = set().union(*FAULTS.values())
    assert set(zip(found["column"], found["feature"], strict=True)) == expected


def test_a_perfect_extractor_scores_1(made):
    folder, plan = made
    study = run_study(plan, ["truth"], folder=folder, progress=False)
    assert (
        study.spikes[["precision_1ms", "recall_1ms", "f1_1ms", "f1_0.2ms", "coincidence"]] == 1
    ).all(axis=None)
    assert (study.spikes["time_error"] == 0).all()
    assert (study.scores["bias"] == 0).all()
    assert (study.scores[["missing", "wrong", "error", "spread"]] == 0).all(axis=None)
    assert study.findings.empty


def test_one_that_answers_nan_is_never_right(made):
    folder, plan = made

    def nothing(values, spikes, sweeps):
        for part in (values, spikes, sweeps):
            for name in part:
                part[name] = part[name] * np.nan if name != "sweep" else part[name]

    empty = method("nan", nothing)
    study = run_study(plan, [empty, "truth"], folder=folder, progress=False)
    rows = study.scores[study.scores["extractor"] == "nan"]
    assert rows["bias"].isna().all()
    assert (rows["missing"] == 1).all()
    spikes = study.spikes[study.spikes["extractor"] == "nan"]
    assert (spikes["f1_1ms"] == 0).all()
    assert "nan" not in set(study.recommendations.get("extractor", []))


def test_another_definition_is_never_wrong(made):
    folder, plan = made

    def half(values, spikes, sweeps):
        spikes["width"] = spikes["width"] * 0.5

    other = method("other", half, definitions={"width": "at a quarter of the height"})
    study = run_study(plan, [other, "truth"], folder=folder, progress=False)
    rows = study.scores[
        (study.scores["extractor"] == "other") & (study.scores["feature"] == "width")
    ]
    assert set(rows["definition"]) == {"at a quarter of the height"}
    assert not (rows["wrong"] > 0).any()
    found = study.findings
    assert not ((found["extractor"] == "other") & (found["feature"] == "width")).any()


def test_same_numbers_again_and_a_new_extractor_is_the_only_one_that_runs(made):
    folder, plan = made
    calls = {"first": 0, "second": 0}

    def counted(name):
        def change(*_):
            calls[name] += 1

        return method(name, change)

    once = run_study(plan, [counted("first")], folder=folder, progress=False)
    twice = run_study(
        plan, [counted("first"), counted("second")], folder=folder, progress=False
    )
    assert calls == {"first": 4, "second": 4}
    old = twice.scores[twice.scores["extractor"] == "first"]
    drop = ["wrong", "limit"]  # these compare extractors
    assert once.scores.drop(columns=drop).equals(old.drop(columns=drop).reset_index(drop=True))


def test_a_killed_run_goes_on_where_it_was(made):
    folder, plan = made
    calls = []

    def dies(*_):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(plan, [method("m", dies)], folder=folder, progress=False)
    run_study(plan, [method("m", lambda *_: calls.append(1))], folder=folder, progress=False)
    assert len(calls) == 3 + 2  # two were kept


def test_two_of_one_name(made):
    folder, plan = made
    with pytest.raises(InputError, match="same name: truth, truth"):
        run_study(plan, ["truth", "truth"], folder=folder, progress=False)


def test_millimetres_for_metres():
    assert wrong_unit(np.array([200.0, 180.0]), np.array([2e8, 1.8e8])).startswith("1e6")
    assert wrong_unit(np.array([200.0, 180.0]), np.array([2e8, 180.0])) == ""


@pytest.mark.parametrize(("shift", "hits"), [(0.99e-3, 1), (1.01e-3, 0)])
def test_a_spike_counts_up_to_1_ms(shift, hits):
    one = np.array([1.0])
    assert paired(one, np.array([0.3]), one, np.array([0.3 + shift]), 1e-3)[0].size == hits


def test_pairs_are_one_to_one_and_within_a_sweep():
    true_sweep, true_time = np.array([0, 0, 1]), np.array([0.1, 0.2, 0.1])
    sweep, time = np.array([0, 0, 1, 1]), np.array([0.1001, 0.1002, 0.2, 0.1])
    a, b = paired(true_sweep, true_time, sweep, time, 1e-3)
    assert sorted(zip(a.tolist(), b.tolist(), strict=True)) == [(0, 0), (2, 3)]


def test_spikes_beside_the_step_are_neither_right_nor_wrong():
    truth = truth_with((0.3, 0.35, 0.75))
    truth.times["inside"][2] = False
    found = {k: v for k, v in truth.shapes[RATE].items() if k in {"sweep", "peak_t"}}
    scores = spike_scores(truth, found, 3)
    assert ratios(scores["hits_1ms"], scores["false_1ms"], scores["missed_1ms"]) == (1, 1, 1)
    assert scores["true"] == 2


def test_coincidence_of_chance_is_none():
    rng = np.random.default_rng(4)
    times = np.sort(rng.uniform(0.2, 0.7, 8))
    truth = truth_with(times)
    drawn = [
        spike_scores(truth, {"sweep": np.full(8, 2), "peak_t": rng.uniform(0.2, 0.7, 8)}, 3)
        for _ in range(200)
    ]
    mean = np.mean([d["coincidence"] for d in drawn])
    assert abs(mean) < 0.03


def test_intervals_know_that_cells_are_few():
    rng = np.random.default_rng(5)
    values = np.repeat([0.0, 10.0], 50) + rng.standard_normal(100)
    cells, seeds = np.repeat(["a", "b"], 50), np.tile(np.arange(50), 2)
    _, low, high = median_interval(values, cells, seeds)
    assert low < 1
    assert high > 9  # two cells: the next may be like either
    alone = median_interval(values[:50], cells[:50], seeds[:50])
    assert alone[2] - alone[1] < 1.5
    assert ratio_interval(np.zeros(3), np.zeros(3), cells[:3], seeds[:3])[0] != 0


def test_the_package_gives_the_perfect_one_by_name():
    assert method_named("truth").knows_truth
