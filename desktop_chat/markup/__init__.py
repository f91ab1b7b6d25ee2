"""Markdown to blocks and to safe HTML. No Qt, no I/O, no event loop."""
