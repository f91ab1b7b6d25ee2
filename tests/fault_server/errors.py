"""Errors in all the shapes that servers give them: by status, and inside a stream."""

from __future__ import annotations

import datetime as dt
import email.utils
import json
from typing import Final

from fault_server.scenario import Scenario
from fault_server.server import Forever, Script
from fault_server.wire import DONE, chunk, event, finish, head, response

_PART: Final = chunk("Hel") + chunk("lo")


def _error(status: str, body: object, **headers: str) -> Script:
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "application/json" if not isinstance(body, str) else "text/html"
    return [response(status, text, kind, **headers)]


_SOON = email.utils.format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=40), usegmt=True)

IN_STREAM: Final = [
    Scenario(
        name="error object in the stream",
        script=[
            head(),
            _PART,
            event({"error": {"message": "GPU on fire", "type": "server_error", "code": 500}}),
        ],
        text="Hello",
        kind="server",
        sentence="GPU on fire",
        facts={"status": 500},
    ),
    Scenario(
        name="error text in the stream",
        script=[head(), _PART, event({"error": "GPU on fire"})],
        text="Hello",
        kind="server",
        sentence="GPU on fire",
    ),
    Scenario(
        name="error event",
        script=[head(), _PART, event({"message": "GPU on fire"}, "error")],
        text="Hello",
        kind="server",
        message="GPU on fire",
    ),
    Scenario(
        name="error event in plain words",
        script=[head(), _PART, b"event: error\ndata: GPU on fire\n\n"],
        text="Hello",
        kind="server",
        message="GPU on fire",
    ),
    Scenario(
        name="error beside choices",
        script=[
            head(),
            _PART,
            event(
                {
                    "choices": [{"delta": {"content": "!"}, "finish_reason": "error"}],
                    "error": {"code": 502, "message": "Provider disconnected"},
                }
            ),
        ],
        text="Hello!",
        finish_reason="error",
        kind="server",
        facts={"status": 502},
    ),
    Scenario(
        name="bare Mistral error",
        script=[
            head(),
            _PART,
            event(
                {
                    "object": "error",
                    "message": "Service unavailable",
                    "type": "unreachable_backend",
                    "code": "1100",
                }
            ),
        ],
        text="Hello",
        kind="server",
        message="Service unavailable",
    ),
    Scenario(
        name="bare detail",
        script=[head(), _PART, event({"detail": "worker died"})],
        text="Hello",
        kind="server",
        message="worker died",
    ),
    Scenario(
        name="finish reason error",
        script=[head(), _PART, finish("error"), DONE],
        text="Hello",
        finish_reason="error",
        kind="server",
        sentence="an error of its own",
    ),
    Scenario(
        name="overflow in the stream",
        script=[
            head(),
            event(
                {
                    "error": {
                        "code": 400,
                        "message": "the request exceeds the available context size",
                        "type": "exceed_context_size_error",
                        "n_prompt_tokens": 9000,
                        "n_ctx": 4096,
                    }
                }
            ),
        ],
        kind="context_overflow",
        sentence="9000 tokens; the model can read 4096",
    ),
    Scenario(
        name="rate limit in the stream",
        script=[head(), event({"error": {"message": "Rate limit exceeded", "code": 429}})],
        kind="rate_limit",
        message="Rate limit exceeded",
        facts={"status": 429},
    ),
    Scenario(
        name="wrong key in the stream",
        script=[
            head(),
            event(
                {
                    "error": {
                        "message": "Incorrect API key provided.",
                        "type": "invalid_request_error",
                        "code": "invalid_api_key",
                    }
                }
            ),
        ],
        kind="authentication",
        sentence="did not accept the API key",
        message="Incorrect API key provided.",
        facts={"retryable": False, "status": None},
    ),
    Scenario(
        name="unknown model in the stream",
        script=[
            head(),
            event({"error": {"message": "No such model: x", "code": "model_not_found", "param": "model"}}),
        ],
        kind="not_found",
        sentence="does not know this model: No such model: x.",
        facts={"retryable": False, "param": "model"},
    ),
    Scenario(
        name="refused in the stream",
        script=[head(), _PART, event({"error": {"message": "Not this.", "type": "invalid_request_error"}})],
        text="Hello",
        kind="invalid_request",
        sentence="refused the request: Not this.",
        facts={"retryable": False},
    ),
    Scenario(
        name="overloaded in the stream",
        script=[head(), event({"error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")],
        kind="overloaded",
        message="Overloaded",
    ),
    Scenario(
        name="error under x_groq",
        script=[head(), _PART, event({"choices": [], "x_groq": {"error": "capacity"}})],
        text="Hello",
        kind="server",
        message="capacity",
    ),
]

STATUSES: Final = [
    Scenario(
        name="401",
        script=_error("401 Unauthorized", {"detail": "Unauthorized"}),
        kind="authentication",
        sentence="did not accept the API key",
        facts={"status": 401, "retryable": False},
    ),
    Scenario(
        name="402",
        script=_error("402 Payment Required", {"error": {"message": "Insufficient credits"}}),
        kind="quota",
        sentence="no credit left",
    ),
    Scenario(
        name="403",
        script=_error("403 Forbidden", {"message": "Not allowed", "request_id": "r-1"}),
        kind="permission",
        message="Not allowed",
        facts={"request_id": "r-1"},
    ),
    Scenario(
        name="404 model",
        script=_error(
            "404 Not Found", {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}
        ),
        kind="not_found",
        sentence="The model `x` does not exist",
    ),
    Scenario(
        name="400 invalid model",
        script=_error(
            "400 Bad Request",
            {
                "object": "error",
                "message": "Invalid model: x",
                "type": "invalid_model",
                "param": None,
                "code": "1500",
            },
        ),
        kind="not_found",
        sentence="Invalid model: x",
    ),
    Scenario(
        name="422 with its field",
        script=_error(
            "422 Unprocessable Entity",
            {
                "object": "error",
                "message": {
                    "detail": [
                        {
                            "type": "less_than_equal",
                            "loc": ["body", "temperature"],
                            "msg": "Input should be less than or equal to 1.5",
                        }
                    ]
                },
                "type": "invalid_request_error",
            },
        ),
        kind="invalid_request",
        sentence="refused “temperature”: Input should be less than or equal to 1.5.",
        facts={"param": "temperature", "status": 422},
    ),
    Scenario(
        name="422, plain FastAPI",
        script=_error(
            "422 Unprocessable Entity",
            {
                "detail": [
                    {"loc": ["body", "messages", 0, "role"], "msg": "Field required", "type": "missing"}
                ]
            },
        ),
        kind="invalid_request",
        facts={"param": "messages.0.role"},
    ),
    Scenario(
        name="400 with a param",
        script=_error(
            "400 Bad Request", {"error": {"message": "Unsupported value", "param": "top_p", "code": None}}
        ),
        kind="invalid_request",
        sentence="“top_p”",
        facts={"param": "top_p"},
    ),
    Scenario(
        name="400, context overflow of OpenAI",
        script=_error(
            "400 Bad Request",
            {
                "error": {
                    "message": "This model's maximum context length is 8192 tokens. "
                    "However, your messages resulted in 9001 tokens.",
                    "code": "context_length_exceeded",
                }
            },
        ),
        kind="context_overflow",
        sentence="9001 tokens; the model can read 8192",
    ),
    Scenario(
        name="400, context overflow of Mistral",
        script=_error(
            "400 Bad Request",
            {
                "object": "error",
                "message": "Prompt contains 40000 tokens and 0 draft tokens, "
                "too large for model with 32768 maximum context length",
                "type": "invalid_request_error",
                "code": "3051",
            },
        ),
        kind="context_overflow",
        sentence="40000 tokens; the model can read 32768",
    ),
    Scenario(
        name="400, context overflow of llama.cpp",
        script=_error(
            "400 Bad Request",
            {
                "error": {
                    "code": 400,
                    "message": "request (5000 tokens) exceeds the available context size (4096 tokens)",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 5000,
                    "n_ctx": 4096,
                }
            },
        ),
        kind="context_overflow",
        sentence="5000 tokens; the model can read 4096",
    ),
    Scenario(
        name="413",
        script=_error("413 Content Too Large", "<html><h1>Too large</h1></html>"),
        kind="invalid_request",
        sentence="larger than the server accepts",
    ),
    Scenario(
        name="429 in seconds",
        script=_error("429 Too Many Requests", {"message": "Requests rate limit exceeded"}, retry_after="7"),
        kind="rate_limit",
        sentence="wait 7 s",
        facts={"retry_after_s": 7.0, "retryable": True},
    ),
    Scenario(
        name="429 with a date",
        script=_error("429 Too Many Requests", {"message": "slow down"}, retry_after=_SOON),
        kind="rate_limit",
        sentence="asks to wait",
    ),
    Scenario(
        name="429 without a wait",
        script=_error("429 Too Many Requests", ""),
        kind="rate_limit",
        sentence="rate limit is reached",
        facts={"retry_after_s": None},
    ),
    Scenario(
        name="429 without credit",
        script=_error(
            "429 Too Many Requests",
            {
                "error": {
                    "message": "You exceeded your current quota, please check your plan and billing details.",
                    "type": "insufficient_quota",
                    "code": "insufficient_quota",
                }
            },
        ),
        kind="quota",
        sentence="no credit left",
        facts={"retryable": False},
    ),
    Scenario(
        name="500 with JSON",
        script=_error("500 Internal Server Error", {"error": "boom"}),
        kind="server",
        sentence="boom",
        facts={"status": 500, "retryable": True},
    ),
    Scenario(
        name="500 with nothing",
        script=_error("500 Internal Server Error", ""),
        kind="server",
        sentence="The server failed.",
    ),
    Scenario(
        name="502 with HTML",
        script=_error(
            "502 Bad Gateway", "<html><head><title>502 Bad Gateway</title></head></html>", x_request_id="abc"
        ),
        kind="server",
        sentence="gateway",
        message="502 Bad Gateway",
        facts={"request_id": "abc"},
    ),
    Scenario(
        name="503, model loading",
        script=_error(
            "503 Service Unavailable",
            {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        ),
        kind="overloaded",
        sentence="still loading the model",
        facts={"retryable": True},
    ),
    Scenario(
        name="503 with words",
        script=_error("503 Service Unavailable", {"error": {"message": "No fixture matched"}}),
        kind="overloaded",
        sentence="busy or still loading the model: No fixture matched.",
    ),
    Scenario(
        name="400, LiteLLM that cannot look up the key",
        script=_error(
            "400 Bad Request",
            {"error": {"message": "No connected db.", "type": "no_db_connection", "code": "400"}},
        ),
        kind="authentication",
        sentence="did not accept the API key",
        facts={"status": 400},
    ),
    Scenario(
        name="529",
        script=_error(
            "529 Overloaded",
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        ),
        kind="overloaded",
        sentence="busy",
    ),
    Scenario(
        name="408",
        script=_error("408 Request Timeout", ""),
        kind="server",
        facts={"retryable": True, "status": 408},
    ),
    Scenario(
        name="409",
        script=_error("409 Conflict", {"message": "busy"}),
        kind="server",
        facts={"retryable": True},
    ),
    Scenario(
        name="an error body that never ends",
        script=[head("500 Internal Server Error", "text/plain"), b"boom ", Forever(b"and more " * 100_000)],
        kind="server",
        sentence="boom",
    ),
    Scenario(
        name="an error body cut off",
        script=[
            head("400 Bad Request", "application/json", content_length="999"),
            b'{"error": {"message": "bad',
        ],
        kind="invalid_request",
        message="bad",
    ),
]
