"""One command on its own: noise, edges, plateaus, shapes."""
