"""Parts of the way from a picture to current: read, reduce, lay out in time."""
