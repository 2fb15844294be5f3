"""How to drive a cell: shapes, standard families, pictures, and pictures read back."""

from cleo_like.core.protocol import Epoch, Protocol
from cleo_like.stimuli.build import with_test_pulse
from cleo_like.stimuli.design import Dac
from cleo_like.stimuli.families import (
    chirp,
    long_square,
    noise,
    pulse_train,
    ramp,
    sag_ladder,
    short_square,
    sine,
)
from cleo_like.stimuli.images.encode import from_image
from cleo_like.stimuli.images.relief import Agreement, Relief, relief
from cleo_like.stimuli.spec import parse_protocol
from cleo_like.stimuli.summary import protocol_summary
from cleo_like.stimuli.voltage import p_over_n, voltage_steps
from cleo_like.stimuli.waveforms import shapes
from cleo_like.stimuli.waveforms.shape import Shape, sum_of

__all__ = [
    "Agreement",
    "Dac",
    "Epoch",
    "Protocol",
    "Relief",
    "Shape",
    "chirp",
    "from_image",
    "long_square",
    "noise",
    "p_over_n",
    "parse_protocol",
    "protocol_summary",
    "pulse_train",
    "ramp",
    "relief",
    "sag_ladder",
    "shapes",
    "short_square",
    "sine",
    "sum_of",
    "voltage_steps",
    "with_test_pulse",
]
