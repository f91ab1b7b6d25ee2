"""Servers of unknown kind that refuse an optional field: the request goes out again without it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fault_server.reading import question, read_answer
from fault_server.server import FaultServer
from fault_server.wire import ANSWER, ANSWER_TEXT, head, response

from desktop_chat.api.client import ChatClient
from desktop_chat.api.errors import error_from_response
from desktop_chat.api.refusals import refused_field
from desktop_chat.domain.errors import InvalidRequestError
from desktop_chat.domain.profiles import Dialect

SENT = {"model", "messages", "stream", "stream_options", "seed", "max_tokens", "temperature", "top_p", "stop"}


def openai(message: str, **more: object) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, **more}}


def pydantic(
    *location: str, message: str = "Extra inputs are not permitted", kind: str = "extra_forbidden"
) -> Any:
    return {"detail": [{"type": kind, "loc": list(location), "msg": message, "input": 1}]}


REFUSALS = [
    (400, openai("Unrecognized request argument supplied: stream_options"), "stream_options"),
    (400, openai("Unrecognized request arguments supplied: seed, stream_options"), "seed"),
    (400, openai("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                 "'max_completion_tokens' instead.", param="max_tokens", code="unsupported_parameter"),
     "max_tokens"),
    (400, openai("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                 "'max_completion_tokens' instead."), "max_tokens"),
    (400, openai("Unknown parameter: 'seed'.", param="seed", code="unknown_parameter"), "seed"),
    (400, openai("Unsupported parameter: 'stop' is not supported with this model.", param="stop"), "stop"),
    (422, pydantic("body", "stream_options"), "stream_options"),
    (422, pydantic("body", "ChatCompletionRequest", "seed"), "seed"),
    (422, pydantic("body", "seed", message="extra fields not permitted", kind="value_error.extra"), "seed"),
    (400, {"object": "error", "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': "
           "'Extra inputs are not permitted', 'input': 7}]", "code": 400}, "seed"),
    (400, openai("property 'seed' is unsupported"), "seed"),
    (400, openai("Additional properties are not allowed ('stream_options' was unexpected) - 'body'"),
     "stream_options"),
    (400, {"error": {"code": 400, "message": 'Invalid JSON payload received. Unknown name "seed": Cannot find '
                     "field.", "status": "INVALID_ARGUMENT"}}, "seed"),
    (400, {"error": 'json: unknown field "stream_options"'}, "stream_options"),
    (422, "Failed: unknown field `stream_options`, expected one of `seed`, `stop` at line 1", "stream_options"),
    (400, {"code": "invalid-argument", "error": "Argument not supported on this model: streamOptions"},
     "stream_options"),
    (400, openai("litellm.UnsupportedParamsError: openai does not support parameters: ['seed'], for model=o1."),
     "seed"),
    (400, openai("create_completion() got an unexpected keyword argument 'stream_options'"), "stream_options"),
    (400, {"message": "Parameter seed is not supported."}, "seed"),
    (400, openai("`temperature` is not a supported parameter of this model."), "temperature"),
]  # fmt: skip


def error_of(status: int, body: object) -> Any:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return error_from_response(status, {}, data)


@pytest.mark.parametrize(("status", "body", "field"), REFUSALS)
def test_the_refused_field_is_found_in_any_shape(status: int, body: object, field: str) -> None:
    error = error_of(status, body)
    assert isinstance(error, InvalidRequestError)
    assert refused_field(error, SENT) == field


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, openai("Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) "
                     "value is supported.", param="temperature", code="unsupported_value")),
        (422, pydantic("body", "temperature", message="Input should be less than or equal to 1.5",
                       kind="less_than_equal")),
        (400, openai("max_tokens is too large: 100000. This model supports at most 4096 completion tokens.",
                     param="max_tokens")),
        (400, openai("Invalid 'messages': please stop.", param="messages")),
        (422, pydantic("body", "messages", "0", "name")),
        (400, openai("Unrecognized request argument supplied: frobnicate")),
        (400, openai("This model's maximum context length is 8192 tokens, however you requested 9000 tokens; seed is "
                     "not supported")),
        (400, {}),
    ],
)  # fmt: skip
def test_other_refusals_stay_errors(status: int, body: object) -> None:
    assert refused_field(error_of(status, body), SENT) is None


def refusal(field: str) -> list[bytes]:
    body = openai(f"Unrecognized request argument supplied: {field}")
    return [response("400 Bad Request", json.dumps(body))]


WHOLE = [head(), ANSWER]


async def test_it_is_sent_again_at_once_and_remembered() -> None:
    scripts = [refusal("stream_options"), refusal("seed"), WHOLE]
    async with asyncio.timeout(20), FaultServer(*scripts) as server:
        async with ChatClient(server.base_url, Dialect.OPENAI) as client:
            first = await read_answer(client, question(seed=7))
            second = await read_answer(client, question(seed=7))
            third = await read_answer(client, question())
        fields = [sorted(request.json()) for request in server.requests]
    assert [answer.error for answer in (first, second, third)] == [None] * 3
    assert first.text == third.text == ANSWER_TEXT
    bare = ["messages", "model", "stream"]
    assert fields == [sorted([*bare, "seed", "stream_options"]), sorted([*bare, "seed"]), bare, bare, bare]
    warning = "The server does not accept “seed”; the request went without it."
    assert first.warnings == second.warnings == (warning,)
    assert third.warnings == ()


async def test_the_limit_goes_by_its_other_name() -> None:
    body = openai("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                  "'max_completion_tokens' instead.", param="max_tokens", code="unsupported_parameter")  # fmt: skip
    scripts = [[response("400 Bad Request", json.dumps(body))], WHOLE]
    async with asyncio.timeout(20), FaultServer(*scripts) as server:
        async with ChatClient(server.base_url, Dialect.OPENAI) as client:
            first = await read_answer(client, question(max_tokens=5))
            second = await read_answer(client, question(max_tokens=6))
        sent = [request.json() for request in server.requests]
    assert first.text == second.text == ANSWER_TEXT
    assert [request.get("max_tokens") for request in sent] == [5, None, None]
    assert [request.get("max_completion_tokens") for request in sent] == [None, 5, 6]
    assert first.warnings == (
        "The server does not know “max_tokens”; it got the limit as “max_completion_tokens”.",
    )
    assert second.warnings == ()


async def test_every_field_is_given_up_once_at_most() -> None:
    """A server that refuses whatever it is sent gets no endless row of requests."""
    async with (
        asyncio.timeout(20),
        FaultServer(refusal("max_tokens"), refusal("max_completion_tokens")) as server,
    ):
        async with ChatClient(server.base_url, Dialect.OPENAI) as client:
            answer = await read_answer(client, question(max_tokens=5))
        assert len(server.requests) == 2
        assert server.open_connections == 0
    assert isinstance(answer.error, InvalidRequestError)


async def test_what_was_never_accepted_is_not_remembered() -> None:
    unauthorized = [response("401 Unauthorized", "{}")]
    async with asyncio.timeout(20), FaultServer(refusal("seed"), unauthorized, WHOLE) as server:
        async with ChatClient(server.base_url, Dialect.OPENAI) as client:
            failed = await read_answer(client, question(seed=7))
            answer = await read_answer(client, question(seed=7))
        assert "seed" in server.requests[-1].json()
    assert failed.error is not None
    assert answer.warnings == ()


async def test_models_of_one_server_are_told_apart() -> None:
    import msgspec

    other = msgspec.structs.replace(question(seed=7), model="another")
    async with asyncio.timeout(20), FaultServer(refusal("seed"), WHOLE) as server:
        async with ChatClient(server.base_url, Dialect.OPENAI) as client:
            await read_answer(client, question(seed=7))
            await read_answer(client, other)
        assert ["seed" in request.json() for request in server.requests] == [True, False, True]
