"""Servers that refuse ``stream_options``, which nobody needs, in the shapes in which they say so."""

from __future__ import annotations

import json
from typing import Final

from fault_server.scenario import Scenario
from fault_server.wire import ANSWER, ANSWER_TEXT, head, response

_REFUSALS: Final[dict[str, tuple[str, object]]] = {
    "OpenAI": (
        "400 Bad Request",
        {"error": {"message": "Unrecognized request argument supplied: stream_options", "param": None}},
    ),
    "pydantic": (
        "422 Unprocessable Entity",
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "stream_options"],
                    "msg": "Extra inputs are not permitted",
                }
            ]
        },
    ),
    "serde": (
        "422 Unprocessable Entity",
        "unknown field `stream_options`, expected one of `model`, `messages`, `seed` at line 1 column 90",
    ),
    "Go": ("400 Bad Request", {"error": 'json: unknown field "stream_options"'}),
    "JSON Schema": (
        "400 Bad Request",
        {"message": "Additional properties are not allowed ('stream_options' was unexpected)"},
    ),
}

STRICT: Final = [
    *(
        Scenario(
            name=f"an optional field is refused ({kind})",
            script=[response(status, body if isinstance(body, str) else json.dumps(body))],
            then=[head(), ANSWER],
            text=ANSWER_TEXT,
            finish_reason="stop",
        )
        for kind, (status, body) in _REFUSALS.items()
    ),
    Scenario(
        name="a field that is not ours is refused",
        script=[
            response("400 Bad Request", json.dumps({"error": {"message": "Unknown parameter: 'stream'."}}))
        ],
        then=[head(), ANSWER],
        kind="invalid_request",
        sentence="Unknown parameter: 'stream'.",
    ),
    Scenario(
        name="an optional field is refused for ever",
        script=[
            response("400 Bad Request", json.dumps({"error": "Unsupported parameter: 'stream_options'."}))
        ],
        kind="invalid_request",
        sentence="Unsupported parameter",
    ),
]
