"""What lies in an NWB file: objects and links, samples, clocks, series, tables."""
