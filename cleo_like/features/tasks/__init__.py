"""What `extract` does with one source, where, and what is kept of it."""
