"""The lines of a code card: one `QTextLayout` a line, made when the line is first seen."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QTextCharFormat, QTextLayout, QTextOption

from desktop_chat.markup.blocks import InlineText
from desktop_chat.markup.highlighting import MAX_LINE
from desktop_chat.ui.transcript.direction import holds_right_to_left
from desktop_chat.ui.transcript.icons import paint_icon
from desktop_chat.ui.transcript.inline import Mark, caret_x, extents, upright_ranges
from desktop_chat.ui.transcript.isolates import NONE, Isolates
from desktop_chat.ui.transcript.typography import TextStyle
from desktop_chat.ui.transcript.utf16 import Utf16Offsets
from desktop_chat.ui.transcript.words import caret_at

LONGEST_LINE: Final = MAX_LINE
"""Characters; a longer line is shown as several, or its layout would stop the program. It has no colours."""

KEPT_LINES: Final = 400
"""Lines that were seen whose layouts are kept, besides those in the window."""

_UNBOUNDED: Final = 1 << 20
_WIDE: Final = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\U0001f000-\U0003ffff]"
)
"""Characters that take the room of two."""

_MARK_SIZE: Final = 10
"""Of the icon before a line that goes on with the one above, in the margin; pixels."""


class ColoredSpan(NamedTuple):
    """A token ``[start, end)`` of one line, in code points of the line, and its format."""

    start: int
    end: int
    format: QTextCharFormat


class LineColors(NamedTuple):
    """The coloured spans of each line, of which those of the lines ``changed`` may be new; none of lines beyond."""

    lines: Sequence[Sequence[ColoredSpan]] = ()
    changed: range = range(0)


class Colored(Protocol):
    """A block of code that gets its colours within some frames."""

    def recolor(self, colors: LineColors) -> None:
        """Show more colours of the same code."""
        ...


class Highlighter(Protocol):
    """Colours code as far as each frame's allowance goes."""

    def lines(self, block: Colored, code: str, language: str, *, closed: bool) -> LineColors:
        """The colours of ``code``, the present text of ``block``, which may grow each frame."""
        ...

    @property
    def is_behind(self) -> bool:
        """Whether code waits for `go_on`."""
        ...

    def go_on(self) -> None:
        """Colour more of what waits, with what is left of this frame's allowance."""
        ...

    def end_frame(self) -> None:
        """Grant the next frame its allowance."""
        ...


class CodeRun:
    """Code as one selectable run.

    Attributes:
        line_count: lines as shown.
        source_line_count: lines of the code.
        longest_width: of the widest line without wrapping, in pixels.
    """

    def __init__(self, style: TextStyle) -> None:
        self.style = style
        self.code = ""
        self.length = 0
        self.height = 0
        self.is_wrapped = False
        self._width = 0
        self._starts: list[int] = [0]
        self._sources: list[int] = [0]  # for each line shown, which line of the code it is, or is a part of
        self._layouts: dict[int, QTextLayout] = {}
        self._isolates: dict[int, Isolates] = {}
        self._tops: list[int] = []
        self._colors: Sequence[Sequence[ColoredSpan]] = ()
        self._spans: dict[int, Sequence[ColoredSpan]] = {}  # with which lines were laid out
        self._offsets = Utf16Offsets("")
        self._longest_width = 0.0
        self._longest_length = -1
        self.visible_lines = 1
        tab = style.metrics.horizontalAdvance(" ") * 4
        self._option = QTextOption()
        self._option.setTabStopDistance(tab)
        self._option.setTextDirection(Qt.LayoutDirection.LeftToRight)

    @property
    def text(self) -> str:
        return self.code

    @property
    def line_count(self) -> int:
        return len(self._starts)

    @property
    def source_line_count(self) -> int:
        return self._sources[-1] + 1

    def set_code(self, code: str, colors: LineColors) -> None:
        """Show ``code``; lines before the first change keep their layouts."""
        kept = self._kept_lines(code)
        for index in range(kept, len(self._starts)):
            self._layouts.pop(index, None)
        start = self._starts[kept] if kept < len(self._starts) else 0
        del self._starts[kept:]
        del self._sources[kept:]
        del self._tops[kept:]
        position = start
        source = 0 if kept == 0 else self._sources[-1] + (code[start - 1] == "\n")
        while True:
            end = code.find("\n", position)
            stop = len(code) if end < 0 else end
            while stop - position > LONGEST_LINE:
                self._starts.append(position)
                self._sources.append(source)
                position += LONGEST_LINE
            self._starts.append(position)
            self._sources.append(source)
            if end < 0:
                break
            position, source = end + 1, source + 1
        if kept == 0:
            self._longest_length = -1
        if code.startswith(self.code):
            self._offsets.extend(code, len(self.code))
        else:
            self._offsets = Utf16Offsets(code)
        self.code = code
        self.length = self._offsets.length
        self.recolor(colors)
        self._measure(kept)

    def _kept_lines(self, code: str) -> int:
        """How many lines of the shown code are complete and equal in ``code``."""
        if code.startswith(self.code):
            return len(self._starts) - 1
        low, high = 0, len(self._starts) - 1
        while low < high:
            middle = (low + high + 1) // 2
            start = self._starts[middle]
            if code[:start] == self.code[:start]:
                low = middle
            else:
                high = middle - 1
        return low

    def recolor(self, colors: LineColors) -> None:
        """Show the same code in other colours; lines that look the same keep their layouts."""
        self._colors = colors.lines
        is_split = self.line_count > self.source_line_count
        for source in colors.changed:
            index = bisect_left(self._sources, source) if is_split else source
            if index in self._layouts and self._spans[index] != self._spans_of(index):
                del self._layouts[index]

    def _spans_of(self, index: int) -> Sequence[ColoredSpan]:
        source = self._sources[index]
        is_part = self._sources[max(0, index - 1) : index + 2].count(source) > 1
        return () if is_part or source >= len(self._colors) else self._colors[source]

    def _continues(self, index: int) -> bool:
        """Whether a line shown goes on with the one before it."""
        return index > 0 and self._sources[index - 1] == self._sources[index]

    def _measure(self, first: int) -> None:
        """Find the widest line: one that has more characters than any before it."""
        if self.is_wrapped:
            return
        for index in range(first, len(self._starts)):
            start, end = self.line_bounds(index)
            text = self.code[start:end]
            length = len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))
            if length > self._longest_length:
                self._longest_length = length
                width = self._layout(index).lineAt(0).naturalTextWidth()
                self._longest_width = max(self._longest_width, width)

    @property
    def longest_width(self) -> float:
        return self._longest_width

    def line_bounds(self, index: int) -> tuple[int, int]:
        """Code points ``[start, end)`` of a shown line, without its line end."""
        start = self._starts[index]
        end = self._starts[index + 1] if index + 1 < len(self._starts) else len(self.code)
        return start, end - 1 if end > start and self.code[end - 1] == "\n" and index + 1 < len(
            self._starts
        ) else end

    def _layout(self, index: int) -> QTextLayout:
        found = self._layouts.get(index)
        if found is not None:
            return found
        start, end = self.line_bounds(index)
        text = self.code[start:end]
        spans = self._spans[index] = self._spans_of(index)
        offsets = Utf16Offsets(text)
        isolates = _token_isolates(text, spans)
        self._isolates[index] = units = isolates.mapped(offsets.units) if isolates else NONE
        laid = isolates.laid_out(text)
        layout = QTextLayout(laid, self.style.font)
        layout.setCacheEnabled(True)
        mode = QTextOption.WrapMode
        self._option.setWrapMode(mode.WrapAtWordBoundaryOrAnywhere if self.is_wrapped else mode.NoWrap)
        layout.setTextOption(self._option)
        if spans:
            ranges = []
            for span in spans:
                item = QTextLayout.FormatRange()
                item.start = units.start(offsets.units(span.start))
                item.length = units.end(offsets.units(span.end)) - item.start
                item.format = span.format
                ranges.append(item)
            layout.setFormats([*ranges, *upright_ranges(laid)])
        style = self.style
        layout.beginLayout()
        y = 0
        while True:
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(self._width if self.is_wrapped else _UNBOUNDED)
            line.setPosition(QPointF(0, y + style.baseline - line.ascent()))
            y += style.line_height
        layout.endLayout()
        self._layouts[index] = layout
        return layout

    def lay_out(self, width: int, visible_lines: int, *, wrap: bool) -> int:
        """Fit ``visible_lines`` into ``width``; returns the height."""
        was_wrapped = self.is_wrapped
        if wrap != was_wrapped or (wrap and width != self._width):
            self._layouts.clear()
            self._tops.clear()
        self.is_wrapped, self._width, self.visible_lines = wrap, width, visible_lines
        if was_wrapped and not wrap:
            self._longest_length, self._longest_width = -1, 0.0
            self._measure(0)
        if not wrap:
            self.height = visible_lines * self.style.line_height
            return self.height
        del self._tops[visible_lines + 1 :]
        y = self._tops[-1] if self._tops else 0
        if not self._tops:
            self._tops.append(0)
        for index in range(len(self._tops) - 1, visible_lines):
            y = self._tops[index] + self._layout(index).lineCount() * self.style.line_height
            self._tops.append(y)
        self.height = self._tops[-1]
        return self.height

    # --- geometry ----------------------------------------------------------------------------------------

    def _top(self, index: int) -> int:
        return self._tops[index] if self.is_wrapped else index * self.style.line_height

    def _line_at(self, y: float) -> int:
        index = bisect_right(self._tops, y) - 1 if self.is_wrapped else int(y // self.style.line_height)
        return max(0, min(index, self.visible_lines - 1))

    def _line_of(self, offset: int) -> int:
        return max(0, bisect_right(self._starts, self._offsets.code_points(offset)) - 1)

    def rects(self, start: int, end: int) -> Iterator[QRectF]:
        height = self.style.line_height
        last = min(self._line_of(end), self.visible_lines - 1)
        for index in range(self._line_of(start), last + 1):
            yield from self._line_rects(index, start, end, height)

    def _line_rects(self, index: int, start: int, end: int, height: int) -> Iterator[QRectF]:
        begin, stop = (self._offsets.units(bound) for bound in self.line_bounds(index))
        first, last = max(start, begin) - begin, min(end, stop) - begin
        ends_within = end > stop
        if first > last:
            return
        layout, isolates = self._layout(index), self._isolates[index]
        is_mixed = holds_right_to_left(self.code[slice(*self.line_bounds(index))])
        first, last, stop = isolates.start(first), isolates.end(last), isolates.end(stop - begin)
        for number in range(layout.lineCount()):
            line = layout.lineAt(number)
            low = max(first, line.textStart())
            high = min(last, line.textStart() + line.textLength())
            if low > high:
                continue
            areas = extents(line, low, high) if is_mixed and low < high else []
            if not areas:
                areas = [(caret_x(line, low), caret_x(line, high))]
            if ends_within and high == stop:
                areas[-1] = areas[-1][0], areas[-1][1] + self.style.average_width / 2  # the selected line end
            for left, right in areas:
                if right > left:
                    yield QRectF(left, self._top(index) + number * height, right - left, height)

    def offset_at(self, x: float, y: float) -> int:
        index = self._line_at(y)
        layout = self._layout(index)
        number = int((y - self._top(index)) // self.style.line_height)
        line = layout.lineAt(max(0, min(number, layout.lineCount() - 1)))
        start = self._offsets.units(self._starts[index])
        return start + (self._isolates[index].offset(caret_at(layout, line, x)) if line.isValid() else 0)

    def caret(self, offset: int) -> QRectF:
        index = min(self._line_of(offset), self.visible_lines - 1)
        layout = self._layout(index)
        inside = self._isolates[index].start(offset - self._offsets.units(self._starts[index]))
        line = layout.lineForTextPosition(inside)
        x = caret_x(line, inside) if line.isValid() else 0.0
        number = line.lineNumber() if line.isValid() else 0
        height = self.style.line_height
        return QRectF(x, self._top(index) + number * height, 0, height)

    def href_at(self, _x: float, _y: float) -> None:
        return None

    def slice(self, start: int, end: int) -> InlineText:
        points = self._offsets.code_points
        return InlineText(self.code[points(start) : points(end)])

    def units(self, code_points: int) -> int:
        return self._offsets.units(code_points)

    # --- painting ----------------------------------------------------------------------------------------

    def paint(
        self,
        painter: QPainter,
        x: float,
        y: float,
        clip: QRectF,
        ink: QColor,
        faint: str,
        marks: Sequence[Mark],
    ) -> None:
        """Paint the lines that meet ``clip``, with the first line's top left corner at ``(x, y)``.

        Args:
            faint: the colour of the mark before a line that is the rest of the one above.
        """
        for mark in marks:
            first, last = self._line_at(clip.top() - y), self._line_at(clip.bottom() - y)
            low = max(mark.start, self._offsets.units(self._starts[first]))
            high = min(mark.end, self._offsets.units(self.line_bounds(last)[1]) + 1)
            for rect in self.rects(low, high):
                painter.fillRect(rect.translated(x, y), mark.color)
        painter.setPen(ink)
        shown = range(self._line_at(clip.top() - y), self._line_at(clip.bottom() - y) + 1)
        if len(self._layouts) > KEPT_LINES + len(shown):
            self._forget_layouts(shown)
        for index in shown:
            self._layout(index).draw(painter, QPointF(x, y + self._top(index)))
            if self._continues(index) and not self.is_wrapped:
                paint_icon(painter, "wrap", self._mark_area(index).translated(x, y), faint)

    def _mark_area(self, index: int) -> QRectF:
        return QRectF(-_MARK_SIZE - 3, self._top(index), _MARK_SIZE, self.style.line_height)

    def _forget_layouts(self, shown: range) -> None:
        """Let go the lines that are not near those shown."""
        near = range(shown.start - KEPT_LINES // 4, shown.stop + KEPT_LINES // 4)
        for index in [index for index in self._layouts if index not in near]:
            del self._layouts[index], self._isolates[index], self._spans[index]


def _token_isolates(text: str, spans: Sequence[ColoredSpan]) -> Isolates:
    """Around each token of a line that holds text from right to left: strings, comments."""
    if not holds_right_to_left(text):
        return NONE
    tokens = [span for span in spans if holds_right_to_left(text[span.start : span.end])]
    return Isolates([place for span in tokens for place in (span.start, span.end)])
