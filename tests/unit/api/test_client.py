"""The client's own behaviour: requests, phases, redirects, reuse, the list of models."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from fault_server.reading import question, read_answer
from fault_server.server import RESET, WAIT_FOR_CLIENT_TO_LEAVE, FaultServer, Script
from fault_server.wire import (
    ANSWER,
    ANSWER_TEXT,
    CHUNKED,
    LAST_HTTP_CHUNK,
    chunk,
    finish,
    head,
    http_chunk,
    response,
)

from desktop_chat.api import connection
from desktop_chat.api.client import ChatClient
from desktop_chat.api.connection import Connection
from desktop_chat.api.exchange import WirePhase
from desktop_chat.domain.errors import (
    AuthenticationError,
    ChatError,
    ConfigurationError,
    NetworkCause,
    NetworkError,
    NotFoundError,
    ProtocolError,
)
from desktop_chat.domain.profiles import Dialect, ModelInfo

COMPLETE: Script = [head(), ANSWER]
KEPT_ALIVE: list[bytes] = [CHUNKED, http_chunk(ANSWER), LAST_HTTP_CHUNK]


@pytest.fixture(autouse=True)
async def _catch() -> object:
    async with asyncio.timeout(20):
        yield


class Observer:
    def __init__(self) -> None:
        self.phases: list[tuple[WirePhase, float]] = []
        self.heartbeats = 0

    def phase(self, phase: WirePhase, at: float) -> None:
        self.phases.append((phase, at))

    def heartbeat(self) -> None:
        self.heartbeats += 1


async def test_the_request() -> None:
    async with (
        FaultServer(COMPLETE) as server,
        ChatClient(server.base_url, Dialect.MISTRAL, " sk-1\n") as client,
    ):
        await read_answer(client, question("Salut, ça va ? 👋"))
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer sk-1"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("desktop-chat/")
    assert request.json()["messages"] == [{"role": "user", "content": "Salut, ça va ? 👋"}]


async def test_without_a_key_there_is_no_authorization() -> None:
    async with FaultServer(COMPLETE) as server, ChatClient(server.base_url, Dialect.OPENAI, "") as client:
        await read_answer(client)
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("key", ["sk\nx", "clé", "sk\x00"])
def test_a_key_that_is_none_is_refused_at_once(key: str) -> None:
    with pytest.raises(ConfigurationError, match="characters that no key has"):
        ChatClient("http://localhost/v1", Dialect.OPENAI, key)


async def test_deltas_come_a_read_at_a_time_and_never_empty() -> None:
    script = [
        CHUNKED,
        b"".join(http_chunk(chunk("a")) for _ in range(50)) + http_chunk(finish()) + LAST_HTTP_CHUNK,
    ]
    async with (
        FaultServer(script) as server,
        ChatClient(server.base_url, Dialect.OPENAI) as client,
        client.stream(question()) as answer,
    ):
        sizes = [len(deltas) async for deltas in answer]
    assert sum(sizes) == 51
    assert len(sizes) < 10
    assert all(sizes)


async def test_phases_in_order_and_heartbeats() -> None:
    observer = Observer()
    async with (
        FaultServer([head(), b": ping\n\n", ANSWER]) as server,
        ChatClient(server.base_url, Dialect.OPENAI) as client,
    ):
        await read_answer(client, observer=observer)
    assert [phase for phase, _ in observer.phases] == [
        WirePhase.CONNECTING,
        WirePhase.CONNECTED,
        WirePhase.REQUEST_SENT,
        WirePhase.HEADERS_RECEIVED,
    ]
    times = [at for _, at in observer.phases]
    assert times == sorted(times)
    assert observer.heartbeats == 1


async def test_a_connection_serves_again_when_its_answer_was_read_to_the_end() -> None:
    observer = Observer()
    two_answers: Script = [b"".join(KEPT_ALIVE), WAIT_FOR_CLIENT_TO_LEAVE]
    async with FaultServer(two_answers) as server, ChatClient(server.base_url, Dialect.OPENAI) as client:
        await read_answer(client)
        assert server.open_connections == 1  # kept
        stream = client.stream(question(), observer)
        reading = asyncio.ensure_future(stream.__aenter__())
        while not observer.phases:
            await asyncio.sleep(0)
        assert observer.phases[0][0] is WirePhase.REQUEST_SENT
        assert server.open_connections == 1
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_a_kept_connection_that_the_server_closed_is_not_used() -> None:
    async with FaultServer(KEPT_ALIVE) as server, ChatClient(server.base_url, Dialect.OPENAI) as client:
        for _ in range(3):
            answer = await read_answer(client)
            assert answer.text == ANSWER_TEXT
            await server.all_clients_left()


async def test_several_answers_at_once_do_not_mix() -> None:
    scripts = [[head(), *[chunk(name) for _ in range(30)], finish()] for name in "abc"]
    async with FaultServer(*scripts) as server, ChatClient(server.base_url, Dialect.OPENAI) as client:
        answers = await asyncio.gather(*(read_answer(client) for _ in scripts))
    assert sorted(answer.text for answer in answers) == ["a" * 30, "b" * 30, "c" * 30]


async def test_a_large_request_arrives_whole() -> None:
    text = "0123456789abcdef" * 200_000
    async with FaultServer(COMPLETE) as server, ChatClient(server.base_url, Dialect.OPENAI) as client:
        answer = await read_answer(client, question(text))
    assert answer.error is None
    assert server.requests[0].json()["messages"][0]["content"] == text


async def test_headers_say_who_to_ask_and_what_is_left() -> None:
    script = [head(x_request_id="req-7", x_ratelimit_remaining_requests="3"), ANSWER]
    async with (
        FaultServer(script) as server,
        ChatClient(server.base_url, Dialect.OPENAI) as client,
        client.stream(question()) as answer,
    ):
        async for _ in answer:
            pass
    assert answer.request_id == "req-7"
    assert answer.rate_limit is not None
    assert answer.rate_limit.remaining_requests == 3
    assert (answer.done, answer.finish_reason, answer.bytes_received) == (True, "stop", len(ANSWER))


async def test_an_interrupted_answer_names_its_request() -> None:
    async with (
        FaultServer([head(x_request_id="req-8"), chunk("a")]) as server,
        ChatClient(server.base_url, Dialect.OPENAI) as client,
    ):
        answer = await read_answer(client)
    assert answer.error is not None
    assert answer.error.request_id == "req-8"


class TestRedirects:
    async def test_on_the_same_host_the_request_is_repeated_with_the_key(self) -> None:
        moved = [response("308 Permanent Redirect", "", None, location="/api/v1/chat/completions")]
        async with (
            FaultServer(moved, COMPLETE) as server,
            ChatClient(server.base_url, Dialect.OPENAI, "sk-1") as client,
        ):
            answer = await read_answer(client)
        assert answer.text == ANSWER_TEXT
        first, second = server.requests
        assert (second.method, second.path) == ("POST", "/api/v1/chat/completions")
        assert second.body == first.body
        assert second.headers["authorization"] == "Bearer sk-1"

    @pytest.mark.parametrize(
        "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
    )
    async def test_another_host_gets_neither_key_nor_conversation(self, status: str) -> None:
        async with FaultServer(COMPLETE) as other:
            there = f"http://localhost:{other.port}/v1/chat/completions"
            async with (
                FaultServer([response(status, "", None, location=there)]) as server,
                ChatClient(server.base_url, Dialect.OPENAI, "sk-1") as client,
            ):
                answer = await read_answer(client)
        assert isinstance(answer.error, ConfigurationError)
        assert "localhost" in answer.error.sentence
        assert other.requests == []


class TestConnecting:
    async def test_refused(self, unused_tcp_port: int) -> None:
        async with ChatClient(f"http://127.0.0.1:{unused_tcp_port}/v1", Dialect.OPENAI) as client:
            answer = await read_answer(client)
        assert isinstance(answer.error, NetworkError)
        assert answer.error.cause is NetworkCause.REFUSED

    async def test_no_such_name(self) -> None:
        async with ChatClient("http://no-such-host.invalid/v1", Dialect.OPENAI) as client:
            answer = await read_answer(client)
        assert isinstance(answer.error, NetworkError)
        assert answer.error.cause is NetworkCause.DNS

    async def test_a_name_with_several_addresses(self) -> None:
        # localhost may be ::1 first, where nothing listens
        async with (
            FaultServer(COMPLETE) as server,
            ChatClient(f"http://localhost:{server.port}/v1", Dialect.OPENAI) as client,
        ):
            assert (await read_answer(client)).text == ANSWER_TEXT

    async def test_of_two_addresses_that_connect_at_once_one_is_closed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loop, both = asyncio.get_running_loop(), asyncio.Event()
        made: list[Connection] = []
        connect = loop.create_connection

        async def connect_with_the_other(*arguments: Any, **options: Any) -> Any:
            found = await connect(*arguments, **options)
            made.append(found[1])
            if len(made) == 2:
                both.set()
            await both.wait()
            return found

        monkeypatch.setattr(loop, "create_connection", connect_with_the_other)
        monkeypatch.setattr(connection, "_NEXT_ADDRESS_AFTER_S", 0)
        address = (socket.AF_INET, "127.0.0.1")
        async with FaultServer([WAIT_FOR_CLIENT_TO_LEAVE], [WAIT_FOR_CLIENT_TO_LEAVE]) as server:
            chosen = await connection._first_to_connect([address, address], server.port)
            chosen.close()
            await server.all_clients_left()
        assert len(made) == 2

    async def test_loopback_goes_through_no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        async with FaultServer(COMPLETE) as server, ChatClient(server.base_url, Dialect.OPENAI) as client:
            assert (await read_answer(client)).text == ANSWER_TEXT

    async def test_the_world_outside_goes_through_the_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with FaultServer(COMPLETE) as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
            async with ChatClient("http://server.example/v1", Dialect.OPENAI) as client:
                assert (await read_answer(client)).text == ANSWER_TEXT
        assert proxy.requests[0].path == "http://server.example/v1/chat/completions"


class TestModels:
    async def models(self, body: object, status: str = "200 OK") -> list[ModelInfo]:
        text = body if isinstance(body, str) else json.dumps(body)
        async with (
            FaultServer([response(status, text)]) as server,
            ChatClient(server.base_url, Dialect.OPENAI, "sk-1") as client,
        ):
            models = await client.models()
        assert (server.requests[0].method, server.requests[0].path) == ("GET", "/v1/models")
        return models

    async def test_a_list_in_an_object(self) -> None:
        body = {
            "object": "list",
            "data": [
                {"id": "a", "max_context_length": 32768, "capabilities": {"completion_chat": True}},
                {"id": "embed", "capabilities": {"completion_chat": False}},
                {"id": "b", "meta": {"n_ctx": 4096}},
                {"id": "c", "max_model_len": 8192},
                {"id": "a", "max_context_length": 1},
                {"nameless": True},
                7,
            ],
        }
        models = await self.models(body)
        assert [(model.id, model.context_length) for model in models] == [
            ("a", 32768),
            ("b", 4096),
            ("c", 8192),
        ]

    async def test_a_bare_list(self) -> None:
        assert [model.id for model in await self.models([{"id": "a"}, "b"])] == ["a", "b"]

    async def test_details(self) -> None:
        (model,) = await self.models(
            {"data": [{"id": "a", "aliases": ["a-latest"], "deprecation": "2026-01-01", "owned_by": "them"}]}
        )
        assert (model.aliases, model.deprecated, model.owned_by) == (("a-latest",), True, "them")

    @pytest.mark.parametrize("body", ["<html>Hello</html>", "", "{}", '{"data": 3}'])
    async def test_anything_else_is_said_to_be_so(self, body: str) -> None:
        with pytest.raises(ProtocolError, match="list of models"):
            await self.models(body)

    async def test_a_wrong_key(self) -> None:
        with pytest.raises(AuthenticationError):
            await self.models({"message": "Unauthorized"}, "401 Unauthorized")

    async def test_a_server_without_a_list(self) -> None:
        with pytest.raises(NotFoundError) as caught:
            await self.models({"detail": "Not Found"}, "404 Not Found")
        report = caught.value.report()
        assert report.sentence == "The server answers, but does not list its models."
        assert "--model" in report.advice

    async def test_a_list_cut_off(self) -> None:
        async with (
            FaultServer([head(content_length="99"), b'{"data"', RESET]) as server,
            ChatClient(server.base_url, Dialect.MISTRAL) as client,
        ):
            with pytest.raises(ChatError):
                await client.models()
            await server.all_clients_left()


async def test_the_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with (
        FaultServer([RESET]) as server,
        ChatClient(server.base_url, Dialect.OPENAI, "sk-secret") as client,
    ):
        answer = await read_answer(client)
    assert "sk-secret" not in caplog.text
    assert answer.error is not None
    assert "sk-secret" not in repr(answer.error.report())
