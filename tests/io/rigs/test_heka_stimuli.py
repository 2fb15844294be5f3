"""Stimuli of PatchMaster, drawn segment by segment: what can be, and what is not guessed."""

import numpy as np
import pytest

from cleo_like.core.sweep import ClampMode
from cleo_like.io.rigs.heka import _command, _drawn, _signal
from cleo_like.io.rigs.heka_tree import Node, tree_at
from tests.io.rigs.heka_maker import STIMULUS, node, record, tree

RATE = 1e3
PLAIN = {"at_5": ("B", 1), "at_20": ("d", 1.0), "at_48": ("d", 1.0)}


def segment(value, seconds, **more):
    fields = {"at_8": ("d", value), "at_36": ("d", seconds)} | PLAIN | more
    return node(record(96, "<", **fields), [], "<")


def stimulus(*segments, unit=b"A", flags=1, holding=0.0):
    """Give the stimulus tree with one channel of those segments."""
    fields = {"at_40": ("8s", unit), "at_48": ("d", holding), "at_76": ("H", flags)}
    channel = node(record(400, "<", **fields), list(segments), "<")
    own = node(record(280, "<"), [channel], "<")
    return tree_at(tree(STIMULUS, node(record(584, "<"), [own], "<"), "<"), 0)


def drawn(*segments, k=0, unit="A", **more):
    channel = stimulus(*segments, unit=unit.encode(), **more).children[0].children[0]
    return _drawn(channel, k, RATE, unit)


def test_levels_and_durations_grow_from_sweep_to_sweep():
    step = segment(0.1, 0.003, at_28=("d", 0.05), at_56=("d", 0.001))
    for k in range(3):
        found, why = drawn(segment(0.0, 0.002), step, k=k)
        assert why == ""
        assert found == pytest.approx([0, 0, *[(0.1 + 0.05 * k) * 1e-9] * (3 + k)])


def test_potentials_are_in_volts():
    found, _ = drawn(segment(-0.08, 0.002), unit="V")
    assert found.tolist() == [-0.08, -0.08]


def test_a_ramp_goes_from_the_level_before_to_its_own():
    """Also from one that was not stored, and from holding where it is the first."""
    ramp = segment(0.4, 0.004, at_4=("B", 1))
    found, _ = drawn(segment(0.2, 0.002), ramp)
    assert found * 1e9 == pytest.approx([0.2, 0.2, 0.2, 0.25, 0.3, 0.35])
    found, _ = drawn(segment(0.0, 0.002, at_5=("B", 0)), ramp)
    assert found * 1e9 == pytest.approx([0, 0.1, 0.2, 0.3])
    found, _ = drawn(ramp, unit="V", holding=-0.4)
    assert found == pytest.approx([-0.4, -0.2, 0, 0.2])


def test_levels_may_be_relative_to_holding_or_holding_itself():
    held = segment(0.7, 0.001, at_16=("i", 1))
    found, _ = drawn(held, segment(0.1, 0.001), unit="V", holding=-0.06)
    assert found == pytest.approx([-0.06, 0.1])
    found, _ = drawn(held, segment(0.1, 0.001), unit="V", holding=-0.06, flags=3)
    assert found == pytest.approx([-0.06, 0.04])


@pytest.mark.parametrize(
    ("fields", "flags", "text"),
    [({"at_4": ("B", 2)}, 1, "class 2, neither constant nor ramp"),
     ({"at_28": ("d", 0.1), "at_6": ("B", 1)}, 1, "do not increase"),
     ({"at_56": ("d", 0.1), "at_7": ("B", 2)}, 1, "do not increase"),
     ({"at_28": ("d", 0.1), "at_20": ("d", 1.5)}, 1, "change by a factor"),
     ({"at_56": ("d", 0.1), "at_48": ("d", 2.0)}, 1, "change by a factor"),
     ({"at_16": ("i", 2)}, 1, "parameters of the rig"),
     ({"at_44": ("i", 2)}, 1, "parameters of the rig"),
     ({}, 0, "scaled in another way"), ({}, 2, "scaled in another way"),
     ({}, 5, "is a file"), ({}, 4, "is a file")],
)  # fmt: skip
def test_what_is_not_guessed(fields, flags, text):
    found, why = drawn(segment(0.1, 0.002, **fields), flags=flags)
    assert found is None
    assert text in why


@pytest.mark.parametrize(
    "fields",
    [{"at_6": ("B", 1)}, {"at_7": ("B", 2)}, {"at_20": ("d", 1.5)}, {"at_48": ("d", 2.0)},
     {"at_28": ("d", 0.1), "at_20": ("d", 0.0)}],
)  # fmt: skip
def test_how_levels_change_does_not_matter_where_they_stay(fields):
    assert drawn(segment(0.1, 0.001, **fields))[0] == pytest.approx([0.1e-9])


def test_no_segments_are_no_samples():
    assert drawn()[0].size == 0


@pytest.mark.parametrize(
    ("n", "known"), [(5, True), (6, True), (7, True), (8, False), (4, False)]
)
def test_a_stimulus_may_be_a_sample_longer_or_shorter(n, known):
    """The last sample stays; six are drawn."""
    top = stimulus(segment(0.0, 0.003), segment(0.2, 0.003))
    sweep = Node(record(288, "<", at_40=("i", 1)), 0, 288, "<")
    found, said = _command((sweep, 0, top), ClampMode.CURRENT, RATE, n)
    if known:
        assert found * 1e9 == pytest.approx([0, 0, 0, *[0.2] * (n - 3)])
        assert "reconstructed" in said
    else:
        assert found is None
        assert f"the stimulus has 6 samples, the sweep {n}" in said


@pytest.mark.parametrize(("number", "text"), [(0, None), (2, None), (-1, None), (1, "is in V")])
def test_a_sweep_without_a_stimulus_of_its_own(number, text):
    top = stimulus(segment(0.0, 0.003))
    sweep = Node(record(288, "<", at_40=("i", number)), 0, 288, "<")
    found, said = _command((sweep, 0, top), ClampMode.VOLTAGE, RATE, 3)
    assert found is None
    assert said == "the file does not tell the command" + (
        "" if text is None else ": no output of the stimulus is in V"
    )
    assert _command((sweep, 0, None), ClampMode.VOLTAGE, RATE, 3)[0] is None


@pytest.mark.parametrize(("block", "skip"), [(0, 0), (8, 24), (20, 30), (6, 6), (8, 4)])
@pytest.mark.parametrize(("code", "kind"), [(0, "i2"), (1, "i4"), (2, "f4"), (3, "f8")])
def test_samples_of_every_kind_together_or_in_blocks(block, skip, code, kind):
    values = np.arange(-5, 6).astype(f"<{kind}")
    raw = values.tobytes()
    if skip > block > 0:  # blocks of one trace between those of others
        size = -(-len(raw) // block)
        parts = [raw[k * block : (k + 1) * block] for k in range(size)]
        raw = b"".join(part + b"\x55" * (skip - block) for part in parts)
    start = 7
    trace = record(
        512, "<", at_4=("32s", b"Vmon"), at_40=("i", start), at_44=("i", 11),
        at_64=("H", 1), at_70=("B", code), at_72=("d", 0.5), at_96=("8s", b"mV"),
        at_292=("i", block), at_296=("i", skip),
    )  # fmt: skip
    found = _signal(b"\x99" * start + raw, Node(trace, 0, 512, "<"), ">")
    assert found.values == pytest.approx(np.arange(-5, 6) * 0.5e-3)
    assert (found.name, found.unit) == ("Vmon", "V")
