"""The box of the notes at a text's end."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF

from desktop_chat.markup.blocks import Footnotes
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.block_stack import BlockStack
from desktop_chat.ui.transcript.boxes import BoxContext, Paint
from desktop_chat.ui.transcript.continued import ContinuedNotes
from desktop_chat.ui.transcript.direction import is_mirrored
from desktop_chat.ui.transcript.inline import leading_edge
from desktop_chat.ui.transcript.stack_box import StackBox
from desktop_chat.ui.transcript.typography import color

LABEL_INDENT: Final = 30


class FootnotesBox(StackBox):
    """The notes at a text's end, smaller, under a short rule."""

    indent = LABEL_INDENT

    def __init__(self, block: Footnotes, context: BoxContext) -> None:
        super().__init__()
        self._has_rule = not isinstance(block, ContinuedNotes)
        self._goes_on = isinstance(block, ContinuedNotes) and block.lead is not None
        self.padding_top = Space.M if self._has_rule else 0
        self._style = context.typography.footnote
        self.is_mirrored = mirrored = is_mirrored(block, context.right_to_left)
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
        if not index and self._goes_on:
            super().paint_child(paint, index, x, y, first_run)
            return
        label = f".{self._labels[index]}" if self.is_mirrored else f"{self._labels[index]}."
        width = self._style.metrics.horizontalAdvance(label)
        left = x + self.width - width if self.is_mirrored else x
        paint.text(self._style, left, y, label, paint.palette.text_faint)
        super().paint_child(paint, index, x, y, first_run)
