"""Answers that the disk refused: whole in memory, and tried again until it takes them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from desktop_chat.domain.errors import ChatError, DatabaseError
from desktop_chat.domain.messages import Message

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 3.0


class UnsavedAnswers:
    """Ended answers of which the database has only a part.

    Args:
        save: saves a whole message; gives why the disk refused, or ``None``.
        settled: told when the last of them is saved, or can never be.
    """

    def __init__(
        self,
        save: Callable[[Message], Awaitable[ChatError | None]],
        settled: Callable[[], None],
    ) -> None:
        self._save_one = save
        self._settled = settled
        self._answers: dict[int, Message] = {}
        self._one_at_a_time = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._retry: asyncio.Task[ChatError | None] | None = None
        self._closed = False

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(self._answers.values())

    def add(self, message: Message) -> None:
        self._answers[message.id] = message
        self._schedule()

    async def save(self, conversation_id: int | None = None) -> ChatError | None:
        """Try those of one conversation, or all, now; returns why the disk still refuses one."""
        refusal: ChatError | None = None
        async with self._one_at_a_time:
            waiting = [each for each in self.messages if conversation_id in (None, each.conversation_id)]
            for message in waiting:
                problem = await self._save_one(message)
                if isinstance(problem, DatabaseError):
                    refusal = problem
                    continue
                if problem is not None:  # its conversation is gone for good
                    logger.warning("message %d cannot be saved any more: %s", message.id, problem)
                del self._answers[message.id]
            if waiting and not self._answers:
                self._settled()
        return refusal

    async def close(self) -> None:
        """Try no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._retry is not None:
            self._retry.cancel()
            await asyncio.wait([self._retry])

    def _schedule(self) -> None:
        if self._timer is None and self._answers and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self._retry = asyncio.get_running_loop().create_task(self.save(), name="save again")
        self._retry.add_done_callback(self._tried)

    def _tried(self, retry: asyncio.Task[ChatError | None]) -> None:
        self._retry = self._timer = None
        if not retry.cancelled() and (failure := retry.exception()) is not None:
            logger.error("saving again failed", exc_info=failure)
        self._schedule()
