"""Chat-completions chunks as they come over the wire, for typed decoding.

Only the fields this program reads; everything else is skipped without being decoded. ``object`` stands where
servers disagree on the type. `tolerant_chunk` builds the same structs from any JSON object whose shape does
not fit, so that an odd type in one field never costs the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class WireFunction(msgspec.Struct, gc=False):
    """``arguments`` is JSON text; some servers send the object itself."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class WireToolCall(msgspec.Struct, gc=False):
    index: int | None = None
    id: str | None = None
    function: WireFunction | None = None


class WireDelta(msgspec.Struct, gc=False):
    """``content`` is a string, null, or Mistral's list of typed chunks."""

    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Any] | None = None
    tool_calls: list[WireToolCall] | None = None
    function_call: WireFunction | None = None
    refusal: str | None = None


class WireChoice(msgspec.Struct, gc=False):
    """``message`` takes the place of ``delta`` in a completion that is not streamed."""

    delta: WireDelta | None = None
    finish_reason: str | None = None
    index: int = 0
    message: WireDelta | None = None
    usage: dict[str, Any] | None = None


class WireGroq(msgspec.Struct, gc=False):
    usage: dict[str, Any] | None = None
    error: object = None


class WireChunk(msgspec.Struct, gc=False):
    """One ``data:`` payload. ``detail``, ``message`` and ``object`` tell an error from a chunk."""

    choices: list[WireChoice] | None = None
    usage: dict[str, Any] | None = None
    timings: dict[str, Any] | None = None
    x_groq: WireGroq | None = None
    error: object = None


decode_chunk = msgspec.json.Decoder(WireChunk).decode


def tolerant_chunk(payload: Mapping[str, Any]) -> WireChunk:
    """The same chunk from any JSON object: fields of the wrong type count as absent."""
    choices = payload.get("choices")
    groq = payload.get("x_groq")
    return WireChunk(
        choices=[_choice(item) for item in choices if isinstance(item, dict)]
        if isinstance(choices, list)
        else None,
        usage=_object(payload.get("usage")),
        timings=_object(payload.get("timings")),
        x_groq=WireGroq(usage=_object(groq.get("usage")), error=groq.get("error"))
        if isinstance(groq, dict)
        else None,
        error=payload.get("error"),
    )


def _choice(item: Mapping[str, Any]) -> WireChoice:
    index = item.get("index")
    return WireChoice(
        delta=_delta(item.get("delta")),
        finish_reason=_text(item.get("finish_reason")),
        index=index if isinstance(index, int) else 0,
        message=_delta(item.get("message")),
        usage=_object(item.get("usage")),
    )


def _delta(item: object) -> WireDelta | None:
    if not isinstance(item, dict):
        return None
    content = item.get("content")
    details = item.get("reasoning_details")
    calls = item.get("tool_calls")
    return WireDelta(
        content=content if isinstance(content, (str, list)) else None,
        reasoning_content=_text(item.get("reasoning_content")),
        reasoning=_text(item.get("reasoning")),
        reasoning_details=details if isinstance(details, list) else None,
        tool_calls=[_tool_call(call) for call in calls if isinstance(call, dict)]
        if isinstance(calls, list)
        else None,
        function_call=_function(item.get("function_call")),
        refusal=_text(item.get("refusal")),
    )


def _tool_call(item: Mapping[str, Any]) -> WireToolCall:
    index = item.get("index")
    if isinstance(index, str) and index.isdecimal():
        index = int(index)
    return WireToolCall(
        index=index if isinstance(index, int) else None,
        id=_text(item.get("id")),
        function=_function(item.get("function")),
    )


def _function(item: object) -> WireFunction | None:
    if not isinstance(item, dict):
        return None
    arguments = item.get("arguments")
    return WireFunction(
        name=_text(item.get("name")), arguments=arguments if isinstance(arguments, (str, dict)) else None
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _object(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def details_text(details: list[Any]) -> str:
    """Text of OpenRouter's ``reasoning_details``: ``reasoning.text`` and ``reasoning.summary``."""
    texts = (item.get("text") or item.get("summary") for item in details if isinstance(item, dict))
    return "".join(text for text in texts if isinstance(text, str))


def chunk_texts(chunks: list[Any]) -> tuple[str, str]:
    """Reasoning and answer in a list of typed chunks (Mistral ``ContentChunk``); unknown types are skipped."""
    thoughts: list[str] = []
    texts: list[str] = []
    for chunk in chunks:
        if isinstance(chunk, str):
            texts.append(chunk)
        elif isinstance(chunk, dict):
            kind = chunk.get("type")
            if kind == "thinking":
                inner = chunk.get("thinking")
                thoughts += chunk_texts(inner if isinstance(inner, list) else [inner])
            elif kind in ("text", "output_text") and isinstance(chunk.get("text"), str):
                texts.append(chunk["text"])
    return "".join(thoughts), "".join(texts)
