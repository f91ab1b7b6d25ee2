"""Chat-completions events to deltas, without I/O, for all dialects at once.

What a server may send is wide open, so the decoder reads every known place: text in ``content`` (a string,
null, or typed chunks), reasoning in ``reasoning_content``, ``reasoning``, ``reasoning_details``, ``thinking``
chunks or ``<think>`` tags, tool calls whole or in pieces, usage wherever it comes. Unknown things are ignored;
an error in any shape ends the stream.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from desktop_chat.api.channels import SurrogateJoiner, ThinkTagSplitter
from desktop_chat.api.errors import error_in_stream
from desktop_chat.api.long_chunks import parts_of
from desktop_chat.api.long_texts import LongTexts
from desktop_chat.api.sse import ServerSentEvent
from desktop_chat.api.tool_calls import ToolCallAssembler
from desktop_chat.api.usage import timings_from_groq, timings_from_llamacpp, usage_from
from desktop_chat.api.wire import (
    WireChoice,
    WireChunk,
    WireDelta,
    chunk_texts,
    decode_chunk,
    details_text,
    tolerant_chunk,
)
from desktop_chat.domain.deltas import (
    Finished,
    ReasoningDelta,
    StreamDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReport,
)
from desktop_chat.domain.errors import ChatError, LimitError, ProtocolError, ServerError

DONE = "[DONE]"
MAX_TEXT_LENGTH = 16 * 1024 * 1024
"""Characters of answer, reasoning and tool calls together: as many as the longest line may hold, and ten times what
a model with the largest context could say. A stream beyond it would fill memory and disk."""

MAX_TOOL_CALLS = 1000


class ChatCompletionsDecoder:
    """Events of one answer in, deltas out.

    Args:
        split_think_tags: take ``<think>...</think>`` at the start of the content for reasoning.
        long_texts: the long strings that were taken out of the next event; see `more`.

    Attributes:
        done: ``[DONE]`` came, or the whole completion did: nothing follows.
        finish_reason: the last one the server gave.
        error: what the server reported, in a stream that had begun; nothing follows it.
        usage: the last usage the server reported.
        warnings: oddities of the server that cost nothing, each once.
    """

    def __init__(self, *, split_think_tags: bool = True, long_texts: LongTexts | None = None) -> None:
        self.done = False
        self.finish_reason: str | None = None
        self.error: ChatError | None = None
        self.usage: Usage | None = None
        self.warnings: list[str] = []
        self._tags = ThinkTagSplitter() if split_think_tags else None
        self._text = SurrogateJoiner()
        self._reasoning = SurrogateJoiner()
        self._calls = ToolCallAssembler()
        self._reasoning_has_field = False  # then `reasoning_details` repeats it
        self._saw_open_choice = False  # a chunk said "not finished yet"
        self._length = 0
        self._long_texts = LongTexts() if long_texts is None else long_texts
        self._rest: Iterator[list[StreamDelta]] | None = None

    @property
    def complete(self) -> bool:
        """Whether the server said in some way that the answer is whole."""
        return self.done or self.finish_reason is not None

    def decode(self, event: ServerSentEvent) -> list[StreamDelta]:
        """The deltas of one event; see `decode_all`."""
        return self.decode_all((event,))

    def decode_all(self, events: Iterable[ServerSentEvent]) -> list[StreamDelta]:
        """The deltas of the events of one read, in order.

        What came in front of an error is returned; look at `error` and `done` afterwards, and at `has_more`: where
        long texts were taken out, all deltas come from `more`.
        """
        deltas: list[StreamDelta] = []
        if self._long_texts:
            self._rest = self._decode_gradually(events)
            return deltas
        for event in events:
            if self.done or self.error:
                break
            data = event.data
            if event.event == "message" and data[:1] == "{":
                try:
                    chunk = decode_chunk(data)
                except msgspec.MsgspecError:
                    self._decode_oddity(event, deltas)
                    continue
                choices = chunk.choices
                if not choices or chunk.error:
                    self._decode_oddity(event, deltas)
                    continue
                self._apply(chunk, choices, deltas)
            else:
                self._decode_oddity(event, deltas)
        return deltas

    def decode_completion(self, body: bytes) -> list[StreamDelta]:
        """The deltas of a whole completion that was not streamed, or of an error object in its place.

        As with `decode_all`, those of a long one come from `more`.

        Raises:
            ProtocolError: the body is neither.
        """
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            raise ProtocolError(_excerpt(body.decode("utf-8", "replace"))) from None
        deltas: list[StreamDelta] = []
        if self._long_texts:
            chunk = _whole_chunk(payload)
            if chunk is not None:
                self._rest = self._complete_gradually(chunk)
                return deltas
            payload = json.loads(self._long_texts.abridged(json.dumps(payload, ensure_ascii=False)))
        self._apply_payload(payload, deltas, is_error=False)
        if not self.error and not (isinstance(payload, dict) and payload.get("choices")):
            raise ProtocolError(_excerpt(json.dumps(payload, ensure_ascii=False)))
        deltas += self.flush()
        self.done = True
        return deltas

    @property
    def has_more(self) -> bool:
        """Whether what was decoded last holds more than may be handed out at once."""
        return self._rest is not None

    def more(self) -> list[StreamDelta]:
        """The deltas of the next piece of a long text, some ten thousand characters; may be empty."""
        deltas = next(self._rest, None) if self._rest is not None else None
        if deltas is None:
            self._rest = None
            self._long_texts.clear()
        return deltas or []

    def flush(self, *, cut: bool = False) -> list[StreamDelta]:
        """The stream ended: what was held back comes out.

        Args:
            cut: the answer is not whole, and the other half of a character or of an opening tag may have been on
                its way: half of one is dropped rather than taken for text that the answer can be continued from.
        """
        deltas: list[StreamDelta] = []
        if cut:
            self._text.held = self._reasoning.held = ""
        self._say(self._text.flush(), deltas)
        if self._tags:
            deltas += self._tags.flush(cut=cut)
        if reasoning := self._reasoning.flush():
            deltas.append(ReasoningDelta(reasoning))
        deltas += self._calls.flush()
        return deltas

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def _decode_gradually(self, events: Iterable[ServerSentEvent]) -> Iterator[list[StreamDelta]]:
        for event in events:
            if self.done or self.error:
                return
            chunk = _long_chunk(event)
            if chunk is not None:
                yield from self._apply_gradually(chunk)
                continue
            deltas: list[StreamDelta] = []
            data = self._long_texts.abridged(event.data)
            self._decode_oddity(msgspec.structs.replace(event, data=data), deltas)
            yield deltas

    def _complete_gradually(self, chunk: WireChunk) -> Iterator[list[StreamDelta]]:
        yield from self._apply_gradually(chunk)
        if self.error is None:
            yield self.flush()
            self.done = True

    def _apply_gradually(self, chunk: WireChunk) -> Iterator[list[StreamDelta]]:
        try:
            for part in parts_of(chunk, self._long_texts):
                deltas: list[StreamDelta] = []
                self._apply(part, part.choices or [], deltas)
                yield deltas
                if self.error:
                    return
        except ValueError:  # a long string that is no valid JSON
            deltas = []
            self._fail(ProtocolError(sentence="The server sent a broken piece."), deltas)
            yield deltas

    def _decode_oddity(self, event: ServerSentEvent, deltas: list[StreamDelta]) -> None:
        """An event that is not a chunk as the typed decoder knows it."""
        data = event.data.strip()
        if not data:
            return
        if data == DONE:
            self.done = True
            deltas += self.flush()
            if self.finish_reason is None:
                self.warn("The server ended the answer without a finish reason.")
            return
        is_error = event.event == "error"
        try:
            payload = json.loads(data)
        except (ValueError, RecursionError):
            if is_error:
                self._fail(error_in_stream(data), deltas)
            elif event.event == "message":
                self._fail(ProtocolError(_excerpt(data), sentence="The server sent a broken piece."), deltas)
            return
        self._apply_payload(payload, deltas, is_error=is_error)

    def _apply_payload(self, payload: object, deltas: list[StreamDelta], *, is_error: bool) -> None:
        if not isinstance(payload, dict):
            if is_error or (
                isinstance(payload, list)
                and any(isinstance(item, dict) and "error" in item for item in payload)
            ):
                self._fail(error_in_stream(payload), deltas)
            else:
                self.warn("The server sent pieces that are no chat chunks; they were ignored.")
            return
        chunk = tolerant_chunk(payload)
        self._apply(chunk, chunk.choices or [], deltas)
        if self.error:
            return
        in_groq = chunk.x_groq is not None and chunk.x_groq.error
        if is_error or chunk.error or in_groq or (not chunk.choices and _is_bare_error(payload)):
            self._fail(
                error_in_stream({"error": chunk.x_groq.error} if in_groq and chunk.x_groq else payload),
                deltas,
            )

    def _apply(self, chunk: WireChunk, choices: list[WireChoice], deltas: list[StreamDelta]) -> None:
        finish: str | None = None
        for choice in choices:
            if choice.index:
                continue  # n > 1 was never asked for
            delta = choice.delta or choice.message
            if delta is not None:
                self._apply_delta(delta, deltas)
            if choice.finish_reason is None:
                self._saw_open_choice = True
            elif choice.finish_reason or self._saw_open_choice:
                # Old Ollama versions finish with "". A server that says "" from the first chunk on means null.
                finish = choice.finish_reason
            if choice.usage:
                self._report(choice.usage, deltas)
        if finish is not None:
            deltas += self.flush()
        if chunk.x_groq and chunk.x_groq.usage:
            self._report(chunk.x_groq.usage, deltas)
        elif chunk.usage:
            self._report(chunk.usage, deltas)
        if chunk.timings:
            deltas.append(UsageReport(timings=timings_from_llamacpp(chunk.timings)))
        if finish is not None:
            self._finish(finish, deltas, failed=bool(chunk.error))

    def _apply_delta(self, delta: WireDelta, deltas: list[StreamDelta]) -> None:
        reasoning = delta.reasoning_content or delta.reasoning
        if reasoning:
            self._reasoning_has_field = True
        elif delta.reasoning_details and not self._reasoning_has_field:
            reasoning = details_text(delta.reasoning_details)
        content = delta.content
        if isinstance(content, list):
            thought, content = chunk_texts(content)
            reasoning = reasoning or thought
        if reasoning:
            self._think(reasoning, deltas)
        if content:
            self._say(content, deltas)
        if delta.refusal:
            self._say(delta.refusal, deltas)
        if delta.tool_calls:
            for call in delta.tool_calls:
                self._call(self._calls.feed(call.index, call.id, call.function), deltas)
        if delta.function_call:
            self._call(self._calls.feed(0, None, delta.function_call), deltas)

    def _say(self, text: str, deltas: list[StreamDelta]) -> None:
        if self._text.held or not text.isascii():
            text = self._text.feed(text)
        if not text or not self._count(len(text)):
            return
        if self._tags is None or self._tags.passes_through:
            deltas.append(TextDelta(text))
        else:
            deltas += self._tags.feed(text)

    def _think(self, text: str, deltas: list[StreamDelta]) -> None:
        if self._reasoning.held or not text.isascii():
            text = self._reasoning.feed(text)
        if text and self._count(len(text)):
            deltas.append(ReasoningDelta(text))

    def _call(self, found: list[ToolCallDelta], deltas: list[StreamDelta]) -> None:
        for delta in found:
            if delta.index >= MAX_TOOL_CALLS:
                self._exceed(f"The answer has more than {MAX_TOOL_CALLS} tool calls.")
            elif self._count(len(delta.id) + len(delta.name) + len(delta.arguments)):
                deltas.append(delta)

    def _count(self, length: int) -> bool:
        """Whether the answer may grow by so many characters."""
        self._length += length
        if self._length > MAX_TEXT_LENGTH:
            self._exceed(f"The answer is longer than {MAX_TEXT_LENGTH} characters.")
        return self.error is None

    def _exceed(self, words: str) -> None:
        self.error = self.error or LimitError(
            words, sentence="The server sends an answer that is longer than this program accepts."
        )

    def _report(self, raw: dict[str, Any], deltas: list[StreamDelta]) -> None:
        self.usage = usage_from(raw)
        deltas.append(UsageReport(usage=self.usage, timings=timings_from_groq(raw)))

    def _finish(self, reason: str, deltas: list[StreamDelta], *, failed: bool) -> None:
        if reason != self.finish_reason:
            self.finish_reason = reason
            deltas.append(Finished(reason))
        if reason == "error" and not failed:  # Mistral; others say in the same chunk what went wrong
            self._fail(
                ServerError(sentence="The server broke off the answer because of an error of its own."),
                deltas,
            )

    def _fail(self, error: ChatError, deltas: list[StreamDelta]) -> None:
        deltas += self.flush(cut=not self.complete)
        self.error = self.error or error


def _long_chunk(event: ServerSentEvent) -> WireChunk | None:
    """The event as a chunk with choices, whatever odd types it has; None for anything else."""
    if event.event != "message" or event.data[:1] != "{":
        return None
    try:
        chunk = decode_chunk(event.data)
        return chunk if chunk.choices and not chunk.error else None
    except msgspec.MsgspecError:
        pass  # other types than usual, halves of surrogate pairs, or no JSON
    try:
        return _whole_chunk(json.loads(event.data))
    except (ValueError, RecursionError):
        return None


def _whole_chunk(payload: object) -> WireChunk | None:
    if not isinstance(payload, dict):
        return None
    chunk = tolerant_chunk(payload)
    return chunk if chunk.choices and not chunk.error else None


def _is_bare_error(payload: dict[str, Any]) -> bool:
    """Errors that are not wrapped in ``error``: Mistral's and FastAPI's."""
    return payload.get("object") == "error" or (
        "choices" not in payload
        and any(payload.get(key) for key in ("message", "detail"))
        and "usage" not in payload
    )


def _excerpt(text: str, limit: int = 500) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit] + "…"
