"""All messages below each other: which are laid out, and where everything is.

Coordinates are whole pixels of the content: y grows from the first message's top. Only what `settle` is asked to
show is made exact; the rest has guessed heights. An `Anchor` names what the reader looks at, so that guesses that
turn exact above it never move it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple

from desktop_chat.domain.messages import Message
from desktop_chat.ui.transcript import estimates
from desktop_chat.ui.transcript.column import Entry, Part
from desktop_chat.ui.transcript.heights import FenwickHeights
from desktop_chat.ui.transcript.message_content import MessageMemory, Workshop
from desktop_chat.ui.transcript.message_layout import MessageLayout
from desktop_chat.ui.transcript.model import TranscriptModel
from desktop_chat.ui.transcript.segments import Segment

KEPT_LAYOUTS: Final = 48
"""Messages whose layouts are kept; each is a few kilobytes a line."""

KEPT_BOXES: Final = 400
"""Laid-out blocks that are kept over all messages."""

TOP_MARGIN: Final = 24
BOTTOM_MARGIN: Final = 16
MESSAGE_GAP: Final = 20
_ROUNDS: Final = 60


class Anchor(NamedTuple):
    """A place in the content that stands still: ``offset`` pixels below the top of an entry's box."""

    row: int
    part: Part
    offset: int


class MessageStack:
    """The messages of a model at one width.

    Attributes:
        heights: one row a message; a message's gap is below it.
        is_parsing: whether something takes several frames to parse or to colour; `settle` goes on with it.
        is_settled: whether `settle` would find everything as it left it.
    """

    def __init__(self, model: TranscriptModel, workshop: Workshop, width: int) -> None:
        self.model = model
        self.workshop = workshop
        self.width = width
        self.memory: dict[int, MessageMemory] = {}
        self.is_parsing = False
        self.is_settled = False
        self._has_split = False
        self._layouts: OrderedDict[int, MessageLayout] = OrderedDict()
        self._unfinished: dict[int, MessageLayout] = {}  # those of them that may change by themselves
        self._boxes: OrderedDict[Entry, None] = OrderedDict()
        self.heights = FenwickHeights()
        self.reset()

    def reset(self) -> None:
        """The model is different: forget all layouts."""
        self.is_settled = False
        self._layouts.clear()
        self._unfinished.clear()
        self._boxes.clear()
        type_, width = self.workshop.typography, self.width
        known: dict[tuple[object, int], int] = {}
        heights = []
        for stub in self.model.stubs():
            key = (stub.role, stub.text_length)
            height = known.get(key)
            if height is None:
                height = known[key] = estimates.stub_height(stub, width, type_) + MESSAGE_GAP
            heights.append(height)
        self.heights = FenwickHeights(heights)

    def restyle(self, workshop: Workshop, width: int) -> None:
        """Another theme or width: heights become guesses; what is visible is laid out again when settled."""
        same_type = workshop.typography is self.workshop.typography
        self.workshop, self.width = workshop, width
        if same_type:
            layouts = dict(self._layouts)
            self.reset()
            for row, layout in layouts.items():
                layout.set_width(width)
                self._layouts[row] = layout
                self._note(row, layout)
                self._sum_up(row)
        else:
            self.reset()

    @property
    def height(self) -> int:
        return TOP_MARGIN + self.heights.total + BOTTOM_MARGIN

    def message_top(self, row: int) -> int:
        return TOP_MARGIN + self.heights.top(row)

    def row_at(self, y: float) -> int:
        return self.heights.row_at(int(y) - TOP_MARGIN)

    def __len__(self) -> int:
        return len(self.heights)

    # --- layouts -----------------------------------------------------------------------------------------

    def known_layout(self, row: int) -> MessageLayout | None:
        return self._layouts.get(row)

    def layout(self, row: int) -> MessageLayout | None:
        """The layout of a message, made now if need be; ``None`` while its text is not loaded."""
        found = self._layouts.get(row)
        if found is not None:
            self._layouts.move_to_end(row)
            return found
        message = self.model.message(row)
        if message is None:
            return None
        memory = self.memory.setdefault(message.id, MessageMemory())
        found = self._layouts[row] = MessageLayout(message, self.workshop, memory, self.width)
        found.is_last = row == len(self.heights) - 1
        growth = self.model.growing.get(message.id)
        if growth is not None:  # the layout has taken all there is
            growth.take()
            growth.waiting = found.waiting
        self._note(row, found)
        self._sum_up(row)
        return found

    def _note(self, row: int, layout: MessageLayout) -> None:
        if layout.may_change:
            self._unfinished[row] = layout
        else:
            self._unfinished.pop(row, None)

    @property
    def is_crowded(self) -> bool:
        """Whether `trim` would let something go."""
        return len(self._layouts) > KEPT_LAYOUTS or len(self._boxes) > KEPT_BOXES

    def trim(self, visible: range) -> None:
        """Let go what was not seen for longest."""
        if len(self._layouts) > KEPT_LAYOUTS:
            rows = [row for row in self._layouts if row not in visible and row not in self._unfinished]
            for row in rows[: len(self._layouts) - KEPT_LAYOUTS]:
                for entry in self._layouts.pop(row).column.entries:
                    self._boxes.pop(entry, None)
        while len(self._boxes) > KEPT_BOXES:
            entry, _ = self._boxes.popitem(last=False)
            entry.box = None

    def _sum_up(self, row: int) -> None:
        self.heights.set(row, self._layouts[row].height + MESSAGE_GAP)

    def append(self) -> None:
        """The model has one more message."""
        self.is_settled = False
        row = len(self.heights)
        stub = self.model.stub(row)
        self.heights.append(estimates.stub_height(stub, self.width, self.workshop.typography) + MESSAGE_GAP)

    def replace(self, row: int, message: Message) -> int | None:
        """A message changed; returns the content y from which on it may look different."""
        layout = self._layouts.get(row)
        if layout is None:
            return None
        first = layout.replace(message)
        self._note(row, layout)
        return self.touched(row, first)

    def touched(self, row: int, first: int) -> int:
        """Entries of a message from ``first`` on changed; returns the content y where they begin."""
        self.is_settled = False
        self._sum_up(row)
        return self._change_of(row, first)

    def grown(self, row: int, first: int) -> int:
        """The same for a message that grows; what has grown in place leaves everything else as it is."""
        if not self._layouts[row].grown_in_place:
            return self.touched(row, first)
        return self._change_of(row, first)

    def stays_settled(self, row: int) -> bool:
        """Whether a message grew and left everything as `settle` had left it, with nothing more to do in the frame."""
        highlighter = self.workshop.highlighter
        if not self.is_settled or not self._layouts[row].grown_in_place or highlighter.is_behind:
            return False
        highlighter.end_frame()
        return True

    def _change_of(self, row: int, first: int) -> int:
        layout = self._layouts[row]
        if row in self._unfinished:
            self._note(row, layout)
        inside = layout.column.heights.top(min(first, len(layout.column))) + layout.changed_offset
        layout.changed_offset = 0
        return self.message_top(row) + inside

    # --- settling ----------------------------------------------------------------------------------------

    def anchor_at(self, y: int) -> Anchor | None:
        """What stands at ``y``."""
        if not len(self.heights):
            return None
        row = self.row_at(y)
        inside = y - self.message_top(row)
        layout = self._layouts.get(row)
        if layout is None:
            return Anchor(row, Part(-1), inside)
        index = layout.column.heights.row_at(inside)
        return Anchor(row, layout.column.entries[index].spec.part, inside - layout.column.heights.top(index))

    def y_of(self, anchor: Anchor) -> int:
        if anchor.row >= len(self.heights):
            return 0
        y = self.message_top(anchor.row) + anchor.offset
        layout = self._layouts.get(anchor.row)
        if layout is not None and anchor.part.section >= 0:
            y += layout.column.heights.top(layout.column.index_of(anchor.part))
        return y

    def settle(self, anchor: Anchor | None, height: int) -> int:
        """Make everything exact that shows in a window of ``height`` whose top is at ``anchor``, or whose bottom is
        the content's end if there is none. Returns the window's top."""
        slow: set[Entry] = set()
        self._has_split = False
        self.is_settled = True
        highlighter = self.workshop.highlighter
        highlighter.go_on()
        for _ in range(_ROUNDS):
            top = self._window_top(anchor, height)
            if not self._make_exact(top, top + height, slow):
                break
        self.is_parsing = bool(slow) or highlighter.is_behind
        self.is_settled = self.is_settled and not self.is_parsing
        highlighter.end_frame()
        return self._window_top(anchor, height)

    def _window_top(self, anchor: Anchor | None, height: int) -> int:
        most = max(0, self.height - height)
        return most if anchor is None else max(0, min(self.y_of(anchor), most))

    def _make_exact(self, top: int, bottom: int, slow: set[Entry]) -> bool:
        """Measure what shows between ``top`` and ``bottom``; whether anything turned out different.

        What cannot be measured within a frame is put into ``slow``, and left alone if it is there.
        """
        if not len(self.heights):
            return False
        missing = []
        for row in range(self.row_at(top), self.row_at(bottom) + 1):
            before = self.heights[row]
            layout = self.layout(row)
            if layout is None:
                missing.append(row)
                continue
            origin = self.message_top(row)
            changed = self.heights[row] != before
            entries = layout.column.entries
            for index in layout.rows_between(top - origin, bottom - origin):
                entry = entries[index]
                if entry.is_exact and entry.box is not None:
                    self._boxes[entry] = None
                    self._boxes.move_to_end(entry)
                    continue
                if entry in slow:
                    continue
                if isinstance(entry.spec.source, Segment) and not entry.spec.source.is_quick:
                    # Parsing it is one frame's work, laying it out the next one's.
                    slow.add(entry)
                    if self._has_split:
                        continue
                    self._has_split = True
                    if layout.measure(index, at_once=False):
                        self._sum_up(row)
                        return False
                    continue
                if layout.measure(index, at_once=False):
                    changed = True
                    if entry.box is None:
                        break
                if entry.box is None:
                    slow.add(entry)
                    continue
                self._boxes[entry] = None
            if changed:
                self._sum_up(row)
                return True
        if missing:
            self.is_settled = False
            self.model.ask(range(max(0, missing[0] - 2), min(len(self.model), missing[-1] + 3)))
        return False

    def visible_rows(self, top: int, bottom: int) -> range:
        if not len(self.heights):
            return range(0)
        return range(self.row_at(top), self.row_at(bottom) + 1)

    def unfinished(self) -> list[tuple[int, MessageLayout]]:
        """The layouts that may show more in a further frame."""
        return list(self._unfinished.items())

    @property
    def is_behind(self) -> bool:
        """Whether more has arrived than was shown."""
        return any(layout.is_behind for layout in self._unfinished.values())

    def prepare(self) -> bool:
        """Parse, between two frames, some of what the next one shows; whether there is more of it."""
        more = [layout.prepare() for layout in self._unfinished.values() if layout.is_behind]
        return True in more

    def laid_out(self) -> Iterator[tuple[int, MessageLayout]]:
        yield from self._layouts.items()
