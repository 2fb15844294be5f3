"""Every faulty protocol is flagged by its own row and no other; good ones are green."""

from __future__ import annotations

import json

import attrs
import numpy as np
import pytest

from cleo_like import IdealElectrode, from_image, long_square, noise, ramp
from cleo_like.core import Protocol
from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.patch import rig_preset
from cleo_like.planning import Limits, Row, check, design
from cleo_like.planning.report import graded
from cleo_like.stimuli import chirp, pulse_train

NOISY = IdealElectrode(noise="0.1 mV", lowpass="2 kHz")
FAST = IdealElectrode(noise="0.05 mV", lowpass="4 kHz")
RIG = rig_preset("multiclamp_700b", lowpass="4 kHz")


def picture(rows=6, columns=32, duration="1 s", rate="10 kHz", **changes):
    rng = np.random.default_rng(5)
    grey = rng.uniform(0, 1, (rows, columns // 4)).repeat(4, axis=1)
    return from_image(grey, duration, rate, **changes)


def bare(protocol):
    """Without the rests."""
    epoch = protocol.epoch("picture")
    return attrs.evolve(
        protocol, waveforms=protocol.waveforms[:, epoch.start : epoch.stop],
        epochs=[attrs.evolve(epoch, start=0, stop=epoch.stop - epoch.start)],
    )  # fmt: skip


def repeated(protocol, times):
    return attrs.evolve(
        protocol, waveforms=np.tile(protocol.waveforms, (times, 1)),
        picture=np.tile(protocol.picture, (times, 1)),
    )  # fmt: skip


STEPS = "rate=20kHz"

FAULTY = {
    "over range": ("range", lambda: (long_square(["5 nA"], duration="100 ms", rate="20 kHz"), "rs", FAST)),
    "too small": ("resolution", lambda: (picture(amplitude=("-0.2 pA", "0.2 pA")), "passive", None)),
    "wrong rate": (
        "rate",
        lambda: (picture(), "rs", rig_preset("multiclamp_700b", lowpass="2 kHz", rate="20 kHz")),
    ),
    "sweep too long": (
        "format",
        lambda: (Protocol(waveforms=np.r_[np.zeros(2**15), np.full(10**6, 1e-11), np.zeros(2**15)][None], rate=1e5, family="arbitrary"), "rs", FAST),
    ),
    "too many minutes": ("duration", lambda: (attrs.evolve(picture(), gap=400.0), "rs", NOISY)),
    "1/64": ("rests", lambda: (bare(picture()), "rs", NOISY)),
    "aliasing": ("bandwidth", lambda: (picture(), "rs", rig_preset("multiclamp_700b", lowpass="6 kHz"))),
    "charge": ("charge", lambda: (picture(amplitude=("0 pA", "20 pA")), "rs", NOISY)),
    "spikes in a relief": ("spikes", lambda: (picture(amplitude=("-100 pA", "600 pA")), "rs", NOISY)),
    "block": ("block", lambda: (long_square(["10 pA", "1.5 nA"], duration="400 ms", rate="20 kHz", gap="1 s"), "wang_buzsaki", FAST)),
    "hyperpolarised": (
        "hyperpolarisation",
        lambda: (long_square(["-50 pA", "-900 pA"], duration="400 ms", rate="20 kHz", gap="2 s"), "rs", FAST),
    ),
    "blurred": ("fidelity", lambda: (picture(columns=64, duration="100 ms"), "passive", None)),
    "drowned in noise": (
        "signal",
        lambda: (picture(amplitude=("-3 pA", "3 pA")), "narrow_fs", IdealElectrode(noise="1.6 mV", lowpass="2 kHz")),
    ),
    "carry-over": (
        "carry_over",
        lambda: (picture(before="25 ms", after="25 ms", gap="0 ms", amplitude=("-60 pA", "60 pA")), "sag", NOISY),
    ),
    "access": (
        "access",
        lambda: (picture(), "rs", rig_preset("multiclamp_700b", access_resistance="40 MOhm", lowpass="2 kHz")),
    ),
    "bridge": (
        "bridge",
        lambda: (long_square(["-50 pA", "300 pA", "600 pA"], duration="200 ms", rate="20 kHz", gap="1 s"), "rs",
                 rig_preset("multiclamp_700b", access_resistance="9 MOhm", bridge="0 MOhm", lowpass="4 kHz")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTY)
def test_a_fault_is_flagged_by_its_own_row(name):
    row, make = FAULTY[name]
    protocol, cells, rig = make()
    report = check(protocol, cells, rig)
    assert report.red == (row,), report.text()
    assert report[row].advice
    assert report.exit_code == 1


GOOD = {
    "long squares": lambda: (
        long_square(["-50 pA", "50 pA", "400 pA"], duration="500 ms", rate="20 kHz", gap="1 s"), "rs", FAST),
    "long squares on a rig": lambda: (
        long_square(["-50 pA", "50 pA", "400 pA"], duration="500 ms", rate="20 kHz", gap="1 s"), "narrow_fs", RIG),
    "a slow relief": lambda: (picture(columns=16, duration="2 s"), "narrow_fs", NOISY),
    "a ramp": lambda: (ramp("50 pA/s", duration="2 s", rate="20 kHz"), "rs", FAST),
    "a chirp": lambda: (chirp("20 pA", duration="5 s", rate="20 kHz"), "sag", FAST),
    "noise": lambda: (noise("30 pA", seed=1, tau="5 ms", duration="1 s", rate="20 kHz", repeats=2, gap="1 s"), "rs", FAST),
    "pulses": lambda: (pulse_train("1 nA", width="2 ms", frequency="20 Hz", count=5, rate="20 kHz"), "rs", FAST),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_good_protocol_is_green(name):
    report = check(*GOOD[name]())
    assert report.verdict == "green", report.text()
    assert report.exit_code == 0


def test_a_designed_relief_is_green_where_the_direct_one_is_not():
    target = picture(columns=64, duration="0.5 s")
    direct = check(target, "passive", NOISY)
    assert direct["fidelity"].verdict != "green"
    made = design(target, "passive", Limits(peak="60 pA"), electrode=NOISY)
    assert check(made, "passive", NOISY)["fidelity"].verdict == "green"


def test_a_population_is_told_in_percentiles():
    import brian2 as b2

    from cleo_like import Population, get_cell

    rng = np.random.default_rng(1)
    cells = Population(
        model=get_cell("passive"),
        parameters={"gL": b2.nS * 5 * np.exp(0.6 * rng.standard_normal(8))},
    )
    report = check(picture(rows=3), cells, NOISY)
    assert "5 / 50 / 95 %" in report["population"].text
    assert len(report.cells) == 8


def test_a_row_explained_by_a_red_one_is_not_judged():
    report = check(picture(amplitude=("-100 pA", "600 pA")), "rs", NOISY)
    assert report["fidelity"].verdict == "not judged"
    assert "spikes" in report["fidelity"].text


def test_what_cannot_be_played_is_not_simulated():
    report = check(long_square(["5 nA"], duration="100 ms", rate="20 kHz"), "rs", FAST)
    assert report["spikes"].text.startswith("the rig cannot play")


def test_text_and_json_have_every_row():
    report = check(picture(rows=2), "rs", NOISY)
    found = json.loads(report.to_json())
    assert [row["name"] for row in found["rows"]] == [row.name for row in report.rows]
    assert found["verdict"] == report.verdict
    assert all(row.name in report.text() for row in report.rows)
    with pytest.raises(InputError, match="range"):
        report["nothing"]


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0.999, "green"), (1.0, "green"), (1.001, "amber"), (2.0, "amber"), (2.001, "red")],
)
def test_limits_are_where_they_are_said(value, verdict):
    assert graded("x", value, 1.0, 2.0, text="").verdict == verdict
    assert graded("x", -value, -1.0, -2.0, text="").verdict == verdict


def test_a_verdict_is_one_of_four():
    with pytest.raises(ValueError, match="verdict"):
        Row(name="x", verdict="blue", text="")


def test_wrong_input_is_told():
    with pytest.raises(InputError, match="Protocol"):
        check("photo.jpg", "rs")
    with pytest.raises(InputError, match="rig_preset"):
        check(picture(rows=1), "rs", 5)
    with pytest.raises(UnknownNameError, match="multiclamp_700b"):
        check(picture(rows=1), "rs", "multiclamp")
    clamp = Protocol(
        waveforms=np.full((1, 400), -0.07), rate=2e4, family="arbitrary", mode="voltage_clamp"
    )
    with pytest.raises(InputError, match="VoltageClamp"):
        check(clamp, "rs", RIG)
    still = Protocol(waveforms=np.zeros((2, 4000)), rate=2e4, family="arbitrary")
    assert not check(still, "passive", "multiclamp_700b").red
    with pytest.raises(UnknownNameError, match="rs"):
        check(picture(rows=1), "rss")
