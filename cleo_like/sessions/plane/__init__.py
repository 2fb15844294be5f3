"""What the microscope makes of the cells of one plane: masks, traces, pictures."""
