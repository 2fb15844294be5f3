"""One short session that the tests of its tables share."""

import pytest

from cleo_like.sessions import (
    ImageChangeTask,
    ImageSet,
    InSilicoCache,
    OpticalPlane,
    SessionPlan,
    simulate_session,
)


def _small_plan(**changes):
    """Two planes, a minute of flashes, a few cells: seconds of CPU."""
    given = {
        "seed": 5,
        "task": ImageChangeTask(duration="60 s", grey_before="6 s", grey_after="3 s"),
        "images": ImageSet.natural_like(4, seed=2),
        "planes": [
            OpticalPlane(n_cells=9, indicator="jgcamp8m", rate="15 Hz", shape=(64, 96), field="150 um"),
            OpticalPlane(n_cells=7, depth="275 um", structure="VISl", shape=(96, 64), field="100 um"),
        ],
    }  # fmt: skip
    return SessionPlan(**given | changes)


@pytest.fixture(scope="session")
def small_plan():
    return _small_plan


@pytest.fixture(scope="session")
def session():
    return simulate_session(_small_plan())


@pytest.fixture(scope="session")
def cache(session):
    return InSilicoCache.of_sessions([session])


@pytest.fixture(scope="session")
def experiment(session):
    return next(iter(session.experiments.values()))
