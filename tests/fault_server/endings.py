"""How streams end, and how connections break."""

from __future__ import annotations

import gzip
from typing import Final

from fault_server.scenario import BRIEF, INTERRUPTED, Scenario
from fault_server.server import BEFORE_REQUEST, HALF_CLOSE, RESET, WAIT_FOR_CLIENT_TO_LEAVE, Forever
from fault_server.wire import (
    ANSWER,
    ANSWER_TEXT,
    CHUNKED,
    DONE,
    LAST_HTTP_CHUNK,
    chunk,
    event,
    finish,
    head,
    http_chunk,
    response,
)

_PART: Final = chunk("Hel") + chunk("lo")

ENDINGS: Final = [
    Scenario(name="complete", script=[head(), ANSWER], text=ANSWER_TEXT, finish_reason="stop"),
    Scenario(
        name="complete, chunked",
        script=[CHUNKED, http_chunk(ANSWER), LAST_HTTP_CHUNK],
        text=ANSWER_TEXT,
        finish_reason="stop",
    ),
    Scenario(
        name="complete, one byte a chunk",
        script=[CHUNKED, b"".join(http_chunk(bytes([byte])) for byte in ANSWER), LAST_HTTP_CHUNK],
        text=ANSWER_TEXT,
        finish_reason="stop",
    ),
    Scenario(
        name="complete, server keeps the connection open",
        script=[head(), ANSWER, WAIT_FOR_CLIENT_TO_LEAVE],
        text=ANSWER_TEXT,
        finish_reason="stop",
    ),
    Scenario(
        name="finish reason but no DONE", script=[head(), _PART, finish()], text="Hello", finish_reason="stop"
    ),
    Scenario(
        name="finish reason, no DONE, then silence",
        script=[head(), _PART, finish(), WAIT_FOR_CLIENT_TO_LEAVE],
        text="Hello",
        finish_reason="stop",
        timeouts=BRIEF,
        warning="broke after the end",
    ),
    Scenario(
        name="finish reason, then reset",
        script=[CHUNKED, http_chunk(_PART + finish()), b"10\r\nabc"],
        text="Hello",
        finish_reason="stop",
        warning="broke after the end",
    ),
    Scenario(
        name="DONE but no finish reason",
        script=[head(), _PART, DONE],
        text="Hello",
        warning="without a finish reason",
    ),
    Scenario(
        name="usage after the finish reason",
        script=[
            head(),
            _PART,
            finish(),
            event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
            DONE,
        ],
        text="Hello",
        finish_reason="stop",
    ),
    Scenario(
        name="finish twice",
        script=[head(), _PART, finish(), finish(usage={"cost": 0.5}), DONE],
        text="Hello",
        finish_reason="stop",
    ),
    Scenario(
        name="text after DONE is not the answer's",
        script=[head(), ANSWER, chunk("more")],
        text=ANSWER_TEXT,
        finish_reason="stop",
    ),
    Scenario(
        name="empty finish reason at the end",
        script=[head(), _PART, finish("")],
        text="Hello",
        finish_reason="",
    ),
    Scenario(
        name="end of file midway",
        script=[head(), _PART],
        text="Hello",
        kind="interrupted",
        sentence=INTERRUPTED,
    ),
    Scenario(
        name="end of file in the middle of an event",
        script=[head(), _PART, chunk("!")[:-10]],
        text="Hello",
        kind="interrupted",
        sentence=INTERRUPTED,
    ),
    Scenario(
        name="end of file before the first event",
        script=[head()],
        kind="interrupted",
        sentence=INTERRUPTED,
        facts={"retryable": True},
    ),
    Scenario(
        name="end of file after comments only",
        script=[head(), b": wait\n\n" * 3],
        kind="interrupted",
        sentence=INTERRUPTED,
        facts={"retryable": True},
    ),
    Scenario(
        name="half-closed midway",
        script=[head(), _PART, HALF_CLOSE, WAIT_FOR_CLIENT_TO_LEAVE],
        text="Hello",
        kind="interrupted",
        sentence=INTERRUPTED,
    ),
    Scenario(
        name="chunked body without its end",
        script=[CHUNKED, http_chunk(_PART)],
        text="Hello",
        kind="interrupted",
        sentence=INTERRUPTED,
        message="before the last chunk",
    ),
    Scenario(
        name="chunk cut in two",
        script=[CHUNKED, http_chunk(_PART), b"40\r\ndata: {"],
        text="Hello",
        kind="interrupted",
        sentence=INTERRUPTED,
    ),
    Scenario(
        name="chunk with a nonsense size",
        script=[CHUNKED, http_chunk(_PART), b"zz\r\n"],
        text="Hello",
        kind="interrupted",
        sentence=INTERRUPTED,
        message="no valid size",
    ),
    Scenario(
        name="chunk longer than its size",
        script=[CHUNKED, http_chunk(_PART), b"2\r\nabcd\r\n"],
        text="Hello",
        kind="interrupted",
        sentence=INTERRUPTED,
        message="longer than its size",
    ),
    Scenario(
        name="content length too long",
        script=[head(content_length="9999"), _PART],
        text="Hello",
        kind="interrupted",
        sentence=INTERRUPTED,
        message="before the announced end",
    ),
    Scenario(
        name="content length too short",
        script=[head(content_length=str(len(_PART))), _PART, ANSWER],
        text="Hello",
        kind="interrupted",
        sentence=INTERRUPTED,
    ),
    Scenario(
        name="gzip, though not asked for",
        script=[head(content_encoding="gzip"), gzip.compress(ANSWER)],
        text=ANSWER_TEXT,
        finish_reason="stop",
    ),
    Scenario(
        name="gzip cut before the text",
        script=[head(content_encoding="gzip"), gzip.compress(_PART)[:12]],
        kind="interrupted",
        sentence=INTERRUPTED,
        message="truncated",
    ),
    Scenario(
        name="gzip without its end",
        script=[head(content_encoding="gzip"), gzip.compress(_PART, 0)[:-8]],
        text="Hello",
        kind="interrupted",
        sentence=INTERRUPTED,
        message="truncated",
    ),
    Scenario(
        name="gzip that is none",
        script=[head(content_encoding="gzip"), ANSWER],
        kind="interrupted",
        sentence=INTERRUPTED,
        message="damaged",
    ),
    Scenario(
        name="unknown compression",
        script=[head(content_encoding="br"), b"\x0b\x02\x80"],
        kind="protocol",
        sentence="compresses its answer with “br”",
    ),
    Scenario(
        name="silence after the text",
        script=[head(), _PART, WAIT_FOR_CLIENT_TO_LEAVE],
        text="Hello",
        kind="timeout",
        sentence="sent nothing for",
        facts={"cause": "idle_timeout"},
        timeouts=BRIEF,
    ),
    Scenario(
        name="endless comments after the text",
        script=[head(), _PART, Forever(b": ping\n\n", 0.01)],
        text="Hello",
        kind="timeout",
        sentence="sent nothing for",
        facts={"cause": "idle_timeout"},
        timeouts=BRIEF,
    ),
    Scenario(
        name="endless comments before the text",
        script=[head(), Forever(b": ping\n\n", 0.01)],
        kind="timeout",
        sentence="did not begin to answer",
        facts={"cause": "first_payload_timeout"},
        timeouts=BRIEF,
    ),
    Scenario(
        name="endless empty chunks",
        script=[head(), Forever(chunk(""), 0.01)],
        kind="timeout",
        sentence="did not begin to answer",
        facts={"cause": "first_payload_timeout"},
        timeouts=BRIEF,
    ),
    Scenario(
        name="no response headers",
        script=[WAIT_FOR_CLIENT_TO_LEAVE],
        kind="timeout",
        sentence="did not begin to answer",
        facts={"cause": "first_payload_timeout"},
        timeouts=BRIEF,
    ),
    Scenario(
        name="half of the response headers",
        script=[head()[:20], WAIT_FOR_CLIENT_TO_LEAVE],
        kind="timeout",
        sentence="did not begin to answer",
        facts={"cause": "first_payload_timeout"},
        timeouts=BRIEF,
    ),
]

CONNECTIONS: Final = [
    Scenario(
        name="reset instead of an answer",
        script=[RESET],
        kind="network",
        sentence="closed the connection",
        facts={"cause": "reset", "retryable": True},
    ),
    Scenario(
        name="hung up instead of an answer",
        script=[],
        kind="network",
        sentence="closed the connection",
        facts={"cause": "reset", "retryable": True},
    ),
    Scenario(
        name="hung up without reading the request",
        script=[BEFORE_REQUEST, RESET],
        kind="network",
        sentence="closed the connection",
        facts={"cause": "reset"},
    ),
    Scenario(
        name="not HTTP at all",
        script=[b"SSH-2.0-OpenSSH_9.6\r\n\r\n"],
        kind="protocol",
        sentence="does not speak HTTP",
    ),
    Scenario(
        name="endless response headers",
        script=[b"HTTP/1.1 200 OK\r\n", b"x-filler: " + b"a" * 200_000],
        kind="protocol",
        sentence="does not speak HTTP",
    ),
    Scenario(
        name="informational responses first",
        script=[b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", head(), ANSWER],
        text=ANSWER_TEXT,
        finish_reason="stop",
    ),
    Scenario(
        name="redirect to another host",
        script=[response("302 Found", "", None, location="http://collector.example/v1/chat/completions")],
        kind="configuration",
        sentence="redirects to another address, http://collector.example",
    ),
    Scenario(
        name="redirect to another port",
        script=[
            response("307 Temporary Redirect", "", None, location="http://127.0.0.1:1/v1/chat/completions")
        ],
        kind="configuration",
        sentence="redirects to another address",
    ),
    Scenario(
        name="redirect to another scheme",
        script=[response("308 Permanent Redirect", "", None, location="ftp://127.0.0.1/")],
        kind="configuration",
        sentence="redirects to another address, ftp://",
    ),
    Scenario(
        name="redirect in a circle",
        script=[response("307 Temporary Redirect", "", None, location="/v1/chat/completions")],
        kind="protocol",
        sentence="redirects in circles",
    ),
    Scenario(
        name="redirect that leads nowhere",
        script=[response("300 Multiple Choices", "", None)],
        kind="protocol",
        sentence="status 300 instead of a chat answer",
    ),
    Scenario(
        name="no content", script=[b"HTTP/1.1 204 No Content\r\n\r\n"], kind="protocol", sentence="status 204"
    ),
]
