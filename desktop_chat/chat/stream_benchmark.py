"""The streaming engine at full speed: a local server, httpx, decoder, codec and session, beside `json.loads` alone."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from desktop_chat.api.client import ChatClient
from desktop_chat.chat.handlers import Outcome, StreamContext
from desktop_chat.chat.session import ChatSession
from desktop_chat.demo.tokens import pieces
from desktop_chat.domain.measurements import Measurement
from desktop_chat.domain.messages import Role
from desktop_chat.domain.profiles import Dialect
from desktop_chat.domain.requests import ChatRequest, RequestMessage

_SHORT: Final = 2_000
_LONG: Final = 200_000
_PASSES: Final = 3
_TEXT: Final = "A token is a piece of a word; a thousand of them come in a second, and none may wait. "


Run = Callable[[Callable[[], Coroutine[None, None, float]]], float]
"""Runs a coroutine function on some kind of event loop and returns its result."""


def measure() -> list[Measurement]:
    parse = json_seconds()
    short = min(session_seconds(_SHORT) for _ in range(_PASSES * 3)) / _SHORT
    long = event_seconds(on_asyncio)
    return [
        Measurement(
            what=f"CPU an event, stream of {_LONG:,}",
            value=long * 1e6,
            unit="us",
            baseline=parse * 1e6,
            baseline_name="json.loads of the same payloads",
            target="at most 5 times json.loads",
        ),
        Measurement(
            what=f"CPU an event, {_LONG:,} against {_SHORT:,} events",
            value=long * 1e6,
            unit="us",
            baseline=short * 1e6,
            baseline_name=f"the same in a stream of {_SHORT:,}",
            target="at most 1.1 times",
        ),
        Measurement(what="events a second of CPU", value=1 / long, unit="/s"),
    ]


def json_seconds() -> float:
    """CPU seconds of `json.loads` for the payload of one event."""
    payloads = _payloads(_SHORT)
    return min(_json_seconds(payloads) for _ in range(_PASSES)) / _SHORT


def event_seconds(run: Run) -> float:
    """CPU seconds of the event loop's thread for one event of a long stream, on the loop that ``run`` gives."""
    return min(session_seconds(_LONG, run) for _ in range(_PASSES)) / _LONG


def on_asyncio(main: Callable[[], Coroutine[None, None, float]]) -> float:
    """Run on asyncio's own event loop."""
    return asyncio.run(main())


def _payloads(count: int) -> list[bytes]:
    """``count`` chunks as Mistral sends them, the last with finish reason and usage."""
    tokens = pieces(_TEXT)
    head = {
        "id": "5319bd0299614c679a0068a4f2c8ffd0",
        "object": "chat.completion.chunk",
        "created": 1769088720,
    }
    chunks: list[dict[str, object]] = []
    for index in range(count):
        choice: dict[str, object] = {
            "index": 0,
            "delta": {"content": tokens[index % len(tokens)]},
            "finish_reason": None,
            "logprobs": None,
        }
        chunks.append({**head, "model": "mistral-small-latest", "choices": [choice]})
    chunks[-1]["choices"] = [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]
    chunks[-1]["usage"] = {"prompt_tokens": 10, "completion_tokens": count, "total_tokens": count + 10}
    return [json.dumps(chunk, separators=(",", ":")).encode() for chunk in chunks]


def _json_seconds(payloads: list[bytes]) -> float:
    begun = time.thread_time()
    for payload in payloads:
        json.loads(payload)
    return time.thread_time() - begun


def session_seconds(count: int, run: Run = on_asyncio) -> float:
    """CPU seconds of the event loop's thread for one whole turn."""
    with _event_server(count) as url:
        return run(partial(_turn_seconds, url))


async def _turn_seconds(url: str) -> float:
    request = ChatRequest(model="m", messages=(RequestMessage(role=Role.USER, text="Hello"),))
    async with ChatClient(url, Dialect.MISTRAL) as client:

        async def prepare() -> tuple[ChatClient, ChatRequest]:
            return client, request

        context = StreamContext(conversation_id=None, message_id=None, profile_name="", model="m")
        turn = ChatSession(context, prepare)
        begun = time.thread_time()
        turn.start()
        result = await turn.wait()
        elapsed = time.thread_time() - begun
    if result.outcome is not Outcome.COMPLETE:
        raise RuntimeError(f"the benchmark's stream ended as {result.outcome}: {result.error}")
    return elapsed


@contextmanager
def _event_server(count: int) -> Iterator[str]:
    """A server that answers one request with ``count`` events as fast as the client reads them.

    Its thread only hands ready bytes to the kernel, without the interpreter lock.
    """
    body = b"".join(b"data: %b\n\n" % payload for payload in _payloads(count)) + b"data: [DONE]\n\n"
    response = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(response)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, name="event-server")
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        thread.join()
