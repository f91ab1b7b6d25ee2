"""The elements that assistive tools see: messages, and what they consist of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QRect, QRectF, QTimer
from PySide6.QtGui import QAccessible, QAccessibleActionInterface, QAccessibleInterface, QColor, QWindow
from shiboken6 import VoidPtr

from desktop_chat.domain.messages import Message, MessageState, Role
from desktop_chat.markup.blocks import InlineText
from desktop_chat.ui.transcript import labels
from desktop_chat.ui.transcript.accessibility.abilities import Actions, Attributes
from desktop_chat.ui.transcript.accessibility.passage import EMPTY, Passage, Stretch, TextInterface, to_screen
from desktop_chat.ui.transcript.column import Entry, Part
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.message_layout import MessageLayout
from desktop_chat.ui.transcript.outline import Element, Inline, outline
from desktop_chat.ui.transcript.spoken import Spoken
from desktop_chat.ui.transcript.text_walk import TextWalk

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.accessibility.elements import ElementNode
    from desktop_chat.ui.transcript.accessibility.tree import TranscriptTree
    from desktop_chat.ui.transcript.view import TranscriptView

NOTHING: Final = VoidPtr(0)
"""What an interface that is not there is to Qt; ``None`` and 0 arrive as addresses."""

Kinds = QAccessible.InterfaceType


class Node(QAccessibleInterface):
    """One element. The tree that made it owns it, and takes it from Qt before it goes."""

    def __init__(self, tree: TranscriptTree) -> None:
        super().__init__()
        self.tree = tree
        self._abilities: dict[Kinds, Any] = {}

    @property
    def view(self) -> TranscriptView:
        return self.tree.view

    @property
    def row(self) -> int:
        """Of its message; -1 when it is gone."""
        return -1

    def passage(self) -> Passage:
        """Its text."""
        return EMPTY

    def area(self) -> QRectF:
        """In the viewport."""
        raise NotImplementedError

    def actions(self) -> dict[str, Callable[[], None]]:
        """What it can do, by Qt's names of actions."""
        return {}

    def level(self) -> int:
        """Of a heading; 0 for others."""
        return 0

    def lay_out(self) -> None:
        """Have its places on the screen known."""

    def isValid(self) -> bool:
        return self.tree.is_alive and self.row >= 0

    def object(self) -> QObject | None:  # type: ignore[override]  # Qt takes none for one
        return None

    def window(self) -> QWindow | None:  # type: ignore[override]  # Qt takes none for one
        return self.tree.window()

    def rect(self) -> QRect:
        return to_screen(self.view, self.area()) if self.isValid() else QRect()

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

    def text(self, _kind: QAccessible.Text) -> str:
        return ""

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        state.readOnly = True
        state.selectableText = self.has_text()
        if self.isValid() and not self.area().intersects(self.view.viewport().rect()):
            state.offscreen = True
        return state

    def has_text(self) -> bool:
        return False

    def interface_cast(self, kind: Kinds) -> Any:
        """The interface itself, which the binding turns into its address."""
        return self.ability(kind) or NOTHING

    def ability(self, kind: Kinds) -> Any:
        """One of Qt's further interfaces, made when first asked for; ``None`` for what it cannot do."""
        if kind not in self._abilities:
            self._abilities[kind] = self.make_ability(kind)
        return self._abilities[kind]

    def make_ability(self, kind: Kinds) -> Any:
        match kind:
            case Kinds.TextInterface if self.has_text():
                return TextInterface(self)
            case Kinds.ActionInterface if self.actions():
                return Actions(self)
            case Kinds.AttributesInterface if self.level():
                return Attributes(self)
        return None

    def foregroundColor(self) -> QColor:
        return QColor(self.view.theme.palette.text)

    def backgroundColor(self) -> QColor:
        return QColor(self.view.theme.palette.page)

    def soon(self, action: Callable[[], None]) -> None:
        """Act when the tool's call is over: what it does may take this very element away."""
        QTimer.singleShot(0, self.view, action)


class MessageNode(Node):
    """One message; its children are its parts from top to bottom, once it has been near the window."""

    def __init__(self, tree: TranscriptTree, message_id: int) -> None:
        super().__init__(tree)
        self._id = message_id
        self._nodes: dict[tuple[Part, tuple[int, ...]], ElementNode] = {}
        self._outlines: dict[Part, tuple[object, object, int, Element]] = {}
        self._passage: tuple[list[object], Passage] | None = None

    @property
    def row(self) -> int:
        row = self.view.model.row_of(self._id) if self.tree.is_alive else None
        return -1 if row is None else row

    def layout(self) -> MessageLayout | None:
        return self.view.stack.known_layout(self.row)

    def message(self) -> Message | None:
        return self.view.model.message(self.row) if self.row >= 0 else None

    def nodes(self) -> Iterator[Node]:
        """All that were made of it."""
        yield self
        yield from self._nodes.values()

    # --- its parts ---------------------------------------------------------------------------------------

    def entry(self, part: Part) -> tuple[MessageLayout, int, Entry] | None:
        """The entry named ``part``, with its number; ``None`` when it is gone."""
        layout = self.layout()
        if layout is None:
            return None
        index = layout.column.index_of(part)
        entry = layout.column.entries[index]
        return (layout, index, entry) if entry.spec.part == part else None

    def outline(self, part: Part) -> Element | None:
        """What an entry consists of, as it is now."""
        found = self.entry(part)
        if found is None:
            return None
        entry = found[2]
        source, box = entry.spec.source, entry.box
        runs = 0 if box is None else box.run_count
        known = self._outlines.get(part)
        if known is not None and known[0] is source and known[1] is box and known[2] == runs:
            return known[3]
        made = outline(part.section, source, box)
        self._outlines[part] = (source, box, runs, made)
        return made

    def node(self, part: Part, path: tuple[int, ...] = ()) -> ElementNode:
        """The node of an element of an entry."""
        from desktop_chat.ui.transcript.accessibility.elements import ElementNode

        key = part, path
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = ElementNode(self, part, path)
        return found

    def has_moved(self, node: ElementNode, part: Part, path: tuple[int, ...]) -> None:
        """A node is no longer at ``path`` of entry ``part``."""
        self._nodes.pop((part, path), None)
        self._nodes[node.part, node.path] = node

    def _first(self) -> int:
        """The entry of the first child: the header is the message's own name."""
        layout = self.layout()
        return int(layout is not None and layout.column.entries[0].spec.part.section == Section.HEADER)

    def childCount(self) -> int:
        layout = self.layout()
        return 0 if layout is None else len(layout.column) - self._first()

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        layout = self.layout()
        if layout is None or not 0 <= index < self.childCount():
            return None
        return self.node(layout.column.entries[index + self._first()].spec.part)

    def index_of(self, part: Part) -> int:
        found = self.entry(part)
        return -1 if found is None else found[1] - self._first()

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return next((self.index_of(n.part) for n in self._nodes.values() if n is child and not n.path), -1)

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        layout = self.layout()
        if layout is None:
            return None
        inside = y - self.rect().top()
        found = self.child(layout.column.heights.row_at(inside) - self._first())
        return found if found is not None and found.rect().contains(x, y) else None

    def parent(self) -> QAccessibleInterface:
        return self.tree

    # --- what it says ------------------------------------------------------------------------------------

    def passage(self) -> Passage:
        layout, message = self.layout(), self.message()
        if message is None:
            return EMPTY
        if layout is None:
            return self._kept([message], lambda: [Stretch(Part(-1), None, Spoken(InlineText(message.text)))])
        entries = [entry for entry in layout.column.entries if entry.spec.part.section == Section.BODY]
        key = [each for entry in entries for each in (entry.spec.source, entry.box)]
        return self._kept(key, lambda: list(self._stretches(entries)))

    def _kept(self, key: list[object], make: Callable[[], list[Stretch]]) -> Passage:
        """The passage of before, while nothing of ``key`` has changed."""
        known = self._passage
        if (
            known is not None
            and len(known[0]) == len(key)
            and all(before is now for before, now in zip(known[0], key, strict=True))
        ):
            return known[1]
        made = Passage(make())
        self._passage = key, made
        return made

    def _stretches(self, entries: list[Entry]) -> Iterator[Stretch]:
        for entry in entries:
            element = self.outline(entry.spec.part)
            if element is not None:
                yield from stretches(entry.spec.part, element)

    def has_text(self) -> bool:
        return True

    def text(self, kind: QAccessible.Text) -> str:
        if self.row < 0:
            return ""
        message = self.message()
        if kind == QAccessible.Text.Name:
            if message is None:
                is_own = self.view.model.stub(self.row).role is Role.USER
                return "You" if is_own else "Assistant"
            who = {Role.USER: "You", Role.SYSTEM: "System", Role.TOOL: "Tool"}.get(message.role)
            time = labels.clock_time(message.created_at)
            return ", ".join(part for part in (who or message.model or "Assistant", time) if part)
        if kind == QAccessible.Text.Description and message is not None:
            if message.error is not None:
                layout = self.layout()
                actions = () if layout is None else layout.error_actions()
                return f"{message.error.sentence} {labels.advice(message.error, actions)}"
            return labels.ending(message)
        return ""

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.ListItem

    def state(self) -> QAccessible.State:
        state = super().state()
        state.focusable = state.selectable = True
        reading = self.view.reading
        state.focused = (
            self.row >= 0
            and reading.focused_row == self.row
            and reading.stops.current is None
            and self.view.hasFocus()
        )
        message = self.message()
        state.busy = message is not None and message.state is MessageState.STREAMING
        return state

    def actions(self) -> dict[str, Callable[[], None]]:
        return {
            QAccessibleActionInterface.setFocusAction(): lambda: self.view.go_to_row(self.row),
            QAccessibleActionInterface.showMenuAction(): self._show_menu,
        }

    def _show_menu(self) -> None:
        self.view.go_to_row(self.row)
        self.view.reading.open_menu()

    def lay_out(self) -> None:
        if self.layout() is None:
            self.view.go_to_row(self.row)

    def area(self) -> QRectF:
        view, row = self.view, self.row
        if row < 0:
            return QRectF()
        top = view.stack.message_top(row) - view.top
        return QRectF(view.column_left, top, view.stack.width, view.stack.heights[row])

    def lay_out_entry(self, part: Part) -> None:
        """Give an entry its box, wherever it is."""
        found = self.entry(part)
        if found is None or found[2].box is not None:
            return
        walk = TextWalk(self.view)
        walk.box(self.row, found[1])
        if walk.has_measured:
            self.view.refresh()


def stretches(part: Part, element: Element) -> Iterator[Stretch]:
    """The texts of an element, each with its run where it has one of its own."""
    for each in element.texts():
        has_run = each.run_count and not isinstance(each.value, Inline)
        yield Stretch(part, each.first_run if has_run else None, Spoken(each.content))
