"""The mouse: hovering, pressing, selecting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QToolTip

from desktop_chat.markup.blocks import InlineImage
from desktop_chat.ui.transcript.boxes import Control
from desktop_chat.ui.transcript.code_box import CodeBox
from desktop_chat.ui.transcript.math_box import MathBox
from desktop_chat.ui.transcript.places import Place
from desktop_chat.ui.transcript.selecting import MouseSelection
from desktop_chat.ui.transcript.shown_images import Phase, can_be_shown, hint, image_at
from desktop_chat.ui.transcript.table_box import TableBox, TablePart

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
        self._href = self._link_text = self._tip = ""
        self._image: InlineImage | None = None
        self._selecting = MouseSelection(view)

    def clear(self) -> None:
        self.hovered = None
        self._selecting.clear()
        self.active_rows.clear()

    def entry_at(self, point: QPointF) -> tuple[int, int, QPointF] | None:
        """The message and entry under a point of the viewport, and the point within the entry's box."""
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
        found = self.entry_at(point)
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
        view, found = self._view, self.entry_at(point)
        control, href, text, row, image = None, "", "", None, None
        if found is not None:
            row, index, inside = found
            layout = view.stack.known_layout(row)
            box = layout.column.entries[index].box if layout else None
            if box is not None:
                control = next((c for c in box.controls() if c.rect.contains(inside)), None)
                if control is None:
                    for placed in box.runs():
                        at = inside.x() - placed.x, inside.y() - placed.y
                        image = image or image_at(placed.run, *at)
                        link = placed.run.href_at(*at)
                        if link is not None:
                            href, text = link
                            break
        if control != self.hovered:
            self.hovered = control
            view.viewport().update()
        rows = set() if row is None else {row}
        self._show_actions(rows)
        self._image = image
        offered = self._offered_image()
        tip = hint(offered) if offered else href
        if (href, tip) != (self._href, self._tip):
            self._href, self._link_text, self._tip = href, text, tip
            view.link_hovered.emit(offered or href)
            QToolTip.showText(view.viewport().mapToGlobal(point.toPoint()), tip, view.viewport())
        shape = Qt.CursorShape.PointingHandCursor if control or tip else Qt.CursorShape.IBeamCursor
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

    def image_at(self, point: QPointF) -> InlineImage | None:
        """The image under a point of the viewport, shown or not."""
        self.moved(point)
        return self._image

    def _offered_image(self) -> str:
        """The address of the image under the pointer, if a press would show it."""
        address = "" if self._image is None else self._image.url
        phase = self._view.images.image(address).phase
        return address if can_be_shown(address) and phase in {Phase.PLACEHOLDER, Phase.FAILED} else ""

    def row_at(self, point: QPointF) -> int | None:
        found = self.entry_at(point)
        return None if found is None else found[0]

    def left(self) -> None:
        self.moved(QPointF(-1e6, -1e6))

    def pressed(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        self.moved(event.position())
        if self.hovered is not None:
            self._press(event.position(), self.hovered)
            return
        extends = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._selecting.pressed(event.position(), extends=extends)

    def dragged(self, event: QMouseEvent) -> None:
        if self._selecting.is_drawing and event.buttons() & Qt.MouseButton.LeftButton:
            self._selecting.dragged(event.position())
        else:
            self.moved(event.position())

    def released(self, _event: QMouseEvent) -> None:
        if not self._selecting.released():
            return
        if offered := self._offered_image():
            self._view.image_action.emit("show", offered)
        elif self._href:
            self._view.link_activated.emit(self._href, self._link_text)

    def double_clicked(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if self.hovered is not None:
            self._press(event.position(), self.hovered)
        else:
            self._selecting.double_clicked(event.position())

    def scroll_sideways(self, point: QPointF, pixels: int) -> None:
        found = self.entry_at(point)
        if found is None:
            return
        row, index, inside = found
        layout = self._view.stack.known_layout(row)
        box = layout.column.entries[index].box if layout else None
        for area in box.scrollables() if box else ():
            if area.rect.contains(inside) and area.sideways.scroll(pixels):
                self._view.viewport().update()

    def _press(self, point: QPointF, control: Control) -> None:
        found = self.entry_at(point)
        if found is not None:
            self.activate(*found[:2], control)

    def activate(self, row: int, index: int, control: Control) -> None:
        """Do what a control in an entry of a message says."""
        view = self._view
        layout = view.stack.known_layout(row)
        if layout is None:
            return
        if control.action in _MESSAGE_ACTIONS:
            view.action_requested.emit(control.action, layout.message.id)
        elif control.action == "reasoning":
            view.stop_following_unless_at_end()
            view.refresh_from_entry(row, layout.toggle_reasoning())
        elif isinstance(control.target, (CodeBox, TableBox, MathBox)) and control.action.startswith("copy"):
            is_part = isinstance(layout.column.entries[index].spec.source, TablePart)
            text = layout.table_csv(index) if is_part else control.target.copy_text()
            QGuiApplication.clipboard().setText(text)
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
