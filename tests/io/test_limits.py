"""Limits of the readers, each with a case just inside and one just outside."""

from __future__ import annotations

import numpy as np
import pytest

from cleo_like import Sweep, stimuli
from cleo_like.io.facts import restored_protocol
from cleo_like.io.findings.plausibility import unit_findings


@pytest.mark.parametrize(
    ("rest", "found"), [(-119, False), (-121, True), (-10.5, False), (-9.5, True), (25, True)]
)
def test_where_a_membrane_can_rest(rest, found):
    command = np.zeros(2000)
    command[500:1500] = 1e-11
    sweep = Sweep(response=np.full(2000, rest * 1e-3), command=command, rate=1e4)
    assert bool(unit_findings([sweep])) == found


@pytest.mark.parametrize(("off", "same"), [(0.9e-4, True), (1.1e-4, False)])
def test_commands_that_rounding_explains_are_the_protocol(off, same):
    """A ten-thousandth of the largest command: ABF rounds to half of 1/32000."""
    protocol = stimuli.long_square(["-50 pA", "100 pA"], rate="5 kHz", duration="200 ms")
    commands = protocol.waveforms + off * 100e-12
    back = restored_protocol(protocol.description(), {}, commands)
    assert np.array_equal(back.waveforms, protocol.waveforms) == same
