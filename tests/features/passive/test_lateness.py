"""A command beside its response: an RC cell of 300 MOhm and 30 ms, moved by a known time."""

import numpy as np
import pytest
from scipy.signal import lfilter

from cleo_like.core import Cell, Provenance, Recording, Sweep
from cleo_like.features.long_square.cell import long_square_features

R, TAU, E = 300e6, 0.03, -0.068


def moved(
    seconds,
    *,
    rate=20_000.0,
    noise=1e-4,
    bridge=0.0,
    tau=TAU,
    steps=(-40, -20, 0, 20),
    before=0.2,
):
    """The response later than the command by some time (earlier where it is negative)."""
    rng, sweeps, shift = np.random.default_rng(3), [], round(seconds * rate)
    t = np.arange(round((before + 1.4) * rate)) / rate
    keep = np.exp(-1 / rate / tau)
    for k, amplitude in enumerate(steps):
        command = 1e-12 * amplitude * ((t >= before) & (t < before + 1))
        v = E + R * lfilter([1 - keep], [1, -keep], command) + bridge * command
        late = np.concatenate((np.full(max(shift, 0), v[0]), v, np.full(max(-shift, 0), v[-1])))
        v = late[max(-shift, 0) :][: v.size] + rng.normal(0, noise, v.size)
        sweeps.append(Sweep(response=v, command=command, rate=rate, number=k))
    recording = Recording(
        sweeps=sweeps, cell=Cell(id="rc"), provenance=Provenance(source="oracle")
    )
    return long_square_features(recording, f"{before} s", f"{before + 1} s")


@pytest.mark.parametrize(
    ("lag", "options"),
    [
        *((lag, {}) for lag in (1.6e-3, 3e-3, 10e-3, 15.625e-3, 50e-3)),
        (3e-3, {"rate": 5000.0}), (10e-3, {"rate": 5000.0}), (10e-3, {"noise": 5e-4}),
        (3e-3, {"bridge": 20e6}), (10e-3, {"bridge": 20e6}),
    ],
)  # fmt: skip
def test_a_late_response_gives_the_membrane_and_says_so(lag, options):
    """Oracle: R, tau and C of the circuit; a lag of 10 ms was in tau (40 for 30 ms)."""
    cell = moved(lag, **options)
    told = [note for note in cell.notes if "after the current changes" in note]
    assert float(told[0].split(" ms")[0].split()[-1]) == pytest.approx(1e3 * lag, abs=1.2)
    for name, truth in (("input_resistance", 300), ("tau", TAU), ("capacitance", 100)):
        assert cell.values[name] == pytest.approx(truth, rel=0.025), name


@pytest.mark.parametrize("lead", [2e-3, 10e-3, 25e-3])
def test_a_response_before_its_command_has_no_membrane(lead):
    """10 ms gave 214 for 300 MOhm."""
    cell = moved(-lead)
    for name in ("input_resistance", "tau", "capacitance", "sag"):
        assert np.isnan(cell.values[name])
        assert "before the current" in cell.reasons[name]


@pytest.mark.parametrize(
    "options",
    [
        {}, {"noise": 3e-3}, {"bridge": 20e6}, {"bridge": 100e6}, {"bridge": -20e6},
        {"tau": 0.3}, {"tau": 2e-3}, {"rate": 1000.0}, {"steps": (-20,)}, {"before": 0.02},
    ],
)  # fmt: skip
def test_a_response_in_time_is_left_alone(options):
    cell = moved(0.0, **options)
    assert not [n for n in cell.notes if "after the current" in n]
    assert "before the current" not in cell.reasons.get("tau", "")


def test_both_sides_of_the_least_lag():
    """A filter or an edge's own sample is late by up to 1 ms, which the fit itself has."""
    inside, outside = (moved(lag, noise=2e-5) for lag in (1e-3, 1.5e-3))
    assert not [n for n in inside.notes if "after the current" in n]
    assert [n for n in outside.notes if "after the current" in n]
    for cell in (inside, outside):
        assert cell.values["tau"] == pytest.approx(TAU, rel=0.01)


@pytest.mark.parametrize(
    ("bridge", "said"), [(0.0, False), (2e6, False), (20e6, True), (40e6, True)]
)
@pytest.mark.parametrize("tau", [0.01, TAU])
def test_what_answers_at_once_is_said(bridge, said, tau):
    """The electrode that a bridge leaves; a rectifying cell had it in R without a word."""
    cell = moved(0.0, bridge=bridge, tau=tau, noise=5e-5)
    told = [n for n in cell.notes if "at once with the current" in n or "the electrode's" in n]
    assert bool(told) is said
    if told:
        assert float(told[0].split(" MOhm")[0].split()[-1]) == pytest.approx(
            bridge / 1e6, abs=3
        )


@pytest.mark.parametrize("drift", [-0.5, 0.5])
def test_a_rest_that_has_moved_before_the_step_is_no_early_answer(drift):
    """File_axon_5: rests that differ by 4 % of the answer along the current, 60 ms before it."""
    rate, rng, rows = 20_000.0, np.random.default_rng(5), []
    t = np.arange(round(1.4 * rate)) / rate
    for amplitude in (-40, -20, 0, 20):
        on = (t >= 0.2) & (t < 1.2)
        rise = np.where(on, 1 - np.exp(-(t - 0.2) / TAU), 0)
        v = 0.3 * amplitude * rise + drift * amplitude / 40 * (t >= 0.14)
        v = E + 1e-3 * v + rng.normal(0, 1e-4, t.size)
        rows.append(
            Sweep(response=v, command=1e-12 * amplitude * on, rate=rate, number=len(rows))
        )
    recording = Recording(
        sweeps=rows, cell=Cell(id="rc"), provenance=Provenance(source="oracle")
    )
    cell = long_square_features(recording, "0.2 s", "1.2 s")
    assert not [n for n in cell.notes if "after the current" in n]
    assert "before the current" not in cell.reasons.get("tau", "")
