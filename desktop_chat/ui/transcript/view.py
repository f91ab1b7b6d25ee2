"""The transcript's widget: shows a model, scrolls it, follows a streamed answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolButton, QWidget

from desktop_chat.domain.messages import Message, Role
from desktop_chat.ui.fonts import load_fonts
from desktop_chat.ui.theme import Radius, Space, Theme, theme_for
from desktop_chat.ui.transcript import accessibility, labels
from desktop_chat.ui.transcript.code_colors import CodeColors
from desktop_chat.ui.transcript.cursor import BreathingCursor
from desktop_chat.ui.transcript.frame_clock import FrameClock
from desktop_chat.ui.transcript.icons import icon
from desktop_chat.ui.transcript.menu import open_menu
from desktop_chat.ui.transcript.message_layout import Workshop
from desktop_chat.ui.transcript.message_parts import FooterBox
from desktop_chat.ui.transcript.model import TranscriptModel
from desktop_chat.ui.transcript.painting import paint_stack
from desktop_chat.ui.transcript.pictures import Pictures
from desktop_chat.ui.transcript.places import EntryMarks
from desktop_chat.ui.transcript.pointer import Pointer
from desktop_chat.ui.transcript.printing import PRINT_THEME, write_pdf
from desktop_chat.ui.transcript.reading import Reading
from desktop_chat.ui.transcript.stack import Anchor, MessageStack
from desktop_chat.ui.transcript.typography import Typography, color

WHEEL_STEP: Final = 84
"""Pixels a notch of the wheel."""

_KEPT_AT_TOP: Final = 2
"""Pixels from the end within which scrolling down takes up following again."""


class TranscriptView(QAbstractScrollArea):
    """A virtualised view of one branch of a conversation.

    Signals:
        action_requested: (name, message id) of a pressed action: copy, regenerate, retry, continue, edit,
            previous_version, next_version.
        link_activated: (address, shown text); whoever owns the view asks and opens.
        link_hovered: the address under the pointer, "" when it leaves.
        following_changed: whether the view keeps to the end of a growing answer.
        find_result: (number of the current hit from 1, hits in all); (0, 0) for none.
        zoom_requested: +1 or -1, from the wheel.
    """

    action_requested = Signal(str, int)
    link_activated = Signal(str, str)
    link_hovered = Signal(str)
    following_changed = Signal(bool)
    find_result = Signal(int, int)
    zoom_requested = Signal(int)

    def __init__(self, theme: Theme | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        accessibility.install()
        self.setObjectName("transcript")
        self.setAccessibleName("Conversation")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.viewport().setMouseTracking(True)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self._can_continue: Callable[[Message], bool] = lambda _: False
        self._model = TranscriptModel(self)
        self._top = 0
        self._anchor: Anchor | None = None
        self._is_following = True
        self._moves_bar = False
        self._theme = theme = theme or theme_for(dark=False)
        load_fonts()
        self._workshop = self._make_workshop()
        self.stack = MessageStack(self._model, self._workshop, self._column_width())
        self.clock = FrameClock(self._flush, self)
        self.cursor_mark = BreathingCursor(self.viewport(), theme)
        self.pointer = Pointer(self)
        self.reading = Reading(self)
        self._jump = self._make_jump_button()
        self.verticalScrollBar().valueChanged.connect(self._bar_moved)
        self.verticalScrollBar().setSingleStep(WHEEL_STEP // 3)
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
        pictures = Pictures(type_, self._pictures_arrived, self)
        return Workshop(type_, pictures.make, CodeColors(type_), pictures.formula, self._can_continue)

    def export_pdf(self, path: str, title: str = "") -> None:
        """Write the messages at hand as PDF, on white whatever the theme. Raises OSError."""
        type_ = Typography(PRINT_THEME)
        pictures = Pictures(type_, lambda: None, self)
        workshop = Workshop(type_, pictures.make, CodeColors(type_), pictures.formula, lambda _: False)
        write_pdf(self._model, workshop, path, title)

    def _pictures_arrived(self) -> None:
        for row, layout in self.stack.laid_out():
            first = layout.forget_formulas()
            if first is not None:
                self.stack.touched(row, first)
        self.refresh()

    def _apply_theme(self) -> None:
        palette = self._theme.palette
        self.cursor_mark.set_theme(self._theme)
        self._jump.setIcon(icon("arrow-down", palette.text_secondary))
        self._jump.setStyleSheet(
            f"QToolButton {{ background: {palette.raised}; border: 1px solid {palette.border_strong};"
            f" border-radius: 18px; }} QToolButton:hover {{ background: {palette.hover}; }}"
            f" QToolButton:focus {{ border-color: {palette.focus}; }}"
        )
        self.viewport().update()

    # --- geometry ----------------------------------------------------------------------------------------

    def _column_width(self) -> int:
        margin = Space.XL if self.viewport().width() > 640 else Space.L
        return max(120, min(self.viewport().width() - 2 * margin, self._workshop.typography.column_width))

    @property
    def column_left(self) -> int:
        return (self.viewport().width() - self.stack.width) // 2

    @property
    def top(self) -> int:
        """The content's y at the viewport's upper edge."""
        return self._top

    def to_content(self, point: QPointF) -> QPointF:
        """A point of the viewport in the content, whose x counts from the column's left edge."""
        return QPointF(point.x() - self.column_left, point.y() + self._top)

    def visible_rows(self) -> range:
        return self.stack.visible_rows(self._top, self._top + self.viewport().height())

    # --- changes -----------------------------------------------------------------------------------------

    def _was_reset(self) -> None:
        self.stack.memory.clear()
        self.stack.reset()
        self.reading.clear()
        self.pointer.clear()
        self._anchor = None
        self._set_following(True)
        self.refresh()
        self._update_motion()

    def _appended(self) -> None:
        self.stack.append()
        self.pointer.clear()
        row = len(self.stack) - 2
        if row >= 0:
            self.update_footer(row)
        self._refresh_from(0 if row < 0 else self.stack.message_top(row))
        self._update_motion()

    def _changed(self, ids: list[int]) -> None:
        self.reading.search.resume()
        dirty: int | None = None
        for message_id in ids:
            row = self._model.row_of(message_id)
            if row is None:
                continue
            message = self._model.message(row)
            known = self.stack.known_layout(row)
            was_streaming = known is not None and known.is_streaming
            touched = self.stack.replace(row, message) if message is not None else None
            if was_streaming and message is not None:
                accessibility.announce_end(self, message)
            if touched is None:
                touched = self.stack.message_top(row)
            dirty = touched if dirty is None else min(dirty, touched)
        if dirty is not None:
            self._refresh_from(dirty)
        self._update_motion()

    def _flush(self) -> None:
        """Show what arrived since the last frame."""
        dirty: int | None = None
        behind = False
        for message_id, growth in self._model.growing.items():
            row = self._model.row_of(message_id)
            layout = None if row is None else self.stack.known_layout(row)
            if row is None or layout is None:
                continue
            text, reasoning = "".join(growth.pending_text), "".join(growth.pending_reasoning)
            growth.pending_text.clear()
            growth.pending_reasoning.clear()
            message = layout.message
            tools = growth.tool_calls()
            layout.append(message if tools == message.tool_calls else growth.joined(message), text, reasoning)
            first = layout.advance()
            behind = behind or layout.is_behind
            if layout.is_waiting:
                waiting = layout.set_waiting_text(labels.waiting_text(growth.metrics, message.model))
                first = first if waiting is None else min(first, waiting)
            y = self.stack.touched(row, first)
            dirty = y if dirty is None else min(dirty, y)
        if dirty is not None:
            self._refresh_from(dirty)
        if behind:
            self.clock.request()
        self._update_motion()

    def refresh(self) -> None:
        """Lay out and paint the window again; what is read stays in place."""
        self._refresh_from(0)

    def relayout_entry(self, row: int, index: int) -> None:
        """An entry changed its height by the reader's doing."""
        layout = self.stack.known_layout(row)
        if layout is None:
            return
        self.stop_following_unless_at_end()
        layout.invalidate(index)
        self._refresh_from(self.stack.touched(row, index))

    def refresh_from_entry(self, row: int, index: int) -> None:
        """Entries of a message from ``index`` on look different."""
        self._refresh_from(self.stack.touched(row, index))

    def _refresh_from(self, dirty_y: int) -> None:
        """Settle the window; what stands above ``dirty_y`` of the content looks as it did, at another place
        perhaps."""
        height = self.viewport().height()
        before = self._top
        marker = None if self._is_following else self._anchor
        # While following, what stands at the window's top tells how far the picture moves.
        watched = self._anchor
        watched_y = self.stack.y_of(watched) - before if watched is not None else 0
        top = self.stack.settle(marker, height)
        moved = 0 if watched is None else self.stack.y_of(watched) - top - watched_y
        self._place_window(top)
        self._picture_moved(moved, dirty_y - top)

    def _picture_moved(self, moved: int, dirty: int) -> None:
        """Shift the pixels that stay and have the others painted; ``dirty`` is a y of the viewport."""
        area = self.viewport().rect()
        self.cursor_mark.hide_mark()
        if moved and abs(moved) < area.height() and self.devicePixelRatioF().is_integer():
            self.viewport().scroll(0, moved)
        elif moved:
            self.viewport().update()
        if dirty < area.height():
            self.viewport().update(QRect(0, max(0, dirty), area.width(), area.height()))

    def _place_window(self, top: int) -> None:
        self._top = top
        self._anchor = self.stack.anchor_at(top)
        self.stack.trim(self.visible_rows())
        bar = self.verticalScrollBar()
        height = self.viewport().height()
        self._moves_bar = True
        try:
            bar.setPageStep(height)
            bar.setRange(0, max(0, self.stack.height - height))
            bar.setValue(top)
        finally:
            self._moves_bar = False

    # --- scrolling ---------------------------------------------------------------------------------------

    @property
    def is_following(self) -> bool:
        """Whether the view keeps to the end of a growing answer."""
        return self._is_following

    def _set_following(self, is_following: bool) -> None:
        if is_following != self._is_following:
            self._is_following = is_following
            self.following_changed.emit(is_following)
        self._place_jump()

    def stop_following_unless_at_end(self) -> None:
        """The reader changes something in the text: it must stay under the pointer."""
        if self._is_following:
            self._set_following(False)

    def is_at_end(self) -> bool:
        return self._top >= self.stack.height - self.viewport().height() - _KEPT_AT_TOP

    def scroll_to_end(self) -> None:
        """Go to the end and keep to it."""
        self._set_following(True)
        self.refresh()
        self._place_jump()

    def scroll_by(self, pixels: int) -> None:
        """Move the window; upwards lets go of the end at once."""
        if not pixels or not len(self.stack):
            return
        if pixels < 0 and self._top > 0:
            self._set_following(False)
        anchor = self._anchor
        if anchor is not None:
            self.scroll_to(anchor._replace(offset=anchor.offset + pixels))
        if pixels > 0 and self.is_at_end():
            self._set_following(True)

    def scroll_to(self, anchor: Anchor) -> None:
        """Bring ``anchor`` to the window's top, as far as the content goes."""
        before = self._top
        watched = self._anchor
        watched_y = 0 if watched is None else self.stack.y_of(watched) - before
        top = self.stack.settle(anchor, self.viewport().height())
        moved = self.viewport().height() if watched is None else self.stack.y_of(watched) - top - watched_y
        self._place_window(top)
        self._picture_moved(moved, self.viewport().height())
        self._place_jump()

    def scroll_to_y(self, y: int) -> None:
        """Bring the content's ``y`` to the window's top; beyond what is laid out it is a guess."""
        anchor = self.stack.anchor_at(max(0, y))
        if anchor is not None:
            self.scroll_to(anchor)

    def scroll_to_message(self, message_id: int) -> None:
        """Bring a message to the window's top; does nothing for one of another branch."""
        row = self._model.row_of(message_id)
        if row is not None:
            self._set_following(False)
            self.scroll_to_y(self.stack.message_top(row))

    def go_to_start(self) -> None:
        self._set_following(False)
        self.scroll_to_y(0)

    def go_to_message(self, step: int) -> None:
        """Bring the previous or next message to the window's top."""
        if not len(self.stack):
            return
        focused = self.reading.focused_row
        row = self.stack.row_at(self._top + 1) if focused is None else focused + step
        row = max(0, min(row, len(self.stack) - 1))
        self.reading.focused_row = row
        self.pointer.show_actions_of(row)
        self._set_following(False)
        self.scroll_to_y(self.stack.message_top(row) - Space.S)
        self.viewport().update()

    def reveal(self, area: QRectF, margin: int = 48) -> None:
        """Bring an area of the content into the window, if it is not there."""
        height = self.viewport().height()
        if area.top() < self._top + margin:
            self._set_following(False)
            self.scroll_to_y(int(area.top()) - height // 4)
        elif area.bottom() > self._top + height - margin:
            self._set_following(False)
            self.scroll_to_y(int(area.bottom()) - height * 3 // 4)

    def _bar_moved(self, value: int) -> None:
        if self._moves_bar:
            return
        if abs(value - self._top) <= 2 * self.viewport().height():
            self.scroll_by(value - self._top)
            return
        self._set_following(value >= self.verticalScrollBar().maximum())
        if self._is_following:
            self.refresh()
        else:
            self.scroll_to_y(value)

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        """The window is moved by `scroll_to`, not by the bar's steps."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if event.angleDelta().y():
                self.zoom_requested.emit(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
            return
        pixels = event.pixelDelta()
        if pixels.isNull():
            pixels = QPoint(*(round(d / 120 * WHEEL_STEP) for d in event.angleDelta().toTuple()))
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not pixels.x():
            pixels = QPoint(pixels.y(), 0)
        if abs(pixels.x()) > abs(pixels.y()):
            self.pointer.scroll_sideways(event.position(), -pixels.x())
        else:
            self.scroll_by(-pixels.y())
            self.pointer.moved(event.position())
        event.accept()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        width = self._column_width()
        if width != self.stack.width:
            self.stack.restyle(self._workshop, width)
        self._place_jump()
        self.refresh()
        self.viewport().update()

    def sizeHint(self) -> QSize:
        return QSize(860, 640)

    # --- the way back to the end -------------------------------------------------------------------------

    def _make_jump_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("jumpToLatestButton")
        button.setAccessibleName("Jump to the latest")
        button.setToolTip("Jump to the latest (End)")
        button.setFixedSize(36, 36)
        button.setIconSize(QSize(18, 18))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(self.scroll_to_end)
        button.hide()
        return button

    def _place_jump(self) -> None:
        if not hasattr(self, "_jump"):
            return
        area = self.viewport().geometry()
        size = self._jump.size()
        self._jump.move(area.center().x() - size.width() // 2, area.bottom() - size.height() - Space.M)
        far = self.stack.height - self.viewport().height() - self._top > Space.XXL
        self._jump.setVisible(not self._is_following and far)

    # --- painting ----------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        try:
            clip = QRectF(event.rect())
            palette = self._theme.palette
            painter.fillRect(clip, color(palette.page))
            marks = EntryMarks(color(palette.selection), color(palette.find), color(palette.find_current))
            self.reading.prepare(marks)
            paint_stack(painter, self.stack, clip, self.column_left, -self._top, marks, self.pointer.hovered)
            self._paint_focus(painter)
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

    def _update_motion(self) -> None:
        """The cursor breathes, or the dots walk, at the end of what is streaming and visible."""
        place = None
        for message_id in self._model.growing:
            row = self._model.row_of(message_id)
            layout = None if row is None else self.stack.known_layout(row)
            if row is None or layout is None:
                continue
            end = layout.end_point()
            if end is not None:
                place = end.translated(self.column_left, self.stack.message_top(row) - self._top)
        self.cursor_mark.show_at(place)

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

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.pointer.left()
        elif isinstance(event, QContextMenuEvent):
            is_key = event.reason() is QContextMenuEvent.Reason.Keyboard
            point = event.pos()
            row = self.reading.focused_row if is_key else self.pointer.row_at(QPointF(point))
            if is_key and row is not None:
                point = QPoint(self.column_left, max(0, self.stack.message_top(row) - self._top))
            open_menu(self, point, row)
            return True
        return super().viewportEvent(event)

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
