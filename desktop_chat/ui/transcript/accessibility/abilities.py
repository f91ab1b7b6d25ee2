"""Qt's further interfaces of an element: actions, attributes, and its place in a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import (
    QAccessible,
    QAccessibleActionInterface,
    QAccessibleAttributesInterface,
    QAccessibleInterface,
    QAccessibleTableCellInterface,
)

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.accessibility.elements import ElementNode
    from desktop_chat.ui.transcript.accessibility.nodes import Node


class Actions(QAccessibleActionInterface):
    """What an element can do; it is done once the tool's call is over."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._node = node

    def actionNames(self) -> list[str]:
        return list(self._node.actions())

    def doAction(self, actionName: str) -> None:
        action: Callable[[], None] | None = self._node.actions().get(actionName)
        if action is not None:
            self._node.soon(action)

    def keyBindingsForAction(self, _actionName: str) -> list[str]:
        return []


class Attributes(QAccessibleAttributesInterface):
    """The level of a heading."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._node = node

    def attributeKeys(self) -> list[QAccessible.Attribute]:
        return [QAccessible.Attribute.Level]

    def attributeValue(self, key: QAccessible.Attribute) -> Any:
        return self._node.level() if key is QAccessible.Attribute.Level else None


class TableCell(QAccessibleTableCellInterface):
    """Where a cell stands; the header row is row 0. The binding has no interface for the table as a whole."""

    def __init__(self, node: ElementNode) -> None:
        super().__init__()
        self._node = node

    def rowIndex(self) -> int:
        return self._node.path[-2]

    def columnIndex(self) -> int:
        return self._node.path[-1]

    def rowExtent(self) -> int:
        return 1

    def columnExtent(self) -> int:
        return 1

    def isSelected(self) -> bool:
        return False

    def table(self) -> QAccessibleInterface:
        return self._node.message.node(self._node.part, self._node.path[:-2])

    def columnHeaderCells(self) -> list[QAccessibleInterface]:
        if self.rowIndex() == 0:
            return []
        path = (*self._node.path[:-2], 0, self._node.path[-1])
        return [self._node.message.node(self._node.part, path)]

    def rowHeaderCells(self) -> list[QAccessibleInterface]:
        return []
