"""One message as a column of entries: header, reasoning, text, tool calls, error, footer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QRectF

from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.markup.blocks import Block, CodeBlock, InlineText, RawText, Table
from desktop_chat.markup.tables import table_to_csv
from desktop_chat.ui.theme import Radius, Space
from desktop_chat.ui.transcript import estimates, labels
from desktop_chat.ui.transcript.block_boxes import make_box
from desktop_chat.ui.transcript.boxes import Box, BoxContext, Paint, PlacedRun
from desktop_chat.ui.transcript.column import Column, Entry, Part, Spec
from desktop_chat.ui.transcript.message_content import MessageContent, MessageMemory, Section, Workshop
from desktop_chat.ui.transcript.message_parts import (
    ErrorBox,
    FooterBox,
    HeaderBox,
    ReasoningHead,
    ToolBox,
    WaitingBox,
)
from desktop_chat.ui.transcript.segments import Segment
from desktop_chat.ui.transcript.table_box import TablePart
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.typography import color

USER_SHARE: Final = 0.85
"""The widest a person's card gets, of the column."""

LONGEST_HUGGED: Final = 2_000


class MessageLayout(MessageContent):
    """The entries of one message at one width.

    Attributes:
        column: the entries; boxes of those not seen lately may be missing.
    """

    def __init__(self, message: Message, workshop: Workshop, memory: MessageMemory, width: int) -> None:
        super().__init__(message, workshop, memory)
        self.column = Column()
        self.width = width
        self.waiting_text = ""
        self.is_last = False
        self.changed_offset = 0  # how far below the first changed entry's top the change begins
        self._shown_shape: tuple[object, ...] = ()
        self._card_width = self._hugging_width() if message.role is Role.USER else 0
        self._reconcile(0)

    # --- content -----------------------------------------------------------------------------------------

    def advance(self) -> int:
        """Show a frame's share of what arrived. Returns the first entry that may look different."""
        grown_reasoning, grown_body = self._advance_texts()
        shape = self._shape()
        if shape != self._shown_shape:
            return self._reconcile(0)
        if self.is_thinking and self.is_reasoning_open:
            return self._reconcile(self._first_of(Section.REASONING) + grown_reasoning)
        return self._reconcile(self._first_of(Section.BODY) + grown_body)

    def replace(self, message: Message) -> int:
        """Show another state of the message. Returns the first entry that may look different."""
        before = self.message
        self.message = message
        was_streaming = before.state is MessageState.STREAMING
        first = len(self._body.specs)
        self._is_ending = self._is_ending and not self.is_streaming
        if was_streaming and self._has_taken(message):
            if not self.is_streaming:
                self._is_ending = True  # with the last of what waits, which may take some frames
                if not self.is_behind:
                    _, first = self._end_texts((first, first))
        elif was_streaming or not self._is_same_text(before) or (self.is_streaming and not self._can_grow()):
            self._start_texts()
            first = 0
            if message.role is Role.USER:
                self._card_width = self._hugging_width()
        return self._reconcile(self._first_changed(first))

    def _is_same_text(self, before: Message) -> bool:
        now = self.message
        return (before.text, before.reasoning, before.role) == (now.text, now.reasoning, now.role)

    def _first_changed(self, grown_body: int) -> int:
        """The first entry that may be another: one of the body from ``grown_body`` on, or any before and behind it."""
        start = self._first_of(Section.BODY)
        before = [*self._before_text(), *(self._reasoning.specs if self.is_reasoning_open else ())]
        known = [entry.spec for entry in self.column.entries[:start]]
        if known != before or self._shape()[:-1] != self._shown_shape[:-1]:
            return 0
        first = min(start + grown_body, self._first_of(Section.TOOLS) - 1)
        return first if first > start else 0

    def set_waiting_text(self, text: str) -> int | None:
        """What stands in the place of an answer that has not begun."""
        if text == self.waiting_text:
            return None
        self.waiting_text = text
        return self._reconcile(0) if self.is_waiting else None

    def set_width(self, width: int) -> None:
        """Fit another width: every height becomes a guess until the entry is seen again."""
        if width == self.width:
            return
        self.width = width
        if self.message.role is Role.USER:
            self._card_width = self._hugging_width()
        self.column.forget_measures()

    # --- shape -------------------------------------------------------------------------------------------

    def toggle_reasoning(self) -> int:
        self._memory.reasoning_open = not self.is_reasoning_open
        return self._reconcile(0)

    def _first_of(self, section: Section) -> int:
        return self.column.index_of(Part(section, -1))

    def _specs(self, first: int) -> Sequence[Spec]:
        """What the column shows from entry ``first`` on."""
        if first and first >= (start := self._first_of(Section.BODY)) and self._body.specs:
            return [*self._body.specs[first - start :], *self._after_text()]
        found = list(self._before_text())
        if self._reasoning.length and self.is_reasoning_open:
            found += self._reasoning.specs
        if self.is_waiting:
            found.append(
                Spec(
                    Part(Section.WAITING), self.waiting_text or labels.waiting_text(None, self.message.model)
                )
            )
        text = self._body.specs
        if text:
            opening = Space.M if self.message.role is Role.USER else Space.XS
            found.append(text[0]._replace(gap=opening))
            found += text[1:]
        found += self._after_text()
        return found[first:]

    def _reconcile(self, first: int) -> int:
        """Bring the entries from ``first`` on in line with the content; keeps what looks the same.

        Returns the first entry that may look different.
        """
        old = self.column.entries
        self._shown_shape = self._shape()
        self.changed_offset = 0
        specs = self._specs(first)
        if (
            first
            and first == self._first_of(Section.BODY)
            and specs
            and specs[0].part.section == Section.BODY
        ):
            specs = [specs[0]._replace(gap=self.column.entries[first].spec.gap), *specs[1:]]
        known = {old[i].spec.part: i for i in range(first, len(old))}
        entries: list[Entry] = []
        heights: list[int] = []
        changed = len(old)
        for number, spec in enumerate(specs, first):
            index = known.get(spec.part)
            entry = old[index] if index is not None else None
            if entry is not None and entry.spec == spec:
                height = self.column.heights[index] if index is not None else 0
                if index != number:
                    changed = min(changed, number)
            else:
                if number < changed:
                    changed, self.changed_offset = number, 0
                entry, height = self._updated(entry, spec)
                if number == changed and entry.box is not None:
                    self.changed_offset = entry.box.changed_from + spec.gap
            entries.append(entry)
            heights.append(height)
        self.column.set_tail(first, entries, heights)
        return changed

    def _updated(self, entry: Entry | None, spec: Spec) -> tuple[Entry, int]:
        """An entry for ``spec``, grown from the one that stood in its place where that is possible."""
        grown = (
            entry is not None
            and entry.box is not None
            and entry.spec.indent == spec.indent
            and spec.part.section in {Section.BODY, Section.REASONING}
            and not isinstance(spec.source, Segment)
            and entry.box.update(spec.source)
        )
        if entry is None or not grown:
            entry = Entry(spec)
        entry.spec = spec
        entry.is_exact = False
        return entry, self._estimate(spec)

    def _estimate(self, spec: Spec) -> int:
        section = spec.part.section
        if section in {Section.BODY, Section.REASONING}:
            return estimates.block_height(spec.source, self.text_width, self._workshop.typography) + spec.gap
        return 30 + spec.gap

    # --- layout ------------------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        return self.column.height

    @property
    def text_width(self) -> int:
        return self._card_width - 2 * Space.L if self.message.role is Role.USER else self.width

    def place(self, entry: Entry) -> tuple[int, int]:
        """The left edge and the width of an entry within the message."""
        left, width = 0, self.width
        section = entry.spec.part.section
        if self.message.role is Role.USER and section == Section.BODY:
            left, width = self.width - self._card_width + Space.L, self._card_width - 2 * Space.L
        return left + entry.spec.indent, max(1, width - entry.spec.indent)

    def _hugging_width(self) -> int:
        """As wide as the longest line of a short message; at most `USER_SHARE` of the column."""
        most = round(self.width * USER_SHARE)
        if self._body.length > LONGEST_HUGGED or any(
            isinstance(s.source, CodeBlock) for s in self._body.specs
        ):
            return most
        type_ = self._workshop.typography
        natural = 0.0
        for spec in self._body.specs:
            assert isinstance(spec.source, RawText)
            content = InlineText(spec.source.text.replace("\n", "\u2028"))
            natural = max(natural, TextRun(content, type_.body, self._workshop.pictures).natural_width())
        return min(most, round(natural + 0.5) + 1 + 2 * Space.L)

    def measure(self, index: int, *, at_once: bool = True) -> bool:
        """Make entry ``index`` exact; returns whether the column changed its height or its entries.

        Unless ``at_once``, a segment that takes longer than a frame to parse is parsed over several calls; until it
        is, its entry has no box.
        """
        entry = self.column.entries[index]
        if isinstance(entry.spec.source, Segment):
            before = self.column.entries[index - 1].spec.source if index else None
            return self._split(index, entry.spec.source, before, at_once=at_once)
        if entry.is_exact and entry.box is not None:
            return False
        if entry.box is None:
            entry.box = self._make_box(entry.spec)
        _, width = self.place(entry)
        height = entry.box.lay_out(width) + entry.spec.gap
        entry.is_exact = True
        return self.column.heights.set(index, height) != 0

    def _split(self, index: int, segment: Segment, before: object, *, at_once: bool) -> bool:
        section = self.column.entries[index].spec.part.section
        flow = self._body if section == Section.BODY else self._reasoning
        above = before if isinstance(before, Block) else None
        specs = flow.split(segment, above, at_once=at_once)
        if specs is None:
            return False
        opening = self.column.entries[index].spec.gap
        if specs and above is None:
            specs[0] = specs[0]._replace(gap=opening)
        place = next(i for i, spec in enumerate(flow.specs) if spec.source is segment)
        flow.specs[place : place + 1] = specs
        self.column.splice(index, [Entry(spec) for spec in specs], [self._estimate(spec) for spec in specs])
        return True

    def table_csv(self, index: int) -> str:
        """The whole table that entry ``index`` is a part of, as CSV."""
        part = self.column.entries[index].spec.part
        sources = [e.spec.source for e in self.column.entries if e.spec.part[:2] == part[:2]]
        parts = [source for source in sources if isinstance(source, TablePart)]
        rows = tuple(row for source in parts for row in source.rows)
        return table_to_csv(Table(parts[0].alignments, parts[0].header, rows))

    def _make_box(self, spec: Spec) -> Box:
        message, shop = self.message, self._workshop
        part = spec.part
        style = shop.typography.quiet if part.section == Section.REASONING else shop.typography.body
        context = BoxContext(
            shop.typography,
            shop.pictures,
            shop.highlighter,
            style,
            shop.display_math,
            self._memory.blocks,
            tuple(part),
        )
        match part.section:
            case Section.HEADER:
                return HeaderBox(message)
            case Section.REASONING_HEAD:
                return ReasoningHead(message, is_open=self.is_reasoning_open, is_thinking=self.is_thinking)
            case Section.WAITING:
                return WaitingBox(str(spec.source))
            case Section.TOOLS:
                return ToolBox(spec.source, context)
            case Section.ERROR:
                assert message.error is not None
                return ErrorBox(message.error, self.error_actions(), context)
            case Section.FOOTER:
                footer = FooterBox(message, self.footer_actions(), is_right=message.role is Role.USER)
                footer.shows_actions = self.is_last and message.role is not Role.USER
                return footer
            case _:
                return make_box(spec.source, context)

    def invalidate(self, index: int) -> None:
        """The box of entry ``index`` needs another layout."""
        entry = self.column.entries[index]
        entry.is_exact = False
        if entry.box is not None:
            entry.box.refresh()

    def forget_formulas(self) -> int | None:
        """Drop the boxes that show inline objects or a formula's source, or cannot tell; returns the first of them."""
        first = None
        for index, entry in enumerate(self.column.entries):
            box = entry.box
            if (
                box is not None
                and entry.spec.part.section in {Section.BODY, Section.REASONING}
                and (not entry.is_exact or box.has_pictures())
            ):
                entry.box, entry.is_exact = None, False
                first = index if first is None else first
        return first

    def rows_between(self, top: float, bottom: float) -> range:
        """The entries that meet ``[top, bottom)`` of the message."""
        heights = self.column.heights
        return range(heights.row_at(int(top)), heights.row_at(int(bottom)) + 1)

    # --- painting and places -----------------------------------------------------------------------------

    def box_place(self, index: int) -> tuple[int, int]:
        """The top left corner of entry ``index``'s box within the message."""
        entry = self.column.entries[index]
        return self.place(entry)[0], self.column.heights.top(index) + entry.spec.gap

    def card(self) -> QRectF | None:
        """The person's card within the message."""
        if self.message.role is not Role.USER:
            return None
        first, last = self._first_of(Section.BODY), self._first_of(Section.FOOTER)
        top = self.column.heights.top(first)
        footer_gap = self.column.entries[last].spec.gap
        bottom = self.column.heights.top(last) + footer_gap
        return QRectF(self.width - self._card_width, top, self._card_width, bottom - top)

    def paint(self, paint: Paint, x: float, y: float, begin: Callable[[int], None]) -> None:
        """Paint the entries that meet the clip; ``begin`` is told before each one."""
        card = self.card()
        if card is not None:
            paint.rounded(card.translated(x, y), Radius.CARD, paint.palette.user_card)
        bar_top = bar_bottom = None
        for index in self.rows_between(paint.clip.top() - y, paint.clip.bottom() - y):
            entry = self.column.entries[index]
            if entry.box is None:
                continue
            left, top = self.box_place(index)
            if entry.spec.part.section == Section.REASONING:
                if bar_top is None:
                    is_first = index == self._first_of(Section.REASONING)
                    bar_top = top if is_first else top - entry.spec.gap
                bar_bottom = top + entry.box.height
            begin(index)
            entry.box.paint(paint, x + left, y + top, 0)
        if bar_top is not None and bar_bottom is not None:
            paint.painter.fillRect(
                QRectF(x, y + bar_top, 2, bar_bottom - bar_top), color(paint.palette.border)
            )

    def end_point(self) -> QRectF | None:
        """A caret after the last character of the text that grows."""
        if self.is_waiting:
            waiting = self.column.index_of(Part(Section.WAITING))
            box = self.column.entries[waiting].box
            if not isinstance(box, WaitingBox):
                return None
            left, top = self.box_place(waiting)
            style = self._workshop.typography.body
            return QRectF(
                left + box.end_x(style), top + (box.height - style.line_height) / 2, 0, style.line_height
            )
        section = Section.BODY if self._body.length else Section.REASONING
        if section == Section.REASONING and not self.is_reasoning_open:
            return None
        index = (
            bisect_right(self.column.entries, Part(section, 1 << 60), key=lambda entry: entry.spec.part) - 1
        )
        entry = self.column.entries[index]
        if entry.box is None or not entry.is_exact or entry.spec.part.section != section:
            return None
        end = entry.box.end_point()
        if end is None:
            return None
        left, top = self.box_place(index)
        return end.translated(left, top)

    def run(self, part: Part, number: int) -> PlacedRun | None:
        """A run by its entry and number, placed within the message; ``None`` while its entry is not laid out."""
        index = self.column.index_of(part)
        entry = self.column.entries[index]
        if (
            entry.box is None
            or not entry.is_exact
            or entry.spec.part != part
            or number >= entry.box.run_count
        ):
            return None
        placed = entry.box.run(number)
        left, top = self.box_place(index)
        return PlacedRun(placed.run, placed.x + left, placed.y + top)
