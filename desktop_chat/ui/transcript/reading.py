"""Selecting, copying, finding and moving by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence

from desktop_chat.ui.transcript.accessibility import caret_moved, focus_moved
from desktop_chat.ui.transcript.caret import Caret
from desktop_chat.ui.transcript.column import Part
from desktop_chat.ui.transcript.copying import Copied, Copying, Form
from desktop_chat.ui.transcript.drag import mime_data
from desktop_chat.ui.transcript.menu import open_menu
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.places import EntryMarks, Place, Selection
from desktop_chat.ui.transcript.search import Search
from desktop_chat.ui.transcript.stops import Stops

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

READING_KEYS: Final = [
    ("Previous or next message", "Alt+↑  Alt+↓"),
    ("Its links and buttons; its menu", "Tab  Enter"),
    ("Select text", "Shift+arrows"),
]
"""For the overview of shortcuts."""

_PRESSING: Final = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}


class Reading:
    """What the reader has selected and looks for."""

    def __init__(self, view: TranscriptView) -> None:
        self._view = view
        self.selection: Selection | None = None
        self.search = Search(view)
        self.copying = Copying(view)
        self.caret = Caret(view)
        self.stops = Stops(view)
        self.focused_row: int | None = None

    def clear(self) -> None:
        self.copying.give_up("another conversation is shown")
        self.selection = None
        self.search.begin("")
        self.stops.clear()
        self.focused_row = None

    def prepare(self, marks: EntryMarks) -> None:
        marks.selection = self.selection
        marks.needle, marks.current = self.search.needle, self.search.current

    def select(self, selection: Selection | None) -> None:
        if selection != self.selection:
            self.copying.give_up("the selection changed before all of it was loaded")
            self.selection = selection
            self._view.viewport().update()

    def select_all(self) -> None:
        last = len(self._view.stack) - 1
        if last >= 0:
            self.caret.is_shown = False
            self.select(Selection(Place(0, Part(-1), 0, 0), Place(last, Part(Section.FOOTER), 0, 0)))
            caret_moved(self._view)

    def take_out(self, form: Form, done: Callable[[Copied], None], *, said: str = "") -> None:
        """Have all of the selection read and handed to ``done``; see `Copying.begin`."""
        if self.selection is not None and not self.selection.is_empty:
            self.copying.begin(self.selection, form, done, said=said)

    def copy_as(self, kind: str) -> None:
        self.take_out(Form(kind), _to_clipboard, said="Copied")

    def resume(self) -> None:
        """Messages were loaded, or changed."""
        self.search.resume()
        self.copying.resume()

    def find(self, text: str) -> None:
        self.search.begin(text)

    def step(self, by: int) -> None:
        self.search.step(by)

    def focus(self, row: int | None) -> None:
        """Put the keyboard on a message, or on none."""
        if row != self.focused_row:
            self.stops.clear()
            self.focused_row = row
            self._view.viewport().update()

    def key_pressed(self, event: QKeyEvent) -> bool:
        view = self._view
        page = view.viewport().height() - 60
        keys = {
            Qt.Key.Key_PageUp: -page, Qt.Key.Key_PageDown: page, Qt.Key.Key_Up: -60, Qt.Key.Key_Down: 60,
        }  # fmt: skip
        if event.matches(QKeySequence.StandardKey.Copy):
            view.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        elif self.caret.key_pressed(event):
            return True
        elif event.key() == Qt.Key.Key_End:
            view.scroll_to_end()
        elif event.key() == Qt.Key.Key_Home:
            view.go_to_start()
        elif event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() in {
            Qt.Key.Key_Up,
            Qt.Key.Key_Down,
        }:
            view.go_to_message(-1 if event.key() == Qt.Key.Key_Up else 1)
        elif event.key() in _PRESSING and self.stops.current is not None:
            self.stops.press()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self.focused_row is not None:
            self.open_menu()
        elif event.key() == Qt.Key.Key_Escape:
            return self._escape()
        elif event.key() in keys:
            view.scroll_by(keys[Qt.Key(event.key())])
        else:
            return False
        return True

    def _escape(self) -> bool:
        """Let go of one thing: the control, or else the selection and the message."""
        if self.stops.current is not None:
            self.stops.clear()
            focus_moved(self._view)
            return True
        if self.focused_row is None and self.selection is None:
            return False
        self.focus(None)
        self.select(None)
        return True

    def open_menu(self) -> None:
        """Show what can be done where the keyboard is."""
        open_menu(self._view, self.menu_point(), self.focused_row)

    def menu_point(self) -> QPoint:
        """Where the keyboard is, in the viewport: a control, the caret, or the focused message's top."""
        view = self._view
        area = self.stops.area()
        if area is None and self.caret.is_shown and self.selection is not None:
            area = self.caret.rect(self.selection.head)
        if area is not None:
            return area.center().toPoint()
        top = 0 if self.focused_row is None else view.stack.message_top(self.focused_row) - view.top
        return QPoint(view.column_left, max(0, top))


def _to_clipboard(copied: Copied) -> None:
    if copied.text:
        QGuiApplication.clipboard().setMimeData(mime_data(copied))
