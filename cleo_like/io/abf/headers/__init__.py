"""Headers of ABF1 and ABF2 files as one record, each count checked against the file's size."""
