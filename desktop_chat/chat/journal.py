"""The journal: everything received is on disk within 100 ms, whatever becomes of the program."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

from desktop_chat.chat.handlers import StreamContext, StreamResult
from desktop_chat.domain.deltas import ReasoningDelta, StreamDelta, TextDelta
from desktop_chat.domain.errors import StorageError

logger = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 0.075


class JournalStore(Protocol):
    """What the journal needs of the conversation store."""

    async def append(self, message_id: int, text: str = "", reasoning: str = "") -> None: ...


class Journal:
    """A handler that appends what arrives to the message's row, in small batches, in order.

    A write that fails keeps its text pending and is tried again with the next batch; the first failure is kept
    in ``problem``. Whatever is still pending at the end is covered by the final save of the whole message.
    """

    def __init__(self, store: JournalStore, message_id: int) -> None:
        self._store = store
        self._message_id = message_id
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._write: asyncio.Task[None] | None = None
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
        if self._timer is None and self._write is None:
            self._schedule()

    def finished(self, result: StreamResult) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def drained(self) -> None:
        """Wait for the write under way, so that the final save comes after it."""
        if self._write is not None:
            await asyncio.wait([self._write])

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._write = asyncio.get_running_loop().create_task(self._append_pending(), name="journal")

    async def _append_pending(self) -> None:
        text, self._text = "".join(self._text), []
        reasoning, self._reasoning = "".join(self._reasoning), []
        try:
            await self._store.append(self._message_id, text=text, reasoning=reasoning)
        except StorageError as error:
            if self.problem is None:
                logger.warning("journal of message %d: %s", self._message_id, error)
                self.problem = error
            self._text.insert(0, text)
            self._reasoning.insert(0, reasoning)
        finally:
            self._write = None
            if not self._closed and (self._text or self._reasoning):
                self._schedule()
