"""Scores of extractors: spikes, features, matcher; by condition, with intervals."""
