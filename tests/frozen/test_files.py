"""What the readers say of headers of every kind and of damaged files."""

import itertools
from datetime import UTC, datetime

import attrs
import numpy as np
import pytest

from cleo_like.core.errors import CleoLikeError
from cleo_like.io import Header, describe, read_all, read_protocol, write, write_abf1
from cleo_like.io.abf.table import EpochTable
from tests.frozen.answers import agrees, plain, summary
from tests.io.abf.abf2 import In, Out, write_abf2
from tests.io.conftest import make_recording, make_steps
from tests.io.fuzz import mutants
from tests.io.nwb.nwb_maker import build
from tests.io.nwb.nwb_mutants import edited


def of_sweep(sweep):
    """Everything of a sweep but its samples, of which the count, mean and ends."""
    command = None if sweep.command is None else [*summary(sweep.command), edges(sweep.command)]
    rest = [sweep.mode, sweep.rate, sweep.number, sweep.start_time, sweep.stimulus]
    return [*plain([*rest, sweep.settings, sweep.notes]), summary(sweep.response), command]


def edges(command):
    """First dozen samples at which a command changes."""
    return np.flatnonzero(np.diff(command))[:12].tolist()


def said(ask, path):
    """What is said of a file, without its place."""
    try:
        answer = ask(path)
    except CleoLikeError as error:
        answer = f"{type(error).__name__}: {error}"
    return answer.replace(str(path.parent), "") if isinstance(answer, str) else answer


def recordings(path):
    return [
        [
            plain([r.cell.id, r.cell.species, r.session_start, r.device, r.findings]),
            None if r.protocol is None else plain([r.protocol.family, r.protocol.name]),
            [of_sweep(s) for s in r.sweeps],
        ]
        for r in read_all(path)
    ]


def protocol(path):
    found = read_protocol(path)
    return plain([
        found.family, found.name, found.rate, found.holding, found.gap, found.epochs,
        [summary(w) for w in found.waveforms],
    ])  # fmt: skip


def of_file(path):
    """What three doors say."""
    text = said(lambda p: str(describe(p)), path)
    return [text, said(recordings, path), said(protocol, path)]


def outcomes(seeds, count, seed, tmp_path, suffix, **more):
    """One line for each damaged file."""
    out = {}
    for label, data in mutants(seeds, count, seed, **more):
        path = tmp_path / f"x{suffix}"
        path.write_bytes(data)
        out[label.replace(str(tmp_path), "")] = of_file(path)
    return out


KINDS = {
    "step": [(1, -40.0, 20.0, 90), (1, 10.0, 30.0, 300)],
    "ramp": [(2, 100.0, 10.0, 200), (1, 0.0, 0.0, 50), (2, -50.0, 0.0, 100, 4)],
    "train": [(3, 60.0, 5.0, 300, 0, 40, 10), (1, 0.0, 0.0, 40)],
    "triangle": [(4, 60.0, 0.0, 310, 0, 60, 20)],
    "cosine": [(5, 40.0, 10.0, 250, 10, 50, 0)],
    "biphasic": [(7, 30.0, 0.0, 240, 0, 60, 20)],
    "grows": [(1, 20.0, 0.0, 50, 25), (1, 0.0, 0.0, 30), (1, -20.0, -5.0, 60, -10)],
    "none": [],
}
OUTPUTS = {
    "plain": {}, "holding": {"holding": -15.0}, "keeps": {"keeps_last": 1},
    "off": {"enabled": 0}, "file": {"origin": 2, "file": ("stim.atf", 1, 0, 2.0, 0.0)},
    "leak": {"leak": 1}, "before": {"train": (3, 5.0, 4.0)}, "number": {"number": 1},
    "list": {"user_list": (22, "5,6,7", 0)}, "repeats": {"user_list": (22, "1,9", 1)},
}  # fmt: skip
INPUTS = {
    "one": [In()], "two": [In(), In(name="Im", unit="pA", number=1)],
    "offset": [In(offset=3.0, signal_offset=1.0, telegraph=(1, 5.0))],
    "clamp": [In(unit="pA")],
}  # fmt: skip


def data_for(inputs):
    rng = np.random.default_rng(5)
    data = rng.normal(-70, 0.1, (len(inputs), 3, 640))
    data[1:] = 5
    return data


@pytest.mark.parametrize("kind", KINDS)
def test_abf2(kind, tmp_path):
    out = {}
    for (how, options), (which, inputs) in itertools.product(OUTPUTS.items(), INPUTS.items()):
        if kind != "step" and which not in ("one", "two"):
            continue
        path = tmp_path / "a.abf"
        outputs = [Out(epochs=KINDS[kind], unit="mV" if which == "clamp" else "pA", **options)]
        write_abf2(path, data_for(inputs), inputs=inputs, outputs=outputs)
        out[f"{how} {which}"] = of_file(path)
    agrees(f"abf2_{kind}", out)


def test_abf2_modes(tmp_path):
    out = {}
    for mode, floats, creator in itertools.product((1, 2, 3, 4, 5), (False, True), (1, 10)):
        path = tmp_path / "a.abf"
        outputs = [Out(epochs=KINDS["step"])]
        write_abf2(
            path, data_for([In()]), outputs=outputs, mode=mode, floats=floats, creator=creator
        )
        out[f"mode {mode}, floats {floats}, creator {creator}"] = of_file(path)
    agrees("abf2_modes", out)


def test_damaged_abf2(tmp_path):
    inputs = INPUTS["two"]
    outputs = [Out(epochs=KINDS["step"], user_list=(22, "5,6,7", 0))]
    path = write_abf2(tmp_path / "a.abf", data_for(inputs), inputs=inputs, outputs=outputs)
    agrees("abf2_damaged", outcomes({"abf2": path.read_bytes()}, 80, 11, tmp_path, ".abf"))


def test_damaged_abf1(tmp_path):
    table = EpochTable(levels=(0.0, -50.0), increments=(0.0, 50.0), durations=(90, 300))
    path = write_abf1(
        tmp_path / "a.abf", data_for(INPUTS["two"]), units=["mV", "pA"], rate="20 kHz",
        header=Header(table=table, recorded=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    )  # fmt: skip
    agrees("abf1_damaged", outcomes({"abf1": path.read_bytes()}, 80, 12, tmp_path, ".abf"))


def test_damaged_atf(tmp_path):
    made = make_recording(make_steps(), np.random.default_rng(42))
    short = [
        attrs.evolve(s, response=s.response[:12], command=s.command[:12])
        for s in made.sweeps[:2]
    ]
    made = attrs.evolve(made, sweeps=short, protocol=None, truth=None)
    raw = write(made, tmp_path / "c.atf").read_bytes()
    seeds = {"atf": raw, "foreign": raw.replace(b"; rate: 20000.0 Hz; samples: 12", b"")}
    agrees("atf_damaged", outcomes(seeds, 80, 13, tmp_path, ".atf"))


@pytest.mark.parametrize(
    "pairing",
    [
        "recordings table",
        "sweep table",
        pytest.param("sweep numbers", marks=pytest.mark.slow),
        pytest.param("names", marks=pytest.mark.slow),
    ],
)
def test_damaged_nwb(pairing, tmp_path):
    raw = build(tmp_path / "a.nwb", pairing, ("e1", "e2"), n_sweeps=2).read_bytes()
    name = f"nwb_{pairing.replace(' ', '_')}"
    agrees(name, outcomes({"nwb": raw}, 12, 14, tmp_path, ".nwb", damage=edited))
