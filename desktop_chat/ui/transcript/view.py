"""The transcript's widget: shows a model, scrolls it, follows a streamed answer."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal, SignalInstance
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QWidget

from desktop_chat.domain.messages import Message, Role
from desktop_chat.ui.fonts import load_fonts
from desktop_chat.ui.theme import Radius, Space, Theme, theme_for
from desktop_chat.ui.transcript import accessibility, labels
from desktop_chat.ui.transcript.code_colors import TOKENS_A_FRAME, CodeColors
from desktop_chat.ui.transcript.cursor import BreathingCursor
from desktop_chat.ui.transcript.frame_clock import FrameClock
from desktop_chat.ui.transcript.icons import icon
from desktop_chat.ui.transcript.menu import open_menu
from desktop_chat.ui.transcript.message_content import Workshop
from desktop_chat.ui.transcript.message_layout import MessageLayout
from desktop_chat.ui.transcript.message_parts import FooterBox
from desktop_chat.ui.transcript.model import TranscriptModel
from desktop_chat.ui.transcript.painting import paint_stack
from desktop_chat.ui.transcript.pictures import Pictures
from desktop_chat.ui.transcript.places import EntryMarks
from desktop_chat.ui.transcript.pointer import Pointer
from desktop_chat.ui.transcript.reading import Reading
from desktop_chat.ui.transcript.scrolling import StackScrollArea
from desktop_chat.ui.transcript.shown_images import ShownImages
from desktop_chat.ui.transcript.stack import MessageStack
from desktop_chat.ui.transcript.typography import Typography, color


class TranscriptView(StackScrollArea):
    """A virtualised view of one branch of a conversation.

    Signals:
        action_requested: (name, message id) of a pressed action: copy, regenerate, retry, continue, edit,
            previous_version, next_version.
        link_activated: (address, shown text); whoever owns the view asks and opens.
        image_action: (name, address) of what the reader wants of an image: show, hide, copy, save.
        link_hovered: the address under the pointer, "" when it leaves.
        following_changed: whether the view keeps to the end of a growing answer.
        find_result: (number of the current hit from 1, hits in all); (0, 0) for none.
        zoom_requested: +1 or -1, from the wheel.
    """

    action_requested = Signal(str, int)
    link_activated = Signal(str, str)
    image_action = Signal(str, str)
    link_hovered = Signal(str)
    find_result = Signal(int, int)

    def __init__(self, theme: Theme | None = None, parent: QWidget | None = None) -> None:
        theme = theme or theme_for(dark=False)
        super().__init__(theme, parent)
        accessibility.install()
        self.setObjectName("transcript")
        self.setAccessibleName("Conversation")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self._can_continue: Callable[[Message], bool] = lambda _: False
        self._model = TranscriptModel(self)
        self._theme = theme
        load_fonts()
        self.images = ShownImages(self)
        self.images.changed.connect(self._pictures_arrived)
        self._workshop = self._make_workshop()
        self.stack = MessageStack(self._model, self._workshop, self._column_width())
        self.clock = FrameClock(self._flush, self._prepare, self)
        self.cursor_mark = BreathingCursor(self.viewport(), theme)
        self.pointer = Pointer(self)
        self.pointer_left.connect(self.pointer.left)
        self.reading = Reading(self)
        self.set_model(self._model)
        self._apply_theme()

    # --- what it shows -----------------------------------------------------------------------------------

    @property
    def model(self) -> TranscriptModel:
        return self._model

    @property
    def theme(self) -> Theme:
        return self._theme

    @property
    def workshop(self) -> Workshop:
        return self._workshop

    def set_model(self, model: TranscriptModel) -> None:
        """Show another model; the view does not own it."""
        old = self._model
        if old is not model:
            old.on_growth = lambda: None
            for signal, slot in self._connections(old):
                signal.disconnect(slot)
        self._model = model
        for signal, slot in self._connections(model):
            signal.connect(slot, Qt.ConnectionType.UniqueConnection)
        model.on_growth = self.clock.request
        self.stack = MessageStack(model, self._workshop, self._column_width())
        self._was_reset()

    def _connections(self, model: TranscriptModel) -> tuple[tuple[SignalInstance, Callable[..., None]], ...]:
        return (
            (model.was_reset, self._was_reset),
            (model.appended, self._appended),
            (model.changed, self._changed),
            (model.missed, self.reading.copying.missed),
        )

    def set_theme(self, theme: Theme) -> None:
        """Show everything in another theme or text size; what is read stays in place."""
        if theme == self._theme:
            return
        self._theme = theme
        self._workshop = self._make_workshop()
        self.stack.restyle(self._workshop, self._column_width())
        self._apply_theme()
        self.refresh()

    def set_can_continue(self, predicate: Callable[[Message], bool]) -> None:
        """Which messages offer Continue."""
        self._can_continue = predicate
        self._workshop = self._workshop._replace(can_continue=predicate)
        self.stack.workshop = self._workshop

    def _make_workshop(self) -> Workshop:
        type_ = Typography(self._theme)
        pictures = Pictures(type_, self._pictures_arrived, self, self.images)
        colors = CodeColors(type_, TOKENS_A_FRAME)
        return Workshop(type_, pictures.make, colors, pictures.formula, self._can_continue)

    def _pictures_arrived(self) -> None:
        for row, layout in self.stack.laid_out():
            first = layout.forget_formulas()
            if first is not None:
                self.stack.touched(row, first)
        self.refresh()

    def _apply_theme(self) -> None:
        palette = self._theme.palette
        self.cursor_mark.set_theme(self._theme)
        self._marks = EntryMarks(color(palette.selection), color(palette.find), color(palette.find_current))
        self._bar.set_theme(self._theme)
        self._jump.setIcon(icon("arrow-down", palette.text_secondary))
        self._jump.setStyleSheet(
            f"QToolButton {{ background: {palette.raised}; border: 1px solid {palette.border_strong};"
            f" border-radius: 18px; }} QToolButton:hover {{ background: {palette.hover}; }}"
            f" QToolButton:focus {{ border-color: {palette.focus}; }}"
        )
        self.viewport().update()

    # --- changes -----------------------------------------------------------------------------------------

    def _was_reset(self) -> None:
        self.stack.memory.clear()
        self.stack.reset()
        self.reading.clear()
        self.pointer.clear()
        self._anchor = None
        self._set_following(True)
        self.refresh()
        self._keep_up()
        accessibility.was_reset(self)

    def _appended(self) -> None:
        self.stack.append()
        self.pointer.clear()
        accessibility.message_came(self)
        row = len(self.stack) - 2
        if row >= 0:
            self.update_footer(row)
        self._refresh_from(0 if row < 0 else self.stack.message_top(row))
        self._keep_up()

    def _changed(self, ids: list[int]) -> None:
        self.reading.resume()
        dirty: list[int] = []
        visible = self.visible_rows()
        for message_id in ids:
            row = self._model.row_of(message_id)
            known = None if row is None else self.stack.known_layout(row)
            if row is None or (known is None and row not in visible):  # nothing of it is shown
                continue
            message = self._model.message(row)
            was_streaming = known is not None and known.is_streaming
            growth = self._model.last_growth
            if known is not None and growth is not None:
                known.append(growth.tool_calls(), *growth.take())
            touched = self.stack.replace(row, message) if message is not None else None
            if was_streaming and message is not None:
                accessibility.announce_end(self, message)
            dirty.append(self.stack.message_top(row) if touched is None else touched)
        if dirty:
            self._refresh_from(min(dirty))
        self._keep_up()

    def _flush(self) -> None:
        """Show what arrived since the last frame, and go on with what did not fit into it."""
        begun = time.thread_time()
        shown: list[MessageLayout] = []
        dirty = [0] if self.stack.is_parsing else []
        for message_id, growth in self._model.growing.items():
            row = self._model.row_of(message_id)
            layout = None if row is None else self.stack.known_layout(row)
            text, reasoning = growth.take()
            if row is None or layout is None:
                growth.waiting = 0  # nobody looks; a layout takes all there is when it is made
                continue
            layout.keep_open(is_read=not self._is_following)
            layout.append(growth.tool_calls(), text, reasoning)
            first = layout.advance()
            growth.waiting = layout.waiting
            if layout.is_waiting:
                waiting = layout.set_waiting_text(labels.waiting_text(growth.metrics, layout.message.model))
                first = first if waiting is None else min(first, waiting)
            changed_y = self.stack.grown(row, first)
            shown.append(layout)
            if self.stack.stays_settled(row):
                self.repaint_entry(row, first, changed_y)
            else:
                dirty.append(changed_y)
        for row, layout in self.stack.unfinished():
            if layout.is_behind and layout.message.id not in self._model.growing:
                dirty.append(self.stack.touched(row, layout.advance()))
                shown.append(layout)
        if dirty:
            self._refresh_from(min(dirty))
        for layout in shown:
            layout.note_cost(time.thread_time() - begun)
        self._keep_up()

    def _keep_up(self) -> None:
        """Go on in the next frame where more has arrived than one frame can show, and until then prepare that."""
        if self.stack.is_behind:
            self.clock.request_more()

    def _prepare(self) -> bool:
        return self.stack.prepare()

    def _continue_later(self) -> None:
        self.clock.request_next()

    def go_to_message(self, step: int) -> None:
        """Bring the previous or next message to the window's top."""
        if not len(self.stack):
            return
        focused = self.reading.focused_row
        row = self.stack.row_at(self._top + 1) if focused is None else focused + step
        self.go_to_row(max(0, min(row, len(self.stack) - 1)))

    def go_to_row(self, row: int) -> None:
        """Put the keyboard on a message and bring it to the window's top."""
        self.reading.focus(row)
        self.pointer.show_actions_of(row)
        self._set_following(False)
        self.scroll_to_y(self.stack.message_top(row) - Space.S)
        self.viewport().update()
        accessibility.focus_moved(self)

    def _wheel_sideways(self, point: QPointF, pixels: int) -> None:
        self.pointer.scroll_sideways(point, pixels)

    def _wheel_moved(self, point: QPointF) -> None:
        self.pointer.moved(point)

    # --- painting ----------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        try:
            clip = QRectF(event.rect())
            painter.fillRect(clip, color(self._theme.palette.page))
            self.reading.prepare(self._marks)
            paint_stack(
                painter, self.stack, clip, self.column_left, -self._top, self._marks, self.pointer.hovered
            )
            self._paint_focus(painter)
            self.reading.caret.paint(painter)
            self.reading.stops.paint(painter)
            self.cursor_mark.paint(painter, clip)
        finally:
            painter.end()

    def _paint_focus(self, painter: QPainter) -> None:
        """The ring around the message that the keyboard is on."""
        row = self.reading.focused_row
        if row is None or row >= len(self.stack) or not self.hasFocus():
            return
        top = self.stack.message_top(row) - self._top
        area = QRectF(self.column_left, top, self.stack.width, self.stack.heights[row] - Space.M)
        painter.setPen(color(self._theme.palette.focus))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area.adjusted(-11.5, -5.5, 11.5, 5.5), Radius.LARGE, Radius.LARGE)

    def _update_motion(self, painted_from: int) -> None:
        """The cursor breathes, or the dots walk, at the end of what is streaming and visible; what a frame could not
        take of it follows in the next."""
        place = None
        for message_id in self._model.growing:
            row = self._model.row_of(message_id)
            layout = None if row is None else self.stack.known_layout(row)
            if row is None or layout is None:
                continue
            if layout.is_behind:
                self.clock.request()
            end = layout.end_point()
            if end is not None:
                place = end.translated(self.column_left, self.stack.message_top(row) - self._top)
        self.cursor_mark.show_at(place, painted_from)

    def update_footer(self, row: int) -> None:
        """Paint a message's footer again, with its actions shown or not."""
        layout = self.stack.known_layout(row) if row < len(self.stack) else None
        if layout is None:
            return
        index = len(layout.column) - 1
        box = layout.column.entries[index].box
        is_last = row == len(self.stack) - 1 and layout.message.role is not Role.USER
        shows = is_last or row in self.pointer.active_rows
        if isinstance(box, FooterBox):
            box.shows_actions = shows
        top = self.stack.message_top(row) + layout.column.heights.top(index) - self._top
        self.viewport().update(QRect(0, top, self.viewport().width(), layout.column.heights[index] + 1))

    # --- events that others handle -----------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pointer.pressed(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.pointer.double_clicked(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointer.dragged(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.pointer.released(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.reading.key_pressed(event):
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        return self.reading.stops.step(forward=forward) or super().focusNextPrevChild(forward)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()
        if self.reading.focused_row is not None:  # Qt itself tells of the view
            accessibility.focus_moved(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            self.reading.open_menu()
        else:
            open_menu(self, event.pos(), self.pointer.row_at(QPointF(event.pos())))

    # --- finding and taking out --------------------------------------------------------------------------

    def find(self, text: str) -> None:  # type: ignore[override]  # QWidget.find(id) is a static of another kind
        """Highlight all hits of ``text``, whatever their case, and go to the first from here on."""
        self.reading.find(text)

    def find_next(self) -> None:
        self.reading.step(1)

    def find_previous(self) -> None:
        self.reading.step(-1)

    def clear_find(self) -> None:
        self.reading.find("")

    def copy(self) -> None:
        """Copy the selection as Markdown; without one, nothing."""
        self.copy_as("markdown")

    def copy_as(self, kind: str) -> None:
        """Copy the selection as ``markdown``, ``rich`` or ``plain`` text."""
        self.reading.copy_as(kind)

    def select_all(self) -> None:
        self.reading.select_all()
