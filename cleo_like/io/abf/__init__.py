"""Axon Binary Format: reading (ABF1, ABF2) and writing (ABF1 version 1.83)."""
