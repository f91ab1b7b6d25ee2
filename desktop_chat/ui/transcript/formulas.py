"""Formulas as pictures, and within a line, where they stay within the column however long they are."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final, Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QTextLayout
from PySide6.QtSvg import QSvgRenderer

from desktop_chat.markup.math import MathImage
from desktop_chat.ui.transcript.inline import text_option
from desktop_chat.ui.transcript.typography import TextStyle, color

_UNNOTICED: Final = 1.1
_SHRUNK: Final = 1.6
"""A formula at most so many times as wide as its column is made smaller, at once or where it cannot be broken; a longer
one would be too small to read."""

_GAP: Final = re.compile(rb"\0{3,}")
"""Pixels without ink from which on a formula may be broken; the space beside an operator is as wide."""

_SHORTEST_ROW: Final = 0.4
_LEADING: Final = 6
_PADDING: Final = 6


class Formula:
    """A formula's picture."""

    def __init__(self, image: MathImage) -> None:
        # WORKAROUND for QPdfEngine, which draws the outlines of shapes that have none: they get no width.
        self._renderer = QSvgRenderer(image.svg.replace(b"<svg ", b'<svg stroke-width="0" ', 1))
        self.width = image.width + 2
        self.ascent = image.baseline
        self.descent = image.height - image.baseline

    @property
    def height(self) -> float:
        return self.ascent + self.descent

    def paint(self, painter: QPainter, x: float, baseline: float) -> None:
        area = QRectF(x + 1, baseline - self.ascent, self.width - 2, self.height)
        self._renderer.render(painter, area)


class _Shape(Protocol):
    """What a formula looks like in a column of some width."""

    width: float
    ascent: float
    descent: float

    def paint(self, painter: QPainter, x: float, baseline: float, /) -> None: ...


class _Scaled:
    """The whole picture, smaller where it has to be."""

    def __init__(self, picture: Formula, scale: float) -> None:
        self._picture, self._scale = picture, scale
        self.width = picture.width * scale
        self.ascent, self.descent = picture.ascent * scale, picture.descent * scale

    def paint(self, painter: QPainter, x: float, baseline: float) -> None:
        painter.save()
        try:
            painter.translate(x, baseline)
            painter.scale(self._scale, self._scale)
            self._picture.paint(painter, 0, 0)
        finally:
            painter.restore()


class _Rows:
    """The picture in rows: pixels ``[left, right)`` of it in each. The text goes on below."""

    def __init__(self, picture: Formula, rows: list[tuple[int, int]], width: float) -> None:
        self._picture, self._rows = picture, rows
        self._step = picture.height + _LEADING
        self.width = width
        self.ascent = picture.ascent
        self.descent = picture.descent + self._step * (len(rows) - 1)

    def paint(self, painter: QPainter, x: float, baseline: float) -> None:
        for left, right in self._rows:
            painter.save()
            try:
                area = QRectF(x, baseline - self._picture.ascent - 1, right - left, self._picture.height + 2)
                painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
                self._picture.paint(painter, x - left, baseline)
            finally:
                painter.restore()
            baseline += self._step


class _Source:
    """The TeX source on a rounded ground, in as many lines as it takes. The text goes on below several."""

    def __init__(self, tex: str, style: TextStyle, ground: str, width: float) -> None:
        self._style, self._ground = style, color(ground)
        self._layout = QTextLayout(" ".join(tex.split()), style.font)
        self._layout.setTextOption(text_option(right_to_left=False, wrap=True))
        self._layout.beginLayout()
        count, widest = 0, 0.0
        while (line := self._layout.createLine()).isValid():
            line.setLineWidth(max(1.0, width - 2 * _PADDING))
            line.setPosition(QPointF(0, count * style.line_height))
            widest = max(widest, line.naturalTextWidth())
            count += 1
        self._layout.endLayout()
        self.width = widest + 2 * _PADDING if count == 1 else width
        self.ascent = style.metrics.ascent() + 2
        self.descent = style.metrics.descent() + 2 + style.line_height * (count - 1)

    def paint(self, painter: QPainter, x: float, baseline: float) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ground)
        ground = QRectF(x + 1, baseline - self.ascent, self.width - 2, self.ascent + self.descent)
        painter.drawRoundedRect(ground, 4, 4)
        painter.setPen(self._style.color)
        top = baseline - self._style.metrics.ascent()
        self._layout.draw(painter, QPointF(x + _PADDING, top))


class InlineFormula:
    """A formula within a line: its picture, in rows or smaller where it is wider than the column, or its TeX source.

    Args:
        image: ``None`` while there is no picture, and where there can be none.
        style / ground: of the source.
    """

    def __init__(self, tex: str, image: MathImage | None, style: TextStyle, ground: str) -> None:
        self._tex, self._style, self._ground = tex, style, ground
        self._picture = None if image is None else Formula(image)
        self._fitted: _Shape | None = None
        self._room = 0.0
        self.width = self.ascent = self.descent = 0.0

    def fit(self, width: float) -> float:
        self._shape(width)
        return self.width

    def paint(self, painter: QPainter, x: float, baseline: float, room: float) -> None:
        self._shape(room).paint(painter, x, baseline)

    def _shape(self, width: float) -> _Shape:
        if self._fitted is None or width != self._room:
            self._room, self._fitted = width, self._shape_in(width)
            self.width, self.ascent = self._fitted.width, self._fitted.ascent
            self.descent = self._fitted.descent
        return self._fitted

    def _shape_in(self, width: float) -> _Shape:
        picture = self._picture
        if picture is None:
            return _Source(self._tex, self._style, self._ground, width)
        if picture.width <= _UNNOTICED * width:
            return _Scaled(picture, min(1.0, width / picture.width))
        if rows := rows_of(int(picture.width), self._gaps, int(width)):
            return _Rows(picture, rows, width)
        if picture.width <= _SHRUNK * width:
            return _Scaled(picture, width / picture.width)
        return _Source(self._tex, self._style, self._ground, width)

    @cached_property
    def _gaps(self) -> list[tuple[int, int]]:
        """Where the picture has no ink from top to bottom: pixels ``[left, right)``."""
        picture = self._picture
        assert picture is not None
        image = QImage(int(picture.width) + 1, int(picture.height) + 3, QImage.Format.Format_Alpha8)
        image.fill(0)
        painter = QPainter(image)
        try:
            picture.paint(painter, 0, picture.ascent + 1)
        finally:
            painter.end()
        ink, step, pixels = 0, image.bytesPerLine(), bytes(image.constBits())
        for start in range(0, len(pixels), step):
            ink |= int.from_bytes(pixels[start : start + image.width()])
        return [found.span() for found in _GAP.finditer(ink.to_bytes(image.width()))]


def rows_of(length: int, gaps: list[tuple[int, int]], width: int) -> list[tuple[int, int]]:
    """Cut ``[0, length)`` into rows of at most ``width`` in the ``gaps``; none where these are too far apart."""
    rows: list[tuple[int, int]] = []
    start, index = 0, 0
    while length - start > width:
        end = next_start = -1
        while index < len(gaps) and gaps[index][0] <= start + width:
            end, next_start = gaps[index]
            index += 1
        if end < start + _SHORTEST_ROW * width:
            return []
        rows.append((start, end))
        start = next_start
    return [*rows, (start, length)]
