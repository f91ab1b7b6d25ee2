"""A scroll area whose content is a `MessageStack`: moves a window over guessed heights without a jump, and follows a
growing end until the reader scrolls up."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolButton, QWidget

from desktop_chat.ui.theme import Space, Theme
from desktop_chat.ui.transcript.cursor import BreathingCursor
from desktop_chat.ui.transcript.message_content import Workshop
from desktop_chat.ui.transcript.model import TranscriptModel
from desktop_chat.ui.transcript.scroll_bar import TranscriptScrollBar
from desktop_chat.ui.transcript.stack import Anchor, MessageStack

WHEEL_STEP: Final = 84
"""Pixels a notch of the wheel."""

_OVERHANG: Final = 2
"""Pixels that what is painted in a line may reach out of it."""

_KEPT_AT_TOP: Final = 2
"""Pixels from the end within which scrolling down takes up following again."""


class _Viewport(QWidget):
    """Tells when the pointer leaves it; to ask each of its events for that would cost more than many a frame."""

    left = Signal()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.left.emit()


class StackScrollArea(QAbstractScrollArea):
    """The window over a stack of messages.

    Attributes:
        stack: the messages; made by the subclass, which also makes the workshop and the cursor's mark.

    Signals:
        following_changed: whether the view keeps to the end of a growing answer.
        zoom_requested: +1 or -1, from the wheel.
        pointer_left: nothing is under the pointer any more.
    """

    following_changed = Signal(bool)
    pointer_left = Signal()
    zoom_requested = Signal(int)

    stack: MessageStack
    cursor_mark: BreathingCursor
    _workshop: Workshop
    _model: TranscriptModel

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._bar = TranscriptScrollBar(theme, self)
        self.setVerticalScrollBar(self._bar)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        viewport = _Viewport()
        viewport.left.connect(self.pointer_left)
        self.setViewport(viewport)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._top = 0
        self._anchor: Anchor | None = None
        self._is_following = True
        self._jump = self._make_jump_button()
        self._covered = 0
        self._bar.valueChanged.connect(self._bar_moved)
        self._bar.setSingleStep(WHEEL_STEP // 3)

    @property
    def is_ready(self) -> bool:
        """Whether the subclass has made the stack; Qt resizes a widget before."""
        return hasattr(self, "stack")

    def _continue_later(self) -> None:
        """Something that shows takes several frames: have `refresh` called in the next one."""

    def _wheel_sideways(self, _point: QPointF, _pixels: int) -> None:
        """The wheel went sideways over a point of the viewport."""

    def _wheel_moved(self, _point: QPointF) -> None:
        """Something else is under the pointer now."""

    def _update_motion(self, painted_from: int) -> None:
        """The end of a growing text may stand elsewhere; from ``painted_from`` of the viewport on all is painted."""

    # --- geometry ----------------------------------------------------------------------------------------

    def _column_width(self) -> int:
        """With the margins of what stands above and below, so that the edges line up."""
        return max(120, min(self.viewport().width() - 2 * Space.L, self._workshop.typography.column_width))

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
        # Guesses above the window may have turned exact: `dirty_y` is where it was before, as is what is watched.
        self._picture_moved(moved, 0 if watched is None else dirty_y - before + moved)
        if self.stack.is_parsing:
            self._continue_later()

    def repaint_entry(self, row: int, index: int, dirty_y: int) -> None:
        """An entry looks different from ``dirty_y`` of the content on, and everything stands where it stood."""
        layout = self.stack.known_layout(row)
        if layout is None:
            return
        viewport = self.viewport()
        top = max(0, dirty_y - self._top)
        end = self.stack.message_top(row) + layout.column.heights.top(index + 1) - self._top
        self.cursor_mark.hide_mark(top)
        viewport.update(0, top, viewport.width(), max(0, end - top + _OVERHANG))
        self._update_motion(top)

    def _picture_moved(self, moved: int, dirty: int) -> None:
        """Shift the pixels that stay and have the others painted; ``dirty`` is a y of the viewport."""
        viewport = self.viewport()
        height = viewport.height()
        self.cursor_mark.hide_mark(dirty - moved)
        if moved and abs(moved) < height and self.devicePixelRatioF().is_integer():
            viewport.scroll(0, moved)
        elif moved:
            viewport.update()
        if dirty < height:
            viewport.update(0, max(0, dirty), viewport.width(), height)
        self._update_motion(dirty)

    def _place_window(self, top: int) -> None:
        self._top = top
        self._anchor = self.stack.anchor_at(top)
        if self.stack.is_crowded:
            self.stack.trim(self.visible_rows())
        self._bar.set_window(top, self.viewport().height(), self.stack.height)

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
        if self.stack.is_parsing:
            self._continue_later()

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
        if abs(value - self._top) <= 2 * self.viewport().height():
            self.scroll_by(value - self._top)
            return
        self._set_following(value >= self._bar.maximum())
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
            self._wheel_sideways(event.position(), -pixels.x())
        else:
            self.scroll_by(-pixels.y())
            self._wheel_moved(event.position())
        event.accept()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        if not self.is_ready:
            return
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

    def keep_clear(self, pixels: int) -> None:
        """Something lies over so much of the lower end: the way back to the end stands above it."""
        self._covered = pixels
        self._place_jump()

    def _place_jump(self) -> None:
        area = self.viewport().geometry()
        size = self._jump.size()
        top = area.bottom() - self._covered - size.height() - Space.M
        self._jump.move(area.center().x() - size.width() // 2, top)
        far = self.stack.height - self.viewport().height() - self._top > Space.XXL
        self._jump.setVisible(not self._is_following and far)
