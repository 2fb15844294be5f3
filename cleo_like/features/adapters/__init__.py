"""Other extractors behind the same door: eFEL in this process, ipfx in its own environment."""
