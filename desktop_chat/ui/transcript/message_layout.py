"""One message as boxes: header, reasoning, text, tool calls, error and footer, made and measured as they are seen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF

from desktop_chat.domain.messages import Role
from desktop_chat.markup.blocks import Block, Table
from desktop_chat.markup.tables import table_to_csv
from desktop_chat.ui.theme import Radius
from desktop_chat.ui.transcript.block_boxes import make_box
from desktop_chat.ui.transcript.boxes import Box, Paint, PlacedRun
from desktop_chat.ui.transcript.column import Entry, Part, Spec
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.message_entries import MessageEntries
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
from desktop_chat.ui.transcript.typography import color


class MessageLayout(MessageEntries):
    """The entries of one message at one width: their boxes, where each stands, and how they are painted."""

    # --- layout ------------------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        return self.column.height

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
        place = next(i for i in range(len(flow.specs) - 1, -1, -1) if flow.specs[i].source is segment)
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
        message, part = self.message, spec.part
        context = self._workshop.context(part, make_box, self._memory.blocks)
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
            if y + top < paint.clip.bottom():  # else only the room above it shows
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
        index = self.column.last_of(section)
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
