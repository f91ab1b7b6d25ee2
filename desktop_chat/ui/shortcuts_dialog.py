"""The overview of all keyboard shortcuts."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop_chat.ui.actions import COMMANDS, keys_text
from desktop_chat.ui.appearance import Appearance
from desktop_chat.ui.controls import Role, label
from desktop_chat.ui.dialog import Dialog
from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.reading import READING_KEYS


class ShortcutsDialog(Dialog):
    """Made from the table of commands, so that it cannot be out of date, and the keys of the transcript."""

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(appearance, "Keyboard shortcuts", parent)
        self.setObjectName("shortcutsDialog")
        self.content.addWidget(label("Keyboard shortcuts", "title"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(Space.XXL)
        grid.setVerticalSpacing(Space.XS + 2)
        row = 0
        groups = [
            (group, [(command.text, keys_text(command)) for command in commands if command.keys])
            for group, commands in groupby(COMMANDS, lambda command: command.group)
        ]
        for group, entries in (*groups, ("Reading", READING_KEYS)):
            heading = label(group, "faint")
            heading.setContentsMargins(0, Space.S if row else 0, 0, 0)
            grid.addWidget(heading, row, 0)
            row += 1
            for text, keys in entries:
                grid.addWidget(label(text), row, 0)
                grid.addWidget(label(keys, "secondary"), row, 1, Qt.AlignmentFlag.AlignRight)
                row += 1
        self.content.addLayout(grid)
        close = self.button("Close", Role.PRIMARY)
        close.clicked.connect(self.accept)
        self.add_buttons(close)
        self.setMinimumWidth(400)
