"""Finding in a conversation: counts in the messages' sources, a slice at a time, and shows a hit where it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QTimer

from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.message_layout import MessageLayout
from desktop_chat.ui.transcript.places import Place, occurrences

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_SLICE_S: Final = 0.008
_ASKED_ROWS: Final = 300
"""Messages whose text is loaded at once when it is not at hand."""


class Search:
    """One search.

    Attributes:
        needle: what is looked for, in lower case; "" for nothing.
        current: where the current hit stands, when it could be shown.
    """

    def __init__(self, view: TranscriptView) -> None:
        self._view = view
        self.needle = ""
        self.current: Place | None = None
        self._hits: list[int] = []  # the row of each hit
        self._number = -1
        self._next_row = 0
        self._timer = QTimer(view)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._scan)

    def begin(self, text: str) -> None:
        """Look for ``text`` from the start; the first hit shows at once, the count grows while the rest is read."""
        self._timer.stop()
        self.needle, self.current = text.lower(), None
        self._hits, self._number, self._next_row = [], -1, 0
        self._view.viewport().update()
        if self.needle:
            self._scan()
            if not self._hits and not self._is_reading():
                self._view.find_result.emit(0, 0)
        else:
            self._view.find_result.emit(0, 0)

    def _is_reading(self) -> bool:
        return bool(self.needle) and self._next_row < len(self._view.model)

    def resume(self) -> None:
        """Texts were loaded."""
        if self._is_reading() and not self._timer.isActive():
            self._timer.start(0)

    def _scan(self) -> None:
        model, before = self._view.model, len(self._hits)
        until = time.monotonic() + _SLICE_S
        while self._is_reading():
            message = model.glance(self._next_row)
            if message is None:
                model.ask(range(self._next_row, min(len(model), self._next_row + _ASKED_ROWS)))
                if model.glance(self._next_row) is None:
                    break
                continue
            count = message.text.lower().count(self.needle)
            if message.reasoning:
                count += message.reasoning.lower().count(self.needle)
            if count:
                self._hits += [self._next_row] * count
            self._next_row += 1
            if time.monotonic() > until:
                self._timer.start(0)
                break
        if self._hits and self._number < 0:
            self.step(1)
        elif len(self._hits) != before or not self._is_reading():
            self._view.find_result.emit(self._number + 1, len(self._hits))

    def step(self, by: int) -> None:
        """Go to the next hit, or with -1 to the previous one; around the ends."""
        if not self._hits:
            return
        self._number = (self._number + by) % len(self._hits)
        row = self._hits[self._number]
        self._view.find_result.emit(self._number + 1, len(self._hits))
        layout = self._view.stack.layout(row)
        if layout is not None:
            self._show(row, layout, self._number - self._hits.index(row))

    def _show(self, row: int, layout: MessageLayout, ordinal: int) -> None:
        """Reveal the hit number ``ordinal`` of a message; the last one when fewer are shown than its source has."""
        view = self._view
        if layout.message.reasoning.lower().count(self.needle) and not layout.is_reasoning_open:
            layout.toggle_reasoning()
        seen, index = 0, 0
        found: tuple[int, int, int] | None = None
        while index < len(layout.column):
            section = layout.column.entries[index].spec.part.section
            if section not in {Section.BODY, Section.REASONING}:
                index += 1
                continue
            layout.measure(index)
            box = layout.column.entries[index].box
            if box is None:  # a segment gave way to its blocks
                continue
            for number, placed in enumerate(box.runs()):
                for start, _ in occurrences(placed.run, self.needle):
                    if seen <= ordinal:
                        found = index, number, start
                    seen += 1
            if seen > ordinal:
                break
            index += 1
        if found is None:
            view.stack.touched(row, 0)
            view.reveal(QRectF(0, view.stack.message_top(row), 1, 20))
            return
        index, number, start = found
        entry = layout.column.entries[index]
        if entry.box is not None and entry.box.unfold():
            layout.invalidate(index)
            layout.measure(index)
        view.stack.touched(row, 0)
        self.current = Place(row, entry.spec.part, number, start)
        placed_run = layout.run(entry.spec.part, number)
        if placed_run is not None:
            caret = placed_run.run.caret(start).translated(placed_run.x, placed_run.y)
            view.reveal(caret.translated(0, view.stack.message_top(row)))
        view.refresh()
