"""What assistive tools are told of: messages, the keyboard's place, the ends of answers; never a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAccessibleEvent,
    QAccessibleTextCursorEvent,
    QAccessibleTextSelectionEvent,
)

from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.ui.transcript import labels
from desktop_chat.ui.transcript.accessibility.tree import tree_of

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_ANNOUNCED: Final = 600
"""Characters of an answer that are said when it ends; the rest is there to be read."""


def announce_end(view: TranscriptView, message: Message) -> None:
    """Say politely that an answer ended, and how it begins; never while it streams."""
    if (
        message.state is MessageState.STREAMING
        or message.role is not Role.ASSISTANT
        or not QAccessible.isActive()
    ):
        return
    row = view.model.row_of(message.id)
    if message.error is not None:
        layout = None if row is None else view.stack.known_layout(row)
        actions = () if layout is None else layout.error_actions()
        text = f"{message.error.sentence} {labels.advice(message.error, actions)}"
    else:
        tree = tree_of(view)
        read = (
            message.text if tree is None or row is None else tree.message(row).passage().text(0, _ANNOUNCED)
        )
        text = f"{labels.ending(message) or 'Answer complete'}. {read[:_ANNOUNCED]}"
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(view, text))


def was_reset(view: TranscriptView) -> None:
    """Other messages are shown."""
    tree = tree_of(view)
    if tree is not None:
        tree.forget()
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleEvent(view, QAccessible.Event.ObjectReorder))


def message_came(view: TranscriptView) -> None:
    """A message was appended; that an answer is on its way is said politely."""
    if not QAccessible.isActive():
        return
    row, tree = len(view.model) - 1, tree_of(view)
    if tree is not None:
        QAccessible.updateAccessibility(QAccessibleEvent(tree.message(row), QAccessible.Event.ObjectCreated))
    stub = view.model.stub(row)
    if stub.role is Role.ASSISTANT and stub.state is MessageState.STREAMING:
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(view, "Answering"))


def focus_moved(view: TranscriptView) -> None:
    """The keyboard is on another message, link or button."""
    tree = tree_of(view)
    if tree is not None and QAccessible.isActive():
        node = tree.focused_node() or tree
        QAccessible.updateAccessibility(QAccessibleEvent(node, QAccessible.Event.Focus))


def caret_moved(view: TranscriptView) -> None:
    """The caret moved, or what is selected changed."""
    tree, selection = tree_of(view), view.reading.selection
    if tree is None or selection is None or not QAccessible.isActive():
        return
    head = selection.head
    if head.row >= len(view.model):
        return
    message = tree.message(head.row)
    root = message.outline(head.part)
    path = None if root is None else root.path_to(head.run)
    if path is None:
        return
    node = message.node(head.part, path)
    passage = node.passage()
    offset = passage.offset(head) or 0
    chosen = passage.selected(head.row, selection) or (offset, offset)
    selected = QAccessibleTextSelectionEvent(node, *chosen)
    selected.setCursorPosition(offset)
    QAccessible.updateAccessibility(selected)
    QAccessible.updateAccessibility(QAccessibleTextCursorEvent(node, offset))
