"""The context menu: what can be done with the selection, the thing under the pointer, and its message."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu

from desktop_chat.ui.transcript.image_menu import add_image_actions
from desktop_chat.ui.transcript.message_parts import ACTION_NAMES
from desktop_chat.ui.transcript.under import copies_at

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView


def open_menu(view: TranscriptView, point: QPoint, row: int | None) -> QMenu:
    """Show the menu at ``point`` of the viewport for the message in ``row``; it goes when it closes."""
    menu = QMenu(view)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    view.pointer.moved(QPointF(point))
    copies = list(copies_at(view, QPointF(point)))
    # The images of the whole message only where there is nothing else, as when the menu comes by keyboard.
    add_image_actions(menu, view, QPointF(point), None if copies else row)
    for name, text in copies:
        menu.addAction(name, partial(_copy, text))
    if copies:
        menu.addSeparator()
    selection = view.reading.selection
    has_selection = selection is not None and not selection.is_empty
    copy = menu.addAction("Copy", view.copy)
    copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
    rich = menu.addAction("Copy as rich text", lambda: view.copy_as("rich"))
    plain = menu.addAction("Copy as plain text", lambda: view.copy_as("plain"))
    for action in (copy, rich, plain):
        action.setEnabled(has_selection)
    select = menu.addAction("Select all", view.select_all)
    select.setShortcut(QKeySequence(QKeySequence.StandardKey.SelectAll))
    layout = None if row is None else view.stack.known_layout(row)
    if layout is not None:
        menu.addSeparator()
        message = layout.message
        names = list(dict.fromkeys((*layout.footer_actions(), *layout.error_actions())))
        if message.sibling_index > 0:
            names.append("previous_version")
        if message.sibling_index + 1 < message.sibling_count:
            names.append("next_version")
        for name in names:
            action = menu.addAction(ACTION_NAMES[name])
            action.triggered.connect(
                lambda _checked=False, name=name: view.action_requested.emit(name, message.id)
            )
    menu.popup(view.viewport().mapToGlobal(point))
    return menu


def _copy(text: Callable[[], str]) -> None:
    QGuiApplication.clipboard().setText(text())
