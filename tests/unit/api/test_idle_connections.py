"""Kept-alive connections that the server closes while the next request is on its way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from desktop_chat.api.client import ChatClient
from desktop_chat.domain.errors import NetworkCause, NetworkError
from desktop_chat.domain.profiles import Dialect

_MODELS = b'{"data": [{"id": "tiny"}]}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(_MODELS),
    _MODELS,
)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


@contextlib.asynccontextmanager
async def _served(serve: Serve) -> AsyncIterator[tuple[ChatClient, list[int]]]:
    """A client of a server, and the numbers of the connections that the server got requests on."""
    requests: list[int] = []
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        number = connections
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while not writer.is_closing():
                await reader.readuntil(b"\r\n\r\n")
                requests.append(number)
                await serve(reader, writer, requests.count(number))
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with ChatClient(f"http://127.0.0.1:{port}/v1", Dialect.OPENAI) as client:
            yield client, requests
    finally:
        server.close()
        await server.wait_closed()


async def _hang_up_on_the_second(_: asyncio.StreamReader, writer: asyncio.StreamWriter, nth: int) -> None:
    if nth == 1:
        writer.write(_ANSWER)
    else:
        writer.transport.abort()


async def test_a_request_on_a_connection_that_was_just_closed_goes_out_again_on_a_new_one() -> None:
    async with _served(_hang_up_on_the_second) as (client, requests):
        assert [model.id for model in await client.models()] == ["tiny"]
        assert [model.id for model in await client.models()] == ["tiny"]
        assert requests == [1, 1, 2]


async def test_a_new_connection_that_is_closed_is_an_error_at_once() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter, nth: int) -> None:
        writer.transport.abort()

    async with _served(hang_up) as (client, requests):
        with pytest.raises(NetworkError) as caught:
            await client.models()
        assert caught.value.cause is NetworkCause.RESET
        assert requests == [1]


async def test_a_response_that_breaks_off_is_not_asked_for_again() -> None:
    async def break_off(_: asyncio.StreamReader, writer: asyncio.StreamWriter, nth: int) -> None:
        writer.write(_ANSWER if nth == 1 else b"HTTP/1.1 200")
        if nth == 2:
            await writer.drain()
            writer.close()

    async with _served(break_off) as (client, requests):
        await client.models()
        with pytest.raises(NetworkError):
            await client.models()
        assert requests == [1, 1]
