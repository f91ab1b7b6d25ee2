"""SQLite connections, transactions, and SQLite's errors in words for people."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from desktop_chat.domain.errors import DatabaseError


class DamagedDatabaseError(DatabaseError):
    """The file is not a database any more; `set_aside` moves it out of the way without destroying it."""


def connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection in autocommit mode with the settings every part of the program relies on."""
    connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(
            "PRAGMA secure_delete = ON"
        )  # what a person purged is overwritten, not only forgotten
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
    """One write transaction: all of it or nothing. ``durable`` waits until the disk has it."""
    if durable:  # the level cannot be changed inside a transaction
        connection.execute("PRAGMA synchronous = FULL")
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    finally:
        if durable:
            connection.execute("PRAGMA synchronous = NORMAL")


def primary_code(error: BaseException) -> int | None:
    """SQLite's primary result code, which is the low byte of an extended one; ``None`` for other errors."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def storage_error(error: sqlite3.Error | OSError, path: Path) -> DatabaseError:
    """The error for people: what happened to ``path`` and what to do."""
    words = str(error)
    match primary_code(error):
        case sqlite3.SQLITE_FULL:
            return DatabaseError(
                words,
                sentence="The disk is full, so the conversation could not be saved.",
                advice="Free some space; an answer that is not saved yet is kept and saved as soon as there is room.",
                retryable=True,
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return DatabaseError(
                words,
                sentence="Another program is using the conversation database.",
                advice="Close the other copy of Desktop Chat (or a tool that has the file open), then try again.",
                retryable=True,
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return DatabaseError(
                words,
                sentence="The conversation database cannot be written to.",
                advice=f"Allow yourself to write to {path} and its folder, or choose another with --data-dir.",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return DamagedDatabaseError(
                words,
                sentence="The conversation database is damaged.",
                advice=f"Nothing was deleted. Put a backup in place of {path}, or move that file away to start anew.",
            )
        case sqlite3.SQLITE_CANTOPEN:
            return DatabaseError(
                words,
                sentence="The conversation database could not be opened.",
                advice=f"Check that you may read and write {path} and its folder, or choose another with --data-dir.",
            )
        case None if isinstance(error, OSError):
            return DatabaseError(
                words,
                sentence=f"{error.filename or path} cannot be used: {error.strerror or error}.",
                advice="Check the permissions and the free space of the folder, or choose another with --data-dir.",
            )
        case _:
            return DatabaseError(words, advice=f"Check the disk that holds {path}; details are in the log.")


def set_aside(path: Path, suffix: str) -> Path:
    """Move a damaged database with its journals out of the way; returns where it is now. Raises OSError."""
    aside = path.with_name(f"{path.stem}.damaged-{suffix}{path.suffix}")
    for tail in ("-wal", "-shm", ""):
        part = path.with_name(path.name + tail)
        if part.exists():
            part.rename(aside.with_name(aside.name + tail))
    return aside
