"""Finding in a conversation: short texts at hand are counted here, a slice at a time, all others by the owner.

The count of a slice comes when it is whole, so the hits stand in the order of the messages. What counts are the places
that can be gone to, of which Markdown may show more or fewer than its source has: behind that, messages at hand are
read for what they show, and those that come.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer

from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.domain.text import occurrences_in
from desktop_chat.ui.transcript.hits import Needle, may_show, shown_counts
from desktop_chat.ui.transcript.math_box import FormulaSource
from desktop_chat.ui.transcript.message_layout import MessageLayout
from desktop_chat.ui.transcript.places import Place
from desktop_chat.ui.transcript.segments import Segment

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_SLICE_S: Final = 0.003
_SLICE_ROWS: Final = 4_000
_STEP_ROWS: Final = 100
_COUNTED_HERE: Final = 50_000
"""Characters; longer messages would hold up the window."""

_LONGEST_READ: Final = 1_000_000
"""Characters of a message that is read for what it shows, a slice at a time."""

_READ_AS_SHOWN: Final = 20_000
"""Characters of a message that is read to its end when a hit in it is shown, and not only as far as that hit."""

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
        self._by = 1  # the last step
        self._read: dict[int, int] = {}  # messages of which the hits are those that are shown: id and length
        self._next_row = 0
        self._slice_characters = _FIRST_CHARACTERS
        self._begun = 0  # searches; an answer to an earlier one is of no use
        self._awaits_counts = False
        self._asked_at = 0.0
        self._awaits_text = False  # of the current hit
        self._may_read = False  # a message at hand
        self._reads: Iterator[None] | None = None  # of those at hand when it began
        self._timer = QTimer(view)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._go_on)

    def begin(self, text: str) -> None:
        """Look for ``text`` from the start; the first hit shows at once, the count grows while the rest is read."""
        self._timer.stop()
        was_marked = self._is_marked()
        self.needle, self.current = text.lower(), None
        self._hits, self._number, self._next_row = [], -1, 0
        self._by = 1
        self._read.clear()
        self._may_read = bool(self.needle)
        self._reads = None
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
        needle = Needle(self.needle)
        return any(
            next(needle.hits(layout.column.entries, index), None) is not None
            for layout in layouts
            if layout is not None
            for index, entry in enumerate(layout.column.entries)
            if entry.box is not None
        )

    def _is_reading(self) -> bool:
        return bool(self.needle) and (self._awaits_counts or self._next_row < len(self._view.model))

    def resume(self) -> None:
        """Texts were loaded, or a message was added."""
        self._may_read = bool(self.needle)
        if self._awaits_text or (self._may_read and not self._awaits_counts):
            self._timer.start(0)

    def _go_on(self) -> None:
        if self._awaits_text and self._show_current():  # its picture comes before more is counted
            self._timer.start(0)
        elif self._is_reading() and not self._awaits_counts:
            self._scan()
        elif self._has_to_read and not self._is_reading():
            self._read_loaded()

    @property
    def _has_to_read(self) -> bool:
        return self._may_read or self._reads is not None

    def _read_loaded(self) -> None:
        """Read messages at hand, of which the source was counted, for what they show."""
        until = time.monotonic() + _SLICE_S
        if self._reads is None:
            self._reads, self._may_read = self._read_messages(), False
        for _ in self._reads:
            if time.monotonic() > until:
                break
        else:
            self._reads = None
        if self._has_to_read:
            self._timer.start(0)

    def _read_messages(self) -> Iterator[None]:
        """Read all that are at hand; each step is some milliseconds' work."""
        model = self._view.model
        for row in model.at_hand(range(self._next_row)):
            message = model.glance(row)
            if message is None or message.state is MessageState.STREAMING or self._is_read(message):
                continue
            if _length(message) > _LONGEST_READ:
                continue
            shown = 0
            for count in self._shown_counts(message):
                shown += count
                yield
            self._note_read(message)
            self._set_count(row, shown)
            if self._hits and self._number < 0:
                self.step(1)
            yield

    def _shown_counts(self, message: Message) -> Iterator[int]:
        for text, role in ((message.reasoning, Role.ASSISTANT), (message.text, message.role)):
            if text and may_show(text, self.needle):
                yield from shown_counts(text, role, self.needle)

    def _note_read(self, message: Message) -> None:
        """The hits of ``message`` are those it shows, until it has another text."""
        self._read[message.id] = _length(message)

    def _is_read(self, message: Message) -> bool:
        return self._read.get(message.id) == _length(message)

    def _set_count(self, row: int, count: int) -> None:
        """So many hits are shown of a message; the current one stays where it is, if it is there."""
        first, end = bisect_left(self._hits, row), bisect_right(self._hits, row)
        more = count - (end - first)
        if not more:
            return
        self._hits[first:end] = [row] * count
        if self._number >= end:
            self._number += more
        elif self._number >= first + count:
            self._number = max(first + count - 1, 0) if self._hits else -1
        self._view.find_result.emit(self._number + 1, len(self._hits))

    def _scan(self) -> None:
        """Count in the next rows, or have it done."""
        model = self._view.model
        rows = self._slice()
        here: dict[int, int] = {}
        counted: set[int] = set()
        until = time.monotonic() + _SLICE_S
        for row in model.at_hand(rows):
            message = model.glance(row)
            if message is None or _length(message) > _COUNTED_HERE:
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
        if self._is_reading() or self._has_to_read:
            self._timer.start(_PATIENCE_MS if self._awaits_text else 0)

    def step(self, by: int) -> None:
        """Go to the next hit, or with -1 to the previous one; around the ends."""
        if self._hits:
            self._by = by
            self._number = (self._number + by) % len(self._hits)
            self._view.find_result.emit(self._number + 1, len(self._hits))
            self._show_current()

    def _show_current(self) -> bool:
        """Show the current hit, or have the text around it loaded; whether there is nothing to wait for."""
        model = self._view.model
        self._awaits_text = False
        while self._hits:
            row = self._hits[self._number]
            layout = self._view.stack.layout(row)
            if layout is None:
                self._awaits_text = True
                model.ask(range(max(0, row - _LOADED_AROUND), min(len(model), row + _LOADED_AROUND + 1)))
                return False
            if self._show(row, layout):
                return True
        self.current = None
        self._view.find_result.emit(0, 0)
        self._view.refresh()
        return True

    def _show(self, row: int, layout: MessageLayout) -> bool:
        """Reveal the current hit, of a message; if fewer are shown there than its source has, go on to another."""
        first = bisect_left(self._hits, row)
        ordinal = self._number - first
        message = layout.message
        self._open_reasoning(layout)
        needle = Needle(self.needle)
        is_counted = not self._is_read(message) and _length(message) <= _READ_AS_SHOWN
        found: tuple[int, int] | None = None
        seen = index = 0
        while index < len(layout.column) and (found is None or is_counted):
            if isinstance(layout.column.entries[index].spec.source, Segment):
                layout.measure(index)  # which gives way to its blocks
                continue
            count = needle.count(layout.column.entries, index)
            if found is None and ordinal < seen + count:
                found = index, ordinal - seen
            seen += count
            index += 1
        self._view.stack.touched(row, 0)
        if is_counted or found is None:
            self._note_read(message)
            self._set_count(row, seen)
        if found is None:
            if self._hits:
                target = first + seen if self._by > 0 else first + seen - 1
                self._number = target % len(self._hits)
                self._view.find_result.emit(self._number + 1, len(self._hits))
            return False
        self._reveal(row, layout, *found)
        return True

    def _open_reasoning(self, layout: MessageLayout) -> None:
        """Open the reasoning if there are hits in it."""
        reasoning = layout.message.reasoning
        if not reasoning or layout.is_reasoning_open:
            return
        is_short = len(reasoning) <= _READ_AS_SHOWN and may_show(reasoning, self.needle)
        if occurrences_in(reasoning, self.needle) or (
            is_short and any(shown_counts(reasoning, Role.ASSISTANT, self.needle))
        ):
            layout.toggle_reasoning()

    def _reveal(self, row: int, layout: MessageLayout, index: int, ordinal: int) -> None:
        """Bring the hit number ``ordinal`` of those that begin in an entry into sight, at its beginning."""
        view, entry = self._view, layout.column.entries[index]
        layout.measure(index)
        if entry.box is not None and entry.box.unfold():
            layout.invalidate(index)
            layout.measure(index)
        view.stack.touched(row, 0)
        begun = (hit for hit in Needle(self.needle).hits(layout.column.entries, index) if hit.start >= 0)
        text, start, _ = next(islice(begun, ordinal, None))
        runs = () if entry.box is None else enumerate(entry.box.runs())
        shown = ((number, each) for number, each in runs if not isinstance(each.run, FormulaSource))
        number, placed = next(islice(shown, text, None))
        offset = placed.run.units(start)
        self.current = Place(row, entry.spec.part, number, offset)
        left, top = layout.box_place(index)
        caret = placed.run.caret(offset).translated(placed.x + left, placed.y + top)
        view.reveal(caret.translated(0, view.stack.message_top(row)))
        view.refresh()


def _length(message: Message) -> int:
    return len(message.text) + len(message.reasoning)
