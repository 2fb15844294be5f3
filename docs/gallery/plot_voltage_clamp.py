"""
Currents in voltage clamp
=========================

Steps through a pipette with 8 MOhm, 70 % corrected; leak subtracted by P/4; the I-V curve says where the series resistance made a
point doubtful.
"""

import cleo_like as cl
from cleo_like.features.clamp import subtract_leak
from cleo_like.report import current_voltage_figure
from cleo_like.stimuli import p_over_n, voltage_steps

steps = voltage_steps(
    [f"{v} mV" for v in range(-90, 31, 10)], holding="-80 mV", duration="20 ms"
)
clamp = cl.rig_preset("multiclamp_700b", "voltage_clamp", access_resistance="8 MOhm")
(recording,) = cl.record("rs", p_over_n(steps), electrode=clamp, seed=1, progress=False)
figure = current_voltage_figure(subtract_leak(recording))
