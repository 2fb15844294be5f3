"""Two-photon imaging in the NWB file of anybody, straight from HDF5."""
