"""The character formats of a part of a text run, with the room beside inline code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from PySide6.QtGui import QTextLayout

from desktop_chat.markup.blocks import InlineText, Style
from desktop_chat.ui.transcript.inline import NO_BREAK_SPACE, InlinePicture, is_code
from desktop_chat.ui.transcript.typography import INLINE_CODE_PADDING, TextStyle
from desktop_chat.ui.transcript.utf16 import Utf16Offsets


class TextFormats:
    """Formats of one text.

    Spacing goes behind a character as it is drawn, to its right. So the room to the left of inline code is given to
    the character that stands there: the one before it, or the one after it where text runs from right to left.
    """

    def __init__(
        self,
        content: InlineText,
        pictures: Mapping[int, InlinePicture],
        style: TextStyle,
        offsets: Utf16Offsets,
        *,
        right_to_left: bool,
    ) -> None:
        self._content = content
        self._pictures = pictures
        self._style = style
        self._units = offsets.units
        self._right_to_left = right_to_left

    def ranges(self, start: int, stop: int, width: int) -> Iterator[QTextLayout.FormatRange]:
        """For a layout of the code points ``[start, stop)``, ``width`` pixels wide; later ones lie over earlier."""
        spans = self._content.spans
        beside: list[tuple[int, Style]] = []
        for index, span in enumerate(spans):
            first, end = max(span.start, start), min(span.end, stop)
            if first >= end:
                continue
            if not span.style & Style.CODE:
                yield self._range(start, first, end, span.style)
                continue
            if end - 1 > first:
                yield self._range(start, first, end - 1, span.style)
            yield self._range(
                start, end - 1, end, span.style, INLINE_CODE_PADDING if end == span.end else 0.0
            )
            neighbour = span.end if self._right_to_left else span.start - 1
            if start <= neighbour < stop:
                other = spans[index + 1 if self._right_to_left else index - 1 :][:1]
                inside = other and other[0].start <= neighbour < other[0].end
                beside.append((neighbour, other[0].style if inside else Style.PLAIN))
        for position, style in beside:
            if position not in self._pictures and not is_code(self._content, position):
                yield self._range(start, position, position + 1, style, INLINE_CODE_PADDING)
        space = self._style.metrics.horizontalAdvance(NO_BREAK_SPACE) if self._pictures else 0.0
        for position, picture in self._pictures.items():
            if start <= position < stop:
                yield self._range(start, position, position + 1, Style.PLAIN, picture.fit(width) - space)

    def _range(
        self, origin: int, first: int, end: int, kind: Style, spacing: float = 0.0
    ) -> QTextLayout.FormatRange:
        item = QTextLayout.FormatRange()
        item.start = self._units(first) - self._units(origin)
        item.length = self._units(end) - self._units(first)
        item.format = self._style.format(kind, spacing)
        return item
