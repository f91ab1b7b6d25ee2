"""One SQLite connection on one thread of its own, used from asyncio.

Calls run in the order in which they were submitted. A call that was submitted is carried out even when the task
that awaits it is cancelled: a write is never lost to a Stop or to a closing window.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from desktop_chat.domain.errors import StorageError
from desktop_chat.storage.connection import connect, storage_error, transaction
from desktop_chat.storage.migrations import migrate
from desktop_chat.storage.waiting import result_of

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)


class Database:
    """Owner of the connection and its thread.

    Args:
        path: the database file; it is made, readable by its owner only, when it is missing.
        busy_timeout_s: how long a write waits for another copy of the program.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        self.path = path
        self._busy_timeout_s = busy_timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="conversation-store")
        self._connection: sqlite3.Connection | None = None
        self._closing: Future[None] | None = None

    async def open(self) -> None:
        """Open, migrate and check the file. Raises StorageError; the file is left as it was."""
        await self._submit(self._open)

    async def close(self, last: Callable[[], None] | None = None) -> None:
        """Carry out what is queued, close, and call ``last`` on the thread. Closing twice is no error."""
        if self._closing is None:
            self._closing = self._thread.submit(self._close, last)
            self._thread.shutdown(wait=False)
        await result_of(self._closing)

    async def run(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call ``work(connection, ...)`` outside a transaction; each statement commits by itself."""
        return await self._submit(lambda: work(self._open_connection, *args, **kwargs))

    def begin(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """As `run`, for one who need not wait: no task, and the event loop is not woken at the end."""
        return self._enqueue(lambda: work(self._open_connection, *args, **kwargs))

    async def write(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call ``work`` in one transaction that survives the death of the process."""
        return await self._submit(lambda: self._transaction(work, False, *args, **kwargs))

    async def write_durably(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call ``work`` in one transaction that survives a power failure too (it waits for the disk)."""
        return await self._submit(lambda: self._transaction(work, True, *args, **kwargs))

    async def backup(self, target: Path) -> None:
        """Write a consistent, compact copy to ``target``, which is replaced only by a whole copy.

        A connection and thread of its own: the journal of a running answer does not wait for it.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix="conversation-backup")
        copying = thread.submit(self._back_up, target)
        thread.shutdown(wait=False)
        await result_of(copying)

    # --- below: on the worker thread ---------------------------------------------------------------

    async def _submit(self, call: Callable[[], T]) -> T:
        return await result_of(self._enqueue(call))

    def _enqueue(self, call: Callable[[], T]) -> Future[T]:
        try:
            return self._thread.submit(self._translated, call)
        except RuntimeError as error:  # the executor was shut down
            raise StorageError(str(error), sentence="The conversation store is already closed.") from error

    def _translated(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (sqlite3.Error, OSError) as error:
            translated = storage_error(error, self.path)
            log.warning("%s %s (%s)", translated.sentence, error, getattr(error, "sqlite_errorname", ""))
            raise translated from error

    @property
    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StorageError(sentence="The conversation store is not open.")
        return self._connection

    def _open(self) -> None:
        if not self.path.exists():  # closing a second descriptor of an open database would drop its locks
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))  # -wal and -shm take its mode
        connection = connect(self.path, self._busy_timeout_s)
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                log.warning(
                    "the file system of %s does not support write-ahead logging (%s)", self.path, mode
                )
            migrate(connection)
            # SQLite opens a file that is read-only without a word; better to hear of it now than at the first save.
            connection.execute("UPDATE migration SET applied_at = applied_at")
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _close(self, last: Callable[[], None] | None) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if last is not None:
            last()

    def _transaction(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        durable: bool,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        with transaction(self._open_connection, durable=durable) as connection:
            return work(connection, *args, **kwargs)

    def _back_up(self, target: Path) -> None:
        partial = target.with_name(f"{target.name}.partial")

        def copy() -> None:
            partial.unlink(missing_ok=True)
            with contextlib.closing(connect(self.path, self._busy_timeout_s)) as connection:
                os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
                connection.execute("VACUUM INTO ?", (str(partial),))
            partial.replace(target)

        try:
            self._translated(copy)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
