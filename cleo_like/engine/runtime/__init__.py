"""Compiled kernels at work: chunks and threads, monitors, snapshots, one run at a time."""
