"""The boxes of lists and their items, with the marks beside them."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from desktop_chat.markup.blocks import Block, ListBlock, ListItem
from desktop_chat.ui.theme import Radius, Space
from desktop_chat.ui.transcript.block_stack import BlockStack, common_prefix
from desktop_chat.ui.transcript.boxes import Box, BoxContext, Paint
from desktop_chat.ui.transcript.continued import ContinuedItem
from desktop_chat.ui.transcript.direction import is_mirrored
from desktop_chat.ui.transcript.inline import leading_edge
from desktop_chat.ui.transcript.stack_box import StackBox
from desktop_chat.ui.transcript.typography import color

BULLET_INDENT: Final = 24
ORDINAL_INDENT: Final = 30
CHECK_SIZE: Final = 15


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
        self.set_blocks(item.blocks)
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
        return is_mirrored(block, self._around.right_to_left)

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
        same = common_prefix(self._block.items, block.items)
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
