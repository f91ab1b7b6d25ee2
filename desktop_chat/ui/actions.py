"""Every command of the window with its keys: the actions, the menus and the overview of shortcuts are made from it."""

from __future__ import annotations

from typing import Final

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


class Command(msgspec.Struct, frozen=True):
    """One command.

    Attributes:
        name: its key in `make_actions`'s result.
        keys: portable key sequences; the first is shown. Qt makes Command of Ctrl on macOS.
        group: heading in the overview of shortcuts.
    """

    name: str
    text: str
    keys: tuple[str, ...]
    group: str


COMMANDS: Final = (
    Command("new", "New conversation", ("Ctrl+N",), "Conversations"),
    Command("search", "Search all conversations", ("Ctrl+K",), "Conversations"),
    Command("next", "Next conversation", ("Ctrl+PgDown",), "Conversations"),
    Command("previous", "Previous conversation", ("Ctrl+PgUp",), "Conversations"),
    Command("rename", "Rename conversation", ("F2",), "Conversations"),
    Command("delete", "Delete conversation", (), "Conversations"),
    Command("configure", "Conversation settings", ("Ctrl+Shift+,",), "Conversations"),
    Command("find", "Find in conversation", ("Ctrl+F",), "This conversation"),
    Command("model", "Choose the model", ("Ctrl+M",), "This conversation"),
    Command("compose", "Write a message", ("Ctrl+L",), "This conversation"),
    Command("copy_answer", "Copy last answer", ("Ctrl+Shift+C",), "This conversation"),
    Command("print", "Print…", ("Ctrl+P",), "This conversation"),
    Command("export_pdf", "Export as PDF…", (), "This conversation"),
    Command("export_markdown", "Export as Markdown…", (), "This conversation"),
    Command("export_html", "Export as HTML…", (), "This conversation"),
    Command("stop", "Stop the answer", ("Esc",), "This conversation"),
    Command("sidebar", "Show or hide the sidebar", ("Ctrl+B",), "Window"),
    Command("zoom_in", "Larger text", ("Ctrl++", "Ctrl+="), "Window"),
    Command("zoom_out", "Smaller text", ("Ctrl+-",), "Window"),
    Command("zoom_reset", "Usual text size", ("Ctrl+0",), "Window"),
    Command("record", "Record answers…", (), "Window"),
    Command("replay", "Replay a recording…", (), "Window"),
    Command("shortcuts", "Keyboard shortcuts", ("Ctrl+?", "Ctrl+/"), "Window"),
    Command("settings", "Settings", ("Ctrl+,",), "Window"),
    Command("quit", "Quit", ("Ctrl+Q",), "Window"),
)

MENU: Final[tuple[str | tuple[str, tuple[str, ...]], ...]] = (
    "find", "copy_answer", "",
    "print", ("Export", ("export_pdf", "export_markdown", "export_html")), "",
    "rename", "configure", "delete", "",
    "zoom_in", "zoom_out", "zoom_reset", "",
    ("Recording", ("record", "replay")), "",
    "shortcuts", "settings", "quit",
)  # fmt: skip
"""The window's menu; an empty name is a separator, a title with names is a menu within."""

_ROLES: Final = {"settings": QAction.MenuRole.PreferencesRole, "quit": QAction.MenuRole.QuitRole}


def make_actions(window: QWidget) -> dict[str, QAction]:
    """The window's actions by name, with their shortcuts in force; nothing is connected yet."""
    made: dict[str, QAction] = {}
    for command in COMMANDS:
        action = QAction(command.text, window)
        action.setShortcuts([QKeySequence(keys) for keys in command.keys])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setMenuRole(_ROLES.get(command.name, QAction.MenuRole.NoRole))
        window.addAction(action)
        made[command.name] = action
    # Escape and F2 belong to whatever has the focus; the window gets them only when nothing else wants them.
    made["stop"].setShortcuts([])
    made["rename"].setShortcutContext(Qt.ShortcutContext.WindowShortcut)
    return made


def keys_text(command: Command) -> str:
    """The command's keys as this platform writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return QKeySequence(command.keys[0]).toString(native) if command.keys else ""
