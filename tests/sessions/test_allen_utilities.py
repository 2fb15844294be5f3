"""brain_observatory_utilities takes an experiment for one of the AllenSDK's.

The package (and xarray) is looked for in the folder CLEO_LIKE_ALLEN_UTILITIES, made by
``pip install --no-deps --target FOLDER brain_observatory_utilities xarray``: with its dependencies it would pull the
AllenSDK, which wants NumPy 1. The SDK itself is a stub here.
"""

import importlib
import importlib.machinery
import os
import sys
import types

import numpy as np
import pytest

import cleo_like.responses as ours
from cleo_like.sessions import InSilicoCache

FOLDER = os.environ.get("CLEO_LIKE_ALLEN_UTILITIES")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(FOLDER is None, reason="CLEO_LIKE_ALLEN_UTILITIES names no folder"),
    pytest.mark.filterwarnings("ignore"),
]


class Stub(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return object


class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "allensdk":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return Stub(spec.name)

    def exec_module(self, module):
        module.__path__ = []


@pytest.fixture(scope="module")
def theirs():
    finder = Finder()
    sys.path.append(FOLDER)
    sys.meta_path.append(finder)
    base = "brain_observatory_utilities"
    yield types.SimpleNamespace(
        tidy=importlib.import_module(
            f"{base}.datasets.optical_physiology.data_formatting"
        ).build_tidy_cell_df,
        xr=importlib.import_module(
            f"{base}.datasets.stimulus_alignment.data_formatting"
        ).get_stimulus_response_xr,
        triggered=importlib.import_module(
            f"{base}.utilities.general_utilities"
        ).event_triggered_response,
    )
    sys.meta_path.remove(finder)
    sys.path.remove(FOLDER)


@pytest.mark.parametrize("columns", ["stop_time", "end_time"])
def test_tidy_table_and_triggered_response(theirs, session, columns):
    cache = InSilicoCache.of_sessions([session], columns=columns)
    one = cache.get_behavior_ophys_experiment(next(iter(session.experiments)))
    table, mine = theirs.tidy(one), ours.build_tidy_cell_df(one)
    assert list(table.columns) == list(mine.columns)
    for name in ("timestamps", "dff", "events", "filtered_events"):
        assert np.array_equal(table[name], mine[name])
    flashes = one.stimulus_presentations
    times = flashes.loc[flashes["is_change"].fillna(value=False).astype(bool), "start_time"]
    cell = table[table["cell_specimen_id"] == table["cell_specimen_id"].iloc[0]]
    cut = theirs.triggered(cell, t="timestamps", y="dff", event_times=times, t_start=-0.5, t_end=0.75,
                           output_sampling_rate=15)  # fmt: skip
    assert cut["event_time"].nunique() == len(times)


@pytest.mark.parametrize("kind", ["all", "images", "omissions", "changes"])
def test_stimulus_response_arrays(theirs, session, kind):
    cache = InSilicoCache.of_sessions([session], columns="end_time")
    one = cache.get_behavior_ophys_experiment(next(iter(session.experiments)))
    found = theirs.xr(one, event_type=kind, time_window=[-0.5, 0.75])
    flashes = InSilicoCache.of_sessions([session]).get_behavior_ophys_experiment(
        one.ophys_experiment_id
    )
    _, ids = ours.get_event_timestamps(flashes.stimulus_presentations, kind)
    assert found.sizes["stimulus_presentations_id"] == len(ids)
    assert found.sizes["cell_specimen_id"] == 9
