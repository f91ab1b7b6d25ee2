"""Dragging selected text out of the transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QMimeData, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QDrag, QPainter, QPen, QPixmap

from desktop_chat.ui.theme import Radius, Space
from desktop_chat.ui.transcript.copying import Copied
from desktop_chat.ui.transcript.typography import color, elided

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_WIDEST: Final = 280


def mime_data(copied: Copied) -> QMimeData:
    """Data for the clipboard or a drop."""
    data = QMimeData()
    data.setText(copied.text)
    if copied.html:
        data.setHtml(copied.html)
    return data


def drag_out(view: TranscriptView, copied: Copied) -> None:
    """Let ``copied`` be carried to another place or program; returns when it is over."""
    drag = QDrag(view)
    drag.setMimeData(mime_data(copied))
    drag.setPixmap(_picture(view, copied.text))
    drag.setHotSpot(QPoint(-Space.M, -Space.S))
    drag.exec(Qt.DropAction.CopyAction)


def _picture(view: TranscriptView, source: str) -> QPixmap:
    """The beginning of what is dragged on a small card."""
    style, palette = view.workshop.typography.label, view.theme.palette
    text = elided(style, " ".join(source[:400].split()), _WIDEST)
    size = QSize(
        round(style.metrics.horizontalAdvance(text)) + 2 * Space.M, style.line_height + 2 * Space.S - 4
    )
    ratio = view.devicePixelRatioF()
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color(palette.border_strong), 1))
        painter.setBrush(color(palette.raised))
        card = QRectF(QPointF(0, 0), size.toSizeF()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(card, Radius.MEDIUM, Radius.MEDIUM)
        painter.setFont(style.font)
        painter.setPen(color(palette.text))
        painter.drawText(QPointF(Space.M, Space.S - 2 + style.baseline), text)
    finally:
        painter.end()
    return pixmap
