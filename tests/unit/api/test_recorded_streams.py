"""Recordings of real servers, through the real client over a local server: whole, and a byte at a time."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fault_server.reading import Answer, read_answer
from fault_server.server import FaultServer
from fault_server.wire import CHUNKED, LAST_HTTP_CHUNK, http_chunk

from desktop_chat.api.body import BodyDecoder
from desktop_chat.api.client import ChatClient
from desktop_chat.domain.profiles import Dialect

pytestmark = pytest.mark.shared_data
THINKING = "groq__model_thinking_part_iter"


@pytest.fixture(scope="session")
def streams(shared_data: Path) -> dict[str, tuple[bytes, dict[str, Any]]]:
    folder = shared_data / "streams"
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    return {name: ((folder / f"{name}.sse").read_bytes(), facts) for name, facts in expected.items()}


def check(answer: Answer, expected: dict[str, Any]) -> None:
    assert answer.text == expected["text"]
    assert answer.reasoning == expected["reasoning"]
    assert answer.tool_calls == expected["tool_calls"]
    assert answer.finish_reason == expected["finish_reason"]
    assert (answer.usage.raw if answer.usage else None) == expected["usage"]
    assert (answer.error is None) == (expected["error"] is None)
    if answer.error is not None:
        assert answer.error.message == expected["error"]["message"]


async def test_whole(streams: dict[str, tuple[bytes, dict[str, Any]]]) -> None:
    assert len(streams) == 34
    async with asyncio.timeout(60):
        for stream, expected in streams.values():
            async with (
                FaultServer([CHUNKED, http_chunk(stream), LAST_HTTP_CHUNK]) as server,
                ChatClient(server.base_url, Dialect.OPENAI, split_think_tags=False) as client,
            ):
                check(await read_answer(client), expected)


def test_a_byte_at_a_time(streams: dict[str, tuple[bytes, dict[str, Any]]]) -> None:
    for stream, expected in streams.values():
        decoder = BodyDecoder({"content-type": "text/event-stream"}, split_think_tags=False)
        answer = Answer()
        for at in range(len(stream) if len(stream) < 80_000 else 20_000):
            answer.add_all(decoder.feed(stream[at : at + 1]))
        answer.add_all(decoder.feed(stream[at + 1 :]))
        while decoder.has_more:
            answer.add_all(decoder.more())
        answer.add_all(decoder.end())
        answer.finish_reason, answer.error = decoder.codec.finish_reason, decoder.error
        check(answer, expected)


async def test_think_tags_become_reasoning(streams: dict[str, tuple[bytes, dict[str, Any]]]) -> None:
    stream, expected = streams[THINKING]
    async with (
        FaultServer([CHUNKED, http_chunk(stream), LAST_HTTP_CHUNK]) as server,
        ChatClient(server.base_url, Dialect.GROQ) as client,
    ):
        answer = await read_answer(client)
    thought, _, text = expected["text"].removeprefix("<think>").partition("</think>")
    assert answer.reasoning == thought.lstrip("\n")
    assert answer.text == text.lstrip("\n")
