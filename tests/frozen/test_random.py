"""Recordings and commands drawn by chance: combinations of habits that nobody would list."""

import numpy as np
import pytest

import cleo_like as cl
from cleo_like.core.errors import CleoLikeError
from cleo_like.features.parameters import ATLAS, ExtractionParameters
from tests.frozen.answers import agrees, plain, summary
from tests.frozen.conftest import boxes, filtered, membrane

RATES = (8e3, 10e3, 20e3, 31.25e3, 50e3)


def some(rng, chance, value):
    """Give a habit that not everybody has."""
    return value if rng.random() < chance else None


def habits(seed):
    """Draw what a laboratory does, and a cell."""
    rng = np.random.default_rng((7, seed))
    start = round(float(rng.choice([0.05, 0.15, 0.3])), 3)
    length = round(float(rng.choice([0.25, 0.4, 0.8])), 3)
    step = float(rng.choice([15, 20, 30, 45]))
    first = -step * rng.integers(0, 5)
    amplitudes = [float(first + step * k) for k in range(rng.integers(2, 9))]
    if rng.random() < 0.3:
        amplitudes = [float(a) for a in rng.permutation(amplitudes)]
    if rng.random() < 0.2:
        amplitudes += amplitudes[-2:]
    rheobase = float(rng.choice([25, 50, 90, 1e6], p=[0.3, 0.4, 0.2, 0.1]))
    drawn = {
        "amplitudes": amplitudes, "rate": float(rng.choice(RATES)), "start": start,
        "length": length, "tail": float(rng.choice([0.02, 0.1, 0.35])), "seed": seed,
        "noise": float(rng.choice([0.0, 0.03, 0.1, 0.3, 0.8])),
        "holding": float(rng.choice([0, 0, -25, 40])), "rest": float(rng.uniform(-82, -55)),
        "rheobase": rheobase, "gain": float(rng.uniform(0.1, 1.0)),
        "resistance": float(rng.uniform(50, 600)), "tau": float(rng.uniform(0.004, 0.05)),
        "sag": float(rng.choice([0.0, 0.0, 0.1, 0.4])), "slow": float(rng.uniform(0.04, 0.2)),
        "drift": float(rng.choice([0.0, 0.0, 0.3, -0.5])),
        "mains": float(rng.choice([0.0, 0.0, 0.0, 0.2])),
        "bridge": float(rng.choice([0.0, 0.0, 5.0, 20.0])),
        "command_noise": float(rng.choice([0.0, 0.0, 0.5, 2.0])),
        "moving_holding": float(rng.choice([0.0, 0.0, 0.0, -6.0])),
        "edge": float(rng.choice([0.0, 0.0, 10.0])),
        "test_pulse": some(rng, 0.2, (0.01, 0.04, -20.0)),
        "pre_pulse": some(rng, 0.2, (start - 0.04, start - float(rng.choice([0, 0.01])), -15.0)),
        "cut": some(rng, 0.3, float(rng.choice([1e3, 2.5e3]))),
        "clip": some(rng, 0.1, 15.0),
        "block": some(rng, 0.15, max(amplitudes)),
        "spontaneous": float(rng.choice([0.0, 0.0, 0.0, 3.0])),
        "spikes": {"height": float(rng.uniform(40, 110)), "width": float(rng.uniform(1.5e-4, 9e-4)),
                   "after": float(rng.uniform(0, 18)), "fade": float(rng.choice([0.0, 0.03]))},
        "train": {"latency": float(rng.uniform(0.003, 0.2)), "grow": float(rng.choice([0, 0.05, 0.2])),
                  "pause": some(rng, 0.2, (start + 0.08, start + 0.2))},
    }  # fmt: skip
    return drawn


def of_quality(judged):
    """Give the checks of the cell, and those of all sweeps by name: how many pass, and values."""
    by_name = {}
    for sweep in judged.sweeps:
        for check in sweep.checks:
            by_name.setdefault(check.name, []).append(check)
    return {
        "cell": [plain(c)[:3] for c in judged.checks],
        "sweeps": {
            name: [summary([str(c.passed) for c in checks]), summary([c.value for c in checks]),
                   summary([c.high for c in checks])]
            for name, checks in by_name.items()
        },
    }  # fmt: skip


def said(recording):
    """Give what the default says, in few lines."""
    found = cl.match(recording)
    answer = {
        "match": plain([found.family, found.reason, found.step, found.members, found.baseline]),
        "sweeps": sorted({v.reason for v in found.sweeps}),
    }
    for name, parameters in (("native", ExtractionParameters()), ("atlas", ATLAS)):
        try:
            cell = cl.cell_features(recording, parameters=parameters)
        except CleoLikeError as error:
            answer[name] = str(error)
            continue
        answer[name] = {"values": plain(cell.values), "reasons": plain(cell.reasons)}
        if name == "native":
            answer[name] |= {
                "errors": plain(cell.uncertainty), "notes": plain(cell.notes),
                "sweeps": {k: summary(v) for k, v in cell.sweeps.items()},
                "spikes": {k: summary(v) for k, v in cell.spikes.columns.items()},
            }  # fmt: skip
            judged = cl.quality(recording, features=cell, found=found)
            answer["quality"] = of_quality(judged)
    return answer


@pytest.mark.parametrize("seed", range(36))
def test_cells(seed, ladder):
    agrees(f"random_cell_{seed}", said(ladder(**habits(seed))))


def command(rng, rate):
    """Give one command (pA) of a stimulus that is anything."""
    t = np.arange(round(rate * rng.uniform(0.4, 1.5))) / rate
    end = t[-1]
    a, b = np.sort(rng.uniform(0.05 * end, 0.95 * end, 2))
    level = float(rng.choice([-1, 1]) * rng.uniform(5, 200))
    inside = (t >= a) & (t < b)
    share = np.clip((t - a) / (b - a), 0, 1) * inside
    return {
        "step": lambda: boxes(t, (a, b, level)),
        "two": lambda: boxes(t, (a, (a + b) / 2, level), ((a + b) / 2, b, -level / 2)),
        "pulses": lambda: level * inside * (np.mod(t - a, 0.05) < 0.005),
        "ramp": lambda: level * share,
        "stair": lambda: level * np.ceil(share * 4) / 4,
        "sine": lambda: level * inside * np.sin(2 * np.pi * 9 * (t - a)),
        "chirp": lambda: level * inside * np.sin(2 * np.pi * 20 * (t - a) ** 2 / 2),
        "noise": lambda: inside * rng.normal(0, abs(level), t.size),
        "decay": lambda: level * inside * np.exp(-(t - a) / 0.1),
        "nothing": lambda: np.zeros(t.size),
        "one sample": lambda: boxes(t, (a, a + 1 / rate, level)),
    }


def recorded(rng, kind, rate):
    """Give that command as it is played, or as a rig recorded it."""
    seed = rng.integers(1 << 30)
    rows = []
    for k in range(int(rng.integers(1, 4))):
        made = command(np.random.default_rng(seed), rate)[kind]()
        rows.append(made * (1 + 0.4 * k))
    rows = np.array(rows) + float(rng.choice([0, 0, -30, 12.5]))
    if rng.random() < 0.3:
        rows = np.array([filtered(row, rate, 1.5e3) for row in rows])
    rows += float(rng.choice([0, 0, 0.3, 3])) * rng.normal(size=rows.shape)
    if rng.random() < 0.3:
        rows = np.round(rows / 0.61) * 0.61
    if rng.random() < 0.15:
        rows[:, -rows.shape[1] // 10 :] = np.nan
    return rows


KINDS = tuple(command(np.random.default_rng(0), 1e4))


@pytest.mark.parametrize("kind", KINDS)
def test_commands(kind, recording_of):
    answers = {}
    for seed in range(8):
        rng = np.random.default_rng((11, KINDS.index(kind), seed))
        rate = float(rng.choice(RATES))
        rows = [(-70 + membrane(np.nan_to_num(i), rate), i) for i in recorded(rng, kind, rate)]
        found = cl.match(recording_of(rows, rate))
        answers[str(seed)] = plain([
            found.family, found.reason, found.step, found.members,
            [[v.family, v.reason, [[e.name, e.start, e.stop] for e in v.epochs]]
             for v in found.sweeps],
        ])  # fmt: skip
    agrees(f"random_command_{kind.replace(' ', '_')}", answers)
