"""Long lines are decoded in pieces: the same deltas as from one that is decoded whole, and never much at once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fault_server.reading import Answer
from fault_server.wire import DONE, delta, event, finish

from desktop_chat.api import body
from desktop_chat.api.body import BodyDecoder
from desktop_chat.api.codec import MAX_TEXT_LENGTH, MAX_TOOL_CALLS, ChatCompletionsDecoder
from desktop_chat.api.sse import MAX_LINE_BYTES, SSEDecoder
from desktop_chat.domain.deltas import Finished, ReasoningDelta, StreamDelta, TextDelta, ToolCallDelta
from desktop_chat.domain.errors import LimitError, ProtocolError

LONG = 100_000
STREAM = {"content-type": "text/event-stream"}
MOST_AT_ONCE = 70_000
"""Characters in the deltas of one step."""


def steps(decoder: BodyDecoder, data: bytes, size: int = 32_768) -> Iterator[list[StreamDelta]]:
    """Feed ``data`` in reads of ``size`` bytes, as the client does."""
    for at in range(0, len(data), size):
        if decoder.ended:
            return
        yield decoder.feed(data[at : at + size])
        while decoder.has_more:
            yield decoder.more()
    if not decoder.ended:
        yield decoder.end()
        while decoder.has_more:
            yield decoder.more()


def length(found: StreamDelta) -> int:
    if isinstance(found, ToolCallDelta):
        return len(found.arguments)
    return len(found.text) if isinstance(found, (TextDelta, ReasoningDelta)) else 0


def read(data: bytes, size: int = 32_768, headers: dict[str, str] = STREAM) -> tuple[Answer, BodyDecoder]:
    decoder = BodyDecoder(headers)
    answer = Answer()
    for deltas in steps(decoder, data, size):
        assert sum(map(length, deltas)) <= MOST_AT_ONCE
        answer.add_all(deltas)
    answer.error = decoder.error
    answer.finish_reason = decoder.codec.finish_reason
    return answer, decoder


def whole(data: bytes) -> Answer:
    """What decoding each line as a whole gives."""
    answer = Answer()
    codec = ChatCompletionsDecoder()
    answer.add_all(codec.decode_all(SSEDecoder().feed(data)))
    answer.add_all(codec.flush())
    answer.error, answer.finish_reason = codec.error, codec.finish_reason
    return answer


TEXTS = {
    "letters": "a" * LONG,
    "lines": "A line.\n" * (LONG // 8),
    "quotes and backslashes": '\\"\\\\"/\\u00e9' * (LONG // 10),
    "accents": "é" * LONG,
    "emoji": "\U0001f600" * LONG,
    "controls": "\t\r\n\x01" * (LONG // 4),
    "marks": "\ufdd00\ufdd1" * (LONG // 3),
}
SHAPES: dict[str, Any] = {
    "content": lambda text: {"content": text},
    "reasoning": lambda text: {"reasoning_content": text},
    "reasoning, then content": lambda text: {"content": text, "reasoning": text},
    "details": lambda text: {"reasoning_details": [{"type": "reasoning.text", "text": text}]},
    "typed content": lambda text: {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": text}]},
            {"type": "text", "text": "and "},
            {"type": "text", "text": text},
        ]
    },
    "arguments": lambda text: {
        "tool_calls": [
            {"index": 0, "id": "a", "function": {"name": "f", "arguments": text}},
            {"index": 1, "id": "b", "function": {"name": "g", "arguments": text[:-1]}},
        ]
    },
    "arguments without numbers": lambda text: {
        "tool_calls": [
            {"id": "a", "function": {"name": "f", "arguments": text}},
            {"function": {"name": "g", "arguments": text}},
        ]
    },
    "an object as arguments": lambda text: {
        "tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": {"text": text}}}]
    },
    "an old call": lambda text: {"function_call": {"name": "f", "arguments": text}},
    "a refusal": lambda text: {"refusal": text},
    "odd types": lambda text: {"content": text, "reasoning": 3, "role": {"x": text}},
}


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("text", TEXTS)
def test_a_long_line_gives_what_it_gives_whole(text: str, shape: str, escaped: bool) -> None:
    payload = {"choices": [{"index": 0, "delta": SHAPES[shape](TEXTS[text]), "finish_reason": "stop"}]}
    data = b"data: " + json.dumps(payload, ensure_ascii=escaped).encode() + b"\n\n" + DONE
    answer, decoder = read(data)
    expected = whole(data)
    assert decoder.codec.done
    assert decoder.error is None
    if text == "marks" and not escaped:
        return  # noncharacters that look like our marks: they may get lost, and do no harm
    for field in ("text", "reasoning", "finish_reason", "error"):
        assert getattr(answer, field) == getattr(expected, field)
    if shape == "an object as arguments":
        assert [json.loads(call["arguments"]) for call in answer.tool_calls] == [
            json.loads(call["arguments"]) for call in expected.tool_calls
        ]
    else:
        assert answer.tool_calls == expected.tool_calls


@pytest.mark.parametrize("size", [1000, 4099, 32_768])
def test_any_split_gives_the_same(size: int) -> None:
    text = 'é\U0001f600 "quoted" \\ and\n' * 6000
    data = (
        delta(content="first ")
        + delta(content=text, reasoning="r" * LONG)
        + delta(content=" last")
        + finish()
    )
    escaped = json.dumps({"choices": [{"delta": {"content": text}}]}).encode()
    data += b"data:" + escaped + b"\r\n\r\n" + DONE
    answer, _ = read(data, size)
    assert answer.text == f"first {text} last{text}"
    assert answer.reasoning == "r" * LONG


def test_halves_of_characters_are_joined_over_pieces() -> None:
    body_ = b"\\ud83d\\ude00" * 50_000
    data = b'data: {"choices":[{"delta":{"content":"x' + body_ + b'"}}]}\n\n' + finish()
    for size in (32_768, 8191, 5003):
        assert read(data, size)[0].text == "x" + "\U0001f600" * 50_000


def test_a_long_line_among_lines_of_one_event() -> None:
    data = b'event: message\ndata: {"choices":\ndata: [{"delta":{"content":"%b"\ndata: }}]}\n\n' % (
        b"a" * LONG
    )
    answer, _ = read(data + finish())
    assert answer.text == "a" * LONG


def test_a_long_string_that_is_no_json_ends_the_answer_behind_what_was_whole() -> None:
    data = b'data: {"choices":[{"delta":{"content":"' + b"a" * LONG + b"\\x" + b'"}}]}\n\n'
    answer, _ = read(delta(content="before ") + data)
    assert isinstance(answer.error, ProtocolError)
    assert answer.text.startswith("before aaaa")


def test_a_long_error_is_told_in_short() -> None:
    answer, _ = read(event({"error": {"message": "No room. " * 20_000, "code": 500}}))
    assert answer.error is not None
    assert answer.error.message.startswith("No room. No room.")
    assert len(answer.error.message) < 5_000


def test_a_long_document_comes_in_pieces() -> None:
    text = "A word.\n" * 30_000
    document = {
        "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
        "usage": {"total_tokens": 3},
    }
    answer, decoder = read(
        json.dumps(document, indent=1).encode(), headers={"content-type": "application/json"}
    )
    assert (answer.text, answer.finish_reason, answer.error) == (text, "stop", None)
    assert decoder.codec.done


@pytest.mark.parametrize(
    "data",
    [
        b'data: {"choices":[{"delta":{"content":[' + b"{}," * 100_000 + b"{}]}}]}\n\n",
        b"data: {" + b"a " * 100_000 + b"\n\n",
        b'data: {"choices":' + b"[" * 200_000,
        b"data: \n" * 100_000,
    ],
    ids=["objects", "no JSON", "brackets", "empty lines of data"],
)
def test_what_is_long_without_being_text_is_refused(data: bytes) -> None:
    answer, _ = read(delta(content="kept") + data)
    assert isinstance(answer.error, LimitError)
    assert answer.text == "kept"


def test_a_line_over_the_limit_is_refused_before_it_ends() -> None:
    line = b'data: {"choices":[{"delta":{"content":"' + b"a" * MAX_LINE_BYTES
    answer, _ = read(delta(content="kept") + line)
    assert isinstance(answer.error, LimitError)
    assert answer.text == "kept"


def test_long_lines_that_say_nothing_are_skipped() -> None:
    data = b": " + b"x" * LONG + b"\n" + b"unknown: " + b"x" * LONG + b"\n" + delta(content="said") + finish()
    answer, decoder = read(data)
    assert (answer.text, answer.error) == ("said", None)
    assert decoder.sse.comments == 1


def test_a_bomb_is_unpacked_step_by_step() -> None:
    event_ = delta(content="boom " * 1000)
    packed = gzip.compress(event_ * 2000 + finish())
    assert len(packed) < 64_000
    answer, _ = read(packed, headers=STREAM | {"content-encoding": "gzip"})
    assert answer.text == "boom " * 2_000_000


def test_an_answer_without_end_is_ended_and_kept() -> None:
    piece = "word " * 6000
    endless = delta(content=piece)
    decoder = BodyDecoder(STREAM)
    kept = 0
    while not decoder.ended:
        kept += sum(map(length, decoder.feed(endless)))
        while decoder.has_more:
            kept += sum(map(length, decoder.more()))
    assert isinstance(decoder.error, LimitError)
    assert MAX_TEXT_LENGTH - 2 * len(piece) < kept <= MAX_TEXT_LENGTH
    assert "longer than this program accepts" in decoder.error.sentence


def test_tool_calls_without_end_are_ended() -> None:
    calls = b"".join(
        delta(tool_calls=[{"index": n, "id": f"c{n}", "function": {"name": "f", "arguments": "{}"}}])
        for n in range(MAX_TOOL_CALLS + 5)
    )
    answer, _ = read(calls)
    assert isinstance(answer.error, LimitError)
    assert len(answer.tool_calls) == MAX_TOOL_CALLS


def test_bytes_that_say_nothing_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "MAX_BODY_BYTES", 100_000)
    answer, _ = read(event({"choices": [], "usage": {"total_tokens": 1}}) * 3000)
    assert isinstance(answer.error, LimitError)


def test_the_finish_reason_in_a_long_line_counts() -> None:
    payload = {"choices": [{"delta": {"content": "a" * LONG}, "finish_reason": "length"}]}
    decoder = BodyDecoder(STREAM)
    found = [each for deltas in steps(decoder, event(payload) + DONE) for each in deltas]
    assert found[-1] == Finished("length")
    assert decoder.codec.done
