"""
A family of current steps
=========================

One call draws a recording: responses above, commands below, units on the axes, spikes marked.
"""

import cleo_like as cl

steps = cl.parse_protocol(
    "long_square amplitudes=-100:400:100pA duration=0.6s before=0.2s after=0.2s rate=50kHz"
)
(recording,) = cl.record("rs", steps, electrode="multiclamp_700b", seed=1, progress=False)
recording.plot()
