"""The rows of the conversation list: conversations under their day, or what a search found."""

from __future__ import annotations

import enum
import time
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop_chat.domain.conversations import Conversation, SearchHit
from desktop_chat.domain.text import sanitized_input

UNTITLED: Final = "New conversation"
Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
_NAMES_KEPT: Final = 200  # characters; a title is one line


class Kind(enum.Enum):
    DAY = enum.auto()
    CONVERSATION = enum.auto()
    HIT = enum.auto()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        title: of the conversation, or the name of a day.
        snippet / highlights / message_id: of a hit in a message, see `SearchHit`.
    """

    kind: Kind
    title: str
    conversation_id: int = 0
    snippet: str = ""
    highlights: tuple[tuple[int, int], ...] = ()
    message_id: int | None = None


ROW_ROLE: Final = Qt.ItemDataRole.UserRole
_HIT_FLAGS: Final = (
    Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
)
_FLAGS: Final = {
    Kind.DAY: Qt.ItemFlag.ItemNeverHasChildren,
    Kind.CONVERSATION: _HIT_FLAGS | Qt.ItemFlag.ItemIsEditable,
    Kind.HIT: _HIT_FLAGS,
}
"""Made once: a view asks at every painting, and Python's flags take long to join."""


def day_name(moment: float, today: date) -> str:
    """The group a conversation stands under."""
    day = datetime.fromtimestamp(moment).astimezone().date()
    age = (today - day).days
    if age <= 0:
        return "Today"
    if age == 1:
        return "Yesterday"
    if age < 7:
        return "Previous 7 days"
    if age < 30:
        return "Previous 30 days"
    return f"{day:%B}" if day.year == today.year else f"{day:%B %Y}"


class ConversationModel(QAbstractListModel):
    """All conversations, newest first; while searching, the hits instead.

    Signals:
        renamed(conversation_id, title): the person typed another title.
    """

    renamed = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._conversations: dict[int, Conversation] = {}
        self._streaming: set[int] = set()
        self._query = ""
        self._hits: Sequence[SearchHit] = ()
        self._rows: list[Row] = []
        self._places: dict[int, int] = {}

    # --- content

    def set_conversations(self, conversations: Iterable[Conversation]) -> None:
        self._conversations = {conversation.id: conversation for conversation in conversations}
        self._rebuild()

    def update_conversation(self, conversation: Conversation) -> None:
        """Add a conversation or take over its change."""
        old = self._conversations.get(conversation.id)
        self._conversations[conversation.id] = conversation
        if old is not None and (old.title, old.updated_at) == (conversation.title, conversation.updated_at):
            return
        self._rebuild()

    def remove_conversation(self, conversation_id: int) -> None:
        if self._conversations.pop(conversation_id, None) is not None:
            self._rebuild()

    def set_streaming(self, conversation_id: int, streaming: bool) -> None:
        (self._streaming.add if streaming else self._streaming.discard)(conversation_id)
        index = self.index_of(conversation_id)
        if index.isValid():
            self.dataChanged.emit(index, index)

    def set_search(self, query: str, hits: Sequence[SearchHit]) -> None:
        """Show titles that contain ``query`` and then ``hits``; an empty query shows all conversations."""
        self._query, self._hits = query.strip(), hits
        self._rebuild()

    @property
    def is_searching(self) -> bool:
        return bool(self._query)

    @property
    def streaming(self) -> frozenset[int]:
        return frozenset(self._streaming)

    def conversation(self, conversation_id: int) -> Conversation | None:
        return self._conversations.get(conversation_id)

    def __len__(self) -> int:
        return len(self._conversations)

    def ids(self) -> list[int]:
        """The conversations in the order of the rows, each once."""
        return list(dict.fromkeys(row.conversation_id for row in self._rows if row.kind is not Kind.DAY))

    def row(self, index: Index) -> Row:
        return self._rows[index.row()]

    def index_of(self, conversation_id: int) -> QModelIndex:
        place = self._places.get(conversation_id)
        return QModelIndex() if place is None else self.index(place)

    def is_streaming(self, conversation_id: int) -> bool:
        return conversation_id in self._streaming

    # --- rows

    def _rebuild(self) -> None:
        self.beginResetModel()
        self._rows = list(self._found() if self._query else self._by_day())
        self._places = {}
        for place, row in enumerate(self._rows):
            if row.kind is not Kind.DAY:
                self._places.setdefault(row.conversation_id, place)
        self.endResetModel()

    def _newest_first(self) -> list[Conversation]:
        return sorted(self._conversations.values(), key=lambda c: (c.updated_at, c.id), reverse=True)

    def _by_day(self) -> Iterable[Row]:
        today = datetime.fromtimestamp(time.time()).astimezone().date()
        until = datetime.combine(today - timedelta(days=40), datetime.min.time()).timestamp()
        name = ""
        month: tuple[int, int] | None = None
        for conversation in self._newest_first():
            moment = conversation.updated_at
            if moment >= until:
                shown = day_name(moment, today)
            else:  # a month's name costs more than the comparison that tells whether it is still the same one
                local = time.localtime(moment)
                shown = name if month == (local.tm_year, local.tm_mon) else day_name(moment, today)
                month = (local.tm_year, local.tm_mon)
            if shown != name:
                name = shown
                yield Row(kind=Kind.DAY, title=name)
            yield Row(
                kind=Kind.CONVERSATION, title=conversation.title or UNTITLED, conversation_id=conversation.id
            )

    def _found(self) -> Iterable[Row]:
        wanted = self._query.casefold()
        in_titles = [c for c in self._newest_first() if wanted in c.title.casefold()]
        if in_titles:
            yield Row(kind=Kind.DAY, title="Titles")
        for conversation in in_titles:
            yield Row(kind=Kind.CONVERSATION, title=conversation.title, conversation_id=conversation.id)
        in_messages = [hit for hit in self._hits if hit.message_id is not None]
        if in_messages:
            yield Row(kind=Kind.DAY, title="Messages")
        for hit in in_messages:
            yield Row(
                kind=Kind.HIT,
                title=hit.title or UNTITLED,
                conversation_id=hit.conversation_id,
                snippet=hit.snippet,
                highlights=hit.highlights,
                message_id=hit.message_id,
            )

    # --- the model's interface

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return row.title
            case Qt.ItemDataRole.ToolTipRole:
                return row.title if row.kind is Kind.CONVERSATION and len(row.title) > 28 else None
            case Qt.ItemDataRole.AccessibleTextRole:
                if row.kind is Kind.HIT:
                    return f"{row.title}: {row.snippet}"
                return f"{row.title}, answering" if self.is_streaming(row.conversation_id) else row.title
        return row if role == ROW_ROLE else None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        title = " ".join(sanitized_input(str(value)).split())[:_NAMES_KEPT]
        row = self._rows[index.row()]
        if role != Qt.ItemDataRole.EditRole or not title or title == row.title:
            return False
        self.renamed.emit(row.conversation_id, title)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return _FLAGS[self._rows[index.row()].kind]
