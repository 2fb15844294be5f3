"""File formats: the only place that knows ABF, ATF, NWB and TIFF.

`read` is the one door in, `write` the one door out.
"""

from cleo_like.io.abf.arrays import Header, write_abf1
from cleo_like.io.abf.write import write_abf
from cleo_like.io.atf.write import write_atf
from cleo_like.io.describe import Description, describe
from cleo_like.io.imaging import read_experiments, read_masks
from cleo_like.io.load import files_in, read, read_all, read_chosen, read_protocol
from cleo_like.io.nwb.names import dandi_path
from cleo_like.io.nwb.ophys.write import write_ophys
from cleo_like.io.nwb.write import write_nwb
from cleo_like.io.readers import Reader
from cleo_like.io.save import simulated_path, simulated_paths, write, write_simulated
from cleo_like.io.targets import sidecar_path
from cleo_like.io.tiff import ShortMovieWarning, TiffMovie, read_tiff, write_tiff

__all__ = [
    "Description",
    "Header",
    "Reader",
    "ShortMovieWarning",
    "TiffMovie",
    "dandi_path",
    "describe",
    "files_in",
    "read",
    "read_all",
    "read_chosen",
    "read_experiments",
    "read_masks",
    "read_protocol",
    "read_tiff",
    "sidecar_path",
    "simulated_path",
    "simulated_paths",
    "write",
    "write_abf",
    "write_abf1",
    "write_atf",
    "write_nwb",
    "write_ophys",
    "write_simulated",
    "write_tiff",
]
