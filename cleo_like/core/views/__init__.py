"""How the nouns are shown and handed on: figures, pages in a notebook, other packages."""
