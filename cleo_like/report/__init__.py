"""For people: figures and the self-contained page."""
