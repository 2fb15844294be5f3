"""What the laser meets: cells, processes, and the neuropil between them."""
