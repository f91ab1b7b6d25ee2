"""Which copies of the program are alive, so that one does not take another's running answers for abandoned.

Each open store holds an exclusive lock on a small file of its own; the system lets go of it when the process ends,
however it ends. The lock is SQLite's, which is the one portable file lock that is already here: an empty database
under ``BEGIN EXCLUSIVE``.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
import uuid
from pathlib import Path
from typing import Final

from desktop_chat.storage.connection import primary_code

log = logging.getLogger(__name__)

_LEFTOVER_AGE_S: Final = 60.0


class Owner:
    """This store's sign of life. Use from one thread.

    Attributes:
        token: written into the rows of messages this store is streaming.
    """

    def __init__(self, database: Path) -> None:
        self.token = uuid.uuid4().hex
        self._folder = database.with_name(f"{database.name}.owners")
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Show the sign of life. Raises OSError or sqlite3.Error."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = self._folder / self.token
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self._connection = _lock(file)
        self._remove_leftovers()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._remove(self.token)

    def is_alive(self, token: str | None) -> bool:
        """Whether the store with this token is open in some process. A dead one's file is removed."""
        if token is None or not (self._folder / token).exists():
            return False
        if token == self.token:
            return True
        connection = _lock(self._folder / token)
        if connection is None:
            return True
        connection.close()
        self._remove(token)
        return False

    def _remove_leftovers(self) -> None:
        """Remove the files of killed copies; a young one may be about to be locked."""
        for file in self._folder.iterdir():
            with contextlib.suppress(OSError, sqlite3.Error):
                if time.time() - file.stat().st_mtime > _LEFTOVER_AGE_S:
                    self.is_alive(file.name)

    def _remove(self, token: str) -> None:
        try:
            (self._folder / token).unlink(missing_ok=True)
        except OSError as error:  # Windows: a virus scanner may hold it; the next start removes it
            log.info("a lock file stays behind: %s", error)


def _lock(file: Path) -> sqlite3.Connection | None:
    """A connection that holds the file's lock until it is closed; ``None`` when another one does."""
    connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = MEMORY")  # nothing is written, so no second file either
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        connection.close()
        if primary_code(error) == sqlite3.SQLITE_BUSY:
            return None
        raise
    return connection
