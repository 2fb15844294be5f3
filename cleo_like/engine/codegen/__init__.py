"""From a Brian2 network to C++: what runs in a step, its statements, the kernel."""
