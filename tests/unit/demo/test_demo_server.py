"""The demo server as a client sees it: raw HTTP on loopback, Mistral's wire format."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from desktop_chat.demo.application import REFUSED_KEY
from desktop_chat.demo.server import DemoServer

Body = dict[str, Any]


@pytest.fixture
async def server() -> AsyncIterator[DemoServer]:
    demo = DemoServer(tokens_per_second=0)
    await demo.start()
    yield demo
    await demo.stop()


@pytest.fixture
async def http(server: DemoServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.base_url, trust_env=False, timeout=20) as client:
        yield client


def question(text: str, **fields: object) -> Body:
    return {"model": "demo-tour", "messages": [{"role": "user", "content": text}], **fields}


async def ask(http: httpx.AsyncClient, text: str, **fields: object) -> Body:
    response = await http.post("/chat/completions", json=question(text, **fields))
    assert response.status_code == 200, response.text
    body: Body = response.json()
    return body


async def events(http: httpx.AsyncClient, text: str, **fields: object) -> list[str]:
    """The ``data`` of all events of a streamed answer."""
    request = question(text, stream=True, **fields)
    async with http.stream("POST", "/chat/completions", json=request) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        raw = (await response.aread()).decode()
    blocks = raw.split("\n\n")
    assert blocks.pop() == ""
    assert all(block.startswith("data: ") for block in blocks)
    return [block.removeprefix("data: ") for block in blocks]


def content(chunks: list[Body]) -> str:
    deltas = (chunk["choices"][0]["delta"].get("content") for chunk in chunks)
    return "".join(delta for delta in deltas if isinstance(delta, str))


async def test_model_list_has_capabilities(http: httpx.AsyncClient) -> None:
    body = (await http.get("/models")).json()
    assert body["object"] == "list"
    assert "demo-tour" in [model["id"] for model in body["data"]]
    assert all(model["capabilities"]["completion_chat"] for model in body["data"])
    assert all(model["max_context_length"] > 0 for model in body["data"])


async def test_stream_equals_the_whole_answer(http: httpx.AsyncClient) -> None:
    *data, done = await events(http, "tables")
    chunks = [json.loads(event) for event in data]
    whole = await ask(http, "tables")
    assert done == "[DONE]"
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert content(chunks) == whole["choices"][0]["message"]["content"]
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}


async def test_usage_comes_with_the_finish_reason_only(http: httpx.AsyncClient) -> None:
    chunks = [json.loads(event) for event in (await events(http, "hello"))[:-1]]
    with_usage = [chunk for chunk in chunks if "usage" in chunk]
    assert with_usage == [chunks[-1]]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    usage = chunks[-1]["usage"]
    assert usage["completion_tokens"] == len(chunks) - 2
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize(
    "text", ["write 2000 tokens", "/tokens 2000", "Please write me 2,000 tokens", "2k tokens"]
)
async def test_long_answer_has_exactly_the_tokens_asked_for(http: httpx.AsyncClient, text: str) -> None:
    body = await ask(http, text)
    assert body["usage"]["completion_tokens"] == 2000
    assert body["choices"][0]["finish_reason"] == "stop"


async def test_max_tokens_cuts_with_reason_length(http: httpx.AsyncClient) -> None:
    whole = (await ask(http, "hello"))["choices"][0]["message"]["content"]
    body = await ask(http, "hello", max_tokens=7)
    choice = body["choices"][0]
    assert choice["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 7
    assert choice["message"]["content"]
    assert whole.startswith(choice["message"]["content"])


@pytest.mark.parametrize("stop", ["demo", ["nowhere to be found", "demo"]])
async def test_stop_sequence_ends_before_it(http: httpx.AsyncClient, stop: object) -> None:
    choice = (await ask(http, "hello", stop=stop))["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"] == "Hello! This is Desktop Chat's **"


async def test_last_prefix_message_is_continued_and_repeated(http: httpx.AsyncClient) -> None:
    whole = (await ask(http, "math"))["choices"][0]["message"]["content"]
    for cut in (1, 57, len(whole) - 1):
        messages = [
            {"role": "user", "content": "math"},
            {"role": "assistant", "content": whole[:cut], "prefix": True},
        ]
        response = await http.post("/chat/completions", json={"model": "demo-tour", "messages": messages})
        body = response.json()
        assert body["choices"][0]["message"]["content"] == whole
        assert body["usage"]["completion_tokens"] < 1000


async def test_thinking_arrives_in_chunks_before_the_text(http: httpx.AsyncClient) -> None:
    request = "What is a table?"
    chunks = [json.loads(event) for event in (await events(http, request, model="demo-reasoner"))[:-1]]
    contents = [chunk["choices"][0]["delta"]["content"] for chunk in chunks[1:]]
    kinds = ["thinking" if isinstance(part, list) else "text" for part in contents]
    assert kinds == sorted(kinds, reverse=True)
    reasoning = "".join(
        piece["text"] for part in contents if isinstance(part, list) for piece in part[0]["thinking"]
    )
    assert "table" in reasoning
    assert content(chunks).startswith("# Tables")


async def test_tool_call_ends_the_turn(http: httpx.AsyncClient) -> None:
    chunks = [json.loads(event) for event in (await events(http, "/tool"))[:-1]]
    call = chunks[-2]["choices"][0]["delta"]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"city": "Paris", "unit": "celsius"}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_json_answer_on_request(http: httpx.AsyncClient) -> None:
    body = await ask(http, "hello", response_format={"type": "json_object"})
    assert json.loads(body["choices"][0]["message"]["content"])["topic"] == "hello"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422, 429, 500, 503])
async def test_errors_on_request(http: httpx.AsyncClient, status: int) -> None:
    response = await http.post("/chat/completions", json=question(f"/error {status}", stream=True))
    assert response.status_code == status
    assert {"object", "detail", "message"} & response.json().keys()
    assert ("retry-after" in response.headers) == (status == 429)


async def test_wrong_key_is_refused_everywhere(http: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {REFUSED_KEY}"}
    assert (await http.get("/models", headers=headers)).status_code == 401
    assert (await http.post("/chat/completions", json=question("hi"), headers=headers)).status_code == 401


async def test_unknown_model_path_and_method(http: httpx.AsyncClient) -> None:
    response = await http.post("/chat/completions", json=question("hi", model="demo-none"))
    assert response.status_code == 404
    assert response.json()["type"] == "invalid_model"
    assert "demo-none" in response.json()["message"]
    assert (await http.get("/nothing")).json() == {"detail": "Not Found"}
    assert (await http.get("/chat/completions")).status_code == 405


async def test_error_in_the_middle_of_a_stream(http: httpx.AsyncClient) -> None:
    data = await events(http, "/error stream")
    assert "error" in json.loads(data[-1])
    assert len(data) > 10


async def test_cut_breaks_the_connection_inside_a_word(http: httpx.AsyncClient) -> None:
    received = bytearray()
    with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012 - it is a read that fails
        async with http.stream(
            "POST", "/chat/completions", json=question("/cut 25", stream=True)
        ) as response:
            async for data in response.aiter_raw():
                received += data
    chunks = [json.loads(block.removeprefix(b"data: ")) for block in received.split(b"\n\n") if block]
    whole = (await ask(http, "/cut 25"))["choices"][0]["message"]["content"]
    partial = content(chunks)
    assert len(chunks) >= 26
    assert whole.startswith(partial)
    assert partial[-1].isalpha()
    assert whole[len(partial)].isalpha()


async def test_slow_start_holds_back_the_first_token(http: httpx.AsyncClient) -> None:
    start = time.monotonic()
    assert (await events(http, "/slow 0.2 hello"))[-1] == "[DONE]"
    assert time.monotonic() - start >= 0.2


async def test_speed_can_be_changed_while_streaming(server: DemoServer, http: httpx.AsyncClient) -> None:
    server.tokens_per_second = 10
    request = question("write 5000 tokens", stream=True)
    async with http.stream("POST", "/chat/completions", json=request) as response:
        async for data in response.aiter_raw():
            server.tokens_per_second = 0
            if b"[DONE]" in data:
                break


async def test_client_that_leaves_stops_the_generation(
    server: DemoServer, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    from desktop_chat.demo import application

    original = application._Answer.events

    async def watched(self: Any) -> AsyncIterator[bytes]:
        try:
            async for data in original(self):
                yield data
        finally:
            loop.call_soon_threadsafe(ended.set)

    monkeypatch.setattr(application._Answer, "events", watched)
    server.tokens_per_second = 200
    request = question("write 100000 tokens", stream=True)
    async with http.stream("POST", "/chat/completions", json=request) as response:
        await anext(response.aiter_raw())
    await asyncio.wait_for(ended.wait(), 10)


async def test_stop_ends_a_running_answer_and_closes_the_port(
    server: DemoServer, http: httpx.AsyncClient
) -> None:
    server.tokens_per_second = 20
    url = server.base_url
    request = question("write 100000 tokens", stream=True)
    with pytest.raises(httpx.TransportError):  # noqa: PT012 - it is a read that fails
        async with http.stream("POST", "/chat/completions", json=request) as response:
            async for _ in response.aiter_raw():
                await server.stop()
    with pytest.raises(httpx.ConnectError):
        await http.get(f"{url}/models")
    assert server.base_url == ""
    await server.stop()


async def test_can_be_started_again_on_a_new_port(server: DemoServer) -> None:
    await server.stop()
    url = await server.start()
    assert await server.start() == url
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{url}/models")).status_code == 200


async def test_stop_right_after_start_leaves_no_thread() -> None:
    server = DemoServer()
    await server.start()
    thread = server._thread
    await server.stop()
    assert thread is not None
    assert not thread.is_alive()
