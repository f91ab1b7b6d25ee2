"""The box of a quotation."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF

from desktop_chat.markup.blocks import Block, Quote
from desktop_chat.ui.transcript.block_stack import BlockStack
from desktop_chat.ui.transcript.boxes import BoxContext, Paint
from desktop_chat.ui.transcript.continued import ContinuedQuote
from desktop_chat.ui.transcript.direction import is_mirrored

QUOTE_INDENT: Final = 18
_BAR_WIDTH: Final = 3


class QuoteBox(BlockStack):
    """Quoted blocks beside a bar, which stands where they begin."""

    indent = QUOTE_INDENT

    def __init__(self, block: Quote, context: BoxContext) -> None:
        self._right_to_left_around = context.right_to_left
        self.is_mirrored = is_mirrored(block, context.right_to_left)
        self._is_continued = isinstance(block, ContinuedQuote)
        self.padding_top = block.lead if isinstance(block, ContinuedQuote) else 0
        inner = context.inner("quote", style=context.typography.quote)
        super().__init__(block.blocks, inner.running(right_to_left=self.is_mirrored))

    def update(self, block: Block) -> bool:
        if (
            not isinstance(block, Quote)
            or self.padding_top != getattr(block, "lead", 0)
            or is_mirrored(block, self._right_to_left_around) != self.is_mirrored
        ):
            return False
        self.set_blocks(block.blocks)
        return True

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        left = x + self.width - _BAR_WIDTH if self.is_mirrored else x
        above = _BAR_WIDTH if self._is_continued else 0  # over the rounded end of the piece before
        bar = QRectF(left, y - above, _BAR_WIDTH, self.height + above)
        paint.rounded(bar, _BAR_WIDTH / 2, paint.palette.quote_bar)
        super().paint(paint, x, y, first_run)
