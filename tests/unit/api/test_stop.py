"""Stopping: in every phase the task ends at once and the server sees the connection close."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable

import pytest
from fault_server.reading import question
from fault_server.server import WAIT_FOR_CLIENT_TO_LEAVE, FaultServer, Forever, Script
from fault_server.wire import ANSWER, chunk, head

from desktop_chat.api.client import ChatClient
from desktop_chat.domain.profiles import Dialect

CATCH_S = 20.0
PHASES: dict[str, Script] = {
    "before the headers": [WAIT_FOR_CLIENT_TO_LEAVE],
    "in the middle of the headers": [head()[:15], WAIT_FOR_CLIENT_TO_LEAVE],
    "before the first payload": [head(), b": wait\n\n", WAIT_FOR_CLIENT_TO_LEAVE],
    "between payloads": [head(), chunk("Hello"), WAIT_FOR_CLIENT_TO_LEAVE],
    "in an error body": [head("500 Internal Server Error"), b"boom", WAIT_FOR_CLIENT_TO_LEAVE],
    "in a whole completion": [head(content_type="application/json"), b'{"choices"', WAIT_FOR_CLIENT_TO_LEAVE],
    "under a flood": [head(), Forever(chunk("flood") * 100)],
}


async def read(client: ChatClient) -> None:
    async with client.stream(question()) as answer:
        async for _ in answer:
            pass


async def start_and_cancel(client: ChatClient, ready: Callable[[], Awaitable[object]]) -> None:
    task = asyncio.ensure_future(read(client))
    await ready()
    for _ in range(20):  # into the wait that follows
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


@pytest.mark.parametrize("phase", PHASES)
async def test_cancelling_closes_the_socket(phase: str) -> None:
    async with (
        asyncio.timeout(CATCH_S),
        FaultServer(PHASES[phase]) as server,
        ChatClient(server.base_url, Dialect.OPENAI) as client,
    ):
        await start_and_cancel(client, server.answering.wait)
        await server.client_left.wait()
        await server.all_clients_left()


async def test_leaving_the_answer_early_closes_the_socket() -> None:
    async with (
        asyncio.timeout(CATCH_S),
        FaultServer(PHASES["under a flood"]) as server,
        ChatClient(server.base_url, Dialect.OPENAI) as client,
    ):
        async with client.stream(question()) as answer:
            async for _ in answer:
                break
        await server.client_left.wait()


async def test_an_answer_left_early_does_not_reach_the_next() -> None:
    scripts: list[Script] = [[head(), chunk("old"), WAIT_FOR_CLIENT_TO_LEAVE], [head(), ANSWER]]
    async with (
        asyncio.timeout(CATCH_S),
        FaultServer(*scripts) as server,
        ChatClient(server.base_url, Dialect.OPENAI) as client,
    ):
        async with client.stream(question()) as first:
            await anext(first)
        async with client.stream(question()) as second:
            texts = [delta for deltas in [item async for item in second] for delta in deltas]
    assert "old" not in repr(texts)


async def test_stopping_during_the_name_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer_now = threading.Event(), threading.Event()
    real = socket.getaddrinfo

    def slow(host: str, *rest: object, **options: object) -> object:
        if host != "slow.example" or options.get("flags"):
            return real(host, *rest, **options)  # type: ignore[arg-type]
        asked.set()
        answer_now.wait(CATCH_S)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    async with asyncio.timeout(CATCH_S), ChatClient("http://slow.example/v1", Dialect.OPENAI) as client:
        task = asyncio.ensure_future(read(client))
        while not asked.is_set():
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert not answer_now.is_set()  # the look-up is still going on, and nobody waits for it
    answer_now.set()


async def test_stopping_during_the_tls_handshake() -> None:
    async with (
        asyncio.timeout(CATCH_S),
        FaultServer([WAIT_FOR_CLIENT_TO_LEAVE]) as server,
        ChatClient(f"https://127.0.0.1:{server.port}/v1", Dialect.OPENAI) as client,
    ):
        task = asyncio.ensure_future(read(client))
        while not server.open_connections:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await server.all_clients_left()


async def test_closing_the_client_ends_a_running_answer() -> None:
    async with asyncio.timeout(CATCH_S), FaultServer(PHASES["between payloads"]) as server:
        client = ChatClient(server.base_url, Dialect.OPENAI)
        task = asyncio.ensure_future(read(client))
        await server.answering.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        await client.aclose()
        await asyncio.wait([task])
        assert task.exception() is not None
        await server.all_clients_left()
