from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_chat.api.framing import ChunkedFraming, EofFraming, LengthFraming, framing_for

BODY = b"5\r\nHello\r\n7;name=value\r\n, world\r\n0\r\ntrailer: x\r\n\r\n"


def read(*pieces: bytes) -> tuple[bytes, ChunkedFraming]:
    framing = ChunkedFraming()
    return b"".join(framing.feed(piece) for piece in pieces), framing


@given(st.lists(st.integers(0, len(BODY)), max_size=8))
def test_chunks_cut_anywhere(cuts: list[int]) -> None:
    at = sorted(cuts)
    payload, framing = read(*(BODY[start:end] for start, end in zip([0, *at], [*at, len(BODY)], strict=True)))
    assert payload == b"Hello, world"
    assert framing.done
    assert framing.error is None


@given(st.integers(0, len(BODY) - 1))
def test_a_body_cut_off_is_not_done(cut: int) -> None:
    _, framing = read(BODY[:cut])
    assert not framing.done
    with pytest.raises(httpx.RemoteProtocolError):
        framing.end()


@pytest.mark.parametrize(
    "bad",
    [
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"+5\r\n",
        b"0x5\r\n",
        b"5 5\r\n",
        b"5_0\r\n",
        b"1" * 20 + b"\r\n",
        b"5" * 5000,
    ],
)
def test_sizes_that_are_none(bad: bytes) -> None:
    payload, framing = read(b"2\r\nab\r\n" + bad)
    assert payload == b"ab"
    assert framing.error is not None


def test_a_chunk_longer_than_its_size() -> None:
    _, framing = read(b"2\r\nabc\r\n")
    assert framing.error is not None


def test_an_endless_trailer() -> None:
    _, framing = read(b"0\r\n", *[b"a: b\r\n"] * 20_000)
    assert framing.error is not None


def test_what_the_headers_announce() -> None:
    assert isinstance(framing_for(200, {"transfer-encoding": "gzip, Chunked"}), ChunkedFraming)
    assert isinstance(framing_for(200, {"content-length": "5"}), LengthFraming)
    assert isinstance(framing_for(200, {}), EofFraming)
    assert framing_for(204, {}).done


def test_length() -> None:
    framing = LengthFraming(5)
    assert framing.feed(b"Hel") == b"Hel"
    with pytest.raises(httpx.RemoteProtocolError):
        framing.end()
    assert framing.feed(b"lo and more") == b"lo"
    assert framing.done
