"""Neurodata Without Borders, two-photon imaging: reading and writing."""
