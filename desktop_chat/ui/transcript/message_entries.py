"""One message as a column of entries, kept in line with what it consists of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.markup.blocks import CodeBlock, InlineText, RawText
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript import estimates, labels
from desktop_chat.ui.transcript.column import Column, Entry, Part, Spec
from desktop_chat.ui.transcript.message_content import MessageContent, MessageMemory, Section, Workshop
from desktop_chat.ui.transcript.segments import Segment
from desktop_chat.ui.transcript.text_run import TextRun

USER_SHARE: Final = 0.85
"""The widest a person's card gets, of the column."""

LONGEST_HUGGED: Final = 2_000

_TEXTS: Final = (Section.REASONING, Section.BODY)


class MessageEntries(MessageContent):
    """The entries of one message at one width; those that look the same stay the same objects.

    Attributes:
        column: the entries; boxes of those not seen lately may be missing.
        changed_offset: how far below the first changed entry's top the change begins.
        grown_in_place: whether that entry is the only one that changed, and is as high as before.
    """

    def __init__(self, message: Message, workshop: Workshop, memory: MessageMemory, width: int) -> None:
        super().__init__(message, workshop, memory)
        self.column = Column()
        self.width = width
        self.waiting_text = ""
        self.is_last = False
        self.changed_offset = 0
        self.grown_in_place = False
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

    # --- shape -------------------------------------------------------------------------------------------

    def toggle_reasoning(self) -> int:
        self._memory.reasoning_open = not self.is_reasoning_open
        return self._reconcile(0)

    def _first_of(self, section: Section) -> int:
        return self.column.first_of(section)

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
            under_reasoning = self._reasoning.length > 0 and self.is_reasoning_open
            narrow = Space.M if self.message.role is Role.USER else Space.XS
            found.append(text[0]._replace(gap=Space.L if under_reasoning else narrow))
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
        self.grown_in_place = False
        specs = self._specs(first)
        if (
            first
            and first == self._first_of(Section.BODY)
            and specs
            and specs[0].part.section == Section.BODY
        ):
            specs = [specs[0]._replace(gap=self.column.entries[first].spec.gap), *specs[1:]]
        if self.column.has_parts(first, specs):
            return self._reconcile_in_place(first, specs)
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
                # What grows is the first to change; what follows it is laid out when it is seen.
                entry, height = self._updated(entry if number == changed else None, spec)
                if number == changed and entry.box is not None:
                    self.changed_offset = entry.box.changed_from + spec.gap
            entries.append(entry)
            heights.append(height)
        self.column.set_tail(first, entries, heights)
        return changed

    def _reconcile_in_place(self, first: int, specs: Sequence[Spec]) -> int:
        """The same for specs that all stand where they stood."""
        entries, heights = self.column.entries, self.column.heights
        changed, count = len(entries), 0
        for index, spec in enumerate(specs, first):
            known = entries[index]
            if known.spec == spec:
                continue
            entry, height = self._updated(known, spec)
            count += 1
            if count == 1:
                changed = index
                if entry.box is not None:
                    self.changed_offset = entry.box.changed_from + spec.gap
                self.grown_in_place = entry is known and entry.is_exact and heights[index] == height
            else:
                self.grown_in_place = False
            self.column.put(index, entry, height)
        return changed

    def _updated(self, entry: Entry | None, spec: Spec) -> tuple[Entry, int]:
        """An entry for ``spec``, grown from the one that stood in its place where that is possible."""
        if (
            entry is not None
            and entry.box is not None
            and entry.spec.indent == spec.indent
            and spec.part.section in _TEXTS
            and not isinstance(spec.source, Segment)
            and entry.box.update(spec.source)
        ):
            entry.spec = spec
            if entry.is_exact:  # it was seen, and will be in this frame
                return entry, entry.box.lay_out(self.place(entry)[1]) + spec.gap
            return entry, self._estimate(spec)
        return Entry(spec), self._estimate(spec)

    def _estimate(self, spec: Spec) -> int:
        section = spec.part.section
        if section in {Section.BODY, Section.REASONING}:
            return estimates.block_height(spec.source, self.text_width, self._workshop.typography) + spec.gap
        return 30 + spec.gap

    # --- width -------------------------------------------------------------------------------------------

    def set_width(self, width: int) -> None:
        """Fit another width: every height becomes a guess until the entry is seen again."""
        if width == self.width:
            return
        self.width = width
        if self.message.role is Role.USER:
            self._card_width = self._hugging_width()
        self.column.forget_measures()

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
