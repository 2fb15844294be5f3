"""Files of other rigs: HEKA, WaveSurfer, Igor, and what Neo reads, as recordings."""
