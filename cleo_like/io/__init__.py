"""File formats: the only place that knows ABF, ATF and NWB.

`read` is the one door in, `write` the one door out.
"""

from cleo_like.io.load import Reader, read, read_all, read_protocol

__all__ = ["Reader", "read", "read_all", "read_protocol"]
