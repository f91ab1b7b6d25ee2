"""Places in the text of the transcript, and what is selected or found there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from PySide6.QtGui import QColor

from desktop_chat.ui.transcript.boxes import Run
from desktop_chat.ui.transcript.column import Entry, Part
from desktop_chat.ui.transcript.hits import SEARCHED, Needle, origin
from desktop_chat.ui.transcript.inline import Mark
from desktop_chat.ui.transcript.math_box import FormulaSource
from desktop_chat.ui.transcript.utf16 import Utf16Offsets


class Place(NamedTuple):
    """A caret position: message row, entry, run within the entry, offset in UTF-16 units. Ordered as it reads."""

    row: int
    part: Part
    run: int
    offset: int


class Selection(NamedTuple):
    """From where the selection began to where it was drawn."""

    anchor: Place
    head: Place

    @property
    def start(self) -> Place:
        return min(self.anchor, self.head)

    @property
    def end(self) -> Place:
        return max(self.anchor, self.head)

    @property
    def is_empty(self) -> bool:
        return self.anchor == self.head

    def within(self, row: int, part: Part, run: int, length: int) -> tuple[int, int] | None:
        """The selected ``[start, end)`` of one run."""
        start, end = self.start, self.end
        here = (row, part, run)
        if here < start[:3] or here > end[:3]:
            return None
        first = start.offset if here == start[:3] else 0
        last = end.offset if here == end[:3] else length
        # A run that the selection leaves is selected with its end, so that empty lines show too.
        return (first, last) if last > first else None


NOTHING: Final[Sequence[Mark]] = ()


class EntryMarks:
    """The marks of the entry being painted."""

    def __init__(self, selection_color: QColor, found_color: QColor, current_color: QColor) -> None:
        self._selection_color = selection_color
        self._found_color = found_color
        self._current_color = current_color
        self.row = 0
        self.part = Part(0)
        self._entries: Sequence[Entry] = ()
        self._index = 0
        self.selection: Selection | None = None
        self.needle = ""
        self.current: Place | None = None

    def begin(self, entries: Sequence[Entry], index: int) -> None:
        """Entry ``index`` of a message's entries is painted next."""
        self._entries, self._index = entries, index
        self.part = entries[index].spec.part

    def marks(self, run_number: int, run: Run) -> Sequence[Mark]:
        if not self.needle and self.selection is None:
            return NOTHING
        found: list[Mark] = []
        if self.needle and self.part.section in SEARCHED and not isinstance(run, FormulaSource):
            found += self._found(run_number, run)
        if self.selection is not None:
            part = self.selection.within(self.row, self.part, run_number, run.length)
            if part is not None:
                found.append(Mark(*part, self._selection_color))
        return found or NOTHING

    def _found(self, run_number: int, run: Run) -> Iterator[Mark]:
        """The hits in a run, and the parts in it of hits across a seam."""
        entries, index, text = self._entries, self._index, run.text
        box = entries[index].box
        is_last = box is not None and run_number == box.run_count - 1
        needle = Needle(self.needle)
        for start, end in needle.spans(entries, index, text, is_first=run_number == 0, is_last=is_last):
            first, last = run.units(max(0, start)), run.units(min(len(text), end))
            is_current = self.current is not None and self._is_current(self.current, run_number, first, start)
            yield Mark(first, last, self._current_color if is_current else self._found_color)

    def _is_current(self, current: Place, run_number: int, offset: int, start: int) -> bool:
        if start >= 0:
            return current == Place(self.row, self.part, run_number, offset)
        entry, text, start = origin(self._entries, self._index, start)
        number = current.run if entry.box is None else entry.box.run_count - 1
        return current == Place(self.row, entry.spec.part, number, Utf16Offsets(text).units(start))
