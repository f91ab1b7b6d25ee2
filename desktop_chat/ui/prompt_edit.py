"""The text field of the composer: plain text that grows with its content, and decides which key sends."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QMimeData, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QKeyEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QPlainTextDocumentLayout, QPlainTextEdit, QSizePolicy, QWidget

from desktop_chat.domain.text import sanitized_input

_PIECE: Final = 2000
"""Longer lines are kept as several blocks: Qt lays out a block at a time, in time that grows with its square."""

_SOFT: Final = QTextFormat.Property.UserProperty
"""Marks a block that continues the line of the block before it."""

_HAS_PIECES: Final = "has_pieces"


class PromptEdit(QPlainTextEdit):
    """Plain text only; pasted rich text loses its formatting.

    Attributes:
        send_key: ``enter`` or ``ctrl+enter``; the other one breaks the line.

    Signals:
        submitted: the send key was pressed.
        escaped: Escape was pressed.
        recalled: the up arrow was pressed in an empty field.
        focused: the field got (True) or lost the keyboard focus.
        height_wanted: the content's height changed.
    """

    submitted = Signal()
    escaped = Signal()
    recalled = Signal()
    focused = Signal(bool)
    height_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.send_key = "enter"
        self._line_count = 1.0
        self.setObjectName("composer")
        self.setAccessibleName("Message")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabChangesFocus(True)
        self.setStyleSheet("background: transparent; border: 0; padding: 0;")
        self.viewport().setAutoFillBackground(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.adopt(self.new_document())

    def new_document(self, text: str = "") -> QTextDocument:
        """A document for one conversation; it keeps its own undo history while another one is shown."""
        document = QTextDocument(self)
        document.setDocumentLayout(QPlainTextDocumentLayout(document))
        document.setDocumentMargin(2)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        document.setDefaultTextOption(option)
        document.setDefaultFont(self.font())
        _insert(QTextCursor(document), text)
        document.clearUndoRedoStacks()
        document.documentLayout().documentSizeChanged.connect(
            lambda size: self._size_changed(size) if document is self.document() else None
        )
        return document

    def adopt(self, document: QTextDocument) -> None:
        """Show another document, with the cursor at its end."""
        document.setDefaultFont(self.font())
        self.setDocument(document)
        self.moveCursor(QTextCursor.MoveOperation.End)
        self._size_changed(document.documentLayout().documentSize())

    def set_font(self, font: QFont) -> None:
        self.setFont(font)
        self.document().setDefaultFont(font)
        self._size_changed(self.document().documentLayout().documentSize())

    def replace_text(self, text: str) -> None:
        """Put ``text`` in place of everything, in one step that can be undone."""
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        _insert(cursor, text)
        self.moveCursor(QTextCursor.MoveOperation.End)

    def insert(self, text: str) -> None:
        """Put ``text`` in place of the selection, in one step that can be undone."""
        cursor = self.textCursor()
        _insert(cursor, text)
        self.setTextCursor(cursor)

    @property
    def text(self) -> str:
        """What was typed; lines as they were, however they are laid out."""
        return _plain(self.document(), 0, self.document().characterCount() - 1)

    @property
    def content_height(self) -> int:
        """Pixels for all lines; a plain-text document's size counts lines, whatever their number."""
        margins = 2 * self.document().documentMargin()
        return round(self._line_count * self.fontMetrics().lineSpacing() + margins) + 2

    def sizeHint(self) -> QSize:
        return QSize(200, self.content_height)

    def _size_changed(self, size: QSizeF) -> None:
        lines = max(1.0, size.height())
        if lines != self._line_count:
            self._line_count = lines
            self.height_wanted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            plain = modifiers == Qt.KeyboardModifier.NoModifier
            control = modifiers == Qt.KeyboardModifier.ControlModifier
            if (plain and self.send_key == "enter") or (control and self.send_key == "ctrl+enter"):
                self.submitted.emit()
            else:
                self.insert("\n")
                self.ensureCursorVisible()
            return
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
            return
        if event.key() == Qt.Key.Key_Up and modifiers == Qt.KeyboardModifier.NoModifier and self.is_empty:
            self.recalled.emit()
            return
        super().keyPressEvent(event)

    @property
    def is_empty(self) -> bool:
        return self.document().isEmpty()

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasText():
            self.insert(sanitized_input(source.text()))
            self.ensureCursorVisible()

    def createMimeDataFromSelection(self) -> QMimeData:
        cursor = self.textCursor()
        data = QMimeData()
        data.setText(_plain(self.document(), cursor.selectionStart(), cursor.selectionEnd()))
        return data

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focused.emit(False)


def _insert(cursor: QTextCursor, text: str) -> None:
    lines = text.split("\n")
    cursor.beginEditBlock()
    if max(map(len, lines)) <= _PIECE and not cursor.blockFormat().hasProperty(_SOFT):
        cursor.insertText(text)
        cursor.endEditBlock()
        return
    hard, soft = QTextBlockFormat(), QTextBlockFormat()
    soft.setProperty(_SOFT, True)
    cursor.removeSelectedText()
    cursor.document().setProperty(_HAS_PIECES, True)
    for number, line in enumerate(lines):
        if number:
            cursor.insertBlock(hard)
        for start in range(0, len(line), _PIECE):
            if start:
                cursor.insertBlock(soft)
            cursor.insertText(line[start : start + _PIECE])
    cursor.endEditBlock()


def _plain(document: QTextDocument, start: int, end: int) -> str:
    """The text between two positions, pieces of one line joined again."""
    cursor = QTextCursor(document)
    if not document.property(_HAS_PIECES):
        if start == 0 and end == document.characterCount() - 1:
            return document.toPlainText()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor.selection().toPlainText()
    parts: list[str] = []
    block = document.findBlock(start)
    while block.isValid() and block.position() <= end:
        if parts and not block.blockFormat().hasProperty(_SOFT):
            parts.append("\n")
        text, position = block.text(), block.position()
        if position < start or position + block.length() - 1 > end:  # positions count UTF-16 units
            units = text.encode("utf-16-le", "surrogatepass")
            text = units[2 * max(0, start - position) : 2 * (end - position)].decode(
                "utf-16-le", "surrogatepass"
            )
        parts.append(text)
        block = block.next()
    return "".join(parts)
