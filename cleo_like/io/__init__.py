"""The only place that knows file formats: one door in, writers out."""
