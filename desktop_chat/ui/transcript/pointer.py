"""The mouse: hovering, pressing, selecting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QToolTip

from desktop_chat.ui.transcript.boxes import Control
from desktop_chat.ui.transcript.code_box import CodeBox
from desktop_chat.ui.transcript.math_box import MathBox
from desktop_chat.ui.transcript.places import Place, Selection
from desktop_chat.ui.transcript.table_box import TableBox
from desktop_chat.ui.transcript.words import word_at

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_MESSAGE_ACTIONS = frozenset(
    {"copy", "regenerate", "retry", "continue", "edit", "previous_version", "next_version"}
)


class Pointer:
    """What is under the mouse, and what a press of it does."""

    def __init__(self, view: TranscriptView) -> None:
        self._view = view
        self.hovered: Control | None = None
        self.active_rows: set[int] = set()
        self._href = self._link_text = ""
        self._origin: Place | None = None
        self._clicks = QElapsedTimer()
        self._last_point = QPointF()
        self._scroller = QTimer(view)
        self._scroller.setInterval(30)
        self._scroller.timeout.connect(self._scroll_along)

    def clear(self) -> None:
        self.hovered, self._origin = None, None
        self.active_rows.clear()

    def _entry(self, point: QPointF) -> tuple[int, int, QPointF] | None:
        view = self._view
        if not len(view.stack):
            return None
        at = view.to_content(point)
        row = view.stack.row_at(at.y())
        layout = view.stack.known_layout(row)
        if layout is None:
            return None
        inside = at.y() - view.stack.message_top(row)
        index = layout.column.heights.row_at(int(inside))
        if layout.column.entries[index].box is None:
            return None
        left, top = layout.box_place(index)
        return row, index, QPointF(at.x() - left, inside - top)

    def place_at(self, point: QPointF) -> Place | None:
        found = self._entry(point)
        if found is None:
            return None
        row, index, inside = found
        layout = self._view.stack.known_layout(row)
        assert layout is not None
        for candidate in (*range(index, -1, -1), *range(index + 1, len(layout.column))):
            entry = layout.column.entries[candidate]
            if entry.box is None:
                continue
            left, top = layout.box_place(candidate)
            origin_left, origin_top = layout.box_place(index)
            near = entry.box.nearest(inside.x() + origin_left - left, inside.y() + origin_top - top)
            if near is not None:
                return Place(row, entry.spec.part, *near)
        return None

    def moved(self, point: QPointF) -> None:
        view, found = self._view, self._entry(point)
        control, href, text, row = None, "", "", None
        if found is not None:
            row, index, inside = found
            layout = view.stack.known_layout(row)
            box = layout.column.entries[index].box if layout else None
            if box is not None:
                control = next((c for c in box.controls() if c.rect.contains(inside)), None)
                if control is None:
                    for placed in box.runs():
                        link = placed.run.href_at(inside.x() - placed.x, inside.y() - placed.y)
                        if link is not None:
                            href, text = link
                            break
        if control != self.hovered:
            self.hovered = control
            view.viewport().update()
        rows = set() if row is None else {row}
        self._show_actions(rows)
        if href != self._href:
            self._href, self._link_text = href, text
            view.link_hovered.emit(href)
            QToolTip.showText(view.viewport().mapToGlobal(point.toPoint()), href, view.viewport())
        shape = Qt.CursorShape.PointingHandCursor if control or href else Qt.CursorShape.IBeamCursor
        view.viewport().setCursor(shape)

    def show_actions_of(self, row: int) -> None:
        """The keyboard is on a message."""
        self._show_actions({row})

    def _show_actions(self, rows: set[int]) -> None:
        if self._view.reading.focused_row is not None:
            rows = rows | {self._view.reading.focused_row}
        if rows != self.active_rows:
            both = rows | self.active_rows
            self.active_rows = rows
            for each in both:
                self._view.update_footer(each)

    def address_at(self, point: QPointF) -> str:
        """The link under a point of the viewport, or ""."""
        self.moved(point)
        return self._href

    def row_at(self, point: QPointF) -> int | None:
        found = self._entry(point)
        return None if found is None else found[0]

    def left(self) -> None:
        self.moved(QPointF(-1e6, -1e6))

    def pressed(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        self.moved(event.position())
        if self.hovered is not None:
            self._activate(event.position(), self.hovered)
            return
        self._origin = self.place_at(event.position())
        interval = QGuiApplication.styleHints().mouseDoubleClickInterval()
        if self._origin is not None and self._clicks.isValid() and not self._clicks.hasExpired(interval):
            self._clicks.invalidate()
            self._select_paragraph(self._origin)
            return
        if self._origin is not None:
            self._view.reading.select(Selection(self._origin, self._origin))

    def dragged(self, event: QMouseEvent) -> None:
        if self._origin is None or not event.buttons() & Qt.MouseButton.LeftButton:
            self.moved(event.position())
            return
        self._last_point = event.position()
        self._draw_to(event.position())
        beyond = not 0 <= event.position().y() <= self._view.viewport().height()
        if beyond and not self._scroller.isActive():
            self._scroller.start()
        elif not beyond:
            self._scroller.stop()

    def _draw_to(self, point: QPointF) -> None:
        head = self.place_at(point)
        if head is not None and self._origin is not None:
            self._view.reading.select(Selection(self._origin, head))

    def _scroll_along(self) -> None:
        """The pointer is held beyond an edge while selecting."""
        y, height = self._last_point.y(), self._view.viewport().height()
        self._view.scroll_by(int(max(-60.0, min(60.0, (y if y < 0 else y - height) / 2))))
        self._draw_to(QPointF(self._last_point.x(), max(0.0, min(y, height - 1.0))))

    def _select_paragraph(self, place: Place) -> None:
        layout = self._view.stack.known_layout(place.row)
        placed = layout.run(place.part, place.run) if layout else None
        if placed is not None:
            whole = place._replace(offset=0), place._replace(offset=placed.run.length)
            self._view.reading.select(Selection(*whole))
        self._origin = None

    def released(self, event: QMouseEvent) -> None:
        selection = self._view.reading.selection
        if self._origin is not None and self._href and (selection is None or selection.is_empty):
            self._view.link_activated.emit(self._href, self._link_text)
        self._origin = None
        self._scroller.stop()

    def double_clicked(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position())
        if place is None or self.hovered is not None:
            return
        layout = self._view.stack.known_layout(place.row)
        placed = layout.run(place.part, place.run) if layout else None
        if placed is None:
            return
        start, end = word_at(placed.run.text, place.offset)
        word = place._replace(offset=start), place._replace(offset=end)
        self._view.reading.select(Selection(*word))
        self._clicks.start()

    def scroll_sideways(self, point: QPointF, pixels: int) -> None:
        found = self._entry(point)
        if found is None:
            return
        row, index, inside = found
        layout = self._view.stack.known_layout(row)
        box = layout.column.entries[index].box if layout else None
        for area in box.scrollables() if box else ():
            if area.rect.contains(inside) and area.sideways.scroll(pixels):
                self._view.viewport().update()

    def _activate(self, point: QPointF, control: Control) -> None:
        view, found = self._view, self._entry(point)
        if found is None:
            return
        row, index, _ = found
        layout = view.stack.known_layout(row)
        if layout is None:
            return
        if control.action in _MESSAGE_ACTIONS:
            view.action_requested.emit(control.action, layout.message.id)
        elif control.action == "reasoning":
            view.stop_following_unless_at_end()
            view.refresh_from_entry(row, layout.toggle_reasoning())
        elif isinstance(control.target, (CodeBox, TableBox, MathBox)) and control.action.startswith("copy"):
            QGuiApplication.clipboard().setText(control.target.copy_text())
            if isinstance(control.target, (CodeBox, TableBox)):
                box = control.target
                box.set_copied(is_copied=True)
                QTimer.singleShot(1500, view, lambda: self._copied_over(box))
            view.viewport().update()
        elif control.target.activate(control.action):
            view.relayout_entry(row, index)

    def _copied_over(self, box: CodeBox | TableBox) -> None:
        box.set_copied(is_copied=False)
        self._view.viewport().update()
