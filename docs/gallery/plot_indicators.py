"""
One spike, six indicators
=========================

dF/F of one spike, by indicators that were fitted to paired recordings.
"""

import matplotlib.pyplot as plt
import numpy as np

from cleo_like.imaging import calibrated

times = np.arange(-0.1, 1.5, 2e-3)
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name in ("jgcamp8f", "jgcamp8m", "jgcamp8s", "jgcamp7f", "gcamp6f", "gcamp6s"):
    (dff,) = calibrated.calibrated_indicator(name).dff([0.0], [0], times, n=1)
    ax.plot(times, dff, label=name)
ax.set(xlabel="time from the spike (s)", ylabel="(F - F0)/F0")
ax.legend()
