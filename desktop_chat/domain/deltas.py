"""What a streamed answer consists of, piece by piece.

The codec turns wire events into these; every consumer above it (session, handlers, view) sees nothing else.
They are created once a token, hence ``gc=False`` structs: they hold no cycles.
"""

from __future__ import annotations

import msgspec


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of the answer. Never empty, never holds a lone surrogate."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of the model's reasoning, whatever field or tag carried it. Never empty."""

    text: str


class ToolCallDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of a tool call; pieces with the same ``index`` belong together.

    ``id`` and ``name`` are empty on continuation pieces; ``arguments`` is a fragment of JSON text.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts as the server reported them; ``None`` where it said nothing.

    Attributes:
        cost: in the provider's currency unit (US dollars at OpenRouter, which sends ``usage.cost``).
        raw: the usage object exactly as it was received.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost: float | None = None
    raw: dict[str, object] = msgspec.field(default_factory=dict)


class ServerTimings(msgspec.Struct, frozen=True, kw_only=True):
    """The server's own speed figures (llama.cpp ``timings``, Groq ``x_groq``); times in seconds."""

    prompt_seconds: float | None = None
    completion_seconds: float | None = None
    tokens_per_second: float | None = None
    completion_tokens: int | None = None


class UsageReport(msgspec.Struct, frozen=True, gc=False):
    """Usage or timings arrived. The last value of each wins; they are never summed."""

    usage: Usage | None = None
    timings: ServerTimings | None = None


class Finished(msgspec.Struct, frozen=True, gc=False):
    """The server gave a finish reason (an open set: ``stop``, ``length``, ``tool_calls``, ...)."""

    reason: str


StreamDelta = TextDelta | ReasoningDelta | ToolCallDelta | UsageReport | Finished
ContentDelta = TextDelta | ReasoningDelta | ToolCallDelta
"""The deltas that count as payload: the first of them ends the wait for the first token."""
