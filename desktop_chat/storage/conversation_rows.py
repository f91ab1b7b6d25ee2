"""SQL over conversations. The functions take a connection and run on the store's thread."""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Final, TypedDict

import msgspec

from desktop_chat.domain.conversations import Conversation
from desktop_chat.domain.errors import StorageError
from desktop_chat.domain.requests import GenerationParameters
from desktop_chat.storage.columns import moment, storable, to_json


class ConversationChanges(TypedDict, total=False):
    """What may be changed in a conversation; see `Conversation`."""

    title: str
    profile_id: str
    model: str
    system_prompt: str
    parameters: GenerationParameters
    draft: str
    leaf_id: int | None


_PURGING: Final = 0.0  # a ``deleted_at`` that no clock gives
_IMPORT_GRACE_S: Final = 3600.0
_OBJECT: Final = """json_object(
    'id', id, 'title', title, 'created_at', created_at, 'updated_at', updated_at, 'profile_id', profile_id,
    'model', model, 'system_prompt', system_prompt, 'parameters', json(parameters), 'draft', draft,
    'leaf_id', leaf_id, 'message_count', message_count)"""
_DECODER: Final = msgspec.json.Decoder(list[Conversation])


def listed(connection: sqlite3.Connection, limit: int | None) -> list[Conversation]:
    return _select(
        connection,
        "WHERE deleted_at IS NULL ORDER BY updated_at DESC, id DESC LIMIT ?",
        -1 if limit is None else limit,
    )


def find(connection: sqlite3.Connection, conversation_id: int) -> Conversation | None:
    found = _select(connection, "WHERE id = ? AND deleted_at IS NULL", conversation_id)
    return found[0] if found else None


def get(connection: sqlite3.Connection, conversation_id: int) -> Conversation:
    """As `find`. Raises StorageError when there is none."""
    conversation = find(connection, conversation_id)
    if conversation is None:
        raise _missing(conversation_id)
    return conversation


def create(
    connection: sqlite3.Connection,
    title: str,
    profile_id: str,
    model: str,
    system_prompt: str,
    parameters: GenerationParameters,
) -> Conversation:
    now = moment(time.time())
    texts = (storable(title), storable(profile_id), storable(model), storable(system_prompt))
    row_id = connection.execute(
        "INSERT INTO conversation (title, profile_id, model, system_prompt, parameters, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*texts, to_json(parameters) or "{}", now, now),
    ).lastrowid
    assert row_id is not None
    return get(connection, row_id)


def update(
    connection: sqlite3.Connection, conversation_id: int, changes: ConversationChanges
) -> Conversation:
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in ConversationChanges.__annotations__:
            raise TypeError(f"a conversation has no changeable {name!r}")
        if name == "leaf_id":
            _check_leaf(connection, conversation_id, value)
            columns[name] = value
        else:
            columns[name] = storable(value) if isinstance(value, str) else to_json(value) or "{}"
    if columns:
        assignments = ", ".join(f"{name} = ?" for name in columns)  # the names are those of the TypedDict
        connection.execute(
            f"UPDATE conversation SET {assignments} WHERE id = ?", (*columns.values(), conversation_id)
        )
    return get(connection, conversation_id)


def mark_deleted(connection: sqlite3.Connection, conversation_id: int) -> None:
    connection.execute(
        "UPDATE conversation SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL",
        (time.time(), conversation_id),
    )


def restore(connection: sqlite3.Connection, conversation_id: int) -> Conversation:
    connection.execute(
        "UPDATE conversation SET deleted_at = NULL WHERE id = ? AND deleted_at > ?",
        (conversation_id, _PURGING),
    )
    return get(connection, conversation_id)


def begin_purge(connection: sqlite3.Connection, older_than_s: float) -> list[int]:
    """Ids of the conversations to be purged; from now on they cannot be restored."""
    due = connection.execute(
        "UPDATE conversation SET deleted_at = ? WHERE deleted_at <= ? RETURNING id",
        (_PURGING, time.time() - older_than_s),
    )
    return [row_id for (row_id,) in due]


def purge_some(connection: sqlite3.Connection, conversation_id: int, count: int) -> bool:
    """Remove ``count`` messages, children first, with their texts and index entries; whether all is gone."""
    removed = connection.execute(
        "DELETE FROM message WHERE id IN"
        " (SELECT id FROM message WHERE conversation_id = ? ORDER BY id DESC LIMIT ?)",
        (conversation_id, count),
    ).rowcount
    if removed < count:
        connection.execute("DELETE FROM conversation WHERE id = ?", (conversation_id,))
    return removed < count


def hide_for_import(connection: sqlite3.Connection, conversation_id: int) -> None:
    """Keep a half-imported conversation out of sight; if the program dies, a later purge removes it."""
    connection.execute(
        "UPDATE conversation SET deleted_at = ? WHERE id = ?",
        (time.time() + _IMPORT_GRACE_S, conversation_id),
    )


def end_import(
    connection: sqlite3.Connection,
    conversation_id: int,
    original: Conversation,
    leaf_id: int | None,
    count: int,
) -> Conversation:
    """Show an imported conversation, with the times and the draft of its original."""
    connection.execute(
        "UPDATE conversation SET deleted_at = NULL, draft = ?, leaf_id = ?, message_count = ?,"
        " created_at = coalesce(?, created_at), updated_at = coalesce(?, updated_at) WHERE id = ?",
        (
            storable(original.draft),
            leaf_id,
            count,
            moment(original.created_at) or None,
            moment(original.updated_at) or None,
            conversation_id,
        ),
    )
    return get(connection, conversation_id)


def _check_leaf(connection: sqlite3.Connection, conversation_id: int, leaf_id: object) -> None:
    known = (
        leaf_id is None
        or connection.execute(
            "SELECT 1 FROM message WHERE id = ? AND conversation_id = ?", (leaf_id, conversation_id)
        ).fetchone()
    )
    if not known:
        raise ValueError(f"message {leaf_id} is not in conversation {conversation_id}")


def _select(connection: sqlite3.Connection, clauses: str, *parameters: object) -> list[Conversation]:
    (text,) = connection.execute(
        f"SELECT json_group_array({_OBJECT}) FROM (SELECT * FROM conversation {clauses})", parameters
    ).fetchone()
    return _DECODER.decode(text)


def _missing(conversation_id: int) -> StorageError:
    return StorageError(
        f"no conversation {conversation_id}",
        sentence="This conversation does not exist any more.",
        advice="It was deleted, perhaps in another window. Choose another one.",
    )
