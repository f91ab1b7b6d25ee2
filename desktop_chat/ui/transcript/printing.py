"""A conversation on paper or as PDF, through the same layout, broken between lines."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QMarginsF, QRectF
from PySide6.QtGui import QPageLayout, QPageSize, QPainter, QPdfWriter

from desktop_chat.ui.theme import theme_for
from desktop_chat.ui.transcript.boxes import Paint
from desktop_chat.ui.transcript.column import Part
from desktop_chat.ui.transcript.message_content import MessageMemory, Workshop
from desktop_chat.ui.transcript.message_layout import MessageLayout
from desktop_chat.ui.transcript.model import TranscriptModel
from desktop_chat.ui.transcript.places import EntryMarks
from desktop_chat.ui.transcript.typography import color

_MARGIN_MM: Final = 18.0
_RESOLUTION: Final = 96
_SCALE: Final = 0.8
"""Of the screen's sizes: 15 pixels become 9 points."""


def write_pdf(model: TranscriptModel, workshop: Workshop, path: str, title: str = "") -> None:
    """Write all messages at hand to ``path``. ``workshop`` must be of a light theme. Raises OSError."""
    writer = QPdfWriter(path)
    writer.setTitle(title)
    writer.setResolution(_RESOLUTION)
    margins = QMarginsF(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    size = QPageSize(QPageSize.PageSizeId.A4)
    layout = QPageLayout(size, QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter)
    writer.setPageLayout(layout)
    painter = QPainter()
    if not painter.begin(writer):
        raise OSError(f"no PDF can be written to {path}")
    try:
        painter.scale(_SCALE, _SCALE)
        page = QRectF(0, 0, writer.width() / _SCALE, writer.height() / _SCALE)
        _Pages(painter, writer, page, workshop).write(model)
    finally:
        painter.end()


class _Pages:
    """Fills pages from top to bottom."""

    def __init__(self, painter: QPainter, writer: QPdfWriter, page: QRectF, workshop: Workshop) -> None:
        self._painter, self._writer, self._page, self._workshop = painter, writer, page, workshop
        self._y = 0.0

    def write(self, model: TranscriptModel) -> None:
        for message in model.messages():
            memory = MessageMemory()
            layout = MessageLayout(message, self._workshop, memory, int(self._page.width()))
            index = 0
            while index < len(layout.column):
                layout.measure(index)
                box = layout.column.entries[index].box
                if box is None:
                    continue
                if box.unfold():
                    layout.invalidate(index)
                    layout.measure(index)
                self._add(layout, index)
                index += 1
            self._y += 16

    def _add(self, layout: MessageLayout, index: int) -> None:
        """Paint one entry, on as many pages as it needs; a line that does not fit begins the next page."""
        box = layout.column.entries[index].box
        assert box is not None
        left, top = layout.box_place(index)
        gap = top - layout.column.heights.top(index)
        height = float(box.height)
        self._y += gap if self._y else 0
        if self._y and self._y + min(height, 120) > self._page.height():
            self._new_page()
        done = 0.0
        lines = [area.bottom() + p.y for p in box.runs() for area in p.run.rects(0, p.run.length)]
        while done < height:
            room = self._page.height() - self._y
            end = height
            if height - done > room:
                fitting = [bottom for bottom in lines if done < bottom <= done + room]
                end = max(fitting) if fitting else done + room
            clip = QRectF(0, self._y, self._page.width(), end - done)
            self._painter.save()
            try:
                self._painter.setClipRect(clip)
                marks = EntryMarks(color("#ffffff"), color("#ffffff"), color("#ffffff"))
                marks.part = Part(0)
                paint = Paint(self._painter, clip, self._workshop.typography, marks)
                box.paint(paint, left, self._y - done, 0)
            finally:
                self._painter.restore()
            self._y += end - done
            done = end
            if done < height:
                self._new_page()

    def _new_page(self) -> None:
        self._writer.newPage()
        self._y = 0.0


PRINT_THEME: Final = theme_for(dark=False, reduce_motion=True)
