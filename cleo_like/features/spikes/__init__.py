"""Spikes: where they are, what shape they have, one table for all."""

from cleo_like.features.spikes.table import SpikeTable, spike_features

__all__ = ["SpikeTable", "spike_features"]
