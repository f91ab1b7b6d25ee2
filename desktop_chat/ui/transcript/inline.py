"""Parts that runs of text share: marks behind characters, pictures within lines, direction, slices."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import NamedTuple, Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QTextLine, QTextOption

from desktop_chat.markup.blocks import InlineImage, InlineMath, InlineText
from desktop_chat.ui.transcript.typography import TextStyle


class Mark(NamedTuple):
    """A background behind ``[start, end)`` in UTF-16 units."""

    start: int
    end: int
    color: QColor


class InlinePicture(Protocol):
    """A formula or an image placeholder within a line; sizes in pixels around the baseline."""

    width: float
    ascent: float
    descent: float

    def paint(self, painter: QPainter, x: float, baseline: float) -> None: ...


PictureMaker = Callable[[InlineMath | InlineImage, TextStyle], InlinePicture]


def is_right_to_left(text: str) -> bool:
    """Whether the first strong character says so (Unicode UAX #9, rules P2 and P3)."""
    if text.isascii():
        return False
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind == "L":
            return False
        if kind in {"R", "AL"}:
            return True
    return False


def text_option(*, right_to_left: bool, wrap: bool, alignment: Qt.AlignmentFlag) -> QTextOption:
    option = QTextOption()
    mode = QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere if wrap else QTextOption.WrapMode.NoWrap
    option.setWrapMode(mode)
    direction = Qt.LayoutDirection.RightToLeft if right_to_left else Qt.LayoutDirection.LeftToRight
    option.setTextDirection(direction)
    if right_to_left and alignment == Qt.AlignmentFlag.AlignLeft:
        alignment = Qt.AlignmentFlag.AlignRight
    option.setAlignment(alignment)
    return option


def caret_x(line: QTextLine, offset: int) -> float:
    """The horizontal place of a caret before ``offset`` of the layout."""
    found: object = line.cursorToX(offset)
    assert isinstance(found, tuple)  # the stub says float
    return float(found[0])


def sliced(content: InlineText, first: int, last: int) -> InlineText:
    """The part ``[first, last)``, in code points, with its styles and objects."""
    if first <= 0 and last >= len(content.text):
        return content
    spans = tuple(
        type(span)(max(span.start, first) - first, min(span.end, last) - first, span.style, span.href)
        for span in content.spans
        if span.start < last and span.end > first
    )
    objects: list[InlineMath | InlineImage] = []
    for item in content.objects:
        if first <= item.position < last:
            moved = item.position - first
            objects.append(
                InlineMath(moved, item.tex)
                if isinstance(item, InlineMath)
                else InlineImage(moved, item.alt, item.url)
            )
    return InlineText(content.text[first:last], spans, tuple(objects))
