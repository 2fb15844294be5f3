"""Sessions on disk: NWB, tables, and a cache with the calls of the AllenSDK's."""
