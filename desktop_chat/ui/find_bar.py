"""The bar that finds text in the shown conversation."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.controls import Button, Card, label, named
from desktop_chat.ui.theme import Space


class FindBar(Card):
    """Signals:
    changed(text): find this; empty finds nothing.
    next_requested / previous_requested: go to another match.
    closed: the search is over.
    """

    changed = Signal(str)
    next_requested = Signal()
    previous_requested = Signal()
    closed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(appearance, outline="border_strong", parent=parent)
        self.setObjectName("findBar")
        self.field = QLineEdit()
        self.field.setPlaceholderText("Find in this conversation")
        self.field.setMinimumWidth(120)
        named(self.field, "findField", "Find in this conversation")
        self._count = label("", "faint")
        self._count.setMinimumWidth(56)
        self._count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        previous = Button(appearance, icon_name="caret-up", side=28, icon_size=15)
        named(previous, "findPreviousButton", "Previous match", shortcut=QKeySequence("Shift+Return"))
        following = Button(appearance, icon_name="caret-down", side=28, icon_size=15)
        named(following, "findNextButton", "Next match", shortcut=QKeySequence("Return"))
        close = Button(appearance, icon_name="x", side=28, icon_size=15)
        named(close, "closeFindButton", "Close", shortcut=QKeySequence("Esc"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.S, Space.XS + 2, Space.S, Space.XS + 2)
        layout.setSpacing(Space.XS)
        layout.addWidget(self.field, 1)
        for widget in (self._count, previous, following, close):
            layout.addWidget(widget)
        self.field.textChanged.connect(self.changed)
        previous.clicked.connect(self.previous_requested)
        following.clicked.connect(self.next_requested)
        close.clicked.connect(self.finish)
        self.hide()

    def begin(self) -> None:
        """Show the bar, or go back to its field."""
        self.setVisible(True)
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()
        if self.field.text():
            self.changed.emit(self.field.text())

    def finish(self) -> None:
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def show_result(self, current: int, count: int) -> None:
        """``current`` counts from 1; 0 of 0 means no match."""
        text = f"{current} of {count}" if count else ("No match" if self.field.text() else "")
        self._count.setText(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            (self.previous_requested if back else self.next_requested).emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.finish()
        else:
            super().keyPressEvent(event)
