"""The rows of a protocol report: what the command tells, and what the cells do with it."""
