"""Features of spikes, sweeps and cells; QC; one table."""
