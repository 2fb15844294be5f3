"""Pipettes in the cells of a closed loop."""
