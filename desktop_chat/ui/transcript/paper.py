"""A message as it is printed: the transcript's own boxes, unfolded, without anything to press."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

import msgspec
from PySide6.QtCore import QDateTime, QLocale, QRectF

from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.markup.blocks import (
    Block,
    CodeBlock,
    InlineText,
    ListBlock,
    Paragraph,
    RawText,
    Table,
)
from desktop_chat.ui.theme import Radius, Space, Theme
from desktop_chat.ui.transcript import labels
from desktop_chat.ui.transcript.block_boxes import make_box
from desktop_chat.ui.transcript.boxes import Box, Paint
from desktop_chat.ui.transcript.column import Part, Spec
from desktop_chat.ui.transcript.inline import sliced
from desktop_chat.ui.transcript.message_content import MessageContent, MessageMemory, Section, Workshop
from desktop_chat.ui.transcript.message_parts import ErrorBox, ToolBox
from desktop_chat.ui.transcript.table_box import TableBox, TablePart
from desktop_chat.ui.transcript.typography import Typography, elided

_CODE_STEP: Final = 16
_ITEM_STEP: Final = 3
_ROW_STEP: Final = 4
_TEXT_STEP: Final = 2000
"""How much of one block is laid out at once: lines, items, rows, characters."""

_SMALLER: Final = (12, 10)
"""Text sizes tried for a table whose words do not fit its columns; running text has 15."""

_NARROWEST_PRINTED_COLUMN: Final = 76


def moment(timestamp: float) -> str:
    """A date with its time; paper is read on another day."""
    if timestamp <= 0:
        return ""
    at, locale = QDateTime.fromSecsSinceEpoch(int(timestamp)), QLocale()
    return f"{day(timestamp)}, {locale.toString(at.time(), QLocale.FormatType.ShortFormat)}"


def day(timestamp: float) -> str:
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(timestamp)).date(), "d MMMM yyyy")


class LineBox(Box):
    """One line of quiet words, with strong ones before them; or, as a chip, on a ground."""

    def __init__(self, strong: str, quiet: str, type_: Typography, *, as_warning: bool = False) -> None:
        self._strong, self._quiet, self._as_warning = strong, quiet, as_warning
        self._height = type_.label.line_height + (Space.S if as_warning else Space.XS)

    def lay_out(self, width: int) -> int:
        self.width, self.height = width, self._height
        return self.height

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        type_ = paint.typography
        if self._as_warning:
            style = type_.label
            words = elided(style, self._quiet, self.width - 2 * Space.S)
            width = style.metrics.horizontalAdvance(words) + 2 * Space.S
            ground = style.line_height + Space.XS
            paint.rounded(QRectF(x, y + 2, width, ground), Radius.SMALL, paint.palette.warning_surface)
            paint.text(style, x + Space.S, y + 4, words, paint.palette.warning)
            return
        room = self.width - type_.faint.metrics.horizontalAdvance(self._quiet) - Space.M
        if self._strong:
            x += (
                paint.text(type_.label_strong, x, y, elided(type_.label_strong, self._strong, room)) + Space.M
            )
        paint.text(type_.faint, x, y, self._quiet)


class PaperMessage(MessageContent):
    """A message's content for print.

    Its texts are parsed by calling `parse_some` until it says that nothing is left; only then ask for `specs`.

    Args:
        with_reasoning: the reader has it open.
    """

    def __init__(self, message: Message, workshop: Workshop, *, with_reasoning: bool) -> None:
        memory = MessageMemory(reasoning_open=with_reasoning)
        memory.blocks.on_paper = True
        self._is_unfinished = message.state is MessageState.STREAMING
        if self._is_unfinished:  # what has arrived is printed as it would be had it ended here
            message = msgspec.structs.replace(message, state=MessageState.COMPLETE)
        super().__init__(message, workshop, memory)

    def _show_texts(self) -> None:
        message = self.message
        if message.reasoning and self.is_reasoning_open:
            self._reasoning.append(message.reasoning)
        if message.role is Role.USER:
            self._body.show_typed(message.text)
        elif message.text:
            self._body.append(message.text)

    def parse_some(self) -> bool:
        """Parse a frame's share of the texts; returns whether more is left."""
        self._reasoning.advance()
        self._body.advance()
        if self.is_behind:
            return True
        self._reasoning.finish()
        self._body.finish()
        return False

    def error_actions(self) -> tuple[str, ...]:
        return ()

    def footer_actions(self) -> tuple[str, ...]:
        return ()

    def specs(self) -> Iterator[Spec]:
        """What is printed, in order; each with the room above it."""
        message = self.message
        yield Spec(Part(Section.HEADER), None)
        if self._reasoning.specs:
            yield Spec(Part(Section.REASONING_HEAD), None, Space.XS)
            yield from whole_tables(self._reasoning.specs)
        body = whole_tables(self._body.specs) if message.text else ()
        for index, spec in enumerate(body):
            yield spec if index else spec._replace(gap=Space.M if self._reasoning.specs else Space.XS)
        yield from (spec for spec in self._after_text() if spec.part.section != Section.FOOTER)
        if self._ending():
            yield Spec(Part(Section.FOOTER), None, Space.S)

    def _ending(self) -> str:
        return "Still being written at this moment" if self._is_unfinished else labels.ending(self.message)

    def _make(self, spec: Spec, stage: Block | None, type_: Typography) -> Box:
        message = self.message
        shop = self._workshop._replace(typography=type_)
        context = shop.context(spec.part, make_box, self._memory.blocks)
        match spec.part.section:
            case Section.HEADER:
                names = {Role.USER: "You", Role.SYSTEM: "System", Role.TOOL: "Tool"}
                name = names.get(message.role) or message.model or "Assistant"
                return LineBox(name, moment(message.created_at), type_)
            case Section.REASONING_HEAD:
                return LineBox("", labels.reasoning_title(message, is_thinking=False), type_)
            case Section.TOOLS:
                return ToolBox(spec.source, context)
            case Section.ERROR:
                assert message.error is not None
                return ErrorBox(message.error, (), context)
            case Section.FOOTER:
                return LineBox("", self._ending(), type_, as_warning=True)
        assert stage is not None
        return make_box(stage, context)

    def boxes(self, spec: Spec, width: int) -> Iterator[Box]:
        """The box of ``spec``, of which each step lays out a share; the last one given is all of it.

        A table whose words do not fit their columns is set in smaller print.
        """
        usual = self._workshop.typography
        stages: Sequence[Block | None] = _stages(spec.source) if isinstance(spec.source, Block) else [None]
        for size in (usual.theme.font_size, *_SMALLER):
            type_ = usual if size == usual.theme.font_size else _smaller(usual.theme, size)
            box = self._make(spec, stages[0], type_)
            for stage in stages:
                if stage is not stages[0] and not (stage is not None and box.update(stage)):
                    box = self._make(spec, stage, type_)
                box.lay_out(width)
                yield box
                if isinstance(box, TableBox) and box.is_squeezed and size != _SMALLER[-1]:
                    break
            else:
                return


@lru_cache(maxsize=2)
def _smaller(theme: Theme, size: int) -> Typography:
    return Typography(msgspec.structs.replace(theme, font_size=size))


def whole_tables(specs: Iterable[Spec]) -> Iterator[Spec]:
    """``specs`` with the parts of long tables joined: a page's end divides them, not the screen's needs."""
    first: Spec | None = None
    rows: list[tuple[InlineText, ...]] = []
    for spec in specs:
        table = spec.source
        if not isinstance(table, TablePart):
            yield spec
            continue
        first = first or spec
        rows += table.rows
        if table.is_last:
            yield first._replace(source=Table(table.alignments, table.header, tuple(rows)))
            first, rows = None, []


def printable(spec: Spec, width: int) -> Iterator[Spec]:
    """``spec``, or several for a table of more columns than fit side by side: each repeats the first column."""
    table = spec.source
    most = max(2, width // _NARROWEST_PRINTED_COLUMN)
    if not isinstance(table, Table) or len(table.alignments) <= most:
        yield spec
        return
    for first in range(1, len(table.alignments), most - 1):
        columns = (0, *range(first, min(first + most - 1, len(table.alignments))))
        part = Table(
            tuple(table.alignments[column] for column in columns),
            tuple(table.header[column] for column in columns),
            tuple(tuple(row[column] for column in columns) for row in table.rows),
        )
        place = Part(spec.part.section, spec.part.line, spec.part.piece + first)
        yield Spec(place, part, spec.gap if first == 1 else Space.M, spec.indent)


def _stages(block: Block) -> Sequence[Block]:
    """A long block's beginnings, each longer, and the whole of it."""
    found: list[Block] = []
    match block:
        case CodeBlock(code=code):
            position, lines = 0, 0
            while (position := code.find("\n", position) + 1) > 0:
                lines += 1
                if lines % _CODE_STEP == 0:
                    found.append(CodeBlock(block.language, code[: position - 1], closed=False))
        case ListBlock(items=items):
            found = [
                ListBlock(items[:count], block.start, block.tight)
                for count in range(_ITEM_STEP, len(items), _ITEM_STEP)
            ]
        case Table(rows=rows):
            found = [
                Table(block.alignments, block.header, rows[:count])
                for count in range(_ROW_STEP, len(rows), _ROW_STEP)
            ]
        case Paragraph(content=content) if not content.objects:
            found = [
                Paragraph(sliced(content, 0, count))
                for count in range(_TEXT_STEP, len(content.text), _TEXT_STEP)
            ]
        case RawText(text=text):
            found = [RawText(text[:count]) for count in range(_TEXT_STEP, len(text), _TEXT_STEP)]
        case _:
            pass
    return [*found, block]
