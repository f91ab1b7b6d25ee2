"""The transcript for assistive tools: messages, and in them headings, paragraphs, lists, tables, code, each with its
text. Only what is laid out has children; a message far away is one element with its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint, QRect
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAccessibleInterface,
    QAccessibleTextInterface,
    QColor,
    QWindow,
)

from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.markup.blocks import (
    CodeBlock,
    Heading,
    ListBlock,
    MathBlock,
    Paragraph,
    Quote,
    RawText,
    Table,
)
from desktop_chat.ui.transcript import labels
from desktop_chat.ui.transcript.column import Part
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.message_layout import MessageLayout

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_ROLES: dict[type, tuple[QAccessible.Role, str]] = {
    Heading: (QAccessible.Role.Heading, "heading"),
    Paragraph: (QAccessible.Role.Paragraph, ""),
    RawText: (QAccessible.Role.Paragraph, ""),
    ListBlock: (QAccessible.Role.List, "list"),
    Quote: (QAccessible.Role.Section, "quotation"),
    Table: (QAccessible.Role.Table, "table"),
    CodeBlock: (QAccessible.Role.Section, "code"),
    MathBlock: (QAccessible.Role.Equation, "formula"),
}


class _Text(QAccessibleTextInterface):
    """A text that is read and not edited."""

    def __init__(self, text: Callable[[], str]) -> None:
        super().__init__()
        self._text = text

    def text(self, start: int, end: int) -> str:
        return self._text()[start:end]

    def characterCount(self) -> int:
        return len(self._text())

    def cursorPosition(self) -> int:
        return 0

    def setCursorPosition(self, _position: int) -> None:
        """There is no caret to move."""

    def selectionCount(self) -> int:
        return 0

    def selection(self, _index: int) -> Any:
        return 0, 0

    def addSelection(self, _start: int, _end: int) -> None:
        """Selecting is the view's."""

    def removeSelection(self, _index: int) -> None:
        """As `addSelection`."""

    def setSelection(self, _index: int, _start: int, _end: int) -> None:
        """As `addSelection`."""

    def attributes(self, _offset: int) -> Any:
        return "", 0, self.characterCount()

    def characterRect(self, _offset: int) -> QRect:
        return QRect()

    def offsetAtPoint(self, _point: QPoint) -> int:
        return 0

    def scrollToSubstring(self, _start: int, _end: int) -> None:
        """The view scrolls by message."""


class _Node(QAccessibleInterface):
    """One element of the tree; it lives as long as the tree that made it."""

    def __init__(self, tree: TranscriptAccessible) -> None:
        super().__init__()
        self.tree = tree
        self._text = _Text(self.content)

    def content(self) -> str:
        raise NotImplementedError

    def area(self) -> QRect:
        """In the viewport."""
        raise NotImplementedError

    def isValid(self) -> bool:
        return self.tree.isValid()

    def object(self) -> QObject | None:  # type: ignore[override]  # Qt takes none for one
        return None

    def window(self) -> QWindow | None:  # type: ignore[override]  # Qt takes none for one
        return self.tree.window()

    def rect(self) -> QRect:
        area = self.area()
        return area.translated(self.tree.view.viewport().mapToGlobal(QPoint(0, 0)))

    def childCount(self) -> int:
        return 0

    def child(self, _index: int) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        return None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        children = (self.child(index) for index in range(self.childCount()))
        return next((each for each in children if each is not None and each.rect().contains(x, y)), None)

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return next((i for i in range(self.childCount()) if self.child(i) is child), -1)

    def setText(self, _kind: QAccessible.Text, _text: str) -> None:
        """Nothing here is edited."""

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        state.readOnly = True
        return state

    def textInterface(self) -> QAccessibleTextInterface:
        return self._text

    def foregroundColor(self) -> QColor:
        return QColor(self.tree.view.theme.palette.text)

    def backgroundColor(self) -> QColor:
        return QColor(self.tree.view.theme.palette.page)


class _MessageNode(_Node):
    """One message; its children are the blocks that are laid out."""

    def __init__(self, tree: TranscriptAccessible, message_id: int) -> None:
        super().__init__(tree)
        self._id = message_id
        self._blocks: dict[Part, _BlockNode] = {}

    @property
    def row(self) -> int:
        row = self.tree.view.model.row_of(self._id)
        return -1 if row is None else row

    def layout(self) -> MessageLayout | None:
        return self.tree.view.stack.known_layout(self.row)

    def content(self) -> str:
        message = self.tree.view.model.message(self.row) if self.row >= 0 else None
        return "" if message is None else message.text

    def _shown(self) -> list[Part]:
        layout = self.layout()
        if layout is None:
            return []
        sections = {Section.BODY, Section.REASONING}
        return [
            entry.spec.part
            for entry in layout.column.entries
            if entry.box and entry.spec.part.section in sections
        ]

    def parent(self) -> QAccessibleInterface:
        return self.tree

    def childCount(self) -> int:
        return len(self._shown())

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        shown = self._shown()
        if not 0 <= index < len(shown):
            return None
        part = shown[index]
        return self._blocks.setdefault(part, _BlockNode(self.tree, self, part))

    def text(self, kind: QAccessible.Text) -> str:
        view = self.tree.view
        if self.row < 0:
            return ""
        message = view.model.message(self.row)
        if kind == QAccessible.Text.Name:
            if message is None:
                return "Message"
            who = "You" if message.role is Role.USER else message.model or "Assistant"
            return ", ".join(part for part in (who, labels.clock_time(message.created_at)) if part)
        if kind == QAccessible.Text.Description and message is not None and message.error is not None:
            return f"{message.error.sentence} {message.error.advice}"
        return self.content() if kind == QAccessible.Text.Value else ""

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.ListItem

    def area(self) -> QRect:
        view = self.tree.view
        if self.row < 0:
            return QRect()
        top = view.stack.message_top(self.row) - view.top
        return QRect(view.column_left, top, view.stack.width, view.stack.heights[self.row])


class _BlockNode(_Node):
    """One block of a message."""

    def __init__(self, tree: TranscriptAccessible, message: _MessageNode, part: Part) -> None:
        super().__init__(tree)
        self._message = message
        self._part = part

    def _entry(self) -> tuple[MessageLayout, int] | None:
        layout = self._message.layout()
        if layout is None:
            return None
        index = layout.column.index_of(self._part)
        entry = layout.column.entries[index]
        return (layout, index) if entry.spec.part == self._part and entry.box is not None else None

    def content(self) -> str:
        found = self._entry()
        if found is None:
            return ""
        box = found[0].column.entries[found[1]].box
        return "\n".join(placed.run.text for placed in box.runs()) if box is not None else ""

    def parent(self) -> QAccessibleInterface:
        return self._message

    def text(self, kind: QAccessible.Text) -> str:
        if kind == QAccessible.Text.Name:
            return self.content()
        if kind == QAccessible.Text.Description:
            return _ROLES.get(type(self._source()), (None, ""))[1]
        return ""

    def _source(self) -> object:
        found = self._entry()
        return None if found is None else found[0].column.entries[found[1]].spec.source

    def role(self) -> QAccessible.Role:
        return _ROLES.get(type(self._source()), (QAccessible.Role.Section, ""))[0]

    def area(self) -> QRect:
        found, view = self._entry(), self.tree.view
        if found is None:
            return QRect()
        layout, index = found
        box = layout.column.entries[index].box
        left, top = layout.box_place(index)
        y = view.stack.message_top(self._message.row) + top - view.top
        return QRect(view.column_left + left, y, box.width if box else 0, box.height if box else 0)


class TranscriptAccessible(_Node):
    """The conversation: a list of messages."""

    def __init__(self, view: TranscriptView) -> None:
        self.view = view
        super().__init__(self)
        self._messages: dict[int, _MessageNode] = {}

    def content(self) -> str:
        return ""

    def isValid(self) -> bool:
        from shiboken6 import isValid

        return bool(isValid(self.view))

    def object(self) -> QObject | None:  # type: ignore[override]  # Qt takes none for one
        return self.view

    def window(self) -> QWindow | None:  # type: ignore[override]  # Qt takes none for one
        return self.view.window().windowHandle()

    def parent(self) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        owner = self.view.parentWidget()
        return QAccessible.queryAccessibleInterface(owner) if owner is not None else None

    def childCount(self) -> int:
        return len(self.view.model)

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        if not 0 <= index < len(self.view.model):
            return None
        message_id = self.view.model.stub(index).id
        return self._messages.setdefault(message_id, _MessageNode(self, message_id))

    def text(self, kind: QAccessible.Text) -> str:
        return self.view.accessibleName() if kind == QAccessible.Text.Name else ""

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.List

    def state(self) -> QAccessible.State:
        state = super().state()
        state.focusable = True
        state.focused = self.view.hasFocus()
        return state

    def area(self) -> QRect:
        return self.view.viewport().rect()


_trees: dict[int, TranscriptAccessible] = {}


def _make(_key: str, owner: QObject) -> QAccessibleInterface | None:
    from desktop_chat.ui.transcript.view import TranscriptView

    if not isinstance(owner, TranscriptView):
        return None
    made = _trees[id(owner)] = TranscriptAccessible(owner)
    key = id(owner)
    owner.destroyed.connect(lambda: _trees.pop(key, None))
    return made


def install() -> None:
    """Have Qt ask here for the transcript's interface; once for the program."""
    if not _installed:
        _installed.append(True)
        QAccessible.installFactory(_make)


_installed: list[bool] = []


def announce_end(view: TranscriptView, message: Message) -> None:
    """Say politely that an answer ended, and how it begins; never while it streams."""
    if (
        message.state is MessageState.STREAMING
        or message.role is not Role.ASSISTANT
        or not QAccessible.isActive()
    ):
        return
    if message.error is not None:
        text = f"{message.error.sentence} {message.error.advice}"
    else:
        text = f"{labels.ending(message) or 'Answer complete'}. {message.text[:600]}"
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(view, text))
