"""The few icons of the transcript, as strokes on a 16 by 16 grid: sharp at any size, nothing to load.

Each is a sequence of commands: ``M x y`` move, ``L x y`` line, ``C x1 y1 x2 y2 x y`` curve, ``Z`` close,
``R x y w h r`` rounded rectangle, ``O cx cy r`` circle, ``A x y w h start sweep`` arc of an ellipse's box in degrees.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPainterPath, QPen, QPixmap

from desktop_chat.ui.transcript.typography import color

GRID: Final = 16.0

_DRAWINGS: Final = {
    "copy": "R 5.5 5.5 8 8 2 M 3.6 10.5 C 2.9 10.4 2.5 9.9 2.5 9.2 L 2.5 4 C 2.5 3.2 3.2 2.5 4 2.5"
    " L 9.2 2.5 C 9.9 2.5 10.4 2.9 10.5 3.6",
    "check": "M 3 8.6 L 6.4 12 L 13 4.6",
    "chevron-down": "M 4 6.2 L 8 10.2 L 12 6.2",
    "chevron-up": "M 4 9.8 L 8 5.8 L 12 9.8",
    "chevron-left": "M 9.8 4 L 5.8 8 L 9.8 12",
    "chevron-right": "M 6.2 4 L 10.2 8 L 6.2 12",
    "regenerate": "A 2.8 2.8 10.4 10.4 60 -290 M 13.3 1.8 L 13.3 5.2 L 9.9 5.2",
    "edit": "M 2.8 13.2 L 3.5 10.2 L 10.8 2.9 C 11.3 2.4 12 2.4 12.5 2.9 L 13.1 3.5 C 13.6 4 13.6 4.7 13.1 5.2"
    " L 5.8 12.5 Z M 9.4 4.3 L 11.7 6.6",
    "continue": "M 3 3.5 L 3 12.5 M 6 8 L 13 8 M 9.8 4.6 L 13.2 8 L 9.8 11.4",
    "wrap": "M 2.5 4 L 13.5 4 M 2.5 8 L 11.5 8 C 14.2 8 14.2 12 11.5 12 L 8 12 M 9.8 10 L 7.8 12 L 9.8 14"
    " M 2.5 12 L 5 12",
    "arrow-down": "M 8 3 L 8 13 M 3.8 8.8 L 8 13 L 12.2 8.8",
    "tool": "M 9.9 3.1 C 8.2 4.2 7.8 6.1 8.4 7.7 L 3.1 12 C 2.2 12.9 3.5 14.2 4.4 13.2 L 8.8 8 C 10.4 8.5 12.3 8 13"
    " 6.4 C 13.3 5.6 13.3 4.8 13.1 4.1 L 10.9 6.1 L 9.5 4.9 L 11.4 2.7 C 10.9 2.7 10.4 2.8 9.9 3.1",
    "warning": "M 8 2.8 L 14 13 L 2 13 Z M 8 6.6 L 8 9.4 M 8 11.2 L 8 11.3",
    "image": "R 2.5 3 11 10 2 O 5.8 6.2 1 M 2.8 11 L 6.2 8.4 L 8.4 10.2 L 10.6 8 L 13.2 10.4",
    "clock": "O 8 8 5.5 M 8 4.8 L 8 8 L 10.2 9.4",
}


@cache
def icon_path(name: str) -> QPainterPath:
    """The drawing of an icon; shared, so never change it in place."""
    path = QPainterPath()
    tokens = _DRAWINGS[name].split()
    position = 0

    def numbers(count: int) -> list[float]:
        nonlocal position
        taken = [float(token) for token in tokens[position : position + count]]
        position += count
        return taken

    while position < len(tokens):
        command = tokens[position]
        position += 1
        match command:
            case "M":
                path.moveTo(*numbers(2))
            case "L":
                path.lineTo(*numbers(2))
            case "C":
                path.cubicTo(*numbers(6))
            case "Z":
                path.closeSubpath()
            case "R":
                x, y, width, height, radius = numbers(5)
                path.addRoundedRect(QRectF(x, y, width, height), radius, radius)
            case "O":
                x, y, radius = numbers(3)
                path.addEllipse(QPointF(x, y), radius, radius)
            case _:
                x, y, width, height, start, sweep = numbers(6)
                box = QRectF(x, y, width, height)
                path.arcMoveTo(box, start)
                path.arcTo(box, start, sweep)
    return path


def paint_icon(painter: QPainter, name: str, rect: QRectF, ink: str) -> None:
    """Paint an icon centred in ``rect`` at its usual 16 pixels, or smaller where the room is."""
    size = min(GRID, rect.width(), rect.height())
    pen = QPen(color(ink), 1.25)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.save()
    try:
        painter.translate(rect.center() - QPointF(size / 2, size / 2))
        painter.scale(size / GRID, size / GRID)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(icon_path(name))
    finally:
        painter.restore()


def icon(name: str, ink: str, ratio: float = 2.0) -> QIcon:
    """The icon for a widget."""
    pixmap = QPixmap(round(GRID * ratio), round(GRID * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_icon(painter, name, QRectF(0, 0, GRID, GRID), ink)
    finally:
        painter.end()
    return QIcon(pixmap)
