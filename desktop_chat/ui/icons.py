"""Icons as outlines in any colour: a few glyphs of the Phosphor set (MIT licence), sharp at every scale.

The glyphs come straight from ``resources/icons/phosphor.ttf``, a subset of that icon font; nothing is registered
with the system, and each outline is taken from the file once.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from PySide6.QtCore import QByteArray, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QIcon,
    QPainter,
    QPainterPath,
    QPainterPathStroker,
    QPixmap,
    QRawFont,
    QTransform,
)

from desktop_chat import resources

_EM: Final = 256.0
_CODE_POINTS: Final = {
    "arrow-counter-clockwise": 0xF021,
    "arrow-square-out": 0xF058,
    "arrow-up": 0xF061,
    "caret-down": 0xF0C2,
    "caret-right": 0xF0C4,
    "caret-up": 0xF0C5,
    "chat-circle": 0xF0DC,
    "chat-text": 0xF0E6,
    "check": 0xF0E7,
    "check-circle": 0xF0E8,
    "code": 0xF10A,
    "copy": 0xF114,
    "dots-three": 0xF145,
    "eye": 0xF15B,
    "eye-slash": 0xF15E,
    "gear": 0xF19B,
    "globe": 0xF1AF,
    "hard-drives": 0xF1C4,
    "info": 0xF1E0,
    "key": 0xF1E4,
    "keyboard": 0xF1E5,
    "lightning": 0xF1EF,
    "magnifying-glass": 0xF20A,
    "note-pencil": 0xF22E,
    "palette": 0xF257,
    "pencil-simple": 0xF266,
    "plus": 0xF27F,
    "shield-check": 0xF2B8,
    "sliders-horizontal": 0xF2D0,
    "sparkle": 0xF2DF,
    "stop-fill": 0xFA62,
    "trash": 0xF334,
    "warning": 0xF35C,
    "warning-circle": 0xF35D,
    "x": 0xF36D,
}
SIDEBAR: Final = "sidebar"
"""Not in the icon font: drawn here in its style."""


@cache
def _glyphs() -> QRawFont | None:
    try:
        data = resources.read_bytes("icons/phosphor.ttf")
    except FileNotFoundError:
        return None
    font = QRawFont(QByteArray(data), _EM, QFont.HintingPreference.PreferNoHinting)
    return font if font.isValid() else None


@cache
def outline(name: str) -> QPainterPath:
    """The icon in a square of side 1 around the origin; shared, so never change it in place."""
    if name == SIDEBAR:
        return _sidebar()
    path = QPainterPath()
    font = _glyphs()
    if font is not None:
        indexes = font.glyphIndexesForString(chr(_CODE_POINTS[name]))
        path = font.pathForGlyph(indexes[0])
        advance = font.advancesForGlyphIndexes(indexes)[0].x() or _EM
        # The font's square stands on its baseline, lowered by its descent.
        middle = QPointF(advance / 2, (font.descent() - font.ascent()) / 2)
        path.translate(-middle)
    return QTransform.fromScale(1 / _EM, 1 / _EM).map(path)


def _sidebar() -> QPainterPath:
    lines = QPainterPath()
    lines.addRoundedRect(QRectF(-0.375, -0.3125, 0.75, 0.625), 0.08, 0.08)
    lines.moveTo(-0.125, -0.3125)
    lines.lineTo(-0.125, 0.3125)
    stroker = QPainterPathStroker()
    stroker.setWidth(0.0625)
    return stroker.createStroke(lines)


def paint_icon(painter: QPainter, name: str, rect: QRectF, size: float, color: str | QColor) -> None:
    """Fill the icon's outline, ``size`` pixels square, in the middle of ``rect``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.center())
    painter.scale(size, size)
    painter.fillPath(outline(name), QColor(color))
    painter.restore()


def icon(name: str, color: str | QColor, size: int = 16) -> QIcon:
    """The icon for menus and actions, at one to three device pixels a pixel."""
    made = QIcon()
    for ratio in (1, 2, 3):
        pixmap = QPixmap(size * ratio, size * ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        try:
            paint_icon(painter, name, QRectF(pixmap.rect()), size * ratio, color)
        finally:
            painter.end()
        pixmap.setDevicePixelRatio(ratio)
        made.addPixmap(pixmap)
    return made
