"""
Simulated cells on a map
========================

Six populations of the library, measured as recorded cells are, on a frozen map; new cells are placed on it.
"""

import matplotlib.pyplot as plt

import cleo_like.atlas as at

atlas = at.simulated_atlas()
figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
for kind in atlas.classes:
    here = (atlas.cells["label"] == kind).to_numpy()
    ax.scatter(*atlas.xy[here].T, s=14, label=kind)
ax.set(xlabel="map x", ylabel="map y")
ax.legend(fontsize=9)
