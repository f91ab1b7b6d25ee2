"""A client that follows a script instead of a socket, so that a turn can be held at any point."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Self

from desktop_chat.api.retry import RateLimitWindow
from desktop_chat.domain.deltas import StreamDelta
from desktop_chat.domain.requests import ChatRequest

Step = Sequence[StreamDelta] | Exception | asyncio.Event


class ScriptedAnswer:
    """Yields the lists of deltas, raises the exceptions, and waits for the events of its script."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self.bytes_received = 0
        self.warnings: list[str] = []
        self.concessions: tuple[str, ...] = ()
        self.closed = False
        self.rate_limit: RateLimitWindow | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True

    async def __aiter__(self) -> AsyncIterator[list[StreamDelta]]:
        for step in self._steps:
            await asyncio.sleep(0)
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, Exception):
                raise step
            else:
                self.bytes_received += 10 * len(step)
                yield list(step)


class ScriptedClient:
    """One script a try; ``requests`` and ``answers`` are what was asked and given."""

    def __init__(self, *tries: Sequence[Step]) -> None:
        self._tries = list(tries)
        self.requests: list[ChatRequest] = []
        self.answers: list[ScriptedAnswer] = []

    def stream(
        self, request: ChatRequest, observer: object = None, *, recorder: object = None
    ) -> ScriptedAnswer:
        self.requests.append(request)
        self.answers.append(ScriptedAnswer(self._tries.pop(0)))
        return self.answers[-1]
