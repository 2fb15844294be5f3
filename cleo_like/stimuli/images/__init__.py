"""Parts of the way from a picture to current and back: read, reduce, lay out, cut out."""
