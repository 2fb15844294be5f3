"""From the parts of a movie to its frames and its truth."""
