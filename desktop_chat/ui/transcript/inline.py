"""Parts that runs of text share: marks behind characters, pictures within lines, direction, slices."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Final, NamedTuple, Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QTextCharFormat, QTextLayout, QTextLine, QTextOption

from desktop_chat.markup.blocks import InlineImage, InlineMath, InlineText, Style
from desktop_chat.markup.long_runs import LongRun
from desktop_chat.markup.safety import name_of_hidden
from desktop_chat.ui.transcript.typography import TextStyle

NO_BREAK_SPACE: Final = "\u00a0"
"""Stands in a layout for an inline picture."""


_SOLID: Final = 300
_SIGNS: Final = LongRun(r"\W", _SOLID)


class Mark(NamedTuple):
    """A background behind ``[start, end)`` in UTF-16 units."""

    start: int
    end: int
    color: QColor


class InlinePicture(Protocol):
    """A formula, an image or its placeholder within a line; sizes in pixels around the baseline."""

    width: float
    ascent: float
    descent: float

    def fit(self, width: float, /) -> float:
        """Be asked to take at most ``width``, before the ascent is; returns the width taken."""
        ...

    def paint(self, painter: QPainter, x: float, baseline: float, room: float, /) -> None:
        """``room``: the widest it may be, in pixels."""
        ...


class HiddenCharacter(NamedTuple):
    """A character at ``position`` that reorders or hides text; its name is shown and it does nothing."""

    position: int
    name: str


PictureMaker = Callable[[InlineMath | InlineImage | HiddenCharacter, TextStyle], InlinePicture]

_REORDERING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HIDDEN_IN_CODE: Final = re.compile("[\u200b\u2060\ufeff\u00ad\u200e\u200f\u061c]")
_UPRIGHT: Final = re.compile("[\u0590-\u109f\u1780-\u17ff\ufb1d-\ufdff\ufe70-\ufefc]+")
_IDEOGRAPHIC: Final = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_PARTS: Final = re.compile(rf"[^\s{_IDEOGRAPHIC}]+|[{_IDEOGRAPHIC}]{{1,4}}")
_MOST_NAMED: Final = 20
"""Hidden characters of one text that are shown by name; the text that has more is no text."""


def hidden_characters(content: InlineText) -> list[HiddenCharacter]:
    """What would make ``content`` look other than it is: bidirectional controls, and in code all that has no width."""
    text = content.text
    if text.isascii():
        return []
    found = [item.start() for item in islice(_REORDERING.finditer(text), _MOST_NAMED)]
    for span in content.spans:
        if span.style & Style.CODE:
            hidden = _HIDDEN_IN_CODE.finditer(text, span.start, span.end)
            found += [item.start() for item in islice(hidden, _MOST_NAMED)]
    return [
        HiddenCharacter(position, name_of_hidden(text[position])) for position in sorted(found)[:_MOST_NAMED]
    ]


def upright_ranges(text: str) -> Iterator[QTextLayout.FormatRange]:
    """Lays over a layout of ``text``: no italics in scripts that have none, whose fonts may then show nothing."""
    if text.isascii():
        return
    for found in _UPRIGHT.finditer(text):
        item = QTextLayout.FormatRange()
        item.start = len(text[: found.start()].encode("utf-16-le")) // 2
        item.length = len(found[0])
        item.format = _upright_format()
        yield item


@cache
def _upright_format() -> QTextCharFormat:
    made = QTextCharFormat()
    made.setFontItalic(False)
    return made


def shown_text(content: InlineText, places: Iterable[int]) -> str:
    """``content.text``, as long as it is, with room for a picture at ``places`` and nothing that reorders it."""
    characters = list(_REORDERING.sub("\ufffd", content.text))
    for place in places:
        characters[place] = NO_BREAK_SPACE
    return "".join(characters)


@cache
def text_option(*, right_to_left: bool, wrap: bool, alignment: Qt.AlignmentFlag | None = None) -> QTextOption:
    """How a layout runs and breaks; without an ``alignment`` its lines begin where its direction begins.

    Shared: a layout takes a copy.
    """
    option = QTextOption()
    mode = QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere if wrap else QTextOption.WrapMode.NoWrap
    option.setWrapMode(mode)
    direction = Qt.LayoutDirection.RightToLeft if right_to_left else Qt.LayoutDirection.LeftToRight
    option.setTextDirection(direction)
    option.setAlignment(leading_edge(right_to_left=right_to_left) if alignment is None else alignment)
    return option


def leading_edge(*, right_to_left: bool) -> Qt.AlignmentFlag:
    """Where lines begin."""
    return Qt.AlignmentFlag.AlignRight if right_to_left else Qt.AlignmentFlag.AlignLeft


def unbroken_parts(text: str) -> list[str]:
    """What is best not broken over lines: words, and of scripts without spaces a few characters each."""
    return text.split() if text.isascii() else _PARTS.findall(text)


def caret_x(line: QTextLine, offset: int) -> float:
    """The horizontal place of a caret before ``offset`` of the layout."""
    found: object = line.cursorToX(offset)
    assert isinstance(found, tuple)  # the stub says float
    return float(found[0])


def extents(line: QTextLine, first: int, last: int) -> list[tuple[float, float]]:
    """Where ``[first, last)`` of the layout is drawn in a line of mixed directions: from left to right."""
    found: list[tuple[float, float]] = []
    areas = (run.boundingRect() for run in line.glyphRuns(first, last - first))
    for left, right in sorted((area.left(), area.right()) for area in areas if area.width()):
        if found and left - found[-1][1] < 1:
            found[-1] = found[-1][0], max(right, found[-1][1])
        else:
            found.append((left, right))
    return found


def is_code(content: InlineText, position: int) -> bool:
    """Whether inline code stands at ``position``, in code points."""
    spans = content.spans
    index = bisect_right(spans, position, key=lambda span: span.start) - 1
    return index >= 0 and position < spans[index].end and bool(spans[index].style & Style.CODE)


def sliced(content: InlineText, first: int, last: int) -> InlineText:
    """The part ``[first, last)``, in code points, with its styles and objects."""
    if first <= 0 and last >= len(content.text):
        return content
    all_spans = content.spans
    low = bisect_right(all_spans, first, key=lambda span: span.end)
    high = bisect_left(all_spans, last, key=lambda span: span.start)
    spans = tuple(
        type(span)(max(span.start, first) - first, min(span.end, last) - first, span.style, span.href)
        for span in all_spans[low:high]
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


def unchanged_prefix(old: InlineText, new: InlineText) -> int:
    """Code points from the start whose text, styles and objects both share."""
    low, high = 0, min(len(old.text), len(new.text))
    if new.text.startswith(old.text):
        low = len(old.text)
    else:
        while low < high:
            middle = (low + high + 1) // 2
            if old.text[:middle] == new.text[:middle]:
                low = middle
            else:
                high = middle - 1
    if old.spans is not new.spans:
        for before, after in zip(old.spans, new.spans, strict=False):
            if before is not after and before != after:
                return min(low, before.start, after.start)
    longer = old.spans if len(old.spans) > len(new.spans) else new.spans
    shared = min(len(old.spans), len(new.spans))
    return min(low, longer[shared].start) if shared < len(longer) else low


def is_solid(text: str, kept: int = 0) -> bool:
    """Whether hundreds of signs without a word between them stand in ``text``; not up to ``kept``."""
    return len(text) >= _SOLID and _SIGNS.search(text, max(0, kept - _SOLID)) is not None
