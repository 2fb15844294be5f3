"""Feature vectors for comparing whole responses: waveforms, trains and steps of one length.

They are the vectors from which Gouwens et al. 2019 (doi:10.1038/s41593-019-0417-0) made
electrophysiological types, with the same bins, normalisations and interpolations as ipfx.
"""

from cleo_like.features.vectors.cell_vectors import (
    ABOVE_RHEOBASE,
    SPIKE_VECTORS,
    STEP_TARGETS,
    FeatureVectors,
    feature_vectors,
)
from cleo_like.features.vectors.steps import depolarised_norm, hyperpolarised_norm, step_vector
from cleo_like.features.vectors.trains import (
    instantaneous_rate,
    psth,
    spike_vector,
    spiking_rows,
)
from cleo_like.features.vectors.waveforms import first_ap, isi_shape, subsample

__all__ = [
    "ABOVE_RHEOBASE",
    "SPIKE_VECTORS",
    "STEP_TARGETS",
    "FeatureVectors",
    "depolarised_norm",
    "feature_vectors",
    "first_ap",
    "hyperpolarised_norm",
    "instantaneous_rate",
    "isi_shape",
    "psth",
    "spike_vector",
    "spiking_rows",
    "step_vector",
    "subsample",
]
