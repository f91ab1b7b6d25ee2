"""The conversation as assistive tools see it, and its life beside the view's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from PySide6.QtCore import QObject, QPoint, QRectF
from PySide6.QtGui import QAccessible, QAccessibleInterface, QWindow
from shiboken6 import isValid

from desktop_chat.ui.transcript.accessibility.nodes import MessageNode, Node
from desktop_chat.ui.transcript.boxes import Control
from desktop_chat.ui.transcript.column import Part
from desktop_chat.ui.transcript.outline import Element, Kind

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView


class TranscriptTree(Node):
    """The list of messages. Qt owns it and deletes it with the view; it owns all other elements."""

    def __init__(self, view: TranscriptView) -> None:
        self._view = ref(view)
        super().__init__(self)
        self._messages: dict[int, MessageNode] = {}

    @property
    def is_alive(self) -> bool:
        view = self._view()
        return view is not None and isValid(view)

    @property
    def view(self) -> TranscriptView:
        view = self._view()
        assert view is not None
        return view

    def forget(self) -> None:
        """Take all elements from Qt, which keeps the addresses of those it was told of."""
        messages = list(self._messages.values())
        self._messages.clear()
        for message in messages:
            for node in message.nodes():
                QAccessible.deleteAccessibleInterface(QAccessible.uniqueId(node))

    def message(self, row: int) -> MessageNode:
        message_id = self.view.model.stub(row).id
        found = self._messages.get(message_id)
        if found is None:
            found = self._messages[message_id] = MessageNode(self, message_id)
        return found

    def focused_node(self) -> Node | None:
        """The link, button or message that the keyboard is on."""
        reading = self.view.reading
        row = reading.focused_row
        if row is None or row >= len(self.view.model):
            return None
        message = self.message(row)
        found, here = reading.stops.stop(), reading.stops.current
        if found is None or here is None:
            return message
        stop, part = found[2], here.part
        root = message.outline(part)
        if root is None:
            return message
        if stop.link is not None:
            above = root.path_to(stop.run)
            inside = None if above is None else root.at(above)
            for number, child in enumerate(inside.children if inside is not None else ()):
                if above is not None and child.value == stop.link:
                    return message.node(part, (*above, number))
            return message
        return self._button(message, part, stop.control) or message

    def _button(self, message: MessageNode, part: Part, control: Control | None) -> Node | None:
        """The button that is a control of an entry's box."""
        root = message.outline(part)
        waiting: list[tuple[tuple[int, ...], Element]] = [] if root is None else [((), root)]
        while waiting:
            path, element = waiting.pop()
            if element.kind is Kind.BUTTON and element.control() == control:
                return message.node(part, path)
            for number, child in enumerate(element.children):
                if child.kind not in {Kind.ROW, Kind.HEADER_ROW}:
                    waiting.append(((*path, number), child))
        return None

    # --- for Qt ------------------------------------------------------------------------------------------

    def isValid(self) -> bool:
        return self.is_alive

    def object(self) -> QObject | None:  # type: ignore[override]  # Qt takes none for one
        return self._view() if self.is_alive else None

    def window(self) -> QWindow | None:  # type: ignore[override]  # Qt takes none for one
        return self.view.window().windowHandle() if self.is_alive else None

    def parent(self) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        owner = self.view.parentWidget() if self.is_alive else None
        return QAccessible.queryAccessibleInterface(owner) if owner is not None else None

    def childCount(self) -> int:
        return len(self.view.model) if self.is_alive else 0

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        return self.message(index) if 0 <= index < self.childCount() else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return child.row if isinstance(child, MessageNode) and child.tree is self else -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        if not self.childCount():
            return None
        point = self.view.viewport().mapFromGlobal(QPoint(x, y))
        found = self.message(self.view.stack.row_at(point.y() + self.view.top))
        return found if found.rect().contains(x, y) else None

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        return self.focused_node() if self.is_alive and self.view.hasFocus() else None

    def text(self, kind: QAccessible.Text) -> str:
        return self.view.accessibleName() if kind == QAccessible.Text.Name and self.is_alive else ""

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.List

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        if self.is_alive:
            state.readOnly = state.focusable = True
            state.focused = self.view.hasFocus() and self.view.reading.focused_row is None
        return state

    def area(self) -> QRectF:
        return QRectF(self.view.viewport().rect())


_trees: WeakKeyDictionary[TranscriptView, TranscriptTree] = WeakKeyDictionary()
_installed: list[bool] = []


def tree_of(view: TranscriptView) -> TranscriptTree | None:
    """The tree of a view, if one was ever asked for."""
    return _trees.get(view)


def _make(_key: str, owner: QObject) -> QAccessibleInterface | None:
    from desktop_chat.ui.transcript.view import TranscriptView

    if not isinstance(owner, TranscriptView):
        return None
    made = _trees[owner] = TranscriptTree(owner)
    owner.destroyed.connect(made.forget)
    return made


def install() -> None:
    """Have Qt ask here for the transcript's interface; once for the program."""
    if not _installed:
        _installed.append(True)
        QAccessible.installFactory(_make)
