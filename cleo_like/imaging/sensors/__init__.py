"""What fluoresces in a cell: sensors of a `Scope`, their parts, and the indicators of Cleo."""
