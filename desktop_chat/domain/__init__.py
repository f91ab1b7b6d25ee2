"""Values only: no I/O, no Qt, no event loop. Everything else in the package may import this layer."""
