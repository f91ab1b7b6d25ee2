"""What the program's dialogs share: the page's colour, one width of margin, Escape closes, never modal to the loop."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.controls import Button, Role
from desktop_chat.ui.theme import Space


class Dialog(QDialog):
    """Attributes:
        content: where the dialog's rows go.

    Opened with ``open()`` or ``show()``; deletes itself when it is closed.
    """

    def __init__(self, appearance: Appearance, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.appearance = appearance
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.content = QVBoxLayout(self)
        self.content.setContentsMargins(Space.XL, Space.XL, Space.XL, Space.L)
        self.content.setSpacing(Space.L)

    def add_buttons(self, *buttons: Button) -> None:
        """The last row: the buttons at its right end."""
        row = QHBoxLayout()
        row.setSpacing(Space.S)
        row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        self.content.addLayout(row)

    def button(self, text: str, role: Role = Role.SECONDARY) -> Button:
        made = Button(self.appearance, text, role=role, side=34)
        made.setAccessibleName(text)
        return made


def scrolled(content: QWidget) -> QScrollArea:
    """``content`` in a frameless area that scrolls when there is too little room."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setWidget(content)
    return area
