"""The pieces of an NWB file of two-photon imaging, as pynwb makes them."""
