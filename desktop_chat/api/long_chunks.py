"""A chunk with long texts as many chunks with short ones."""

from __future__ import annotations

import json
from collections.abc import Iterator

from desktop_chat.api.long_texts import LongTexts
from desktop_chat.api.wire import (
    WireChoice,
    WireChunk,
    WireDelta,
    WireFunction,
    WireToolCall,
    chunk_texts,
    details_text,
)


def parts_of(chunk: WireChunk, texts: LongTexts) -> Iterator[WireChunk]:
    """Chunks that mean the same one after the other: the marks of ``texts`` replaced, a piece a chunk.

    Raises:
        ValueError: a long text is no valid JSON string; the parts in front of it have been given.
    """
    for choice in chunk.choices or ():
        delta = choice.delta or choice.message
        if delta is None or choice.index:
            continue
        for part in _deltas(delta, texts):
            yield WireChunk(choices=[WireChoice(delta=part)])
        choice.delta = choice.message = None
    yield chunk  # what is left: finish reason, usage, timings


def _deltas(delta: WireDelta, texts: LongTexts) -> Iterator[WireDelta]:
    content = delta.content
    thought = delta.reasoning_content or delta.reasoning
    inner_thought = ""
    if isinstance(content, list):
        inner_thought, content = chunk_texts(content)
    if thought:
        for piece in texts.pieces(thought):
            yield WireDelta(reasoning_content=piece)
    elif delta.reasoning_details:
        for piece in texts.pieces(details_text(delta.reasoning_details)):
            yield WireDelta(reasoning_details=[{"text": piece}])
    else:
        for piece in texts.pieces(inner_thought):
            yield WireDelta(content=[{"type": "thinking", "thinking": piece}])
    for piece in texts.pieces(content or ""):
        yield WireDelta(content=piece)
    for piece in texts.pieces(delta.refusal or ""):
        yield WireDelta(refusal=piece)
    for call in delta.tool_calls or ():
        for function in _functions(call.function, texts):
            yield WireDelta(tool_calls=[WireToolCall(call.index, call.id, function)])
    if delta.function_call:
        for function in _functions(delta.function_call, texts):
            yield WireDelta(function_call=function)


def _functions(function: WireFunction | None, texts: LongTexts) -> Iterator[WireFunction]:
    """The name with the beginning of the arguments, then the rest of these."""
    if function is None:
        yield WireFunction()
        return
    arguments = function.arguments or ""
    is_object = isinstance(arguments, dict)
    if isinstance(arguments, dict):
        arguments = json.dumps(arguments, ensure_ascii=False)
    name = function.name
    for piece in texts.pieces(arguments, raw=is_object):
        yield WireFunction(name, piece)
        name = None
    if name is not None:
        yield WireFunction(name)
