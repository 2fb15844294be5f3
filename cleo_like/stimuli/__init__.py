"""How to drive a cell: shapes, standard families, pictures, and pictures read back."""
