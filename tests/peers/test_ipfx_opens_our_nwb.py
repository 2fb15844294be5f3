"""ipfx 2.1.2 opens the files made for it and finds the known answers of a passive cell."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

import cleo_like as cl
from cleo_like import Cell, Epoch, Protocol, Provenance, Recording, Sweep
from cleo_like.core.protocol import levels_from_epochs
from cleo_like.io import write_nwb

pytestmark = pytest.mark.peer

RATE = 50_000.0
RESISTANCE, TAU, REST = 1e8, 0.02, -0.07  # ohm, s, V

SCRIPT = """
import json, sys, warnings
warnings.simplefilter("ignore")
from ipfx.dataset.create import create_ephys_data_set
from ipfx.script_utils import categorize_iclamp_sweeps, preprocess_long_square_sweeps

data_set = create_ephys_data_set(sys.argv[1])
numbers = categorize_iclamp_sweeps(data_set, data_set.ontology.long_square_names)
sweeps, found, _, start, end = preprocess_long_square_sweeps(data_set, numbers)
keys = ("input_resistance", "tau", "v_baseline", "rheobase_i")
print(json.dumps({
    "numbers": [int(n) for n in numbers], "start": float(start), "end": float(end),
    "v": float(sweeps.sweeps[0].v[0]), "i": float(sweeps.sweeps[0].i[20000]),
    **{k: float(found[k]) for k in keys},
}))
"""


def passive_recording() -> Recording:
    """An RC cell (100 MOhm, 20 ms, -70 mV), exact between samples, a spike from 100 pA on."""
    ms = int(RATE / 1000)
    levels = np.arange(-100, 121, 20) * 1e-12
    epochs = [
        Epoch(
            name="test_pulse", start=40 * ms, stop=50 * ms, levels=np.full(len(levels), -5e-11)
        ),
        Epoch(name="step", start=300 * ms, stop=1100 * ms, levels=levels),
    ]
    protocol = Protocol(
        waveforms=levels_from_epochs(epochs, len(levels), 1500 * ms, 0.0),
        rate=RATE,
        family="long_square",
        epochs=epochs,
    )
    decay = np.exp(-1 / RATE / TAU)
    current = protocol.waveforms
    # the exact solution between samples, for a command held constant there
    potential = REST + lfilter([RESISTANCE * (1 - decay)], [1, -decay], current, axis=1)
    spike = 0.1 * np.exp(-0.5 * (np.arange(-2 * ms, 2 * ms) / (0.2 * ms)) ** 2)
    potential[levels >= 0.99e-10, 500 * ms : 504 * ms] += spike
    sweeps = [
        Sweep(response=v, command=i, rate=RATE, number=n)
        for n, (v, i) in enumerate(zip(potential, current, strict=True))
    ]
    return Recording(
        sweeps=sweeps,
        cell=Cell(id="rc"),
        provenance=Provenance(source="simulation"),
        protocol=protocol,
    )


def test_ipfx_analyses_the_long_squares(ask_peer, tmp_path):
    path = write_nwb(passive_recording(), tmp_path / "rc.nwb", ipfx_compatible=True)
    found = ask_peer(SCRIPT, path)
    assert found["numbers"] == list(range(12))
    assert found["start"] == pytest.approx(0.3, abs=1 / RATE)
    assert found["end"] == pytest.approx(1.1, abs=1 / RATE)
    assert found["v"] == pytest.approx(-70.0, abs=1e-4)
    assert found["i"] == pytest.approx(-100.0, abs=1e-4)
    # mV and pA to MOhm; 40 time constants of step
    assert found["input_resistance"] == pytest.approx(100.0, rel=1e-3)
    assert found["tau"] == pytest.approx(TAU, rel=0.01)
    assert found["v_baseline"] == pytest.approx(-70.0, abs=0.01)
    assert found["rheobase_i"] == pytest.approx(100.0, abs=1e-3)


EVERY = """
import json, sys, warnings
warnings.simplefilter("ignore")
from ipfx.dataset.create import create_ephys_data_set

data_set = create_ephys_data_set(sys.argv[1])
names = data_set.ontology
kinds = {"long": names.long_square_names, "short": names.short_square_names,
         "ramp": names.ramp_names}
print(json.dumps({
    kind: [int(n) for n in data_set.filtered_sweep_table(
        clamp_mode=data_set.CURRENT_CLAMP, stimuli=given)["sweep_number"]]
    for kind, given in kinds.items()
}))
"""


def test_ipfx_finds_every_family_of_an_experiment(ask_peer, tmp_path):
    rest = {"before": "0.2 s", "after": "0.3 s", "test_pulse": "-25 pA", "rate": "50 kHz"}
    protocols = [
        cl.long_square(["-20 pA", "0 pA", "20 pA"], duration="0.5 s", **rest),
        cl.short_square(["100 pA", "200 pA"], **rest),
        cl.ramp("100 pA/s", duration="0.5 s", **rest),
    ]
    (cell,) = cl.experiment("passive", protocols, seed=1)
    path = write_nwb(cell, tmp_path / "cell.nwb", ipfx_compatible=True)
    assert ask_peer(EVERY, path) == {"long": [0, 1, 2], "short": [3, 4], "ramp": [5]}
