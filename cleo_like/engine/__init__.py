"""Brian2 equations at speed: state updaters (and, later, the sweep device)."""
