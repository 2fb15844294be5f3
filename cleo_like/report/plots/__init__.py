"""Figures: one module per subject, one style for all."""
