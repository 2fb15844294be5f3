"""Axon Text Format 1.0: stimulus files and recordings as text."""
