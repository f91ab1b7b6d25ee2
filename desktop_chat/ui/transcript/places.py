"""Places in the text of the transcript, and what is selected or found there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from PySide6.QtGui import QColor

from desktop_chat.ui.transcript.boxes import Run
from desktop_chat.ui.transcript.column import Part
from desktop_chat.ui.transcript.inline import Mark


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
        self.selection: Selection | None = None
        self.needle = ""
        self.current: Place | None = None

    def marks(self, run_number: int, run: Run) -> Sequence[Mark]:
        if not self.needle and self.selection is None:
            return NOTHING
        found: list[Mark] = []
        if self.needle:
            for start, end in occurrences(run, self.needle):
                place = Place(self.row, self.part, run_number, start)
                is_current = self.current == place
                found.append(Mark(start, end, self._current_color if is_current else self._found_color))
        if self.selection is not None:
            part = self.selection.within(self.row, self.part, run_number, run.length)
            if part is not None:
                found.append(Mark(*part, self._selection_color))
        return found or NOTHING


def occurrences(run: Run, needle: str) -> list[tuple[int, int]]:
    """Where ``needle``, in lower case, occurs in a run: ``[start, end)`` in UTF-16 units."""
    text = run.text.lower()
    if len(text) != len(run.text):  # a few letters change their length in lower case
        text = "".join(c if len(c.lower()) != 1 else c.lower() for c in run.text)
    found = []
    position = text.find(needle)
    while position >= 0:
        found.append((run.units(position), run.units(position + len(needle))))
        position = text.find(needle, position + len(needle))
    return found
