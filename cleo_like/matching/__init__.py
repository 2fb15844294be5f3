"""Which sweeps are which protocol: epochs, families, verdicts with reasons."""
