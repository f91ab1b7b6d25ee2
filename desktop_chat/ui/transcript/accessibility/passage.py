"""Text for assistive tools: what is read aloud, and where each character of it stands in the conversation."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF
from PySide6.QtGui import QAccessibleTextInterface

from desktop_chat.ui.transcript.boxes import PlacedRun
from desktop_chat.ui.transcript.column import Part
from desktop_chat.ui.transcript.places import Place, Selection
from desktop_chat.ui.transcript.spoken import Spoken

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.accessibility.nodes import Node
    from desktop_chat.ui.transcript.view import TranscriptView


class Stretch(NamedTuple):
    """One run of a passage; ``run`` is ``None`` where it has no characters on the screen."""

    part: Part
    run: int | None
    spoken: Spoken


class Passage:
    """The text of an element: stretches on lines of their own. Offsets are in UTF-16 units, as Qt's are."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._stretches = stretches
        self._starts: list[int] = []
        start = 0
        for stretch in stretches:
            self._starts.append(start)
            start += stretch.spoken.length + 1
        self.length = max(0, start - 1)

    def text(self, start: int, end: int) -> str:
        found = []
        for number in range(self._at(start), len(self._stretches)):
            first, spoken = self._starts[number], self._stretches[number].spoken
            if first >= end:
                break
            found.append(spoken.slice(start - first, min(end - first, spoken.length)))
            if end > first + spoken.length and number + 1 < len(self._stretches):
                found.append("\n")
        return "".join(found)

    def _at(self, offset: int) -> int:
        return max(0, bisect_right(self._starts, offset) - 1)

    def place(self, row: int, offset: int) -> Place | None:
        """The place in the conversation of an offset; ``None`` where it is not on the screen."""
        if not self._stretches:
            return None
        number = self._at(max(0, min(offset, self.length)))
        part, run, spoken = self._stretches[number]
        if run is None:
            return None
        inside = min(max(0, offset - self._starts[number]), spoken.length)
        return Place(row, part, run, spoken.in_run(inside))

    def offset(self, place: Place) -> int | None:
        """The offset of a place of the same message; ``None`` when it is elsewhere."""
        for start, (part, run, spoken) in zip(self._starts, self._stretches, strict=True):
            if (part, run) == (place.part, place.run):
                return min(start + spoken.of_run(place.offset), start + spoken.length)
        return None

    def selected(self, row: int, selection: Selection) -> tuple[int, int] | None:
        """The selected ``[start, end)``."""
        found: tuple[int, int] | None = None
        for start, (part, run, spoken) in zip(self._starts, self._stretches, strict=True):
            inside = None if run is None else selection.within(row, part, run, spoken.in_run(spoken.length))
            if inside is not None:
                first, last = (start + spoken.of_run(each) for each in inside)
                found = (first if found is None else found[0], last)
        return found


EMPTY = Passage([])


class TextInterface(QAccessibleTextInterface):
    """A text that is read and selected, not edited.

    The binding carries neither ``selection()`` nor ``attributes()`` to Python (PySide6 6.12 removes functions with
    two out-parameters and leaves them empty), so that Qt would read uninitialised memory if a selection were
    counted here. Tools learn of it by `QAccessibleTextSelectionEvent`, and may set it.
    """

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._node = node

    def text(self, startOffset: int, endOffset: int) -> str:
        passage = self._node.passage()
        return passage.text(startOffset, passage.length if endOffset < 0 else endOffset)

    def characterCount(self) -> int:
        return self._node.passage().length

    def cursorPosition(self) -> int:
        selection = self._node.view.reading.selection
        if selection is None or selection.head.row != self._node.row:
            return 0
        return self._node.passage().offset(selection.head) or 0

    def setCursorPosition(self, position: int) -> None:
        self.setSelection(0, position, position)

    def selectionCount(self) -> int:
        return 0

    def addSelection(self, startOffset: int, endOffset: int) -> None:
        self.setSelection(0, startOffset, endOffset)

    def removeSelection(self, _selectionIndex: int) -> None:
        self._node.view.reading.select(None)

    def setSelection(self, _selectionIndex: int, startOffset: int, endOffset: int) -> None:
        self._node.lay_out()
        passage, row, reading = self._node.passage(), self._node.row, self._node.view.reading
        start, end = passage.place(row, startOffset), passage.place(row, endOffset)
        if start is not None and end is not None:
            reading.select(Selection(start, end))
            reading.caret.is_shown = True
            reading.caret.reveal(end)

    def scrollToSubstring(self, startIndex: int, _endIndex: int) -> None:
        self._node.lay_out()
        place = self._node.passage().place(self._node.row, startIndex)
        if place is not None:
            self._node.view.reading.caret.reveal(place)

    def characterRect(self, offset: int) -> QRect:
        node = self._node
        place = node.passage().place(node.row, offset)
        area = None if place is None else character_area(node.view, place)
        return node.rect() if area is None else to_screen(node.view, area)

    def offsetAtPoint(self, point: QPoint) -> int:
        view = self._node.view
        place = view.pointer.place_at(QPointF(view.viewport().mapFromGlobal(point)))
        if place is None or place.row != self._node.row:
            return -1
        offset = self._node.passage().offset(place)
        return -1 if offset is None else offset


def placed_run(view: TranscriptView, place: Place) -> tuple[PlacedRun, float, float] | None:
    """The run of a place and its top left corner in the viewport; ``None`` while it is not laid out."""
    layout = view.stack.known_layout(place.row)
    placed = None if layout is None else layout.run(place.part, place.run)
    if placed is None:
        return None
    return placed, view.column_left + placed.x, view.stack.message_top(place.row) - view.top + placed.y


def character_area(view: TranscriptView, place: Place) -> QRectF | None:
    """Where the character after a place stands in the viewport."""
    found = placed_run(view, place)
    if found is None:
        return None
    placed, x, y = found
    area = next(iter(placed.run.rects(place.offset, place.offset + 1)), None)
    return (area or placed.run.caret(place.offset)).translated(x, y)


def to_screen(view: TranscriptView, area: QRectF) -> QRect:
    return area.toAlignedRect().translated(view.viewport().mapToGlobal(QPoint(0, 0)))
