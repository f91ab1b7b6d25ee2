"""Selecting by keyboard: a caret that the shifted arrow keys move through the whole conversation."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter

from desktop_chat.ui.theme import Space
from desktop_chat.ui.transcript.accessibility import caret_moved
from desktop_chat.ui.transcript.boundaries import (
    next_character,
    next_word,
    previous_character,
    previous_word,
)
from desktop_chat.ui.transcript.places import Place, Selection
from desktop_chat.ui.transcript.text_walk import TextWalk, visible_end
from desktop_chat.ui.transcript.typography import color

if TYPE_CHECKING:
    from desktop_chat.ui.transcript.view import TranscriptView

_WIDTH: Final = 2


class Move(enum.Enum):
    """How far the caret goes."""

    CHARACTER = enum.auto()
    WORD = enum.auto()
    LINE = enum.auto()
    LINE_EDGE = enum.auto()
    PARAGRAPH = enum.auto()
    PAGE = enum.auto()
    CONVERSATION = enum.auto()


_Keys = QKeySequence.StandardKey
_MOVES: Final = {
    _Keys.SelectNextChar: (Move.CHARACTER, True),
    _Keys.SelectPreviousChar: (Move.CHARACTER, False),
    _Keys.SelectNextWord: (Move.WORD, True),
    _Keys.SelectPreviousWord: (Move.WORD, False),
    _Keys.SelectNextLine: (Move.LINE, True),
    _Keys.SelectPreviousLine: (Move.LINE, False),
    _Keys.SelectEndOfLine: (Move.LINE_EDGE, True),
    _Keys.SelectStartOfLine: (Move.LINE_EDGE, False),
    _Keys.SelectEndOfBlock: (Move.PARAGRAPH, True),
    _Keys.SelectStartOfBlock: (Move.PARAGRAPH, False),
    _Keys.SelectNextPage: (Move.PAGE, True),
    _Keys.SelectPreviousPage: (Move.PAGE, False),
    _Keys.SelectEndOfDocument: (Move.CONVERSATION, True),
    _Keys.SelectStartOfDocument: (Move.CONVERSATION, False),
}
# Not every platform has keys of its own for paragraphs.
_PARAGRAPH_KEYS: Final = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def move_of(event: QKeyEvent) -> tuple[Move, bool] | None:
    """What a key moves the caret by, and whether forward; ``None`` for other keys."""
    for key, move in _MOVES.items():
        if event.matches(key):
            return move
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if modifiers == _PARAGRAPH_KEYS and event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
        return Move.PARAGRAPH, event.key() == Qt.Key.Key_Down
    return None


class Caret:
    """The end of the selection that keys move.

    Attributes:
        is_shown: the last selection was made by keys, so that its moving end is painted.
    """

    def __init__(self, view: TranscriptView) -> None:
        self._view = view
        self._goal: float | None = None  # x of a message's column that moves over lines keep to
        self.is_shown = False

    def key_pressed(self, event: QKeyEvent) -> bool:
        move = move_of(event)
        if move is None:
            return False
        self.extend(move[0], forward=move[1])
        return True

    def extend(self, move: Move, *, forward: bool) -> None:
        """Move the end of the selection; it begins at the last click, the focused message, or the window's top."""
        view = self._view
        walk = TextWalk(view)
        selection = view.reading.selection
        anchor = self._start(walk) if selection is None else selection.anchor
        head = anchor if selection is None else walk.settled(selection.head)
        if anchor is None or head is None:
            return
        if view.model.growing:
            view.stop_following_unless_at_end()
        if move not in {Move.LINE, Move.PAGE}:
            self._goal = None
        found = self._moved(walk, head, move, forward=forward)
        if found is not None:
            head = found
        self.is_shown = True
        view.reading.select(Selection(anchor, head))
        if walk.has_measured:
            view.refresh()
        self.reveal(head)
        caret_moved(view)

    def _start(self, walk: TextWalk) -> Place | None:
        view = self._view
        if view.reading.focused_row is not None:
            return walk.first_from(view.reading.focused_row)
        height = view.viewport().height()
        for y in range(0, height, Space.L):
            place = view.pointer.place_at(QPointF(view.column_left, y))
            if place is not None:
                return place._replace(offset=0)
        return None

    def _moved(self, walk: TextWalk, head: Place, move: Move, *, forward: bool) -> Place | None:
        match move:
            case Move.CHARACTER | Move.WORD:
                return self._stepped(walk, head, move, forward=forward)
            case Move.LINE:
                return self._line(walk, head, forward=forward)
            case Move.LINE_EDGE:
                return walk.line_edge(head, forward=forward)
            case Move.PARAGRAPH:
                return self._paragraph(walk, head, forward=forward)
            case Move.PAGE:
                return self._page(walk, head, forward=forward)
            case Move.CONVERSATION:
                return walk.last() if forward else walk.first_from(0)

    def _stepped(self, walk: TextWalk, head: Place, move: Move, *, forward: bool) -> Place | None:
        placed = walk.run(head)
        if placed is None:
            return None
        run = placed.run
        if forward:
            if head.offset >= visible_end(run):
                return walk.next_run(head)
            step = next_character if move is Move.CHARACTER else next_word
            return head._replace(offset=min(step(run, head.offset), visible_end(run)))
        if head.offset == 0:
            return walk.previous_run(head)
        step = previous_character if move is Move.CHARACTER else previous_word
        return head._replace(offset=step(run, head.offset))

    def _line(self, walk: TextWalk, head: Place, *, forward: bool) -> Place | None:
        caret = walk.caret(head)
        if caret is None:
            return None
        if self._goal is None:
            self._goal = caret.x()
        return walk.next_line(head, self._goal, forward=forward) or walk.line_edge(head, forward=forward)

    def _paragraph(self, walk: TextWalk, head: Place, *, forward: bool) -> Place | None:
        if forward:
            placed = walk.run(head)
            end = None if placed is None else head._replace(offset=placed.run.length)
            return walk.next_run(head) or end
        if head.offset:
            return head._replace(offset=0)
        before = walk.previous_run(head)
        return None if before is None else before._replace(offset=0)

    def _page(self, walk: TextWalk, head: Place, *, forward: bool) -> Place | None:
        view, caret = self._view, self.rect(head)
        if caret is None or not 0 <= caret.center().y() <= view.viewport().height():
            self.reveal(head)
            caret = self.rect(head)
        if caret is None:
            return None
        if self._goal is None:
            self._goal = caret.x() - view.column_left
        page = view.viewport().height() - 60
        before = view.top
        view.scroll_by(page if forward else -page)
        rest = page - abs(view.top - before)  # at either end the caret goes the rest of the page
        y = caret.center().y() + (rest if forward else -rest)
        if not 0 <= y <= view.viewport().height():
            return walk.last() if forward else walk.first_from(0)
        return view.pointer.place_at(QPointF(view.column_left + self._goal, y))

    # --- showing -----------------------------------------------------------------------------------------

    def rect(self, place: Place) -> QRectF | None:
        """Where a caret stands in the viewport; ``None`` for what is not laid out."""
        view = self._view
        if place.row >= len(view.stack):
            return None
        layout = view.stack.known_layout(place.row)
        placed = None if layout is None else layout.run(place.part, place.run)
        if placed is None:
            return None
        left, top = view.column_left + placed.x, view.stack.message_top(place.row) - view.top + placed.y
        return placed.run.caret(min(place.offset, placed.run.length)).translated(left, top)

    def reveal(self, place: Place) -> None:
        """Bring a caret into the window, and into the part that scrolls sideways."""
        view, caret = self._view, self.rect(place)
        if caret is None:
            return
        height = view.viewport().height()
        if caret.top() < Space.XL:
            over = int(caret.top()) - Space.XL
        else:
            over = max(0, int(caret.bottom()) + Space.XL - height)
        if abs(over) > height:
            view.reveal(caret.translated(0, view.top))
        elif over:
            view.scroll_by(over)
        layout = view.stack.known_layout(place.row)
        placed = None if layout is None else layout.run(place.part, place.run)
        if layout is None or placed is None:
            return
        index = layout.column.index_of(place.part)
        box = layout.column.entries[index].box
        left, top = layout.box_place(index)
        at = placed.run.caret(place.offset).translated(placed.x - left, placed.y - top)
        for area in box.scrollables() if box is not None else ():
            if area.sideways.is_needed and area.rect.top() <= at.center().y() < area.rect.bottom():
                x = at.x() + area.sideways.offset - area.rect.left()
                area.sideways.reveal(x, x + _WIDTH)

    def paint(self, painter: QPainter) -> None:
        view, selection = self._view, self._view.reading.selection
        if not self.is_shown or selection is None or not view.hasFocus():
            return
        caret = self.rect(selection.head)
        if caret is not None:
            area = QRectF(round(caret.x()) - _WIDTH / 2, caret.top() + 2, _WIDTH, caret.height() - 4)
            painter.fillRect(area, color(view.theme.palette.text))
