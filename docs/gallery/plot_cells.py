"""
Six kinds of cells
==================

Strongest step, first step with a spike, and all steps without, of six cells of the library.
"""

import cleo_like as cl
from cleo_like.report import cells_figure

steps = cl.parse_protocol(
    "long_square amplitudes=-100:400:50pA duration=0.6s before=0.2s after=0.2s rate=20kHz"
)
cells = ["rs", "broad_rs", "narrow_fs", "long_latency", "stuttering", "sag"]
figure = cells_figure(cl.record(cells, steps, seed=1, progress=False))
