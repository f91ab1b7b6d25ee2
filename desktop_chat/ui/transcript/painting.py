"""Paints the visible messages of a stack."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from desktop_chat.ui.transcript.boxes import Control, Paint
from desktop_chat.ui.transcript.places import EntryMarks
from desktop_chat.ui.transcript.stack import MessageStack


def paint_stack(
    painter: QPainter,
    stack: MessageStack,
    clip: QRectF,
    x: float,
    y: float,
    marks: EntryMarks,
    hovered: Control | None = None,
) -> None:
    """Paint what meets ``clip``, with the content's origin at ``(x, y)`` of the painter."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint = Paint(painter, clip, stack.workshop.typography, marks, hovered)
    for row in stack.visible_rows(int(clip.top() - y), int(clip.bottom() - y)):
        layout = stack.known_layout(row)
        if layout is None:
            continue
        marks.row = row

        def begin(index: int, entries=layout.column.entries) -> None:  # type: ignore[no-untyped-def]  # bound now
            marks.begin(entries, index)

        layout.paint(paint, x, y + stack.message_top(row), begin)
