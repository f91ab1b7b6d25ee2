"""TLS: certificates are verified, there is no switch, and a person is told why it failed."""

from __future__ import annotations

import asyncio

import pytest
from fault_server.reading import read_answer
from fault_server.server import BEFORE_REQUEST, RESET, WAIT_FOR_CLIENT_TO_LEAVE, FaultServer, Script

from desktop_chat.api.client import ChatClient
from desktop_chat.domain.errors import NetworkCause, NetworkError, StreamTimeoutError
from desktop_chat.domain.profiles import Dialect
from desktop_chat.domain.requests import Timeouts


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ([BEFORE_REQUEST, b"HTTP/1.1 400 Bad Request\r\n\r\n", WAIT_FOR_CLIENT_TO_LEAVE], NetworkCause.TLS),
        ([BEFORE_REQUEST, b"\x00" * 100, WAIT_FOR_CLIENT_TO_LEAVE], NetworkCause.TLS),
        ([BEFORE_REQUEST, RESET], NetworkCause.RESET),
        ([BEFORE_REQUEST, WAIT_FOR_CLIENT_TO_LEAVE], NetworkCause.CONNECT_TIMEOUT),
    ],
    ids=["plain HTTP", "garbage", "reset", "silence"],
)
async def test_a_handshake_that_fails(script: Script, cause: NetworkCause) -> None:
    limits = Timeouts(connect=0.3) if cause is NetworkCause.CONNECT_TIMEOUT else Timeouts()
    async with asyncio.timeout(30), FaultServer(script) as server:
        url = f"https://127.0.0.1:{server.port}/v1"
        async with ChatClient(url, Dialect.OPENAI, timeouts=limits) as client:
            answer = await read_answer(client)
        await server.all_clients_left()
    assert isinstance(answer.error, NetworkError)
    assert answer.error.cause is cause
    assert isinstance(answer.error, StreamTimeoutError) == (cause is NetworkCause.CONNECT_TIMEOUT)
