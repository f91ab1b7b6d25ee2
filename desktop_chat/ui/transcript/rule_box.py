"""The box of a thematic break."""

from __future__ import annotations

from PySide6.QtCore import QRectF

from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.boxes import Box, Paint
from desktop_chat.ui.transcript.typography import color


class RuleBox(Box):
    """A hairline across the column."""

    def lay_out(self, width: int) -> int:
        self.width, self.height = width, 2 * Space.S + 1
        return self.height

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        paint.painter.fillRect(QRectF(x, y + Space.S, self.width, 1), color(paint.palette.border))
