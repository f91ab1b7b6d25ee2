"""SQL over messages and the journal. The functions take a connection and run on the store's thread.

Two invariants carry the speed: a message's id is greater than its parent's, so one descending pass over an index
yields a branch; and a running answer's text is only ever appended to the journal, so a flush costs the same
whatever the length of the answer.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from desktop_chat.domain.errors import ErrorReport, Fault, StorageError, StreamInterruptedError
from desktop_chat.domain.messages import Message, MessageState, MessageStub, Role, ToolCall
from desktop_chat.domain.metrics import Metrics
from desktop_chat.domain.text import title_from, without_lone_surrogates
from desktop_chat.storage.columns import moment, storable, to_json

ABANDONED: Final = ErrorReport(
    kind=StreamInterruptedError.kind,
    fault=Fault.PROGRAM,
    sentence="Desktop Chat ended before this answer was complete.",
    advice="What was saved of it is kept. Ask again for the whole answer.",
)
"""The error of an answer whose program died."""

_PLACE: Final = """'id', id, 'conversation_id', conversation_id, 'parent_id', parent_id, 'role', role,
    'state', state, 'created_at', created_at, 'model', model, 'profile_name', profile_name,
    'finish_reason', finish_reason, 'error', json(error), 'metrics', json(metrics),
    'sibling_index', sibling_index, 'sibling_count', sibling_count"""
_OBJECT: Final = f"""json_object({_PLACE}, 'text', text, 'reasoning', reasoning,
    'tool_calls', json(coalesce(tool_calls, '[]')))"""
_OBJECT_WITHOUT_TEXTS: Final = f"json_object({_PLACE}, 'text', '')"
_MESSAGES: Final = msgspec.json.Decoder(list[Message])


class _Link(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One message on the way from a leaf to its root."""

    id: int
    parent_id: int | None
    role: Role
    state: MessageState
    text_length: int
    reasoning_length: int


_LINKS: Final = msgspec.json.Decoder(list[_Link])


def stubs(connection: sqlite3.Connection, conversation_id: int) -> list[MessageStub]:
    """The shown branch, root first."""
    branch = [
        MessageStub(link.id, link.role, link.state, link.text_length, link.reasoning_length)
        for link in _branch(connection, conversation_id, _leaf(connection, conversation_id))
    ]
    for index, stub in enumerate(branch):
        if stub.state is MessageState.STREAMING:
            branch[index] = _with_journal_lengths(connection, stub)
    return branch


def branch(connection: sqlite3.Connection, conversation_id: int, upto: int | None) -> list[Message]:
    """Whole messages, root first, down to ``upto`` (inclusive) or the leaf."""
    leaf = _leaf(connection, conversation_id) if upto is None else upto
    return messages(connection, [link.id for link in _branch(connection, conversation_id, leaf)])


def messages(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Message]:
    """Whole messages in the order asked; unknown ids are left out."""
    return [_with_journal(connection, message) for message in _read(connection, ids, _OBJECT)]


def _read(connection: sqlite3.Connection, ids: Sequence[int], as_json: str) -> list[Message]:
    (text,) = connection.execute(
        f"""
        SELECT json_group_array({as_json}) FROM (
            SELECT m.*, c.*,
                (SELECT count(*) FROM message s
                 WHERE s.parent_id IS m.parent_id AND s.conversation_id = m.conversation_id AND s.id < m.id
                ) AS sibling_index,
                (SELECT count(*) FROM message s
                 WHERE s.parent_id IS m.parent_id AND s.conversation_id = m.conversation_id
                ) AS sibling_count
            FROM json_each(?) AS wanted
            JOIN message m ON m.id = wanted.value
            JOIN content c ON c.message_id = m.id
            ORDER BY wanted.key
        )""",
        (json.dumps(list(ids)),),
    ).fetchone()
    return _MESSAGES.decode(text)


def get(connection: sqlite3.Connection, message_id: int) -> Message:
    """Raises StorageError when there is no such message."""
    found = messages(connection, [message_id])
    if not found:
        raise _missing(message_id)
    return found[0]


def add(connection: sqlite3.Connection, message: Message, owner: str) -> Message:
    """Insert ``message`` (its id and times are not used) as the new leaf of its conversation."""
    now = moment(time.time())
    conversation_id = message.conversation_id
    known = connection.execute("SELECT title FROM conversation WHERE id = ?", (conversation_id,)).fetchone()
    if known is None:
        raise _missing_place(f"no conversation {conversation_id}")
    row_id = insert(
        connection,
        msgspec.structs.replace(message, created_at=now),
        owner if message.state is MessageState.STREAMING else None,
    )
    title = known[0]
    if not title and message.role is Role.USER:
        title = title_from(storable(message.text))
    connection.execute(
        "UPDATE conversation SET leaf_id = ?, updated_at = ?, title = ?, message_count = message_count + 1"
        " WHERE id = ?",
        (row_id, now, title, conversation_id),
    )
    return get(connection, row_id)


def insert(connection: sqlite3.Connection, message: Message, owner: str | None = None) -> int:
    """Insert the rows of one message, nothing else; returns its id."""
    if message.parent_id is not None:
        parent = connection.execute(
            "SELECT conversation_id FROM message WHERE id = ?", (message.parent_id,)
        ).fetchone()
        if parent != (message.conversation_id,):
            raise _missing_place(f"message {message.parent_id} is not in {message.conversation_id}")
    text, reasoning = storable(message.text), storable(message.reasoning)
    row_id = connection.execute(
        "INSERT INTO message (conversation_id, parent_id, role, state, created_at, text_length,"
        " reasoning_length, model, profile_name, owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.conversation_id,
            message.parent_id,
            message.role.value,
            message.state.value,
            moment(message.created_at),
            len(text),
            len(reasoning),
            storable(message.model),
            storable(message.profile_name),
            owner,
        ),
    ).lastrowid
    assert row_id is not None
    connection.execute(
        "INSERT INTO content (message_id, text, reasoning, tool_calls, finish_reason, error, metrics)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            row_id,
            text,
            reasoning,
            *_details(message.tool_calls, message.finish_reason, message.error, message.metrics),
        ),
    )
    return row_id


def append(connection: sqlite3.Connection, message_id: int, text: str, reasoning: str) -> None:
    """One journal row; the position is found through the primary key, in logarithmic time."""
    try:
        connection.execute(
            "INSERT INTO journal (message_id, position, text, reasoning)"
            " SELECT ?1, coalesce(max(position), 0) + 1, ?2, ?3 FROM journal WHERE message_id = ?1",
            (message_id, storable(text), storable(reasoning)),
        )
    except sqlite3.IntegrityError as error:
        raise _missing(message_id) from error


def finish(
    connection: sqlite3.Connection,
    message_id: int,
    *,
    state: MessageState,
    text: str,
    reasoning: str = "",
    tool_calls: tuple[ToolCall, ...] = (),
    finish_reason: str | None = None,
    error: ErrorReport | None = None,
    metrics: Metrics | None = None,
    model: str | None = None,
) -> Message:
    """Set the state and the whole texts, and drop the journal, which they replace. ``None`` keeps the model."""
    text, reasoning, tool_calls = storable(text), storable(reasoning), _storable_calls(tool_calls)
    changed = connection.execute(
        "UPDATE message SET state = ?, text_length = ?, reasoning_length = ?, model = coalesce(?, model),"
        " owner = NULL WHERE id = ?",
        (state.value, len(text), len(reasoning), None if model is None else storable(model), message_id),
    ).rowcount
    if not changed:
        raise _missing(message_id)
    connection.execute(
        "UPDATE content SET text = ?, reasoning = ?, tool_calls = ?, finish_reason = ?, error = ?, metrics = ?"
        " WHERE message_id = ?",
        (text, reasoning, *_details(tool_calls, finish_reason, error, metrics), message_id),
    )
    connection.execute("DELETE FROM journal WHERE message_id = ?", (message_id,))
    # The texts are at hand: reading 16 MB of them again would hold up the window, which shares Python's lock.
    (kept,) = _read(connection, [message_id], _OBJECT_WITHOUT_TEXTS)
    return msgspec.structs.replace(kept, text=text, reasoning=reasoning, tool_calls=tool_calls)


def reopen(connection: sqlite3.Connection, message_id: int, owner: str) -> Message:
    """Back to STREAMING, the text kept; what is appended from now on follows it."""
    message = get(connection, message_id)
    if message.state is MessageState.STREAMING:
        raise StorageError(
            f"message {message_id} is streaming",
            sentence="This answer is already being written.",
            advice="Wait until it has ended, or stop it first.",
        )
    # A piece that came after the end is not part of the text that is continued.
    connection.execute("DELETE FROM journal WHERE message_id = ?", (message_id,))
    connection.execute(
        "UPDATE message SET state = ?, owner = ? WHERE id = ?",
        (MessageState.STREAMING.value, owner, message_id),
    )
    connection.execute(
        "UPDATE content SET finish_reason = NULL, error = NULL WHERE message_id = ?", (message_id,)
    )
    return get(connection, message_id)


def streaming_owners(connection: sqlite3.Connection) -> set[str | None]:
    return {
        owner
        for (owner,) in connection.execute("SELECT DISTINCT owner FROM message WHERE state = 'streaming'")
    }


def interrupt(connection: sqlite3.Connection, owners: Iterable[str | None]) -> int:
    """End the streaming messages of these owners as INTERRUPTED with all text that was journalled."""
    ids = [
        row_id
        for owner in owners
        for (row_id,) in connection.execute(
            "SELECT id FROM message WHERE state = 'streaming' AND owner IS ?", (owner,)
        )
    ]
    for message in messages(connection, ids):
        finish(
            connection,
            message.id,
            state=MessageState.INTERRUPTED,
            text=message.text,
            reasoning=message.reasoning,
            tool_calls=message.tool_calls,
            error=ABANDONED,
            metrics=message.metrics,
        )
    return len(ids)


def select_sibling(connection: sqlite3.Connection, message_id: int, offset: int) -> int:
    """Show the version ``offset`` places further (within the ends) with its newest leaf; returns that leaf."""
    place = connection.execute(
        "SELECT conversation_id, parent_id FROM message WHERE id = ?", (message_id,)
    ).fetchone()
    if place is None:
        raise _missing(message_id)
    versions = [
        row_id
        for (row_id,) in connection.execute(
            "SELECT id FROM message WHERE conversation_id = ? AND parent_id IS ? ORDER BY id", place
        )
    ]
    index = min(max(versions.index(message_id) + offset, 0), len(versions) - 1)
    # The newest descendant has no children, for those would be newer.
    (leaf,) = connection.execute(
        """
        WITH RECURSIVE below (id) AS (
            VALUES (?1)
            UNION ALL
            SELECT m.id FROM message m JOIN below ON m.parent_id = below.id AND m.conversation_id = ?2
        )
        SELECT max(id) FROM below
        """,
        (versions[index], place[0]),
    ).fetchone()
    connection.execute("UPDATE conversation SET leaf_id = ? WHERE id = ?", (leaf, place[0]))
    return int(leaf)


def _leaf(connection: sqlite3.Connection, conversation_id: int) -> int | None:
    row = connection.execute("SELECT leaf_id FROM conversation WHERE id = ?", (conversation_id,)).fetchone()
    return row[0] if row else None


def _branch(connection: sqlite3.Connection, conversation_id: int, leaf: int | None) -> list[_Link]:
    """From the root to ``leaf``: one pass over a covering index, newest first, for parents are older."""
    if leaf is None:
        return []
    (text,) = connection.execute(
        """
        SELECT json_group_array(json_array(id, parent_id, role, state, text_length, reasoning_length))
        FROM (SELECT id, parent_id, role, state, text_length, reasoning_length FROM message
              WHERE conversation_id = ? AND id <= ? ORDER BY id DESC)""",
        (conversation_id, leaf),
    ).fetchone()
    wanted: int | None = leaf
    found = []
    for link in _LINKS.decode(text):
        if link.id == wanted:
            found.append(link)
            wanted = link.parent_id
    found.reverse()
    return found


def _with_journal_lengths(connection: sqlite3.Connection, stub: MessageStub) -> MessageStub:
    text_length, reasoning_length = connection.execute(
        "SELECT coalesce(sum(length(text)), 0), coalesce(sum(length(reasoning)), 0)"
        " FROM journal WHERE message_id = ?",
        (stub.id,),
    ).fetchone()
    return msgspec.structs.replace(
        stub,
        text_length=stub.text_length + text_length,
        reasoning_length=stub.reasoning_length + reasoning_length,
    )


def _with_journal(connection: sqlite3.Connection, message: Message) -> Message:
    if message.state is not MessageState.STREAMING:
        return message
    text, reasoning = connection.execute(
        "SELECT coalesce(group_concat(text, ''), ''), coalesce(group_concat(reasoning, ''), '')"
        " FROM (SELECT text, reasoning FROM journal WHERE message_id = ? ORDER BY position)",
        (message.id,),
    ).fetchone()
    return msgspec.structs.replace(message, text=message.text + text, reasoning=message.reasoning + reasoning)


def _storable_calls(calls: tuple[ToolCall, ...]) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(
            id=without_lone_surrogates(call.id),
            name=without_lone_surrogates(call.name),
            arguments=without_lone_surrogates(call.arguments),
        )
        for call in calls
    )


def _details(
    tool_calls: tuple[ToolCall, ...],
    finish_reason: str | None,
    error: ErrorReport | None,
    metrics: Metrics | None,
) -> tuple[str | None, ...]:
    return (
        msgspec.json.encode(_storable_calls(tool_calls)).decode() if tool_calls else None,
        None if finish_reason is None else storable(finish_reason),
        to_json(error),
        to_json(metrics),
    )


def _missing(message_id: int) -> StorageError:
    return _missing_place(f"no message {message_id}")


def _missing_place(words: str) -> StorageError:
    return StorageError(
        words,
        sentence="This message does not exist any more.",
        advice="Its conversation was deleted, perhaps in another window.",
    )
