"""Pictures as current: what a rig and a membrane get."""

from __future__ import annotations

import json

import numpy as np
import pytest
from brian2 import kHz, ms, mV, pA, second
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from PIL import Image

from cleo_like.core.errors import InputError, UnitError
from cleo_like.core.provenance import hash_of, to_json
from cleo_like.stimuli import Dac, from_image


def picture_part(protocol):
    epoch = protocol.epoch("picture")
    return protocol.waveforms[:, epoch.start : epoch.stop]


def column_means(protocol):
    rows, columns = protocol.picture.shape
    return picture_part(protocol).reshape(rows, columns, -1).mean(axis=2)


def test_black_and_white_are_the_two_amplitudes():
    card = np.array([[0, 255, 128]], dtype=np.uint8)
    protocol = from_image(
        card, 0.3 * second, 10 * kHz, amplitude=(-5 * pA, 15 * pA), interpolation="hold",
        percentiles=(0, 100),
    )  # fmt: skip
    assert protocol.picture[0] == pytest.approx([0, 1, 128 / 255])
    assert column_means(protocol)[0] * 1e12 == pytest.approx([-5, 15, -5 + 20 * 128 / 255])


def test_row_k_is_sweep_k_and_columns_run_in_time(test_card):
    protocol = from_image(test_card, "0.64 s", "10 kHz", interpolation="hold")
    assert protocol.picture.shape == (48, 64)
    assert protocol.n_sweeps == 48
    expected = -10 + 20 * protocol.picture
    assert_allclose(column_means(protocol) * 1e12, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("duration", "rate"), [("0.3 s", "10 kHz"), ("0.5 s", "50 kHz")])
def test_the_picture_has_round_not_int_samples(duration, rate):
    # int(0.3 / (1 / 10000)) is 2999 and int(0.5 / (1 / 50000)) is 24999
    protocol = from_image(np.eye(3), duration, rate)
    expected = {"0.3 s": 3000, "0.5 s": 25_000}[duration]
    assert picture_part(protocol).shape[1] == expected


def test_a_rate_that_does_not_divide_the_duration_names_the_neighbours():
    with pytest.raises(InputError, match=r"use 33\.3 ms .* or 33\.4 ms"):
        from_image(np.eye(3), "33.33 ms", "10 kHz")


def test_amplitudes_in_the_wrong_order_point_to_polarity():
    with pytest.raises(InputError, match=r"got 10\.\.-10 pA; polarity='inverted'"):
        from_image(np.eye(3), "1 s", "1 kHz", amplitude=("10 pA", "-10 pA"))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"amplitude": (-10, 10)}, r"amplitude=-10 has no unit; did you mean -10\*pA"),
        ({"holding": 5}, "holding=5 has no unit"),
        ({"tau": 0.02}, r"tau=0\.02 has no unit"),
        ({"low_pass": 30}, "low_pass=30 has no unit"),
        ({"gap": 0}, "gap=0 has no unit"),
        ({"amplitude": ("-1 mV", "1 mV")}, "expected a unit of A"),
    ],
)
def test_bare_numbers_and_wrong_units_are_refused(arguments, match):
    with pytest.raises(UnitError, match=match):
        from_image(np.eye(3), "1 s", "1 kHz", **arguments)
    with pytest.raises(UnitError, match="sweep_duration=1 has no unit"):
        from_image(np.eye(3), 1, "1 kHz")


def test_polarity_turns_the_picture_round(test_card):
    normal = from_image(test_card, "0.1 s", "10 kHz")
    inverted = from_image(test_card, "0.1 s", "10 kHz", polarity="inverted")
    assert inverted.picture == pytest.approx(1 - normal.picture)
    assert_allclose(inverted.waveforms, -normal.waveforms, rtol=0, atol=1e-24)


def test_holding_is_added_and_filled_in_everywhere(test_card):
    protocol = from_image(test_card, "0.1 s", "10 kHz", holding="60 pA", tau="20 ms")
    plain = from_image(test_card, "0.1 s", "10 kHz", tau="20 ms")
    assert protocol.holding == 60e-12
    assert_allclose(protocol.waveforms - 60e-12, plain.waveforms, rtol=0, atol=1e-24)


@settings(max_examples=40)
@given(
    duration=st.integers(20, 3000),
    tau=st.one_of(st.none(), st.integers(1, 60)),
    balance=st.sampled_from(["none", "mean", "tail"]),
    before=st.one_of(st.none(), st.integers(900, 2000)),
)
def test_rests_are_exact_and_long_enough(duration, tau, balance, before):
    protocol = from_image(
        np.eye(4), f"{duration} ms", "2 kHz",
        tau=None if tau is None else f"{tau} ms", charge_balance=balance,
        before=None if before is None else f"{before} ms", holding="-7 pA",
    )  # fmt: skip
    outside = np.ones(protocol.n_samples, dtype=bool)
    for epoch in protocol.epochs:
        outside[epoch.start : epoch.stop] = False
    assert (protocol.waveforms[:, outside] == -7e-12).all()
    first, last = protocol.epochs[0].start, protocol.epochs[-1].stop
    settling = (0.1 if tau is None else 5e-3 * tau) * protocol.rate
    assert protocol.n_samples - last >= protocol.n_samples / 64 + settling - 1e-6
    if before is None:
        assert first >= protocol.n_samples / 64 + settling - 1e-6
    else:
        assert protocol.epoch("picture").start == 2 * before
    summary = protocol.parameters["summary"]
    assert min(summary["rest_before"], summary["rest_after"]) >= summary["rest_needed"]


def test_a_rest_that_clampex_would_cut_is_refused():
    with pytest.raises(InputError, match=r"before of 10 ms is too short: .* \(1/64"):
        from_image(np.eye(3), "1 s", "10 kHz", before="10 ms")
    with pytest.raises(InputError, match="after of 0 ms is too short"):
        from_image(np.eye(3), "1 s", "10 kHz", after="0 s")


def test_pauses_between_sweeps_default_to_a_quarter_second():
    assert from_image(np.eye(3), "1 s", "1 kHz").gap == 0.25
    assert from_image(np.eye(3), "1 s", "1 kHz", gap="0 s").gap == 0.0


def test_pre_emphasis_draws_the_smoothed_picture_on_an_rc_membrane(test_card, play):
    protocol = from_image(test_card, "0.64 s", "10 kHz", tau="20 ms")
    assert protocol.parameters["drive"]["low_pass"] == pytest.approx(30.0)
    direct = from_image(
        test_card, "0.64 s", "10 kHz", low_pass="30 Hz", before="200 ms", after="200 ms"
    )
    voltage = play(protocol).stacked().response + 0.07
    epoch, plain = protocol.epoch("picture"), direct.epoch("picture")
    # V / R of the pre-emphasised command is the filtered command of the direct one
    assert_allclose(
        voltage[:, epoch.start : epoch.stop] / 200e6,
        direct.waveforms[:, plain.start : plain.stop],
        rtol=0,
        atol=1e-18,
    )


def test_pre_emphasis_without_a_filter_starts_one_sample_early_to_be_exact(play, test_card):
    protocol = from_image(
        test_card, "0.64 s", "10 kHz", tau="20 ms", low_pass=None, interpolation="hold"
    )
    epoch = protocol.epoch("picture")
    assert protocol.epoch("lead_in").stop - protocol.epoch("lead_in").start == 1
    voltage = play(protocol).stacked().response[:, epoch.start : epoch.stop] + 0.07
    target = 200e6 * np.repeat(-10e-12 + 20e-12 * protocol.picture, 100, axis=1)
    assert_allclose(voltage, target, rtol=0, atol=1e-9)


def test_voltage_amplitudes_need_a_resistance():
    by_current = from_image(np.eye(3), "1 s", "1 kHz", amplitude=("-10 pA", "10 pA"))
    by_voltage = from_image(
        np.eye(3), "1 s", "1 kHz", amplitude=(-2 * mV, 2 * mV), resistance="200 Mohm"
    )
    assert_allclose(by_voltage.waveforms, by_current.waveforms, rtol=0, atol=1e-22)


def test_a_peak_sets_the_low_pass_and_is_kept(test_card):
    protocol = from_image(test_card, "0.64 s", "10 kHz", tau="20 ms", peak="25 pA")
    assert 11e-12 < np.abs(protocol.waveforms).max() <= 25e-12
    assert protocol.parameters["drive"]["low_pass"] < 30
    with pytest.raises(InputError, match="above the peak of 15 pA"):
        from_image(test_card, "0.64 s", "10 kHz", tau="20 ms", peak="15 pA", low_pass="100 Hz")
    with pytest.raises(InputError, match="above the peak of 9 pA"):
        from_image(test_card, "0.64 s", "10 kHz", peak="9 pA")


@pytest.mark.parametrize("tau", [None, 20 * ms])
@pytest.mark.parametrize("balance", ["mean", "tail"])
def test_charge_balance_leaves_no_charge_in_any_sweep(test_card, balance, tau):
    protocol = from_image(test_card, "0.2 s", "10 kHz", charge_balance=balance, tau=tau)
    loose = from_image(test_card, "0.2 s", "10 kHz", tau=tau)
    charge = protocol.waveforms.sum(axis=1) / protocol.rate
    assert np.abs(charge).max() < 1e-20
    assert loose.parameters["summary"]["charge"] > 1e-14
    if balance == "tail":
        assert_allclose(picture_part(protocol), picture_part(loose), rtol=0, atol=1e-22)
        tail = protocol.epoch("tail")
        assert np.abs(tail.levels).max() <= 10e-12 * (1 + 1e-9)


def test_a_converter_rounds_and_refuses(test_card):
    dac = Dac("4096 pA")
    fine = from_image(test_card, "0.1 s", "10 kHz", holding="0.1 pA")
    played = from_image(test_card, "0.1 s", "10 kHz", holding="0.1 pA", dac=dac)
    codes = played.waveforms / dac.lsb
    assert_allclose(codes, np.rint(codes), rtol=0, atol=1e-6)
    assert np.abs(played.waveforms - fine.waveforms).max() <= dac.lsb / 2 * (1 + 1e-9)
    assert played.holding * 1e12 == pytest.approx(0.125)
    assert (played.waveforms[:, :100] == played.holding).all()
    assert played.parameters["summary"]["codes_used"] <= 162
    with pytest.raises(InputError, match="the DAC plays"):
        from_image(test_card, "0.1 s", "10 kHz", amplitude=("0 nA", "5 nA"), dac=dac)


def test_every_parameter_and_the_hash_are_written(tmp_path, test_card):
    path = tmp_path / "card.png"
    Image.fromarray((255 * test_card).astype(np.uint8)).save(path)
    protocol = from_image(path, "0.1 s", "10 kHz", tau="20 ms", rows=12, dac=Dac())
    assert protocol.name == "card"
    assert protocol.source == "picture card.png"
    written = json.loads(to_json(protocol.description()))["parameters"]
    assert written["picture"] == {
        "name": "card.png", "mode": "L", "shape": [192, 256], "hash": hash_of(path),
    }  # fmt: skip
    assert (written["rows"], written["columns"]) == (12, 16)
    assert written["drive"]["tau"] == pytest.approx(0.02)
    assert written["dac"]["bits"] == 16
    assert str(tmp_path) not in to_json(protocol.description())


def test_rotation_keeps_the_whole_picture():
    wide = np.tile(np.linspace(0, 1, 60), (30, 1))  # grey grows to the right
    turned = from_image(wide, "0.1 s", "10 kHz", rotate=90)
    assert turned.picture.shape == (48, 24)
    # counterclockwise: the right edge comes to the top
    assert turned.picture[0].min() > 0.97
    assert turned.picture[-1].max() < 0.03


def test_subsampling_is_an_option(test_card):
    mean = from_image(test_card, "0.1 s", "10 kHz", rows=24)
    taken = from_image(test_card, "0.1 s", "10 kHz", rows=24, subsample=True)
    assert np.abs(mean.picture - taken.picture).max() > 0.1


@pytest.mark.parametrize("picture", [np.full((5, 5), 0.3), np.zeros((1, 1))])
def test_a_constant_picture_is_an_error(picture):
    with pytest.raises(InputError, match="the picture is constant"):
        from_image(picture, "1 s", "1 kHz")


def test_one_pixel_row_and_one_column_work():
    assert from_image(np.array([[0.0, 1.0]]), "0.1 s", "1 kHz").n_sweeps == 1
    column = from_image(np.array([[0.0], [1.0]]), "0.1 s", "1 kHz")
    assert column.picture.tolist() == [[0.0], [1.0]]
    assert picture_part(column)[1] * 1e12 == pytest.approx([10] * 100)


def test_unknown_choices_are_refused():
    with pytest.raises(
        InputError, match="charge_balance must be one of 'none', 'mean', 'tail'"
    ):
        from_image(np.eye(3), "1 s", "1 kHz", charge_balance="row")
