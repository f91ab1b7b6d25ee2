"""HTTP/1.1 body framing without I/O (RFC 9112, sections 6 and 7.1): raw bytes in, payload out.

A chat server sends one small chunk a token. All chunks of a read are taken in one pass; one h11 event and four
nested generators a chunk, as httpcore has it, cost several times what decoding the chunk's JSON does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol

import httpx

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]{0,4000})?\r?\n")
_MAX_SIZE_LINE: Final = 4096
_MAX_TRAILER_BYTES: Final = 64 * 1024


class Framing(Protocol):
    """Where a body ends.

    Attributes:
        done: the whole body has been read, and the connection may serve again.
        error: the framing is broken; what came in front of that has been returned.
    """

    done: bool
    error: httpx.RemoteProtocolError | None

    def feed(self, data: bytes) -> bytes:
        """The payload in ``data``."""

    def end(self) -> None:
        """The connection ended. Raises httpx.RemoteProtocolError if the body had not."""


def framing_for(status: int, headers: Mapping[str, str]) -> Framing:
    """The framing that the response headers announce."""
    if status in (204, 304):
        return LengthFraming(0)
    if headers.get("transfer-encoding", "").lower().split(",")[-1].strip() == "chunked":
        return ChunkedFraming()
    length = headers.get("content-length", "")
    return LengthFraming(int(length)) if length.isdecimal() else EofFraming()


class LengthFraming:
    """A body of ``Content-Length`` bytes."""

    error: httpx.RemoteProtocolError | None = None

    def __init__(self, length: int) -> None:
        self.done = length == 0
        self._missing = length

    def feed(self, data: bytes) -> bytes:
        data = data[: self._missing]
        self._missing -= len(data)
        self.done = self._missing == 0
        return data

    def end(self) -> None:
        if not self.done:
            raise httpx.RemoteProtocolError(
                f"The connection closed {self._missing} bytes before the announced end."
            )


class EofFraming:
    """A body that lasts as long as its connection."""

    done: bool = False
    error: httpx.RemoteProtocolError | None = None

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        return


class ChunkedFraming:
    """A chunked body; extensions and trailers are skipped."""

    def __init__(self) -> None:
        self.done = False
        self.error: httpx.RemoteProtocolError | None = None
        self._held = b""  # an unfinished size line or trailer
        self._missing = 0  # bytes of the current chunk still to come
        self._at_chunk_end = False
        self._in_trailers = False
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> bytes:
        if self._held:
            data = self._held + data
            self._held = b""
        payload: list[bytes] = []
        at, length = 0, len(data)
        while at < length and not self.done and not self.error:
            if self._missing:
                piece = data[at : at + self._missing]
                payload.append(piece)
                at += len(piece)
                self._missing -= len(piece)
                self._at_chunk_end = self._missing == 0
            elif self._in_trailers or self._at_chunk_end:
                end = data.find(b"\n", at)
                if end < 0:
                    break
                self._line_end(data[at:end].removesuffix(b"\r"))
                at = end + 1
            else:
                size_line = _SIZE_LINE.match(data, at)
                if size_line is None:
                    if data.find(b"\n", at) >= 0 or length - at > _MAX_SIZE_LINE:
                        self._refuse("A chunk of the answer has no valid size.")
                    break
                at = size_line.end()
                self._missing = int(size_line[1], 16)
                self._in_trailers = self._missing == 0
        self._held = b"" if self.done else data[at:]
        if len(self._held) > _MAX_TRAILER_BYTES:
            self._refuse("The answer's trailer is too long.")
        return payload[0] if len(payload) == 1 else b"".join(payload)

    def end(self) -> None:
        if not self.done:
            raise httpx.RemoteProtocolError("The connection closed before the last chunk.")

    def _line_end(self, line: bytes) -> None:
        """A line that is neither a size nor payload: the end of a chunk, or a trailer."""
        if self._at_chunk_end:
            if line:
                self._refuse("A chunk of the answer is longer than its size.")
            self._at_chunk_end = False
        elif line:
            self._trailer_bytes += len(line)
            if self._trailer_bytes > _MAX_TRAILER_BYTES:
                self._refuse("The answer's trailer is too long.")
        else:
            self.done = True

    def _refuse(self, why: str) -> None:
        self.error = httpx.RemoteProtocolError(why)
