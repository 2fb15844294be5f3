"""
A photograph drawn by a neuron
==============================

A photograph becomes 32 sweeps of current; a regular-spiking cell draws it with its membrane potential. The surface is the
recording itself, one row a sweep.
"""

from matplotlib.cbook import get_sample_data

import cleo_like as cl
from cleo_like.report import relief_figure

photo = get_sample_data("grace_hopper.jpg", asfileobj=False)
stimulus = cl.from_image(
    photo, "0.5 s", "10 kHz", amplitude=("-60 pA", "60 pA"), rows=32, columns=64
)
electrode = cl.IdealElectrode(noise="0.1 mV", lowpass="2 kHz")
(recording,) = cl.record("rs", stimulus, electrode=electrode, seed=1, progress=False)
figure = relief_figure(cl.relief(recording), recording)
