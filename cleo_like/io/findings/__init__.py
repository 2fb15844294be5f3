"""What is doubtful in a file: units, samples, and which channel is a cell."""
