"""Formulas and image placeholders within a line; nothing is ever fetched."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from desktop_chat.markup.blocks import InlineImage, InlineMath
from desktop_chat.ui.transcript.typography import TextStyle, Typography, color


class Chip:
    """A short text on a rounded ground: a formula's TeX source, or an image's name and host."""

    def __init__(self, text: str, style: TextStyle, ground: str) -> None:
        self._text, self._style, self._ground = text, style, color(ground)
        self.width = style.metrics.horizontalAdvance(text) + 12
        self.ascent = style.metrics.ascent() + 2
        self.descent = style.metrics.descent() + 2

    def paint(self, painter: QPainter, x: float, baseline: float) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ground)
        height = self.ascent + self.descent
        painter.drawRoundedRect(QRectF(x + 1, baseline - self.ascent, self.width - 2, height), 4, 4)
        painter.setFont(self._style.font)
        painter.setPen(self._style.color)
        painter.drawText(QPointF(x + 6, baseline), self._text)


class Pictures:
    """Makes what stands in a line for an inline object; ``arrived`` is called when a better one is ready."""

    def __init__(self, typography: Typography, arrived: Callable[[], None]) -> None:
        self._typography = typography
        self.arrived = arrived

    def make(self, item: InlineMath | InlineImage, style: TextStyle) -> Chip:  # noqa: ARG002 - the chip's own
        type_ = self._typography
        ground = type_.theme.palette.inline_code
        if isinstance(item, InlineMath):
            return Chip(item.tex[:120], type_.code, ground)
        host = urlsplit(item.url).hostname if "://" in item.url else ""
        name = item.alt[:60] or "Image"
        return Chip(f"{name} · image from {host}" if host else f"{name} · image", type_.label, ground)
