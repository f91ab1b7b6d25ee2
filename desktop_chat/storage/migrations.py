"""The database schema as a list of steps. A step that was released is never edited; add another one.

Each step runs in one transaction together with its record, so a database is always exactly between two steps.

    conversation 1 ── n message 1 ── 1 content        message: narrow, one per version of a turn, knows its parent
                              1 ── n journal          content: the texts, apart, so that a walk does not read them
                                                      journal: what arrived since the answer was (re)opened
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Final

from desktop_chat.domain.errors import StorageError
from desktop_chat.storage.connection import transaction

Migration = Callable[[sqlite3.Connection], None]


def m001_conversations(connection: sqlite3.Connection) -> None:
    """Conversations as trees of messages, with the journal of running answers."""
    connection.execute("""
        CREATE TABLE conversation (
            id            INTEGER PRIMARY KEY AUTOINCREMENT,
            title         TEXT NOT NULL,
            created_at    REAL NOT NULL,
            updated_at    REAL NOT NULL,
            deleted_at    REAL,
            profile_id    TEXT NOT NULL,
            model         TEXT NOT NULL,
            system_prompt TEXT NOT NULL,
            parameters    TEXT NOT NULL,
            draft         TEXT NOT NULL DEFAULT '',
            leaf_id       INTEGER,
            message_count INTEGER NOT NULL DEFAULT 0
        )""")
    connection.execute("""
        CREATE TABLE message (
            id               INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation_id  INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
            parent_id        INTEGER REFERENCES message (id) CHECK (parent_id < id),
            role             TEXT NOT NULL,
            state            TEXT NOT NULL,
            created_at       REAL NOT NULL,
            text_length      INTEGER NOT NULL,
            reasoning_length INTEGER NOT NULL DEFAULT 0,
            model            TEXT NOT NULL,
            profile_name     TEXT NOT NULL
        )""")
    connection.execute("""
        CREATE TABLE content (
            message_id    INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
            text          TEXT NOT NULL,
            reasoning     TEXT NOT NULL DEFAULT '',
            tool_calls    TEXT,
            finish_reason TEXT,
            error         TEXT,
            metrics       TEXT
        )""")
    connection.execute("""
        CREATE TABLE journal (
            message_id INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
            position   INTEGER NOT NULL,
            text       TEXT NOT NULL,
            reasoning  TEXT NOT NULL,
            PRIMARY KEY (message_id, position)
        ) WITHOUT ROWID""")
    connection.execute("""
        CREATE INDEX conversation_by_time ON conversation (updated_at DESC, id DESC) WHERE deleted_at IS NULL""")
    # Covers the walk along a branch: it never touches the table itself.
    connection.execute("""
        CREATE INDEX message_branch ON message
            (conversation_id, id DESC, parent_id, role, state, text_length, reasoning_length)""")
    connection.execute("CREATE INDEX message_children ON message (parent_id, conversation_id)")


def m002_full_text_search(connection: sqlite3.Connection) -> None:
    """Indexes over titles and texts. Triggers keep them exact; a journal row does not touch them."""
    for index, table, key, column in (
        ("title_search", "conversation", "id", "title"),
        ("text_search", "content", "message_id", "text"),
    ):
        connection.execute(f"""
            CREATE VIRTUAL TABLE {index} USING fts5 (
                {column}, content = '{table}', content_rowid = '{key}',
                tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2'
            )""")
        remove = f"INSERT INTO {index} ({index}, rowid, {column}) VALUES ('delete', old.{key}, old.{column});"
        insert = f"INSERT INTO {index} (rowid, {column}) VALUES (new.{key}, new.{column});"
        connection.execute(f"CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN {insert} END")
        connection.execute(f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN {remove} END")
        connection.execute(f"""
            CREATE TRIGGER {index}_update AFTER UPDATE OF {column} ON {table}
            WHEN old.{column} IS NOT new.{column} BEGIN {remove} {insert} END""")
        connection.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")


def m003_stream_owners(connection: sqlite3.Connection) -> None:
    """Which running copy of the program writes a streaming message; see `owners`."""
    connection.execute("ALTER TABLE message ADD COLUMN owner TEXT")
    connection.execute("CREATE INDEX message_streaming ON message (owner) WHERE state = 'streaming'")


MIGRATIONS: Final[tuple[Migration, ...]] = (m001_conversations, m002_full_text_search, m003_stream_owners)


def migrate(connection: sqlite3.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Apply the steps the database lacks, each in one transaction with its record.

    Raises:
        StorageError: the database was made by a newer version of the program.
        sqlite3.Error: as from the statements; the step is rolled back.
    """
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied_at REAL NOT NULL)"
    )
    applied = _applied(connection)
    unknown = applied - {migration.__name__ for migration in migrations}
    if unknown:
        raise StorageError(
            f"unknown migrations: {', '.join(sorted(unknown))}",
            sentence="These conversations were saved by a newer version of Desktop Chat.",
            advice="Update Desktop Chat, or start it with another --data-dir. Nothing was changed.",
        )
    for migration in migrations:
        if migration.__name__ in applied:
            continue
        with transaction(connection, durable=True):
            # Another copy of the program may have been quicker while this one waited for the lock.
            if migration.__name__ not in _applied(connection):
                migration(connection)
                connection.execute("INSERT INTO migration VALUES (?, ?)", (migration.__name__, time.time()))


def _applied(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM migration")}
