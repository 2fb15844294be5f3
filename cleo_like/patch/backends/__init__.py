"""How blocks of traces run: compiled kernels, Brian2's own loop, a standalone program."""
