"""Spike inference from calcium imaging: cases, methods, scores, ranking on real recordings.

case -> recording with known spikes -> rates and events of each method -> scores
"""
