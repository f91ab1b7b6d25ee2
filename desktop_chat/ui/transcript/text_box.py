"""The box of a paragraph, a heading or raw text."""

from __future__ import annotations

from collections.abc import Iterator

from desktop_chat.markup.blocks import LINE_BREAK, Block, Heading, InlineText, Paragraph, RawText
from desktop_chat.ui.transcript.boxes import Box, BoxContext, Paint, PlacedRun
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.typography import color


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
        if type(block) is not self._kind or not isinstance(block, (Paragraph, Heading, RawText)):
            return False
        if isinstance(block, Heading) and block.level != self._level:
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
