"""Finding in a conversation: short texts at hand are counted here, a slice at a time, all others by the owner.

The count of a slice comes when it is whole, so the hits stand in the order of the messages.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QTimer

from desktop_chat.domain.text import occurrences_in
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.message_layout import MessageLayout
from desktop_chat.ui.transcript.places import Place, occurrences

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_SLICE_S: Final = 0.003
_SLICE_ROWS: Final = 4_000
_STEP_ROWS: Final = 100
_COUNTED_HERE: Final = 50_000
"""Characters; longer messages would hold up the window."""

_FIRST_CHARACTERS: Final = 500_000
_LEAST_CHARACTERS: Final = 100_000
_MOST_CHARACTERS: Final = 2_000_000
"""Of a slice: what lies behind the first hit in it delays that hit."""

_ELSEWHERE_S: Final = 0.01
"""About as long is counted elsewhere at once, for what is being received must not wait long before it can be saved."""

_LOADED_AROUND: Final = 3
"""Messages on either side of a hit."""

_PATIENCE_MS: Final = 100
"""How long the counting waits for the first hit to be shown."""


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
        self._slice_characters = _FIRST_CHARACTERS
        self._begun = 0  # searches; an answer to an earlier one is of no use
        self._awaits_counts = False
        self._asked_at = 0.0
        self._awaits_text = False  # of the current hit
        self._timer = QTimer(view)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._go_on)

    def begin(self, text: str) -> None:
        """Look for ``text`` from the start; the first hit shows at once, the count grows while the rest is read."""
        self._timer.stop()
        was_marked = self._is_marked()
        self.needle, self.current = text.lower(), None
        self._hits, self._number, self._next_row = [], -1, 0
        self._slice_characters = _FIRST_CHARACTERS
        self._begun += 1
        self._awaits_counts = self._awaits_text = False
        if was_marked or self._is_marked():
            self._view.viewport().update()
        if self._is_reading():
            self._scan()
        else:
            self._view.find_result.emit(0, 0)

    def _is_marked(self) -> bool:
        """Whether a hit is among what can be seen."""
        view = self._view
        layouts = map(view.stack.known_layout, view.visible_rows()) if self.needle else ()
        return any(
            self.needle in placed.run.text.lower()
            for layout in layouts
            if layout is not None
            for entry in layout.column.entries
            if entry.box is not None
            for placed in entry.box.runs()
        )

    def _is_reading(self) -> bool:
        return bool(self.needle) and (self._awaits_counts or self._next_row < len(self._view.model))

    def resume(self) -> None:
        """Texts were loaded, or a message was added."""
        if self._awaits_text or (self._is_reading() and not self._awaits_counts):
            self._timer.start(0)

    def _go_on(self) -> None:
        if self._awaits_text and self._show_current():  # its picture comes before more is counted
            self._timer.start(0)
        elif self._is_reading() and not self._awaits_counts:
            self._scan()

    def _scan(self) -> None:
        """Count in the next rows, or have it done."""
        model = self._view.model
        rows = self._slice()
        here: dict[int, int] = {}
        counted: set[int] = set()
        until = time.monotonic() + _SLICE_S
        for row in model.at_hand(rows):
            message = model.glance(row)
            if message is None or len(message.text) + len(message.reasoning) > _COUNTED_HERE:
                continue
            count = occurrences_in(message.text, self.needle) + occurrences_in(message.reasoning, self.needle)
            if count:
                here[message.id] = count
            counted.add(message.id)
            if time.monotonic() > until:
                rows = range(rows.start, row + 1)
                break
        self._next_row = rows.stop
        elsewhere = [stub.id for stub in model.stubs()[rows.start : rows.stop] if stub.id not in counted]
        if elsewhere:
            self._awaits_counts, self._asked_at = True, time.monotonic()
            model.counting.emit(elsewhere, self.needle, partial(self._counted, self._begun, here))
        else:
            self._take(here)

    def _slice(self) -> range:
        """The next rows to count in."""
        stubs, start = self._view.model.stubs(), self._next_row
        end, characters = start, 0
        while end < min(len(stubs), start + _SLICE_ROWS) and characters < self._slice_characters:
            some = stubs[end : end + _STEP_ROWS]
            characters += sum([stub.text_length + stub.reasoning_length for stub in some])
            end += len(some)
        return range(start, end)

    def _counted(self, begun: int, here: dict[int, int], elsewhere: dict[int, int]) -> None:
        if begun == self._begun:
            self._awaits_counts = False
            slow = time.monotonic() - self._asked_at > _ELSEWHERE_S
            wanted = self._slice_characters // 2 if slow else self._slice_characters * 2
            self._slice_characters = min(max(_LEAST_CHARACTERS, wanted), _MOST_CHARACTERS)
            self._take(here | elsewhere)

    def _take(self, counts: dict[int, int]) -> None:
        """Add the hits of a slice."""
        model, before = self._view.model, len(self._hits)
        for message_id in sorted(counts, key=lambda each: model.row_of(each) or 0):
            row = model.row_of(message_id)
            if row is not None:
                self._hits += [row] * counts[message_id]
        if self._hits and self._number < 0:
            self.step(1)
        elif len(self._hits) != before or not self._is_reading():
            self._view.find_result.emit(self._number + 1, len(self._hits))
        if self._is_reading():
            self._timer.start(_PATIENCE_MS if self._awaits_text else 0)

    def step(self, by: int) -> None:
        """Go to the next hit, or with -1 to the previous one; around the ends."""
        if self._hits:
            self._number = (self._number + by) % len(self._hits)
            self._view.find_result.emit(self._number + 1, len(self._hits))
            self._show_current()

    def _show_current(self) -> bool:
        """Show the current hit, or have the text around it loaded; whether it is shown."""
        model, row = self._view.model, self._hits[self._number]
        layout = self._view.stack.layout(row)
        self._awaits_text = layout is None
        if layout is None:
            model.ask(range(max(0, row - _LOADED_AROUND), min(len(model), row + _LOADED_AROUND + 1)))
            return False
        self._show(row, layout, self._number - bisect_left(self._hits, row))
        return True

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
