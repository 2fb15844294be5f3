"""Neurodata Without Borders, intracellular electrophysiology: reading and writing."""
