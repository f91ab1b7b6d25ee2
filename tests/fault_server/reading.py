"""Reading an answer through the public client, the way every consumer does."""

from __future__ import annotations

from typing import Any

import msgspec
from fault_server.wire import MODEL

from desktop_chat.api.client import ChatClient
from desktop_chat.api.recording import StreamRecorder
from desktop_chat.domain.deltas import (
    ReasoningDelta,
    StreamDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReport,
)
from desktop_chat.domain.errors import ChatError
from desktop_chat.domain.messages import Role
from desktop_chat.domain.requests import ChatRequest, GenerationParameters, RequestMessage


class Answer(msgspec.Struct):
    """All that came of one answer."""

    text: str = ""
    reasoning: str = ""
    tool_calls: list[dict[str, str]] = []
    usage: Usage | None = None
    finish_reason: str | None = None
    done: bool = False
    warnings: tuple[str, ...] = ()
    error: ChatError | None = None
    bytes_received: int = 0

    def add(self, delta: StreamDelta) -> None:
        if isinstance(delta, TextDelta):
            self.text += delta.text
        elif isinstance(delta, ReasoningDelta):
            self.reasoning += delta.text
        elif isinstance(delta, ToolCallDelta):
            while len(self.tool_calls) <= delta.index:
                self.tool_calls.append({"id": "", "name": "", "arguments": ""})
            call = self.tool_calls[delta.index]
            call["id"] += delta.id
            call["name"] += delta.name
            call["arguments"] += delta.arguments
        elif isinstance(delta, UsageReport):
            self.usage = delta.usage or self.usage

    def add_all(self, deltas: list[StreamDelta]) -> None:
        for delta in deltas:
            self.add(delta)


def question(text: str = "Hi", continue_from: str | None = None, **parameters: Any) -> ChatRequest:
    return ChatRequest(
        model=MODEL,
        messages=(RequestMessage(role=Role.USER, text=text),),
        parameters=GenerationParameters(**parameters),
        continue_from=continue_from,
    )


async def read_answer(
    client: ChatClient,
    request: ChatRequest | None = None,
    observer: Any = None,
    recorder: StreamRecorder | None = None,
) -> Answer:
    """Ask and read to the end, whatever that is."""
    answer = Answer()
    stream = client.stream(request or question(), observer, recorder=recorder)
    try:
        async with stream:
            async for deltas in stream:
                answer.add_all(deltas)
    except ChatError as error:
        answer.error = error
    answer.finish_reason = stream.finish_reason
    answer.done = stream.done
    answer.warnings = stream.warnings
    answer.bytes_received = stream.bytes_received
    return answer
