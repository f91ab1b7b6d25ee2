"""The boxes of running text: paragraphs, headings, lists, quotations, rules, footnotes, raw text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from desktop_chat.markup.blocks import (
    LINE_BREAK,
    Block,
    CodeBlock,
    Footnotes,
    Heading,
    InlineText,
    ListBlock,
    ListItem,
    MathBlock,
    Paragraph,
    Quote,
    RawText,
    Rule,
    Table,
)
from desktop_chat.ui.theme import Radius, Space
from desktop_chat.ui.transcript.boxes import Box, BoxContext, Paint, PlacedRun, StackBox
from desktop_chat.ui.transcript.code_box import CodeBox
from desktop_chat.ui.transcript.direction import runs_right_to_left
from desktop_chat.ui.transcript.inline import leading_edge
from desktop_chat.ui.transcript.math_box import MathBox
from desktop_chat.ui.transcript.table_box import TableBox
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.typography import color

BULLET_INDENT: Final = 24
ORDINAL_INDENT: Final = 30
QUOTE_INDENT: Final = 18
CHECK_SIZE: Final = 15


class ContinuedItem(ListItem, frozen=True):
    """What does not fit into the piece that its item begins in; ``lead`` is the room above it, in pixels."""

    lead: int = 0


class ContinuedQuote(Quote, frozen=True):
    """A further piece of a quotation; its bar goes on through ``lead`` pixels above the blocks, on the same side."""

    lead: int = 0
    right_to_left: bool | None = None


class ContinuedNotes(Footnotes, frozen=True):
    """Further footnotes, without a rule above them."""


class TextBox(Box):
    """A paragraph, a heading or raw text: one run."""

    run_count = 1

    def __init__(self, block: Paragraph | Heading | RawText, context: BoxContext) -> None:
        self._context = context
        self._kind = type(block)
        self._level = block.level if isinstance(block, Heading) else 0
        style = context.typography.headings[min(self._level, 6) - 1] if self._level else context.style
        self.text_run = TextRun(
            _content(block), style, context.pictures, context.alignment, right_to_left=context.right_to_left
        )

    def lay_out(self, width: int) -> int:
        self.width = width
        self.height = self.text_run.lay_out(width)
        return self.height

    def update(self, block: Block) -> bool:
        if type(block) is not self._kind or not isinstance(block, (Paragraph, RawText)):
            return False
        self.changed_from = self.text_run.update(_content(block))
        self.height = self.text_run.height
        return True

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        run = self.text_run
        run.paint(
            paint.painter,
            x,
            y,
            paint.clip,
            color(paint.palette.inline_code),
            paint.marks.marks(first_run, run),
        )

    def runs(self) -> Iterator[PlacedRun]:
        yield PlacedRun(self.text_run, 0, 0)

    def first_baseline(self) -> float:
        return self.text_run.baseline_at(0)


def _content(block: Paragraph | Heading | RawText) -> InlineText:
    return InlineText(block.text.replace("\n", LINE_BREAK)) if isinstance(block, RawText) else block.content


class RuleBox(Box):
    """A hairline across the column."""

    def lay_out(self, width: int) -> int:
        self.width, self.height = width, 2 * Space.S + 1
        return self.height

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        paint.painter.fillRect(QRectF(x, y + Space.S, self.width, 1), color(paint.palette.border))


def gap_between(before: Block, after: Block) -> int:
    """The distance between two blocks, in pixels: more above what opens a section, less below a heading."""
    if isinstance(after, Heading):
        return (
            Space.S if isinstance(before, Heading) else (Space.XL if after.level <= 2 else Space.L + Space.XS)
        )
    if isinstance(before, Heading):
        return Space.S
    if isinstance(after, Footnotes):
        return Space.XL
    large = (CodeBlock, Table, MathBlock, Quote)
    if isinstance(before, large) or isinstance(after, large):
        return Space.L
    if isinstance(before, ListBlock) and isinstance(after, ListBlock):
        return Space.L
    return Space.M


class BlockStack(StackBox):
    """Blocks below each other, at the rhythm of running text."""

    def __init__(self, blocks: Sequence[Block], context: BoxContext) -> None:
        super().__init__()
        self._context = context
        self._blocks: tuple[Block, ...] = ()
        self._set_blocks(tuple(blocks))

    def gap_before(self, index: int) -> int:
        return gap_between(self._blocks[index - 1], self._blocks[index])

    def _set_blocks(self, blocks: tuple[Block, ...]) -> None:
        """Show ``blocks``; boxes of an equal beginning stay, the first different one grows in place if it can."""
        old = self._blocks
        same = _common_prefix(old, blocks)
        self._blocks = blocks
        grown = same < min(len(old), len(blocks)) and self.boxes[same].update(blocks[same])
        self.invalidate(same)
        first = same + grown
        del self.boxes[first:]
        self.boxes += [make_box(blocks[i], self._context.inner(i)) for i in range(first, len(blocks))]


def _is_mirrored(block: ListBlock | Quote | Footnotes, right_to_left_around: bool) -> bool:
    """Whether its markers stand at the right."""
    found: bool | None = getattr(block, "right_to_left", None)
    if found is None:
        found = runs_right_to_left(block)
    return right_to_left_around if found is None else found


def _common_prefix(old: Sequence[object], new: Sequence[object]) -> int:
    count = 0
    for before, after in zip(old, new, strict=False):
        if before is not after and before != after:
            break
        count += 1
    return count


class QuoteBox(BlockStack):
    """Quoted blocks beside a bar, which stands where they begin."""

    indent = QUOTE_INDENT

    def __init__(self, block: Quote, context: BoxContext) -> None:
        self._right_to_left_around = context.right_to_left
        self.is_mirrored = _is_mirrored(block, context.right_to_left)
        self.padding_top = block.lead if isinstance(block, ContinuedQuote) else 0
        inner = context.inner("quote", style=context.typography.quote)
        super().__init__(block.blocks, inner.running(right_to_left=self.is_mirrored))

    def update(self, block: Block) -> bool:
        if (
            not isinstance(block, Quote)
            or self.padding_top != getattr(block, "lead", 0)
            or _is_mirrored(block, self._right_to_left_around) != self.is_mirrored
        ):
            return False
        self._set_blocks(block.blocks)
        return True

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        left = x + self.width - 3 if self.is_mirrored else x
        paint.rounded(QRectF(left, y, 3, self.height), 1.5, paint.palette.quote_bar)
        super().paint(paint, x, y, first_run)


class ItemBox(BlockStack):
    """One list item without its marker."""

    def __init__(self, item: ListItem, context: BoxContext, *, tight: bool) -> None:
        self._tight = tight
        super().__init__(item.blocks, context)
        self._item = item

    @property
    def item(self) -> ListItem:
        return self._item

    def gap_before(self, index: int) -> int:
        return Space.XS if self._tight else super().gap_before(index)

    def lay_out(self, width: int) -> int:
        if not self.boxes:
            self.height = self._context.style.line_height
            return self.height
        return super().lay_out(width)

    def become(self, item: ListItem) -> bool:
        if item.checked is not self._item.checked or not item.blocks or type(item) is not type(self._item):
            return False
        self._item = item
        self._set_blocks(item.blocks)
        return True


class ListBox(StackBox):
    """List items with painted bullets, numbers or task boxes in the gutter."""

    def __init__(self, block: ListBlock, context: BoxContext) -> None:
        super().__init__()
        self._around = context
        self.is_mirrored = self._stands_at_right(block)
        self._context = context = context.running(
            right_to_left=self.is_mirrored, alignment=leading_edge(right_to_left=self.is_mirrored)
        )
        self._block = block
        self.indent = BULLET_INDENT if block.start is None else ORDINAL_INDENT
        self._items: list[ItemBox] = []
        self._fill(0)

    def _fill(self, first: int) -> None:
        items, block = self._block.items, self._block
        self._items += [
            ItemBox(items[index], self._context.inner(index, deeper=True), tight=block.tight)
            for index in range(first, len(items))
        ]
        self.boxes = list[Box](self._items)

    @property
    def block(self) -> ListBlock:
        return self._block

    def _stands_at_right(self, block: ListBlock) -> bool:
        """A list within an item stands on the side of the outer one, or it would not be seen to belong to it."""
        if self._around.alignment is not None:
            return self._around.right_to_left
        return _is_mirrored(block, self._around.right_to_left)

    def gap_before(self, index: int) -> int:
        return Space.XS if self._block.tight else Space.M

    def update(self, block: Block) -> bool:
        if (
            not isinstance(block, ListBlock)
            or block.start != self._block.start
            or block.tight != self._block.tight
            or self._stands_at_right(block) != self.is_mirrored
        ):
            return False
        same = _common_prefix(self._block.items, block.items)
        both = min(len(self._block.items), len(block.items))
        grown = same < both and self._items[same].become(block.items[same])
        self._block = block
        self.invalidate(same)
        del self._items[same + grown :]
        self._fill(same + grown)
        return True

    def paint_child(self, paint: Paint, index: int, x: float, y: float, first_run: int) -> None:
        box = self._items[index]
        if isinstance(box.item, ContinuedItem):
            super().paint_child(paint, index, x, y, first_run)
            return
        baseline = box.first_baseline()
        style = self._context.style
        line = y + (style.baseline if baseline is None else baseline)
        if box.item.checked is not None:
            self._paint_check(paint, x, line, checked=box.item.checked)
        elif self._block.start is None:
            self._paint_bullet(paint, x, line)
        else:
            ordinal = self._block.start + index
            number = f".{ordinal}" if self.is_mirrored else f"{ordinal}."
            width = style.metrics.horizontalAdvance(number)
            left = self._gutter_x(x, ORDINAL_INDENT - Space.S - width, width)
            paint.painter.setFont(style.font)
            paint.painter.setPen(color(paint.palette.text_secondary))
            paint.painter.drawText(QPointF(left, line), number)
        super().paint_child(paint, index, x, y, first_run)

    def _gutter_x(self, x: float, distance: float, width: float) -> float:
        """The left edge of a mark of that width, ``distance`` from the outer edge of the list at ``x``."""
        return x + (self.width - distance - width if self.is_mirrored else distance)

    def _paint_bullet(self, paint: Paint, x: float, baseline: float) -> None:
        style = self._context.style
        middle = self._gutter_x(x, BULLET_INDENT - Space.M - 1, 0)
        centre = QPointF(middle, baseline - style.metrics.xHeight() / 2)
        ink = color(paint.palette.text_secondary)
        painter = paint.painter
        kind = self._context.depth % 3
        painter.setPen(QPen(ink, 1.2) if kind == 1 else Qt.PenStyle.NoPen)
        painter.setBrush(Qt.BrushStyle.NoBrush if kind == 1 else ink)
        if kind == 2:
            painter.drawRect(QRectF(centre.x() - 2.25, centre.y() - 2.25, 4.5, 4.5))
        else:
            painter.drawEllipse(centre, 2.6, 2.6)

    def _paint_check(self, paint: Paint, x: float, baseline: float, *, checked: bool) -> None:
        style, palette = self._context.style, paint.palette
        left = self._gutter_x(x, self.indent - Space.S - CHECK_SIZE, CHECK_SIZE)
        middle = baseline - style.metrics.capHeight() / 2
        rect = QRectF(round(left), round(middle - CHECK_SIZE / 2), CHECK_SIZE, CHECK_SIZE)
        fill = palette.accent if checked else palette.page
        paint.rounded(rect, Radius.SMALL, fill, palette.accent if checked else palette.text_faint)
        if checked:
            _paint_tick(paint.painter, rect, palette.on_accent)


def _paint_tick(painter: QPainter, rect: QRectF, ink: str) -> None:
    pen = QPen(color(ink), 1.8)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    x, y = rect.x(), rect.y()
    painter.drawPolyline(
        QPolygonF([QPointF(x + 3.8, y + 7.8), QPointF(x + 6.5, y + 10.6), QPointF(x + 11.4, y + 4.8)])
    )


class FootnotesBox(StackBox):
    """The notes at a text's end, smaller, under a short rule."""

    indent = ORDINAL_INDENT

    def __init__(self, block: Footnotes, context: BoxContext) -> None:
        super().__init__()
        self._has_rule = not isinstance(block, ContinuedNotes)
        self.padding_top = Space.M if self._has_rule else 0
        self._style = context.typography.footnote
        self.is_mirrored = mirrored = _is_mirrored(block, context.right_to_left)
        inner = context.inner("notes", style=self._style).running(
            right_to_left=mirrored, alignment=leading_edge(right_to_left=mirrored)
        )
        self._labels = [label for label, _ in block.notes]
        self.boxes = [BlockStack(blocks, inner.inner(i)) for i, (_, blocks) in enumerate(block.notes)]

    def gap_before(self, index: int) -> int:
        return Space.XS

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        if self._has_rule:
            length = min(120, self.width)
            left = x + self.width - length if self.is_mirrored else x
            paint.painter.fillRect(QRectF(left, y, length, 1), color(paint.palette.border_strong))
        super().paint(paint, x, y, first_run)

    def paint_child(self, paint: Paint, index: int, x: float, y: float, first_run: int) -> None:
        label = f".{self._labels[index]}" if self.is_mirrored else f"{self._labels[index]}."
        width = self._style.metrics.horizontalAdvance(label)
        left = x + self.width - width if self.is_mirrored else x
        paint.text(self._style, left, y, label, paint.palette.text_faint)
        super().paint_child(paint, index, x, y, first_run)


def make_box(block: Block, context: BoxContext) -> Box:
    """The box that shows ``block``."""
    match block:
        case Paragraph() | Heading() | RawText():
            return TextBox(block, context)
        case CodeBlock():
            return CodeBox(block, context)
        case ListBlock():
            return ListBox(block, context)
        case Quote():
            return QuoteBox(block, context)
        case Table():
            return TableBox(block, context)
        case MathBlock():
            return MathBox(block, context)
        case Rule():
            return RuleBox()
        case Footnotes():
            return FootnotesBox(block, context)
