"""Some lines of a text run with a layout of their own."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QTextLayout


class Chunk:
    """Some consecutive lines: ``start`` and ``end`` in UTF-16 units, ``tops`` relative to the run."""

    __slots__ = ("baselines", "end", "layout", "needs", "pills", "start", "tops")

    def __init__(self, layout: QTextLayout, start: int) -> None:
        self.layout = layout
        self.start = start
        self.end = start
        self.needs = 0  # the code point up to which the text must stay as it is for this chunk to stay
        self.tops: list[int] = []
        self.baselines: list[int] = []
        self.pills: list[QRectF] = []
