"""What the models of cells and the nouns of the core say: answers, words, refusals."""

import numpy as np
import pytest

import cleo_like as cl
from cleo_like.cells import sag_at
from cleo_like.core import si, si_array
from cleo_like.core.errors import CleoLikeError
from tests.frozen.answers import agrees, plain

LINEAR = ("passive", "rs", "narrow_fs", "sag", "lts", "wang_buzsaki", "adex_tonic")
STEP = np.r_[np.zeros(50), np.full(100, 2e-11), np.zeros(50)]


def refused(make):
    """What is answered, in words; or the words of the refusal."""
    try:
        return repr(make())
    except CleoLikeError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("name", LINEAR)
def test_cells(name):
    model = cl.get_cell(name)
    answers = cl.known_answers(model)
    dynamics = cl.Dynamics(model)
    impedance = dynamics.impedance(np.array([0.5, 2.0, 5.0, 20.0, 100.0]))
    agrees(f"cell_{name}", {
        "model": repr(model), "answers": plain(answers), "words": repr(answers),
        "impedance": plain([impedance.real, impedance.imag]),
        "changed": plain(cl.known_answers(model, {next(iter(model.parameters)): 2 * next(iter(model.parameters.values()))})),
    })  # fmt: skip


def sweep(**more):
    return cl.Sweep(**{"response": np.full(200, -0.07), "command": STEP, "rate": 2e4, **more})


def protocol(**more):
    return cl.Protocol(**{
        "waveforms": np.array([STEP, 2 * STEP]), "rate": 2e4, "family": "long_square", **more
    })  # fmt: skip


QUESTIONS = {
    "sweep": lambda: sweep(),
    "sweep of two dimensions": lambda: sweep(response=np.zeros((2, 200))),
    "sweep with a short command": lambda: sweep(command=np.zeros(20)),
    "sweep at 0 Hz": lambda: sweep(rate=0.0),
    "sweep at -1 Hz": lambda: sweep(rate=-1.0),
    "sweep of NaN Hz": lambda: sweep(rate=np.nan),
    "sweep in kHz": lambda: sweep(rate="20 kHz"),
    "sweep in seconds": lambda: sweep(rate="20 s"),
    "sweep in voltage clamp": lambda: sweep(mode="voltage_clamp"),
    "sweep in no clamp": lambda: sweep(mode="clamp"),
    "sweep 1.5": lambda: sweep(number=1.5),
    "sweep of text": lambda: sweep(response="-70 mV"),
    "protocol": lambda: protocol(),
    "protocol of one dimension": lambda: protocol(waveforms=STEP),
    "protocol of no family": lambda: protocol(family="long_squre"),
    "protocol with a hole": lambda: protocol(waveforms=np.array([STEP, STEP * np.nan])),
    "protocol with a gap": lambda: protocol(gap=-1.0),
    "protocol, second sweep": lambda: protocol()[1].sum(),
    "protocol, third sweep": lambda: protocol()[2],
    "epoch": lambda: cl.Epoch(name="step", start=10, stop=20, levels=[1e-11]),
    "epoch that ends first": lambda: cl.Epoch(name="step", start=20, stop=10),
    "epoch before the start": lambda: cl.Epoch(name="step", start=-1, stop=10),
    "long squares": lambda: cl.long_square(["-20 pA", "40 pA"]),
    "long squares in mV": lambda: cl.long_square(["-20 mV"]),
    "long squares without length": lambda: cl.long_square(["20 pA"], duration="0 s"),
    "long squares of half a sample": lambda: cl.long_square(["20 pA"], duration="10 us"),
    "test pulse": lambda: cl.with_test_pulse(cl.long_square(["20 pA"]), "-10 pA"),
    "chirp": lambda: cl.chirp("20 pA", stop="20 Hz", duration="2 s"),
    "chirp beyond Nyquist": lambda: cl.chirp("20 pA", stop="20 kHz", duration="2 s"),
    "ramp": lambda: cl.ramp("25 pA/s", duration="1 s"),
    "ramp in pA": lambda: cl.ramp("25 pA", duration="1 s"),
    "train": lambda: cl.pulse_train(["500 pA"], frequency="50 Hz"),
    "train of pulses that touch": lambda: cl.pulse_train(["500 pA"], frequency="400 Hz"),
    "truth": lambda: cl.GroundTruth(spike_times=[[0.1], []], voltage=[STEP]),
    "cell": lambda: cl.Cell(id="a", sex="female", temperature="34 degC"),
    "cell without a name": lambda: cl.Cell(id=""),
    "cell of no sex": lambda: cl.Cell(id="a", sex="maybe"),
    "cell named wrongly": lambda: cl.get_cell("narow_fs"),
    "sag above rest": lambda: sag_at(cl.get_cell("sag"), "-40 mV"),
    "no such family": lambda: cl.parse_protocol("long_squares 20 pA"),
    "bare number": lambda: si(5, "A", "x"), "pA": lambda: si("5 pA", "A", "x"),
    "µA": lambda: si("-2.5 µA", "A", "x"), "mV for A": lambda: si("5 mV", "A", "x"),
    "no unit": lambda: si("5", "A", "x"), "no number": lambda: si("five pA", "A", "x"),
    "two numbers": lambda: si("5 6 pA", "A", "x"), "1/s": lambda: si("3 Hz", "Hz", "x"),
    "list": lambda: si_array(["5 pA", "1 nA"], "A", "x"),
    "mixed list": lambda: si_array(["5 pA", "1 mV"], "A", "x"),
    "bool": lambda: si(True, "A", "x"), "none": lambda: si(None, "A", "x"),
}  # fmt: skip


def test_words_and_refusals():
    agrees("words", {name: refused(ask) for name, ask in QUESTIONS.items()})
