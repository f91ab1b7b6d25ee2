"""Words and characters as people see them: what a double click takes, where a caret may stand."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import QTextBoundaryFinder
from PySide6.QtGui import QTextLayout, QTextLine

from desktop_chat.markup.blocks import LINE_BREAK
from desktop_chat.ui.transcript.inline import caret_x
from desktop_chat.ui.transcript.utf16 import Utf16Offsets

_REACH: Final = 1_000
"""Characters around a place in which its word is looked for."""

_SAME_SCRIPT: Final = re.compile(
    "[\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[\u3041-\u309f]+"
)
"""Scripts without spaces whose words Unicode does not tell apart: a run of ideographs, or of hiragana, is one."""


def word_at(text: str, offset: int) -> tuple[int, int]:
    """The word around a caret, ``[start, end)`` of ``text``; beside none, the one character there.

    All offsets are in UTF-16 units.
    """
    offsets = Utf16Offsets(text)
    place = offsets.code_points(offset)
    first = max(0, place - _REACH, *(text.rfind(mark, 0, place) + 1 for mark in ("\n", LINE_BREAK)))
    ends = (text.find(mark, place, place + _REACH) for mark in ("\n", LINE_BREAK))
    last = min([len(text), place + _REACH, *(end for end in ends if end >= 0)])
    line, base = text[first:last], offsets.units(first)
    if not line:
        return offset, offset
    for match in _SAME_SCRIPT.finditer(line):
        if match.start() <= place - first < match.end():
            return offsets.units(first + match.start()), offsets.units(first + match.end())
    inner = Utf16Offsets(line)

    def is_word(start: int, end: int) -> bool:
        return any(c.isalnum() or c == "_" for c in line[inner.code_points(start) : inner.code_points(end)])

    finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Word, line)
    finder.setPosition(offset - base)
    start = offset - base if finder.isAtBoundary() else finder.toPreviousBoundary()
    end = finder.toNextBoundary()
    if start == offset - base and start > 0 and not (end > start and is_word(start, end)):
        finder.setPosition(start)
        before = finder.toPreviousBoundary()
        if is_word(before, start):
            start, end = before, start
    return base + start, base + max(start, end)


def caret_at(layout: QTextLayout, line: QTextLine, x: float) -> int:
    """The offset of a layout nearest to ``x`` of a line; never within what is seen as one character."""
    found = line.xToCursor(x)
    if layout.isValidCursorPosition(found):
        return found
    before, after = layout.previousCursorPosition(found), layout.nextCursorPosition(found)
    return min(before, after, key=lambda offset: abs(caret_x(line, offset) - x))
