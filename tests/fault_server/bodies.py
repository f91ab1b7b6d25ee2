"""Bodies that are not the stream that was asked for, or only almost."""

from __future__ import annotations

import gzip
import json
from typing import Final

from fault_server.scenario import INTERRUPTED, Scenario
from fault_server.server import Forever
from fault_server.wire import (
    ANSWER,
    ANSWER_TEXT,
    DONE,
    chunk,
    delta,
    event,
    finish,
    head,
    response,
)

_PART: Final = chunk("Hel") + chunk("lo")

BODIES: Final = [
    Scenario(
        name="a whole completion instead of a stream",
        script=[
            response(
                "200 OK",
                json.dumps(
                    {
                        "object": "chat.completion",
                        "choices": [
                            {
                                "index": 0,
                                "message": {"role": "assistant", "content": "Hello"},
                                "finish_reason": "stop",
                            }
                        ],
                        "usage": {"completion_tokens": 1},
                    }
                ),
            )
        ],
        text="Hello",
        finish_reason="stop",
    ),
    Scenario(
        name="a whole completion under a stream's name",
        script=[
            response(
                "200 OK",
                json.dumps(
                    {
                        "choices": [
                            {
                                "message": {"content": "Hello", "reasoning_content": "hm"},
                                "finish_reason": "length",
                            }
                        ]
                    }
                ),
                "text/event-stream",
            )
        ],
        text="Hello",
        reasoning="hm",
        finish_reason="length",
    ),
    Scenario(
        name="a stream under the name of JSON",
        script=[head(content_type="application/json"), ANSWER],
        text=ANSWER_TEXT,
        finish_reason="stop",
    ),
    Scenario(
        name="a stream without a name",
        script=[head(content_type=None), ANSWER],
        text=ANSWER_TEXT,
        finish_reason="stop",
    ),
    Scenario(
        name="half a completion",
        script=[
            head(content_type="application/json", content_length="500"),
            b'{"choices": [{"message": {"content": "Hel',
        ],
        kind="interrupted",
        sentence=INTERRUPTED,
    ),
    Scenario(
        name="broken JSON",
        script=[response("200 OK", '{"choices": [')],
        kind="protocol",
        sentence="not a chat answer",
    ),
    Scenario(
        name="JSON that is no completion",
        script=[response("200 OK", '{"status": "ok"}')],
        kind="protocol",
        sentence="not a chat answer",
        message="ok",
    ),
    Scenario(
        name="an error object with status 200",
        script=[response("200 OK", '{"error": {"message": "The model fell over", "code": 500}}')],
        kind="server",
        sentence="The model fell over",
    ),
    Scenario(
        name="HTML with status 200",
        script=[
            response("200 OK", "<!doctype html><html><head><title>Sign in</title></head></html>", "text/html")
        ],
        kind="protocol",
        sentence="a web page instead of an answer: “Sign in”",
    ),
    Scenario(
        name="endless HTML",
        script=[head(content_type="text/html"), b"<html>", Forever(b"<p>advertisement</p>" * 1000)],
        kind="protocol",
        sentence="a web page",
    ),
    Scenario(name="nothing", script=[response("200 OK", "")], kind="protocol", sentence="empty answer"),
    Scenario(
        name="nothing, of no type", script=[head(content_type=None)], kind="protocol", sentence="empty answer"
    ),
    Scenario(
        name="plain words",
        script=[response("200 OK", "hello there, this is not a stream", "text/plain")],
        kind="protocol",
        sentence="not a chat answer",
        message="hello there",
    ),
    Scenario(
        name="a line of more than 16 MB",
        script=[head(), _PART, b"data: " + b"x" * (17 * 1024 * 1024)],
        text="Hello",
        kind="limit",
        sentence="more than this program accepts",
    ),
    Scenario(
        name="a completion of more than 16 MB",
        script=[head(content_type="application/json"), b"{", Forever(b" " * 1_000_000)],
        kind="limit",
        sentence="more than this program accepts",
    ),
    Scenario(
        name="a compression bomb",
        script=[head(content_encoding="gzip"), gzip.compress(b"data: " + b"x" * (40 * 1024 * 1024))],
        kind="limit",
        sentence="more than this program accepts",
    ),
    Scenario(
        name="a broken piece",
        script=[head(), _PART, b'data: {"choices": [{"delta": {"content": "x"\n\n'],
        text="Hello",
        kind="protocol",
        sentence="broken piece",
    ),
    Scenario(
        name="pieces that are no chunks",
        script=[head(), b'data: 17\n\ndata: "ping"\n\ndata: null\n\ndata:\n\n', ANSWER],
        text=ANSWER_TEXT,
        finish_reason="stop",
        warning="no chat chunks",
    ),
    Scenario(
        name="unknown events and fields",
        script=[
            head(),
            b'event: ping\ndata: {"type": "ping"}\n\nevent: note\ndata: not JSON\n\nsurprise: 1\n\n',
            ANSWER,
        ],
        text=ANSWER_TEXT,
        finish_reason="stop",
    ),
    Scenario(
        name="wrong types where nobody looks",
        script=[
            head(),
            event(
                {
                    "id": 5,
                    "choices": [
                        {
                            "index": "0",
                            "delta": {"content": "Hello", "reasoning": 7, "tool_calls": {}},
                            "finish_reason": False,
                            "logprobs": 3,
                        }
                    ],
                    "usage": "none",
                    "timings": [],
                }
            ),
            finish(),
            DONE,
        ],
        text="Hello",
        finish_reason="stop",
    ),
    Scenario(
        name="half a character at the end",
        script=[head(), b'data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}\n\n'],
        text="a",
        kind="interrupted",
        sentence=INTERRUPTED,
    ),
    Scenario(
        name="a character in two halves",
        script=[
            head(),
            b'data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}\n\n',
            b'data: {"choices":[{"delta":{"content":"\\ude00b"}}]}\n\n',
            DONE,
        ],
        text="a\U0001f600b",
        warning="finish reason",
    ),
    Scenario(
        name="bytes that are not UTF-8",
        script=[
            head(content_type="text/event-stream; charset=latin-1"),
            b'data: {"choices":[{"delta":{"content":"a\xffb"}}]}\n\n',
            DONE,
        ],
        text="a\ufffdb",
        warning="finish reason",
    ),
    Scenario(
        name="line separators that are none in SSE",
        script=[head(), chunk("a\u2028b\x85c\u2029"), DONE],
        text="a\u2028b\x85c\u2029",
        warning="finish reason",
    ),
    Scenario(
        name="CRLF and a byte order mark",
        script=[head(), b"\xef\xbb\xbf" + ANSWER.replace(b"\n", b"\r\n")],
        text=ANSWER_TEXT,
        finish_reason="stop",
    ),
    Scenario(
        name="thinking in tags, cut anywhere",
        script=[
            head(),
            *[chunk(piece) for piece in ("<th", "ink>\nhm", "</th", "ink>", "\n\nHel", "lo")],
            finish(),
            DONE,
        ],
        text="Hello",
        reasoning="hm",
        finish_reason="stop",
    ),
    Scenario(
        name="thinking that never ends",
        script=[head(), chunk("<think>hm</thi")],
        reasoning="hm</thi",
        kind="interrupted",
        sentence=INTERRUPTED,
    ),
    Scenario(
        name="thinking told twice",
        script=[
            head(),
            delta(
                reasoning="hm",
                reasoning_content="hm",
                reasoning_details=[{"type": "reasoning.text", "text": "hm"}],
            ),
            chunk("Hello"),
            finish(),
            DONE,
        ],
        text="Hello",
        reasoning="hm",
        finish_reason="stop",
    ),
    Scenario(
        name="a tool call cut off",
        script=[
            head(),
            delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "look", "arguments": '{"q'}}]),
        ],
        tool_calls=[{"id": "a", "name": "look", "arguments": '{"q'}],
        kind="interrupted",
        sentence=INTERRUPTED,
    ),
]
