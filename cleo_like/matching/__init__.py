"""Which sweeps are which protocol: epochs, families, verdicts with reasons."""

from cleo_like.matching.match import match, match_arrays
from cleo_like.matching.verdict import Match, SweepVerdict

__all__ = ["Match", "SweepVerdict", "match", "match_arrays"]
