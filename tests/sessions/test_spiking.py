"""Spikes follow the drive: rates as asked, tiring, delay, and the same for one seed."""

import numpy as np
import pytest

from cleo_like.cells import CellModel
from cleo_like.core.errors import InputError
from cleo_like.sessions import CurrentCells, FrontEnd, RateCells, VisualDrive

STILL = {"gain_sd": 0.0}


def drive(response, shown, step=0.25):
    shown = np.asarray(shown)
    return VisualDrive(
        response=np.asarray(response, float), shown=shown, step=step, duration=step * len(shown)
    )


def test_rates_are_those_asked_for():
    # full drive all the time; supply settles at 1/(1 + recovery*use)
    cells = RateCells(
        peak="20 Hz", baseline="2 Hz", peak_sd=0, baseline_sd=0,
        front=FrontEnd(use="1 Hz", recovery="1 s", **STILL),
    )  # fmt: skip
    spikes = cells(drive(np.r_[np.ones(40), np.zeros(40)][:, None], [0] * 400), seed=1)
    late = np.array([(t > 20).sum() / 80 for t in spikes])
    error = 4 * np.sqrt(12 / 80 / 40)
    assert late[:40].mean() == pytest.approx(2 + 20 * 0.5, abs=error)
    assert late[40:].mean() == pytest.approx(2, abs=error)


def test_the_answer_comes_late_and_tires():
    cells = RateCells(
        peak="100 Hz", baseline="0 Hz", peak_sd=0, baseline_sd=0,
        front=FrontEnd(latency="80 ms", tau="1 ms", use="4 Hz", recovery="10 s", **STILL),
    )  # fmt: skip
    spikes = np.concatenate(cells(drive(np.ones((200, 1)), [-1, 0, 0, 0, 0, -1]), seed=0))
    assert spikes.min() > 0.25 + 0.08 - 1e-9
    first = ((spikes > 0.33) & (spikes < 0.43)).sum() / 200 / 0.1
    last = ((spikes > 1.23) & (spikes < 1.33)).sum() / 200 / 0.1
    assert last < 0.2 * first
    assert first == pytest.approx(100 * np.exp(-4 * 0.05), rel=0.1)


def test_one_seed_one_train():
    d = drive(np.eye(3), [0, -1, 1, -1, 2, -1] * 20)
    one, same, other = (RateCells()(d, seed) for seed in (1, 1, 2))
    assert all(map(np.array_equal, one, same))
    assert not all(map(np.array_equal, one, other))


def test_adex_cells_are_driven_by_a_current():
    d = drive([[1.0], [0.0]], [-1, 0, -1] * 8)
    spikes = CurrentCells(
        model="adex_adapting", noise=0.1, dt="0.1 ms", front=FrontEnd(**STILL)
    )(d, seed=0)
    assert len(spikes[0]) > 8
    assert len(spikes[1]) == 0
    phase = spikes[0] % 0.75
    assert ((phase > 0.3) & (phase < 0.65)).all()  # after the flash of 0.25 to 0.5 s, delayed


@pytest.mark.slow
def test_a_spike_of_a_conductance_based_cell_counts_once():
    d = drive([[1.0]] * 3, [-1, 0, 0, 0])
    spikes = CurrentCells(model="wang_buzsaki", noise=0.1, front=FrontEnd(**STILL))(d, seed=0)
    assert all(len(t) > 3 for t in spikes)
    assert min(np.diff(t).min() for t in spikes) > 3e-3


def test_a_population_may_be_empty():
    assert RateCells()(drive(np.zeros((0, 2)), [0, 1]), seed=0) == ()


def test_wrong_numbers_are_refused():
    with pytest.raises(InputError, match="negative"):
        drive([[-0.1]], [0])
    with pytest.raises(InputError, match="finite"):
        drive([[np.nan]], [0])
    with pytest.raises(InputError, match="too long"):
        RateCells(peak="300 Hz")
    with pytest.raises(InputError):
        FrontEnd(tau="0 s")
    leaky = CellModel(
        name="leaky",
        equations="dv/dt = (gL*(EL - v) + I)/C : volt",
        parameters={"gL": "1 uS", "EL": "-70 mV", "C": "100 pF"},
    )
    with pytest.raises(InputError, match="rheobase"):
        CurrentCells(model=leaky)(drive([[1.0]], [0]), seed=0)


def test_the_common_gain_has_mean_one_and_its_spread():
    front = FrontEnd(gain_sd=0.3, gain_tau="1 s")
    _, gain = front.gain(5000, np.random.default_rng(0))
    assert gain.mean() == pytest.approx(1, abs=0.03)
    assert np.log(gain).std() == pytest.approx(0.3, abs=0.03)
