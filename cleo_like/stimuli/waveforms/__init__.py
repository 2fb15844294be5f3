"""Shapes of current in time, and the sample grid they are drawn on."""
