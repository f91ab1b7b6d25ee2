"""A Markdown text as one picture, by the transcript's own renderer."""

from __future__ import annotations

import os
import sys
from concurrent.futures import wait
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QRectF
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QApplication

from desktop_chat.markup import parse
from desktop_chat.ui.fonts import load_fonts
from desktop_chat.ui.theme import Space, Theme, theme_for
from desktop_chat.ui.transcript.block_boxes import make_box
from desktop_chat.ui.transcript.block_stack import BlockStack
from desktop_chat.ui.transcript.boxes import BoxContext, Paint
from desktop_chat.ui.transcript.code_colors import CodeColors
from desktop_chat.ui.transcript.pictures import Pictures
from desktop_chat.ui.transcript.places import EntryMarks
from desktop_chat.ui.transcript.typography import Typography, color

TALLEST: Final = 30_000
"""Pixels; a raster image has a limit, and so has memory."""

_FORMULA_SECONDS: Final = 30.0


def render_markdown_image(text: str, *, width: int, theme: Theme) -> QImage:
    """The picture of an answer, as the window shows it, ``width`` pixels wide. Needs a QGuiApplication."""
    load_fonts()
    type_ = Typography(theme)
    owner = QObject()
    pictures = Pictures(type_, lambda: None, owner)
    blocks = [found.block for found in parse(text)]
    margin = Space.XL if width > 640 else Space.L
    column = max(120, min(width - 2 * margin, type_.column_width))

    def made() -> BlockStack:
        context = BoxContext(type_, pictures.make, CodeColors(type_), type_.body, pictures.formula, make_box)
        return BlockStack(blocks, context)

    stack = made()
    if pictures.waiting:
        wait(pictures.waiting, _FORMULA_SECONDS)
        stack = made()
    height = min(TALLEST, stack.lay_out(column) + 2 * Space.XL)
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(color(theme.palette.page))
    painter = QPainter(image)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = theme.palette
        marks = EntryMarks(color(palette.selection), color(palette.find), color(palette.find_current))
        paint = Paint(painter, QRectF(0, 0, width, height), type_, marks)
        stack.paint(paint, (width - column) // 2, Space.XL, 0)
    finally:
        painter.end()
    return image


def paint_markdown(text: str, path: Path, *, width: int, theme: str) -> None:
    """Write the picture of ``text`` to ``path``; works without a screen. Raises OSError when it cannot be written."""
    if QGuiApplication.instance() is None:
        if sys.platform.startswith("linux"):
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        _application.append(QApplication([sys.argv[0]]))
    image = render_markdown_image(text, width=width, theme=theme_for(dark=theme == "dark"))
    if not image.save(str(path)):
        raise OSError(f"no picture can be written to {path}")


_application: list[QApplication] = []
"""Keeps the application made for a picture alive as long as the process."""
