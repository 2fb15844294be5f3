"""Neurons with known answers: models, the library, populations."""
