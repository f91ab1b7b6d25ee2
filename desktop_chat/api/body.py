"""A 200 body of any kind to deltas, without I/O: an event stream, a whole completion, or neither.

Servers lie about the content type, so the first bytes decide. Compressed bodies, which were not asked for, are
unpacked in bounded pieces.
"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Mapping
from typing import Final

from desktop_chat.api.codec import ChatCompletionsDecoder
from desktop_chat.api.error_body import parse_error_body
from desktop_chat.api.long_texts import MAX_REST, LongTexts, Shortener
from desktop_chat.api.sse import SSEDecoder
from desktop_chat.domain.deltas import StreamDelta
from desktop_chat.domain.errors import ChatError, LimitError, ProtocolError, StreamInterruptedError

MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
_MAX_HTML_BYTES: Final = 64 * 1024
MAX_BODY_BYTES: Final = 1024 * 1024 * 1024
"""Of one answer, unpacked: what says little in many bytes must end too."""
_STEP_BYTES: Final = 8 * 1024
"""Most that is decoded at once: a frame has room for it beside the frame's own work, whatever it holds."""
_HEAD_BYTES: Final = 200
_SSE_STARTS: Final = (b"data", b"event", b"id", b"retry", b":")


class _Kind(enum.Enum):
    UNKNOWN = enum.auto()
    EVENTS = enum.auto()
    JSON = enum.auto()
    HTML = enum.auto()


class BodyDecoder:
    """Pieces of a response body in, deltas out.

    Args:
        headers: of the response, with lower-case names.

    Attributes:
        sse / codec: what read the events.
        error: how the answer failed, once it did; the deltas in front of it have been returned.
    """

    def __init__(self, headers: Mapping[str, str], *, split_think_tags: bool = True) -> None:
        texts = LongTexts()
        self.sse = SSEDecoder(long_texts=texts)
        self.codec = ChatCompletionsDecoder(split_think_tags=split_think_tags, long_texts=texts)
        self.error: ChatError | None = None
        self._content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        self._is_empty_by_header = headers.get("content-length") == "0"
        self._inflater = _inflater_for(headers.get("content-encoding", ""))
        self._kind = _Kind.UNKNOWN
        self._unread = b""  # as it came, packed perhaps
        self._at = 0  # how much of that has been read
        self._is_ending = False
        self._broken: str | None = None
        self._body_bytes = 0
        self._document: list[bytes] = []
        self._document_bytes = 0
        self._shortener = Shortener(texts)  # of a document
        self._head = b""  # the first bytes, to tell an event stream from any other text

    @property
    def complete(self) -> bool:
        return self.codec.complete

    @property
    def ended(self) -> bool:
        """Whether nothing that may follow matters."""
        return self.codec.done or self.error is not None

    @property
    def has_more(self) -> bool:
        """Whether `more` must be called before the next `feed` or `end`."""
        return not self.ended and (self.codec.has_more or self._at < len(self._unread))

    def feed(self, data: bytes) -> list[StreamDelta]:
        """The deltas of the first part of ``data``; the others come from `more`."""
        self._unread, self._at = self._unread[self._at :] + data, 0
        return self.more()

    def more(self) -> list[StreamDelta]:
        """The deltas of a further part, as much as may be decoded at once; may be empty."""
        deltas: list[StreamDelta] = []
        try:
            if self.codec.has_more:
                deltas = self.codec.more()
            elif piece := self._next_piece():
                deltas = self._feed_plain(piece)
            if not self.codec.has_more:
                self.error = self.codec.error or self.sse.error
        except ChatError as error:
            self.error = error
        if self._is_ending and not self.codec.has_more:
            self._conclude()
        return deltas

    def end(self, broken: str | None = None) -> list[StreamDelta]:
        """The body ended, or the connection broke with these words. Sets `error` unless the answer is whole.

        Where it `has_more`, that is so only once `more` has given it all.
        """
        self._is_ending, self._broken, self._at = True, broken, len(self._unread)
        deltas: list[StreamDelta] = []
        try:
            self.sse.flush()
            if self._kind is _Kind.JSON and not self.ended:
                deltas = self._decode_document(broken)
            elif self._kind is _Kind.HTML:
                self._refuse_html()
            elif not self.codec.done:
                deltas = self.codec.flush(cut=not self.complete)
        except ChatError as error:
            self.error = error
        if not self.codec.has_more:
            self._conclude()
        return deltas

    def _conclude(self) -> None:
        self._is_ending = False
        broken = self._broken
        if self.error is None and self._inflater is not None and not self._inflater.eof:
            broken = broken or "The compressed body is truncated."
        if self.error is None and not self.complete:
            self.error = self._incomplete(broken)
        elif self.error is None and broken:
            self.codec.warn("The connection broke after the end of the answer.")

    def _next_piece(self) -> bytes:
        """What is to be decoded next; a bomb is unpacked so slowly that it meets the limits one by one."""
        packed = self._unread[self._at : self._at + _STEP_BYTES]
        self._at += len(packed)
        piece = packed
        if self._inflater is not None:
            try:
                piece = b"" if self._inflater.eof else self._inflater.decompress(packed, _STEP_BYTES)
            except zlib.error as error:
                raise StreamInterruptedError(f"The compressed body is damaged: {error}") from None
            self._at -= len(self._inflater.unconsumed_tail)
        self._body_bytes += len(piece)
        if self._body_bytes > MAX_BODY_BYTES:
            raise LimitError(f"The server sent an answer of more than {MAX_BODY_BYTES} bytes.")
        return piece

    def _feed_plain(self, data: bytes) -> list[StreamDelta]:
        if self._kind is not _Kind.EVENTS:
            data = self._sniff(data)
            if not data:
                return []
        if len(self._head) < _HEAD_BYTES:
            self._head += data[:_HEAD_BYTES]
        events = self.sse.feed(data)
        return self.codec.decode_all(events) if events else []

    def _sniff(self, data: bytes) -> bytes:
        """Find out what the body is; returns the bytes for the event decoder, if it is for that one."""
        self._document.append(self._shortener.feed(data) if self._kind is _Kind.JSON else data)
        self._document_bytes += len(data)
        if self._kind is _Kind.UNKNOWN:
            start = b"".join(self._document).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
            if not start:
                if self._document_bytes > _MAX_HTML_BYTES:
                    self._kind = _Kind.EVENTS
                    self._document.clear()
                return b""
            self._kind = {b"{": _Kind.JSON, b"[": _Kind.JSON, b"<": _Kind.HTML}.get(start, _Kind.EVENTS)
            if self._kind is _Kind.JSON:
                self._document = [self._shortener.feed(b"".join(self._document))]
        if self._kind is _Kind.EVENTS:
            data = b"".join(self._document)
            self._document.clear()
            return data
        if self._kind is _Kind.HTML and self._document_bytes > _MAX_HTML_BYTES:
            self._refuse_html()
        if self._document_bytes > MAX_DOCUMENT_BYTES:
            raise LimitError(f"The server sent a document of more than {MAX_DOCUMENT_BYTES} bytes.")
        if self._shortener.rest_size > MAX_REST:
            raise LimitError(f"The server sent a document with more than {MAX_REST} bytes besides its texts.")
        return b""

    def _decode_document(self, broken: str | None) -> list[StreamDelta]:
        try:
            self._document.append(self._shortener.end())
            deltas = self.codec.decode_completion(b"".join(self._document))
        except ProtocolError:
            if broken:
                raise StreamInterruptedError(broken) from None
            raise
        self.error = self.codec.error
        return deltas

    def _refuse_html(self) -> None:
        title = parse_error_body(b"".join(self._document)).message
        raise ProtocolError(
            title,
            sentence="The server sent a web page instead of an answer" + (f": “{title}”." if title else "."),
        )

    def _incomplete(self, broken: str | None) -> ChatError:
        started = self._kind is _Kind.EVENTS
        is_event_stream = self._content_type == "text/event-stream"
        if not broken and not started and (self._is_empty_by_header or not is_event_stream):
            return ProtocolError(sentence="The server sent an empty answer.")
        if started and not is_event_stream and not _may_be_events(self._head):
            return ProtocolError(self._head.decode("utf-8", "replace"))
        return StreamInterruptedError(broken or "")


def _inflater_for(encoding: str) -> zlib._Decompress | None:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    raise ProtocolError(
        sentence=f"The server compresses its answer with “{encoding[:20]}”, which was not asked for.",
        advice="Use another server, or turn compression off in the proxy between.",
    )


def _may_be_events(head: bytes) -> bool:
    head = head.lstrip()
    return any(head.startswith(start) or start.startswith(head) for start in _SSE_STARTS)
