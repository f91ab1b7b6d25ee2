"""Server-sent events, incrementally and without I/O.

Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream". Lines end in LF, CR or CRLF (and nowhere
else), the stream is UTF-8 whatever ``charset`` says, one leading BOM is dropped, a block without ``data``
dispatches nothing, and a block that the end of the stream cuts short is dropped.
"""

from __future__ import annotations

import codecs
from typing import Final

import msgspec

from desktop_chat.api.long_texts import LONG_LINE, MAX_REST, LongTexts, Shortener
from desktop_chat.domain.errors import LimitError

MAX_LINE_BYTES: Final = 16 * 1024 * 1024
"""A longer line, or more data in one event, is an attack or a defect: no model emits it."""

MAX_DATA_LINES: Final = 16 * 1024
"""``data`` lines of one event."""

_MAX_RETRY_DIGITS: Final = 12


class ServerSentEvent(msgspec.Struct, frozen=True, gc=False):
    """One dispatched event.

    Attributes:
        event: ``message`` unless the block named another type.
        data: the ``data`` lines joined by LF; may be empty.
        id: the last event id seen on the stream up to here.
    """

    event: str = "message"
    data: str = ""
    id: str = ""


class SSEDecoder:
    """Bytes in, events out; any split of the bytes gives the same events, in linear time.

    Args:
        max_line_bytes: longest line accepted, and most data in one event.
        long_texts: where the long strings of ``data`` lines, which must be JSON then, are laid aside: the event
            has marks in their places (see `LongTexts`). Long lines of other fields lose all but their beginning.

    Attributes:
        retry: reconnection time in milliseconds, the last one the server sent.
        comments: comment lines seen; servers send them as a heartbeat.
        error: a limit was broken behind the events last returned; the next call raises it.
    """

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES, long_texts: LongTexts | None = None) -> None:
        self.retry: int | None = None
        self.comments = 0
        self.error: LimitError | None = None
        self._max = max_line_bytes
        self._bom = b""  # the first bytes, until they are known to be a BOM or not
        self._at_start = True
        self._after_cr = False  # the last line ended in CR: an LF that follows belongs to it
        self._pending = bytearray()  # the unfinished line, or what was kept of it
        self._pending_bytes = 0  # of the line as it came
        self._long_texts = long_texts
        self._shortener: Shortener | None = None  # while the unfinished line is long
        self._data: list[str] = []
        self._data_length = 0
        self._event = ""
        self._id = ""

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """The events that ``data`` completes.

        Raises:
            LimitError: a line is too long. Events in front of it are returned first; the next call raises.
        """
        if self.error:
            raise self.error
        if self._at_start:
            data = self._without_bom(data)
        if self._after_cr and data:
            self._after_cr = False
            if data[0] == 0x0A:
                data = data[1:]
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        events: list[ServerSentEvent] = []
        if end:
            complete = data[:end]
            if self._pending:
                if self._pending_bytes > LONG_LINE and self._long_texts is not None:
                    complete = self._end_long_line(complete)
                complete = bytes(self._pending) + complete
                self._pending.clear()
                self._pending_bytes = 0
            if not self.error:
                self._decode_lines(complete, events)
            data = data[end:]
        if data and not self.error:
            self._after_cr = False
            self._hold(data)
        if self.error and not events:
            raise self.error
        return events

    def flush(self) -> list[ServerSentEvent]:
        """The stream ended: drop the unfinished block, as the standard says, and start anew.

        Raises:
            LimitError: one that `feed` still owed.
        """
        error, self.error = self.error, None
        self._pending.clear()
        self._pending_bytes = 0
        self._shortener = None
        self._data.clear()
        self._data_length = 0
        self._event = ""
        self._at_start, self._after_cr = True, False
        if error:
            raise error
        return []

    def _hold(self, data: bytes) -> None:
        """Keep a piece of the unfinished line."""
        self._pending_bytes += len(data)
        if self._pending_bytes > self._max:
            self._refuse(f"a line of more than {self._max} bytes")
        elif self._long_texts is None or self._pending_bytes <= LONG_LINE:
            self._pending += data
        elif self._shortener is not None:
            self._pending += self._shortener.feed(data)
            self._check_long_line(self._shortener)
        elif self._pending.startswith(b"data:"):
            shortener = self._shortener = Shortener(self._long_texts)
            self._pending[:] = shortener.feed(bytes(self._pending)) + shortener.feed(data)
            self._check_long_line(shortener)

    def _end_long_line(self, data: bytes) -> bytes:
        """Keep what belongs to the long line of ``data``, which has a line end; returns what follows."""
        end = min(at for at in (data.find(b"\n"), data.find(b"\r")) if at >= 0)
        if end:
            self._hold(data[:end])
        if self._shortener is not None:
            self._pending += self._shortener.end()
            self._shortener = None
        return data[end:]

    def _check_long_line(self, shortener: Shortener) -> None:
        if shortener.rest_size > MAX_REST:
            self._refuse(f"a piece with more than {MAX_REST} bytes besides its texts")
        elif self._long_texts is not None and self._long_texts.size > self._max:
            self._refuse(f"an event with more than {self._max} bytes of data")

    def _without_bom(self, data: bytes) -> bytes:
        data = self._bom + data
        if len(data) < len(codecs.BOM_UTF8) and codecs.BOM_UTF8.startswith(data):
            self._bom = data
            return b""
        self._at_start = False
        self._bom = b""
        return data.removeprefix(codecs.BOM_UTF8)

    def _decode_lines(self, lines: bytes, events: list[ServerSentEvent]) -> None:
        """Interpret whole lines; the last one is terminated too."""
        if len(lines) > self._max:
            lines = self._up_to_limit(lines)
        text = lines.decode("utf-8", "replace")
        if "\r" in text:
            self._after_cr = text[-1] == "\r"
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if self._data or self._event:  # the block began in an earlier read
            if text[:1] == "\n":
                head, text = "", text[1:]
            else:
                head, blank, text = text.partition("\n\n")
                if not blank:
                    self._interpret(head, events)
                    return
            self._interpret(head, events)
            self._dispatch(events)
            if self.error:
                return
        blocks = text.split("\n\n")
        rest = blocks.pop()
        for block in blocks:
            if block[:6] == "data: " and "\n" not in block:  # what a chat stream consists of
                events.append(ServerSentEvent("message", block[6:], self._id))
            elif block:
                self._interpret(block, events)
                self._dispatch(events)
                if self.error:
                    return
        if rest:
            self._interpret(rest, events)

    def _interpret(self, block: str, events: list[ServerSentEvent]) -> None:
        for line in block.removesuffix("\n").split("\n"):
            if not line:
                self._dispatch(events)
                continue
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not field:
                self.comments += 1
            elif field == "data":
                self._data.append(value)
                self._data_length += len(value) + 1
                if self._data_length > self._max:
                    self._refuse(f"an event with more than {self._max} characters of data")
                    return
                if len(self._data) > MAX_DATA_LINES:
                    self._refuse(f"an event of more than {MAX_DATA_LINES} lines")
                    return
            elif field == "event":
                self._event = value
            elif field == "id":
                if "\0" not in value:
                    self._id = value
            elif field == "retry" and value.isascii() and value.isdigit() and len(value) <= _MAX_RETRY_DIGITS:
                self.retry = int(value)

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        if self._data and not self.error:
            events.append(ServerSentEvent(self._event or "message", "\n".join(self._data), self._id))
        self._data.clear()
        self._data_length = 0
        self._event = ""

    def _up_to_limit(self, lines: bytes) -> bytes:
        """The lines in front of the first one that is too long."""
        start = 0
        for line in lines.replace(b"\r", b"\n").split(b"\n"):
            if len(line) > self._max:
                self._refuse(f"a line of more than {self._max} bytes")
                return lines[:start]
            start += len(line) + 1
        return lines

    def _refuse(self, what: str) -> None:
        self.error = LimitError(f"The server sent {what}.")
