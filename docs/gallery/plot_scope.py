"""
A population under the scope
============================

Sixty noisy cells in a slab of tissue, imaged at 30 frames a second; the truth lies beside what the scope saw.
"""

import brian2 as b2
from brian2 import Hz, second, um

import cleo_like as cl
from cleo_like.report import imaging_figure

b2.prefs.codegen.target = "numpy"  # no compiler needed for something this small
cells = b2.NeuronGroup(
    60, "dv/dt = (1.05 - v)/(60*ms) + 0.3*xi/sqrt(second) : 1", threshold="v > 1",
    reset="v = 0", method="euler",
)  # fmt: skip
cl.coords.assign_coords_rand_rect_prism(cells, (-0.1, 0.1), (-0.1, 0.1), (0.18, 0.22))
scope = cl.imaging.Scope(
    cl.imaging.calibrated.jgcamp8m(rand_seed=1),
    img_width=300 * um,
    focus_depth=200 * um,
    rand_seed=1,
)
sim = cl.CLSimulator(b2.Network(cells), seed=1).inject(scope, cells)
sim.set_io_processor(cl.RecordOnlyProcessor(sample_period=1 / (30 * Hz)))
sim.run(8 * second)
figure = imaging_figure(scope.traces())
