"""`extract`: one table however it is run, resumed, or interrupted."""

from __future__ import annotations

import importlib
import os
import re
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import attrs
import numpy as np
import pandas as pd
import pytest
import quantities as pq

from cleo_like import Cell, Provenance, Recording, Sweep
from cleo_like.core.arrays import read_only
from cleo_like.core.errors import InputError, UnknownNameError, UnsupportedError
from cleo_like.features import registry
from cleo_like.features.extract import extract
from cleo_like.features.parameters import ATLAS, DEFAULT
from cleo_like.features.registry import Extracted, cell_features
from cleo_like.features.table import FeatureTable

# the package has a function of the same name
module = importlib.import_module("cleo_like.features.tasks.runner")


@lru_cache
def commanded(sweeps: int, rate: float) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Time (s), and steps of -60, -40 ... pA (A) from 0.2 to 0.6 s, shared by all cells."""
    t = np.arange(round(0.9 * rate)) / rate
    on = (t >= 0.2) & (t < 0.6)
    return t, tuple(read_only((-60.0 + 20.0 * k) * 1e-12 * on) for k in range(sweeps))


def simulated(k: int, *, sweeps: int = 6, rate: float = 20e3) -> Recording:
    """Make one cheap cell: resistance, time constant and spike times depend on k alone."""
    rng = np.random.default_rng(k)
    t, commands = commanded(sweeps, rate)
    on = (t >= 0.2) & (t < 0.6)
    resistance, tau = rng.uniform(80, 300), rng.uniform(0.01, 0.03)
    rise = np.where(on, 1 - np.exp(-(t - 0.2) / tau), 0.0)
    made = []
    for number in range(sweeps):
        amplitude = -60.0 + 20.0 * number
        v = -70 + 1e-3 * resistance * amplitude * rise + rng.normal(size=t.size) * 0.05
        for s in 0.25 + np.arange(max(0, number - 3)) * 0.3 / sweeps:
            v += 95 * np.exp(-0.5 * ((t - s) / 4e-4) ** 2)
        made.append(
            Sweep(response=v * 1e-3, command=commands[number], rate=rate, number=number)
        )
    return Recording(
        sweeps=made,
        cell=Cell(id=f"cell{k}"),
        provenance=Provenance(source="simulation", seed=k),
    )


def assert_same(a: FeatureTable, b: FeatureTable) -> None:
    pd.testing.assert_frame_equal(a.frame, b.frame, check_exact=True)
    pd.testing.assert_frame_equal(a.reasons, b.reasons)


@pytest.fixture(scope="module")
def cells() -> list[Recording]:
    return [simulated(k) for k in range(6)]


@pytest.fixture(scope="module")
def table(cells) -> FeatureTable:
    return extract(cells, progress=False)


def test_one_row_per_cell(cells, table):
    assert table["cell_id"].tolist() == [c.cell.id for c in cells]
    assert set(table["status"]) == {"ok"}
    assert table["sweeps_used"].tolist() == ["0-5"] * 6
    truth = [np.random.default_rng(k).uniform(80, 300) for k in range(6)]
    np.testing.assert_allclose(table["steady_state_input_resistance"], truth, rtol=0.01)
    assert table["rheobase_i"].tolist() == [20.0] * 6


def test_processes_give_the_same(cells, table):
    assert_same(extract(cells, n_jobs=2, progress=False), table)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_cluster_gives_the_same(cells, table):
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": False}
    with (
        distributed.LocalCluster(**options, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        assert_same(extract(cells, executor=client.get_executor(), progress=False), table)


class DiesOnce(ProcessPoolExecutor):
    """Loses every third task the first time, as if its worker had been killed."""

    def __init__(self) -> None:
        super().__init__(1)
        self.seen: set[int] = set()
        self.given = 0

    def submit(self, function, /, *args, **kwargs) -> Future:
        self.given += 1
        key = id(args[0])
        if self.given % 3 == 0 and key not in self.seen:
            self.seen.add(key)
            lost: Future = Future()
            lost.set_exception(ConnectionError("the worker was killed"))
            return lost
        return super().submit(function, *args, **kwargs)


def test_a_lost_task_is_given_again(cells, table):
    with DiesOnce() as pool:
        assert_same(extract(cells, executor=pool, progress=False), table)
        assert pool.seen


def test_a_task_that_always_kills_is_a_row(cells):
    class Deadly(DiesOnce):
        def submit(self, function, /, *args, **kwargs) -> Future:
            lost: Future = Future()
            lost.set_exception(ConnectionError("the worker was killed"))
            return lost

    with Deadly() as pool:
        found = extract(cells[:1], executor=pool, progress=False)
    assert found["status"].tolist() == ["failed"]
    assert found["notes"][0] == "ConnectionError: the worker was killed"


def _suicidal(stack, step, parameters):
    marker = Path(os.environ["CLEO_LIKE_TEST_MARKER"])
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return registry.native(stack, step, parameters)


def test_a_killed_process_loses_nothing(cells, table, tmp_path, monkeypatch):
    monkeypatch.setenv("CLEO_LIKE_TEST_MARKER", str(tmp_path / "died"))
    found = extract(cells, extractor=_suicidal, n_jobs=2, progress=False)
    assert (tmp_path / "died").exists()
    assert set(found["extractor"]) == {"_suicidal"}
    pd.testing.assert_frame_equal(
        found.frame.drop(columns="extractor"),
        table.frame.drop(columns="extractor"),
        check_exact=True,
    )


def test_resume_measures_only_what_is_new(cells, table, tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    extract(cells[:4], resume=path, progress=False)
    measured = []
    real = module.run_task

    def counted(task):
        measured.append(task.source.cell.id)
        return real(task)

    monkeypatch.setattr(module, "run_task", counted)
    again = extract(cells, resume=path, progress=False)
    assert measured == ["cell4", "cell5"]
    assert_same(again, table)
    assert_same(FeatureTable.read(path), table)
    other = extract(cells[:1], resume=path, parameters=ATLAS, progress=False)
    assert measured[2:] == ["cell0"]  # other limits are another measurement
    assert len(other) == 1
    assert len(FeatureTable.read(path)) == 7


def test_an_interruption_keeps_what_was_done(cells, tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    real = module.run_task

    def interrupted(task):
        if task.source.cell.id == "cell3":
            raise KeyboardInterrupt
        return real(task)

    monkeypatch.setattr(module, "run_task", interrupted)
    with pytest.raises(KeyboardInterrupt):
        extract(cells, resume=path, progress=False)
    assert FeatureTable.read(path)["cell_id"].tolist() == ["cell0", "cell1", "cell2"]


def test_an_extractor_of_ones_own(cells):
    def highest(stack, step, parameters):
        return {"highest": stack.voltage_mv.max()}

    found = extract(cells[:1], extractor=highest, progress=False)
    assert found["highest"][0] > 20
    assert found["extractor"][0] == "highest"

    def careful(stack, step, parameters):
        return Extracted(values={"x": np.nan}, reasons={"x": "because"}, notes=("look",))

    found = extract(cells[:1], extractor=careful, progress=False)
    assert found.why(0, "x") == "because"
    assert found["notes"][0] == "look"


def test_an_installed_extractor(cells, monkeypatch):
    class Point:
        @staticmethod
        def load():
            return lambda stack, step, parameters: {"one": 1.0}

    monkeypatch.setattr(registry.named, "installed", lambda: {"theirs": Point})
    assert extract(cells[:1], extractor="theirs", progress=False)["one"][0] == 1.0
    with pytest.raises(UnknownNameError, match="did you mean 'theirs'"):
        registry.extractor_named("their")


@pytest.mark.parametrize("wrong", [5, None, [5], [None], [["a.abf"]]])
def test_what_is_no_source_is_refused_before_any_work(wrong):
    with pytest.raises(InputError, match="sources must be recordings or paths of files"):
        extract(wrong, progress=False)


def test_an_unknown_extractor_is_said_at_once(cells):
    with pytest.raises(UnknownNameError, match="unknown extractor 'nativ'"):
        extract(cells, extractor="nativ", progress=False)
    with pytest.raises(InputError, match="n_jobs must be 1 or more, got 0"):
        extract(cells, n_jobs=0)


def test_no_long_squares(cells):
    ramp = np.linspace(0, 1e-10, 10000)
    sweeps = [Sweep(response=np.full(10000, -0.07), command=ramp, rate=20e3)]
    found = extract(attrs.evolve(cells[0], sweeps=sweeps), progress=False)
    assert found["status"].tolist() == ["failed"]
    assert "no long squares" in found["notes"][0]
    assert "ramp: no spike up to" in found["notes"][0]


def changed(cell, change) -> Recording:
    """A cell with other responses (V)."""
    sweeps = [attrs.evolve(s, response=change(s.response)) for s in cell.sweeps]
    return attrs.evolve(cell, sweeps=sweeps)


def test_no_number_of_a_broken_recording(cells):
    """All samples missing; millivolts taken for volts; a channel that is dead."""
    broken = [
        changed(cells[0], lambda v: np.full(v.size, np.nan)),
        changed(cells[0], lambda v: 1e3 * v),
        changed(cells[0], lambda v: np.full(v.size, -0.07)),
    ]
    found = extract(broken, progress=False)
    assert found["status"].tolist() == ["failed", "failed", "ok"]
    assert "no sample is a number" in found["notes"][0]
    assert "is none of a cell; is its unit right?" in found["notes"][1]
    for name in ("input_resistance", "steady_state_input_resistance", "tau", "capacitance"):
        assert found[name].isna().all()
    assert found.why(2, "input_resistance") == "the potential does not answer the current"
    assert found.why(2, "capacitance") == "the potential does not answer the current"


def test_a_saturated_amplifier_is_not_measured(cells):
    """Cut off at -75 mV, the deep steps would give a resistance that is too low."""
    cut = changed(cells[0], lambda v: np.maximum(v, -0.075))
    found = extract(cut, progress=False)
    assert found["sweeps_used"].tolist() == ["2-5"]
    assert "sweep 0 left out: saturated: flat for" in found["notes"][0]
    down = attrs.evolve(cells[0], sweeps=cells[0].sweeps[:3])
    all_of_it = extract(changed(down, lambda v: np.maximum(v, -0.0702)), progress=False)
    assert all_of_it["status"].tolist() == ["failed"]
    assert "saturated in every long square" in all_of_it["notes"][0]
    assert len(extract(cut, parameters=ATLAS, progress=False)["sweeps_used"][0]) == 3  # 0-5


def test_a_wrong_ending_is_said_at_once(cells, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "run_task", lambda task: pytest.fail("it was measured"))
    with pytest.raises(InputError, match=r"written as \.csv or \.parquet, got 'table\.txt'"):
        extract(cells, resume=tmp_path / "table.txt", progress=False)


def test_cell_features_keeps_the_arrays(cells):
    cell = cell_features(cells[0], parameters=DEFAULT)
    assert cell.spikes.counts.tolist() == [0, 0, 0, 0, 1, 2]
    assert cell.window.start == pytest.approx(0.2)


@pytest.mark.data
@pytest.mark.parametrize("extractor", ["native", "efel"])
def test_real_files(data_dir, extractor):
    if extractor == "efel":
        pytest.importorskip("efel")
    folder = data_dir / "icephys" / "recordings"
    names = ("File_axon_5.abf", "2019_07_24_0055_fsi.abf", "171116sh_0016.abf")
    found = extract([folder / n for n in names], extractor=extractor, progress=False)
    # the third holds ramps, which this package's own extractor measures
    assert found["status"].tolist() == ["ok", "ok", "ok" if extractor == "native" else "failed"]
    if extractor == "native":
        assert found["family"][2] == "ramp"
        assert found["threshold_i_ramp"][2] == pytest.approx(79.2, abs=0.1)
    assert found["rheobase_i"].tolist()[:2] == [200.0, 25.0]
    np.testing.assert_allclose(found["window_start"][:2], [0.2156, 0.14685])


class Killing:
    """A client's executor that kills a worker with SIGKILL at the 300th task."""

    def __init__(self, client) -> None:
        self.pid = next(iter(client.run(os.getpid).values()))
        self._executor = client.get_executor()
        self._given = 0

    def submit(self, function, /, *args, **kwargs) -> Future:
        self._given += 1
        if self._given == 300:
            os.kill(self.pid, signal.SIGKILL)
        return self._executor.submit(function, *args, **kwargs)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_thousand_cells_on_a_cluster_with_a_killed_worker():
    """1,000 cells x 20 sweeps: the same table as one process, though a worker is killed."""
    distributed = pytest.importorskip("distributed")
    cells = [simulated(k, sweeps=20, rate=10e3) for k in range(1000)]
    alone = extract(cells, progress=False)
    assert set(alone["status"]) == {"ok"}
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        executor = Killing(client)
        found = extract(cells, executor=executor, progress=False)
        client.wait_for_workers(2, timeout=60)
        assert executor.pid not in client.run(os.getpid, on_error="ignore").values()
    assert_same(found, alone)


def test_an_installed_extractor_that_does_not_load(cells, monkeypatch):
    class Point:
        @staticmethod
        def load():
            raise ImportError("No module named foo")

    monkeypatch.setattr(registry.named, "installed", lambda: {"theirs": Point})
    with pytest.raises(UnsupportedError, match="'theirs', of another package, does not work"):
        extract(cells[:1], extractor="theirs", progress=False)
    assert extract(cells[:1], progress=False)["status"][0] == "ok"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (AttributeError("no such thing"), "failed .AttributeError: no such thing"),
        (RuntimeError("crash"), "failed .RuntimeError: crash"),
        (None, "failed .TypeError"),
        ({"tau": "long"}, "failed .ValueError"),
        ({"tau": 20 * pq.ms}, "has a unit; give a plain number"),
    ],
)
def test_what_another_extractor_does_wrong_is_a_row_with_the_reason(cells, answer, message):
    def theirs(stack, step, parameters):
        if isinstance(answer, Exception):
            raise answer
        return answer

    found = extract(cells[:2], extractor=theirs, progress=False)
    assert found["status"].tolist() == ["failed", "failed"]
    assert re.search(message, found["notes"][0])


@pytest.mark.parametrize("progress", [True, False])
def test_a_bar_where_it_is_asked_for(cells, capsys, progress):
    extract(cells[:1], progress=progress)
    assert ("features" in capsys.readouterr().err) is progress
