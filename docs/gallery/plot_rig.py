"""
What a rig does to a spike
==========================

The same cell and the same step, seen by an ideal electrode and by pipettes: the pipette's capacitance slows the spike, a bridge that
is short adds the voltage of the access resistance.
"""

import cleo_like as cl
from cleo_like.report import artefact_figure

step = cl.parse_protocol(
    "long_square amplitudes=600pA duration=50ms before=20ms after=20ms rate=50kHz"
)
rigs = {
    "ideal": cl.IdealElectrode(),
    "10 MOhm, 90 % neutralised": cl.rig_preset("multiclamp_700b"),
    "not neutralised": cl.rig_preset("multiclamp_700b", neutralisation=0.0),
    "bridge 5 MOhm short": cl.rig_preset("multiclamp_700b", bridge="5 MOhm"),
}
figure = artefact_figure(
    {
        name: cl.record("rs", step, electrode=rig, seed=1, progress=False)[0]
        for name, rig in rigs.items()
    }
)
