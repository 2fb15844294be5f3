"""What figures and notebook cards hold: panels, words, limits and every drawn course."""

import re

import attrs
import matplotlib.pyplot as plt
import numpy as np
import pytest

import cleo_like as cl
from cleo_like.core import Cell, Provenance, Recording, Sweep
from cleo_like.core.errors import CleoLikeError
from tests.frozen.answers import agrees, plain, summary

FEW = {"rate": "10 kHz", "before": "50 ms", "after": "50 ms"}
GREY = np.outer(np.linspace(0, 1, 6), np.linspace(1, 0.2, 40))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def facts(figure):
    """Everything that somebody would see change."""
    figure.draw_without_rendering()
    found = {
        "size": plain(figure.get_size_inches()),
        "titles": [t.get_text() for t in figure.texts],
    }
    if figure._suptitle is not None:
        found["title"] = figure._suptitle.get_text()
    for k, ax in enumerate(figure.axes):
        legend = ax.get_legend()
        found[f"panel {k}"] = {
            "words": [ax.get_title(), ax.get_xlabel(), ax.get_ylabel()],
            "limits": plain([*ax.get_xlim(), *ax.get_ylim()]),
            "ticks": [t.get_text() for t in (*ax.get_xticklabels(), *ax.get_yticklabels())],
            "lines": [
                [*summary(line.get_xdata()), *summary(line.get_ydata()),
                 str(line.get_color()), line.get_linestyle(), str(line.get_marker())]
                for line in ax.lines
            ],
            "images": [[list(im.get_array().shape), summary(im.get_array()), plain(im.get_extent())]
                       for im in ax.images],
            "marks": [[type(c).__name__, len(c.get_paths())] for c in ax.collections],
            "texts": [t.get_text() for t in ax.texts],
            "legend": [] if legend is None else [t.get_text() for t in legend.get_texts()],
        }  # fmt: skip
    return found


def card(shown):
    """A notebook's card without its pictures."""
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "picture", shown._repr_html_())


def sweep(k=0, **more):
    t = np.arange(2000) / 1e4
    step = np.where((t >= 0.05) & (t < 0.15), (k - 1) * 3e-11, 0.0)
    v = -0.07 + 1e8 * step * (1 - np.exp(-np.maximum(t - 0.05, 0) / 0.02))
    if k == 3:
        v[700:705] = [-0.03, 0.02, 0.03, -0.01, -0.05]
    given = {"response": v, "command": step, "rate": 1e4, "number": k} | more
    return Sweep(**given)


def clamped(**more):
    t = np.arange(1500) / 1e4
    level = np.where((t >= 0.03) & (t < 0.1), -0.05, -0.07)
    return Sweep(response=(level + 0.07) * 5e-9, command=level, rate=1e4, mode="voltage_clamp",
                 **more)  # fmt: skip


def recording(sweeps, **more):
    return Recording(sweeps=sweeps, cell=Cell(id="c", species="Mus musculus", region="CA1"),
                     provenance=Provenance(source="x"), **more)  # fmt: skip


UNEVEN = [sweep(0), sweep(1, command=None), sweep(2)]
HOLED = sweep(response=np.where(np.arange(2000) > 1500, np.nan, -0.07))
RECORDINGS = {
    "one": lambda: recording([sweep(2)]),
    "some": lambda: recording([sweep(k) for k in range(4)], findings=("a doubt",)),
    "many": lambda: recording([sweep(k) for k in range(30)]),
    "same": lambda: recording([sweep(2, number=k, start_time=k * 1.5) for k in range(3)]),
    "no_command": lambda: recording([sweep(k, command=None) for k in range(2)]),
    "uneven": lambda: recording(UNEVEN),
    "holed": lambda: recording([HOLED, sweep(1)]),
    "voltage_clamp": lambda: recording([clamped(number=k) for k in range(2)]),
    "both_clamps": lambda: recording([sweep(0), clamped(number=1)]),
    "slow": lambda: recording([sweep(k, rate=50.0) for k in range(2)]),
}
PROTOCOLS = {
    "steps": lambda: cl.long_square(["-50 pA", "0 pA", "50 pA"], duration="200 ms", **FEW),
    "steps_held": lambda: cl.long_square(
        ["-50 pA", "50 pA"], duration="200 ms", holding="-20 pA", test_pulse="-10 pA", **FEW
    ),
    "ramp": lambda: cl.ramp("100 pA/s", duration="400 ms", **FEW),
    "chirp": lambda: cl.chirp("30 pA", duration="1 s", stop="20 Hz", **FEW),
    "noise": lambda: cl.noise("20 pA", seed=1, tau="3 ms", duration="300 ms", **FEW),
    "train": lambda: cl.pulse_train(["300 pA"] * 2, frequency="20 Hz", **FEW),
    "picture": lambda: cl.from_image(GREY, "200 ms", "10 kHz", amplitude=("0 pA", "50 pA")),
    "wide_picture": lambda: cl.from_image(
        GREY[:2], "400 ms", "10 kHz", amplitude=("0 pA", "50 pA")
    ),
    "voltage": lambda: attrs.evolve(
        cl.long_square(["-50 pA"], duration="200 ms", **FEW),
        waveforms=np.full((1, 3000), -0.07), mode="voltage_clamp", epochs=(), holding=-0.07,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings(name):
    made = RECORDINGS[name]()
    answer = {"card": card(made), "line": repr(made)}
    times = [np.array([0.07, 0.08])] * made.n_sweeps if name != "same" else None
    try:
        answer["figure"] = facts(np.ravel(made.plot(spikes=times))[0].figure.figure)
    except CleoLikeError as error:
        answer["figure"] = str(error)
    agrees(f"figure_{name}", answer)


def test_sweeps():
    answer = {}
    for name, one in {"plain": sweep(3), "bare": sweep(command=None), "holed": HOLED,
                      "clamped": clamped(), "settings": sweep(settings={"gain": 2.0},
                      notes=("a note",), stimulus="x"), "empty": sweep(response=[], command=[]),
                      }.items():  # fmt: skip
        answer[name] = {"card": card(one), "line": repr(one)}
        if one.n_samples:
            found = np.ravel(one.plot(spikes=np.array([0.07, 0.199])))
            answer[name]["figure"] = facts(found[0].figure)
    agrees("figure_sweeps", answer)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols(name):
    made = PROTOCOLS[name]()
    answer = {"figure": facts(made.plot().figure), "card": card(made), "line": repr(made)}
    agrees(f"figure_protocol_{name}", answer)


def test_traces():
    rng, answer = np.random.default_rng(0), {}
    for name, n, frames in (("few", 3, 50), ("many", 40, 30), ("one", 1, 20)):
        made = cl.Traces(
            fluorescence=rng.normal(1, 0.1, (n, frames)), times=np.arange(frames) * 0.1
        )
        answer[name] = {
            "figure": facts(made.plot().figure), "card": card(made), "line": repr(made),
        }  # fmt: skip
        answer[f"{name}, 2"] = facts(made.plot(most=2).figure)
    agrees("figure_traces", answer)
