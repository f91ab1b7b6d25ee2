"""The journal: everything received is on disk within 100 ms, whatever becomes of the program."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Protocol

from desktop_chat.chat.handlers import StreamContext, StreamResult
from desktop_chat.domain.deltas import ReasoningDelta, StreamDelta, TextDelta
from desktop_chat.domain.errors import StorageError
from desktop_chat.storage.waiting import result_of

logger = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 0.075

RETRY_SECONDS: Final = 2.0
"""From a write that the disk refused to the next; each try holds up the writes of other answers."""


class JournalStore(Protocol):
    """What the journal needs of the conversation store, which keeps a piece that it could not write."""

    def begin_append(self, message_id: int, text: str, reasoning: str) -> Future[None]: ...


class Journal:
    """A handler that appends what arrives to the message's row, in small batches, in order.

    A write is begun and left alone: a task, and waking the event loop when it has ended, would cost more than the
    write. One that fails is tried again later, with what came meanwhile. Whatever is still pending at the end is
    covered by the final save of the whole message.

    Attributes:
        problem: why the disk refuses what arrives; ``None`` while it takes it.

    Args:
        changed: told of ``problem`` when it begins and when it is over; not after the end.
    """

    def __init__(
        self,
        store: JournalStore,
        message_id: int,
        changed: Callable[[StorageError | None], None] = lambda _problem: None,
    ) -> None:
        self._store = store
        self._message_id = message_id
        self._changed = changed
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._write: Future[None] | None = None
        self._closed = False
        self.problem: StorageError | None = None

    def started(self, context: StreamContext) -> None:
        return

    def delta(self, delta: StreamDelta) -> None:
        if isinstance(delta, TextDelta):
            self._text.append(delta.text)
        elif isinstance(delta, ReasoningDelta):
            self._reasoning.append(delta.text)
        else:
            return
        if self._timer is None:
            self._schedule()

    def finished(self, result: StreamResult) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def drained(self) -> None:
        """Wait for the write under way, so that the final save comes after it."""
        if self._write is not None:
            with contextlib.suppress(StorageError):  # which `_failed` hears of
                await result_of(self._write)

    def _schedule(self, delay_s: float = FLUSH_SECONDS) -> None:
        if self._timer is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._flush)

    def _flush(self) -> None:
        self._timer = None
        if self._write is not None and not self._write.done():  # a slow disk gets larger batches, not a queue
            self._schedule()
            return
        text, self._text = "".join(self._text), []
        reasoning, self._reasoning = "".join(self._reasoning), []
        loop = asyncio.get_running_loop()
        was_refused = self.problem is not None

        def written(write: Future[None]) -> None:
            """In the store's thread."""
            error = write.exception()
            if isinstance(error, StorageError):
                loop.call_soon_threadsafe(self._failed, error)
            elif was_refused and error is None:
                loop.call_soon_threadsafe(self._recovered)

        try:
            self._write = self._store.begin_append(self._message_id, text, reasoning)
        except StorageError as error:  # it is closed
            self._failed(error)
        else:
            self._write.add_done_callback(written)

    def _failed(self, error: StorageError) -> None:
        if self.problem is None:
            logger.warning("journal of message %d: %s", self._message_id, error)
            self.problem = error
            if not self._closed:
                self._changed(error)
        if self._timer is not None:  # begun by what arrived meanwhile
            self._timer.cancel()
            self._timer = None
        self._schedule(RETRY_SECONDS)

    def _recovered(self) -> None:
        logger.info("journal of message %d: written again", self._message_id)
        self.problem = None
        if not self._closed:
            self._changed(None)
