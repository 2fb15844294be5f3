"""The shape of spikes from their spectra: Wiener filter, finer samples, bootstrap."""

from cleo_like.features.spikes.resampling.refine import Resampling, refined

__all__ = ["Resampling", "refined"]
