"""The product's mark, drawn on the icon's own grid; sharp at every size, and nothing to load."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QLinearGradient, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

_GRID = 128.0


def paint_mark(painter: QPainter, box: QRectF) -> None:
    """The same drawing as ``resources/icons/desktop-chat.svg``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.topLeft())
    painter.scale(box.width() / _GRID, box.height() / _GRID)
    painter.setPen(Qt.PenStyle.NoPen)
    ground = QLinearGradient(QPointF(0, 0), QPointF(0, _GRID))
    for position, color in ((0.0, "#6d8bff"), (0.55, "#4263e0"), (1.0, "#2a45b0")):
        ground.setColorAt(position, QColor(color))
    painter.setBrush(ground)
    painter.drawRoundedRect(QRectF(0, 0, _GRID, _GRID), 30, 30)
    bubble = QPainterPath()
    bubble.addRoundedRect(QRectF(24, 24, 80, 64), 16, 16)
    tail = QPainterPath()
    tail.moveTo(40, 84)
    tail.lineTo(40, 102.4)
    tail.cubicTo(40, 105.4, 43.6, 106.8, 46, 105)
    tail.lineTo(68, 86)
    tail.closeSubpath()
    painter.fillPath(bubble.united(tail), QColor("#ffffff"))
    painter.setBrush(QColor("#2a45b0"))
    painter.drawRoundedRect(QRectF(40, 40, 48, 8), 4, 4)
    painter.drawRoundedRect(QRectF(40, 64, 24, 8), 4, 4)
    painter.setBrush(QColor("#f59e0b"))
    painter.drawRoundedRect(QRectF(72, 56, 8, 24), 3, 3)
    painter.restore()


def window_icon() -> QIcon:
    """The program's icon where the desktop has none installed."""
    made = QIcon()
    for side in (16, 32, 64, 128):
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        try:
            paint_mark(painter, QRectF(0, 0, side, side))
        finally:
            painter.end()
        made.addPixmap(pixmap)
    return made


class ProductMark(QWidget):
    """The mark, ``side`` pixels square."""

    def __init__(self, side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self.setAccessibleName("Desktop Chat")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(self._side, self._side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            paint_mark(painter, QRectF(0, 0, self._side, self._side))
        finally:
            painter.end()
