"""Recording the raw bytes of an answer with their times, and replaying them through the same client.

A recording is the body exactly as it came, hence a valid event stream for any reader, followed by one comment
line with the times. A file without that line (any captured stream, or a recording whose program died) replays
at once. Nothing of the request is written, and the key is blotted out should a server ever repeat it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import httpx
import msgspec

from desktop_chat.domain.errors import ConfigurationError

_FOOTER: Final = b"\n: desktop-chat recording "
_FOOTER_SEARCH_BYTES: Final = 64 * 1024 * 1024
_LARGEST_BYTES: Final = 1024 * 1024 * 1024
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
            if path.stat().st_size > _LARGEST_BYTES:
                raise ConfigurationError(
                    sentence=f"{path.name} is too large to be a recording.", advice="Choose another file."
                )
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

    The file is opened and written in a thread of its own, so that a slow disk delays nothing; a disk that refuses
    ends the recording, never the answer.

    Args:
        replace: write over a file of this name; otherwise ``-2``, ``-3``... is added to the name.

    Attributes:
        path: where the recording is.
        problem: why it is not complete, for people; None while all is well.
    """

    def __init__(self, path: Path, *, replace: bool = True) -> None:
        self.path = path
        self.problem: str | None = None
        self._replace = replace
        self._writer: _Writer | None = None
        self._is_open = False
        self._secret = b""
        self._held = b""  # may be the beginning of the key
        self._started = 0.0
        self._times = array("d")
        self._sizes = array("q")
        self._headers: dict[str, str] = {}

    @property
    def has_begun(self) -> bool:
        """Whether there was an answer to record."""
        return self._writer is not None

    def redact(self, secret: str | None) -> None:
        """Never write this text."""
        self._secret = (secret or "").encode()

    def begin(self, headers: Mapping[str, str]) -> None:
        """The response headers came."""
        self.end()
        self.problem = None
        self._held = b""
        self._times, self._sizes = array("d"), array("q")
        self._headers = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
        self._started = asyncio.get_running_loop().time()
        self._writer = _Writer(self, self._replace, self._writer)
        self._replace = self._is_open = True
        self._writer.start()

    def write(self, data: bytes) -> None:
        """Bytes came off the wire."""
        if not self._is_open or self._writer is None:
            return
        self._times.append(round(asyncio.get_running_loop().time() - self._started, 6))
        self._sizes.append(len(data))
        if self._secret:
            data = (self._held + data).replace(self._secret, b"*" * len(self._secret))
            keep = _overlap(data, self._secret)
            data, self._held = data[: len(data) - keep], data[len(data) - keep :]
        self._writer.pieces.put(data)

    def end(self) -> None:
        """The answer ended, in whatever way. Idempotent."""
        if not self._is_open or self._writer is None:
            return
        self._is_open = False
        footer = _Footer(self._times.tolist(), self._sizes.tolist(), self._headers)
        self._writer.pieces.put(self._held + _FOOTER + msgspec.json.encode(footer) + b"\n")
        self._writer.pieces.put(None)

    async def finished(self, limit_s: float = 2.0) -> None:
        """Wait until all is written; a disk that takes longer than ``limit_s`` seconds becomes `problem`."""
        self.end()
        writer = self._writer
        if writer is not None and writer.is_alive():
            await asyncio.to_thread(writer.join, limit_s)
            if writer.is_alive() and self.problem is None:
                self.problem = "The recording is not complete: the disk does not answer."


class _Writer(threading.Thread):
    """Writes what it is given until it is given None. A daemon: a disk that hangs must not keep the program."""

    def __init__(self, recorder: StreamRecorder, replace: bool, previous: _Writer | None) -> None:
        super().__init__(name="stream-recorder", daemon=True)
        self.pieces: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._recorder, self._replace, self._previous = recorder, replace, previous

    def run(self) -> None:
        if self._previous is not None:
            self._previous.join()
            self._previous = None
        try:
            with self._open() as file:
                while (data := self.pieces.get()) is not None:
                    file.write(data)
        except OSError as error:
            logger.warning("The recording %s ends early: %s", self._recorder.path.name, error)
            self._recorder.problem = f"The recording could not be written: {error.strerror or error}."

    def _open(self) -> BinaryIO:
        path, number = self._recorder.path, 1
        while True:
            try:
                how = os.O_TRUNC if self._replace else os.O_EXCL
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
            except FileExistsError:
                number += 1
                path = self._recorder.path.with_stem(f"{self._recorder.path.stem}-{number}")
            else:
                self._recorder.path = path
                return os.fdopen(descriptor, "wb")


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
        return httpx.Response(
            200, headers=self._recording.headers, stream=_ReplayStream(self._recording, self._speed)
        )


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
