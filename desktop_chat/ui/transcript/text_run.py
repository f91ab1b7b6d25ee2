"""One paragraph-like run of text, laid out with `QTextLayout` and painted line by line.

A run keeps its text in chunks of some lines, each with a layout of its own that begins where a line begins. Greedy
line breaking never looks back, so the chunks show exactly what one layout of the whole would; but a growing
paragraph only lays out its last chunk again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QTextLayout, QTextLine

from desktop_chat.markup.blocks import InlineText, Style
from desktop_chat.ui.transcript.direction import direction_of, holds_right_to_left
from desktop_chat.ui.transcript.inline import (
    InlinePicture,
    Mark,
    PictureMaker,
    caret_x,
    extents,
    hidden_characters,
    is_code,
    is_solid,
    shown_text,
    sliced,
    text_option,
    unbroken_parts,
    unchanged_prefix,
    upright_ranges,
)
from desktop_chat.ui.transcript.isolates import NONE, Isolates, isolates_of, with_isolates
from desktop_chat.ui.transcript.text_chunk import Chunk
from desktop_chat.ui.transcript.text_formats import TextFormats
from desktop_chat.ui.transcript.typography import INLINE_CODE_PADDING, TextStyle
from desktop_chat.ui.transcript.utf16 import Utf16Offsets
from desktop_chat.ui.transcript.words import caret_at

CHUNK_LENGTH: Final = 1200
"""Characters after which a chunk ends, at the next line start."""

CHUNK_LOOKAHEAD: Final = 600
"""Characters laid out beyond a chunk's end, so that its last line breaks as in the whole text."""

GROWING_LENGTH: Final = 240
GROWING_LOOKAHEAD: Final = 320
"""The same while the text grows: what is laid out again in every frame is no longer than needed."""

_UNBOUNDED: Final = 1 << 20


class TextRun:
    """Text with character styles in one column.

    Attributes:
        content: what is shown.
        length: in UTF-16 units, as are all offsets.
        width / height: as laid out, in whole pixels; the height is 0 before `lay_out`.
    """

    def __init__(
        self,
        content: InlineText,
        style: TextStyle,
        pictures: PictureMaker,
        alignment: Qt.AlignmentFlag | None = None,
        *,
        right_to_left: bool = False,
    ) -> None:
        """Without an ``alignment`` lines begin where the text does; without a strong character it runs as told."""
        self.style = style
        self.width = 0
        self.height = 0
        self._pictures = pictures
        self._alignment = alignment
        self._right_to_left_around = right_to_left
        self._chunks: list[Chunk] = []
        self._natural_width: float | None = None
        self._is_solid = is_solid(content.text)
        self._set_content(content)

    def _set_content(self, content: InlineText) -> None:
        self.content = content
        self._offsets = self._text_offsets = Utf16Offsets(content.text)
        self.length = self._offsets.length
        self._isolates = self._unit_isolates = NONE
        self._laid = content
        self._shown = content.text
        self._objects: dict[int, InlinePicture] = {}
        if items := [*content.objects, *hidden_characters(content)]:
            self._objects = {item.position: self._pictures(item, self.style) for item in items}
            self._shown = shown_text(content, self._objects)
        found = direction_of(content)
        self.right_to_left = self._right_to_left_around if found is None else found
        self._is_bidirectional = self.right_to_left or holds_right_to_left(content.text)
        if self._is_bidirectional and (isolates := isolates_of(content)):
            self._isolate(isolates)
        self._object_places = sorted(self._objects)

    def _isolate(self, isolates: Isolates) -> None:
        """Lay the text out with characters put into it: all that is private counts them."""
        self._laid = with_isolates(InlineText(self._shown, self.content.spans), isolates)
        self._shown = self._laid.text
        self._objects = {isolates.start(position): found for position, found in self._objects.items()}
        self._isolates = isolates
        self._unit_isolates = isolates.mapped(self._text_offsets.units)
        self._offsets = Utf16Offsets(self._shown)

    @property
    def has_objects(self) -> bool:
        return bool(self._objects)

    @property
    def text(self) -> str:
        return self.content.text

    def natural_width(self) -> float:
        """The width of the text on one line, in pixels."""
        if not self._shown:
            return 0.0
        if self._natural_width is None:
            chunk, _ = self._make_chunk(0, len(self._shown), wrap=False, width=_UNBOUNDED)
            lines = (chunk.layout.lineAt(number) for number in range(chunk.layout.lineCount()))
            self._natural_width = max([0.0, *(line.x() + line.naturalTextWidth() for line in lines)])
        return self._natural_width

    def longest_word_width(self) -> float:
        words = unbroken_parts(self._shown)
        return self.style.metrics.horizontalAdvance(max(words, key=len)) if words else 0.0

    # --- layout ------------------------------------------------------------------------------------------

    def lay_out(self, width: int) -> int:
        """Break the text into lines of at most ``width`` pixels; returns the height."""
        width = max(1, width)
        if self._chunks and width == self.width:
            return self.height
        self.width = width
        self._chunks.clear()
        return self._lay_out_rest(0)

    def update(self, content: InlineText) -> int:
        """Show ``content`` instead; chunks before the first difference stay. Only for a run without objects
        in the part that changes, which a new run has to show anyway. Returns the y above which nothing changed."""
        kept, before = unchanged_prefix(self.content, content), (self.right_to_left, bool(self._isolates))
        self._natural_width = None
        self._set_content(content)
        was_solid, self._is_solid = self._is_solid, self._is_solid or is_solid(content.text, kept)
        stays = (self.right_to_left, bool(self._isolates)) == before and self._is_solid == was_solid
        kept = self._isolates.end(kept) if stays else 0
        if not self._chunks:
            return 0
        count = 0
        while count < len(self._chunks) and self._chunks[count].needs <= kept:
            count += 1
        del self._chunks[count:]
        start = self._offsets.code_points(self._chunks[-1].end) if count else 0
        self._lay_out_rest(start, GROWING_LENGTH, GROWING_LOOKAHEAD)
        # A shorter word may have moved up to the line before; marks reach a little out of their line.
        first = self._caret(self._offsets.units(min(kept, len(self._shown)))).top()
        return max(0, int(first) - 2 * self.style.line_height)

    def _lay_out_rest(self, start: int, length: int = CHUNK_LENGTH, lookahead: int = CHUNK_LOOKAHEAD) -> int:
        growing = length, lookahead
        while True:
            is_much = len(self._shown) - start > 2 * CHUNK_LENGTH
            length, lookahead = (CHUNK_LENGTH, CHUNK_LOOKAHEAD) if is_much else growing
            stop = min(len(self._shown), start + length + lookahead)
            top = self._chunks[-1].tops[-1] if self._chunks else 0
            chunk, ended = self._make_chunk(start, stop, wrap=True, width=self.width, top=top, length=length)
            if not ended:
                chunk.needs = self._next_break(self._offsets.code_points(chunk.end), lookahead)
            self._chunks.append(chunk)
            if ended:
                break
            start = self._offsets.code_points(chunk.end)
        self.height = self._chunks[-1].tops[-1]
        return self.height

    def _make_chunk(
        self, start: int, stop: int, *, wrap: bool, width: int, top: int = 0, length: int = CHUNK_LENGTH
    ) -> tuple[Chunk, bool]:
        """Lay out the code points ``[start, stop)``, or lines with ``length`` of them if they are not all there is.

        Returns the chunk and whether it reaches the text's end.
        """
        font = self.style.plain_font if self._is_solid else self.style.font
        layout = QTextLayout(self._shown[start:stop], font)
        layout.setCacheEnabled(True)
        layout.setTextOption(
            text_option(right_to_left=self.right_to_left, wrap=wrap, alignment=self._alignment)
        )
        origin = self._offsets.units(start)
        formats = TextFormats(
            self._laid, self._objects, self.style, self._offsets, right_to_left=self.right_to_left
        )
        ranges = list(formats.ranges(start, stop, width))
        if ranges:
            layout.setFormats([*ranges, *upright_ranges(self._shown[start:stop])])
        chunk = Chunk(layout, origin)
        last_of_text = stop == len(self._shown)
        limit = self._offsets.units(start + length) - origin
        tall = self._objects
        y, ended = top, True
        style = self.style
        layout.beginLayout()
        while True:
            line = layout.createLine()
            if not line.isValid():
                break
            position = self._offsets.code_points(origin + line.textStart())
            # Or the ground of inline code that begins a line would hang out of the column.
            in_code = not self.right_to_left and is_code(self._laid, position)
            indent = INLINE_CODE_PADDING if in_code else 0
            line.setLineWidth(max(1, width - indent))
            line_height, baseline = style.line_height, style.baseline
            if tall:
                line_height, baseline = self._line_extent(line, origin)
            line.setPosition(QPointF(indent, y + baseline - line.ascent()))
            chunk.tops.append(y)
            chunk.baselines.append(baseline)
            y += line_height
            chunk.end = origin + line.textStart() + line.textLength()
            if not last_of_text and line.textStart() + line.textLength() >= limit:
                ended = False
                break
        layout.endLayout()
        chunk.tops.append(y)
        chunk.needs = len(self._shown) + 1
        chunk.pills = list(self._find_pills(chunk)) if self._laid.spans else []
        return chunk, ended

    def _next_break(self, position: int, lookahead: int) -> int:
        """After the word that begins at ``position``: had it been shorter, it might have fitted the line before."""
        space = self._shown.find(" ", position + 1)
        return min(len(self._shown) if space < 0 else space + 1, position + lookahead)

    def _line_extent(self, line: QTextLine, origin: int) -> tuple[int, int]:
        style = self.style
        first = self._offsets.code_points(origin + line.textStart())
        end = self._offsets.code_points(origin + line.textStart() + line.textLength())
        above, below = style.baseline, style.line_height - style.baseline
        for position in self._objects_between(first, end):
            picture = self._objects[position]
            above = max(above, round(picture.ascent) + 3)
            below = max(below, round(picture.descent) + 3)
        return above + below, above

    def _objects_between(self, first: int, end: int) -> Sequence[int]:
        """Where objects stand in the code points ``[first, end)``."""
        places = self._object_places
        return places[bisect_left(places, first) : bisect_left(places, end)]

    def _find_pills(self, chunk: Chunk) -> Iterator[QRectF]:
        """The rounded backgrounds of inline code, one a line."""
        style = self.style
        height = style.metrics.ascent() + style.metrics.descent()
        for span in self._laid.spans:
            if not span.style & Style.CODE:
                continue
            start, end = self._offsets.units(span.start), self._offsets.units(span.end)
            if end <= chunk.start or start >= chunk.end:
                continue
            for rect in self._chunk_rects(chunk, start, end):
                line_top = rect.y() + style.baseline - style.metrics.ascent()
                left = rect.x() - INLINE_CODE_PADDING
                yield QRectF(left, line_top - 1, rect.right() - left, height + 2)

    # --- geometry ----------------------------------------------------------------------------------------

    def rects(self, start: int, end: int) -> Iterator[QRectF]:
        """The areas of ``[start, end)``, one a line (more in mixed directions)."""
        start, end = self._unit_isolates.start(start), self._unit_isolates.end(end)
        for chunk in self._chunks:
            if chunk.end > start and chunk.start < end:
                yield from self._chunk_rects(chunk, start, end)

    def _chunk_rects(self, chunk: Chunk, start: int, end: int) -> Iterator[QRectF]:
        for index in range(len(chunk.tops) - 1):
            line = chunk.layout.lineAt(index)
            first = max(start - chunk.start, line.textStart())
            last = min(end - chunk.start, line.textStart() + line.textLength())
            if first >= last:
                continue
            top, height = chunk.tops[index], chunk.tops[index + 1] - chunk.tops[index]
            if self._is_bidirectional:
                for left, right in extents(line, first, last):
                    yield QRectF(left, top, right - left, height)
                continue
            left, right = caret_x(line, first), caret_x(line, last)
            yield QRectF(min(left, right), top, abs(right - left), height)

    def offset_at(self, x: float, y: float) -> int:
        """The offset nearest to a point of the run."""
        if not self._chunks:
            return 0
        chunk, index = self._line_at(y)
        line = chunk.layout.lineAt(index)
        if not line.isValid():
            return self._unit_isolates.offset(chunk.start)
        offset = caret_at(chunk.layout, line, x)
        end = line.textStart() + line.textLength()
        if offset == end and 0 < chunk.start + end < self._offsets.length:
            before = self._shown[self._offsets.code_points(chunk.start + end) - 1]
            offset -= before.isspace()  # Behind it, the next line begins.
        return self._unit_isolates.offset(chunk.start + offset)

    def _line_at(self, y: float) -> tuple[Chunk, int]:
        low = bisect_right(self._chunks, y, key=lambda chunk: chunk.tops[0]) - 1
        chunk = self._chunks[max(0, low)]
        index = bisect_right(chunk.tops, y) - 1
        return chunk, max(0, min(index, len(chunk.tops) - 2))

    def caret(self, offset: int) -> QRectF:
        """Where a caret before ``offset`` stands: no width, a line's height."""
        return self._caret(self._unit_isolates.start(offset))

    def _caret(self, offset: int) -> QRectF:
        if not self._chunks:
            return QRectF(0, 0, 0, self.style.line_height)
        low = bisect_right(self._chunks, offset, key=lambda chunk: chunk.start) - 1
        chunk = self._chunks[max(0, low)]
        line = chunk.layout.lineForTextPosition(offset - chunk.start)
        if not line.isValid():
            return QRectF(0, chunk.tops[0], 0, self.style.line_height)
        index = line.lineNumber()
        top = chunk.tops[index]
        return QRectF(caret_x(line, offset - chunk.start), top, 0, chunk.tops[index + 1] - top)

    def baseline_at(self, offset: int) -> float:
        return self._baseline_at(self._unit_isolates.start(offset))

    def _baseline_at(self, offset: int) -> float:
        rect = self._caret(offset)
        chunk, index = self._line_at(rect.y())
        return rect.y() + chunk.baselines[index] if chunk.baselines else rect.y()

    def href_at(self, x: float, y: float) -> tuple[str, str] | None:
        """The link under a point of the run, with its shown text."""
        if not 0 <= y < self.height:
            return None
        for span in self.content.spans:
            if span.href:
                start, end = self.units(span.start), self.units(span.end)
                if any(rect.contains(x, y) for rect in self.rects(start, end)):
                    return span.href, self.text[span.start : span.end]
        return None

    def slice(self, start: int, end: int) -> InlineText:
        """The content of ``[start, end)``."""
        first, last = self._text_offsets.code_points(start), self._text_offsets.code_points(end)
        return sliced(self.content, first, last)

    def units(self, code_points: int) -> int:
        return self._text_offsets.units(code_points)

    # --- painting ----------------------------------------------------------------------------------------

    def paint(
        self,
        painter: QPainter,
        x: float,
        y: float,
        clip: QRectF,
        pill_color: QColor,
        marks: Sequence[Mark] = (),
    ) -> None:
        """Paint the lines that meet ``clip``, with the run's top left corner at ``(x, y)``."""
        for chunk in self._chunks:
            if y + chunk.tops[-1] <= clip.top() or y + chunk.tops[0] >= clip.bottom():
                continue
            if chunk.pills:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(pill_color)
                for pill in chunk.pills:
                    painter.drawRoundedRect(pill.translated(x, y), 4, 4)
            for mark in marks:
                start, end = self._unit_isolates.start(mark.start), self._unit_isolates.end(mark.end)
                if end > chunk.start and start < chunk.end:
                    for rect in self._chunk_rects(chunk, start, end):
                        painter.fillRect(rect.translated(x, y), mark.color)
            painter.setPen(self.style.color)
            chunk.layout.draw(painter, QPointF(x, y), [], clip)
            if self._objects:
                self._paint_objects(painter, chunk, x, y, clip)

    def _paint_objects(self, painter: QPainter, chunk: Chunk, x: float, y: float, clip: QRectF) -> None:
        for index in range(len(chunk.tops) - 1):
            if y + chunk.tops[index + 1] <= clip.top() or y + chunk.tops[index] >= clip.bottom():
                continue
            line = chunk.layout.lineAt(index)
            start = chunk.start + line.textStart()
            first, end = (self._offsets.code_points(at) for at in (start, start + line.textLength()))
            baseline = y + chunk.tops[index] + chunk.baselines[index]
            for position in self._objects_between(first, end):
                left = caret_x(line, self._offsets.units(position) - chunk.start)
                self._objects[position].paint(painter, x + left, baseline, self.width)
