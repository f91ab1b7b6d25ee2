"""Display formulas: a centred picture, or the TeX source until there is one."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRectF, Qt

from desktop_chat.markup.blocks import Block, InlineText, MathBlock
from desktop_chat.ui.transcript.boxes import Box, BoxContext, Control, Paint, PlacedRun, Scrollable
from desktop_chat.ui.transcript.sideways import Sideways
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.typography import color


class MathBox(Box):
    """A display formula. Its one run is the TeX source: what is found, selected and copied."""

    run_count = 1

    def __init__(self, block: MathBlock, context: BoxContext) -> None:
        self._block = block
        self._context = context
        self._sideways = Sideways(context.state())
        self._source = TextRun(
            InlineText(block.tex.strip().replace("\n", "\u2028")),
            context.typography.code,
            context.pictures,
            Qt.AlignmentFlag.AlignHCenter,
        )

    @property
    def block(self) -> MathBlock:
        return self._block

    def lay_out(self, width: int) -> int:
        self.width = width
        self.height = self._source.lay_out(width)
        return self.height

    def update(self, block: Block) -> bool:  # noqa: ARG002 - a formula is made anew
        return False

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        marks = paint.marks.marks(first_run, self._source)
        self._source.paint(paint.painter, x, y, paint.clip, color(paint.palette.inline_code), marks)

    def copy_text(self) -> str:
        return self._block.tex

    def controls(self) -> Iterator[Control]:
        yield Control(QRectF(0, 0, self.width, self.height), "copy-math", "Copy formula as TeX", self)

    def scrollables(self) -> Iterator[Scrollable]:
        yield Scrollable(QRectF(0, 0, self.width, self.height), self._sideways)

    def runs(self) -> Iterator[PlacedRun]:
        yield PlacedRun(self._source, 0, 0)
