from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desktop_chat.api.sse import ServerSentEvent, SSEDecoder
from desktop_chat.domain.errors import LimitError

NO_LINE_ENDS = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei"
"""What ``str.splitlines`` takes for line ends and the standard does not."""


def decode(*pieces: bytes) -> list[tuple[str, str, str]]:
    decoder = SSEDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    assert decoder.flush() == []
    return [(event.event, event.data, event.id) for event in events]


def data_of(stream: bytes) -> list[str]:
    return [data for _, data, _ in decode(stream)]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\n", ["a"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a \n\n", [" a "]),
        (b"data: a\rdata: b\r\r", ["a\nb"]),
        (b"data: a\r\ndata: b\r\n\r\n", ["a\nb"]),
        (b"data: a\n\r\ndata: b\r\n\n", ["a", "b"]),
        (b"data\n\ndata\ndata\n\ndata:", ["", "\n"]),
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", ["YHOO\n+2\n10"]),
        (b": test\n\ndata: a\n\n", ["a"]),
        (b"event: x\n\ndata: a\n\n", ["a"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", ["b"]),
        (b"\n\n\ndata: a\n\n\n\n", ["a"]),
        (b"data: a", []),
        (b"data: a\n", []),
        (b"data: \xff\xe2\x82\n\n", ["\ufffd\ufffd"]),
        (f"data: {NO_LINE_ENDS}\n\n".encode(), [NO_LINE_ENDS]),
        (b"data : a\n\nDATA: b\n\n data: c\n\n", []),
        (b"dat\xc3\xa4: a\ndata: b\n\n", ["b"]),
        (b"data: a\x00b\n\n", ["a\x00b"]),
    ],
)  # fmt: skip
def test_data_as_the_standard_says(stream: bytes, expected: list[str]) -> None:
    assert data_of(stream) == expected


def test_event_type_holds_for_one_block_and_the_id_until_the_next() -> None:
    stream = (
        b"event: add\nid: 1\ndata: a\n\ndata: b\n\nid: x\0y\ndata: c\n\nid\ndata: d\n\nevent\ndata: e\n\n"
    )
    assert decode(stream) == [
        ("add", "a", "1"),
        ("message", "b", "1"),
        ("message", "c", "1"),
        ("message", "d", ""),
        ("message", "e", ""),
    ]


def test_an_id_without_data_is_remembered_and_dispatches_nothing() -> None:
    assert decode(b"id: 7\n\ndata: a\n\n") == [("message", "a", "7")]


@pytest.mark.parametrize(
    ("line", "retry"),
    [("1500", 1500), ("1.5", None), ("-1", None), ("²", None), ("", None), ("9" * 5000, None)],
)
def test_retry_takes_digits_only(line: str, retry: int | None) -> None:
    decoder = SSEDecoder()
    decoder.feed(f"retry: {line}\n\n".encode())
    assert decoder.retry == retry


def test_comments_are_counted_as_a_heartbeat() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b": one\n\n:\n\n:two") == []
    assert decoder.comments == 2
    decoder.feed(b"\n")
    assert decoder.comments == 3


def test_the_last_block_counts_only_when_a_blank_line_ends_it() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\n\ndata: b\n") == [ServerSentEvent("message", "a")]
    assert decoder.flush() == []
    assert decoder.feed(b"data: c\n\n") == [ServerSentEvent("message", "c")]


class TestLimit:
    def test_a_long_line_is_refused_before_it_ends(self) -> None:
        decoder = SSEDecoder(max_line_bytes=100)
        decoder.feed(b"data: " + b"x" * 90)
        with pytest.raises(LimitError):
            decoder.feed(b"x" * 10)

    def test_a_long_line_is_refused_when_it_comes_in_one_piece(self) -> None:
        with pytest.raises(LimitError):
            SSEDecoder(max_line_bytes=100).feed(b"data: " + b"x" * 100 + b"\n\n")

    def test_a_line_of_just_the_limit_is_accepted(self) -> None:
        assert len(SSEDecoder(max_line_bytes=100).feed(b"data: " + b"x" * 94 + b"\n\n")) == 1

    def test_many_data_lines_meet_the_limit_too(self) -> None:
        decoder = SSEDecoder(max_line_bytes=100)
        with pytest.raises(LimitError):
            decoder.feed(b"data: 1234567890\n" * 20)

    def test_events_in_front_of_the_limit_are_not_lost(self) -> None:
        decoder = SSEDecoder(max_line_bytes=20)
        assert decoder.feed(b"data: a\n\n" + b"x" * 30) == [ServerSentEvent("message", "a")]
        assert decoder.error is not None
        with pytest.raises(LimitError):
            decoder.feed(b"data: b\n\n")
        with pytest.raises(LimitError):
            decoder.flush()

    def test_default_is_16_mb(self) -> None:
        decoder = SSEDecoder()
        assert decoder.feed(b"data: " + b"x" * (16 * 1024 * 1024 - 6) + b"\n\n")
        with pytest.raises(LimitError):
            decoder.feed(b"data: " + b"x" * (16 * 1024 * 1024) + b"\n\n")


def test_a_line_in_many_small_pieces_is_joined_once() -> None:
    """16 MB in 64-byte pieces: joining at each of them would copy terabytes."""
    decoder = SSEDecoder()
    piece = b"x" * 64
    decoder.feed(b"data: ")
    for _ in range(200_000):
        decoder.feed(piece)
    (event,) = decoder.feed(b"\n\n")
    assert len(event.data) == 64 * 200_000


TOKENS = st.sampled_from(
    b"""\n|\n\n|\r|\r\n|data|data:|data: |: |:| |event: e|id: 1|id: \0|retry: 5|x|{"a": 1}|\xef\xbb\xbf|\xef|\xbb"""
    b"""|\xf0\x9f\x98\x80|\xff|\xe2\x80\xa8|\xc2\x85|\x0b|\0|[DONE]""".split(b"|")
)
STREAMS = st.lists(TOKENS, max_size=40).map(b"".join)


def check_any_split_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    whole = decode(stream)
    at = sorted({min(cut, len(stream)) for cut in cuts})
    pieces = [stream[start:end] for start, end in zip([0, *at], [*at, len(stream)], strict=True)]
    assert decode(*pieces) == whole
    assert decode(*(stream[i : i + 1] for i in range(len(stream)))) == whole


def check_against_a_plain_reading_of_the_standard(stream: bytes) -> None:
    assert decode(stream) == reference(stream)


def reference(stream: bytes) -> list[tuple[str, str, str]]:
    """The standard's algorithm, line by line, over the whole stream."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    events = []
    data: list[str] = []
    kind = last_id = ""
    for line in lines:
        if not line:
            if data:
                events.append((kind or "message", "\n".join(data), last_id))
            data, kind = [], ""
            continue
        if line[0] == ":":
            continue
        name, _, value = line.partition(":")
        value = value[1:] if value[:1] == " " else value
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last_id = value
    return events


@example(b"\rdata: a\n\n", [8])  # the LF behind the cut does not belong to the CR far in front of it
@given(STREAMS, st.lists(st.integers(0, 200), max_size=6))
def test_any_split_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    check_any_split_gives_the_same_events(stream, cuts)


@given(STREAMS)
def test_a_plain_reading_of_the_standard_agrees(stream: bytes) -> None:
    check_against_a_plain_reading_of_the_standard(stream)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None)
@given(STREAMS, st.lists(st.integers(0, 200), max_size=6))
def test_any_split_gives_the_same_events_at_length(stream: bytes, cuts: list[int]) -> None:
    check_any_split_gives_the_same_events(stream, cuts)
    check_against_a_plain_reading_of_the_standard(stream)
