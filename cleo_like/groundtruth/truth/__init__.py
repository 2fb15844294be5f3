"""Truth of a recording, each quantity by a stated definition."""
