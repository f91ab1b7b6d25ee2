"""Bytes that a chat server sends, well-formed until a scenario spoils them."""

from __future__ import annotations

import json
from typing import Any, Final

DONE: Final = b"data: [DONE]\n\n"
MODEL: Final = "test-model"


def head(status: str = "200 OK", content_type: str | None = "text/event-stream", **headers: str) -> bytes:
    """A response head; the body lasts until the connection closes unless a header says otherwise."""
    lines = [f"HTTP/1.1 {status}"]
    if content_type is not None:
        lines.append(f"content-type: {content_type}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode()


def response(
    status: str, body: str | bytes, content_type: str | None = "application/json", **headers: str
) -> bytes:
    """A whole response with its length."""
    data = body.encode() if isinstance(body, str) else body
    return head(status, content_type, content_length=str(len(data)), connection="close", **headers) + data


def event(payload: object, name: str = "") -> bytes:
    """One event; ``payload`` is sent as JSON."""
    prefix = f"event: {name}\n" if name else ""
    return f"{prefix}data: {json.dumps(payload, ensure_ascii=False)}\n\n".encode()


def chunk(text: str | None = None, finish: str | None = None, **fields: Any) -> bytes:
    """A chat-completions chunk with a piece of text; ``fields`` go to the top level."""
    delta = {} if text is None else {"content": text}
    return event({"id": "c1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **fields})


def delta(**fields: Any) -> bytes:
    """A chunk with any delta."""
    return event({"id": "c1", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]})


def finish(reason: str = "stop", **fields: Any) -> bytes:
    return chunk("", reason, **fields)


def http_chunk(data: bytes) -> bytes:
    """One chunk of ``Transfer-Encoding: chunked``."""
    return b"%x\r\n%s\r\n" % (len(data), data)


LAST_HTTP_CHUNK: Final = b"0\r\n\r\n"
CHUNKED: Final = head(transfer_encoding="chunked")
ANSWER: Final = chunk("Hello") + chunk(", world") + finish() + DONE
"""A whole short answer; its text is `ANSWER_TEXT`."""
ANSWER_TEXT: Final = "Hello, world"
