"""Search as one types, over titles and message texts: every word of the query must begin some word of the text.

Scripts written without spaces, and queries of signs alone, are searched as substrings: the tokenizer would take a
whole run of them for one word, or for none.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any, Final

from desktop_chat.domain.conversations import SearchHit
from desktop_chat.domain.messages import Role
from desktop_chat.storage.columns import storable

# Unicode noncharacters: they mark the matches within a snippet and stand in no text.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_MARKS: Final = re.compile(f"[{_OPEN}{_CLOSE}]")
_SNIPPET_WORDS: Final = 16
_SNIPPET_MARGIN: Final = 48  # characters on each side of a substring match
_WORD_CHARACTER: Final = re.compile(r"[^\W_]")
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_MAXIMUM_TERMS: Final = 16

INDEXES: Final = ("title_search", "text_search")

_TITLES: Final = """
    SELECT c.id, c.title, NULL, NULL, {snippet}, c.created_at
    FROM {source}
    WHERE {condition} AND c.deleted_at IS NULL"""
_MESSAGES: Final = """
    SELECT c.id, c.title, m.id, m.role, {snippet}, m.created_at
    FROM {source}
    CROSS JOIN message m ON m.id = {key}
    CROSS JOIN conversation c ON c.id = m.conversation_id
    WHERE {condition} AND c.deleted_at IS NULL"""


def search(connection: sqlite3.Connection, query: str, limit: int) -> list[SearchHit]:
    """Titles first, then messages, each newest first. Any text is a valid query; an empty one finds nothing."""
    terms = storable(_MARKS.sub("", query)).split()[:_MAXIMUM_TERMS]
    words = [term for term in terms if _WORD_CHARACTER.search(term)]
    if not terms or limit <= 0:
        return []
    if not words or any(_UNSPACED.search(term) for term in terms):
        return _by_substring(connection, terms, limit)
    match = " ".join(f'"{word.replace(chr(34), chr(34) * 2)}"*' for word in words)
    return _by_index(connection, match, limit)


def merge_some(connection: sqlite3.Connection, index: str, pages: int) -> bool:
    """A step of merging an index into one piece, which forgets removed words; whether there was work left.

    A negative number of ``pages`` begins, positive ones go on (FTS5, "The 'merge' Command").
    """
    before = connection.total_changes
    connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('merge', ?)", (pages,))
    return connection.total_changes - before >= 2


def _by_index(connection: sqlite3.Connection, match: str, limit: int) -> list[SearchHit]:
    hits: list[SearchHit] = []
    for template, index, source, key in (
        (
            _TITLES,
            "title_search",
            "title_search CROSS JOIN conversation c ON c.id = title_search.rowid",
            "c.id",
        ),
        (_MESSAGES, "text_search", "text_search", "text_search.rowid"),
    ):
        statement = template.format(
            snippet=f"snippet({index}, 0, '{_OPEN}', '{_CLOSE}', '…', {_SNIPPET_WORDS})",
            source=source,
            key=key,
            condition=f"{index} MATCH ?",
        )
        rows = connection.execute(
            f"{statement} ORDER BY {index}.rowid DESC LIMIT ?", (match, limit - len(hits))
        )
        hits += [_hit(row, row[4]) for row in rows]
    return hits


def _by_substring(connection: sqlite3.Connection, terms: list[str], limit: int) -> list[SearchHit]:
    escaped = [re.sub(r"([\\%_])", r"\\\1", term) for term in terms]
    marker = re.compile("|".join(map(re.escape, sorted(terms, key=len, reverse=True))), re.IGNORECASE)
    hits: list[SearchHit] = []
    for template, column, source, key in (
        (_TITLES, "c.title", "conversation c", "c.id"),
        (_MESSAGES, "content.text", "content", "content.message_id"),
    ):
        statement = template.format(
            snippet=column,
            source=source,
            key=key,
            condition=" AND ".join([f"{column} LIKE ? ESCAPE '\\'"] * len(terms)),
        )
        patterns = [f"%{term}%" for term in escaped]
        rows = connection.execute(f"{statement} ORDER BY {key} DESC LIMIT ?", (*patterns, limit - len(hits)))
        hits += [_hit(row, _marked(row[4], marker)) for row in rows]
    return hits


def _marked(text: str, marker: re.Pattern[str]) -> str:
    """The surroundings of the first match, with marks around each match."""
    text = _MARKS.sub("", text)
    first = marker.search(text)
    middle = first.start() if first else 0
    start, end = max(0, middle - _SNIPPET_MARGIN), middle + 2 * _SNIPPET_MARGIN
    excerpt = marker.sub(lambda match: f"{_OPEN}{match[0]}{_CLOSE}", text[start:end])
    return f"{'…' if start else ''}{excerpt}{'…' if end < len(text) else ''}"


def _hit(row: tuple[Any, ...], marked: str) -> SearchHit:
    conversation_id, title, message_id, role, _, created_at = row
    snippet, highlights = _plain(re.sub(r"\s+", " ", marked))
    return SearchHit(
        conversation_id=conversation_id,
        title=title,
        message_id=message_id,
        role=None if role is None else Role(role),
        snippet=snippet,
        highlights=highlights,
        created_at=created_at,
    )


def _plain(marked: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The text without its marks, and where they were."""
    pieces: list[str] = []
    highlights: list[tuple[int, int]] = []
    length, start, last = 0, None, 0
    for mark in _MARKS.finditer(marked):
        piece = marked[last : mark.start()]
        pieces.append(piece)
        length += len(piece)
        last = mark.end()
        if mark[0] == _OPEN:
            start = length
        elif start is not None:
            highlights.append((start, length))
            start = None
    pieces.append(marked[last:])
    return "".join(pieces), tuple(highlights)
