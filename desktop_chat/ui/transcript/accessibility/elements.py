"""The parts of a message: headings, lists, tables, code, links, buttons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from PySide6.QtCore import QRectF
from PySide6.QtGui import QAccessible, QAccessibleActionInterface, QAccessibleInterface

from desktop_chat.markup.blocks import CodeBlock, Heading, InlineImage, ListItem, Table
from desktop_chat.markup.languages import language_name
from desktop_chat.ui.transcript.accessibility.abilities import TableCell
from desktop_chat.ui.transcript.accessibility.nodes import Kinds, MessageNode, Node, stretches
from desktop_chat.ui.transcript.accessibility.passage import EMPTY, Passage, placed_run
from desktop_chat.ui.transcript.code_box import CodeBox
from desktop_chat.ui.transcript.column import Part
from desktop_chat.ui.transcript.message_content import Section
from desktop_chat.ui.transcript.outline import TEXTS, Element, Inline, Kind, Link
from desktop_chat.ui.transcript.places import Place
from desktop_chat.ui.transcript.segments import Segment
from desktop_chat.ui.transcript.stack_box import StackBox
from desktop_chat.ui.transcript.text_run import TextRun

_Roles = QAccessible.Role
_ROLES: Final = {
    Kind.HEADING: _Roles.Heading,
    Kind.PARAGRAPH: _Roles.Paragraph,
    Kind.LIST: _Roles.List,
    Kind.ITEM: _Roles.ListItem,
    Kind.QUOTE: _Roles.BlockQuote,
    Kind.TABLE: _Roles.Table,
    Kind.HEADER_ROW: _Roles.Row,
    Kind.ROW: _Roles.Row,
    Kind.HEADER_CELL: _Roles.ColumnHeader,
    Kind.CELL: _Roles.Cell,
    Kind.CODE: _Roles.Section,
    Kind.FORMULA: _Roles.Equation,
    Kind.IMAGE: _Roles.Graphic,
    Kind.LINK: _Roles.Link,
    Kind.RULE: _Roles.Separator,
    Kind.NOTES: _Roles.List,
    Kind.NOTE: _Roles.ListItem,
    Kind.BUTTON: _Roles.Button,
    Kind.GROUP: _Roles.Grouping,
}
_EXPANDING: Final = {"reasoning", "fold"}


class ElementNode(Node):
    """One element of an entry of a message.

    Attributes:
        part: the entry.
        path: child numbers from the entry's own element.
    """

    def __init__(self, message: MessageNode, part: Part, path: tuple[int, ...]) -> None:
        super().__init__(message.tree)
        self.message = message
        self.part = part
        self.path = path

    @property
    def row(self) -> int:
        return self.message.row if self.element() is not None else -1

    def element(self) -> Element | None:
        """What it shows; ``None`` when the text has changed and it is gone."""
        root = self.message.outline(self.part) if self.tree.is_alive else None
        return None if root is None else root.at(self.path)

    def kind(self) -> Kind | None:
        element = self.element()
        return None if element is None else element.kind

    # --- the tree ----------------------------------------------------------------------------------------

    def parent(self) -> QAccessibleInterface:
        return self.message.node(self.part, self.path[:-1]) if self.path else self.message

    def childCount(self) -> int:
        element = self.element()
        return 0 if element is None else len(element.children)

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]  # Qt takes none for one
        if not 0 <= index < self.childCount():
            return None
        return self.message.node(self.part, (*self.path, index))

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        if isinstance(child, ElementNode) and child.part == self.part and child.path[:-1] == self.path:
            return child.path[-1] if child.path else -1
        return -1

    # --- what it says ------------------------------------------------------------------------------------

    def role(self) -> QAccessible.Role:
        if self.part.section == Section.ERROR and not self.path:
            return _Roles.AlertMessage
        kind = self.kind()
        return _Roles.NoRole if kind is None else _ROLES[kind]

    def text(self, kind: QAccessible.Text) -> str:
        element = self.element()
        if element is None:
            return ""
        match kind:
            case QAccessible.Text.Name:
                return _name(element)
            case QAccessible.Text.Description:
                return _description(element)
            case QAccessible.Text.Value if isinstance(element.value, Link):
                return element.value.href
        return ""

    def level(self) -> int:
        element = self.element()
        return element.value.level if element is not None and isinstance(element.value, Heading) else 0

    def has_text(self) -> bool:
        return self.kind() in TEXTS

    def passage(self) -> Passage:
        element = self.element()
        if element is None or element.kind not in TEXTS:
            return EMPTY
        return Passage(list(stretches(self.part, element)))

    def state(self) -> QAccessible.State:
        state = super().state()
        element = self.element()
        if element is None:
            return state
        if isinstance(element.value, ListItem) and element.value.checked is not None:
            state.checkable, state.checked = True, element.value.checked
        if element.kind is Kind.LINK:
            state.linked = True
        control = element.control() if element.kind is Kind.BUTTON else None
        if control is not None and control.action in _EXPANDING:
            state.expandable = True
            is_open = _is_open(control.target)
            state.expanded, state.collapsed = is_open, not is_open
        if element.kind in {Kind.LINK, Kind.BUTTON}:
            state.focusable = True
            state.focused = self.view.hasFocus() and self.tree.focused_node() is self
        return state

    # --- what it does ------------------------------------------------------------------------------------

    def actions(self) -> dict[str, Callable[[], None]]:
        kind = self.kind()
        press = QAccessibleActionInterface.pressAction()
        return {press: self._press} if kind in {Kind.LINK, Kind.BUTTON} else {}

    def _press(self) -> None:
        element, found = self.element(), self.message.entry(self.part)
        if element is None or found is None:
            return
        if isinstance(element.value, Link):
            self.view.link_activated.emit(element.value.href, element.value.text)
            return
        control = element.control()
        if control is not None:
            self.view.pointer.activate(self.row, found[1], control)

    def make_ability(self, kind: Kinds) -> Any:
        if kind is Kinds.TableCellInterface and self.kind() in {Kind.CELL, Kind.HEADER_CELL}:
            return TableCell(self)
        return super().make_ability(kind)

    # --- where it is -------------------------------------------------------------------------------------

    def lay_out(self) -> None:
        part, path = self.part, self.path
        found = self.message.entry(part)
        segment = found[2].spec.source if found is not None else None
        self.message.lay_out_entry(part)
        if isinstance(segment, Segment) and path:  # its blocks have entries of their own now
            line = segment.first_line + segment.blocks()[path[0]].first_line
            self.part, self.path = part._replace(line=line), path[1:]
            self.message.has_moved(self, part, path)
            self.message.lay_out_entry(self.part)

    def area(self) -> QRectF:
        element, found = self.element(), self.message.entry(self.part)
        if element is None or found is None:
            return QRectF()
        layout, index, entry = found
        left, top = layout.box_place(index)
        origin = self.view.stack.message_top(self.row) - self.view.top
        corner = self.view.column_left + left, origin + top
        if element.kind is Kind.BUTTON:
            control = element.control()
            return QRectF() if control is None else control.rect.translated(*corner)
        areas = list(self._areas(element)) if self.path else []
        if not areas:
            width = entry.box.width if entry.box is not None else layout.text_width
            height = layout.column.heights[index] - entry.spec.gap
            return QRectF(*corner, width, max(1, height))
        union = areas[0]
        for area in areas[1:]:
            union = union.united(area)
        return union

    def _areas(self, element: Element) -> Iterator[QRectF]:
        """Of its first and last runs, or of the part of a run that it is."""
        value = element.value
        if not element.run_count:
            return
        last = element.first_run + element.run_count - 1
        for run in {element.first_run, last}:
            found = placed_run(self.view, Place(self.row, self.part, run, 0))
            if found is None:
                continue
            placed, x, y = found
            if isinstance(value, (Link, Inline)):
                for rect in placed.run.rects(value.start, value.end):
                    yield rect.translated(x, y)
            else:
                room = self.view.column_left + self.view.stack.width - x
                width = placed.run.width if isinstance(placed.run, TextRun) else room
                yield QRectF(x, y, max(1.0, width), placed.run.height)


def _name(element: Element) -> str:
    value = element.value
    match element.kind:
        case Kind.BUTTON:
            control = element.control()
            return "" if control is None else control.name
        case Kind.LINK if isinstance(value, Link):
            return value.text
        case Kind.IMAGE if isinstance(value, Inline) and isinstance(value.item, InlineImage):
            return value.item.alt or "Image"
        case Kind.CODE if isinstance(value, CodeBlock):
            language = language_name(value.language)
            return f"{language} code" if language else "Code"
        case Kind.TABLE if isinstance(value, Table):
            return f"Table, {len(value.rows) + 1} rows, {len(value.alignments)} columns"
        case Kind.NOTES:
            return "Footnotes"
        case Kind.NOTE if isinstance(value, tuple):
            return f"{value[0]}. {element.text()}"
        case Kind.LIST | Kind.QUOTE | Kind.ROW | Kind.HEADER_ROW | Kind.RULE:
            return ""
    return element.text()


def _description(element: Element) -> str:
    if isinstance(element.value, CodeBlock):
        count = element.value.code.count("\n") + 1
        return "1 line" if count == 1 else f"{count:,} lines"
    return ""


def _is_open(target: object) -> bool:
    if isinstance(target, CodeBox):
        return not target.is_folded
    if isinstance(target, StackBox):
        return bool(target.boxes)
    return bool(getattr(target, "is_open", False))
