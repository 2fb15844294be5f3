"""The frozen nouns: equality, immutability, one-line reprs, clear refusals."""

import attrs
import numpy as np
import pytest
from brian2 import kHz, mV, pA

from cleo_like import core
from cleo_like.core import (
    Cell,
    Epoch,
    GroundTruth,
    InputError,
    Protocol,
    Provenance,
    Recording,
    Sweep,
    UnitError,
)


def sweep(**changes):
    fields = {"response": np.linspace(-0.07, -0.06, 100), "command": np.zeros(100), "rate": 2e4}
    return Sweep(**fields | changes)


def recording(**changes):
    fields = {"sweeps": [sweep(), sweep(number=1)], "cell": Cell(id="c1")}
    return Recording(**fields | {"provenance": Provenance(source="test")} | changes)


def protocol(**changes):
    fields = {"waveforms": np.zeros((2, 100)), "rate": 2e4, "family": "arbitrary"}
    return Protocol(**fields | changes)


def test_arrays_are_read_only_views():
    data = np.zeros(100)
    s = sweep(response=data)
    with pytest.raises(ValueError, match="read-only"):
        s.response[0] = 1.0
    data[0] = 1.0  # the caller's own array stays writeable
    assert np.shares_memory(s.response, data)


def test_fields_cannot_be_set():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        sweep().rate = 1.0
    with pytest.raises(TypeError):
        sweep(settings={"gain": 1.0}).settings["gain"] = 2.0


def test_equality_is_by_value_and_nan_equals_nan():
    assert sweep() == sweep()
    assert sweep(response=np.full(100, np.nan)) == sweep(response=np.full(100, np.nan))
    assert sweep() != sweep(rate=1e4)
    assert sweep() != sweep(command=None)
    assert recording() == recording()
    assert protocol() == protocol()
    assert protocol() != protocol(gap=0.1)


def test_float32_stays_float32():
    assert sweep(response=np.zeros(100, np.float32)).response.dtype == np.float32


def test_quantities_are_converted():
    s = sweep(response=np.full(100, -70) * mV, command=np.full(100, 20) * pA, rate=20 * kHz)
    np.testing.assert_allclose(s.response, -0.070)
    np.testing.assert_allclose(s.command, 20e-12)
    assert s.rate == pytest.approx(20e3)


def test_reprs_show_lab_units():
    assert repr(sweep(command=np.full(100, 5e-11))) == (
        "Sweep 0: current_clamp, 100 samples at 20 kHz (5 ms), -70..-60 mV, command 50..50 pA"
    )
    assert "2 sweeps, 5 ms at 20 kHz" in repr(recording())
    assert repr(protocol(waveforms=np.full((1, 200), 1e-11))) == (
        "Protocol arbitrary: 1 sweep of 10 ms at 20 kHz, 10..10 pA, gap 0 ms"
    )
    assert "no command" in repr(sweep(command=None))
    voltage_clamp = sweep(mode="voltage_clamp", response=np.full(100, 1e-10))
    assert "100..100 pA, command 0..0 mV" in repr(voltage_clamp)


REFUSED = [
    (lambda: sweep(command=np.zeros(99)), "must have the shape of the response"),
    (lambda: sweep(response=np.zeros((2, 50))), "must be 1-D"),
    (lambda: sweep(rate=0.0), "positive number of Hz, got 0"),
    (lambda: sweep(response=np.array(["a"])), "'a' is not a number with a unit"),
    (lambda: sweep(response=None), "real numbers are needed, got NoneType"),
    (lambda: sweep(number=1.5), "number must be a whole number"),
    (lambda: protocol(epochs=[1]), "epochs must be a list of Epoch, got int"),
    (lambda: protocol(parameters=[1]), "must be a mapping of names to values, got list"),
    (lambda: protocol(gap=np.nan), "gap must be 0 s or more"),
    (lambda: Epoch(name="step", start=0.5, stop=5), "start must be a whole number, got 0.5"),
    (lambda: GroundTruth(spike_times=[0.1, 0.2]), "a list of one array for each sweep"),
    (lambda: Cell(id=""), "text that is not empty"),
    (lambda: Cell(id="c", sex="male"), "sex must be one of M, F, U, O"),
    (lambda: protocol(waveforms=np.zeros(5)), r"shape \(n_sweeps, n_samples\), got \(5,\)"),
    (lambda: protocol(waveforms=np.array([[0, np.nan]])), "sweep 0 is nan at sample 1"),
    (lambda: protocol(family="squares"), "family must be one of long_square"),
    (lambda: protocol(gap=-1.0), "gap must be 0 s or more"),
    (lambda: Epoch(name="step", start=5, stop=5), "0 <= start < stop"),
    (
        lambda: protocol(epochs=[Epoch(name="step", start=0, stop=101)]),
        "ends after the sweep of 100 samples",
    ),
    (
        lambda: protocol(epochs=[Epoch(name="step", start=0, stop=5, levels=[1.0])]),
        "needs one level per sweep",
    ),
    (lambda: GroundTruth(spike_times=[[]], voltage=[[], []]), "one array per sweep"),
    (
        lambda: recording(truth=GroundTruth(spike_times=[np.zeros(0)])),
        "truth has 1 sweeps but the recording has 2",
    ),
    (lambda: protocol().epoch("step"), "has no epoch 'step'; it has: none"),
    (lambda: recording(sweeps=[]).stacked(), "no sweep to stack"),
    (lambda: recording(sweeps=[sweep(), sweep(rate=1e4)]).stacked(), "differ in rate"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_wrong_input_is_refused_with_the_reason(make, message):
    with pytest.raises((InputError, UnitError), match=message):
        make()


def test_one_note_is_one_note():
    assert sweep(notes="seal lost").notes == ("seal lost",)
    assert sweep(notes=None).notes == recording(findings=None).findings == ()


def test_stacked_gives_arrays():
    stacked = recording().stacked()
    assert stacked.response.shape == stacked.command.shape == (2, 100)
    assert stacked.numbers == (0, 1)
    assert recording(sweeps=[sweep(), sweep(command=None)]).stacked().command is None


def test_unknown_fields_of_a_cell_are_counted():
    assert Cell(id="c").unknown == (
        "species", "region", "temperature", "donor", "age", "sex", "source",
    )  # fmt: skip


def test_protocol_description_round_trip():
    p = protocol(
        epochs=[Epoch(name="step", start=10, stop=20, levels=[1e-12, 2e-12])],
        gap=0.25,
        parameters={"amplitudes": [1, 2]},
        picture=np.array([[0.0, 1.0], [0.5, 0.25]]),
    )
    assert Protocol.from_description(p.description(), p.waveforms, p.picture) == p


def test_provenance_json_round_trip():
    p = Provenance(
        source="simulation", software={"numpy": "2"}, parameters={"a": [1.0, None]}, seed=3
    )
    assert Provenance.from_json(p.to_json()) == p


def nouns():
    return [c for c in vars(core).values() if isinstance(c, type) and attrs.has(c)]


@pytest.mark.parametrize("noun", nouns())
def test_no_noun_shares_a_mutable_default(noun):
    for field in attrs.fields(noun):
        assert not isinstance(field.default, (list, dict, set, np.ndarray)), field.name
    assert noun.__setattr__ is not object.__setattr__, "must be frozen"
