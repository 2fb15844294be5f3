"""
Impedance of a cell with I_h
============================

A chirp of 20 pA gives the impedance in one sweep; the resonance of a cell with I_h is seen beside one without.
"""

import matplotlib.pyplot as plt

import cleo_like as cl
from cleo_like.features import impedance

chirp = cl.chirp("20 pA", stop="20 Hz", duration="10 s", rate="5 kHz", after="1.5 s")
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for recording in cl.record(["sag", "passive"], chirp, seed=1, progress=False):
    z = impedance(recording)
    ax.plot(
        z.frequency,
        z.magnitude,
        label=f"{recording.cell.id}, {z.values['resonance_frequency']:.1f} Hz",
    )
ax.set(xlabel="frequency (Hz)", ylabel="impedance (MOhm)", ylim=(0, None))
ax.legend()
