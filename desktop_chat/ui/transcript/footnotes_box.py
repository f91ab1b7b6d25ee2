"""The box of the notes at a text's end."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF

from desktop_chat.markup.blocks import Block, Footnotes
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.block_stack import BlockStack, common_prefix
from desktop_chat.ui.transcript.boxes import Box, BoxContext, Paint
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
        self._right_to_left_around = context.right_to_left
        self._inner = inner
        self._block = block
        self._stacks: list[BlockStack] = []
        self._fill(0)

    def _fill(self, first: int) -> None:
        notes = self._block.notes
        self._stacks += [BlockStack(notes[i][1], self._inner.inner(i)) for i in range(first, len(notes))]
        self.boxes = list[Box](self._stacks)

    def update(self, block: Block) -> bool:
        old = self._block
        if (
            not isinstance(block, Footnotes)
            or type(block) is not type(old)
            or getattr(block, "lead", None) != getattr(old, "lead", None)
            or is_mirrored(block, self._right_to_left_around) != self.is_mirrored
        ):
            return False
        same = common_prefix(old.notes, block.notes)
        grown = same < min(len(old.notes), len(block.notes)) and old.notes[same][0] == block.notes[same][0]
        if grown:
            self._stacks[same].set_blocks(block.notes[same][1])
        self._block = block
        self.invalidate(same)
        del self._stacks[same + grown :]
        self._fill(same + grown)
        return True

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
        name, _ = self._block.notes[index]
        label = f".{name}" if self.is_mirrored else f"{name}."
        width = self._style.metrics.horizontalAdvance(label)
        left = x + self.width - width if self.is_mirrored else x
        paint.text(self._style, left, y, label, paint.palette.text_faint)
        super().paint_child(paint, index, x, y, first_run)
