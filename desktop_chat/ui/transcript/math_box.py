"""Display formulas: a centred picture, or the TeX source until there is one."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRectF, Qt

from desktop_chat.markup.blocks import InlineText, MathBlock
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.boxes import Box, BoxContext, Control, Paint, PlacedRun, Scrollable
from desktop_chat.ui.transcript.sideways import BAR_HEIGHT, Sideways
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.typography import color


class FormulaSource(TextRun):
    """The TeX source in the place of a picture; finding passes it over, for most of it is never seen."""


class MathBox(Box):
    """A display formula. Its run, while it has no picture, is the TeX source; the whole of it copies as TeX."""

    def __init__(self, block: MathBlock, context: BoxContext) -> None:
        self._block = block
        tex = block.tex.strip()
        self._picture = context.display_math(tex, context.style) if block.closed else None
        self.waits = self._picture is None and block.closed
        self._sideways = Sideways(context.state())
        self._on_paper = context.states.on_paper
        self._scale = 1.0
        self._source = FormulaSource(
            InlineText(tex.replace("\n", "\u2028")),
            context.typography.code,
            context.pictures,
            Qt.AlignmentFlag.AlignHCenter,
        )
        self.run_count = 0 if self._picture else 1

    def has_pictures(self) -> bool:
        return self.waits

    def copy_text(self) -> str:
        return self._block.tex

    def lay_out(self, width: int) -> int:
        self.width = self._sideways.window_width = width
        if self._picture is None:
            self.height = self._source.lay_out(width)
        else:
            if self._on_paper:  # which cannot be scrolled
                self._scale = min(1.0, width / self._picture.width)
            self._sideways.content_width = round(self._picture.width * self._scale)
            bar = Space.XS + BAR_HEIGHT if self._sideways.is_needed else 0
            self.height = round(self._picture.height * self._scale) + Space.S + bar
        return self.height

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        if self._picture is None:
            marks = paint.marks.marks(first_run, self._source)
            self._source.paint(paint.painter, x, y, paint.clip, color(paint.palette.inline_code), marks)
            return
        left = x + max(0.0, (self.width - self._picture.width * self._scale) / 2) - self._sideways.offset
        paint.painter.save()
        try:
            paint.painter.setClipRect(QRectF(x, y, self.width, self.height).intersected(paint.clip))
            paint.painter.translate(left, y + Space.XS)
            paint.painter.scale(self._scale, self._scale)
            self._picture.paint(paint.painter, 0, self._picture.ascent)
        finally:
            paint.painter.restore()
        self._sideways.paint(paint, QRectF(x, y, self.width, self.height))

    def controls(self) -> Iterator[Control]:
        yield Control(QRectF(0, 0, self.width, self.height), "copy-math", "Copy formula as TeX", self)

    def scrollables(self) -> Iterator[Scrollable]:
        yield Scrollable(QRectF(0, 0, self.width, self.height), self._sideways)

    def runs(self) -> Iterator[PlacedRun]:
        if self._picture is None:
            yield PlacedRun(self._source, 0, 0)
