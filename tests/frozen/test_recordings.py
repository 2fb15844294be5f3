"""All that the default says of some forty recordings: match, features, quality."""

import attrs
import numpy as np
import pytest

import cleo_like as cl
from cleo_like.core.errors import CleoLikeError
from cleo_like.features.impedance import impedance
from cleo_like.features.parameters import ATLAS, ExtractionParameters
from tests.frozen.answers import agrees, plain, summary
from tests.frozen.conftest import membrane

LADDERS = {
    "plain": {},
    "fast": {"rate": 50e3, "noise": 0.0, "spikes": {"width": 1.5e-4, "after": 15.0}},
    "slow": {"rate": 10e3, "noise": 0.3, "tau": 0.045, "resistance": 350.0, "rheobase": 20.0},
    "noisy": {"noise": 1.0, "seed": 3},
    "sag": {"sag": 0.35, "resistance": 120.0, "amplitudes": range(-140, 200, 40)},
    "held": {"holding": -40.0, "noise": 0.1},
    "holding_moves": {"moving_holding": -10.0},
    "test_pulse": {"test_pulse": (0.03, 0.08, -20.0), "start": 0.3},
    "pre_pulse_touches": {"pre_pulse": (0.1, 0.2, -20.0), "noise": 0.1},
    "pre_pulse_gap": {"pre_pulse": (0.05, 0.17, -20.0), "sag": 0.1},
    "after_pulse": {"test_pulse": (0.8, 0.85, -25.0), "tail": 0.5},
    "command_noise": {"command_noise": 1.5, "seed": 4},
    "filtered": {"cut": 2e3, "command_noise": 0.3},
    "drifts": {"drift": 0.4},
    "mains": {"mains": 0.25},
    "bridge": {"bridge": 15.0, "noise": 0.02},
    "edges": {"edge": 25.0},
    "block": {"amplitudes": range(0, 500, 60), "block": 300.0, "spikes": {"fade": 0.06}},
    "pauses": {"train": {"pause": (0.35, 0.52), "grow": 0.02}, "gain": 0.8},
    "adapts": {"train": {"grow": 0.18}, "gain": 0.9, "length": 1.0},
    "late": {"train": {"latency": 0.3}},
    "small_spikes": {"spikes": {"height": 25.0, "after": 2.0, "fade": 0.02}},
    "spontaneous": {"spontaneous": 4.0},
    "silent": {"rheobase": 1e6},
    "only_down": {"amplitudes": (-20, -40, -60, -80)},
    "only_up": {"amplitudes": (20, 40, 60, 80)},
    "one_sweep": {"amplitudes": (-50,)},
    "one_current": {"amplitudes": (-30, -30, -30, -30)},
    "tiny_steps": {"amplitudes": (-2, -1, 0, 1, 2), "noise": 0.2},
    "short_tail": {"tail": 0.01},
    "no_rest": {"start": 0.002},
    "clipped": {"clip": 10.0},
    "lifted": {"rest": -24.0, "rheobase": 1e6, "noise": 0.8},
    "down_first": {"amplitudes": (60, -60, 120, -120, 0, 90, -90, 30)},
    "repeats": {"amplitudes": (-40, 20, 60, 60, 60, 100, 100), "seed": 9},
    "long": {"length": 2.0, "rate": 10e3, "train": {"grow": 0.05}},
}  # fmt: skip


def measured(recording, parameters):
    """All features of a recording, or why there are none."""
    try:
        cell = cl.cell_features(recording, parameters=parameters)
    except CleoLikeError as error:
        return str(error), None
    return {
        "values": plain(cell.values), "errors": plain(cell.uncertainty),
        "reasons": plain(cell.reasons), "excluded": plain(cell.excluded),
        "notes": plain(cell.notes), "sweeps": {k: plain(v) for k, v in cell.sweeps.items()},
        "spikes": {k: summary(v) for k, v in cell.spikes.columns.items()},
    }, cell  # fmt: skip


def everything(recording):
    """Match, features by two definitions, and quality by two rules."""
    found = cl.match(recording)
    native, cell = measured(recording, ExtractionParameters())
    atlas, _ = measured(recording, ATLAS)
    return {
        "match": plain(found), "features": native, "atlas": atlas,
        "quality": plain(cl.quality(recording, features=cell, found=found)),
        "allen": plain(cl.quality(recording, criteria="allen", found=found)),
    }  # fmt: skip


@pytest.mark.parametrize("name", LADDERS)
def test_long_squares(name, ladder):
    agrees(name, everything(ladder(**LADDERS[name])))


FEW = {"rate": "10 kHz", "before": "200 ms", "after": "200 ms"}
FAMILIES = {
    "ramp": lambda: cl.ramp("50 pA/s", duration="1 s", repeats=2, **FEW),
    "ramp_down": lambda: cl.ramp("-80 pA/s", duration="700 ms", test_pulse="-20 pA", **FEW),
    "chirp": lambda: cl.chirp("20 pA", duration="3 s", stop="15 Hz", **FEW),
    "chirp_exponential": lambda: cl.chirp(
        "20 pA", start="0.5 Hz", duration="4 s", stop="20 Hz", sweep="exponential", **FEW
    ),
    "chirps_held": lambda: cl.chirp(
        "10 pA", duration="2 s", stop="30 Hz", repeats=3, holding="-30 pA", **FEW
    ),
    "short_square": lambda: cl.short_square(["100 pA", "200 pA", "400 pA"], **FEW),
    "short_square_alike": lambda: cl.short_square(["300 pA"] * 3, holding="10 pA", **FEW),
    "train": lambda: cl.pulse_train(["300 pA", "500 pA"], frequency="20 Hz", **FEW),
    "train_alike": lambda: cl.pulse_train(["400 pA"] * 2, frequency="40 Hz", count=5, **FEW),
    "sine": lambda: cl.sine("30 pA", "5 Hz", duration="1 s", repeats=2, **FEW),
    "noise": lambda: cl.noise("20 pA", seed=3, tau="3 ms", duration="1 s", **FEW),
    "sag_ladder": lambda: cl.sag_ladder(duration="400 ms", test_pulse="20 pA", **FEW),
    "squares_in_order": lambda: cl.long_square(
        ["60 pA", "0 pA", "-60 pA", "-60 pA"], duration="300 ms", holding="-15 pA", **FEW
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("command_noise", [0.0, 0.8])
def test_families(name, command_noise, recording_of):
    made, rng = FAMILIES[name](), np.random.default_rng(8)
    rows = []
    for waveform in made.waveforms * 1e12:
        v = -70 + membrane(waveform, made.rate, sag=0.2, tau=0.015)
        v += 0.05 * rng.normal(size=v.size)
        rows.append((v, waveform + command_noise * rng.normal(size=v.size)))
    recording = recording_of(rows, made.rate)
    found = cl.match(recording)
    answer = {"match": plain(found), "quality": plain(cl.quality(recording, found=found))}
    if "chirp" in name:
        answer["impedance"] = of_impedance(recording)
    agrees(f"{name}_{'noisy' if command_noise else 'exact'}", answer)


def of_impedance(recording):
    try:
        found = impedance(recording)
    except CleoLikeError as error:
        return str(error)
    values = plain(found)
    return [summary(v) if isinstance(v, list) and len(v) > 30 else v for v in values]


def described_otherwise(protocol):
    """What a file may say of its own protocol, right and wrong."""
    move = round(0.02 * protocol.rate)
    later = [
        attrs.evolve(e, start=e.start + move, stop=e.stop + move)
        for e in protocol.epochs
        if e.stop + move <= protocol.n_samples
    ]
    shorter = [
        attrs.evolve(e, stop=e.start + max(1, (e.stop - e.start) // 2)) for e in protocol.epochs
    ]
    other = "ramp" if protocol.family != "ramp" else "long_square"
    return {
        "right": protocol,
        "no epochs": attrs.evolve(protocol, epochs=()),
        "later": attrs.evolve(protocol, epochs=later),
        "shorter": attrs.evolve(protocol, epochs=shorter),
        "another family": attrs.evolve(protocol, family=other, epochs=()),
        "first sweep": attrs.evolve(protocol, waveforms=protocol.waveforms[:1], epochs=()),
    }


@pytest.mark.parametrize("name", FAMILIES)
def test_descriptions(name, recording_of):
    made = FAMILIES[name]()
    rows = [(np.full(w.size, -70.0), w * 1e12) for w in made.waveforms]
    recording = recording_of(rows, made.rate)
    answers = {}
    for how, told in described_otherwise(made).items():
        found = cl.match(attrs.evolve(recording, protocol=told))
        reasons = sorted({sweep.reason for sweep in found.sweeps})
        answers[how] = plain([
            found.family, found.found, found.disagreement, found.reason, *reasons
        ])  # fmt: skip
    agrees(f"{name}_described", answers)
