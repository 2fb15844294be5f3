"""The patch rig: electrode and bench (cells x sweeps in one Brian2 run)."""
