"""Selecting by mouse: by characters, by words after a double click, by paragraphs after a triple one."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QPointF, QTimer
from PySide6.QtGui import QGuiApplication

from desktop_chat.ui.transcript.accessibility import caret_moved
from desktop_chat.ui.transcript.copying import Copied, Form
from desktop_chat.ui.transcript.drag import drag_out
from desktop_chat.ui.transcript.places import Place, Selection
from desktop_chat.ui.transcript.text_walk import TextWalk
from desktop_chat.ui.transcript.words import word_at

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView


class Grain(enum.Enum):
    """What a drawn selection grows by."""

    CHARACTER = enum.auto()
    WORD = enum.auto()
    PARAGRAPH = enum.auto()


class MouseSelection:
    """A selection while the button is held.

    Attributes:
        is_drawing: the button was pressed on text and is held.
    """

    def __init__(self, view: TranscriptView) -> None:
        self._view = view
        self._grain = Grain.CHARACTER
        self._base: Selection | None = None  # what was clicked, which stays selected
        self._carries = False  # the selection is being read to be dragged out
        self._held: QPointF | None = None  # where a press on the selection waits to become a drag or a click
        self._clicks = QElapsedTimer()
        self._last_point = QPointF()
        self._scroller = QTimer(view)
        self._scroller.setInterval(30)
        self._scroller.timeout.connect(self._scroll_along)

    @property
    def is_drawing(self) -> bool:
        return self._base is not None or self._held is not None

    def clear(self) -> None:
        self._base = self._held = None
        self._carries = False
        self._scroller.stop()

    def pressed(self, point: QPointF, *, extends: bool) -> None:
        """The button went down; with ``extends`` the present selection is drawn to here."""
        view = self._view
        self._held = None
        place = view.pointer.place_at(point)
        self._base = None if place is None else Selection(place, place)
        if place is None:
            return
        interval = QGuiApplication.styleHints().mouseDoubleClickInterval()
        if self._clicks.isValid() and not self._clicks.hasExpired(interval):
            self._clicks.invalidate()
            self._take(place, Grain.PARAGRAPH)
            return
        self._grain = Grain.CHARACTER
        selection = view.reading.selection
        if extends and selection is not None:
            self._base = Selection(selection.anchor, selection.anchor)
            self._draw_to(point)
        elif self._is_selected(point):
            self._held = point
        else:
            self._show(Selection(place, place))

    def double_clicked(self, point: QPointF) -> None:
        place = self._view.pointer.place_at(point)
        self._held = None
        if place is not None:
            self._take(place, Grain.WORD)
            self._clicks.start()

    def _take(self, place: Place, grain: Grain) -> None:
        self._grain = grain
        self._base = self._around(place)
        self._show(self._base)

    def _around(self, place: Place) -> Selection:
        """The word or paragraph at a place."""
        placed = TextWalk(self._view).run(place)
        if placed is None or self._grain is Grain.CHARACTER:
            return Selection(place, place)
        whole = self._grain is Grain.PARAGRAPH
        start, end = (0, placed.run.length) if whole else word_at(placed.run.text, place.offset)
        return Selection(place._replace(offset=start), place._replace(offset=end))

    def dragged(self, point: QPointF) -> None:
        """The pointer moved with the button down."""
        self._last_point = point
        if self._held is not None:
            distance = (point - self._held).manhattanLength()
            if distance >= QGuiApplication.styleHints().startDragDistance():
                self.clear()
                self._carries = True
                self._view.reading.take_out(Form.RICH, self._carry)
            return
        self._draw_to(point)
        beyond = not 0 <= point.y() <= self._view.viewport().height()
        if beyond and not self._scroller.isActive():
            self._scroller.start()
        elif not beyond:
            self._scroller.stop()

    def _carry(self, copied: Copied) -> None:
        """The selection was read; by now the button may have been let go."""
        if self._carries and copied.text:
            self._carries = False
            drag_out(self._view, copied)

    def _draw_to(self, point: QPointF) -> None:
        place = self._view.pointer.place_at(point)
        if place is None or self._base is None:
            return
        base, there = self._base, self._around(place)
        if there.start < base.start:
            self._show(Selection(base.end, there.start))
        else:
            self._show(Selection(base.start, max(base.end, there.end)))

    def _show(self, selection: Selection) -> None:
        self._view.reading.caret.is_shown = False
        self._view.reading.select(selection)

    def _scroll_along(self) -> None:
        """The pointer is held beyond an edge while selecting."""
        y, height = self._last_point.y(), self._view.viewport().height()
        self._view.scroll_by(int(max(-60.0, min(60.0, (y if y < 0 else y - height) / 2))))
        self._draw_to(QPointF(self._last_point.x(), max(0.0, min(y, height - 1.0))))

    def released(self) -> bool:
        """The button went up; returns whether it was a click that selected nothing."""
        if self._carries:  # before all of it was there
            self._view.reading.copying.stop()
        was_drawing = self.is_drawing
        if self._held is not None and self._base is not None:
            self._show(self._base)
        self.clear()
        if was_drawing:
            caret_moved(self._view)
        selection = self._view.reading.selection
        return was_drawing and (selection is None or selection.is_empty)

    def _is_selected(self, point: QPointF) -> bool:
        """Whether the selection is painted under a point."""
        view, selection = self._view, self._view.reading.selection
        place = view.pointer.place_at(point)
        if selection is None or selection.is_empty or place is None:
            return False
        layout = view.stack.known_layout(place.row)
        placed = layout.run(place.part, place.run) if layout else None
        if placed is None:
            return False
        part = selection.within(place.row, place.part, place.run, placed.run.length)
        at = view.to_content(point)
        x, y = at.x() - placed.x, at.y() - view.stack.message_top(place.row) - placed.y
        return part is not None and any(rect.contains(x, y) for rect in placed.run.rects(*part))
