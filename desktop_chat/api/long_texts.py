"""Long strings of a JSON text, taken out of it as its bytes arrive and given back in pieces.

A line may hold 16 MB. Whatever decodes so much in one call keeps the whole process from doing anything else, in
whatever thread it is called, so no decoder gets to see it: the bodies of long strings are laid aside, a short mark
stands in the place of each, and only what is left is decoded as a whole.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import msgspec

LONG_LINE: Final = 32 * 1024
"""Bytes of a line from which on its long strings are taken out."""

MAX_REST: Final = 128 * 1024
"""Bytes that may be left: decoding them takes some 5 ms at worst. A chat chunk has a few hundred."""

_LONG_STRING: Final = 1024
_PIECE: Final = 16 * 1024

# Strings from where the outside of one goes on; possessive, so that no byte is looked at twice.
_WHOLE_STRING: Final = re.compile(rb'[^"]*+"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_BODY: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_MARK: Final = re.compile("\ufdd0([0-9]{1,9})\ufdd1")  # noncharacters, which stand in no text
_decode_string = msgspec.json.Decoder(str).decode


class LongTexts:
    """The long strings of one JSON text, each to be read once.

    Attributes:
        size: bytes laid aside.
    """

    def __init__(self) -> None:
        self.size = 0
        self._bodies: list[deque[bytes]] = []

    def __bool__(self) -> bool:
        return bool(self._bodies)

    def clear(self) -> None:
        self.size = 0
        self._bodies.clear()

    def begin(self) -> bytearray:
        """Lay another string aside; returns the mark that stands in its place."""
        self._bodies.append(deque())
        return bytearray(f"\ufdd0{len(self._bodies) - 1}\ufdd1".encode())

    def add(self, body: bytes) -> None:
        """More of the string that was begun last; never cut between a backslash and what it escapes."""
        self.size += len(body)
        self._bodies[-1].append(body)

    def has_mark(self, text: str) -> bool:
        return _MARK.search(text) is not None

    def pieces(self, text: str, *, raw: bool = False) -> Iterator[str]:
        """``text`` with its marks replaced, in pieces of bounded length; ``raw`` leaves JSON's escapes in.

        Raises:
            ValueError: a string is no valid JSON. The pieces in front of that have been given.
        """
        end = 0
        for mark in _MARK.finditer(text):
            if mark.start() > end:
                yield text[end : mark.start()]
            end = mark.end()
            number = int(mark[1])
            if number < len(self._bodies):
                yield from self._body(number, raw=raw)
        if end < len(text):
            yield text[end:]

    def abridged(self, text: str) -> str:
        """JSON ``text`` with only the beginnings of its long strings, for the words of an error."""

        def beginning(mark: re.Match[str]) -> str:
            number = int(mark[1])
            first = next(self._body(number, raw=True), "") if number < len(self._bodies) else ""
            whole = _BODY.match(first[:2000].encode("utf-8", "replace"))
            cut = whole[0].decode() if whole else ""
            return re.sub(r"\\u[0-9a-fA-F]{0,3}\Z", "", cut) + "…"

        return _MARK.sub(beginning, text)

    def _body(self, number: int, *, raw: bool) -> Iterator[str]:
        body = self._bodies[number]
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        held = ""
        while body:
            piece = held + decode(body.popleft(), final=not body)
            held = ""
            if body and not raw:
                cut = _end_of_whole_escapes(piece)
                piece, held = piece[:cut], piece[cut:]
            yield piece if raw else _unescaped(piece)


def _end_of_whole_escapes(text: str) -> int:
    r"""Where ``text``, the beginning of a string's body, may be cut: in front of the beginning of a ``\u1234``."""
    at = text.rfind("\\", max(0, len(text) - 5))
    if at < 0 or text[at + 1 : at + 2] != "u":
        return len(text)
    backslashes = at + 1 - len(text[: at + 1].rstrip("\\"))
    return at if backslashes % 2 else len(text)


def _unescaped(body: str) -> str:
    quoted = f'"{body}"'
    try:
        return _decode_string(quoted)
    except msgspec.MsgspecError:
        found: Any = json.loads(quoted)  # knows halves of surrogate pairs too
        return str(found)


class Shortener:
    """Takes the long strings out of a JSON text that comes in pieces, of which the first begins outside a string.

    Attributes:
        rest_size: bytes that were left so far.
    """

    def __init__(self, texts: LongTexts) -> None:
        self.rest_size = 0
        self._texts = texts
        self._is_inside = False
        self._is_long = False
        self._body = bytearray()  # of the string that is open, what is not laid aside yet
        self._held = b""  # a backslash whose escaped character has not come

    def feed(self, data: bytes) -> bytes:
        """What of ``data`` is not long."""
        data, self._held = self._held + data, b""
        rest = bytearray()
        at = self._go_on(data, rest) if self._is_inside else 0
        if not self._is_inside:
            self._take_strings(data, at, rest)
        self.rest_size += len(rest)
        return bytes(rest)

    def end(self) -> bytes:
        """The text ended; what an unfinished string still holds."""
        if not self._is_inside:
            return b""
        self._is_inside = False
        body = bytes(self._body) + self._held
        self._body.clear()
        self._held = b""
        if self._is_long:
            self._texts.add(body)
            return b""
        self.rest_size += len(body)
        return body

    def _take_strings(self, data: bytes, at: int, rest: bytearray) -> None:
        run = at  # what from here on stays as it is
        while string := _WHOLE_STRING.match(data, at):
            start, end = string.span(1)
            at = end + 1
            if end - start > _LONG_STRING:
                rest += data[run:start] + self._texts.begin()
                self._texts.add(data[start:end])
                run = end
        quote = data.find(b'"', at)
        rest += data[run:] if quote < 0 else data[run : quote + 1]
        if quote >= 0:
            self._is_inside = True
            self._go_on(data[quote + 1 :], rest)

    def _go_on(self, data: bytes, rest: bytearray) -> int:
        """Read on in the open string; returns where it ends, the closing quote included."""
        found = _BODY.match(data)
        assert found is not None
        end = found.end()
        self._body += data[:end]
        if not self._is_long and len(self._body) > _LONG_STRING:
            self._is_long = True
            rest += self._texts.begin()
        if data[end : end + 1] == b'"':
            if self._is_long:
                self._texts.add(bytes(self._body))
            else:
                rest += self._body
            rest += b'"'
            self._body.clear()
            self._is_inside = self._is_long = False
            return end + 1
        self._held = data[end:]
        if self._is_long and len(self._body) >= _PIECE:  # one object a piece, however small the reads
            self._texts.add(bytes(self._body))
            self._body.clear()
        return len(data)
