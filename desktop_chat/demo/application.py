"""The ASGI application: ``GET /v1/models`` and ``POST /v1/chat/completions`` in Mistral's wire format."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from desktop_chat.demo.replies import MODELS, Reply, limited, reply_to
from desktop_chat.demo.tokens import pieces
from desktop_chat.demo.validation import ChatCall, Json, Refused, checked, error_body

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode

REFUSED_KEY = "wrong-key"
"""The one API key that gets a 401, so that a wrong key can be tried; every other one is accepted."""


class BrokenOffError(Exception):
    """Raised inside the stream to make the HTTP server drop the connection without ending the body."""


def application(tokens_per_second: Callable[[], float]) -> Starlette:
    """The application; ``tokens_per_second`` is asked before each token, 0 means no limit."""

    async def chat_completions(request: Request) -> Response:
        try:
            _check_key(request)
            call = checked(_decoded(await request.body()))
            reply, finish_reason = _limited_reply(call)
        except Refused as refused:
            return _json(refused.body, refused.status, refused.headers)
        answer = _Answer(call, reply, finish_reason, tokens_per_second if reply.paced else lambda: 0.0)
        if call.stream:
            return StreamingResponse(answer.events(), media_type="text/event-stream; charset=utf-8")
        return _json(await answer.completion())

    async def models(request: Request) -> Response:
        try:
            _check_key(request)
        except Refused as refused:
            return _json(refused.body, refused.status, refused.headers)
        return _json({"object": "list", "data": _model_list()})

    async def not_found(_request: Request, _error: Exception) -> Response:
        return _json({"detail": "Not Found"}, 404)

    async def method_not_allowed(_request: Request, _error: Exception) -> Response:
        return _json({"detail": "Method Not Allowed"}, 405)

    return Starlette(
        routes=[
            Route("/v1/models", models, methods=["GET"]),
            Route("/v1/chat/completions", chat_completions, methods=["POST"]),
        ],
        exception_handlers={404: not_found, 405: method_not_allowed},
    )


def _json(body: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(_encode(body), status, headers, "application/json")


def _check_key(request: Request) -> None:
    if request.headers.get("authorization", "") == f"Bearer {REFUSED_KEY}":
        raise Refused(401, {"message": "Unauthorized", "request_id": uuid.uuid4().hex})


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail = {
            "type": "json_invalid",
            "loc": ["body", 0],
            "msg": "JSON decode error",
            "ctx": {"error": str(error)},
        }
        raise Refused(422, {"detail": [detail]}) from None


def _limited_reply(call: ChatCall) -> tuple[Reply, str]:
    try:
        return limited(reply_to(call), call.stop, call.max_tokens)
    except FileNotFoundError as error:
        _log.exception("A page of the demo server is missing")
        raise Refused(500, error_body(str(error), "internal_server_error", "1000")) from None


def _model_list() -> list[Json]:
    return [
        {
            "id": model.id,
            "object": "model",
            "created": 1_735_689_600,
            "owned_by": "desktop-chat",
            "name": model.name,
            "description": model.description,
            "capabilities": {
                "completion_chat": True,
                "completion_fim": False,
                "function_calling": True,
                "reasoning": model.thinks,
                "vision": False,
            },
            "max_context_length": 131_072,
            "aliases": [],
            "deprecation": None,
            "type": "base",
        }
        for model in MODELS
    ]


class _Pace:
    """Says how long to wait before each token but the first so that the rate holds, whatever the timer's resolution."""

    def __init__(self, tokens_per_second: Callable[[], float]) -> None:
        self._rate = tokens_per_second
        self._due: float | None = None

    async def next(self) -> None:
        rate = self._rate()
        now = time.monotonic()
        if rate <= 0:
            self._due = None
            return
        # A stream that fell behind (a blocked reader, a pause) does not race to make up for more than this.
        self._due = now if self._due is None else max(self._due + 1 / rate, now - 0.05)
        if self._due > now:
            await asyncio.sleep(self._due - now)


class _Answer:
    """One reply on its way: the chunks of a stream, or the whole completion."""

    _TOKENS_A_WRITE = 64

    def __init__(
        self, call: ChatCall, reply: Reply, finish_reason: str, tokens_per_second: Callable[[], float]
    ) -> None:
        self._reply = reply
        self._finish_reason = finish_reason
        self._rate = tokens_per_second
        self._head: Json = {"id": uuid.uuid4().hex, "created": int(time.time()), "model": call.model}
        prompt_tokens = sum(len(pieces(text)) + 4 for text in call.texts)
        completion_tokens = len(reply.reasoning) + len(reply.tokens)
        completion_tokens += len(pieces(reply.tool_call[1])) if reply.tool_call else 0
        self._usage: Json = {
            "prompt_tokens": prompt_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "completion_tokens": completion_tokens,
        }

    async def completion(self) -> Json:
        """The body of an answer that is not streamed; it takes as long as the stream would."""
        await asyncio.sleep(self._reply.delay_s)
        pace = _Pace(self._rate)
        for _ in range(len(self._reply.reasoning) + len(self._reply.tokens)):
            await pace.next()
        text = self._reply.echo + "".join(self._reply.tokens)
        content: object = text
        if self._reply.reasoning:
            content = [_thinking("".join(self._reply.reasoning)), {"type": "text", "text": text}]
        message: Json = {"role": "assistant", "content": content, "tool_calls": self._tool_calls() or None}
        choice = {"index": 0, "message": message, "finish_reason": self._finish_reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage}

    async def events(self) -> AsyncIterator[bytes]:
        """The event stream, one chunk a token. Ends the hard way where the reply is to break off."""
        await asyncio.sleep(self._reply.delay_s)
        yield self._event({"role": "assistant", "content": ""})
        pace, waiting = _Pace(self._rate), bytearray()
        for event in self._token_events():
            await pace.next()
            if event is None:
                yield bytes(waiting)
                waiting.clear()
                await asyncio.sleep(self._reply.stall_s)
                continue
            waiting += event
            # Without a rate, tokens share a write; a lone one each would measure the HTTP server instead.
            if self._rate() > 0 or len(waiting) > self._TOKENS_A_WRITE * 200:
                yield bytes(waiting)
                waiting.clear()
                await asyncio.sleep(0)  # lets the server notice that the client is gone
        yield bytes(waiting)
        if self._reply.cut_after is not None and self._reply.cut_after < len(self._reply.tokens):
            raise BrokenOffError
        if self._reply.fails_after is not None:
            return
        if self._reply.tool_call:
            yield self._event({"content": None, "tool_calls": self._tool_calls()})
        yield self._event({"content": ""}, self._finish_reason)
        yield b"data: [DONE]\n\n"

    def _token_events(self) -> Iterator[bytes | None]:
        """The tokens as events, up to where the reply breaks off; ``None`` where it falls silent."""
        reply = self._reply
        if reply.echo:
            yield self._event({"content": reply.echo})
        for token in reply.reasoning:
            yield self._event({"content": [_thinking(token)]})
        for index, token in enumerate(reply.tokens):
            if index == reply.cut_after:
                yield self._event({"content": token[: max(1, len(token) // 2)]})
                return
            if index == reply.fails_after:
                error = error_body(
                    "The demo was asked to fail in the middle.", "internal_server_error", "1000"
                )
                yield b"data: %b\n\n" % _encode({"error": error})
                return
            if reply.stall_s and index == min(40, len(reply.tokens) // 2):
                yield None
            yield self._event({"content": token})

    def _event(self, delta: Json, finish_reason: str | None = None) -> bytes:
        chunk = {
            **self._head,
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}],
        }
        if finish_reason is not None:
            chunk["usage"] = self._usage
        return b"data: %b\n\n" % _encode(chunk)

    def _tool_calls(self) -> list[Json]:
        if self._reply.tool_call is None:
            return []
        name, arguments = self._reply.tool_call
        call: Json = {
            "id": "demo00001",
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        return [{**call, "index": 0}]


def _thinking(text: str) -> Json:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}
