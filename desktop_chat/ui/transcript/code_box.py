"""Code cards: rounded, with the language's name, a wrap toggle and a copy button; long ones fold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from PySide6.QtCore import QRectF

from desktop_chat.markup.blocks import Block, CodeBlock
from desktop_chat.markup.languages import language_name
from desktop_chat.markup.safety import visible_code
from desktop_chat.ui.theme import Radius, Space
from desktop_chat.ui.transcript.boxes import Box, BoxContext, Control, Paint, PlacedRun, Scrollable
from desktop_chat.ui.transcript.code_run import CodeRun, LineColors
from desktop_chat.ui.transcript.icons import paint_icon
from desktop_chat.ui.transcript.sideways import Sideways
from desktop_chat.ui.transcript.typography import color

FOLD_LINES: Final = 40
"""A finished block with more lines than this shows only these until it is unfolded."""

HEADER_HEIGHT: Final = 34
FOOTER_HEIGHT: Final = 34
BUTTON_SIZE: Final = 26
_BAR_MARGIN: Final = 4


class CodeBox(Box):
    """A fenced or indented code block."""

    run_count = 1

    def __init__(self, block: CodeBlock, context: BoxContext) -> None:
        self._context = context
        self._block = block
        self._state = context.state()
        self._code = CodeRun(context.typography.code)
        self._sideways = Sideways(self._state)
        self._shown_source = self._visible = ""
        self._show()

    def _show(self) -> None:
        block = self._block
        added = block.code.removeprefix(self._shown_source)
        if len(added) + len(self._shown_source) != len(block.code):  # it did not only grow
            self._visible, added = "", block.code
        self._visible += visible_code(added)
        self._shown_source = block.code
        code = self._visible
        colors = self._context.highlighter.lines(self, code, block.language, closed=block.closed)
        self._code.set_code(code, colors)

    def recolor(self, colors: LineColors) -> None:
        """Show more colours of the same code."""
        self._code.recolor(colors)

    @property
    def block(self) -> CodeBlock:
        return self._block

    @property
    def is_foldable(self) -> bool:
        long = self._block.closed and self._code.line_count > FOLD_LINES
        return long and not self._context.states.on_paper

    @property
    def is_folded(self) -> bool:
        return self.is_foldable and not self._state.is_expanded

    def update(self, block: Block) -> bool:
        if not isinstance(block, CodeBlock) or block.language != self._block.language:
            return False
        if block.closed and not self._block.closed and self._context.states.keep_open:
            self._state.is_expanded = True
        self._block = block
        self._show()
        return True

    def lay_out(self, width: int) -> int:
        self.width = width
        visible = FOLD_LINES if self.is_folded else self._code.line_count
        self._sideways.window_width = max(1, width - 2 * Space.L)
        body = self._code.lay_out(self._sideways.window_width, visible, wrap=self._state.is_wrapped)
        self._sideways.content_width = 0 if self._state.is_wrapped else round(self._code.longest_width + 1)
        bar = Space.S if self._sideways.is_needed else 0
        footer = FOOTER_HEIGHT if self.is_foldable else 0
        self.height = HEADER_HEIGHT + Space.M + body + Space.M + bar + footer
        return self.height

    def unfold(self) -> bool:
        changed, self._state.is_expanded = self.is_folded, True
        return changed

    # --- painting ----------------------------------------------------------------------------------------

    def _window(self) -> QRectF:
        top = HEADER_HEIGHT + Space.M
        return QRectF(Space.L, top, self._sideways.window_width, self._code.height)

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        painter, palette = paint.painter, paint.palette
        card = QRectF(x, y, self.width, self.height)
        paint.rounded(card, Radius.MEDIUM, palette.code_card, palette.border)
        if y + HEADER_HEIGHT > paint.clip.top():
            self._paint_header(paint, x, y)
        window = self._window().translated(x, y)
        visible = QRectF(x + 1, window.y(), self.width - 2, window.height()).intersected(paint.clip)
        if not visible.isEmpty():
            painter.save()
            try:
                painter.setClipRect(visible)
                left = window.x() - (0 if self._state.is_wrapped else self._sideways.offset)
                marks = paint.marks.marks(first_run, self._code)
                self._code.paint(
                    painter, left, window.y(), visible, color(palette.text), palette.text_faint, marks
                )
            finally:
                painter.restore()
        self._sideways.paint(paint, window.adjusted(0, 0, 0, Space.M + Space.S - _BAR_MARGIN))
        if self.is_foldable:
            self._paint_fold(paint, x, y)

    def _paint_header(self, paint: Paint, x: float, y: float) -> None:
        palette, type_ = paint.palette, paint.typography
        top = y + (HEADER_HEIGHT - type_.small.line_height) / 2 + 1
        left = x + Space.L
        if name := language_name(self._block.language):
            left += paint.text(type_.small, left, top, name[:40], palette.text_faint) + Space.M
        if self._code.source_line_count > FOLD_LINES:
            count = f"{self._code.source_line_count:,} lines"
            paint.text(type_.small, left, top, count, palette.text_faint)
        for control in self._buttons():
            rect = control.rect.translated(x, y)
            hovered = paint.is_hovered(self, control.action)
            if hovered:
                paint.rounded(rect, Radius.SMALL, palette.pressed)
            ink = palette.text if hovered else palette.text_faint
            if control.action == "copy-code" and self._state.is_copied:
                paint_icon(paint.painter, "check", rect, palette.success)
            else:
                if control.action == "wrap" and self._state.is_wrapped:
                    ink = palette.accent if not paint.typography.theme.is_dark else palette.link
                paint_icon(paint.painter, "copy" if control.action == "copy-code" else "wrap", rect, ink)
        paint.painter.fillRect(QRectF(x + 1, y + HEADER_HEIGHT - 1, self.width - 2, 1), color(palette.border))

    def _paint_fold(self, paint: Paint, x: float, y: float) -> None:
        palette, style = paint.palette, paint.typography.label
        top = y + self.height - FOOTER_HEIGHT
        paint.painter.fillRect(QRectF(x + 1, top, self.width - 2, 1), color(palette.border))
        text = self._fold_text()
        hovered = paint.is_hovered(self, "fold")
        ink = palette.text if hovered else palette.text_secondary
        width = style.metrics.horizontalAdvance(text) + 20
        left = x + (self.width - width) / 2
        icon = "chevron-down" if self.is_folded else "chevron-up"
        paint_icon(paint.painter, icon, QRectF(left, top + 1, 14, FOOTER_HEIGHT), ink)
        paint.text(style, left + 20, top + (FOOTER_HEIGHT - style.line_height) / 2 + 0.5, text, ink)

    def _fold_text(self) -> str:
        if not self.is_folded:
            return "Show less"
        lines = self._code.source_line_count
        return f"Show all {lines:,} lines" if lines > FOLD_LINES else "Show all"

    # --- interaction -------------------------------------------------------------------------------------

    def _buttons(self) -> Iterator[Control]:
        if self._context.states.on_paper:
            return
        top = (HEADER_HEIGHT - BUTTON_SIZE) / 2
        right = self.width - Space.S
        name = "Copied" if self._state.is_copied else "Copy code"
        yield Control(QRectF(right - BUTTON_SIZE, top, BUTTON_SIZE, BUTTON_SIZE), "copy-code", name, self)
        left = right - 2 * BUTTON_SIZE - 2
        name = "Do not wrap lines" if self._state.is_wrapped else "Wrap lines"
        yield Control(QRectF(left, top, BUTTON_SIZE, BUTTON_SIZE), "wrap", name, self)

    def controls(self) -> Iterator[Control]:
        yield from self._buttons()
        if self.is_foldable:
            area = QRectF(0, self.height - FOOTER_HEIGHT, self.width, FOOTER_HEIGHT)
            yield Control(area, "fold", self._fold_text(), self)

    def activate(self, action: str) -> bool:
        if action == "wrap":
            self._state.is_wrapped = not self._state.is_wrapped
        elif action == "fold":
            self._state.is_expanded = not self._state.is_expanded
        return action in {"wrap", "fold"}

    def copy_text(self) -> str:
        return self._block.code

    def set_copied(self, *, is_copied: bool) -> None:
        self._state.is_copied = is_copied

    def scrollables(self) -> Iterator[Scrollable]:
        area = QRectF(0, HEADER_HEIGHT, self.width, self.height - HEADER_HEIGHT)
        yield Scrollable(area, self._sideways)

    def runs(self) -> Iterator[PlacedRun]:
        window = self._window()
        left = window.x() - (0 if self._state.is_wrapped else self._sideways.offset)
        yield PlacedRun(self._code, left, window.y())

    def first_baseline(self) -> float:
        return HEADER_HEIGHT / 2 + 5
