"""The example prompts of the window's empty state; the demo server has a written answer to each."""

from __future__ import annotations

from typing import Final

TOUR: Final = "Show me what you can do"
STREAMING: Final = "Explain how a streamed answer gets from the server to the screen"
PYTHON: Final = "Write a Python function with tests and a table of its complexity"

EXAMPLE_PROMPTS: Final[tuple[str, ...]] = (TOUR, STREAMING, PYTHON)
