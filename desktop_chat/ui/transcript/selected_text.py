"""The selected text, read in steps: a message, a block or a piece of one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from desktop_chat.domain.messages import Message, Role
from desktop_chat.markup.blocks import LINE_BREAK, Footnotes
from desktop_chat.markup.source import normalized
from desktop_chat.ui.transcript.column import Part
from desktop_chat.ui.transcript.continued import runs_on
from desktop_chat.ui.transcript.flow import PLAIN_LINE
from desktop_chat.ui.transcript.message_content import MessageMemory, Section
from desktop_chat.ui.transcript.message_layout import MessageLayout
from desktop_chat.ui.transcript.places import Selection
from desktop_chat.ui.transcript.segments import Segment
from desktop_chat.ui.transcript.source_text import markdown_of

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_BATCH: Final = 32
"""Messages that are asked for at once; the model keeps at least twice as many."""

_BLANK: Final = "\n\n"
_END: Final = Part(len(Section))


class SelectedText:
    """What is selected, as Markdown source or as it reads.

    Iterating gives texts that follow each other; "" where a step had none, and ``None`` where the next message is not
    loaded: it has been asked for, and going on is of use when the model has changed.

    Attributes:
        has_measured: something of the shown layouts was laid out, so that the window needs settling again.
    """

    def __init__(self, view: TranscriptView, selection: Selection, *, as_source: bool) -> None:
        self.has_measured = False
        self._view = view
        self._selection = selection
        self._as_source = as_source

    def __iter__(self) -> Iterator[str | None]:
        model, start, end = self._view.model, self._selection.start, self._selection.end
        has_begun = False
        for row in range(start.row, end.row + 1):
            while (message := model.message(row)) is None:
                model.ask(range(row, min(row + _BATCH, end.row + 1)))
                if model.message(row) is None:
                    yield None
            has_text = False
            for text in self._message_texts(row, message):
                if text and not has_text and has_begun:
                    yield _BLANK
                has_text = has_text or bool(text)
                yield text
            has_begun = has_begun or has_text

    def _message_texts(self, row: int, message: Message) -> Iterator[str]:
        selection = self._selection
        body = Part(Section.BODY, -1), Part(Section.BODY, 1 << 60)
        is_whole = selection.start < (row, body[0]) and selection.end > (row, body[1])
        if self._as_source and message.text and is_whole:
            yield message.text
            return
        yield from _Entries(self, self._layout(row, message), row, message).texts()

    def _layout(self, row: int, message: Message) -> MessageLayout:
        """The shown layout of a message, or one for now: a long selection must not leave its layouts behind."""
        stack = self._view.stack
        is_edge = row in {self._selection.start.row, self._selection.end.row}
        layout = stack.layout(row) if is_edge or message.id in self._view.model.growing else None
        layout = layout or stack.known_layout(row)
        if layout is None:
            memory = stack.memory.get(message.id) or MessageMemory()
            layout = MessageLayout(message, self._view.workshop, memory, stack.width)
        return layout

    def measured(self, row: int, layout: MessageLayout, index: int) -> None:
        """Entry ``index`` of a message changed its height."""
        if self._view.stack.known_layout(row) is layout:
            self._view.stack.touched(row, index)
            self.has_measured = True

    @property
    def selection(self) -> Selection:
        return self._selection

    @property
    def as_source(self) -> bool:
        return self._as_source


class _Entries:
    """The selected texts of one message. Its layout may grow between two steps."""

    def __init__(self, whole: SelectedText, layout: MessageLayout, row: int, message: Message) -> None:
        self._whole = whole
        self._layout = layout
        self._row = row
        self._start, self._end = whole.selection.start[:2], whole.selection.end[:2]
        self._is_typed = message.role is Role.USER
        self._sources: dict[int, list[str]] = {}  # lines by section
        for section, text in ((Section.BODY, message.text), (Section.REASONING, message.reasoning)):
            text = text[: layout.markup_length(section)]
            self._sources[section] = normalized(text).split("\n")

    def texts(self) -> Iterator[str]:
        index, column, has_begun = 0, self._layout.column, False
        while index < len(column):
            spec = column.entries[index].spec
            stop, behind = self._block_end(index)
            last = column.entries[stop - 1].spec.part
            is_segment = isinstance(spec.source, Segment)
            reach = (self._row, behind if is_segment else last)
            if (self._start >= reach if is_segment else self._start > reach) or self._end < (
                self._row,
                spec.part,
            ):
                index = stop
                continue
            is_whole = self._start < (self._row, spec.part) and (
                self._end >= reach if is_segment else self._end > reach
            )
            source = self._source(spec.part, index, stop) if self._whole.as_source and is_whole else None
            if source is None and is_segment:
                if self._layout.measure(index, at_once=False):
                    self._whole.measured(self._row, self._layout, index)
                yield ""
                index = column.index_of(spec.part)
                continue
            if source is None:
                source, last = self._runs(index), spec.part
            if source:
                yield self._seam(spec.part, spec.source) + source if has_begun else source
                has_begun = True
            else:
                yield ""
            index = self._behind(last, stop)

    def _behind(self, part: Part, stop: int) -> int:
        """The entry after ``part``, which stood before ``stop``."""
        entries = self._layout.column.entries
        if stop <= len(entries) and entries[stop - 1].spec.part == part:
            return stop
        index = self._layout.column.index_of(part)
        return index + (entries[index].spec.part <= part)

    def _block_end(self, index: int) -> tuple[int, Part]:
        """The entry after the last piece of the block that entry ``index`` begins or goes on with, and its part."""
        entries = self._layout.column.entries
        block = entries[index].spec.part[:2]
        stop = index + 1
        while stop < len(entries) and (part := entries[stop].spec.part)[:2] == block and part.piece:
            stop += 1
        return stop, entries[stop].spec.part if stop < len(entries) else _END

    def _source(self, part: Part, index: int, stop: int) -> str | None:
        """The lines of a block, or of a segment, which is selected as a whole; ``None`` where they cannot be told."""
        lines = self._sources.get(part.section)
        entries = self._layout.column.entries
        if lines is None or part.piece or part.line >= PLAIN_LINE:
            return None
        if self._are_notes(index):
            if self._goes_on(stop, part.section):
                return None
            block = max((each.spec.part for each in entries[:index] if each.spec.part < part), default=part)
            if block.section == part.section and block != entries[index - 1].spec.part:
                # They are defined within the text and shown at its end.
                return "" if self._start < (self._row, block) else None
        end = len(lines)
        while self._goes_on(stop, part.section):
            behind = self._block_end(stop)[0]
            line = entries[stop].spec.part.line
            if line > part.line and not (self._are_notes(stop) and self._goes_on(behind, part.section)):
                end = min(end, line)
                break
            stop = behind
        return "\n".join(lines[part.line : end]).strip("\n")

    def _are_notes(self, index: int) -> bool:
        """Whether an entry shows notes, which may stand elsewhere than their lines."""
        return isinstance(self._layout.column.entries[index].spec.source, Footnotes)

    def _goes_on(self, index: int, section: int) -> bool:
        entries = self._layout.column.entries
        return index < len(entries) and entries[index].spec.part.section == section

    def _runs(self, index: int) -> str:
        """What is selected of an entry, as it reads or as Markdown that reads so."""
        layout, entry = self._layout, self._layout.column.entries[index]
        is_shown = entry.box is not None
        if layout.measure(index):
            self._whole.measured(self._row, layout, index)
        texts: list[str] = []
        for number, placed in enumerate(entry.box.runs() if entry.box is not None else ()):
            selected = self._whole.selection.within(self._row, entry.spec.part, number, placed.run.length)
            if selected is not None:
                content = placed.run.slice(*selected)
                is_source = self._whole.as_source
                texts.append(markdown_of(content) if is_source else content.text.replace(LINE_BREAK, "\n"))
        if not is_shown:
            entry.box = None  # it was made to be read
        return "\n".join(texts)

    def _seam(self, part: Part, source: object) -> str:
        """What stands between an entry and the one before it."""
        lines = self._sources.get(part.section, [])
        if part.line > PLAIN_LINE:
            return ""
        if part.line == PLAIN_LINE:  # it begins wherever the Markdown was too long
            return "\n" * _empty_lines(lines, len(lines))
        if part.piece:
            return "" if runs_on(source) else "\n"
        if self._is_typed and self._whole.as_source and part.section == Section.BODY:
            return "\n" * (1 + _empty_lines(lines, part.line))
        return _BLANK


def _empty_lines(lines: list[str], end: int) -> int:
    """How many lines directly before line ``end`` are empty."""
    first = end
    while first > 0 and not lines[first - 1]:
        first -= 1
    return end - first
