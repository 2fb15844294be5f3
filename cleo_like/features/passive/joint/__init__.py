"""The joint fit: command, binned potentials, responses, least squares, what they mean."""
