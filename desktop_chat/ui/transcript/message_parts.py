"""The parts of a message around its text: header, reasoning title, tool calls, error, footer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from PySide6.QtCore import QRectF

from desktop_chat.domain.errors import ErrorReport
from desktop_chat.domain.messages import Message, MessageState, Role, ToolCall
from desktop_chat.markup.blocks import CodeBlock, InlineText
from desktop_chat.ui.theme import Radius, Space
from desktop_chat.ui.transcript import labels
from desktop_chat.ui.transcript.boxes import Box, BoxContext, Control, Paint, PlacedRun
from desktop_chat.ui.transcript.code_box import CodeBox
from desktop_chat.ui.transcript.icons import paint_icon
from desktop_chat.ui.transcript.model import SHOWN_ARGUMENTS
from desktop_chat.ui.transcript.stack_box import StackBox
from desktop_chat.ui.transcript.text_run import TextRun
from desktop_chat.ui.transcript.typography import TextStyle, color, elided

BUTTON: Final = 28
ROW: Final = 30

_ACTION_ICONS: Final = {
    "copy": "copy",
    "regenerate": "regenerate",
    "retry": "regenerate",
    "continue": "continue",
    "edit": "edit",
    "previous_version": "chevron-left",
    "next_version": "chevron-right",
}
ACTION_NAMES: Final = {
    "copy": "Copy message",
    "regenerate": "Regenerate",
    "retry": "Try again",
    "continue": "Continue",
    "edit": "Edit and send again",
    "previous_version": "Previous version",
    "next_version": "Next version",
}


class HeaderBox(Box):
    """Who answered, and when."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def lay_out(self, width: int) -> int:
        self.width, self.height = width, 26
        return self.height

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        type_, message = paint.typography, self._message
        name = message.model or {Role.SYSTEM: "System", Role.TOOL: "Tool"}.get(message.role, "Assistant")
        time = labels.clock_time(message.created_at)
        room = self.width - type_.faint.metrics.horizontalAdvance(time) - Space.M
        used = paint.text(type_.label_strong, x, y, elided(type_.label_strong, name, room))
        paint.text(type_.faint, x + used + Space.M, y, time)


class ReasoningHead(Box):
    """The title that folds and unfolds the reasoning."""

    def __init__(self, message: Message, *, is_open: bool, is_thinking: bool) -> None:
        self.is_open = is_open
        self._title = labels.reasoning_title(message, is_thinking=is_thinking)

    def lay_out(self, width: int) -> int:
        self.width, self.height = width, ROW
        return self.height

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        hovered = paint.is_hovered(self, "reasoning")
        ink = paint.palette.text if hovered else paint.palette.text_secondary
        style = paint.typography.label
        top = y + (ROW - style.line_height) / 2
        width = paint.text(style, x, top, self._title, ink)
        icon = "chevron-down" if self.is_open else "chevron-right"
        paint_icon(paint.painter, icon, QRectF(x + width + 5, y + 1, 14, ROW), ink)

    def controls(self) -> Iterator[Control]:
        name = f"{self._title}: {'hide' if self.is_open else 'show'}"
        yield Control(QRectF(-Space.S, 0, 220, ROW), "reasoning", name, self)


class WaitingBox(Box):
    """What stands in the answer's place before its first token; the view's cursor breathes behind it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def lay_out(self, width: int) -> int:
        self.width, self.height = width, ROW
        return self.height

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        style = paint.typography.body
        ink = paint.palette.text_faint
        paint.text(
            style, x, y + (ROW - style.line_height) / 2, elided(style, self.text, self.width - 40), ink
        )

    def end_x(self, style: TextStyle) -> float:
        return min(self.width - 40, style.metrics.horizontalAdvance(self.text)) + Space.S


class ToolBox(StackBox):
    """A call of a tool: its name and arguments on one line, all of it when unfolded."""

    run_count = 0
    padding_top = 38

    def __init__(self, call: ToolCall, context: BoxContext) -> None:
        super().__init__()
        self._call = call
        self._context = context
        self._state = context.state()
        self._fill()

    def _fill(self) -> None:
        arguments = CodeBlock("json", _indented(self._call.arguments))
        self.boxes = [CodeBox(arguments, self._context.inner("arguments"))] if self._state.is_expanded else []

    def lay_out(self, width: int) -> int:
        self.width, self.height = width, self.padding_top
        return super().lay_out(width) if self.boxes else self.height

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        palette, type_ = paint.palette, paint.typography
        card = QRectF(x, y, self.width, self.padding_top - Space.XS)
        fill = palette.code_header if paint.is_hovered(self, "fold") else palette.code_card
        paint.rounded(card, Radius.MEDIUM, fill, palette.border)
        paint_icon(paint.painter, "tool", QRectF(x + Space.M, y, 16, card.height()), palette.text_secondary)
        top = y + (card.height() - type_.label.line_height) / 2
        left = x + Space.M + 24
        left += paint.text(type_.label_strong, left, top, self._call.name or "tool") + Space.S
        room = x + self.width - 36 - left
        line = " ".join(self._call.arguments[:2000].split())
        if room > 40 and not self._state.is_expanded:
            paint.text(type_.faint, left, top, elided(type_.faint, line[:400], room))
        if not self._context.states.on_paper:
            icon = "chevron-up" if self._state.is_expanded else "chevron-down"
            area = QRectF(x + self.width - 32, y, 20, card.height())
            paint_icon(paint.painter, icon, area, palette.text_faint)
        if self.boxes:
            super().paint(paint, x, y, first_run)

    def controls(self) -> Iterator[Control]:
        area = QRectF(0, 0, self.width, self.padding_top - Space.XS)
        yield Control(area, "fold", f"Tool call {self._call.name}", self)
        yield from super().controls()

    def activate(self, action: str) -> bool:
        self._state.is_expanded = not self._state.is_expanded
        self._fill()
        self.invalidate()
        return action == "fold"


def _indented(arguments: str) -> str:
    """JSON text with line breaks; text that is not JSON as it is. Of a very long one only the beginning."""
    if len(arguments) > SHOWN_ARGUMENTS:
        return f"{arguments[:SHOWN_ARGUMENTS]}…\n({len(arguments):,} characters in all)"
    try:
        return msgspec.json.format(arguments.encode(), indent=2).decode()
    except (msgspec.DecodeError, UnicodeError):
        return arguments


class ErrorBox(Box):
    """What went wrong, what to do, and the server's own words, under the text that did arrive."""

    PADDING: Final = Space.L

    def __init__(self, report: ErrorReport, actions: tuple[str, ...], context: BoxContext) -> None:
        type_ = context.typography
        self._actions = actions
        sentence, words = labels.failure(report)
        texts = [
            (sentence, type_.error),
            (labels.advice(report, actions), type_.table),
            (words, type_.code),
        ]
        self._runs = [
            TextRun(InlineText(text.replace("\n", "\u2028")), style, context.pictures)
            for text, style in texts
            if text
        ]
        self._label = type_.label_strong
        self._buttons: list[Control] = []
        self.run_count = len(self._runs)

    def lay_out(self, width: int) -> int:
        self.width = width
        y: int = self.PADDING
        self._tops = []
        for run in self._runs:
            self._tops.append(y)
            y += run.lay_out(width - 2 * self.PADDING) + Space.XS
        self._buttons = []
        if self._actions:
            y += Space.S
            x = float(self.PADDING)
            for action in self._actions:
                name = ACTION_NAMES[action]
                wide = self._label.metrics.horizontalAdvance(name) + 2 * Space.M
                self._buttons.append(Control(QRectF(x, y, wide, 32), action, name, self))
                x += wide + Space.S
            y += 32
        self.height = y + self.PADDING - (0 if self._actions else Space.XS)
        return self.height

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        palette = paint.palette
        paint.rounded(
            QRectF(x, y, self.width, self.height), Radius.MEDIUM, palette.error_surface, palette.error_border
        )
        for index, (run, top) in enumerate(zip(self._runs, self._tops, strict=True)):
            marks = paint.marks.marks(first_run + index, run)
            pill = color(palette.inline_code)
            run.paint(paint.painter, x + self.PADDING, y + top, paint.clip, pill, marks)
        for position, control in enumerate(self._buttons):
            rect = control.rect.translated(x, y)
            hovered = paint.is_hovered(self, control.action)
            if position == 0:
                fill, border, ink = (
                    (palette.accent_hover if hovered else palette.accent),
                    "",
                    palette.on_accent,
                )
            else:
                fill, border, ink = (
                    (palette.hover if hovered else palette.raised),
                    palette.border_strong,
                    palette.text,
                )
            paint.rounded(rect, Radius.MEDIUM, fill, border)
            label_top = rect.y() + (rect.height() - self._label.line_height) / 2
            paint.text(self._label, rect.x() + Space.M, label_top, control.name, ink)

    def controls(self) -> Iterator[Control]:
        yield from self._buttons

    def runs(self) -> Iterator[PlacedRun]:
        for run, top in zip(self._runs, self._tops, strict=True):
            yield PlacedRun(run, self.PADDING, top)


class FooterBox(Box):
    """Figures and ending of an answer, and the actions on a message, which show on hover, focus, and at the end."""

    def __init__(self, message: Message, actions: tuple[str, ...], *, is_right: bool) -> None:
        self._message = message
        self._actions = actions
        self._is_right = is_right
        self.shows_actions = False
        self._version = f"{message.sibling_index + 1}/{message.sibling_count}"
        self._version_width = 0.0

    def lay_out(self, width: int) -> int:
        self.width, self.height = width, ROW + Space.XS
        return self.height

    def _has_versions(self) -> bool:
        return self._message.sibling_count > 1

    def paint(self, paint: Paint, x: float, y: float, first_run: int) -> None:
        type_, palette = paint.typography, paint.palette
        self._version_width = type_.faint.metrics.horizontalAdvance(self._version)
        buttons = list(self.controls())
        shown = self.shows_actions
        top = y + Space.XS + (ROW - type_.small.line_height) / 2
        right = float(self.width)
        if shown and buttons:
            right = min(control.rect.left() for control in buttons) - Space.M
        if not self._is_right:
            self._paint_facts(paint, x, top, right)
        elif shown:
            time = labels.clock_time(self._message.created_at)
            width = type_.small.metrics.horizontalAdvance(time)
            paint.text(type_.small, x + right - width, top, time)
        for control in buttons:
            is_version = control.action.endswith("_version")
            if not shown and not is_version:
                continue
            rect = control.rect.translated(x, y)
            hovered = paint.is_hovered(self, control.action)
            if hovered:
                paint.rounded(rect, Radius.SMALL + 2, palette.hover)
            ink = palette.text if hovered else palette.text_faint
            paint_icon(paint.painter, _ACTION_ICONS[control.action], rect, ink)
            if control.action == "previous_version":
                label_top = y + Space.XS + (ROW - type_.faint.line_height) / 2
                paint.text(type_.faint, rect.right() + 2, label_top, self._version)

    def _paint_facts(self, paint: Paint, x: float, top: float, right: float) -> None:
        type_, message = paint.typography, self._message
        left = 0.0
        end = labels.ending(message)
        if end:
            width = type_.small.metrics.horizontalAdvance(end) + 2 * Space.S
            chip = QRectF(x, top - 3, width, type_.small.line_height + 6)
            paint.rounded(chip, Radius.SMALL, paint.palette.warning_surface)
            paint.text(type_.small, x + Space.S, top, end, paint.palette.warning)
            left = width + Space.M
        if message.metrics is not None and message.state is not MessageState.STREAMING:
            room, advance = right - left, type_.small.metrics.horizontalAdvance
            line = labels.metrics_line(message.metrics, lambda line: advance(line) <= room)
            paint.text(type_.small, x + left, top, line)

    def controls(self) -> Iterator[Control]:
        """From right to left: the version switch, then the actions."""
        actions = list(self._actions)
        right = float(self.width)
        top = Space.XS + (ROW - BUTTON) / 2
        if not self._is_right:
            right += 6  # the icons' own margin, so that the last one stands on the column's edge
        if self._has_versions():
            right -= BUTTON
            message = self._message
            if message.sibling_index + 1 < message.sibling_count:
                yield Control(QRectF(right, top, BUTTON, BUTTON), "next_version", "Next version", self)
            right -= self._version_width + 4 + BUTTON
            yield Control(QRectF(right, top, BUTTON, BUTTON), "previous_version", "Previous version", self)
        for action in reversed(actions):
            right -= BUTTON
            yield Control(QRectF(right, top, BUTTON, BUTTON), action, ACTION_NAMES[action], self)
