"""Recording the raw bytes of an answer with their times, and replaying them through the same client.

A recording is the body exactly as it came, hence a valid event stream for any reader, followed by one comment
line with the times. A file without that line (any captured stream, or a recording whose program died) replays
at once. Nothing of the request is written, and the key is blotted out should a server ever repeat it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import httpx
import msgspec

from desktop_chat.domain.errors import ConfigurationError

_FOOTER: Final = b"\n: desktop-chat recording "
_FOOTER_SEARCH_BYTES: Final = 64 * 1024 * 1024
_PIECE_BYTES: Final = 64 * 1024
_KEPT_HEADERS: Final = ("content-type", "content-encoding")

logger = logging.getLogger(__name__)


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded body.

    Attributes:
        times_s / sizes: for each read, seconds since the response headers and bytes; empty without times.
    """

    body: bytes
    times_s: list[float] = []
    sizes: list[int] = []
    headers: dict[str, str] = {}

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read a recording, or any file that holds an event stream.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                str(error),
                sentence=f"The recording {path.name} cannot be read.",
                advice="Choose another file.",
            ) from error
        at = data.rfind(_FOOTER, max(0, len(data) - _FOOTER_SEARCH_BYTES))
        if at >= 0:
            try:
                footer = msgspec.json.decode(data[at + len(_FOOTER) :], type=_Footer)
            except msgspec.MsgspecError:
                logger.warning("The times of the recording %s are damaged; it replays at once", path.name)
                return cls(body=data[:at])
            if sum(footer.sizes) == at and len(footer.sizes) == len(footer.times_s):
                return cls(body=data[:at], times_s=footer.times_s, sizes=footer.sizes, headers=footer.headers)
        return cls(body=data)

    def pieces(self) -> list[tuple[float, bytes]]:
        """Time and bytes of each read; without times, pieces of one network read's size at time 0."""
        if not self.sizes:
            starts = range(0, len(self.body), _PIECE_BYTES)
            return [(0.0, self.body[start : start + _PIECE_BYTES]) for start in starts]
        pieces = []
        start = 0
        for time_s, size in zip(self.times_s, self.sizes, strict=True):
            pieces.append((time_s, self.body[start : start + size]))
            start += size
        return pieces


class _Footer(msgspec.Struct, frozen=True):
    times_s: list[float]
    sizes: list[int]
    headers: dict[str, str] = {}


class StreamRecorder:
    """Writes one answer to a file, readable by its owner only. A retry starts the file anew.

    A disk that refuses ends the recording, never the answer.

    Attributes:
        problem: why the recording is not complete, for people; None while all is well.
    """

    def __init__(self, path: Path) -> None:
        self.problem: str | None = None
        self._path = path
        self._file: BinaryIO | None = None
        self._secret = b""
        self._held = b""  # may be the beginning of the key
        self._started = 0.0
        self._times = array("d")
        self._sizes = array("q")
        self._headers: dict[str, str] = {}

    def redact(self, secret: str | None) -> None:
        """Never write this text."""
        self._secret = (secret or "").encode()

    def begin(self, headers: Mapping[str, str]) -> None:
        """The response headers came."""
        self._close()
        self.problem = None
        self._held = b""
        self._times, self._sizes = array("d"), array("q")
        self._headers = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
        self._started = asyncio.get_running_loop().time()
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file = os.fdopen(descriptor, "wb")
        except OSError as error:
            self._give_up(error)

    def write(self, data: bytes) -> None:
        """Bytes came off the wire."""
        if self._file is None:
            return
        self._times.append(round(asyncio.get_running_loop().time() - self._started, 6))
        self._sizes.append(len(data))
        if self._secret:
            data = (self._held + data).replace(self._secret, b"*" * len(self._secret))
            keep = _overlap(data, self._secret)
            data, self._held = data[: len(data) - keep], data[len(data) - keep :]
        self._put(data)

    def end(self) -> None:
        """The answer ended, in whatever way. Idempotent."""
        if self._file is None:
            return
        footer = _Footer(self._times.tolist(), self._sizes.tolist(), self._headers)
        self._put(self._held + _FOOTER + msgspec.json.encode(footer) + b"\n")
        self._close()

    def _put(self, data: bytes) -> None:
        if self._file is not None:
            try:
                self._file.write(data)
            except OSError as error:
                self._give_up(error)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        logger.warning("The recording %s ends early: %s", self._path.name, error)
        self.problem = f"The recording could not be written: {error.strerror or error}."
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                logger.debug("The recording's file was lost with its last bytes", exc_info=True)


class ReplayTransport(httpx.AsyncBaseTransport):
    """Answers every chat request with a recording.

    Args:
        speed: 1 as recorded, 10 ten times faster, None at once.
    """

    def __init__(self, recording: Recording, *, speed: float | None = 1.0) -> None:
        if speed is not None and not speed > 0:
            raise ValueError("speed must be positive")
        self._recording = recording
        self._speed = speed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        trace: Callable[[str, dict[str, Any]], Awaitable[None]] | None = request.extensions.get("trace")
        if trace is not None:
            for name in (
                "send_request_headers.started",
                "send_request_body.complete",
                "receive_response_headers.complete",
            ):
                await trace(f"http11.{name}", {})
        headers = {"content-type": "text/event-stream", **self._recording.headers}
        return httpx.Response(200, headers=headers, stream=_ReplayStream(self._recording, self._speed))


class _ReplayStream(httpx.AsyncByteStream):
    def __init__(self, recording: Recording, speed: float | None) -> None:
        self._recording = recording
        self._speed = speed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for time_s, data in self._recording.pieces():
            wait = 0.0 if self._speed is None else start + time_s / self._speed - loop.time()
            await asyncio.sleep(max(0.0, wait))  # at least a turn of the loop: other tasks go on
            yield data


def _overlap(data: bytes, secret: bytes) -> int:
    """Length of the longest end of ``data`` that ``secret`` may begin with."""
    return next((n for n in range(min(len(secret) - 1, len(data)), 0, -1) if secret.startswith(data[-n:])), 0)
