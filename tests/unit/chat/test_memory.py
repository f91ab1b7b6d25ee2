"""A very long answer costs its text and little else."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from typing import cast

from scripted_client import ScriptedAnswer, ScriptedClient

from desktop_chat.api.client import ChatClient
from desktop_chat.chat.handlers import Outcome, StreamContext
from desktop_chat.chat.session import ChatSession
from desktop_chat.domain.deltas import Finished, StreamDelta, TextDelta
from desktop_chat.domain.requests import ChatRequest

TOKENS = 200_000


class EndlessAnswer(ScriptedAnswer):
    async def __aiter__(self) -> AsyncIterator[list[StreamDelta]]:
        for number in range(TOKENS // 100):
            if number % 100 == 0:
                await asyncio.sleep(0)
            yield [TextDelta(f" tok{number:04}") for _ in range(100)]
        yield [Finished("stop")]


class EndlessClient(ScriptedClient):
    def stream(
        self, request: ChatRequest, observer: object = None, *, recorder: object = None
    ) -> ScriptedAnswer:
        return EndlessAnswer([])


async def test_memory_is_the_text_and_a_constant() -> None:
    async def prepare() -> tuple[ChatClient, ChatRequest]:
        return cast("ChatClient", EndlessClient()), ChatRequest(model="m", messages=())

    context = StreamContext(conversation_id=None, message_id=None, profile_name="p", model="m")
    session = ChatSession(context, prepare)
    tracemalloc.start()
    try:
        session.start()
        result = await session.wait()
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.outcome is Outcome.COMPLETE
    assert len(result.text) == 8 * TOKENS
    # Twice the text while its chunks are joined, and half a megabyte for everything else.
    assert peak < 2 * len(result.text) + 500_000
