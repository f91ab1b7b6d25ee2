"""The window. The only layer that imports Qt and qasync."""
